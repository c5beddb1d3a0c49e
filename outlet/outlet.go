package outlet

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// Records is what the outlets need of the registry.
type Records interface {
	// Slice reads the records that a query finds, from the offset-th on, and how many there are in all.
	Slice(ctx context.Context, d *catalog.Dataset, q registry.Query, offset int64, limit int) (records []*registry.Record, total int64, err error)
	Counts(ctx context.Context, datasets []*catalog.Dataset) (map[string]int64, error)
	LastChanged(ctx context.Context) (map[string]time.Time, error)
}

// Outlets serves open data.
type Outlets struct {
	catalog func() *catalog.Snapshot
	dated   func(ctx context.Context, revision int64) (map[string]catalog.Dates, error) // when a revision was applied
	records Records
	keys    Keys
	base    string // of the server: http://host:port
	city    lang.Text

	now   func() time.Time
	quota quota
	mu    sync.Mutex
	fresh time.Time // when the records' changes were looked at
	built *shelf
}

// Keys says which keys of the city's address form are known.
type Keys interface {
	Known(ctx context.Context, key string) (bool, error)
}

// Options is what outlets are made from.
type Options struct {
	Catalog func() *catalog.Snapshot
	Dated   func(ctx context.Context, revision int64) (map[string]catalog.Dates, error) // of the datasets
	Records Records
	Keys    Keys
	Base    string
	City    lang.Text
	Now     func() time.Time // nil: the time
}

// New makes the outlets.
func New(o Options) *Outlets {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Outlets{now: o.Now, catalog: o.Catalog, dated: o.Dated, records: o.Records, keys: o.Keys, base: o.Base, city: o.City}
}

// Routes puts the outlets' handlers where they belong by handle.
func (o *Outlets) Routes(handle func(pattern string, h http.Handler)) {
	handle("/openapi/", http.HandlerFunc(o.cityForm))
	for _, at := range []string{"/ckan/api/3/action/", "/ckan/api/action/"} {
		handle(at, http.StripPrefix(at, http.HandlerFunc(o.ckan)))
	}
	handle("GET /catalog.jsonld", http.HandlerFunc(o.dcat))
	handle("GET /data/{project}/{name}/dcat.jsonld", http.HandlerFunc(o.dcatOne))
	handle("GET /data/{project}/{name}/datapackage.json", http.HandlerFunc(o.datapackage))
	handle("GET /data/{project}/{name}/croissant.json", http.HandlerFunc(o.croissant))
}

// item is an open dataset on the shelf.
type item struct {
	*catalog.Dataset
	id       string // a UUID
	handle   string // its name among all: project_name
	services []string
	columns  []string // what the city's address form calls its fields
	owner    string   // an agency, or ""
	text     string   // what is searched, folded
	title    string   // folded
	tags     []string
	made     time.Time    // when it was first applied
	applied  time.Time    // when its manifest last changed
	modified atomic.Int64 // when its records last changed, in milliseconds of Unix; 0: never
}

// changed is when the dataset or its records last changed.
func (i *item) changed() time.Time {
	if m := time.UnixMilli(i.modified.Load()).UTC(); m.After(i.applied) {
		return m
	}
	return i.applied
}

// shelf is all open datasets as they are in one revision. It is made anew from each: it can't drift from the catalog.
type shelf struct {
	snapshot *catalog.Snapshot
	items    []*item // in order of their handles
	by       map[string]*item
	services map[string]*item // by what the city's address form calls them, in small letters
	agencies []*manifest.Resource
	projects []*manifest.Resource
}

// space is the name space of the identifiers (RFC 9562, UUIDv5).
var space = uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://maru.city/open"))

func identifier(parts ...string) string {
	return uuid.NewSHA1(space, []byte(strings.Join(parts, "/"))).String()
}

