package portal

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/identity/provider"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/web/components"
)

// Catalog is what the portal needs of the catalog.
type Catalog interface {
	Snapshot() *catalog.Snapshot
}

// maxFound is how many datasets the page shows at once; more are found by searching.
const maxFound = 100

// maxClosed is how many that aren't open yet are shown beside them.
const maxClosed = 20

// Options is what the portal is made from.
type Options struct {
	Catalog  Catalog
	Records  Records
	Exchange Exchange           // nil: a citizen has no pages
	Requests Requests           // nil: none can be made
	Services Services           // nil: there are none
	Cases    Cases              // nil: nothing can be applied for
	Now      func() time.Time   // whose day in Seoul services are checked for
	Gate     *identity.Gate     // nil, or without a provider: nobody signs in
	Embedded *provider.Provider // nil: the provider is elsewhere
	Secure   bool               // pages are reached by TLS
}

// Portal serves the citizens' pages.
type Portal struct {
	Options
	finder finder
}

// New makes the portal.
func New(o Options) *Portal { return &Portal{Options: o} }

// MineDoor is the citizen's own entry in the menus.
func MineDoor() components.Door {
	return components.Door{Path: minePath, Title: lang.T("내 정보", "My data"), Citizens: true, Menu: []components.Link{
		{Title: lang.T("내 정보 열람 기록", "Who read about me"), Path: minePath},
		{Title: lang.T("내 신청", "My applications"), Path: applicationsPath},
		{Title: lang.T("내 동의", "My consents"), Path: consentsPath},
		{Title: lang.T("내 개방 요청", "My requests"), Path: requestsPath},
		{Title: lang.T("오픈API 인증키", "Open API keys"), Path: openKeysPath},
	}}
}

// Door is the portal's entry in the menus.
func Door() components.Door {
	return components.Door{Path: "/", Title: lang.T("포털", "Portal")}
}

// Routes puts the portal's page into mux.
func (p *Portal) Routes(mux *http.ServeMux) {
	mux.Handle("GET /{$}", components.Page(p.start))
	mux.Handle("GET /data", http.RedirectHandler("/", http.StatusFound)) // the catalogue is on the first page
	mux.Handle("GET /data/{project}/{name}", components.Page(p.data))
	p.signRoutes(mux)
	if p.Services != nil {
		mux.Handle("GET /life/{event}", components.Page(p.life))
		if p.Cases != nil {
			mux.Handle("POST /life/{event}", components.Page(p.lifeMine))
		}
		mux.Handle("GET /services/{project}/{name}", components.Page(p.service))
		mux.HandleFunc("GET /services/{project}/{name}/check", p.check)
		mux.HandleFunc("POST /services/{project}/{name}/check", p.check)
	}
	if p.Cases != nil {
		mux.Handle("GET /services/{project}/{name}/draw", components.Page(p.draw))
		p.applyRoutes(mux)
		p.caseRoutes(mux)
	}
	if p.Requests != nil {
		mux.HandleFunc("POST /data/{project}/{name}", p.ask)
		mux.Handle("GET "+requestsPath, components.Page(p.requests))
	}
	if p.Exchange != nil {
		p.mineRoutes(mux)
	}
}

// group is a project's open datasets.
type group struct {
	Project  lang.Text
	Datasets []*catalog.Dataset
}

type startView struct {
	Query    string
	Instead  string // what was looked for in place of the query
	Events   []event
	Services []*service.Service // that the query finds
	Offered  int                // services in all
	Snapshot *catalog.Snapshot
	Agencies []components.Choice // that provide something, with how much
	Groups   []group
	Found    int                // open datasets that the query lets through
	Open     int                // open datasets in all
	Closed   []*catalog.Dataset // that the query finds and that aren't open yet, the first of them
}

func (p *Portal) start(r *http.Request) (templ.Component, error) {
	s := p.Catalog.Snapshot()
	v := startView{Query: components.Asked(r.URL), Snapshot: s}
	if p.Services != nil {
		v.Offered = len(p.Services.List())
	}
	var found map[string]bool // datasets
	if v.Query == "" {
		v.Events = p.events(s)
	} else {
		var err error
		if found, err = p.find(s, &v); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(s.Datasets(), func(d *catalog.Dataset) bool { return matches(s, d, v.Query) }) {
			found = nil // what is written stands in some of them: no other is meant
		}
	}
	agency, provided := r.URL.Query().Get("agency"), map[string]int{}
	for _, d := range s.Datasets() {
		if !d.Open() {
			if v.Query != "" && p.Requests != nil && len(v.Closed) < maxClosed && (found[d.Project+"/"+d.Name] || matches(s, d, v.Query)) {
				v.Closed = append(v.Closed, d)
			}
			continue
		}
		v.Open++
		owner := ""
		if place := s.Place(d.Project); len(place.Owners) > 0 {
			owner = place.Owners[0]
			provided[owner]++
		}
		if !found[d.Project+"/"+d.Name] && !matches(s, d, v.Query) || agency != "" && owner != agency {
			continue
		}
		v.Found++
		if v.Found > maxFound {
			continue
		}
		title := projectTitle(s, d.Project)
		if n := len(v.Groups); n == 0 || v.Groups[n-1].Project != title {
			v.Groups = append(v.Groups, group{Project: title})
		}
		last := &v.Groups[len(v.Groups)-1]
		last.Datasets = append(last.Datasets, d)
	}
	for _, name := range slices.Sorted(maps.Keys(provided)) {
		v.Agencies = append(v.Agencies, components.Choice{Value: name, Title: lang.F("%[1]s (%[2]s)", "%[1]s (%[2]s)", s.Title(manifest.Key{Kind: "Agency", Name: name}), components.Number(provided[name]))})
	}
	return startPage(r.URL, v), nil
}

// matches reports whether a dataset, its project or one of its fields is called by a query's words, whatever their spacing.
func matches(s *catalog.Snapshot, d *catalog.Dataset, query string) bool {
	want := catalog.Fold(query)
	if want == "" { // nothing that could be looked for, such as a sign
		return strings.TrimSpace(query) == ""
	}
	if catalog.Matches(d.Resource, query) {
		return true
	}
	texts := []lang.Text{d.Spec.Title, projectTitle(s, d.Project), d.Spec.About}
	for i := range d.Fields {
		texts = append(texts, d.Fields[i].Title)
	}
	says := func(word string) bool {
		return slices.ContainsFunc(texts, func(x lang.Text) bool {
			return strings.Contains(catalog.Fold(x.Ko), word) || strings.Contains(catalog.Fold(x.En), word)
		})
	}
	if says(want) {
		return true
	}
	for _, word := range strings.Fields(query) { // each of them somewhere, in whatever order
		if word = catalog.Fold(word); !says(word) && !catalog.Matches(d.Resource, word) {
			return false
		}
	}
	return true
}

func projectTitle(s *catalog.Snapshot, name string) lang.Text {
	if r := s.Get(manifest.Key{Kind: "Project", Name: name}); r != nil && !r.Spec.Titled().Empty() {
		return r.Spec.Titled()
	}
	return lang.T(name, name)
}
