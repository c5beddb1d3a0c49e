package components

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/web/assets"
)

// Page makes a page or a part of one, or says why it can't.
type Page func(r *http.Request) (templ.Component, error)

// ServeHTTP answers with the page, or with a page that says what is wrong.
func (p Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := p(r)
	if err != nil {
		Fail(w, r, err)
		return
	}
	Render(w, r, http.StatusOK, c)
}

// Render sends a component. It is rendered whole before its first byte goes out: a failure half way is a page of its own, not half a page.
func Render(w http.ResponseWriter, r *http.Request, status int, c templ.Component) {
	var b bytes.Buffer
	if err := c.Render(r.Context(), &b); err != nil {
		Fail(w, r, err)
		return
	}
	send(w, r, status, b.Bytes())
}

// minCompressed is how long a page must be to be compressed: one packet takes as long as half of one.
const minCompressed = 1400

func send(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if w.Header().Get("Cache-Control") == "" { // the gate says no-store for those who are signed in
		w.Header().Set("Cache-Control", "no-cache")
	}
	w.Header().Add("Vary", "Accept-Encoding")
	if len(body) >= minCompressed && assets.Accepts(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		body = compressed(body)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the browser went away: nobody to tell
}

// writers are gzip writers between two pages: each holds most of a megabyte.
var writers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

func compressed(body []byte) []byte {
	z := writers.Get().(*gzip.Writer)
	defer writers.Put(z)
	var b bytes.Buffer
	z.Reset(&b)
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// Fail answers with what went wrong. A Problem speaks for itself; anything else is ours: it is logged under an id, and the page shows the id.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the person left
	}
	p, id := problem.As(err), ""
	if p != nil && p.Code == "auth.needed" && r.Method == http.MethodGet && visitOf(r.Context()).site.SignIn && !Part(r) {
		http.Redirect(w, r, SignInPath(r.URL), http.StatusSeeOther)
		return
	}
	if p == nil {
		id = rand.Text()
		slog.ErrorContext(r.Context(), "web: page failed", "id", id, "path", r.URL.Path, "error", err)
		p = problem.New("internal", http.StatusInternalServerError, lang.T("요청을 처리하는 중에 문제가 발생했습니다", "Something went wrong on our side")).
			Hinting(lang.T("잠시 뒤에 다시 시도하십시오. 계속되면 아래 번호를 담당자에게 알려 주십시오.", "Please try again in a moment. If it goes on, tell your administrator the number below."))
	}
	if p.Code == "auth.refused" {
		p = refused(r)
	}
	var b bytes.Buffer
	if err := Failure(p, id).Render(r.Context(), &b); err != nil {
		slog.ErrorContext(r.Context(), "web: the error page failed too", "error", err)
		http.Error(w, p.In(lang.From(r.Context())), p.Status)
		return
	}
	send(w, r, p.Status, b.Bytes())
}

// refused says on a page that who asks may not see it, or do that: programs are told in other words.
func refused(r *http.Request) *problem.Problem {
	if identity.From(r.Context()).Kind == identity.Citizen {
		return problem.New("auth.refused", http.StatusForbidden, lang.T("공무원이 업무에 쓰는 화면입니다", "This page is for officials at work")).
			Hinting(lang.T("업무 계정이 있으시면 로그아웃한 뒤 그 계정으로 다시 로그인하십시오.", "If you have an office account, sign out and sign in with that."))
	}
	detail := lang.T("맡으신 역할로는 이 화면을 보실 수 없습니다", "Your role doesn't let you see this page")
	if r.Method != http.MethodGet {
		detail = lang.T("맡으신 역할로는 이 일을 하실 수 없습니다", "Your role doesn't let you do this")
	}
	return problem.New("auth.refused", http.StatusForbidden, detail).
		Hinting(lang.T("업무에 필요하시면 소속 기관의 운영자에게 권한을 요청해 주십시오.", "If your task needs it, ask your agency's administrator for the role."))
}

// NotFound is a Problem about a thing that isn't there, with code "page.not_found".
func NotFound(detail lang.Text) error {
	return problem.New("page.not_found", http.StatusNotFound, detail).
		Hinting(lang.T("주소를 다시 확인하시거나 위의 메뉴에서 찾아 주십시오.", "Please check the address, or find it from the menu above."))
}

// FormsMayLeadTo lets the forms of a page lead to another origin too: a browser looks at where they are redirected (CSP form-action).
func FormsMayLeadTo(h http.Header, origin string) {
	const name, own = "Content-Security-Policy", "form-action 'self'"
	if u, err := url.Parse(origin); err == nil && hosts.MatchString(u.Host) && (u.Scheme == "http" || u.Scheme == "https") {
		h.Set(name, strings.Replace(h.Get(name), own, own+" "+u.Scheme+"://"+u.Host, 1))
	}
}

// Part reports whether htmx asks for a part of a page, not a person for the whole of it.
func Part(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }
