package portal

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
	"github.com/maru-city/maru/web/components"
)

// applicationsPath is where a citizen's cases are.
const applicationsPath = minePath + "/applications"

func (p *Portal) caseRoutes(mux *http.ServeMux) {
	mux.Handle("GET "+applicationsPath, components.Page(p.applications))
	mux.HandleFunc("POST "+applicationsPath, p.seen)
	mux.Handle("GET "+applicationsPath+"/{case}", components.Page(p.case_))
	mux.HandleFunc("POST "+applicationsPath+"/{case}/{action}", p.act)
	mux.HandleFunc("POST "+applicationsPath+"/{case}/papers", p.attach)
	mux.HandleFunc("GET "+applicationsPath+"/{case}/papers/{paper}", func(w http.ResponseWriter, r *http.Request) { p.paper(w, r, r.PathValue("case")) })
}

type applicationsView struct {
	Snapshot *catalog.Snapshot
	List     []*casework.Case
	Drafts   []*casework.Draft
	News     []casework.News
	New      string // the application that was just handed in
}

func (p *Portal) applications(r *http.Request) (templ.Component, error) {
	v := applicationsView{Snapshot: p.Catalog.Snapshot(), New: r.URL.Query().Get("done")}
	var err error
	if v.List, err = p.Cases.Mine(r.Context(), identity.From(r.Context())); err == nil {
		v.Drafts, err = p.Cases.Drafts(r.Context(), identity.From(r.Context()))
	}
	if err == nil {
		v.News, err = p.Cases.News(r.Context(), identity.From(r.Context()))
	}
	if !slices.ContainsFunc(v.List, func(c *casework.Case) bool { return c.Application == v.New }) {
		v.New = "" // nothing is said to be done that isn't
	}
	return applicationsPage(v), err
}

// seen notes that what is new has been seen.
func (p *Portal) seen(w http.ResponseWriter, r *http.Request) {
	form, err := components.Form(w, r)
	if err == nil {
		until, wrong := time.Parse(time.RFC3339Nano, form.Get("until"))
		if err = wrong; err != nil {
			err = problem.New("web.form", http.StatusBadRequest, lang.T("보내신 내용을 읽을 수 없습니다", "the form can't be read"))
		} else {
			err = p.Cases.Seen(r.Context(), identity.From(r.Context()), until)
		}
	}
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, applicationsPath, http.StatusSeeOther)
}

// caseView is a case as the citizen sees it.
type caseView struct {
	*casework.File
	Service  *service.Service
	Snapshot *catalog.Snapshot
	Problem  *problem.Problem
	Tried    string // the action that couldn't be done
	Input    url.Values
	Again    *casework.Reproduction
}

func (p *Portal) case_(r *http.Request) (templ.Component, error) {
	v, err := p.caseOf(r, r.PathValue("case"))
	if err == nil && r.URL.Query().Get("reproduce") != "" {
		v.Again, err = p.Cases.Reproduce(r.Context(), identity.From(r.Context()), v.ID)
	}
	return casePage(v), err
}

func (p *Portal) caseOf(r *http.Request, id string) (v caseView, err error) {
	if err := needCitizen(r); err != nil {
		return v, err
	}
	v.Snapshot = p.Catalog.Snapshot()
	if v.File, err = p.Cases.Get(r.Context(), identity.From(r.Context()), id); err != nil {
		return v, err
	}
	v.Service, err = p.Cases.ServiceOf(r.Context(), v.Case)
	return v, err
}

// act does what a citizen may do to a case of theirs.
func (p *Portal) act(w http.ResponseWriter, r *http.Request) {
	id, action := r.PathValue("case"), r.PathValue("action")
	in, err := components.ActionInput(w, r)
	if err == nil && len(in.Answers) > 0 {
		err = p.plain(r, id, in.Answers)
	}
	if err == nil {
		_, err = p.Cases.Act(r.Context(), identity.From(r.Context()), id, action, in)
	}
	if err == nil {
		http.Redirect(w, r, applicationsPath+"/"+url.PathEscape(id), http.StatusSeeOther)
		return
	}
	p.again(w, r, id, action, err)
}

