package console

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web/components"
)

func revisionPath(n int64) string { return "/console/revisions/" + strconv.FormatInt(n, 10) }

type revisionsView struct {
	URL   *url.URL
	List  []catalog.Revision
	Older string // cursor
	First bool   // the newest is on this page
}

func (c *Console) revisions(r *http.Request) (templ.Component, error) {
	before, err := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0 // from the newest
	}
	list, err := c.catalog.Revisions(r.Context(), before, pageSize+1)
	if err != nil {
		return nil, err
	}
	v := revisionsView{URL: r.URL, List: list, First: before == 0}
	if len(list) > pageSize {
		v.List = list[:pageSize]
		v.Older = strconv.FormatInt(v.List[pageSize-1].N, 10)
	}
	return revisionsPage(v), nil
}

type revisionView struct {
	URL      *url.URL
	Revision *catalog.Revision
	Snapshot *catalog.Snapshot
	Page     []catalog.Change
	Slice    components.Slice
	Ops      map[string]int
}

func (c *Console) revision(r *http.Request) (templ.Component, error) {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	s := c.catalog.Snapshot()
	if err != nil || n < 1 || n > s.Revision {
		return nil, missing("Revision", r.PathValue("n"))
	}
	rev, err := c.catalog.Revision(r.Context(), n)
	if err != nil {
		return nil, err
	}
	v := revisionView{URL: r.URL, Revision: rev, Snapshot: s, Ops: map[string]int{}}
	for _, ch := range rev.Changes {
		v.Ops[ch.Op]++
	}
	v.Page, v.Slice = cut(rev.Changes, func(ch catalog.Change) string { return changeKey(ch).String() }, r.URL.Query(), pageSize)
	return revisionPage(v), nil
}

// changeKey is the key of what a change is about.
func changeKey(ch catalog.Change) manifest.Key {
	return manifest.Key{Kind: ch.Kind, Project: ch.Project, Name: ch.Name}
}

// changeTitle is the title a changed resource had, or its name.
func changeTitle(ch catalog.Change) lang.Text {
	if ch.Title.Empty() {
		return lang.T(ch.Name, ch.Name)
	}
	return ch.Title
}
