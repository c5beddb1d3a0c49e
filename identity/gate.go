package identity

import (
	"net/http"
	"strings"

	"github.com/maru-city/maru/engine/httpd"
)

// Gate finds who asks, for every request: by bearer token, else by session. A token that isn't right is refused; a session that isn't is
// nobody's.
type Gate struct {
	Provider *Provider
	Sessions *Sessions
	// Keeper is whom everyone is taken for where there is no provider: the server is on a loopback address, and whoever reaches that keeps it.
	Keeper *Principal
}

// Wrap puts the gate before a handler.
func (g *Gate) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/assets/") {
			next.ServeHTTP(w, r)
			return
		}
		p, err := g.who(w, r)
		if err != nil {
			httpd.Fail(w, r, err)
			return
		}
		if p != nil {
			w.Header().Set("Cache-Control", "no-store") // what one is shown isn't for the next at this machine
			r = r.WithContext(With(r.Context(), p))
		}
		next.ServeHTTP(w, r)
	})
}

func (g *Gate) who(w http.ResponseWriter, r *http.Request) (*Principal, error) {
	if g.Provider == nil {
		return g.Keeper, nil
	}
	if given := r.Header.Get("Authorization"); given != "" {
		scheme, token, _ := strings.Cut(given, " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return nil, nil // the token endpoint of the embedded provider takes Basic
		}
		return g.Provider.Bearer(r.Context(), strings.TrimSpace(token))
	}
	return g.Sessions.Principal(w, r)
}

// As lets everyone who comes through be one principal: for servers that are not reached from elsewhere, and tests.
func As(p *Principal, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r.WithContext(With(r.Context(), p))) })
}
