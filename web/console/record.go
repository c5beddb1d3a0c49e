package console

import (
	"context"
	"net/http"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// recordView is one record of a dataset: masked, and with its values once somebody has said why they look.
type recordView struct {
	datasetView
	Handle  string
	Reason  string
	Record  *registry.Record // nil: not shown yet
	Receipt int64
	Fault   *problem.Problem // of the reason
}

func recordPath(d *catalog.Dataset) string { return datasetPath(d.Project, d.Name) + "/record" }

// record is the page of a record that a handle names. It comes by POST: neither the handle nor the reason belongs into an address.
func (c *Console) record(w http.ResponseWriter, r *http.Request) {
	who := identity.From(r.Context())
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	v, err := c.open(r)
	if err == nil {
		err = who.Need(identity.Reveal, v.Snapshot.Place(v.Dataset.Project))
	}
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	v.Tab = "sample"
	page := recordView{datasetView: v, Handle: r.PostFormValue("record"), Reason: r.PostFormValue("reason")}
	if !r.PostForm.Has("reason") {
		components.Render(w, r, http.StatusOK, recordPage(page))
		return
	}
	page.Record, page.Receipt, err = c.exchange.Reveal(r.Context(), who, v.Dataset.Project, v.Dataset.Name, page.Handle, page.Reason)
	status := http.StatusOK
	if problem.Code(err) == "reveal.reason" {
		page.Fault, err = problem.As(err), nil
		status = page.Fault.Status
	}
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	components.Render(w, r, status, recordPage(page))
}

// handles names the records of a sample for those who may have them shown, where there is something to show.
func (c *Console) handles(who *identity.Principal, v *datasetView, records []*registry.Record) ([]string, error) {
	if len(v.Sample.Place) == len(v.Dataset.Fields) || !who.May(identity.Reveal, v.Snapshot.Place(v.Dataset.Project)) {
		return nil, nil
	}
	out := make([]string, len(records))
	for i, rec := range records {
		var err error
		if out[i], err = c.exchange.Handle(v.Dataset, rec.Key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// shownField is a field of a record that is shown: of those the reader may see.
func (v recordView) shownField(name string) (any, bool) {
	if v.Record == nil {
		return nil, false
	}
	for i, f := range v.Record.Fields {
		if f.Name == name {
			return v.Record.Values[i], true
		}
	}
	return nil, false
}

// facts are the record's fields: values of those the reader may see.
func (v recordView) facts(ctx context.Context) (out []components.Fact) {
	for i := range v.Dataset.Fields {
		f := &v.Dataset.Fields[i]
		fact := components.Fact{Name: f.Label(), Value: masked()}
		if value, ok := v.shownField(f.Name); ok {
			fact.Value = components.Words(components.Own(orNone(ctx, components.FieldValue(ctx, &f.Field, value))))
		}
		out = append(out, fact)
	}
	return out
}

func reasonHelp(v recordView) string {
	if v.Fault != nil {
		return "reason-help reason-fault"
	}
	return "reason-help"
}
