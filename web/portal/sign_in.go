package portal

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/identity/provider"
	"github.com/maru-city/maru/web/components"
)

// Addresses of signing in and out.
const (
	signInPath  = "/auth/sign-in"
	signOutPath = "/auth/sign-out"
)

// SignInAt is where one signs in to come back to a page.
func SignInAt(u *url.URL) string { return components.SignInPath(u) }

// signRoutes puts signing in and out into mux. The pages on which one chooses who to be are there only where the embedded provider is.
func (p *Portal) signRoutes(mux *http.ServeMux) {
	if p.Gate == nil || p.Gate.Provider == nil {
		return
	}
	mux.HandleFunc("GET "+signInPath, func(w http.ResponseWriter, r *http.Request) {
		if err := p.Gate.Provider.SignIn(w, r, r.URL.Query().Get("back"), p.Secure); err != nil {
			components.Fail(w, r, err)
		}
	})
	mux.HandleFunc("GET "+identity.CallbackPath, p.callback)
	mux.HandleFunc("POST "+signOutPath, p.signOut)
	if p.Embedded == nil {
		return
	}
	mux.HandleFunc("GET "+provider.LoginPath, func(w http.ResponseWriter, r *http.Request) {
		signIn := r.URL.Query().Get("sign_in")
		to := p.Embedded.LeadsTo(signIn)
		if to == "" { // of before, or of nobody
			http.Redirect(w, r, signInPath, http.StatusSeeOther)
			return
		}
		components.FormsMayLeadTo(w.Header(), to)
		components.Render(w, r, http.StatusOK, choosePage(chooseView{SignIn: signIn, Groups: p.groups()}))
	})
	mux.HandleFunc("POST "+provider.LoginPath, func(w http.ResponseWriter, r *http.Request) {
		to, err := p.Embedded.Choose(posted(w, r, "sign_in"), posted(w, r, "account"))
		if err != nil {
			components.Fail(w, r, err)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	mux.Handle("GET "+provider.DevicePath, components.Page(func(r *http.Request) (templ.Component, error) {
		return devicePage(chooseView{Code: r.URL.Query().Get("user_code"), Groups: p.groups(), Done: r.URL.Query().Get("done") != ""}), nil
	}))
	mux.HandleFunc("POST "+provider.DevicePath, func(w http.ResponseWriter, r *http.Request) {
		if err := p.Embedded.Allow(posted(w, r, "user_code"), posted(w, r, "account")); err != nil {
			components.Fail(w, r, err)
			return
		}
		http.Redirect(w, r, provider.DevicePath+"?done=1", http.StatusSeeOther)
	})
}

// maxForm is how large a posted form may be, in bytes.
const maxForm = 64 << 10

// posted is a field of a posted form.
func posted(w http.ResponseWriter, r *http.Request, name string) string {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	return strings.TrimSpace(r.PostFormValue(name))
}

func (p *Portal) callback(w http.ResponseWriter, r *http.Request) {
	who, token, back, err := p.Gate.Provider.Callback(w, r)
	if err == nil {
		err = p.Gate.Sessions.Begin(w, r, who, token)
	}
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	if back == "/" && who.Kind == identity.Official {
		back = "/console"
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func (p *Portal) signOut(w http.ResponseWriter, r *http.Request) {
	token, err := p.Gate.Sessions.End(w, r)
	if err != nil {
		components.Fail(w, r, err)
		return
	}
	to := p.Gate.Provider.SignOut(r, token, components.Address(r)+"/")
	if to == "" {
		to = "/"
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// chooseView is a page on which one chooses who to be.
type chooseView struct {
	SignIn string
	Code   string
	Done   bool
	Groups []accountGroup
}

type accountGroup struct {
	Title    lang.Text
	Accounts []provider.Account
}

func (p *Portal) groups() []accountGroup {
	people, officials := accountGroup{Title: lang.T("시민", "Citizens")}, accountGroup{Title: lang.T("공무원", "Officials")}
	for _, a := range p.Embedded.Accounts() {
		if a.Kind == identity.Citizen {
			people.Accounts = append(people.Accounts, a)
		} else {
			officials.Accounts = append(officials.Accounts, a)
		}
	}
	return []accountGroup{people, officials}
}

// needCitizen is nil where a citizen is signed in.
func needCitizen(r *http.Request) error {
	who := identity.From(r.Context())
	if who.Kind == identity.Citizen {
		return nil
	}
	if !who.SignedIn() {
		return who.Refused()
	}
	return problem.New("auth.citizen", http.StatusForbidden, lang.T("시민이 본인의 정보를 확인하는 화면입니다", "This page is for people to see what is about themselves")).
		Hinting(lang.T("업무 계정에서 로그아웃하고 시민으로 로그인하십시오.", "Sign out from your office account and sign in as yourself."))
}
