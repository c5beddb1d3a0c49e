package console

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web/components"
)

// Limits of a project's pages.
const (
	documentsPerPage = 20
	historyResources = 60 // whose versions are gathered into the project's history
	historyEach      = 5
)

type projectsView struct {
	URL   *url.URL
	Page  []*manifest.Resource
	Slice components.Slice
	Empty bool // the catalog has none at all
}

func (c *Console) projects(r *http.Request) (templ.Component, error) {
	s, q, asked := c.catalog.Snapshot(), r.URL.Query(), components.Asked(r.URL)
	list := s.List("Project")
	found := filter(list,
		func(x *manifest.Resource) bool { return catalog.Matches(x, asked) },
		func(x *manifest.Resource) bool {
			p, want := x.Spec.(*manifest.Project), q.Get("lifecycle")
			return want == "" || cmp.Or(p.Lifecycle, "idea") == want
		},
		func(x *manifest.Resource) bool {
			return q.Get("owner") != "none" || x.Spec.(*manifest.Project).Owner == ""
		})
	v := projectsView{URL: r.URL, Empty: len(list) == 0}
	v.Page, v.Slice = cut(ranked(found, asked, titled), nameOf, q, pageSize)
	return projectsPage(s, v), nil
}

type projectView struct {
	URL       *url.URL
	Snapshot  *catalog.Snapshot
	Resource  *manifest.Resource
	Spec      *manifest.Project
	Tab       string
	Home      []*manifest.Resource // what is at home in it, the project's own document too
	Documents []*manifest.Resource // of the tab manifests, cut
	Slice     components.Slice
	History   []catalog.Revision // with the changes to this project only
}

func (c *Console) project(r *http.Request) (templ.Component, error) {
	s, name := c.catalog.Snapshot(), r.PathValue("name")
	resource := s.Get(manifest.Key{Kind: "Project", Name: name})
	if resource == nil {
		return nil, missing("Project", name)
	}
	v := projectView{URL: r.URL, Snapshot: s, Resource: resource, Spec: resource.Spec.(*manifest.Project), Tab: r.URL.Query().Get("tab"), Home: s.Home(name)}
	var err error
	switch v.Tab {
	case "manifests":
		v.Documents, v.Slice = cut(v.Home, func(r *manifest.Resource) string { return r.Key.String() }, r.URL.Query(), documentsPerPage)
	case "history":
		v.History, err = c.history(r.Context(), v.Home)
	default:
		v.Tab = "resources"
	}
	return projectPage(v), err
}

// history gathers what revisions did to some resources, the newest revision first.
func (c *Console) history(ctx context.Context, resources []*manifest.Resource) ([]catalog.Revision, error) {
	byN := map[int64]*catalog.Revision{}
	for _, r := range resources[:min(len(resources), historyResources)] {
		versions, err := c.catalog.Versions(ctx, r.Key, historyEach)
		if err != nil {
			return nil, err
		}
		for _, v := range versions {
			rev := byN[v.N]
			if rev == nil {
				rev = &catalog.Revision{N: v.N, At: v.At, Author: v.Author, Message: v.Message}
				byN[v.N] = rev
			}
			rev.Changes = append(rev.Changes, v.Change)
		}
	}
	var out []catalog.Revision
	for _, rev := range byN {
		out = append(out, *rev)
	}
	slices.SortFunc(out, func(a, b catalog.Revision) int { return cmp.Compare(b.N, a.N) })
	return out, nil
}

// ofKind keeps the resources of a kind.
func ofKind(list []*manifest.Resource, kind string) []*manifest.Resource {
	return filter(list, func(r *manifest.Resource) bool { return r.Kind == kind })
}
