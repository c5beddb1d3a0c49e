package httpd

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// doors are where open data is read.
var doors = []string{"/openapi/", "/ckan/", "/catalog.jsonld", "/api/v1/"}

// guard refuses what a page of another site could make a browser send, with the cookies of whoever is signed in. The two ways in are a name of the attacker's that resolves to this machine (DNS rebinding: the Host is wrong) and a form or script of
// another site (the Origin is wrong). What only reads is answered to pages of other sites as to anybody who isn't signed in: they read open data.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.foreign(w, r); err != nil {
			Fail(w, r, err)
			return
		}
		if !legible(r.URL) {
			Fail(w, r, problem.New("request.invalid", http.StatusBadRequest, lang.T("주소에 쓸 수 없는 문자가 있습니다", "the address holds characters that are no text")).
				Hinting(lang.T("주소는 UTF-8로 쓰십시오", "write it in UTF-8")))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreign says why a request isn't taken, or nil. One that only reads, for a page of another site, is nobody's then.
func (s *Server) foreign(w http.ResponseWriter, r *http.Request) error {
	if name := hostname(r.Host); !loopback(name) && (s.host == "" || !strings.EqualFold(name, s.host)) {
		return problem.New("request.host", http.StatusForbidden, lang.F("이 서버 이름으로는 접속할 수 없습니다: %.100q", "it doesn't answer to the name %.100q", r.Host)).
			Hinting(lang.T("localhost나 127.0.0.1로 접속하십시오", "use localhost or 127.0.0.1"))
	}
	elsewhere := false
	if origins := r.Header.Values("Origin"); len(origins) > 0 {
		u, err := url.Parse(origins[0])
		elsewhere = err != nil || len(origins) > 1 || !strings.EqualFold(u.Host, r.Host)
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions {
		if elsewhere {
			if slices.ContainsFunc(doors, func(door string) bool { return strings.HasPrefix(r.URL.Path, door) }) {
				w.Header().Set("Access-Control-Allow-Origin", "*") // never with what says who asks
			}
			r.Header.Del("Cookie")
			r.Header.Del("Authorization")
		}
		return nil
	}
	if site := r.Header.Get("Sec-Fetch-Site"); elsewhere || site == "cross-site" || site == "same-site" {
		return problem.New("request.origin", http.StatusForbidden, lang.T("다른 사이트에서 온 요청은 받지 않습니다", "a request from another site isn't taken"))
	}
	return nil
}

// legible reports whether an address is text, as names and values are everywhere: PostgreSQL takes no other for a question either.
func legible(u *url.URL) bool {
	query, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		query = "" // what isn't escaped as it should be is nobody's parameter
	}
	for _, part := range []string{u.Path, query} {
		if strings.ContainsRune(part, 0) || !utf8.ValidString(part) {
			return false
		}
	}
	return true
}

// hostname is a Host without its port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
}
