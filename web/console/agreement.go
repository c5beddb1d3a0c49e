package console

import (
	"context"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/exchange/mask"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// Exchange is what the console needs of the exchange.
type Exchange interface {
	Agreements(ctx context.Context) ([]exchange.Standing, error)
	Agreement(ctx context.Context, project, name string) (exchange.Standing, []exchange.Event, error)
	Act(ctx context.Context, who *identity.Principal, project, name, action, note string, until manifest.Day) (exchange.Standing, error)
	Actions(who *identity.Principal, v *exchange.Version) []string
	Mine(who *identity.Principal, v *exchange.Version) bool
	Log(ctx context.Context) (exchange.LogState, error)
	Today() manifest.Day
	Handle(d *catalog.Dataset, key string) (string, error)
	Reveal(ctx context.Context, who *identity.Principal, project, name, handle, reason string) (*registry.Record, int64, error)
}

const agreementsPath = "/console/agreements"

func agreementPath(project, name string) string { return agreementsPath + "/" + project + "/" + name }

func (c *Console) agreementRoutes(mux *http.ServeMux) {
	mux.Handle("GET "+agreementsPath, seeing(c.agreements))
	mux.Handle("GET "+agreementsPath+"/{project}/{name}", seeing(c.agreement))
	mux.HandleFunc("POST "+agreementsPath+"/{project}/{name}", c.act)
	mux.Handle("GET /console/log", seeing(c.log))
}

// seeing is a page for those who may see the catalog.
func seeing(page components.Page) components.Page {
	return func(r *http.Request) (templ.Component, error) {
		if err := identity.From(r.Context()).Need(identity.SeeCatalog, identity.Place{}); err != nil {
			return nil, err
		}
		return page(r)
	}
}

// agreementRow is an agreement in a list.
type agreementRow struct {
	exchange.Standing
	Version *exchange.Version // the one that is shown
	State   exchange.State
	Soon    bool // it ends within 30 days
}

type agreementsView struct {
	Snapshot *catalog.Snapshot
	Today    manifest.Day
	Mine     []agreementRow // to be approved by who asks
	Rows     []agreementRow
	Flows    []flow
}

// flow is what one project reads of another.
type flow struct {
	From, To string // projects
	Rows     []agreementRow
}

func (c *Console) agreements(r *http.Request) (templ.Component, error) {
	who := identity.From(r.Context())
	if err := who.Need(identity.SeeAgreements, identity.Place{}); err != nil {
		return nil, err
	}
	all, err := c.exchange.Agreements(r.Context())
	if err != nil {
		return nil, err
	}
	v := agreementsView{Snapshot: c.catalog.Snapshot(), Today: c.exchange.Today()}
	flows := map[string]int{}
	for _, s := range all {
		row := c.row(s, v.Today)
		v.Rows = append(v.Rows, row)
		if s.Waits != nil && c.exchange.Mine(who, s.Waits) {
			mine := row
			mine.Version, mine.State = s.Waits, exchange.Requested
			v.Mine = append(v.Mine, mine)
		}
		if s.Holds == nil || row.State == exchange.Expired {
			continue
		}
		key := s.Holds.Provider() + " " + s.Holds.Project
		at, known := flows[key]
		if !known {
			at = len(v.Flows)
			flows[key] = at
			v.Flows = append(v.Flows, flow{From: s.Holds.Provider(), To: s.Holds.Project})
		}
		v.Flows[at].Rows = append(v.Flows[at].Rows, row)
	}
	return agreementsPage(v), nil
}

func (c *Console) row(s exchange.Standing, today manifest.Day) agreementRow {
	v := s.Holds
	if v == nil {
		v = s.Shown()
	}
	row := agreementRow{Standing: s, Version: v, State: v.Stands(today)}
	if end, err := v.Until.Time(); err == nil {
		if now, err := today.Time(); err == nil {
			row.Soon = row.State == exchange.Active && end.Sub(now).Hours() < 30*24
		}
	}
	return row
}

type agreementView struct {
	Snapshot *catalog.Snapshot
	Today    manifest.Day
	Standing exchange.Standing
	Events   []exchange.Event
	Shown    *exchange.Version
	Dataset  *catalog.Dataset
	Actions  []action
	Waiting  []lang.Text // whose approval is missing
}

// action is a thing that who asks may do now.
type action struct {
	Name  string
	Title lang.Text
	Note  bool // a reason is needed
	Tone  string
}

var actionTexts = map[string]action{
	exchange.Approve: {Title: lang.T("승인", "Approve"), Tone: "primary"},
	exchange.Refuse:  {Title: lang.T("거부", "Refuse"), Note: true, Tone: "secondary"},
	exchange.Suspend: {Title: lang.T("정지", "Suspend"), Note: true, Tone: "secondary"},
	exchange.Resume:  {Title: lang.T("다시 허용", "Resume"), Tone: "primary"},
	exchange.Revoke:  {Title: lang.T("철회", "Revoke"), Note: true, Tone: "secondary"},
}

func (c *Console) agreement(r *http.Request) (templ.Component, error) {
	who := identity.From(r.Context())
	if err := who.Need(identity.SeeAgreements, identity.Place{}); err != nil {
		return nil, err
	}
	s, events, err := c.exchange.Agreement(r.Context(), r.PathValue("project"), r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	v := agreementView{Snapshot: c.catalog.Snapshot(), Today: c.exchange.Today(), Standing: s, Events: events, Shown: s.Shown()}
	project, name, _ := strings.Cut(v.Shown.Dataset, "/")
	v.Dataset = v.Snapshot.Dataset(project, name)
	for _, name := range c.exchange.Actions(who, v.Shown) {
		if a, ok := actionTexts[name]; ok {
			a.Name = name
			v.Actions = append(v.Actions, a)
		}
	}
	if v.Shown.State == exchange.Requested {
		if v.Shown.Steward == "" {
			v.Waiting = append(v.Waiting, lang.T("데이터 관리자", "the steward"))
		}
		if v.Shown.Personal && v.Shown.Privacy == "" {
			v.Waiting = append(v.Waiting, lang.T("개인정보 보호책임자", "the privacy officer"))
		}
	}
	return agreementPage(v), nil
}

// maxForm is how large a posted form may be, in bytes.
const maxForm = 64 << 10

func (c *Console) act(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	project, name := r.PathValue("project"), r.PathValue("name")
	_, err := c.exchange.Act(r.Context(), identity.From(r.Context()), project, name, r.PostFormValue("action"), r.PostFormValue("note"), "")
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, agreementPath(project, name), http.StatusSeeOther)
}

func (c *Console) log(r *http.Request) (templ.Component, error) {
	if err := identity.From(r.Context()).Need(identity.SeeLog, identity.Place{}); err != nil {
		return nil, err
	}
	state, err := c.exchange.Log(r.Context())
	if err != nil {
		return nil, err
	}
	return logPage(state), nil
}

// readersOf lists the agreements by which a dataset is read, or is to be.
func (c *Console) readersOf(ctx context.Context, d *catalog.Dataset) (out []agreementRow, err error) {
	all, err := c.exchange.Agreements(ctx)
	for _, s := range all {
		if row := c.row(s, c.exchange.Today()); row.Version.Dataset == d.Path() {
			out = append(out, row)
		}
	}
	return out, err
}

var stateBadges = map[exchange.State]string{
	exchange.Requested: "information", exchange.Active: "success", exchange.Suspended: "warning", exchange.Revoked: "gray",
	exchange.Refused: "danger", exchange.Replaced: "gray", exchange.Expired: "warning",
}

func stateBadge(s exchange.State) components.BadgeText {
	return components.BadgeText{Text: exchange.StateTitle(s), Tone: stateBadges[s]}
}

// eventTexts are what happened to an agreement, in words.
var eventTexts = map[string]lang.Text{
	"requested": lang.T("신청", "requested"), "renewal": lang.T("갱신 신청", "renewal requested"), "approved-steward": lang.T("데이터 관리자 승인", "approved by the steward"),
	"approved-privacy": lang.T("개인정보 보호책임자 승인", "approved by the privacy officer"), "active": lang.T("이용 시작", "in force"), "refused": lang.T("거부", "refused"),
	"suspended": lang.T("정지", "suspended"), "resumed": lang.T("다시 허용", "resumed"), "revoked": lang.T("철회", "revoked"), "removed": lang.T("선언문에서 삭제되어 철회", "revoked: removed from the manifests"),
}

// shownFields are the names of an agreement's fields, with how much of each is shown.
func shownFields(s *catalog.Snapshot, v *exchange.Version) lang.Text {
	r := exchange.Receipt{Public: exchange.Public{Dataset: v.Dataset, Fields: v.Spec.Fields, Masks: v.Spec.Masks}}
	return r.What(s)
}

func projectLink(s *catalog.Snapshot, name string) components.Link {
	return linkTo(s, manifest.Key{Kind: "Project", Name: name})
}

func datasetLink(s *catalog.Snapshot, path string) components.Link {
	project, name, _ := strings.Cut(path, "/")
	return linkTo(s, manifest.Key{Kind: "Dataset", Project: project, Name: name})
}

// maskText says how much of a field is shown.
func maskText(v agreementView, name string) lang.Text {
	if m, ok := mask.Named(v.Shown.Spec.Masks[name]); ok {
		return m.About
	}
	if v.Dataset != nil {
		if f := v.Dataset.Field(name); f != nil && f.Cites != nil && f.Cites.Identifies != "" {
			return lang.T("읽는 사업의 식별자로 바꾸어", "as the consumer's own identifier")
		}
	}
	return lang.T("그대로", "as it is")
}
