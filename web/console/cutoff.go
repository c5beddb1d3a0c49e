package console

import (
	"net/http"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/web/components"
)

// cutOffView is whether an agency takes part in sharing, for those who may stop it.
type cutOffView struct {
	Agency string
	Events []exchange.CutOffEvent
	Note   string
	Fault  *problem.Problem
}

func (v cutOffView) off() bool { return len(v.Events) > 0 && v.Events[0].Off }

// cutOffs is nil for those who may not stop an agency's sharing.
func (c *Console) cutOffs(r *http.Request, agency string) (*cutOffView, error) {
	if !identity.From(r.Context()).May(identity.CutOff, identity.Place{}) {
		return nil, nil
	}
	events, err := c.exchange.CutOffs(r.Context(), agency)
	return &cutOffView{Agency: agency, Events: events}, err
}

// cutOff stops an agency's sharing at once, or lets it go on.
func (c *Console) cutOff(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	agency, note := r.PathValue("name"), r.PostFormValue("note")
	err := c.exchange.CutOff(r.Context(), identity.From(r.Context()), agency, r.PostFormValue("action") == "cut-off", note)
	if err == nil {
		http.Redirect(w, r, agencyPath(agency)+"#sharing", http.StatusSeeOther)
		return
	}
	if problem.Code(err) != "agreement.note" {
		components.Fail(w, r, err)
		return
	}
	v, failed := c.openAgency(r)
	if failed != nil || v.Sharing == nil {
		components.Fail(w, r, err)
		return
	}
	v.Sharing.Note, v.Sharing.Fault = note, problem.As(err)
	components.Render(w, r, v.Sharing.Fault.Status, agencyPage(v))
}
