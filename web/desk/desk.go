package desk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
	"github.com/maru-city/maru/web/components"
)

// Cases is what the desk needs of cases.
type Cases interface {
	Queue(ctx context.Context, who *identity.Principal, q casework.Queue) ([]*casework.Case, string, error)
	Get(ctx context.Context, who *identity.Principal, id string) (*casework.File, error)
	Act(ctx context.Context, who *identity.Principal, id, action string, in casework.ActionInput) (*casework.File, error)
	Attach(ctx context.Context, who *identity.Principal, id string, u casework.Upload) (*casework.Paper, error)
	OpenPaper(ctx context.Context, who *identity.Principal, of, id string) (*casework.Opened, error)
	ServiceOf(ctx context.Context, c *casework.Case) (*service.Service, error)
	Reproduce(ctx context.Context, who *identity.Principal, id string) (*casework.Reproduction, error)
	Left(c *casework.Case) (time.Duration, bool)
	Batch(ctx context.Context, who *identity.Principal, action string, items []casework.BatchItem) ([]casework.BatchResult, error)
	Draws(ctx context.Context, who *identity.Principal) ([]*casework.Draw, error)
	Draw(ctx context.Context, project, name string) (*casework.Draw, error)
	Colleagues(ctx context.Context, who *identity.Principal) (*casework.Colleague, []*casework.Colleague, error)
	SetColleague(ctx context.Context, who *identity.Principal, in casework.Colleague) (*casework.Colleague, error)
	Decide(ctx context.Context, who *identity.Principal, project, name, seed string) (*casework.Draw, error)
}

// Catalog is what the desk needs of the catalog.
type Catalog interface {
	Snapshot() *catalog.Snapshot
}

// Desk serves the pages under /desk.
type Desk struct {
	catalog Catalog
	cases   Cases
	now     func() time.Time
}

// New makes the desk. now tells the time.
func New(c Catalog, s Cases, now func() time.Time) *Desk { return &Desk{c, s, now} }

// Addresses of pages.
const (
	queuePath = "/desk"
	casesPath = "/desk/cases/"
	drawsPath = "/desk/draws/"
	mePath    = "/desk/me"
)

// Door is the desk's entry in the menus.
func Door() components.Door {
	return components.Door{Path: queuePath, Title: lang.T("업무", "Desk"), Role: identity.Caseworker, Menu: []components.Link{{Title: lang.T("처리할 신청", "Queue"), Path: queuePath}, {Title: lang.T("배정과 부재", "Work and absence"), Path: mePath}}}
}

// Routes puts the desk's pages into mux.
func (d *Desk) Routes(mux *http.ServeMux) {
	mux.Handle("GET "+queuePath, components.Page(d.queue))
	mux.HandleFunc("POST "+queuePath, d.batch)
	mux.HandleFunc("POST "+drawsPath+"{project}/{name}", d.draw)
	mux.Handle("GET "+mePath, components.Page(d.me))
	mux.HandleFunc("POST "+mePath, d.setMe)
	mux.Handle("GET "+casesPath+"{case}", components.Page(d.one))
	mux.HandleFunc("POST "+casesPath+"{case}/{action}", d.act)
	mux.HandleFunc("POST "+casesPath+"{case}/papers", d.attach)
	mux.HandleFunc("GET "+casesPath+"{case}/papers/{paper}", d.paper)
}

// row is a case in the queue.
type row struct {
	*casework.Case
	Left    time.Duration // working time until it is due; negative: overdue
	Counted bool
	Office  lang.Text
}

type queueView struct {
	Draws   []drawing              // that are to be drawn
	Results []casework.BatchResult // of what was done to several
	Problem *problem.Problem
	Tried   string // the draw that couldn't be done
	Rows    []row
	Show    string // "", mine, supplement, done
	Text    string // what is looked for
	Next    string
}

