package casework

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
)

// maxBody is how long the JSON of an application or an action may be.
const maxBody = 256 << 10

// formBody is an application under way as the API shows it.
type formBody struct {
	Verdicts []verdictBody  `json:"verdicts"`
	Asks     []questionBody `json:"asks" doc:"What must still be answered, what settles most first"`
	Lacking  []lackingBody  `json:"lacking" doc:"What couldn't be had by an agreement, and why"`
	Papers   []Needed       `json:"papers" doc:"Documents that are to be uploaded; they may also follow later, when they are asked for"`
}

type verdictBody struct {
	Service string      `json:"service"`
	Title   lang.Text   `json:"title"`
	Facts   []ShownFact `json:"facts" doc:"What is known, and where it came from"`
	*service.Verdict
}

type questionBody struct {
	Name     string              `json:"name"`
	Question lang.Text           `json:"question"`
	Help     lang.Text           `json:"help,omitzero"`
	Type     string              `json:"type"`
	Unit     string              `json:"unit,omitempty"`
	Codes    []manifest.CodeName `json:"codes,omitempty"`
	Each     []service.FactBody  `json:"each,omitempty" doc:"Of a list: what is asked of each of its records"`
	Services []string            `json:"services" doc:"For which it is asked"`
}

type lackingBody struct {
	Agreement string    `json:"agreement"`
	Code      string    `json:"code"`
	Why       lang.Text `json:"why"`
}

// applicationInput is what is applied for, and what the citizen says.
type applicationInput struct {
	Services []string        `json:"services" minItems:"1" maxItems:"30" doc:"project/name of each"`
	Answers  registry.Values `json:"answers,omitempty" doc:"By the names of questions; null: there is none"`
}

// submissionInput is an application, or a draft of one.
type submissionInput struct {
	Services []string        `json:"services,omitempty" maxItems:"30" doc:"project/name of each"`
	Answers  registry.Values `json:"answers,omitempty" doc:"By the names of questions; null: there is none"`
	Draft    string          `json:"draft,omitempty" maxLength:"40" doc:"A draft that is handed in, instead of services and answers"`
}

// ServicePath names a service.
type ServicePath struct {
	Project string `path:"project" maxLength:"63"`
	Name    string `path:"name" maxLength:"63"`
}

// Path names a case.
type Path struct {
	Case string `path:"case" maxLength:"40"`
}

// operation describes an operation on applications.
func operation(id, method, path, summary string, errs ...int) huma.Operation {
	return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"applications"}, Errors: errs, MaxBodyBytes: maxBody}
}

// Serve registers the operations on applications and cases under /api/v1.
func (s *Store) Serve(h huma.API) {
	op := operation
	huma.Register(h, op("fill-application", http.MethodPost, "/api/v1/applications/form", "What is known, what each service says of it, and what must still be answered; nothing is kept, each read leaves a receipt", 403, 404, 422),
		func(ctx context.Context, in *struct{ Body applicationInput }) (*struct{ Body formBody }, error) {
			f, err := s.Form(ctx, identity.From(ctx), in.Body.Services, in.Body.Answers)
			if err != nil {
				return nil, err
			}
			return &struct{ Body formBody }{s.formBody(f)}, nil
		})
	submit := op("submit-application", http.MethodPost, "/api/v1/applications", "Apply for services at once: a case for each, all of them or none", 403, 404, 409, 422)
	submit.DefaultStatus = http.StatusCreated
	huma.Register(h, submit, func(ctx context.Context, in *struct {
		Once string `header:"Idempotency-Key" maxLength:"200" doc:"The same key again is the same application"`
		Body submissionInput
	},
	) (*struct{ Body *Application }, error,
	) {
		a, err := s.Submit(ctx, identity.From(ctx), Submission{Services: in.Body.Services, Answers: in.Body.Answers, Once: in.Once, Draft: in.Body.Draft})
		if err != nil {
			return nil, err
		}
		return &struct{ Body *Application }{a}, nil
	})
	huma.Register(h, op("list-my-applications", http.MethodGet, "/api/v1/me/applications", "The cases of who is signed in, the newest first", 403), func(ctx context.Context, _ *struct{}) (*struct {
		Body struct {
			Items []*Case `json:"items"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Items []*Case `json:"items"`
			}
		}{}
		list, err := s.Mine(ctx, identity.From(ctx))
		out.Body.Items = append([]*Case{}, list...)
		return out, err
	})
	s.serveCases(h)
	s.serveColleagues(h)
	s.serveNews(h)
}

func (s *Store) formBody(f *Form) formBody {
	out := formBody{Verdicts: []verdictBody{}, Asks: []questionBody{}, Lacking: []lackingBody{}, Papers: append([]Needed{}, f.Papers...)}
	for i, one := range f.Services {
		out.Verdicts = append(out.Verdicts, verdictBody{Service: one.Path(), Title: one.Spec.Title, Facts: s.shown(one, f.Facts[i]), Verdict: f.Verdicts[i]})
	}
	for _, q := range f.Asks {
		out.Asks = append(out.Asks, questionBody{Name: q.Name, Question: q.Fact.Question(), Help: q.Fact.Spec.Help, Type: string(q.Fact.Type), Unit: q.Fact.Unit, Codes: q.Fact.Codes, Each: q.Fact.Each(), Services: q.Services})
	}
	for _, l := range f.Lacking {
		out.Lacking = append(out.Lacking, lackingBody{l.Agreement, l.Code, l.Why})
	}
	return out
}

// shown gives facts their names, and the names of what they were read from.
func (s *Store) shown(one *service.Service, facts []Fact) []ShownFact {
	out := make([]ShownFact, 0, len(facts))
	now := s.Catalog.Snapshot()
	for _, f := range facts {
		shown := ShownFact{Fact: f}
		if known := one.Fact(f.Name); known != nil {
			shown.Title = known.Label()
			if !known.Asked() && f.Agreement != "" {
				shown.Source = now.Title(known.Agreement)
			}
		}
		out = append(out, shown)
	}
	return out
}
