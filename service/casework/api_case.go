package casework

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// serveCases registers the operations on cases.
func (s *Store) serveCases(h huma.API) {
	op := operation
	huma.Register(h, op("list-cases", http.MethodGet, "/api/v1/cases", "The cases of the offices one works for, what is due first in front", 400, 403), func(ctx context.Context, in *struct {
		State  string `query:"state" enum:"received,supplement,proposed,approved,paid,refused,objected,dismissed,returned,withdrawn"`
		Mine   bool   `query:"mine" doc:"Only those one has taken"`
		Done   bool   `query:"done" doc:"Those that are done, instead of those that aren't"`
		Late   bool   `query:"late" doc:"Only those that are overdue, or a step of which is"`
		Asked  bool   `query:"asked" doc:"Those of other offices on which one's opinion is asked for, instead of their own"`
		Text   string `query:"q" maxLength:"100" doc:"Digits of the number, or a part of what the service is called"`
		Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
		Cursor string `query:"cursor" maxLength:"200"`
	},
	) (*struct {
		Body struct {
			Items []*Case `json:"items"`
			Next  string  `json:"next,omitempty"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Items []*Case `json:"items"`
				Next  string  `json:"next,omitempty"`
			}
		}{}
		list, next, err := s.Queue(ctx, identity.From(ctx), Queue{State: State(in.State), Mine: in.Mine, Done: in.Done, Late: in.Late, Asked: in.Asked, Text: in.Text, Limit: in.Limit, Cursor: in.Cursor})
		out.Body.Items, out.Body.Next = append([]*Case{}, list...), next
		return out, err
	})
	huma.Register(h, op("get-case", http.MethodGet, "/api/v1/cases/{case}", "A case: facts with their sources, the verdict clause by clause, history, what can be done", 403, 404), func(ctx context.Context, in *Path) (*struct{ Body *File }, error) {
		d, err := s.Get(ctx, identity.From(ctx), in.Case)
		return &struct{ Body *File }{d}, err
	})
	huma.Register(h, op("reproduce-case", http.MethodGet, "/api/v1/cases/{case}/reproduction", "The verdict made again: by the rule of its revision, the parameters of its day and its facts", 403, 404), func(ctx context.Context, in *Path) (*struct{ Body *Reproduction }, error) {
		r, err := s.Reproduce(ctx, identity.From(ctx), in.Case)
		return &struct{ Body *Reproduction }{r}, err
	})
	huma.Register(h, op("act-on-case", http.MethodPost, "/api/v1/cases/{case}/{action}", "Do something to a case", 403, 404, 409, 422), func(ctx context.Context, in *struct {
		Path
		Action string `path:"action" maxLength:"40"`
		Body   ActionInput
	},
	) (*struct{ Body *File }, error,
	) {
		d, err := s.Act(ctx, identity.From(ctx), in.Case, in.Action, in.Body)
		return &struct{ Body *File }{d}, err
	})
	huma.Register(h, op("act-on-cases", http.MethodPost, "/api/v1/cases/batch", "Do something to several cases, each for itself: take, approve, confirm, pay", 403, 404, 422), func(ctx context.Context, in *struct {
		Body struct {
			Action string      `json:"action" maxLength:"40"`
			Cases  []BatchItem `json:"cases" minItems:"1" maxItems:"200"`
		}
	},
	) (*struct {
		Body struct {
			Items []BatchResult `json:"items"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Items []BatchResult `json:"items"`
			}
		}{}
		list, err := s.Batch(ctx, identity.From(ctx), in.Body.Action, in.Body.Cases)
		out.Body.Items = append([]BatchResult{}, list...)
		return out, err
	})
	open := op("get-draw", http.MethodGet, "/api/v1/services/{project}/{name}/draw", "The draw of a service: the list as it was fixed, the value that decides it, and the order, for everybody to repeat", 404, 409)
	open.Security = identity.Anyone()
	huma.Register(h, open, func(ctx context.Context, in *ServicePath) (*struct{ Body *Draw }, error) {
		d, err := s.Draw(ctx, in.Project, in.Name)
		return &struct{ Body *Draw }{d}, err
	})
	huma.Register(h, op("decide-draw", http.MethodPost, "/api/v1/services/{project}/{name}/draw", "Draw, with the value that was said beforehand", 403, 404, 409, 422), func(ctx context.Context, in *struct {
		ServicePath
		Body struct {
			Seed string `json:"seed" minLength:"1" maxLength:"800" doc:"The value, such as the lottery numbers of a day"`
		}
	},
	) (*struct{ Body *Draw }, error,
	) {
		d, err := s.Decide(ctx, identity.From(ctx), in.Project, in.Name, in.Body.Seed)
		return &struct{ Body *Draw }{d}, err
	})
	s.serveDrafts(h, op)
	s.servePapers(h, op)
}

// serveNews registers the operations on what is new for a citizen.
func (s *Store) serveNews(h huma.API) {
	huma.Register(h, operation("list-news", http.MethodGet, "/api/v1/me/news", "What happened to one's cases since one last said that one has seen it, the newest first", 403), func(ctx context.Context, _ *struct{}) (*struct {
		Body struct {
			Items []News `json:"items"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Items []News `json:"items"`
			}
		}{}
		list, err := s.News(ctx, identity.From(ctx))
		out.Body.Items = append([]News{}, list...)
		return out, err
	})
	huma.Register(h, operation("see-news", http.MethodPost, "/api/v1/me/news/seen", "Say that one has seen what is new, up to a time", 403), func(ctx context.Context, in *struct {
		Body struct {
			Until time.Time `json:"until" doc:"The time of the newest that was shown"`
		}
	},
	) (*struct{}, error,
	) {
		return nil, s.Seen(ctx, identity.From(ctx), in.Body.Until)
	})
}

// colleagueBody is what a caseworker says of themselves.
type colleagueBody struct {
	Takes bool         `json:"takes" doc:"Cases that come are given to them, where the service's process says so"`
	Away  manifest.Day `json:"away,omitempty" maxLength:"10" doc:"The first day of an absence"`
	Back  manifest.Day `json:"back,omitempty" maxLength:"10" doc:"Its last day"`
	Cover string       `json:"cover,omitempty" maxLength:"200" doc:"The account of who stands in"`
}

// serveColleagues registers the operations on who is given cases.
func (s *Store) serveColleagues(h huma.API) {
	huma.Register(h, operation("get-desk", http.MethodGet, "/api/v1/me/desk", "Whether one is given cases, when one is away, and one's colleagues", 403), func(ctx context.Context, _ *struct{}) (*struct {
		Body struct {
			Me         *Colleague   `json:"me"`
			Colleagues []*Colleague `json:"colleagues"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Me         *Colleague   `json:"me"`
				Colleagues []*Colleague `json:"colleagues"`
			}
		}{}
		me, others, err := s.Colleagues(ctx, identity.From(ctx))
		out.Body.Me, out.Body.Colleagues = me, append([]*Colleague{}, others...)
		return out, err
	})
	huma.Register(h, operation("set-desk", http.MethodPut, "/api/v1/me/desk", "Say whether one is given cases, and when one is away", 403, 422), func(ctx context.Context, in *struct{ Body colleagueBody }) (*struct{ Body *Colleague }, error) {
		me, err := s.SetColleague(ctx, identity.From(ctx), Colleague{Takes: in.Body.Takes, Away: in.Body.Away, Back: in.Body.Back, Cover: in.Body.Cover})
		return &struct{ Body *Colleague }{me}, err
	})
}
