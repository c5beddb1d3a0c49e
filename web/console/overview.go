package console

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// figure is a number of the overview; it opens its list.
type figure struct {
	Title lang.Text
	N     int
	Path  string
}

type overviewView struct {
	Snapshot  *catalog.Snapshot
	Holdings  []figure
	Todo      []figure // only those that aren't zero
	Revisions []catalog.Revision
}

func (c *Console) overview(r *http.Request) (templ.Component, error) {
	s := c.catalog.Snapshot()
	v := overviewView{Snapshot: s, Holdings: []figure{
		{lang.T("기관", "Agencies"), len(s.List("Agency")), "/console/agencies"},
		{lang.T("사업", "Projects"), len(s.List("Project")), "/console/projects"},
		{lang.T("데이터셋", "Datasets"), len(s.List("Dataset")), "/console/datasets"},
		{lang.T("표준용어", "Terms"), len(s.Terms()), "/console/terms"},
		{lang.T("기준값", "Parameters"), len(s.List("Parameter")), "/console/parameters"},
	}}
	v.Todo = filter(todo(s), func(f figure) bool { return f.N > 0 })
	var err error
	v.Revisions, err = c.catalog.Revisions(r.Context(), 0, 5)
	return overviewPage(v), err
}

// todo counts what in the catalog waits for someone.
func todo(s *catalog.Snapshot) []figure {
	owners := ownersOf(s)
	ownerless, termless, endless := 0, 0, 0
	for _, d := range s.Datasets() {
		if owners[d.Project] == "" {
			ownerless++
		}
		if uncited(d) > 0 {
			termless++
		}
		if unbounded(d) {
			endless++
		}
	}
	projects := len(filter(s.List("Project"), func(r *manifest.Resource) bool { return r.Spec.(*manifest.Project).Owner == "" }))
	return []figure{
		{lang.T("맡은 기관이 없는 사업", "Projects without an owner"), projects, "/console/projects?owner=none"},
		{lang.T("맡은 기관이 없는 데이터셋", "Datasets without an owner"), ownerless, "/console/datasets?owner=none"},
		{lang.T("표준용어를 따르지 않는 항목이 있는 데이터셋", "Datasets with fields that cite no term"), termless, "/console/datasets?terms=missing"},
		{lang.T("개인정보가 있는데 보존기간이 없는 데이터셋", "Personal data without a retention"), endless, "/console/datasets?retention=missing"},
	}
}
