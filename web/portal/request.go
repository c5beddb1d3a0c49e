package portal

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/outlet"
	"github.com/maru-city/maru/web/components"
)

// Requests is what the portal needs of requests that data be opened.
type Requests interface {
	Ask(ctx context.Context, who *identity.Principal, d *catalog.Dataset, why string) (*outlet.Request, error)
	Requests(ctx context.Context, who *identity.Principal) ([]*outlet.Request, error)
}

const requestsPath = minePath + "/requests"

type requestsView struct {
	Snapshot *catalog.Snapshot
	List     []*outlet.Request
	New      int64 // the one that was just made
}

// requests are the citizen's own.
func (p *Portal) requests(r *http.Request) (templ.Component, error) {
	v := requestsView{Snapshot: p.Catalog.Snapshot()}
	v.New, _ = strconv.ParseInt(r.URL.Query().Get("done"), 10, 64)
	var err error
	v.List, err = p.Requests.Requests(r.Context(), identity.From(r.Context()))
	return requestsPage(v), err
}

// closedView is a dataset that isn't open.
type closedView struct {
	URL     *url.URL
	Dataset *catalog.Dataset
	Project lang.Text
	Owner   lang.Text
	Mine    *outlet.Request // that waits, or was answered last
	Why     string
	Problem *problem.Problem
	Readers []using
}

func (p *Portal) closed(r *http.Request, s *catalog.Snapshot, d *catalog.Dataset) (closedView, error) {
	v := closedView{URL: r.URL, Dataset: d, Project: projectTitle(s, d.Project)}
	if place := s.Place(d.Project); len(place.Owners) > 0 {
		v.Owner = s.Title(manifest.Key{Kind: "Agency", Name: place.Owners[0]})
	}
	var err error
	if v.Readers, err = p.readers(r.Context(), s, d); err != nil {
		return v, err
	}
	if who := identity.From(r.Context()); who.SignedIn() {
		list, err := p.Requests.Requests(r.Context(), who)
		if err != nil {
			return v, err
		}
		for _, one := range list { // the newest first
			if one.Dataset == d.Path() {
				v.Mine = one
				break
			}
		}
	}
	return v, nil
}

// ask takes a request in.
func (p *Portal) ask(w http.ResponseWriter, r *http.Request) {
	s := p.Catalog.Snapshot()
	d := s.Dataset(r.PathValue("project"), r.PathValue("name"))
	why := strings.ReplaceAll(posted(w, r, "why"), "\r\n", "\n")
	made, err := p.Requests.Ask(r.Context(), identity.From(r.Context()), d, why)
	if err == nil {
		http.Redirect(w, r, requestsPath+"?done="+strconv.FormatInt(made.ID, 10), http.StatusSeeOther)
		return
	}
	if said := problem.As(err); said != nil && d != nil && (said.Code == "open_request.why" || said.Code == "open_request.many") {
		v, err := p.closed(r, s, d)
		if err == nil {
			v.Why, v.Problem = why, said
			components.Render(w, r, said.Status, closedPage(v))
			return
		}
	}
	components.Fail(w, r, err)
}

// requestState is how a request stands, as a badge.
func requestState(r *outlet.Request) components.BadgeText {
	switch r.State {
	case outlet.Granted:
		return components.BadgeText{Text: lang.T("개방 예정", "will be opened"), Tone: "success"}
	case outlet.Refused:
		return components.BadgeText{Text: lang.T("개방하지 않음", "not opened"), Tone: "danger"}
	}
	return components.BadgeText{Text: lang.T("검토 중", "being decided"), Tone: "information"}
}

// datasetTitle is a dataset as people call it.
func datasetTitle(s *catalog.Snapshot, path string) lang.Text {
	project, name, _ := strings.Cut(path, "/")
	if d := s.Dataset(project, name); d != nil && !d.Spec.Title.Empty() {
		return d.Spec.Title
	}
	return lang.T(path, path)
}

// closedReason is why a field isn't open.
func closedReason(c manifest.Class) lang.Text {
	switch c {
	case manifest.Public:
		return lang.T("공개 가능", "can be open")
	case manifest.Internal:
		return lang.T("비공개(행정 내부 자료)", "not open (internal)")
	case manifest.Personal:
		return lang.T("비공개(개인정보)", "not open (personal)")
	case manifest.Sensitive:
		return lang.T("비공개(민감정보)", "not open (sensitive)")
	}
	return lang.T("비공개(고유식별정보)", "not open (unique identifier)")
}