// shelf is the shelf of the present revision.
func (o *Outlets) shelf(ctx context.Context) (*shelf, error) {
	now := o.catalog()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.built != nil && o.built.snapshot == now {
		return o.built, o.refresh(ctx)
	}
	s := &shelf{snapshot: now, by: map[string]*item{}, services: map[string]*item{}}
	dates, err := o.dated(ctx, now.Revision)
	if err != nil {
		return nil, err
	}
	twice, own := map[string]bool{}, map[string]bool{}
	owners, homes := map[string]bool{}, map[string]bool{}
	for _, d := range now.Datasets() {
		if !d.Open() {
			continue
		}
		i := &item{Dataset: d, id: identifier("dataset", d.Path()), handle: d.Project + "_" + d.Name, made: dates[d.Path()].Made.UTC(), applied: dates[d.Path()].Changed.UTC()}
		if place := now.Place(d.Project); len(place.Owners) > 0 {
			i.owner = place.Owners[0]
			owners[i.owner] = true
		}
		homes[d.Project] = true
		i.describe(now)
		s.items = append(s.items, i)
		s.by[i.id], s.by[i.handle] = i, i
		for _, name := range i.services {
			switch key := strings.ToLower(name); {
			case name == i.Project+"."+i.Name: // nobody else's
				s.services[key] = i
				own[key] = true
			case own[key]:
			case s.services[key] != nil && s.services[key] != i:
				twice[key] = true // of two projects: the longer name says which
			default:
				s.services[key] = i
			}
		}
	}
	for key := range twice {
		if !own[key] {
			delete(s.services, key)
		}
	}
	for _, r := range now.List("Agency") {
		if owners[r.Name] {
			s.agencies = append(s.agencies, r)
		}
	}
	for _, r := range now.List("Project") {
		if homes[r.Name] {
			s.projects = append(s.projects, r)
		}
	}
	o.built, o.fresh = s, time.Time{}
	return s, o.refresh(ctx)
}

// staleness is how old what is known of the records' changes may be.
const staleness = 10 * time.Second

// refresh looks when records last changed. It is called with the lock held.
func (o *Outlets) refresh(ctx context.Context) error {
	if o.records == nil || o.now().Sub(o.fresh).Abs() < staleness {
		return nil
	}
	all, err := o.records.LastChanged(ctx)
	if err != nil {
		return err
	}
	for _, i := range o.built.items {
		if at, ok := all[i.Path()]; ok {
			i.modified.Store(at.UnixMilli())
		}
	}
	o.fresh = o.now()
	return nil
}

// describe fills in what is searched and what the fields are called.
func (i *item) describe(s *catalog.Snapshot) {
	i.services = []string{i.Name, i.Project + "." + i.Name, strings.ReplaceAll(i.Name, "-", "")}
	original := map[string]string{} // field → column of the open API that the dataset comes from: its clients know that
	if from := i.Spec.Source; from != nil && from.OpenAPI != "" {
		if before, _, ok := strings.Cut(from.OpenAPI, "/{from}"); ok {
			i.services = append(i.services, before[strings.LastIndex(before, "/")+1:])
		}
		for column, field := range from.Map {
			original[field] = column
		}
	}
	texts := []string{i.Spec.Title.Ko, i.Spec.Title.En, i.Spec.About.Ko, i.Spec.About.En, i.Name, i.Project}
	tagged := map[string]bool{}
	for n := range i.Fields {
		f := &i.Fields[n]
		column := original[f.Name]
		if column == "" {
			column = strings.ToUpper(f.Name)
		}
		i.columns = append(i.columns, column)
		texts = append(texts, f.Label().Ko, f.Label().En)
		if f.Cites != nil && f.Cites.Title.Ko != "" && !tagged[f.Cites.Title.Ko] {
			tagged[f.Cites.Title.Ko] = true
			i.tags = append(i.tags, f.Cites.Title.Ko)
		}
	}
	for _, key := range []manifest.Key{{Kind: "Project", Name: i.Project}, {Kind: "Agency", Name: i.owner}} {
		if key.Name != "" {
			texts = append(texts, s.Title(key).Ko, s.Title(key).En)
		}
	}
	i.text, i.title = catalog.Fold(strings.Join(texts, " ")), catalog.Fold(i.Spec.Title.Ko+" "+i.Spec.Title.En)
}
