package portal

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
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
func drawn(one *service.Service) bool {
	return one.Spec.Window != nil && one.Spec.Window.Choose == manifest.Drawn
}
