package components

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
)

// Site is what a page says of the installation it belongs to.
type Site struct {
	Demo    bool      // the banner says that it is a demo
	Name    lang.Text // of the city
	Version string
	Menus   []Door
	SignIn  bool // people can sign in
	Secure  bool // pages are reached by TLS, be it that of a proxy
}

// Door is one way into Maru with its own menu: the portal, the console.
type Door struct {
	Path  string // "/console"
	Title lang.Text
	Menu  []Link

	Officials bool          // shown to those who may see the catalog only
	Citizens  bool          // shown to citizens only
	Role      identity.Role // shown to those who have it only
}

// Open reports whether a door is shown to who asks.
func (d Door) Open(ctx context.Context) bool {
	who := identity.From(ctx)
	switch {
	case d.Officials:
		return who.May(identity.SeeCatalog, identity.Place{})
	case d.Citizens:
		return who.Kind == identity.Citizen
	case d.Role != "":
		return who.Has(d.Role)
	}
	return true
}

// Entries are the entries of a door's menu for who asks.
func (d Door) Entries(ctx context.Context) (out []Link) {
	who := identity.From(ctx)
	for _, l := range d.Menu {
		if l.Needs == "" || who.May(l.Needs, identity.Place{}) {
			out = append(out, l)
		}
	}
	return out
}

// SignInPath is where one signs in to come back to an address; to the start, if that is one of signing in itself.
func SignInPath(u *url.URL) string {
	back := u.RequestURI()
	if strings.HasPrefix(u.Path, "/auth/") || strings.HasPrefix(u.Path, "/oidc/") {
		back = "/"
	}
	return "/auth/sign-in?back=" + url.QueryEscape(back)
}

// Link is a text that leads somewhere.
type Link struct {
	Title lang.Text
	Path  string
	Needs identity.Act // in a menu: shown to those who may do it only
}

// LanguageCookie keeps the language a person chose.
const LanguageCookie = "maru_lang"

type siteKey struct{}

// visit is what the frame needs to know of a request.
type visit struct {
	site Site
	url  url.URL
}

// Prepare puts the site, the address and the reader's language into the request's context. The language is the one chosen in the
// header's menu (?lang=, kept in a cookie for a year), or the first of the browser's that we speak.
func Prepare(site Site, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Language, Cookie")
		tag := lang.Parse(r.Header.Get("Accept-Language"))
		if cookie, err := r.Cookie(LanguageCookie); err == nil {
			tag = lang.Parse(cookie.Value)
		}
		if chosen := r.URL.Query().Get("lang"); chosen != "" {
			tag = lang.Parse(chosen)
			http.SetCookie(w, &http.Cookie{
				Name: LanguageCookie, Value: string(tag), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
				HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: site.Secure || r.TLS != nil,
			})
		}
		ctx := lang.With(r.Context(), tag)
		ctx = context.WithValue(ctx, siteKey{}, visit{site: site, url: *r.URL})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func visitOf(ctx context.Context) visit {
	v, _ := ctx.Value(siteKey{}).(visit)
	return v
}

// hosts are the hosts that may stand in an example that is copied into a shell.
var hosts = regexp.MustCompile(`^[A-Za-z0-9.:\[\]-]+$`)

// Address is the scheme and host that the reader used, for examples to copy.
func Address(r *http.Request) string {
	scheme, host := "http://", r.Host
	if r.TLS != nil || visitOf(r.Context()).site.Secure {
		scheme = "https://"
	}
	if !hosts.MatchString(host) {
		host = "localhost"
	}
	return scheme + host
}

// Say is a text in the reader's language.
func Say(ctx context.Context, ko, en string) string { return lang.T(ko, en).In(lang.From(ctx)) }

// Sayf is Say with values put in; see [lang.F].
func Sayf(ctx context.Context, ko, en string, args ...any) string {
	return lang.F(ko, en, args...).In(lang.From(ctx))
}

// In is a text in the reader's language.
func In(ctx context.Context, x lang.Text) string { return x.In(lang.From(ctx)) }

// maxAsked is how many characters of a search count; the box takes no more.
const maxAsked = 100

// Asked is what a person searches for: the q of an address.
func Asked(u *url.URL) string {
	q := strings.TrimSpace(u.Query().Get("q"))
	if r := []rune(q); len(r) > maxAsked {
		return string(r[:maxAsked])
	}
	return q
}

// Own is a text that someone wrote and nobody translated: a message, a value, the name of a law. It is Korean if it has Hangul in it;
// otherwise it reads the same in both languages.
func Own(s string) lang.Text {
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) {
		return lang.Text{Ko: s}
	}
	return lang.T(s, s)
}

// tongue is the language a text will really be in: not the reader's where there is none in it. It is empty when they agree.
func tongue(ctx context.Context, x lang.Text) string {
	reader := lang.From(ctx)
	switch {
	case reader == lang.En && x.En == "" && x.Ko != "":
		return string(lang.Ko)
	case reader == lang.Ko && x.Ko == "" && x.En != "":
		return string(lang.En)
	}
	return ""
}

// inLanguage is the present address in another language.
func inLanguage(ctx context.Context, t lang.Tag) string {
	u := visitOf(ctx).url
	q := u.Query()
	q.Set("lang", string(t))
	return (&url.URL{Path: u.Path, RawQuery: q.Encode()}).String()
}

// With is an address with one value of its query changed, or dropped if empty, and the page of a list with it.
func With(u *url.URL, name, value string) string {
	q := u.Query()
	q.Del("after")
	q.Del("before")
	q.Del("lang")
	if value == "" {
		q.Del(name)
	} else {
		q.Set(name, value)
	}
	return (&url.URL{Path: u.Path, RawQuery: q.Encode()}).String()
}

// doorOf is the door the present address lies behind; the portal, where that is closed to who asks.
func doorOf(ctx context.Context) string {
	v, found := visitOf(ctx), "/"
	for _, d := range v.site.Menus {
		if (v.url.Path == d.Path || strings.HasPrefix(v.url.Path, d.Path+"/")) && len(d.Path) > len(found) && d.Open(ctx) {
			found = d.Path
		}
	}
	return found
}
