package portal

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

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
	Submit(ctx context.Context, who *identity.Principal, in casework.Submission) (*casework.Application, error)
	Mine(ctx context.Context, who *identity.Principal) ([]*casework.Case, error)
	Get(ctx context.Context, who *identity.Principal, id string) (*casework.File, error)
	Act(ctx context.Context, who *identity.Principal, id, action string, in casework.ActionInput) (*casework.File, error)
	ServiceOf(ctx context.Context, c *casework.Case) (*service.Service, error)
	Reproduce(ctx context.Context, who *identity.Principal, id string) (*casework.Reproduction, error)
}

// Names in the form of an application, beside those of a check.
const (
	applyPath    = "/apply"
	servicesName = "service"
	onceName     = "once"   // the same form sent again is the same application
	submitName   = "submit" // it is handed in
)

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
	mux.HandleFunc("POST "+applyPath, p.apply)
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

// applyView is an application on its way.
type applyView struct {
	*casework.Form
	snapshot *catalog.Snapshot
	Said     []said // what was answered, in the order of the questions
	Ask      *casework.Question
	Text     string // what was written, where it can't be read
	Fault    *problem.Detail
	Claims   bool // the question is about something that was read
	Once     string
	Problem  *problem.Problem
	Lacks    []lacking
}

// said is an answer that goes along in the form.
type said struct {
	Name string
	Text string
	Fact *service.Fact
}

// apply asks one question a page, as long as an answer can still change something, then shows all of it, and hands it in. Nothing is stored before that: answers go along in the form.
func (p *Portal) apply(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		components.Fail(w, r, problem.New("web.form", http.StatusBadRequest, lang.T("보내신 내용을 읽을 수 없습니다", "the form can't be read")))
		return
	}
	who, form := identity.From(r.Context()), r.PostForm
	services := form[servicesName]
	if who.Kind != identity.Citizen {
		components.Fail(w, r, who.Refused())
		return
	}
	v := applyView{snapshot: p.Catalog.Snapshot(), Once: form.Get(onceName)}
	answers, status := registry.Values{}, http.StatusOK
	failed, err := v.read(p.Services, services, form, answers)
	if err == nil {
		v.Form, err = p.Cases.Form(r.Context(), who, services, answers)
	}
	if err == nil && form.Get(submitName) != "" && !failed && len(v.Asks) == 0 {
		var a *casework.Application
		if a, err = p.Cases.Submit(r.Context(), who, casework.Submission{Services: services, Answers: answers, Once: v.Once}); err == nil {
			http.Redirect(w, r, applicationsPath+"?done="+url.QueryEscape(a.ID), http.StatusSeeOther)
			return
		}
		if v.Problem = problem.As(err); v.Problem != nil && v.Problem.Status < 500 {
			err, status = nil, v.Problem.Status
		}
	}
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	if v.Once == "" {
		v.Once = rand.Text()
	}
	if failed {
		status = http.StatusUnprocessableEntity
	}
	if v.Ask == nil && len(v.Asks) > 0 {
		v.Ask = &v.Asks[0]
	}
	v.Lacks = lacks(v.snapshot, v.Form)
	components.Render(w, r, status, applyPage(v))
}

// lacks are why some things couldn't be had.
func lacks(s *catalog.Snapshot, f *casework.Form) (out []lacking) {
	for _, l := range f.Lacking {
		project, name, _ := strings.Cut(l.Agreement, "/")
		out = append(out, lacking{s.Title(manifest.Key{Kind: "Agreement", Project: project, Name: name}), l.Why, l.Code == "agreement.consent"})
	}
	return out
}

// read reads what was answered, and reports whether the last answer can't be read.
func (v *applyView) read(all Services, paths []string, form url.Values, answers registry.Values) (failed bool, err error) {
	var list []*service.Service
	for _, path := range paths {
		project, name, _ := strings.Cut(path, "/")
		if one := all.Service(project, name); one != nil {
			list = append(list, one)
		}
	}
	ask, change := form.Get(asksFor), form.Get(changeName)
	for _, q := range casework.Questions(list) {
		text := strings.TrimSpace(form.Get(answerPrefix + q.Name))
		now := q.Name == ask && change == ""
		if now {
			text = strings.TrimSpace(form.Get(answerName))
		}
		if q.Name == change {
			v.Ask, v.Text, v.Claims = &q, text, !q.Fact.Asked()
			continue
		}
		if text == "" && !now {
			continue
		}
		plain := plainAnswer(q.Fact, text)
		value, fault := registry.Accept(&q.Fact.Field, plain)
		switch {
		case fault == nil && value != nil:
			answers[q.Name] = plain
			v.Said = append(v.Said, said{q.Name, text, q.Fact})
		case now:
			if text == "" {
				fault = &problem.Detail{Code: "record.required", Message: lang.T("답을 적어 주십시오.", "Please answer.")}
			}
			v.Ask, v.Text, v.Fault, failed = &q, text, fault, true
		}
	}
	return failed, nil
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

// shown is a value as people read it.
func shown(ctx context.Context, f *service.Fact, value any) string {
	if value == nil {
		return components.Say(ctx, "없음", "none")
	}
	return answered{f, fmt.Sprint(value), value, lang.Text{}}.shown(ctx)
}
