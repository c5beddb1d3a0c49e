package portal

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
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

// Cases is what the portal needs of applications and their cases.
type Cases interface {
	Form(ctx context.Context, who *identity.Principal, services []string, answers registry.Values) (*casework.Form, error)
	Look(ctx context.Context, who *identity.Principal, services []string) (*casework.Form, error)
	Begin(ctx context.Context, who *identity.Principal, services []string) (*casework.Draft, error)
	Draft(ctx context.Context, who *identity.Principal, id string) (*casework.Draft, error)
	Drafts(ctx context.Context, who *identity.Principal) ([]*casework.Draft, error)
	Save(ctx context.Context, who *identity.Principal, id string, answers registry.Values) (*casework.Draft, error)
	Discard(ctx context.Context, who *identity.Principal, id string) error
	AttachToDraft(ctx context.Context, who *identity.Principal, id string, u casework.Upload) (*casework.Paper, error)
	DetachFromDraft(ctx context.Context, who *identity.Principal, id, paper string) error
	Submit(ctx context.Context, who *identity.Principal, in casework.Submission) (*casework.Application, error)
	Mine(ctx context.Context, who *identity.Principal) ([]*casework.Case, error)
	News(ctx context.Context, who *identity.Principal) ([]casework.News, error)
	Seen(ctx context.Context, who *identity.Principal, until time.Time) error
	Get(ctx context.Context, who *identity.Principal, id string) (*casework.File, error)
	Act(ctx context.Context, who *identity.Principal, id, action string, in casework.ActionInput) (*casework.File, error)
	Attach(ctx context.Context, who *identity.Principal, id string, u casework.Upload) (*casework.Paper, error)
	OpenPaper(ctx context.Context, who *identity.Principal, of, id string) (*casework.Opened, error)
	Draw(ctx context.Context, project, name string) (*casework.Draw, error)
	ServiceOf(ctx context.Context, c *casework.Case) (*service.Service, error)
	Reproduce(ctx context.Context, who *identity.Principal, id string) (*casework.Reproduction, error)
}

// Addresses and names of the pages of an application.
const (
	applyPath    = "/apply"
	servicesName = "service"
	stepName     = "step" // of an application: papers or review; without it what comes next
	papersStep   = "papers"
	reviewStep   = "review"
)

func draftPath(id string) string { return applyPath + "/" + id }

// chosen is a service that can be applied for.
type chosen struct {
	*service.Service
	Owner lang.Text
}

// startApply is an application before it is begun: what it is for, and what will be read.
type startApply struct {
	Services []chosen
	Reads    []lang.Text // what the data are called that will be read
	Citizen  bool
	SignIn   string
}

func (p *Portal) applyRoutes(mux *http.ServeMux) {
	mux.Handle("GET "+applyPath, components.Page(p.applyStart))
	mux.HandleFunc("POST "+applyPath, p.begin)
	mux.HandleFunc("GET "+applyPath+"/{draft}", p.fillIn)
	mux.HandleFunc("POST "+applyPath+"/{draft}", p.answer)
	mux.HandleFunc("POST "+applyPath+"/{draft}/submit", p.submit)
	mux.HandleFunc("POST "+applyPath+"/{draft}/discard", p.discard)
	mux.HandleFunc("POST "+applyPath+"/{draft}/papers", p.attachToDraft)
	mux.HandleFunc("POST "+applyPath+"/{draft}/papers/{paper}/remove", p.detachFromDraft)
	mux.HandleFunc("GET "+applyPath+"/{draft}/papers/{paper}", func(w http.ResponseWriter, r *http.Request) { p.paper(w, r, r.PathValue("draft")) })
}

// applyStart says what is applied for and what will be read, before anything is.
func (p *Portal) applyStart(r *http.Request) (templ.Component, error) {
	s := p.Catalog.Snapshot()
	v := startApply{Citizen: identity.From(r.Context()).Kind == identity.Citizen, SignIn: components.SignInPath(r.URL)}
	for _, path := range r.URL.Query()[servicesName] {
		project, name, _ := strings.Cut(path, "/")
		one := p.Services.Service(project, name)
		if one == nil {
			return nil, components.NotFound(lang.T("찾으시는 서비스가 없습니다", "there is no such service"))
		}
		c := chosen{Service: one}
		if place := s.Place(one.Project); len(place.Owners) > 0 {
			c.Owner = s.Title(manifest.Key{Kind: "Agency", Name: place.Owners[0]})
		}
		v.Services = append(v.Services, c)
		for i := range one.Facts {
			if f := &one.Facts[i]; !f.Asked() {
				if title := s.Title(f.Agreement); !slices.Contains(v.Reads, title) {
					v.Reads = append(v.Reads, title)
				}
			}
		}
	}
	if len(v.Services) == 0 {
		return nil, components.NotFound(lang.T("신청하실 서비스를 골라 주십시오", "choose a service to apply for"))
	}
	return applyStartPage(v), nil
}

