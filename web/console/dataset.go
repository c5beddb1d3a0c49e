package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// Limits of a dataset's pages.
const (
	sampleRows = 10
	maxImports = 20
)

type datasetsView struct {
	URL      *url.URL
	Snapshot *catalog.Snapshot
	Page     []*catalog.Dataset
	Counts   map[string]int64
	Slice    components.Slice
	Empty    bool
}

func (c *Console) datasets(r *http.Request) (templ.Component, error) {
	s, q, asked := c.catalog.Snapshot(), r.URL.Query(), components.Asked(r.URL)
	list := s.Datasets()
	owners := ownersOf(s)
	found := filter(list,
		func(d *catalog.Dataset) bool { return q.Get("project") == "" || d.Project == q.Get("project") },
		func(d *catalog.Dataset) bool { return q.Get("class") == "" || string(d.Class()) == q.Get("class") },
		func(d *catalog.Dataset) bool { return q.Get("owner") != "none" || owners[d.Project] == "" },
		func(d *catalog.Dataset) bool { return q.Get("terms") != "missing" || uncited(d) > 0 },
		func(d *catalog.Dataset) bool { return q.Get("retention") != "missing" || unbounded(d) },
		func(d *catalog.Dataset) bool { return matches(d, asked) },
	)
	if q.Get("source") == "trouble" {
		var err error
		if found, err = c.troubled(r.Context(), found); err != nil {
			return nil, err
		}
	}
	v := datasetsView{URL: r.URL, Snapshot: s, Empty: len(list) == 0}
	v.Page, v.Slice = cut(ranked(found, asked, titleOf), (*catalog.Dataset).Path, q, pageSize)
	var err error
	v.Counts, err = c.records.Counts(r.Context(), v.Page)
	return datasetsPage(v), err
}

func titleOf(d *catalog.Dataset) lang.Text { return titled(d.Resource) }

// matches reports whether a dataset has a query in its name, its title, what it is about or the names of its fields.
func matches(d *catalog.Dataset, query string) bool {
	want := catalog.Fold(query)
	if want == "" || catalog.Matches(d.Resource, query) {
		return true
	}
	texts := []string{d.Spec.About.Ko, d.Spec.About.En}
	for i := range d.Fields {
		texts = append(texts, d.Fields[i].Title.Ko, d.Fields[i].Title.En, d.Fields[i].Name)
	}
	for _, text := range texts {
		if strings.Contains(catalog.Fold(text), want) {
			return true
		}
	}
	return false
}

// ownersOf is the owner of each project.
func ownersOf(s *catalog.Snapshot) map[string]string {
	owners := map[string]string{}
	for _, r := range s.List("Project") {
		owners[r.Name] = r.Spec.(*manifest.Project).Owner
	}
	return owners
}

// uncited counts a dataset's fields that cite no term.
func uncited(d *catalog.Dataset) (n int) {
	for i := range d.Fields {
		if d.Fields[i].Cites == nil {
			n++
		}
	}
	return n
}

// unbounded reports whether a dataset holds personal data and doesn't say for how long (개인정보보호법 제21조).
func unbounded(d *catalog.Dataset) bool { return hidden(d.Class()) && d.Spec.Retention == "" }

type datasetView struct {
	URL      *url.URL
	Address  string // of the server, for examples
	Snapshot *catalog.Snapshot
	Dataset  *catalog.Dataset
	Count    int64
	Tab      string
	Sample   sample
	Imports  []*registry.Import
	Source   *sourceView // nil: it has none, or who asks sees only what is open
	Versions []catalog.Version
	Readers  []agreementRow
	Who      *identity.Principal
	Now      time.Time
	Part     *catalog.Dataset // what who asks may read of it without an agreement; nil: nothing
}

// inside reports whether who asks has the rest of the console too; the others see the page of a dataset that is open.
func (v datasetView) inside() bool { return v.Who.May(identity.SeeCatalog, identity.Place{}) }

// shows reports whether a field's values are shown: to those who may read them, and none about persons.
func (v datasetView) shows(f *catalog.Field) bool {
	return !hidden(f.Class) && v.Part != nil && v.Part.Field(f.Name) != nil
}

// sample is some records: the columns of all fields, values of those that may be shown.
type sample struct {
	Rows    []*registry.Record
	Place   map[string]int // of a field in a row; not there for fields that are hidden
	Handles []string       // of the rows, for who may have them shown
}

