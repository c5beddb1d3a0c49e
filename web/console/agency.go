package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web/components"
)

// maxTree is how many agencies the tree shows at once; a larger city is searched.
const maxTree = 2000

// unit is an agency with those below it.
type unit struct {
	*manifest.Resource
	Below    []*unit
	Projects int // that it answers for itself
}

func (u *unit) spec() *manifest.Agency { return u.Spec.(*manifest.Agency) }

// units builds the tree of agencies. One whose parent isn't there stands at the top.
func units(s *catalog.Snapshot) (top []*unit, all map[string]*unit) {
	all = map[string]*unit{}
	list := slices.Clone(s.List("Agency"))
	slices.SortStableFunc(list, func(a, b *manifest.Resource) int {
		return cmp.Or(cmp.Compare(rankOf(a), rankOf(b)), cmp.Compare(titled(a).Ko, titled(b).Ko))
	})
	for _, r := range list {
		all[r.Name] = &unit{Resource: r}
	}
	for _, r := range list {
		u := all[r.Name]
		if above := all[u.spec().Parent]; above != nil && !below(all, above, u) {
			above.Below = append(above.Below, u)
		} else {
			top = append(top, u)
		}
	}
	for _, r := range s.List("Project") {
		if u := all[r.Spec.(*manifest.Project).Owner]; u != nil {
			u.Projects++
		}
	}
	return top, all
}

// ranks are the levels in the order in which an organisation chart shows them.
var ranks = []string{"city", "bureau", "division", "team", "district", "community-centre", "affiliate", "ministry"}

// rankOf is where an agency's level stands in ranks; an unknown one stands last.
func rankOf(r *manifest.Resource) int {
	if i := slices.Index(ranks, r.Spec.(*manifest.Agency).Level); i >= 0 {
		return i
	}
	return len(ranks)
}

// below reports whether x is under u, so that a circle in what was declared doesn't become one of ours.
func below(all map[string]*unit, x, u *unit) bool {
	for range len(all) {
		if x == u {
			return true
		}
		next := all[x.spec().Parent]
		if next == nil {
			return false
		}
		x = next
	}
	return true
}

type agenciesView struct {
	URL   *url.URL
	Top   []*unit // the tree, when nothing is searched
	Found []*manifest.Resource
	Slice components.Slice
	Total int
	Query string
}

func (c *Console) agencies(r *http.Request) (templ.Component, error) {
	s := c.catalog.Snapshot()
	list := s.List("Agency")
	v := agenciesView{URL: r.URL, Query: components.Asked(r.URL), Total: len(list)}
	if v.Query == "" && len(list) <= maxTree {
		v.Top, _ = units(s)
	} else {
		found := filter(list, func(x *manifest.Resource) bool { return catalog.Matches(x, v.Query) })
		v.Total = len(found)
		v.Found, v.Slice = cut(ranked(found, v.Query, titled), nameOf, r.URL.Query(), pageSize)
	}
	return agenciesPage(v), nil
}

func nameOf(r *manifest.Resource) string { return r.Name }

type agencyView struct {
	Unit     *unit
	Above    []components.Link
	Projects []*manifest.Resource
	Document document
	Sharing  *cutOffView // nil for those who may not stop it
}

func (c *Console) agency(r *http.Request) (templ.Component, error) {
	v, err := c.openAgency(r)
	if err != nil {
		return nil, err
	}
	return agencyPage(v), nil
}

// openAgency finds the agency an address names.
func (c *Console) openAgency(r *http.Request) (agencyView, error) {
	s := c.catalog.Snapshot()
	_, all := units(s)
	u := all[r.PathValue("name")]
	if u == nil {
		return agencyView{}, missing("Agency", r.PathValue("name"))
	}
	v := agencyView{Unit: u}
	for x := all[u.spec().Parent]; x != nil && len(v.Above) < 10; x = all[x.spec().Parent] {
		v.Above = append([]components.Link{{Title: titled(x.Resource), Path: agencyPath(x.Name)}}, v.Above...)
	}
	v.Projects = filter(s.List("Project"), func(p *manifest.Resource) bool { return p.Spec.(*manifest.Project).Owner == u.Name })
	var err error
	if v.Document, err = c.document(r.Context(), s, u.Resource); err != nil {
		return v, err
	}
	v.Sharing, err = c.cutOffs(r, u.Name)
	return v, err
}

// missing says that there is no resource of a kind and name.
func missing(kind, name string) error {
	return components.NotFound(lang.F("찾으시는 %[1]s 없습니다: %[2]s", "There is no %s called %q", subject(kind), name))
}

// subject is a kind's title with its particle in Korean.
func subject(kind string) lang.Text {
	words := map[string]lang.Text{
		"Agency": lang.T("기관이", "agency"), "Project": lang.T("사업이", "project"), "Term": lang.T("표준용어가", "term"),
		"Dataset": lang.T("데이터셋이", "dataset"), "Parameter": lang.T("기준값이", "parameter"), "Revision": lang.T("개정이", "revision"),
	}
	return words[kind]
}
