package portal

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

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

// Services is what the portal needs of the city's services.
type Services interface {
	Service(project, name string) *service.Service
	List() []*service.Service
}

// Names in the form of a check. What was answered before stands in it, for nothing is kept.
const (
	answerPrefix = components.AnswerPrefix
	asksFor      = "ask"    // which fact the answer is to
	answerName   = "answer" // the answer
	changeName   = "change" // a fact that is to be answered anew
	mineName     = "mine"   // facts are to be read by the service's agreements
	originPrefix = "from."  // the agreement by which a fact came
)

func servicePath(s *service.Service) string { return "/services/" + s.Path() }

// applyTo is where one applies for a service.
func applyTo(s *service.Service) string {
	return applyPath + "?" + url.Values{servicesName: {s.Path()}}.Encode()
}

func checkPath(s *service.Service) string { return servicePath(s) + "/check" }

// event is a life event with the services for it.
type event struct {
	Name     string
	Spec     *manifest.LifeEvent
	Services []*service.Service
}

func (e event) path() string { return "/life/" + e.Name }

// events are the life events that have services, in their order.
func (p *Portal) events(s *catalog.Snapshot) (out []event) {
	if p.Services == nil {
		return nil
	}
	for _, r := range s.List("LifeEvent") {
		spec, ok := r.Spec.(*manifest.LifeEvent)
		if !ok {
			continue
		}
		e := event{Name: r.Name, Spec: spec}
		for _, one := range p.Services.List() {
			if slices.Contains(one.Spec.LifeEvents, r.Name) {
				e.Services = append(e.Services, one)
			}
		}
		if len(e.Services) > 0 {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.Spec.Order, b.Spec.Order), strings.Compare(a.Name, b.Name))
	})
	return out
}

// lifeView is a life event with its services, and what they say of who is signed in, where they asked for that.
type lifeView struct {
	event
	Snapshot *catalog.Snapshot
	Applies  bool
	Mine     bool           // who asks may have their facts read
	Form     *casework.Form // nil: it wasn't asked for
	Lacks    []lacking
	Together service.Together // of what they can get
}

func (p *Portal) lifeOf(r *http.Request) (v lifeView, err error) {
	v.Snapshot, v.Applies = p.Catalog.Snapshot(), p.Cases != nil
	v.Mine = v.Applies && identity.From(r.Context()).Kind == identity.Citizen
	for _, e := range p.events(v.Snapshot) {
		if e.Name == r.PathValue("event") {
			v.event = e
			return v, nil
		}
	}
	return v, components.NotFound(lang.T("찾으시는 생애사건이 없습니다", "there is no such life event"))
}

func (p *Portal) life(r *http.Request) (templ.Component, error) {
	v, err := p.lifeOf(r)
	return lifePage(v), err
}

// lifeMine says what each service for a life event says of who is signed in. It is posted, for it reads about them.
func (p *Portal) lifeMine(r *http.Request) (templ.Component, error) {
	v, err := p.lifeOf(r)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, one := range v.Services {
		paths = append(paths, one.Path())
	}
	if v.Form, err = p.Cases.Look(r.Context(), identity.From(r.Context()), paths); err != nil {
		return nil, err
	}
	v.Lacks = lacks(v.Snapshot, v.Form)
	v.Together = together(v.Form)
	return lifePage(v), nil
}

// together is the best of what somebody can get.
func together(f *casework.Form) service.Together {
	var offers []service.Offer
	for i, one := range f.Services {
		if f.Verdicts[i].Outcome != service.Yes {
			continue
		}
		known := map[string]any{}
		for _, fact := range f.Facts[i] {
			known[fact.Name] = fact.Value
		}
		offers = append(offers, service.Offer{Service: one, Verdict: f.Verdicts[i], Known: known})
	}
	return service.Best(offers)
}

// sorted are the services by what they say: those that one can get, those of which that isn't known yet, and those that one can't get.
func (v lifeView) sorted(outcome ...service.Outcome) (out []int) {
	for i := range v.Form.Services {
		if slices.Contains(outcome, v.Form.Verdicts[i].Outcome) {
			out = append(out, i)
		}
	}
	return out
}

// fits reports whether a service is chosen at first: all are that may be had together.
func (v lifeView) fits(one *service.Service) bool {
	if v.Form == nil {
		return true
	}
	at := slices.Index(v.Form.Services, one)
	return at >= 0 && v.Form.Verdicts[at].Outcome != service.No && !slices.ContainsFunc(v.Together.Leave, func(l service.Left) bool { return l.Service == one })
}

// serviceView is a service as a citizen sees it.
type serviceView struct {
	*service.Service
	Owner    lang.Text
	snapshot *catalog.Snapshot
	Verdict  *service.Verdict // of nobody: what the clauses say by themselves
	Applies  bool
	Window   *manifest.Window // of now, or else the next one, or the last; nil: applications are always taken
}

func (p *Portal) found(r *http.Request) (serviceView, error) {
	one := p.Services.Service(r.PathValue("project"), r.PathValue("name"))
	if one == nil {
		return serviceView{}, components.NotFound(lang.T("찾으시는 서비스가 없습니다", "there is no such service"))
	}
	v := serviceView{Service: one, Applies: p.Cases != nil, Verdict: one.Check(nil, service.Today(p.Now())), Window: one.Spec.NearWindow(service.Today(p.Now()))}
	s := p.Catalog.Snapshot()
	v.snapshot = s
	if place := s.Place(one.Project); len(place.Owners) > 0 {
		v.Owner = s.Title(manifest.Key{Kind: "Agency", Name: place.Owners[0]})
	}
	return v, nil
}

func (p *Portal) service(r *http.Request) (templ.Component, error) {
	v, err := p.found(r)
	return servicePage(v), err
}