// tabs are the views of a dataset and what each needs.
var tabs = map[string]func(*Console, context.Context, *datasetView) error{
	"fields":  func(*Console, context.Context, *datasetView) error { return nil },
	"profile": func(*Console, context.Context, *datasetView) error { return nil }, // htmx fetches it: it may take seconds
	"api":     func(*Console, context.Context, *datasetView) error { return nil },
	"sample":  (*Console).takeSample,
	"imports": func(c *Console, ctx context.Context, v *datasetView) (err error) {
		v.Imports, err = c.importsOf(ctx, v)
		return err
	},
	"readers": func(c *Console, ctx context.Context, v *datasetView) (err error) {
		v.Readers, err = c.readersOf(ctx, v.Dataset)
		return err
	},
	"versions": func(c *Console, ctx context.Context, v *datasetView) (err error) {
		v.Versions, err = c.catalog.Versions(ctx, v.Dataset.Key(), maxVersions)
		return err
	},
}

func (c *Console) takeSample(ctx context.Context, v *datasetView) (err error) {
	var names []string
	v.Sample.Place = map[string]int{}
	for i := range v.Dataset.Fields {
		if f := &v.Dataset.Fields[i]; v.shows(f) {
			v.Sample.Place[f.Name] = len(names)
			names = append(names, f.Name)
		}
	}
	if len(names) == 0 || v.Count == 0 {
		return nil
	}
	if v.Sample.Rows, err = c.records.Sample(ctx, v.Dataset, names, sampleRows); err != nil {
		return err
	}
	v.Sample.Handles, err = c.handles(identity.From(ctx), v, v.Sample.Rows)
	return err
}

// open finds the dataset an address names. One that is open is everyone's to see.
func (c *Console) open(r *http.Request) (datasetView, error) {
	s, who := c.catalog.Snapshot(), identity.From(r.Context())
	d := s.Dataset(r.PathValue("project"), r.PathValue("name"))
	if d == nil || !d.Open() {
		if err := who.Need(identity.SeeCatalog, identity.Place{}); err != nil {
			return datasetView{}, err
		}
	}
	if d == nil {
		return datasetView{}, missing("Dataset", r.PathValue("project")+"/"+r.PathValue("name"))
	}
	v := datasetView{URL: r.URL, Address: components.Address(r), Snapshot: s, Dataset: d, Who: who, Now: c.now()}
	v.Part, _ = registry.Readable(who, d, s.Place(d.Project)) // an error says that it is nothing
	counts, err := c.records.Counts(r.Context(), []*catalog.Dataset{d})
	if v.Count = counts[d.Path()]; err == nil && v.inside() {
		v.Source, err = c.sourceOf(r.Context(), &v)
	}
	return v, err
}

func (c *Console) dataset(r *http.Request) (templ.Component, error) {
	v, err := c.open(r)
	if err != nil {
		return nil, err
	}
	v.Tab = r.URL.Query().Get("tab")
	if !slices.ContainsFunc(tabsOf(v), func(t tab) bool { return t.name == v.Tab }) {
		v.Tab = "fields"
	}
	if err := tabs[v.Tab](c, r.Context(), &v); err != nil {
		return nil, err
	}
	return datasetPage(v), nil
}

// profile is the part of a dataset's page that htmx fetches; asked for by a person it is the whole page.
func (c *Console) profile(r *http.Request) (templ.Component, error) {
	v, err := c.open(r)
	if err != nil {
		return nil, err
	}
	p, err := c.records.Profile(r.Context(), v.Dataset)
	if err != nil {
		return nil, err
	}
	v.Tab = "profile"
	if components.Part(r) {
		return profilePart(v, p), nil
	}
	return datasetFrame(v, profilePart(v, p)), nil
}

// importsOf lists imports as the reader may know them.
func (c *Console) importsOf(ctx context.Context, v *datasetView) ([]*registry.Import, error) {
	list, err := c.records.Imports(ctx, v.Dataset, maxImports)
	for n, i := range list {
		list[n] = i.Told(v.Who, v.Dataset, v.Snapshot.Place(v.Dataset.Project))
	}
	return list, err
}

// imports is the page at its list of imports: it is fetched again while one runs.
func (c *Console) imports(r *http.Request) (templ.Component, error) {
	v, err := c.open(r)
	if err != nil {
		return nil, err
	}
	if err := v.Who.Need(identity.SeeCatalog, identity.Place{}); err != nil {
		return nil, err
	}
	v.Tab = "imports"
	if v.Imports, err = c.importsOf(r.Context(), &v); err != nil {
		return nil, err
	}
	return datasetPage(v), nil
}

// running reports whether one of the imports isn't at its end.
func running(list []*registry.Import) bool {
	return slices.ContainsFunc(list, func(i *registry.Import) bool { return i.Ended.IsZero() })
}