// views are the filters of the queue, in their order.
var views = []components.Choice{
	{Value: "", Title: lang.T("모두", "All")},
	{Value: "mine", Title: lang.T("내 담당", "Mine")},
	{Value: "late", Title: lang.T("기한이 지난 것", "Overdue")},
	{Value: "asked", Title: lang.T("의견을 낼 것", "Opinions asked for")},
	{Value: "supplement", Title: lang.T("보완을 기다리는 것", "Waiting")},
	{Value: "objected", Title: lang.T("이의신청", "Objections")},
	{Value: "proposed", Title: lang.T("결재할 것", "To confirm")},
	{Value: "approved", Title: lang.T("지급할 것", "To pay")},
	{Value: "done", Title: lang.T("끝난 것", "Done")},
}

func (d *Desk) queue(r *http.Request) (templ.Component, error) {
	v, err := d.queueOf(r)
	return queuePage(v), err
}

func (d *Desk) queueOf(r *http.Request) (queueView, error) {
	v := queueView{Show: r.URL.Query().Get("show"), Text: strings.TrimSpace(r.URL.Query().Get("q"))}
	if !slices.ContainsFunc(views, func(c components.Choice) bool { return c.Value == v.Show }) {
		v.Show = ""
	}
	q := casework.Queue{Mine: v.Show == "mine", Done: v.Show == "done", Late: v.Show == "late", Asked: v.Show == "asked", Text: v.Text, Cursor: r.URL.Query().Get("cursor")}
	if v.Show != "" && !q.Mine && !q.Done && !q.Late && !q.Asked {
		q.State = casework.State(v.Show)
	}
	list, next, err := d.cases.Queue(r.Context(), identity.From(r.Context()), q)
	if err != nil {
		return v, err
	}
	v.Next = next
	draws, err := d.cases.Draws(r.Context(), identity.From(r.Context()))
	if err != nil {
		return v, err
	}
	for _, one := range draws {
		v.Draws = append(v.Draws, drawing{one, d.catalog.Snapshot().Title(manifest.Key{Kind: "Service", Project: one.Project, Name: one.Service})})
	}
	for _, c := range list {
		one := row{Case: c, Office: d.agency(c.Agency)}
		one.Left, one.Counted = d.cases.Left(c)
		v.Rows = append(v.Rows, one)
	}
	return v, nil
}

// batches are what can be done to several cases of a view at once.
func (v queueView) batches() []components.Choice {
	all := map[string]components.Choice{
		"take": {Value: "take", Title: lang.T("담당하기", "Take")}, "approve": {Value: "approve", Title: lang.T("승인", "Approve")}, "confirm": {Value: "confirm", Title: lang.T("결재", "Confirm")}, "pay": {Value: "pay", Title: lang.T("지급 완료", "Paid")},
	}
	switch v.Show {
	case "", "mine", "late":
		return []components.Choice{all["take"], all["approve"]}
	case "proposed":
		return []components.Choice{all["confirm"]}
	case "approved":
		return []components.Choice{all["pay"]}
	}
	return nil
}

// batch does something to the cases that are chosen.
func (d *Desk) batch(w http.ResponseWriter, r *http.Request) {
	form, err := components.Form(w, r)
	var results []casework.BatchResult
	if err == nil {
		var items []casework.BatchItem
		for _, text := range form["case"] {
			id, version, _ := strings.Cut(text, " ")
			n, err := strconv.ParseInt(version, 10, 64)
			if err != nil {
				n = 0 // no version that anybody has seen
			}
			items = append(items, casework.BatchItem{Case: id, Version: n})
		}
		results, err = d.cases.Batch(r.Context(), identity.From(r.Context()), form.Get("action"), items)
	}
	said := problem.As(err)
	if err == nil || said != nil && components.Mendable(said) {
		if v, failed := d.queueOf(r); failed == nil {
			status := http.StatusOK
			if v.Results, v.Problem = results, said; said != nil {
				status = said.Status
			}
			components.Render(w, r, status, queuePage(v))
			return
		}
	}
	components.Fail(w, r, err)
}

// drawing is a draw with what its service is called.
type drawing struct {
	*casework.Draw
	Title lang.Text
}

func (d drawing) path() string { return drawsPath + d.Project + "/" + d.Service }

