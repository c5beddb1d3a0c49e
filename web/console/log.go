package console

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/identity"
)

func (c *Console) log(r *http.Request) (templ.Component, error) {
	if err := identity.From(r.Context()).Need(identity.SeeLog, identity.Place{}); err != nil {
		return nil, err
	}
	state, err := c.exchange.Log(r.Context())
	if err != nil {
		return nil, err
	}
	return logPage(state), nil
}
