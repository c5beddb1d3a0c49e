package service

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// maxFacts is how long the JSON of facts may be.
const maxFacts = 64 << 10

// Known reads facts that somebody gave: all that is wrong with them at once.
//
// Code: service.facts, with the faults of fields as records have them at each.
func (s *Service) Known(given registry.Values) (map[string]any, error) {
	known := make(map[string]any, len(given))
	var faults []problem.Detail
	for name, v := range given {
		f := s.Fact(name)
		if f == nil {
			d := problem.Detail{Code: "service.unknown_fact", Where: name, Message: lang.F("이 서비스가 쓰지 않는 사실입니다: %s", "the service has no fact %s", name)}
			if near := manifest.Nearest(name, s.factNames()); near != "" {
				d.Hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
			}
			faults = append(faults, d)
			continue
		}
		value, fault := f.Accept(v)
		if fault != nil {
			switch { // the field may be called otherwise where it comes from
			case f.IsList() && fault.Where != "":
				fault.Where = name + "." + fault.Where
			default:
				fault.Where = name
			}
			faults = append(faults, *fault)
			continue
		}
		known[name] = value
	}
	if len(faults) == 0 {
		return known, nil
	}
	slices.SortFunc(faults, func(a, b problem.Detail) int { return strings.Compare(a.Where, b.Where) })
	p := problem.New("service.facts", http.StatusUnprocessableEntity, lang.T("알려 주신 내용 가운데 읽을 수 없는 것이 있습니다", "some of the facts can't be read")).
		Hinting(lang.T("아래 항목을 고쳐 다시 보내십시오", "mend the facts named and send them again"))
	p.At = faults
	return nil, p
}

func (s *Service) factNames() []string {
	out := make([]string, len(s.Facts))
	for i := range s.Facts {
		out[i] = s.Facts[i].Name
	}
	return out
}

// Path names a service.
type Path struct {
	Project string `path:"project" maxLength:"63"`
	Service string `path:"service" maxLength:"63"`
}

// Find returns a service, or the problem that there is none.
func (s *Services) Find(project, name string) (*Service, error) {
	if one := s.Service(project, name); one != nil {
		return one, nil
	}
	return nil, problem.New("service.unknown", http.StatusNotFound, lang.F("서비스를 찾을 수 없습니다: %s", "there is no service %s", project+"/"+name))
}

// FactBody is a fact, or what is known of each record of a list, as the API shows it.
type FactBody struct {
	Name     string              `json:"name"`
	Title    lang.Text           `json:"title"`
	Question lang.Text           `json:"question"`
	Type     string              `json:"type"`
	Unit     string              `json:"unit,omitempty"`
	Codes    []manifest.CodeName `json:"codes,omitempty"`
	Each     []FactBody          `json:"each,omitempty" doc:"Of a list: what is known of each of its records"`
	From     string              `json:"from,omitempty" doc:"The agreement by which it comes; without it the person is asked"`
}

// serviceBody is a service as the API shows it.
type serviceBody struct {
	Project    string     `json:"project"`
	Name       string     `json:"name"`
	Title      lang.Text  `json:"title"`
	About      lang.Text  `json:"about"`
	LifeEvents []string   `json:"life_events"`
	Basis      string     `json:"basis,omitempty"`
	Facts      []FactBody `json:"facts"`
}

// Each is what a list asks of each of its records.
func (f *Fact) Each() (out []FactBody) {
	for j := range f.Items {
		i := &f.Items[j]
		out = append(out, FactBody{Name: i.Name, Title: i.Label(), Question: i.Question(), Type: string(i.Type), Unit: i.Unit, Codes: i.Codes})
	}
	return out
}

func (s *Service) body() serviceBody {
	out := serviceBody{Project: s.Project, Name: s.Name, Title: s.Spec.Title, About: s.Spec.About, LifeEvents: append([]string{}, s.Spec.LifeEvents...), Basis: s.Spec.Basis, Facts: []FactBody{}}
	for i := range s.Facts {
		f := &s.Facts[i]
		b := FactBody{Name: f.Name, Title: f.Label(), Question: f.Question(), Type: string(f.Type), Unit: f.Unit, Codes: f.Codes, Each: f.Each()}
		if !f.Asked() {
			b.From = f.Agreement.Project + "/" + f.Agreement.Name
		}
		out.Facts = append(out.Facts, b)
	}
	return out
}

// Entitlement is what a service says of who is signed in.
type Entitlement struct {
	Project string    `json:"project"`
	Name    string    `json:"name"`
	Title   lang.Text `json:"title"`
	Origins []Origin  `json:"origins" doc:"Where facts came from, or why they couldn't be had"`
	*Verdict
}

// Serve registers the operations on services under /api/v1. now tells the time: the as-of date is its day in Seoul.
// from reads about who is signed in.
func (s *Services) Serve(h huma.API, now func() time.Time, from Reader) {
	const services = "/api/v1/services"
	op := func(id, method, path, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"services"}, Errors: errs, MaxBodyBytes: maxFacts, Security: identity.Anyone()}
	}
	huma.Register(h, op("list-services", http.MethodGet, services, "What the city offers"), func(_ context.Context, in *struct {
		Event string `query:"event" maxLength:"63" doc:"Only what is for this life event"`
	},
	) (*struct {
		Body struct {
			Items []serviceBody `json:"items"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Items []serviceBody `json:"items"`
			}
		}{}
		out.Body.Items = []serviceBody{}
		for _, one := range s.List() {
			if in.Event == "" || slices.Contains(one.Spec.LifeEvents, in.Event) {
				out.Body.Items = append(out.Body.Items, one.body())
			}
		}
		return out, nil
	})
	mine := op("list-entitlements", http.MethodGet, "", "What who is signed in can get, by what the city knows of them; each read leaves a receipt", 403)
	mine.Path, mine.Security = "/api/v1/me/entitlements", nil
	huma.Register(h, mine, func(ctx context.Context, in *struct {
		Event string `query:"event" maxLength:"63" doc:"Only what is for this life event"`
	},
	) (*struct {
		Body struct {
			Items []Entitlement `json:"items"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Items []Entitlement `json:"items"`
			}
		}{}
		out.Body.Items = []Entitlement{}
		for _, one := range s.List() {
			if in.Event != "" && !slices.Contains(one.Spec.LifeEvents, in.Event) {
				continue
			}
			known, origins, err := one.Gather(ctx, from, identity.From(ctx))
			if err != nil {
				return nil, err
			}
			out.Body.Items = append(out.Body.Items, Entitlement{Project: one.Project, Name: one.Name, Title: one.Spec.Title, Origins: append([]Origin{}, origins...), Verdict: one.Check(known, Today(now()))})
		}
		return out, nil
	})
	huma.Register(h, op("check-service", http.MethodPost, services+"/{project}/{service}/check", "Whether somebody may have it, by the facts given; nothing is kept", 404, 422), func(_ context.Context, in *struct {
		Path
		Body struct {
			Facts registry.Values `json:"facts" doc:"What is known, by the names of facts; null: it is known that there is none"`
		}
	},
	) (*struct{ Body *Verdict }, error,
	) {
		one, err := s.Find(in.Project, in.Service)
		if err != nil {
			return nil, err
		}
		known, err := one.Known(in.Body.Facts)
		if err != nil {
			return nil, err
		}
		return &struct{ Body *Verdict }{one.Check(known, Today(now()))}, nil
	})
}

// Today is the as-of date at a time: its day in Seoul.
func Today(t time.Time) manifest.Day {
	return manifest.Day(t.In(manifest.Seoul).Format(manifest.DateLayout))
}
