package outlet

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// RequestState says how a request stands.
type RequestState string

// The states of a request.
const (
	Asked   RequestState = "asked"
	Granted RequestState = "granted" // it will be opened
	Refused RequestState = "refused"
)

// Request is somebody's wish that a dataset be opened (공공데이터법 제27조).
type Request struct {
	ID       int64        `json:"id"`
	Dataset  string       `json:"dataset" doc:"project/name"`
	Why      string       `json:"why"`
	Made     time.Time    `json:"made"`
	Due      string       `json:"due" format:"date" doc:"The last day on which the steward must have decided"`
	State    RequestState `json:"state" enum:"asked,granted,refused"`
	Answer   string       `json:"answer,omitempty"`
	Answered *time.Time   `json:"answered,omitempty"`
}

// Late reports whether it should have been decided before a moment.
func (r *Request) Late(now time.Time) bool {
	return r.State == Asked && now.In(manifest.Seoul).Format(manifest.DateLayout) > r.Due
}

// Limits of requests.
const (
	maxWhy        = 2000 // characters
	maxRequests   = 20   // of one person that wait
	listRequests  = 500
	decisionDays  = 10 // 공공데이터법 제27조 제3항
	requestsPath  = "/api/v1/open-requests"
	requestFields = "id, project, dataset, why, made, due, state, answer, answered"
)

// due is the last day of a term of days that begins with the day after a moment; where it is a Saturday or Sunday, the next Monday is (민법 제157조, 제161조).
func due(made time.Time, days int) string {
	day := made.In(manifest.Seoul).AddDate(0, 0, days)
	for day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
		day = day.AddDate(0, 0, 1)
	}
	return day.Format(manifest.DateLayout)
}

// Ask asks that a dataset be opened. The same person's request for it that still waits is given back.
func (s *Store) Ask(ctx context.Context, who *identity.Principal, d *catalog.Dataset, why string) (*Request, error) {
	why = strings.TrimSpace(why)
	switch n := utf8.RuneCountInString(why); {
	case !who.SignedIn():
		return nil, who.Refused()
	case d == nil:
		return nil, problem.New("dataset.unknown", 404, lang.T("없는 데이터셋입니다", "there is no such dataset"))
	case d.Open():
		return nil, problem.New("open_request.open", 409, lang.T("이미 누구나 쓸 수 있는 자료입니다", "it is open to all already"))
	case n == 0 || n > maxWhy:
		return nil, problem.New("open_request.why", 422, lang.F("어디에 쓰실지 %d자 이내로 적어 주십시오", "say in at most %d characters what you need it for", maxWhy))
	}
	var out *Request
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "open requests "+who.Actor()); err != nil {
			return err
		}
		mine, err := requests(ctx, tx, "asker = ? AND state = ?", who.Actor(), Asked)
		if err != nil {
			return err
		}
		for _, r := range mine {
			if r.Dataset == d.Path() {
				out = r
				return nil
			}
		}
		if len(mine) >= maxRequests {
			return problem.New("open_request.many", 409, lang.F("답변을 기다리는 요청이 %d건이어서 더 요청하실 수 없습니다", "you have %d requests waiting, which is the most at a time", maxRequests)).Hinting(lang.T("답변을 받으신 뒤에 다시 요청해 주십시오", "ask again when some are answered"))
		}
		var id int64
		now := s.now().UTC()
		if err := tx.QueryRow(ctx, "INSERT INTO open_request (project, dataset, asker, why, made, due, state) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
			d.Project, d.Name, who.Actor(), why, manifest.FormatDatetime(now), due(now, decisionDays), Asked).Scan(&id); err != nil {
			return fmt.Errorf("keep a request: %w", err)
		}
		kept, err := requests(ctx, tx, "id = ?", id)
		if err == nil {
			out = kept[0]
		}
		return err
	})
	return out, err
}

// Requests lists the requests of who asks, the newest first.
func (s *Store) Requests(ctx context.Context, who *identity.Principal) (out []*Request, err error) {
	if !who.SignedIn() {
		return nil, who.Refused()
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		out, err = requests(ctx, tx, "asker = ?", who.Actor())
		return err
	})
	return out, err
}

// ToAnswer lists the requests that who asks may answer: those that wait, by the day on which they must be decided, and behind them those that were answered.
func (s *Store) ToAnswer(ctx context.Context, who *identity.Principal, now *catalog.Snapshot) (waiting, answered []*Request, err error) {
	var mine []string // projects
	for _, r := range now.List("Project") {
		if who.May(identity.ApproveSteward, now.Place(r.Name)) {
			mine = append(mine, r.Name)
		}
	}
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		for some := range slices.Chunk(mine, 500) {
			where, args := "state = ? AND project IN ("+db.Marks(len(some))+")", []any{Asked}
			for _, name := range some {
				args = append(args, name)
			}
			list, err := requests(ctx, tx, where, args...)
			if err != nil {
				return err
			}
			waiting = append(waiting, list...)
			args[0] = Asked
			list, err = requests(ctx, tx, strings.Replace(where, "state = ?", "state <> ?", 1), args...)
			if err != nil {
				return err
			}
			answered = append(answered, list...)
		}
		return nil
	})
	slices.SortFunc(waiting, func(a, b *Request) int { return cmp.Compare(a.ID, b.ID) }) // terms are of one length: the oldest first
	slices.SortFunc(answered, func(a, b *Request) int { return cmp.Compare(b.ID, a.ID) })
	return waiting, answered, err
}

