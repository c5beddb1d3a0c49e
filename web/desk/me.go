package desk

import (
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service/casework"
	"github.com/maru-city/maru/web/components"
)

// meView is what a caseworker has said of themselves: whether they are given cases, and when they are away.
type meView struct {
	Me      *casework.Colleague
	Others  []*casework.Colleague
	Today   manifest.Day
	Saved   bool
	Problem *problem.Problem
}

func (d *Desk) meOf(r *http.Request) (v meView, err error) {
	v.Me, v.Others, err = d.cases.Colleagues(r.Context(), identity.From(r.Context()))
	v.Today = manifest.Day(d.now().In(manifest.Seoul).Format(manifest.DateLayout))
	return v, err
}

func (d *Desk) me(r *http.Request) (templ.Component, error) {
	v, err := d.meOf(r)
	v.Saved = r.URL.Query().Get("saved") != ""
	return mePage(v), err
}

func (d *Desk) setMe(w http.ResponseWriter, r *http.Request) {
	form, err := components.Form(w, r)
	in := casework.Colleague{}
	if err == nil {
		day := func(name string) manifest.Day { return manifest.Day(strings.TrimSpace(form.Get(name))) }
		in = casework.Colleague{Takes: form.Get("takes") != "", Away: day("away"), Back: day("back"), Cover: form.Get("cover")}
		_, err = d.cases.SetColleague(r.Context(), identity.From(r.Context()), in)
	}
	if err == nil {
		http.Redirect(w, r, mePath+"?saved=1", http.StatusSeeOther)
		return
	}
	if said := problem.As(err); said != nil && components.Mendable(said) {
		if v, err := d.meOf(r); err == nil {
			v.Problem = said
			v.Me.Takes, v.Me.Away, v.Me.Back, v.Me.Cover = in.Takes, in.Away, in.Back, in.Cover
			components.Render(w, r, said.Status, mePage(v))
			return
		}
	}
	components.Fail(w, r, err)
}
