package console

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/outlet"
	"github.com/maru-city/maru/web/components"
)

// Requests is what the console needs of requests that data be opened.
type Requests interface {
	ToAnswer(ctx context.Context, who *identity.Principal, now *catalog.Snapshot) (waiting, answered []*outlet.Request, err error)
	Answer(ctx context.Context, who *identity.Principal, now *catalog.Snapshot, id int64, grant bool, answer string) (*outlet.Request, error)
}

const requestsPath = "/console/requests"

type requestsView struct {
	Snapshot          *catalog.Snapshot
	Waiting, Answered []*outlet.Request
	Now               time.Time
	Done              bool
	Wrong             int64 // the request whose answer couldn't be taken
	Typed             string
	Problem           *problem.Problem
}

func (c *Console) requestsFor(r *http.Request) (v requestsView, err error) {
	who := identity.From(r.Context())
	if err := who.Need(identity.SeeCatalog, identity.Place{}); err != nil {
		return v, err
	}
	v.Snapshot, v.Now, v.Done = c.catalog.Snapshot(), c.now(), r.URL.Query().Get("done") != ""
	v.Waiting, v.Answered, err = c.requests.ToAnswer(r.Context(), who, v.Snapshot)
	return v, err
}

func (c *Console) openRequests(r *http.Request) (templ.Component, error) {
	v, err := c.requestsFor(r)
	return requestsPage(v), err
}

func (c *Console) answerRequest(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		components.Fail(w, r, components.NotFound(lang.T("없는 요청입니다", "there is no such request")))
		return
	}
	text := strings.ReplaceAll(r.PostFormValue("answer"), "\r\n", "\n")
	_, err = c.requests.Answer(r.Context(), identity.From(r.Context()), c.catalog.Snapshot(), id, r.PostFormValue("action") == "grant", text)
	if err == nil {
		http.Redirect(w, r, requestsPath+"?done=1", http.StatusSeeOther)
		return
	}
	p := problem.As(err)
	if p != nil && p.Code == "open_request.answer" {
		v, err := c.requestsFor(r)
		if err == nil {
			v.Wrong, v.Typed, v.Problem = id, text, p
			components.Render(w, r, p.Status, requestsPage(v))
			return
		}
	}
	components.Fail(w, r, err)
}

// requestsTodo counts the requests that wait for who asks.
func (c *Console) requestsTodo(ctx context.Context) (figure, error) {
	who := identity.From(ctx)
	f := figure{Title: lang.T("답변을 기다리는 개방 요청", "Requests to open data that wait for you"), Path: requestsPath}
	if c.requests == nil || !who.SignedIn() {
		return f, nil
	}
	waiting, _, err := c.requests.ToAnswer(ctx, who, c.catalog.Snapshot())
	f.N = len(waiting)
	return f, err
}

// dataset of a request, as people call it.
func requested(s *catalog.Snapshot, path string) lang.Text {
	project, name, _ := strings.Cut(path, "/")
	return s.Title(manifest.Key{Kind: "Dataset", Project: project, Name: name})
}
