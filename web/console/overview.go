package console

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
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
	mine, err := c.agreementsTodo(r.Context())
	if err != nil {
		return nil, err
	}
	troubled, err := c.troubled(r.Context(), s.Datasets())
	if err != nil {
		return nil, err
	}
	asked, err := c.requestsTodo(r.Context())
	if err != nil {
		return nil, err
	}
	mine = append(mine, asked)
	mine = append(mine, figure{lang.T("원본의 최신 내용이 반영되지 않은 데이터셋", "Datasets that are behind their source"), len(troubled), "/console/datasets?source=trouble"})
	v.Todo = filter(append(mine, todo(s)...), func(f figure) bool { return f.N > 0 })
	v.Revisions, err = c.catalog.Revisions(r.Context(), 0, 5)
	return overviewPage(v), err
}

// agreementsTodo counts the agreements that wait for who asks, and those that need somebody soon.
func (c *Console) agreementsTodo(ctx context.Context) ([]figure, error) {
	who := identity.From(ctx)
	if c.exchange == nil || !who.May(identity.SeeAgreements, identity.Place{}) {
		return nil, nil
	}
	rows, err := c.agreementRows(ctx)
	mine := len(filter(rows, func(row agreementRow) bool { return row.Waits != nil && c.exchange.Mine(who, row.Waits) }))
	soon := len(filter(rows, func(row agreementRow) bool { return row.Soon }))
	halted := len(filter(rows, func(row agreementRow) bool { return row.is(string(exchange.Suspended)) }))
	return []figure{
		{lang.T("내 승인을 기다리는 협약", "Agreements that wait for you"), mine, agreementsPath},
		{lang.F("%d일 안에 끝나는 협약", "Agreements that end within %d days", soonDays), soon, agreementsPath + "?state=" + endsSoon},
		{lang.T("정지된 협약", "Agreements that are suspended"), halted, agreementsPath + "?state=" + string(exchange.Suspended)},
	}, err
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
