package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/identity/provider"
)

// signIn says who may be asked for: the provider that the settings name; the embedded one in the demo; or nobody: then whoever reaches the loopback address
// is the one who keeps it.
func (s *server) openSignIn(ctx context.Context, c config, address string) error {
	base := c.URL
	if base == "" {
		base = "http://" + address
		if c.TLSCert != "" {
			base = "https://" + address
		}
	}
	base = strings.TrimRight(base, "/")
	at, err := url.Parse(base)
	if err != nil || at.Host == "" || (at.Scheme != "http" && at.Scheme != "https") {
		return problem.New("config.url", 400, lang.F("주소가 아닙니다: %q", "%q is no address", c.URL)).Hinting(lang.T("https://maru.city.example처럼 쓰세요", "write it as https://maru.city.example"))
	}
	s.base, s.secure = base, at.Scheme == "https"
	s.gate = &identity.Gate{}
	if s.gate.Sessions, err = identity.OpenSessions(ctx, s.db, clock.Real{}.Now, s.secure); err != nil {
		return err
	}
	settings := identity.Settings{Issuer: c.Identity.Issuer, ClientID: c.Identity.ClientID, Audience: c.Identity.Audience, Claims: c.Identity.Claims, Redirect: base + identity.CallbackPath}
	switch {
	case c.Demo:
		if s.embedded, err = provider.New(provider.Options{Base: base, Accounts: s.demoAccounts(), Key: s.keys.Tokens(), Now: clock.Real{}.Now, Pairwise: s.pairwise}); err != nil {
			return err
		}
		settings = identity.Settings{Issuer: s.embedded.Issuer(), Redirect: base + identity.CallbackPath}
	case settings.Issuer == "":
		s.gate.Keeper = identity.Itself("local")
		return nil
	case c.Identity.Secret != "":
		secret, err := os.ReadFile(c.Identity.Secret)
		if err != nil {
			return problem.New("config.secret", 400, lang.F("client_secret_file을 읽을 수 없습니다: %s", "client_secret_file can't be read: %s", reason(err)))
		}
		settings.Secret = strings.TrimSpace(string(secret))
	}
	s.issuer = settings.Issuer
	s.gate.Provider = identity.NewProvider(settings, &http.Client{Timeout: 15 * time.Second}, clock.Real{}.Now)
	return nil
}

// pairwise is what a project calls a person: the subject in tokens for its clients.
func (s *server) pairwise(project, person string) (string, error) {
	return s.keys.Pseudonym(project, "person", person)
}

// anywhere reports whether a server may listen on addresses that others reach: people sign in, and nobody between can read along. TLS is its
// own, or that of a proxy, which url then names.
func (c config) anywhere() bool {
	return !c.Demo && c.Identity.Issuer != "" && (c.TLSCert != "" || strings.HasPrefix(c.URL, "https://"))
}

// overTLS wraps a listener in TLS where the settings name a certificate.
func overTLS(c config, l net.Listener) (net.Listener, error) {
	if c.TLSCert == "" && c.TLSKey == "" {
		return l, nil
	}
	pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, problem.New("config.tls", 400, lang.F("TLS 인증서나 개인 키를 읽을 수 없습니다: %s", "the TLS certificate or its key can't be read: %s", err.Error())).
			Hinting(lang.T("--tls-cert와 --tls-key의 파일을 확인하세요", "check the files of --tls-cert and --tls-key"))
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}), nil
}