// begin begins an application, or goes on with the one that isn't handed in yet.
func (p *Portal) begin(w http.ResponseWriter, r *http.Request) {
	form, err := components.Form(w, r)
	var d *casework.Draft
	if err == nil {
		d, err = p.Cases.Begin(r.Context(), identity.From(r.Context()), form[servicesName])
	}
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, draftPath(d.ID), http.StatusSeeOther)
}

// applyView is an application on its way.
type applyView struct {
	*casework.Form
	Draft    *casework.Draft
	snapshot *catalog.Snapshot
	Ask      *casework.Question // nil: papers, or the review
	AtPapers bool               // papers are shown, to be added to
	Text     string             // what was written, where it can't be read, or what was answered before
	Fault    *problem.Detail
	Claims   bool // the question is about something that was read
	Problem  *problem.Problem
	Lacks    []lacking
}

// applyOf is the application of a draft with what is known by now.
func (p *Portal) applyOf(r *http.Request) (v applyView, err error) {
	who := identity.From(r.Context())
	v.snapshot = p.Catalog.Snapshot()
	if v.Draft, err = p.Cases.Draft(r.Context(), who, r.PathValue("draft")); err != nil {
		return v, err
	}
	if v.Form, err = p.Cases.Form(r.Context(), who, v.Draft.Services, v.Draft.Answers); err != nil {
		return v, err
	}
	v.Lacks = lacks(v.snapshot, v.Form)
	return v, nil
}

// fillIn shows what comes next: a question, as long as an answer can still change something, one a page; the papers; all of it, to be handed in. A question that was answered is asked again where it is to be changed.
func (p *Portal) fillIn(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	v, err := p.applyOf(r)
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	v.step(r.URL.Query())
	components.Render(w, r, http.StatusOK, applyPage(v))
}

// step says what is shown of an application.
func (v *applyView) step(query url.Values) {
	if q := v.question(query.Get(changeName)); q != nil {
		v.Ask, v.Claims = q, !q.Fact.Asked()
		if said, there := v.Draft.Answers[q.Name]; there {
			v.Text = answerText(q.Fact, said)
		}
		return
	}
	if len(v.Asks) > 0 {
		v.Ask = &v.Asks[0]
		return
	}
	v.AtPapers = query.Get(stepName) == papersStep || query.Get(stepName) != reviewStep && len(v.Papers) > 0
}

// question is the one of a name, or nil.
func (v *applyView) question(name string) *casework.Question {
	for _, q := range casework.Questions(v.Services) {
		if q.Name == name {
			return &q
		}
	}
	return nil
}

// answer keeps an answer, and goes on.
func (p *Portal) answer(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	form, err := components.Form(w, r)
	var v applyView
	if err == nil {
		v, err = p.applyOf(r)
	}
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	if v.Ask = v.question(form.Get(asksFor)); v.Ask != nil {
		var more bool
		v.Text, more = written(v.Ask.Fact, form)
		if v.Claims = !v.Ask.Fact.Asked(); more {
			components.Render(w, r, http.StatusOK, applyPage(v))
			return
		}
		plain := plainAnswer(v.Ask.Fact, v.Text)
		if _, v.Fault = v.Ask.Fact.Accept(plain); plain == nil {
			v.Fault = &problem.Detail{Code: "record.required", Message: lang.T("답을 적어 주십시오.", "Please answer.")}
		}
		if v.Fault != nil {
			components.Render(w, r, http.StatusUnprocessableEntity, applyPage(v))
			return
		}
		v.Draft.Answers[v.Ask.Name] = plain
		if _, err := p.Cases.Save(r.Context(), identity.From(r.Context()), v.Draft.ID, v.Draft.Answers); err != nil {
			components.Fail(w, r, err)
			return
		}
	}
	http.Redirect(w, r, draftPath(v.Draft.ID), http.StatusSeeOther)
}

