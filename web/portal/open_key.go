package portal

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/outlet"
	"github.com/maru-city/maru/web/components"
)

// OpenKeys is what the portal needs of the keys of the city's address form. Who keeps requests that data be opened keeps these too.
type OpenKeys interface {
	Mine(ctx context.Context, who *identity.Principal) ([]outlet.Key, error)
	Make(ctx context.Context, who *identity.Principal) (string, error)
	GiveUpID(ctx context.Context, who *identity.Principal, id string) error
}

const openKeysPath = minePath + "/open-keys"

type openKeysView struct {
	List    []outlet.Key
	New     string // a key that was just made: it is shown this once
	Gone    bool   // one was just given up
	Problem *problem.Problem
}

// openKeys are the keys of the portal's requests, or nil.
func (p *Portal) openKeys() OpenKeys {
	keys, _ := p.Requests.(OpenKeys)
	return keys
}

func (p *Portal) openKeyRoutes(mux *http.ServeMux) {
	if p.openKeys() == nil {
		return
	}
	mux.Handle("GET "+openKeysPath, components.Page(p.openKeysShown))
	mux.HandleFunc("POST "+openKeysPath, p.openKeyAsked)
}

func (p *Portal) openKeysShown(r *http.Request) (templ.Component, error) {
	list, err := p.openKeys().Mine(r.Context(), identity.From(r.Context()))
	return openKeysPage(openKeysView{List: list, Gone: r.URL.Query().Get("done") == "gone"}), err
}

// openKeyAsked makes a key, or gives one up. A new key stands in the answer itself: nobody can look it up again.
func (p *Portal) openKeyAsked(w http.ResponseWriter, r *http.Request) {
	who, v := identity.From(r.Context()), openKeysView{}
	if id := posted(w, r, "id"); id != "" {
		if err := p.openKeys().GiveUpID(r.Context(), who, id); err != nil {
			components.Fail(w, r, err)
			return
		}
		http.Redirect(w, r, openKeysPath+"?done=gone", http.StatusSeeOther)
		return
	}
	var err error
	if v.New, err = p.openKeys().Make(r.Context(), who); problem.Code(err) == "open_key.many" {
		v.Problem, err = problem.As(err), nil
	}
	if err == nil {
		v.List, err = p.openKeys().Mine(r.Context(), who)
	}
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	status := http.StatusOK
	if v.Problem != nil {
		status = v.Problem.Status
	}
	w.Header().Set("Cache-Control", "no-store")
	components.Render(w, r, status, openKeysPage(v))
}

// keyText is a key as its owner knows it.
func keyText(k outlet.Key) lang.Text {
	if k.Ending == "" {
		return lang.T("끝자리를 알 수 없는 인증키", "A key from before endings were kept")
	}
	return lang.F("%s로 끝나는 인증키", "Key ending in %s", k.Ending)
}
