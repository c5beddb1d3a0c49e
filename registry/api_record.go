package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/identity"
)

// RecordOutput is a record with its version.
type RecordOutput struct {
	ETag string `header:"ETag"`
	Body *Record
}

func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

func outputOf(rec *Record) *RecordOutput { return &RecordOutput{etag(rec.Version), rec} }

// gotOutput is a record, or that it is still the version that is there already.
type gotOutput struct {
	Status int
	ETag   string `header:"ETag"`
	Body   *Record
}

func (a *api) get(ctx context.Context, in *struct {
	RecordPath
	IfNoneMatch string `header:"If-None-Match" maxLength:"200" doc:"ETags, comma-separated, or *: where the record has one of them, 304 answers instead of it"`
},
) (*gotOutput, error) {
	d, err := a.readable(ctx, in.DatasetPath)
	if err != nil {
		return nil, err
	}
	rec, err := a.Get(ctx, d, in.Key)
	if isUnknown(err) { // that it isn't there says something too
		if failed := a.seenOne(ctx, d, in.Key, nil, 0); failed != nil {
			return nil, failed
		}
	}
	if err != nil {
		return nil, err
	}
	if err := a.seen(ctx, d, Query{}, []*Record{rec}, nil); err != nil {
		return nil, err
	}
	out := &gotOutput{http.StatusOK, etag(rec.Version), rec}
	for tag := range strings.SplitSeq(in.IfNoneMatch, ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == "*" || tag == out.ETag {
			out.Status, out.Body = http.StatusNotModified, nil
		}
	}
	return out, nil
}

// writtenOutput is a record that was written.
type writtenOutput struct {
	Status   int
	Location string `header:"Location" doc:"Of a new record"`
	ETag     string `header:"ETag"`
	Body     *Record
}

func writtenAs(d *catalog.Dataset, rec *Record, created bool) *writtenOutput {
	out := &writtenOutput{Status: http.StatusOK, ETag: etag(rec.Version), Body: rec}
	if created {
		out.Status, out.Location = http.StatusCreated, "/api/v1/datasets/"+d.Path()+"/records/"+url.PathEscape(rec.Key)
	}
	return out
}

func (a *api) create(ctx context.Context, in *struct {
	DatasetPath
	Body Values
},
) (*writtenOutput, error) {
	d, part, err := a.writable(ctx, in.DatasetPath)
	if err != nil {
		return nil, err
	}
	rec, err := a.Create(ctx, by(ctx, part), d, in.Body)
	if err != nil {
		return nil, seenAs(err, part)
	}
	return writtenAs(d, written(part, rec, in.Body), true), nil
}

// IfMatch is the version that a change is meant for.
type IfMatch struct {
	Header string `header:"If-Match" maxLength:"200" doc:"The ETag that was read, or * for whatever there is"`
}

// read understands the header; an ETag of another form matches nothing there is.
func (m IfMatch) read() Match {
	if m.Header == "*" {
		return Match{Any: true}
	}
	if m.Header == "" {
		return Match{}
	}
	n, err := strconv.ParseInt(strings.Trim(m.Header, `"`), 10, 64)
	if err != nil || n <= 0 {
		return Match{Version: -1}
	}
	return Match{Version: n}
}

type changeInput struct {
	RecordPath
	IfMatch
	Body Values
}

func (a *api) put(ctx context.Context, in *changeInput) (*writtenOutput, error) {
	d, part, err := a.writable(ctx, in.DatasetPath)
	if err != nil {
		return nil, err
	}
	rec, created, err := a.Put(ctx, by(ctx, part), d, in.Key, in.read(), in.Body)
	if err != nil {
		return nil, seenAs(err, part)
	}
	return writtenAs(d, written(part, rec, in.Body), created), nil
}

func (a *api) patch(ctx context.Context, in *changeInput) (*RecordOutput, error) {
	d, part, err := a.writable(ctx, in.DatasetPath)
	if err != nil {
		return nil, err
	}
	rec, err := a.Patch(ctx, by(ctx, part), d, in.Key, in.read(), in.Body)
	if err != nil {
		return nil, seenAs(err, part)
	}
	return outputOf(written(part, rec, in.Body)), nil
}

func (a *api) delete(ctx context.Context, in *struct {
	RecordPath
	IfMatch
},
) (*struct{}, error) {
	d, part, err := a.writable(ctx, in.DatasetPath)
	if err != nil {
		return nil, err
	}
	return nil, seenAs(a.Delete(ctx, by(ctx, part), d, in.Key, in.read()), part)
}

// versionBody is one state of a record.
type versionBody struct {
	Version  int64     `json:"version"`
	At       time.Time `json:"at"`
	Actor    string    `json:"actor"`
	Via      string    `json:"via" doc:"api, import, source or demo"`
	Revision int64     `json:"revision" doc:"Of the catalog, at the time"`
	Deleted  bool      `json:"deleted,omitempty"`
	Values   Values    `json:"values,omitempty" doc:"The fields of its day"`
}

func (a *api) history(ctx context.Context, in *RecordPath) (*struct {
	Body struct {
		Items []versionBody `json:"items"`
	}
}, error,
) {
	d, err := a.readable(ctx, in.DatasetPath)
	if err != nil {
		return nil, err
	}
	all, err := a.History(ctx, d, in.Key)
	if err != nil {
		return nil, err
	}
	if !identity.From(ctx).May(identity.ReadInternal, a.snapshot().Place(d.Project)) { // whoever reads because it is open: what was before it was isn't, nor who wrote
		opened, err := a.Shaped(ctx, d)
		if err != nil {
			return nil, err
		}
		for i := range all {
			all[i].Actor = ""
			if i > 0 && all[i].Revision < opened {
				all = all[:i]
				break
			}
		}
	}
	out := &struct {
		Body struct {
			Items []versionBody `json:"items"`
		}
	}{}
	var subjects []string
	for _, v := range all {
		item := versionBody{Version: v.ID, At: v.At, Actor: v.Actor, Via: v.Via, Revision: v.Revision, Deleted: v.Deleted}
		if len(v.Values) > 0 {
			if item.Values, err = only(v.Values, d); err != nil {
				return nil, fmt.Errorf("read version %d: %w", v.ID, err)
			}
		}
		subjects = append(subjects, v.persons...)
		out.Body.Items = append(out.Body.Items, item)
	}
	return out, a.seenOne(ctx, d, in.Key, subjects, 1)
}

func (a *api) profile(ctx context.Context, in *DatasetPath) (*struct{ Body *Profile }, error) {
	whole, err := a.dataset(*in)
	if err != nil {
		return nil, err
	}
	d, err := Readable(identity.From(ctx), whole, a.snapshot().Place(whole.Project))
	if err != nil {
		return nil, err
	}
	p, err := a.Profile(ctx, whole)
	if err != nil {
		return nil, err
	}
	out := &Profile{At: a.now().UTC().Truncate(time.Second), Fields: []FieldProfile{}}
	if p != nil {
		out.At, out.Rows, out.Sampled, out.Opening = p.At, p.Rows, p.Sampled, p.Opening
		for _, f := range p.Fields {
			if d.Field(f.Name) != nil {
				out.Fields = append(out.Fields, f)
			}
		}
	}
	return &struct{ Body *Profile }{out}, nil
}
