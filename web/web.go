package web

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/identity/provider"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/assets"
	"github.com/maru-city/maru/web/components"
	"github.com/maru-city/maru/web/console"
	"github.com/maru-city/maru/web/desk"
	"github.com/maru-city/maru/web/portal"
)

// Options is what the pages are made from.
type Options struct {
	Demo     bool      // pages say that they are a demonstration
	City     lang.Text // its name
	Version  string
	Catalog  console.Catalog
	Records  console.Records
	Work     registry.Work
	Exchange Exchange
	Requests Requests // that data be opened; nil: none can be made
	Services portal.Services
	Cases    Cases              // nil: nothing can be applied for
	Gate     *identity.Gate     // who asks; without a provider nobody signs in
	Embedded *provider.Provider // the provider of demos, or nil
	Secure   bool               // pages are reached by TLS
	Now      func() time.Time
}

// Exchange is what the pages need of the exchange.
type Exchange interface {
	console.Exchange
	portal.Exchange
}

// Cases is what the pages need of applications and their cases.
type Cases interface {
	portal.Cases
	desk.Cases
}

// Requests is what the pages need of requests that data be opened.
type Requests interface {
	console.Requests
	portal.Requests
}

// policy lets a page load only from its own server, run no script and use no style written into it, and be framed by nobody.
const policy = "default-src 'self'; img-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// New makes the handler for everything that isn't /api: mount it at "/".
func New(o Options) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+assets.Prefix, assets.Handler())
	pages := http.NewServeMux()
	console.New(o.Catalog, o.Records, o.Work, o.Exchange, o.Requests, o.Now).Routes(pages)
	portal.New(portal.Options{Catalog: o.Catalog, Records: o.Records, Exchange: o.Exchange, Requests: o.Requests, Services: o.Services, Cases: o.Cases, Now: o.Now, Gate: o.Gate, Embedded: o.Embedded, Secure: o.Secure}).Routes(pages)
	if o.Cases != nil {
		desk.New(o.Catalog, o.Cases, o.Now).Routes(pages)
	}
	pages.Handle("GET /", components.Page(nowhere))
	pages.HandleFunc("/", refused)
	site := components.Site{Demo: o.Demo, Name: o.City, Version: o.Version, Menus: []components.Door{portal.Door(), portal.MineDoor(), desk.Door(), console.Door()}, SignIn: o.Gate != nil && o.Gate.Provider != nil, Secure: o.Secure}
	elsewhere := "" // where people sign out too
	if site.SignIn && o.Embedded == nil {
		elsewhere = o.Gate.Provider.Issuer()
	}
	mux.Handle("/", secured(elsewhere, built(components.Prepare(site, pages))))
	return mux
}

// secured sets the headers of every page. Forms may lead to the identity provider where it is elsewhere: signing out does.
func secured(provider string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		components.FormsMayLeadTo(h, provider)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// built answers in plain text that `make build` is missing, where it is: without styles a page can't say it well.
func built(next http.Handler) http.Handler {
	err := assets.Built()
	if err == nil {
		return next
	}
	p := problem.As(err)
	slog.Warn("web: " + p.In(lang.En) + ". " + p.Hint.In(lang.En))
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(p.Status)
		for _, t := range []lang.Tag{lang.Ko, lang.En} {
			_, _ = w.Write([]byte(p.In(t) + ". " + p.Hint.In(t) + "\n")) // the browser went away: nobody to tell
		}
	})
}
