package registry

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
)

// serveImports registers the operations on imports. A file comes in parts: begin, then each part where the last one ended; when
// all is here it runs by itself.
func (a *api) serveImports(h huma.API) {
	op := func(id, method, path, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"imports"}, Errors: append(errs, 404)}
	}
	const imports = "/api/v1/datasets/{project}/{dataset}/imports"
	begin := op("begin-import", http.MethodPost, imports, "Begin an import, or find the unfinished one of the same file", 400)
	begin.DefaultStatus = http.StatusOK
	huma.Register(h, begin, a.beginImport)
	huma.Register(h, op("list-imports", http.MethodGet, imports, "The imports of a dataset, the newest first"), a.listImports)
	huma.Register(h, op("get-import", http.MethodGet, "/api/v1/imports/{id}", "How an import stands"), a.getImport)
	part := op("put-import-part", http.MethodPut, "/api/v1/imports/{id}/parts/{offset}", "The part of the file that begins at a byte: 8 MiB, the last one less", 400, 409)
	part.MaxBodyBytes, part.BodyReadTimeout = ChunkBytes+1, 10*time.Minute
	huma.Register(h, part, a.putPart)
	rejected := op("get-import-rejected", http.MethodGet, "/api/v1/imports/{id}/rejected", "The rejected rows as CSV, each with its line and the reason")
	rejected.Responses = map[string]*huma.Response{"200": {Description: "CSV", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}}
	huma.Register(h, rejected, a.getRejected)
	accept := op("accept-import", http.MethodPost, "/api/v1/imports/{id}/accept", "Let a held import go on, however many records the dataset's source doesn't have any more", 409)
	accept.DefaultStatus = http.StatusOK
	huma.Register(h, accept, a.acceptImport)
	source := op("get-source", http.MethodGet, "/api/v1/datasets/{project}/{dataset}/source", "How the dataset's source stands", 409)
	huma.Register(h, source, a.getSource)
	read := op("read-source", http.MethodPost, "/api/v1/datasets/{project}/{dataset}/source/read", "Read the dataset's source now, without waiting for its schedule", 409)
	read.DefaultStatus = http.StatusAccepted
	huma.Register(h, read, a.readSource)
}

// importBody is how an import stands.
type importBody struct {
	ID       int64       `json:"id"`
	Project  string      `json:"project"`
	Dataset  string      `json:"dataset"`
	File     string      `json:"file"`
	Size     int64       `json:"size" doc:"Bytes"`
	Received int64       `json:"received" doc:"Bytes that are here: the next part begins there"`
	Part     int64       `json:"part" doc:"How long each part but the last is"`
	DryRun   bool        `json:"dry_run,omitempty"`
	By       string      `json:"by"`
	State    ImportState `json:"state" enum:"receiving,waiting,running,held,done,failed"`
	Started  time.Time   `json:"started"`
	Ended    *time.Time  `json:"ended,omitempty"`
	Rows     int64       `json:"rows" doc:"Rows of the file that are behind it: loaded + changed + unchanged + rejected"`
	Read     int64       `json:"read" doc:"Bytes of the file that are behind it"`
	Tally
	Deleted int64    `json:"deleted,omitempty" doc:"Records that the dataset's source doesn't have any more"`
	Reason  string   `json:"reason,omitempty" doc:"Why it failed or is held, or why it waits to be tried again"`
	Notes   []string `json:"notes,omitempty"`
}

type importOutput struct{ Body importBody }

func (a *api) bodyOf(ctx context.Context, i *Import) importBody {
	s := a.snapshot()
	i = i.Told(identity.From(ctx), s.Dataset(i.Project, i.Dataset), s.Place(i.Project))
	tag := lang.From(ctx)
	out := importBody{
		ID: i.ID, Project: i.Project, Dataset: i.Dataset, File: i.File, Size: i.Size, Received: i.Received, Part: ChunkBytes, DryRun: i.DryRun, By: i.By.Actor,
		State: i.State, Started: i.Started, Rows: i.Rows, Read: i.Read, Tally: i.Tally, Deleted: i.Deleted, Reason: i.Reason.In(tag),
	}
	if !i.Ended.IsZero() {
		out.Ended = &i.Ended
	}
	for _, n := range i.Notes {
		out.Notes = append(out.Notes, n.In(tag))
	}
	return out
}

func (a *api) beginImport(ctx context.Context, in *struct {
	DatasetPath
	Body struct {
		File        string `json:"file" minLength:"1" maxLength:"255" doc:"The file's name"`
		Size        int64  `json:"size" minimum:"1" doc:"Bytes"`
		Fingerprint string `json:"fingerprint" minLength:"1" maxLength:"128" doc:"The same for the same file, so that an import that was cut off goes on"`
		DryRun      bool   `json:"dry_run,omitempty" doc:"Say what would happen; write nothing"`
	}
},
) (*importOutput, error) {
	d, err := a.loadable(ctx, in.DatasetPath)
	if err != nil {
		return nil, err
	}
	i, err := a.Begin(ctx, By{Actor: identity.From(ctx).Actor(), Via: "import"}, d, Upload{File: in.Body.File, Size: in.Body.Size, Fingerprint: in.Body.Fingerprint, DryRun: in.Body.DryRun})
	if err != nil {
		return nil, err
	}
	return &importOutput{a.bodyOf(ctx, i)}, nil
}