// plain makes answers of a form what data have.
func (p *Portal) plain(r *http.Request, id string, answers registry.Values) error {
	file, err := p.Cases.Get(r.Context(), identity.From(r.Context()), id)
	if err != nil {
		return err
	}
	one, err := p.Cases.ServiceOf(r.Context(), file.Case)
	if err != nil {
		return err
	}
	for name, value := range answers {
		f := one.Fact(name)
		if f == nil {
			continue // it is refused with its name
		}
		switch v := value.(type) {
		case string:
			answers[name] = plainAnswer(f, v)
		case []map[string]string:
			answers[name] = plainAnswer(f, rowsText(v))
		}
	}
	return nil
}

// attach adds a paper to a case.
func (p *Portal) attach(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("case")
	u, err := components.Upload(w, r)
	if err == nil {
		_, err = p.Cases.Attach(r.Context(), identity.From(r.Context()), id, u)
	}
	if err == nil {
		http.Redirect(w, r, applicationsPath+"/"+url.PathEscape(id)+"#papers", http.StatusSeeOther)
		return
	}
	p.again(w, r, id, "papers", err)
}

// again shows a case with what was wrong with what was done to it.
func (p *Portal) again(w http.ResponseWriter, r *http.Request, id, tried string, err error) {
	if said := problem.As(err); said != nil && components.Mendable(said) {
		if v, err := p.caseOf(r, id); err == nil {
			v.Problem, v.Tried, v.Input = said, tried, r.PostForm
			components.Render(w, r, said.Status, casePage(v))
			return
		}
	}
	components.Fail(w, r, err)
}

// steps is the way of the case, with where it is.
func (v caseView) steps() []components.Step {
	decided := v.Decision != nil && v.State != casework.Proposed
	now := func(states ...casework.State) bool { return slices.Contains(states, v.State) }
	out := []components.Step{{Title: lang.T("접수", "Received"), Done: true}}
	middle := components.Step{Title: lang.T("검토", "Review"), Done: decided || v.Done, Now: now(casework.Received, casework.Proposed)}
	if v.State == casework.Supplement {
		middle = components.Step{Title: lang.T("보완 대기", "Waiting for you"), Now: true}
	}
	out = append(out, middle)
	for _, s := range v.Steps {
		out = append(out, components.Step{Title: s.Title, Done: !s.Done.IsZero() || decided, Now: middle.Now && s.Done.IsZero() && !s.Began.IsZero() && v.State == casework.Received})
	}
	switch v.State {
	case casework.Withdrawn, casework.Returned:
		return append(out, components.Step{Title: v.State.Title(), Now: true})
	case casework.Objected:
		return append(out, components.Step{Title: lang.T("거부", "Refused"), Done: true}, components.Step{Title: v.State.Title(), Now: true})
	case casework.Refused, casework.Dismissed:
		return append(out, components.Step{Title: v.State.Title(), Now: true})
	}
	out = append(out, components.Step{Title: lang.T("결정", "Decision"), Done: decided && v.State == casework.Paid, Now: v.State == casework.Approved})
	if p := v.Service.Spec.Process; p != nil && p.Template == manifest.ReviewAndPay {
		out = append(out, components.Step{Title: lang.T("지급", "Payment"), Now: v.State == casework.Paid})
	}
	return out
}

func agencyTitle(s *catalog.Snapshot) func(string) lang.Text {
	return func(name string) lang.Text { return s.Title(manifest.Key{Kind: "Agency", Name: name}) }
}

// asked are the facts that a supplement may say.
func (v caseView) asked() (out []*service.Fact) {
	for i := range v.Service.Facts {
		if f := &v.Service.Facts[i]; f.Asked() {
			out = append(out, f)
		}
	}
	return out
}
