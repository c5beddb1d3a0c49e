package portal

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service/casework"
)

// drawView is the draw of a service, or that it hasn't closed yet.
type drawView struct {
	serviceView
	Draw *casework.Draw // nil: applications are still taken
}

// draw is what anyone needs to repeat a draw.
func (p *Portal) draw(r *http.Request) (templ.Component, error) {
	v := drawView{}
	var err error
	if v.serviceView, err = p.found(r); err != nil {
		return nil, err
	}
	v.Draw, err = p.Cases.Draw(r.Context(), v.Project, v.Name)
	if problem.Code(err) == "draw.open" {
		err = nil
	}
	return drawPage(v), err
}

// drawn reports whether those who get a service are drawn.
func drawn(w *manifest.Window) bool { return w != nil && w.Choose == manifest.Drawn }

// quota is for how many it is: of the draw, once its list is fixed.
func (v drawView) quota() int {
	if v.Draw != nil {
		return v.Draw.Quota
	}
	return v.Window.Quota
}

// source is which value decides.
func (v drawView) source() lang.Text {
	if v.Draw != nil {
		return v.Draw.Source
	}
	return v.Window.Seed
}