func (a *api) listImports(ctx context.Context, in *struct {
	DatasetPath
	Limit int `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*struct {
	Body struct {
		Items []importBody `json:"items"`
	}
}, error,
) {
	d, err := a.loadable(ctx, in.DatasetPath)
	if err != nil {
		return nil, err
	}
	all, err := a.Imports(ctx, d, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Items []importBody `json:"items"`
		}
	}{}
	out.Body.Items = []importBody{}
	for _, i := range all {
		out.Body.Items = append(out.Body.Items, a.bodyOf(ctx, i))
	}
	return out, nil
}

// own finds an import into a dataset that who asks may write to. Others' aren't there.
func (a *api) own(ctx context.Context, id int64) (*Import, error) {
	i, err := a.Import(ctx, id)
	if err != nil && identity.From(ctx).SignedIn() {
		return nil, err
	}
	if i == nil || !identity.From(ctx).May(identity.Write, a.snapshot().Place(i.Project)) {
		if !identity.From(ctx).SignedIn() {
			return nil, identity.From(ctx).Refused()
		}
		return nil, noImport(id)
	}
	return i, nil
}

func (a *api) getImport(ctx context.Context, in *struct {
	ID int64 `path:"id" minimum:"1"`
},
) (*importOutput, error) {
	i, err := a.own(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &importOutput{a.bodyOf(ctx, i)}, nil
}

func (a *api) putPart(ctx context.Context, in *struct {
	ID      int64  `path:"id" minimum:"1"`
	Offset  int64  `path:"offset" minimum:"0" doc:"Where the part begins: received, as the import has it"`
	RawBody []byte `contentType:"application/octet-stream"`
},
) (*importOutput, error) {
	if _, err := a.own(ctx, in.ID); err != nil {
		return nil, err
	}
	i, err := a.Receive(ctx, in.ID, in.Offset, bytes.NewReader(in.RawBody))
	if err != nil {
		return nil, err
	}
	if i.State == Waiting {
		a.work.StartImport(i.ID)
	}
	return &importOutput{a.bodyOf(ctx, i)}, nil
}

func (a *api) getRejected(ctx context.Context, in *struct {
	ID int64 `path:"id" minimum:"1"`
},
) (*huma.StreamResponse, error) {
	i, err := a.own(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	s, who := a.snapshot(), identity.From(ctx)
	if i.By.Actor != who.Actor() && !readsAll(who, s.Dataset(i.Project, i.Dataset), s.Place(i.Project)) { // whose file it was has the rows already
		return nil, who.Refused()
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "text/csv; charset=utf-8")
		w := h.BodyWriter()
		if rw, ok := w.(http.ResponseWriter); ok {
			w = patient{rw, http.NewResponseController(rw)}
		}
		if err := a.Rejected(h.Context(), in.ID, w); err != nil {
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

func (a *api) acceptImport(ctx context.Context, in *struct {
	ID int64 `path:"id" minimum:"1"`
},
) (*importOutput, error) {
	if _, err := a.own(ctx, in.ID); err != nil {
		return nil, err
	}
	if err := a.Accept(ctx, in.ID); err != nil {
		return nil, err
	}
	a.work.StartImport(in.ID)
	return a.getImport(ctx, in)
}

// sourceBody is how a dataset's source stands.
type sourceBody struct {
	Good     *time.Time `json:"good,omitempty" doc:"When what the source has was last here"`
	Tried    *time.Time `json:"tried,omitempty" doc:"When it was last looked at"`
	Failed   int        `json:"failed" doc:"How often in a row it couldn't be read or taken"`
	Rejected int64      `json:"rejected" doc:"Rows of what was taken that don't fit, so that what was here before of them still is"`
	Reason   string     `json:"reason,omitempty" doc:"Why, of the last time"`
}

func (a *api) getSource(ctx context.Context, in *DatasetPath) (*struct{ Body sourceBody }, error) {
	d, err := a.sourced(ctx, *in)
	if err != nil {
		return nil, err
	}
	s, err := a.SourceState(ctx, d)
	if err != nil {
		return nil, err
	}
	s = s.Told(identity.From(ctx), d, a.snapshot().Place(d.Project))
	out := &struct{ Body sourceBody }{sourceBody{Failed: s.Failed, Rejected: s.Rejected, Reason: s.Reason.In(lang.From(ctx))}}
	if !s.Good.IsZero() {
		out.Body.Good = &s.Good
	}
	if !s.Tried.IsZero() {
		out.Body.Tried = &s.Tried
	}
	return out, nil
}

func (a *api) readSource(ctx context.Context, in *DatasetPath) (*struct{}, error) {
	d, err := a.sourced(ctx, *in)
	if err != nil {
		return nil, err
	}
	return nil, a.work.StartSource(ctx, d.Project, d.Name)
}

// sourced is a dataset with a source that who asks may write to.
func (a *api) sourced(ctx context.Context, at DatasetPath) (*catalog.Dataset, error) {
	d, err := a.loadable(ctx, at)
	if err == nil && d.Spec.Source == nil {
		err = problem.New("source.none", 409, lang.F("원본이 정해지지 않은 데이터셋입니다: %s", "the dataset %s has no source", d.Path())).
			Hinting(lang.T("선언문에 source:를 쓰십시오", "write source: in its manifest"))
	}
	return d, err
}
