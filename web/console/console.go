package console

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// Catalog is what the console needs of the catalog.
type Catalog interface {
	Snapshot() *catalog.Snapshot
	Revisions(ctx context.Context, before int64, limit int) ([]catalog.Revision, error)
	Revision(ctx context.Context, n int64) (*catalog.Revision, error)
	Versions(ctx context.Context, key manifest.Key, limit int) ([]catalog.Version, error)
}

// Records is what the console needs to know of datasets' records.
type Records interface {
	// Counts says how many records datasets have, by project/name.
	Counts(ctx context.Context, datasets []*catalog.Dataset) (map[string]int64, error)
	// Sample returns up to limit records with the values of the named fields only, in their order.
	Sample(ctx context.Context, d *catalog.Dataset, fields []string, limit int) ([]*registry.Record, error)
	// Profile describes a dataset's values. It may take seconds; it is nil where there are no records.
	Profile(ctx context.Context, d *catalog.Dataset) (*registry.Profile, error)
	// Imports lists a dataset's imports, the newest first.
	Imports(ctx context.Context, d *catalog.Dataset, limit int) ([]*registry.Import, error)
	Import(ctx context.Context, id int64) (*registry.Import, error)
	// Accept lets a held import go on.
	Accept(ctx context.Context, id int64) error
	SourceState(ctx context.Context, d *catalog.Dataset) (*registry.SourceState, error)
	// Troubled lists the datasets, as project/name, whose sources can't be read or taken.
	Troubled(ctx context.Context) ([]string, error)
}

// Console serves the pages under /console.
type Console struct {
	catalog  Catalog
	records  Records
	work     registry.Work
	exchange Exchange
	requests Requests // nil: none can be made
	now      func() time.Time
}

// New makes the console. now tells the time.
func New(c Catalog, r Records, w registry.Work, x Exchange, q Requests, now func() time.Time) *Console {
	return &Console{catalog: c, records: r, work: w, exchange: x, requests: q, now: now}
}

// Door is the console's entry in the menus.
func Door() components.Door {
	return components.Door{Path: "/console", Title: lang.T("콘솔", "Console"), Officials: true, Menu: []components.Link{
		{Title: lang.T("현황", "Overview"), Path: "/console"},
		{Title: lang.T("기관", "Agencies"), Path: "/console/agencies"},
		{Title: lang.T("사업", "Projects"), Path: "/console/projects"},
		{Title: lang.T("데이터셋", "Datasets"), Path: "/console/datasets"},
		{Title: lang.T("협약", "Agreements"), Path: agreementsPath, Needs: identity.SeeAgreements},
		{Title: lang.T("개방 요청", "Requests"), Path: requestsPath, Needs: identity.SeeAgreements},
		{Title: lang.T("표준용어", "Terms"), Path: "/console/terms"},
		{Title: lang.T("기준값", "Parameters"), Path: "/console/parameters"},
		{Title: lang.T("개정 이력", "Revisions"), Path: "/console/revisions"},
		{Title: lang.T("열람 기록 로그", "Log"), Path: "/console/log", Needs: identity.SeeLog},
	}}
}

// Routes puts the console's pages into mux.
func (c *Console) Routes(mux *http.ServeMux) {
	for path, page := range map[string]components.Page{
		"/console":                   c.overview,
		"/console/agencies":          c.agencies,
		"/console/agencies/{name}":   c.agency,
		"/console/projects":          c.projects,
		"/console/projects/{name}":   c.project,
		"/console/terms":             c.terms,
		"/console/terms/{name}":      c.term,
		"/console/datasets":          c.datasets,
		"/console/parameters":        c.parameters,
		"/console/parameters/{name}": c.parameter,
		"/console/revisions":         c.revisions,
		"/console/revisions/{n}":     c.revision,
	} {
		mux.Handle("GET "+path, seeing(page))
	}
	for path, page := range map[string]components.Page{ // of a dataset, which may be open to all: they look who asks
		"/console/datasets/{project}/{name}":         c.dataset,
		"/console/datasets/{project}/{name}/profile": c.profile,
		"/console/datasets/{project}/{name}/imports": c.imports,
	} {
		mux.Handle("GET "+path, page)
	}
	mux.HandleFunc("POST /console/datasets/{project}/{name}/record", c.record)
	mux.HandleFunc("POST /console/datasets/{project}/{name}/source", c.actOnSource)
	mux.HandleFunc("POST /console/agencies/{name}", c.cutOff)
	c.agreementRoutes(mux)
	if c.requests != nil {
		mux.Handle("GET "+requestsPath, components.Page(c.openRequests))
		mux.HandleFunc("POST "+requestsPath+"/{id}", c.answerRequest)
	}
	mux.Handle("GET /console/{$}", http.RedirectHandler("/console", http.StatusMovedPermanently))
}

// home is where every trail starts.
var home = components.Link{Title: lang.T("콘솔", "Console"), Path: "/console"}

// frame is the frame of a page of the console, below the menu entry of a path.
func frame(menu string, title, lead lang.Text, tags ...components.BadgeText) components.Frame {
	f := components.Frame{Title: title, Lead: lead, Door: "/console", Menu: menu, Tags: tags, Trail: []components.Link{home}}
	for _, l := range Door().Menu {
		if l.Path == menu && l.Title != title {
			f.Trail = append(f.Trail, l)
		}
	}
	return f
}

// Paths of pages. Names hold only small letters, digits and hyphens (manifest.ValidName).

func agencyPath(name string) string           { return "/console/agencies/" + name }
func projectPath(name string) string          { return "/console/projects/" + name }
func termPath(name string) string             { return "/console/terms/" + name }
func datasetPath(project, name string) string { return "/console/datasets/" + project + "/" + name }
func parameterPath(name string) string        { return "/console/parameters/" + name }

// resourcePath is the page of a resource, or "" for kinds that have none.
func resourcePath(key manifest.Key) string {
	switch key.Kind {
	case "Agency":
		return agencyPath(key.Name)
	case "Project":
		return projectPath(key.Name)
	case "Term":
		return termPath(key.Name)
	case "Dataset":
		return datasetPath(key.Project, key.Name)
	case "Parameter":
		return parameterPath(key.Name)
	case "Agreement":
		return agreementPath(key.Project, key.Name)
	case "Vocabulary":
		return "/console/terms?from=" + key.Name
	}
	return ""
}

// descriptionPath is the OpenAPI description of a dataset's own API.
func descriptionPath(d *catalog.Dataset) string {
	return "/api/v1/datasets/" + d.Path() + "/openapi.json"
}

// rejectedPath is where the rows that an import rejected are.
func rejectedPath(id int64) string {
	return "/api/v1/imports/" + strconv.FormatInt(id, 10) + "/rejected"
}

// titled is a resource's title, or its name where it has none.
func titled(r *manifest.Resource) lang.Text {
	if t := r.Spec.Titled(); !t.Empty() {
		return t
	}
	return lang.T(r.Name, r.Name)
}

// linkTo is a link to a resource of the snapshot by its title; to its name where it isn't there.
func linkTo(s *catalog.Snapshot, key manifest.Key) components.Link {
	if r := s.Get(key); r != nil {
		return components.Link{Title: titled(r), Path: resourcePath(key)}
	}
	if t := s.Term(key.Name); key.Kind == "Term" && t != nil { // of a vocabulary
		return components.Link{Title: t.Titled(), Path: termPath(key.Name)}
	}
	return components.Link{Title: lang.T(key.Name, key.Name), Path: resourcePath(key)}
}