// demoAccounts are the people of the demo.
func (s *server) demoAccounts() []provider.Account {
	officials := []provider.Account{
		{Name: "housing-author", Title: lang.T("주택정책과 작성자", "Housing author"), About: lang.T("주택정책과에서 사업과 협약의 선언문을 작성합니다", "writes projects and agreements at the housing office"), Agency: "housing-policy", Roles: []identity.Role{identity.Author}},
		{Name: "housing-caseworker", Title: lang.T("주택정책과 담당자", "Housing caseworker"), About: lang.T("주거 지원 신청을 처리합니다", "decides applications for housing support"), Agency: "housing-policy", Roles: []identity.Role{identity.Caseworker}},
		{Name: "family-caseworker", Title: lang.T("여성가족실 담당자", "Family caseworker"), About: lang.T("출산과 양육 지원 신청을 처리합니다", "decides applications for births and children"), Agency: "women-family", Roles: []identity.Role{identity.Caseworker}},
		{Name: "welfare-caseworker", Title: lang.T("복지실 담당자", "Welfare caseworker"), About: lang.T("복지 급여 신청을 처리합니다", "decides applications for welfare benefits"), Agency: "welfare", Roles: []identity.Role{identity.Caseworker}},
		{Name: "register-steward", Title: lang.T("주민등록 데이터 관리자", "Steward of the resident register"), About: lang.T("주민등록 정보를 관리하고 협약을 승인합니다", "answers for the resident register and approves agreements"), Agency: "administration", Roles: []identity.Role{identity.Steward}},
		{Name: "income-steward", Title: lang.T("소득 데이터 관리자", "Steward of incomes"), About: lang.T("소득·재산 정보를 관리하고 협약을 승인합니다", "answers for incomes and assets and approves agreements"), Agency: "finance", Roles: []identity.Role{identity.Steward}},
		{Name: "privacy-officer", Title: lang.T("개인정보 보호책임자", "Privacy officer"), About: lang.T("개인정보를 열람하는 협약을 승인합니다", "approves agreements on personal data"), Agency: "planning", Roles: []identity.Role{identity.Privacy}},
		{Name: "governance-officer", Title: lang.T("데이터 거버넌스 담당관", "Governance officer"), About: lang.T("사업과 협약을 검토합니다", "reviews projects and agreements"), Agency: "digital-city", Roles: []identity.Role{identity.Governance}},
		{Name: "analyst", Title: lang.T("정책 분석가", "Analyst"), About: lang.T("협약에 따라 받은 자료를 분석합니다", "analyses data under agreements"), Agency: "planning", Roles: []identity.Role{identity.Analyst}},
		{Name: "admin", Title: lang.T("운영자", "Administrator"), About: lang.T("플랫폼을 운영합니다", "keeps the platform running"), Agency: "digital-city", Roles: []identity.Role{identity.Administrator}},
	}
	out := []provider.Account{}
	about := map[string]lang.Text{
		"haneul": lang.T("27세, 혼자 사는 세입자", "27, a tenant who lives alone"),
		"minjun": lang.T("33세, 3주 전에 아이가 태어났습니다", "33, whose child was born three weeks ago"),
		"sunja":  lang.T("이번 달에 65세가 되었습니다", "turned 65 this month"),
	}
	for _, k := range city.People(s.demo.Seed, s.demo.Residents, s.demo.AsOf).Demo() {
		out = append(out, provider.Account{Name: k.Account, Title: lang.T(k.Name, k.Name), About: about[k.Account], Kind: identity.Citizen, Person: strconv.FormatInt(k.Number, 10)})
	}
	for _, o := range officials {
		o.Kind = identity.Official
		out = append(out, o)
	}
	return append(out, provider.Account{Name: "housing-app", Title: lang.T("청년 주거 지원 시스템", "Youth housing system"), Kind: identity.Service, Project: "youth-housing", Secret: provider.Secret(s.keys.Tokens(), "housing-app")})
}

// describe says where tokens for this server come from (RFC 9728): nowhere, where it is used without signing in.
func (s *server) describe(w http.ResponseWriter, _ *http.Request) {
	about := map[string]any{"resource": s.base, "authorization_servers": []string{}, "bearer_methods_supported": []string{"header"}}
	if s.issuer != "" {
		about["authorization_servers"] = []string{s.issuer}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(about) // the client went away: nobody to tell
}

// serveSignIn mounts the embedded provider, and a way for scripts to get a token of one of its people.
func (s *server) serveSignIn(pages http.Handler) {
	s.http.Handle("GET /.well-known/oauth-protected-resource", http.HandlerFunc(s.describe))
	if s.embedded == nil {
		return
	}
	s.http.Handle(provider.Path+"/", s.embedded.Handler())
	s.http.Handle(provider.LoginPath, pages)
	s.http.Handle(provider.DevicePath, pages)
	s.http.Handle("POST "+provider.Path+"/demo-token", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 4096)
		token, err := s.embedded.Token(r.PostFormValue("as"))
		if err != nil {
			httpd.Fail(w, r, err)
			return
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write([]byte(token)) // the client went away: nobody to tell
	}))
}