// answered is a fact that was answered, as it was written.
type answered struct {
	*service.Fact
	Text   string
	Value  any
	Origin lang.Text // what it came from; empty where the person said it
}

// checkView is a check on its way, or its result.
type checkView struct {
	serviceView
	Answers []answered
	Ask     *service.Fact // the next question; nil: there is nothing left to ask
	Text    string        // what was written, where it can't be read
	Fault   *problem.Detail
	Left    int  // questions that may still come, this one with them
	Mine    bool // who is signed in may have their facts read
	Lacking []lacking
	Result  *service.Verdict
}

// lacking is why facts couldn't be had by an agreement.
type lacking struct {
	Origin  lang.Text
	Why     lang.Text
	Consent bool // they may consent
}

// check asks one question a page, as long as an answer can still change the outcome. Nothing is kept: what was answered goes along in the form.
func (p *Portal) check(w http.ResponseWriter, r *http.Request) {
	v := checkView{}
	var err error
	if v.serviceView, err = p.found(r); err != nil {
		components.Fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	status := http.StatusOK
	known := map[string]any{}
	if r.Method == http.MethodPost {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := r.ParseForm(); err != nil {
			components.Fail(w, r, problem.New("web.form", http.StatusBadRequest, lang.T("보내신 내용을 읽을 수 없습니다", "the form can't be read")))
			return
		}
		if r.PostForm.Get(mineName) != "" {
			err = v.gather(r.Context(), p.Exchange, known)
		} else if v.read(r.PostForm, known) {
			status = http.StatusUnprocessableEntity
		}
		if err != nil {
			components.Fail(w, r, err)
			return
		}
	}
	v.Mine = p.Exchange != nil && identity.From(r.Context()).Kind == identity.Citizen && len(v.Answers) == 0 && slices.ContainsFunc(v.Facts, func(f service.Fact) bool { return !f.Asked() })
	v.Result = v.Check(known, service.Today(p.Now()))
	if v.Ask == nil && len(v.Result.Missing) > 0 {
		v.Ask = v.Fact(v.Result.Missing[0])
	}
	if v.Left = len(v.Result.Missing); v.Ask != nil {
		v.Left = max(v.Left, 1)
	}
	components.Render(w, r, status, checkPage(v))
}

// read reads what was answered into known, and reports whether the last answer can't be read.
func (v *checkView) read(form url.Values, known map[string]any) (failed bool) {
	ask, change := form.Get(asksFor), form.Get(changeName)
	for i := range v.Facts {
		f := &v.Facts[i]
		text := strings.TrimSpace(form.Get(answerPrefix + f.Name))
		now := f.Name == ask && change == ""
		if now {
			var more bool
			if text, more = written(f, form); more {
				v.Ask, v.Text = f, text
				continue
			}
		}
		if f.Name == change {
			v.Ask, v.Text = f, text
			continue
		}
		if text == "" && !now {
			continue
		}
		value, fault := f.Accept(plainAnswer(f, text))
		switch {
		case fault == nil && value != nil:
			known[f.Name] = value
			a := answered{Fact: f, Text: text, Value: value}
			if !now && !f.Asked() && form.Get(originPrefix+f.Name) != "" { // what is shown only: nothing is decided by it
				a.Origin = v.origin(f)
			}
			v.Answers = append(v.Answers, a)
		case now:
			if text == "" {
				fault = &problem.Detail{Code: "record.required", Message: lang.T("답을 적어 주십시오.", "Please answer.")}
			}
			v.Ask, v.Text, v.Fault, failed = f, text, fault, true
		}
	}
	return failed
}

// origin is what an agreement's data are called.
func (v *checkView) origin(f *service.Fact) lang.Text {
	if r := v.snapshot.Get(f.Agreement); r != nil && !r.Spec.Titled().Empty() {
		return r.Spec.Titled()
	}
	return components.Own(f.Agreement.Name)
}

// gather reads the facts of who is signed in by the service's agreements. What can't be had is asked.
func (v *checkView) gather(ctx context.Context, from service.Reader, known map[string]any) error {
	if from == nil {
		return identity.From(ctx).Refused()
	}
	got, origins, err := v.Gather(ctx, from, identity.From(ctx))
	if err != nil {
		return err
	}
	said := map[string]bool{}
	for _, o := range origins {
		f := v.Fact(o.Fact)
		if value, there := got[o.Fact]; there {
			known[o.Fact] = value
			if value != nil {
				v.Answers = append(v.Answers, answered{f, answerText(f, value), value, v.origin(f)})
			}
			continue
		}
		if !said[o.Agreement] {
			said[o.Agreement] = true
			v.Lacking = append(v.Lacking, lacking{v.origin(f), whyNot(o), o.Code == "agreement.consent"})
		}
	}
	return nil
}

// inDigits writes 1억2000만 and 300만 in digits; what isn't written so stays as it is.
func inDigits(text string) string {
	var sum int64
	rest, found := text, false
	for _, unit := range []struct {
		name string
		of   int64
	}{{"억", 100_000_000}, {"만", 10_000}} {
		before, after, ok := strings.Cut(rest, unit.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(before, 10, 32)
		if err != nil || n < 0 {
			return text
		}
		sum, rest, found = sum+n*unit.of, after, true
	}
	if !found {
		return text
	}
	if rest != "" {
		n, err := strconv.ParseInt(rest, 10, 32)
		if err != nil || n < 0 {
			return text
		}
		sum += n
	}
	return strconv.FormatInt(sum, 10)
}

// shown is an answer as people read it.
func (a answered) shown(ctx context.Context) string {
	return components.FactValue(ctx, a.Fact, a.Value)
}