// draw draws.
func (d *Desk) draw(w http.ResponseWriter, r *http.Request) {
	form, err := components.Form(w, r)
	if err == nil {
		_, err = d.cases.Decide(r.Context(), identity.From(r.Context()), r.PathValue("project"), r.PathValue("name"), form.Get("seed"))
	}
	if err == nil {
		http.Redirect(w, r, "/services/"+url.PathEscape(r.PathValue("project"))+"/"+url.PathEscape(r.PathValue("name"))+"/draw", http.StatusSeeOther)
		return
	}
	if said := problem.As(err); said != nil && components.Mendable(said) {
		if v, err := d.queueOf(r); err == nil {
			v.Problem, v.Tried = said, r.PathValue("project")+"/"+r.PathValue("name")
			components.Render(w, r, said.Status, queuePage(v))
			return
		}
	}
	components.Fail(w, r, err)
}

func (d *Desk) agency(name string) lang.Text {
	return d.catalog.Snapshot().Title(manifest.Key{Kind: "Agency", Name: name})
}

type caseView struct {
	*casework.File
	Service  *service.Service
	Left     time.Duration
	Counted  bool
	Agencies []components.Choice
	Office   func(string) lang.Text
	Again    *casework.Reproduction
	Problem  *problem.Problem
	Tried    string
	Input    url.Values
	Done     string
}

func (d *Desk) one(r *http.Request) (templ.Component, error) {
	v, err := d.caseOf(r)
	if err == nil && r.URL.Query().Get("reproduce") != "" {
		v.Again, err = d.cases.Reproduce(r.Context(), identity.From(r.Context()), v.ID)
	}
	return casePage(v), err
}

func (d *Desk) caseOf(r *http.Request) (v caseView, err error) {
	who := identity.From(r.Context())
	if v.File, err = d.cases.Get(r.Context(), who, r.PathValue("case")); err != nil {
		return v, err
	}
	if v.Mine { // a citizen's own page says it in their words
		return v, who.Refused()
	}
	if v.Service, err = d.cases.ServiceOf(r.Context(), v.Case); err != nil {
		return v, err
	}
	v.Left, v.Counted = d.cases.Left(v.Case)
	v.Office = d.agency
	for _, a := range d.catalog.Snapshot().List("Agency") {
		if a.Name != v.Agency {
			v.Agencies = append(v.Agencies, components.Choice{Value: a.Name, Title: d.agency(a.Name)})
		}
	}
	return v, nil
}

func (d *Desk) act(w http.ResponseWriter, r *http.Request) {
	in, err := components.ActionInput(w, r)
	var done *casework.File
	if err == nil {
		done, err = d.cases.Act(r.Context(), identity.From(r.Context()), r.PathValue("case"), r.PathValue("action"), in)
	}
	if err == nil {
		to := casesPath + url.PathEscape(r.PathValue("case"))
		if len(done.History) == 0 { // it went to another office
			to = queuePath
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	d.again(w, r, r.PathValue("action"), err)
}

// again shows a case with what was wrong with what was done to it.
func (d *Desk) again(w http.ResponseWriter, r *http.Request, tried string, err error) {
	if said := problem.As(err); said != nil && components.Mendable(said) {
		if v, err := d.caseOf(r); err == nil {
			v.Problem, v.Tried, v.Input = said, tried, r.PostForm
			components.Render(w, r, said.Status, casePage(v))
			return
		}
	}
	components.Fail(w, r, err)
}

// attach adds a paper to a case.
func (d *Desk) attach(w http.ResponseWriter, r *http.Request) {
	u, err := components.Upload(w, r)
	if err == nil {
		_, err = d.cases.Attach(r.Context(), identity.From(r.Context()), r.PathValue("case"), u)
	}
	if err == nil {
		http.Redirect(w, r, casesPath+url.PathEscape(r.PathValue("case"))+"#papers", http.StatusSeeOther)
		return
	}
	d.again(w, r, "papers", err)
}

// paper sends a file of a case.
func (d *Desk) paper(w http.ResponseWriter, r *http.Request) {
	one, err := d.cases.OpenPaper(r.Context(), identity.From(r.Context()), r.PathValue("case"), r.PathValue("paper"))
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	components.Send(w, one)
}