// submit hands the application in.
func (p *Portal) submit(w http.ResponseWriter, r *http.Request) {
	a, err := p.Cases.Submit(r.Context(), identity.From(r.Context()), casework.Submission{Draft: r.PathValue("draft")})
	switch said := problem.As(err); {
	case err == nil:
		http.Redirect(w, r, applicationsPath+"?done="+url.QueryEscape(a.ID), http.StatusSeeOther)
		return
	case said != nil && said.Code == "application.missing":
		http.Redirect(w, r, draftPath(r.PathValue("draft")), http.StatusSeeOther)
		return
	case said != nil && (said.Status == http.StatusConflict || said.Status == http.StatusTooManyRequests):
		if v, err := p.applyOf(r); err == nil {
			v.Problem = said
			v.step(url.Values{stepName: {reviewStep}})
			components.Render(w, r, said.Status, applyPage(v))
			return
		}
	}
	components.Fail(w, r, err)
}

// discard deletes an application that isn't handed in.
func (p *Portal) discard(w http.ResponseWriter, r *http.Request) {
	if err := p.Cases.Discard(r.Context(), identity.From(r.Context()), r.PathValue("draft")); err != nil {
		components.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, applicationsPath, http.StatusSeeOther)
}

// attachToDraft adds a paper.
func (p *Portal) attachToDraft(w http.ResponseWriter, r *http.Request) {
	u, err := components.Upload(w, r)
	if err == nil {
		_, err = p.Cases.AttachToDraft(r.Context(), identity.From(r.Context()), r.PathValue("draft"), u)
	}
	back := draftPath(r.PathValue("draft")) + "?" + stepName + "=" + papersStep
	if err == nil {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	if said := problem.As(err); said != nil && components.Mendable(said) {
		if v, err := p.applyOf(r); err == nil {
			v.Problem, v.AtPapers = said, true
			components.Render(w, r, said.Status, applyPage(v))
			return
		}
	}
	components.Fail(w, r, err)
}

// detachFromDraft takes a paper away again.
func (p *Portal) detachFromDraft(w http.ResponseWriter, r *http.Request) {
	if err := p.Cases.DetachFromDraft(r.Context(), identity.From(r.Context()), r.PathValue("draft"), r.PathValue("paper")); err != nil {
		components.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, draftPath(r.PathValue("draft"))+"?"+stepName+"="+papersStep, http.StatusSeeOther)
}

// paper sends a file of a draft or of a case.
func (p *Portal) paper(w http.ResponseWriter, r *http.Request, of string) {
	one, err := p.Cases.OpenPaper(r.Context(), identity.From(r.Context()), of, r.PathValue("paper"))
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	components.Send(w, one)
}

// lacks are why some things couldn't be had.
func lacks(s *catalog.Snapshot, f *casework.Form) (out []lacking) {
	for _, l := range f.Lacking {
		project, name, _ := strings.Cut(l.Agreement, "/")
		out = append(out, lacking{s.Title(manifest.Key{Kind: "Agreement", Project: project, Name: name}), whyNot(l), l.Code == "agreement.consent"})
	}
	return out
}

// whyNot is why something couldn't be had, as citizens need to know it: how agreements stand is the offices' own business.
func whyNot(o service.Origin) lang.Text {
	switch o.Code {
	case "agreement.consent", "service.no_record":
		return o.Why
	}
	return lang.T("담당 기관이 지금은 이 정보를 볼 수 없습니다", "the office can't look it up now")
}

// shownFact is a fact of an application for reading: once for all services that it is of.
type shownFact struct {
	Name   string // of the question
	Fact   *service.Fact
	Value  any
	Claim  any
	Source lang.Text
}

// facts are what is known, each once.
func (v *applyView) facts() (out []shownFact) {
	seen := map[string]bool{}
	for i, one := range v.Services {
		for _, f := range v.Facts[i] {
			known := one.Fact(f.Name)
			name := casework.QuestionName(v.Services, one, known)
			if seen[name] {
				continue
			}
			seen[name] = true
			s := shownFact{Name: name, Fact: known, Value: f.Value, Claim: f.Claim}
			if f.Agreement != "" {
				s.Source = v.snapshot.Title(known.Agreement)
			}
			out = append(out, s)
		}
	}
	return out
}