// Answer decides on a request: a steward of the dataset's agency does.
func (s *Store) Answer(ctx context.Context, who *identity.Principal, now *catalog.Snapshot, id int64, grant bool, answer string) (*Request, error) {
	answer = strings.TrimSpace(answer)
	if n := utf8.RuneCountInString(answer); n == 0 || n > maxWhy {
		return nil, problem.New("open_request.answer", 422, lang.F("언제 어떻게 개방할지, 또는 개방하지 않는 이유를 %d자 이내로 적으십시오", "say in at most %d characters when and how it is opened, or why not", maxWhy))
	}
	var out *Request
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		all, err := requests(ctx, tx, "id = ?", id)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return problem.New("open_request.unknown", 404, lang.T("없는 요청입니다", "there is no such request"))
		}
		project, _, _ := strings.Cut(all[0].Dataset, "/")
		if err := who.Need(identity.ApproveSteward, now.Place(project)); err != nil {
			return err
		}
		state := Refused
		if grant {
			state = Granted
		}
		n, err := tx.Exec(ctx, "UPDATE open_request SET state = ?, answer = ?, answered = ?, answerer = ? WHERE id = ? AND state = ?", state, answer, manifest.FormatDatetime(s.now()), who.Actor(), id, Asked)
		if err != nil {
			return fmt.Errorf("answer a request: %w", err)
		}
		if n == 0 {
			return problem.New("open_request.answered", 409, lang.T("이미 답한 요청입니다", "it was answered already"))
		}
		all, err = requests(ctx, tx, "id = ?", id)
		if err == nil {
			out = all[0]
		}
		return err
	})
	return out, err
}

func requests(ctx context.Context, tx *db.Tx, where string, args ...any) (out []*Request, err error) {
	order := fmt.Sprintf(" ORDER BY id DESC LIMIT %d", listRequests)
	if strings.HasPrefix(where, "state = ?") { // of those that wait none is left out
		order = " ORDER BY id"
	}
	rows, err := tx.Query(ctx, "SELECT "+requestFields+" FROM open_request WHERE "+where+order, args...)
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		r := &Request{}
		var project, name, made, answered string
		if err := rows.Scan(&r.ID, &project, &name, &r.Why, &made, &r.Due, &r.State, &r.Answer, &answered); err != nil {
			return nil, fmt.Errorf("read requests: %w", err)
		}
		r.Dataset = project + "/" + name
		if r.Made, err = time.Parse(manifest.DatetimeLayout, made); err != nil {
			return nil, fmt.Errorf("time of request %d: %w", r.ID, err)
		}
		if answered != "" {
			at, err := time.Parse(manifest.DatetimeLayout, answered)
			if err != nil {
				return nil, fmt.Errorf("time of request %d: %w", r.ID, err)
			}
			r.Answered = &at
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

type requestAnswer struct{ Body *Request }

// ServeRequests registers the operations on requests under /api/v1.
func (s *Store) ServeRequests(h huma.API, now func() *catalog.Snapshot) {
	op := func(id, method, path, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: requestsPath + path, Summary: summary, Tags: []string{"open data"}, Errors: errs}
	}
	ask := op("ask-to-open", http.MethodPost, "", "Ask that a dataset be opened; its steward decides within ten days (공공데이터법 제27조)", 404, 409, 422)
	ask.DefaultStatus = http.StatusCreated
	huma.Register(h, ask, func(ctx context.Context, in *struct {
		Body struct {
			Dataset string `json:"dataset" maxLength:"200" doc:"project/name"`
			Why     string `json:"why" minLength:"1" maxLength:"2000" doc:"What it is needed for"`
		}
	},
	) (*requestAnswer, error) {
		project, name, _ := strings.Cut(in.Body.Dataset, "/")
		r, err := s.Ask(ctx, identity.From(ctx), now().Dataset(project, name), in.Body.Why)
		return &requestAnswer{r}, err
	})
	huma.Register(h, op("list-open-requests", http.MethodGet, "", "Your requests that datasets be opened; of a steward those that wait for an answer"), func(ctx context.Context, in *struct {
		Waiting bool `query:"waiting" doc:"Those that you may answer, instead of your own"`
	},
	) (*struct {
		Body struct {
			Items []*Request `json:"items"`
		}
	}, error,
	) {
		out := &struct {
			Body struct {
				Items []*Request `json:"items"`
			}
		}{}
		who := identity.From(ctx)
		list, err := s.Requests(ctx, who)
		if err == nil && in.Waiting {
			list, _, err = s.ToAnswer(ctx, who, now())
		}
		out.Body.Items = append([]*Request{}, list...)
		return out, err
	})
	huma.Register(h, op("answer-open-request", http.MethodPost, "/{id}/answer", "Decide on a request", 403, 404, 409, 422), func(ctx context.Context, in *struct {
		ID   int64 `path:"id"`
		Body struct {
			Grant  bool   `json:"grant" doc:"Whether it will be opened"`
			Answer string `json:"answer" minLength:"1" maxLength:"2000" doc:"When and how, or why not"`
		}
	},
	) (*requestAnswer, error) {
		r, err := s.Answer(ctx, identity.From(ctx), now(), in.ID, in.Body.Grant, in.Body.Answer)
		return &requestAnswer{r}, err
	})
}
