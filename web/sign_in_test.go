package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/identity/provider"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web"
	"github.com/maru-city/maru/web/components"
	"github.com/maru-city/maru/web/webtest"
)

// people are who one can be: those who take part in tests, and a caseworker.
var people = []provider.Account{
	account(haneul, "haneul", lang.T("김하늘", "Kim Haneul"), lang.T("27세, 혼자 사는 세입자", "27, a tenant who lives alone")),
	account(minjun, "minjun", lang.T("이민준", "Lee Minjun"), lang.T("33세, 3주 전에 아이가 태어났습니다", "33, whose child was born three weeks ago")),
	account(steward, "register-steward", lang.T("주민등록 데이터 관리자", "Steward of the resident register"), lang.T("주민등록 정보를 관리하고 협약을 승인합니다", "answers for the resident register and approves agreements")),
	account(incomes, "income-steward", lang.T("소득 데이터 관리자", "Steward of incomes"), lang.T("소득·재산 정보를 관리하고 협약을 승인합니다", "answers for incomes and approves agreements")),
	account(privacy, "privacy-officer", lang.T("개인정보 보호책임자", "Privacy officer"), lang.T("개인정보를 읽는 협약을 승인합니다", "approves agreements on personal data")),
	account(author, "housing-author", lang.T("주택정책과 작성자", "Housing author"), lang.T("주택정책과에서 사업과 협약의 선언문을 작성합니다", "writes projects and agreements at the housing office")),
	account(welfare, "welfare-caseworker", lang.T("복지실 담당자", "Welfare caseworker"), lang.T("복지 급여 신청을 처리합니다", "decides applications for welfare benefits")),
	account(caseworker, "housing-caseworker", lang.T("주택정책과 담당자", "Housing caseworker"), lang.T("주거 지원 신청을 처리합니다", "decides applications for housing support")),
	{Name: "housing-app", Title: lang.T("청년 주거 지원 시스템", "Youth housing system"), Kind: identity.Service, Project: "youth-housing", Secret: "s3cret"},
}

func account(p *identity.Principal, name string, title, about lang.Text) provider.Account {
	return provider.Account{Name: name, Title: title, About: about, Kind: p.Kind, Person: p.Person, Agency: p.Agency, Roles: p.Roles}
}

// house is a server as the real one: behind its gates, with sessions and the embedded provider.
type house struct {
	*httptest.Server
	*place
	clock    *clock.Fake // of sessions
	provider *provider.Provider
}

// house puts a server together as cmd/maru does.
func (c *place) house(t testing.TB, secure bool) *house {
	t.Helper()
	webtest.Assets(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &house{place: c, clock: clock.NewFake(time.Now()), Server: &httptest.Server{Listener: l, Config: &http.Server{ReadHeaderTimeout: time.Minute}}}
	base := "http://" + l.Addr().String()
	if secure {
		base = "https://" + l.Addr().String()
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if h.provider, err = provider.New(provider.Options{Base: base, Accounts: people, Key: key, Now: clock.Real{}.Now, Pairwise: func(project, person string) (string, error) {
		return c.exchange.Pseudonym(project, "person", exchange.Person(person))
	}}); err != nil {
		t.Fatal(err)
	}
	sessions, err := identity.OpenSessions(t.Context(), c.db, h.clock.Now, secure)
	if err != nil {
		t.Fatal(err)
	}
	trusting := &http.Client{Timeout: 15 * time.Second}
	gate := &identity.Gate{Sessions: sessions, Provider: identity.NewProvider(identity.Settings{Issuer: h.provider.Issuer(), Redirect: base + identity.CallbackPath}, trusting, clock.Real{}.Now)}
	s := httpd.New(httpd.Options{Title: "Maru", Version: "test", Log: slog.New(slog.DiscardHandler), Who: gate.Wrap})
	c.Serve(s.API())
	c.registry.Serve(s.API(), c.Snapshot, nil, c.exchange.Own)
	c.exchange.Serve(s.API(), nil, "")
	s.Handle(ledger.Path+"/", c.log.Handler())
	pages := web.New(web.Options{
		Demo: true, City: lang.T("하늘시", "Haneul City"), Version: "test", Catalog: c, Records: c.registry, Work: c, Exchange: c.exchange, Requests: c.doors, Services: c.services, Cases: c.cases,
		Gate: gate, Embedded: h.provider, Secure: secure, Now: func() time.Time { return now },
	})
	s.Handle("/", pages)
	s.Handle(provider.Path+"/", h.provider.Handler())
	s.Handle(provider.LoginPath, pages)
	s.Handle(provider.DevicePath, pages)
	h.Config.Handler = s.Handler()
	if secure {
		h.StartTLS()
		trusting.Transport = h.Client().Transport
	} else {
		h.Start()
	}
	t.Cleanup(h.Close)
	return h
}

// visitor is a browser without a screen: it keeps cookies, and follows no redirect by itself.
func (h *house) visitor(t testing.TB) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: h.Client().Transport, CheckRedirect: client.CheckRedirect}
}

// ask sends a request as it is given; a form is posted.
func (h *house) ask(t testing.TB, as *http.Client, method, path string, form url.Values, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, h.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := as.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

// way is where a redirect leads: a path of the server, or the whole address of another.
func (h *house) way(t testing.TB, res *http.Response) string {
	t.Helper()
	to := res.Header.Get("Location")
	if res.StatusCode/100 != 3 || to == "" {
		t.Fatalf("%s: status %d, and no way on", res.Request.URL.Path, res.StatusCode)
	}
	return strings.TrimPrefix(to, h.URL)
}

// callback goes from a page to sign in as far as the provider's way back, and returns that.
func (h *house) callback(t testing.TB, as *http.Client, signIn, account string) string {
	t.Helper()
	res, _ := h.ask(t, as, http.MethodGet, signIn, nil)
	res, _ = h.ask(t, as, http.MethodGet, h.way(t, res), nil) // the provider's own address
	choice := h.way(t, res)
	if res, body := h.ask(t, as, http.MethodGet, choice, nil); res.StatusCode != http.StatusOK || !strings.Contains(body, `value="`+account+`"`) {
		t.Fatalf("%s: status %d", choice, res.StatusCode)
	}
	u, err := url.Parse(choice)
	if err != nil {
		t.Fatal(err)
	}
	res, _ = h.ask(t, as, http.MethodPost, u.Path, url.Values{"sign_in": {u.Query().Get("sign_in")}, "account": {account}})
	res, _ = h.ask(t, as, http.MethodGet, h.way(t, res), nil)
	back := h.way(t, res)
	if !strings.HasPrefix(back, identity.CallbackPath+"?") {
		t.Fatalf("the provider leads to %s", back)
	}
	return back
}

// signIn signs somebody in, and says which page they come to.
func (h *house) signIn(t testing.TB, as *http.Client, signIn, account string) string {
	t.Helper()
	res, _ := h.ask(t, as, http.MethodGet, h.callback(t, as, signIn, account), nil)
	return h.way(t, res)
}

// as is a visitor who is signed in.
func (h *house) as(t testing.TB, account string) *http.Client {
	t.Helper()
	v := h.visitor(t)
	h.signIn(t, v, "/auth/sign-in", account)
	return v
}

// closed reports whether a page is for officials: all of the console but what is open to everyone.
func closed(path string) bool {
	return strings.HasPrefix(path, "/console") && !strings.HasPrefix(path, "/console/datasets/public-toilets/toilets?")
}

func TestWhoIsntSignedInIsSentToSignInAndComesBack(t *testing.T) {
	h := demo(t).house(t, false)
	for _, p := range pages {
		closed := closed(p.path) || strings.HasPrefix(p.path, "/my")
		res, _ := h.ask(t, h.visitor(t), http.MethodGet, p.path, nil)
		if !closed {
			if res.StatusCode != http.StatusOK {
				t.Errorf("%s: status %d", p.path, res.StatusCode)
			}
			continue
		}
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/auth/sign-in?back="+url.QueryEscape(p.path) {
			t.Errorf("%s: status %d, leads to %q", p.path, res.StatusCode, res.Header.Get("Location"))
			continue
		}
		who := "register-steward"
		if strings.HasPrefix(p.path, "/my") {
			who = "haneul"
		}
		v := h.visitor(t)
		if back := h.signIn(t, v, h.way(t, res), who); back != p.path {
			t.Errorf("%s: after signing in one comes to %s", p.path, back)
		}
		if res, _ := h.ask(t, v, http.MethodGet, p.path, nil); res.StatusCode != http.StatusOK && p.name != "not-found" && p.name != "log" {
			t.Errorf("%s: signed in as %s: status %d", p.path, who, res.StatusCode)
		}
	}
}

func TestSignInNeverLeadsToAnotherSite(t *testing.T) {
	h := demo(t).house(t, false)
	for _, back := range []string{
		"https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/%09/evil.example", "javascript:alert(1)", "http:evil.example",
		"/..//evil.example", "/.//evil.example", "/\r\nLocation: https://evil.example", "evil.example", "@evil.example", "/@evil.example", "https:/evil.example", "/%2f/evil.example", "/%5cevil.example", "?x", "", " /my", "/my" + strings.Repeat("x", 3000),
	} {
		to := h.signIn(t, h.visitor(t), "/auth/sign-in?back="+url.QueryEscape(back), "haneul")
		base, err := url.Parse(h.URL)
		if err != nil {
			t.Fatal(err)
		}
		u, err := base.Parse(to)
		if err != nil || u.Scheme != "http" || u.Host != base.Host || strings.HasPrefix(to, "//") || strings.HasPrefix(to, "/\\") {
			t.Errorf("back to %q leads to %q: %v", back, to, err)
		}
	}
	if to := h.signIn(t, h.visitor(t), "/auth/sign-in", "register-steward"); to != "/console" {
		t.Errorf("an official who came from nowhere is led to %s", to)
	}
}

func TestSignInDoesntLeadBackToItself(t *testing.T) {
	h := settled(t).house(t, false)
	v := h.visitor(t)
	res, body := h.ask(t, v, http.MethodGet, identity.CallbackPath+"?code=x&state=y", nil)
	if res.StatusCode != http.StatusBadRequest {
		t.Fatalf("a way back that nobody went: status %d", res.StatusCode)
	}
	if !strings.Contains(body, `href="/auth/sign-in?back=%2F"`) {
		t.Error("the page of a sign-in that failed has no way to begin again")
	}
	if strings.Contains(body, "back="+url.QueryEscape(identity.CallbackPath)) {
		t.Error("signing in again would lead back to the same failure")
	}
	res, _ = h.ask(t, v, http.MethodGet, "/auth/sign-in", nil)
	res, _ = h.ask(t, v, http.MethodGet, h.way(t, res), nil)
	if _, body := h.ask(t, v, http.MethodGet, h.way(t, res), nil); strings.Contains(body, "back=%2Foidc") {
		t.Error("the page on which one chooses who to be leads to itself")
	}
	if to := h.signIn(t, v, "/auth/sign-in?back="+url.QueryEscape("/auth/callback?code=x"), "haneul"); to != "/" {
		t.Errorf("one is led back into signing in: %s", to)
	}
}

func TestTheAPIRefusesWhoSendsNoToken(t *testing.T) {
	h := demo(t).house(t, false)
	for _, x := range []struct{ method, path, body string }{
		{"GET", "/api/v1/me", ""},
		{"GET", "/api/v1/me/receipts", ""},
		{"GET", "/api/v1/receipts/0", ""},
		{"GET", "/api/v1/me/consents", ""},
		{"POST", "/api/v1/me/consents", `{"agreement":"youth-housing/household-income"}`},
		{"DELETE", "/api/v1/me/consents?agreement=youth-housing/household-income", ""},
		{"GET", "/api/v1/agreements", ""},
		{"GET", "/api/v1/agreements/youth-housing/residents", ""},
		{"GET", "/api/v1/agreements/no/such", ""},
		{"POST", "/api/v1/agreements/youth-housing/household-income/approve", `{}`},
		{"POST", "/api/v1/reads", `{"agreement":"youth-housing/residents","purpose":"eligibility","subject":"x"}`},
		{"PUT", "/api/v1/agencies/health/cut-off", `{"note":"x"}`},
		{"GET", "/api/v1/resources", ""},
	} {
		for _, given := range []string{"", "Bearer x", "Bearer ", "bearer x.y.z"} {
			r, err := http.NewRequestWithContext(t.Context(), x.method, h.URL+x.path, strings.NewReader(x.body))
			if err != nil {
				t.Fatal(err)
			}
			if x.body != "" {
				r.Header.Set("Content-Type", "application/json")
			}
			if given != "" {
				r.Header.Set("Authorization", given)
			}
			res, err := h.visitor(t).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			var p struct {
				Status       int
				Code, Detail string
			}
			err = json.NewDecoder(res.Body).Decode(&p)
			res.Body.Close()
			want := "auth.needed"
			if given != "" {
				want = "auth.token"
			}
			if err != nil || res.StatusCode != http.StatusUnauthorized || res.Header.Get("Content-Type") != "application/problem+json" || p.Status != 401 || p.Code != want || p.Detail == "" {
				t.Errorf("%s %s with %q: %d %s %+v %v", x.method, x.path, given, res.StatusCode, res.Header.Get("Content-Type"), p, err)
			}
		}
	}
}

func TestAfterSignOutTheFormerCookieIsRefused(t *testing.T) {
	h := demo(t).house(t, false)
	v := h.as(t, "haneul")
	at, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	former := v.Jar.Cookies(at)
	h.clock.Advance(16 * time.Minute) // the cookie is exchanged for another; both are of this sign-in
	if res, _ := h.ask(t, v, http.MethodGet, "/my", nil); res.StatusCode != http.StatusOK {
		t.Fatalf("before: status %d", res.StatusCode)
	}
	latter := v.Jar.Cookies(at)
	if len(former) != 1 || len(latter) != 1 || former[0].Value == latter[0].Value {
		t.Fatalf("the cookies were %v, then %v", former, latter)
	}
	if res, _ := h.ask(t, v, http.MethodGet, "/auth/sign-out", nil); res.StatusCode == http.StatusSeeOther {
		t.Error("a mere link signs people out")
	}
	res, _ := h.ask(t, v, http.MethodPost, "/auth/sign-out", url.Values{})
	for range 3 { // by way of the provider
		if to := h.way(t, res); to == "/" {
			break
		} else if res, _ = h.ask(t, v, http.MethodGet, to, nil); res.StatusCode == http.StatusOK {
			t.Fatalf("signing out ends at %s", to)
		}
	}
	if left := v.Jar.Cookies(at); len(left) != 0 {
		t.Errorf("the browser keeps %v", left)
	}
	for _, c := range append(former, latter...) {
		old := h.visitor(t)
		old.Jar.SetCookies(at, []*http.Cookie{c})
		if res, _ := h.ask(t, old, http.MethodGet, "/my", nil); res.StatusCode != http.StatusSeeOther {
			t.Errorf("the cookie of before still opens the page: status %d", res.StatusCode)
		}
		if res, _ := h.ask(t, old, http.MethodGet, "/api/v1/me", nil); res.StatusCode != http.StatusUnauthorized {
			t.Errorf("the cookie of before still opens the API: status %d", res.StatusCode)
		}
	}
}

func TestSigningInAsAnotherEndsTheFormerSession(t *testing.T) {
	h := demo(t).house(t, false)
	v := h.as(t, "haneul")
	at, err := url.Parse(h.URL)
	if err != nil {
		t.Fatal(err)
	}
	former := v.Jar.Cookies(at)
	h.signIn(t, v, "/auth/sign-in", "register-steward")
	if _, body := h.ask(t, v, http.MethodGet, "/api/v1/me", nil); !strings.Contains(body, "register-steward") {
		t.Errorf("one is now %s", body)
	}
	old := h.visitor(t)
	old.Jar.SetCookies(at, former)
	if res, _ := h.ask(t, old, http.MethodGet, "/my", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the session of who was here before still holds: status %d", res.StatusCode)
	}
}

func TestASessionEndsByItself(t *testing.T) {
	h := demo(t).house(t, false)
	v := h.as(t, "haneul")
	h.clock.Advance(61 * time.Minute)
	if res, _ := h.ask(t, v, http.MethodGet, "/my", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after an hour without use: status %d", res.StatusCode)
	}
	v = h.as(t, "haneul")
	for range 16 {
		h.clock.Advance(29 * time.Minute)
		h.ask(t, v, http.MethodGet, "/my", nil)
	}
	h.clock.Advance(20 * time.Minute)
	if res, _ := h.ask(t, v, http.MethodGet, "/my", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after eight hours in use: status %d", res.StatusCode)
	}
}

func TestCookiesAreOutOfReach(t *testing.T) {
	c := demo(t)
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("secure-%v", secure), func(t *testing.T) {
			h := c.house(t, secure)
			v := h.visitor(t)
			var set []*http.Cookie
			keep := func(res *http.Response) *http.Response { set = append(set, res.Cookies()...); return res }
			res, _ := h.ask(t, v, http.MethodGet, "/auth/sign-in?back=/my", nil)
			keep(res)
			res, _ = h.ask(t, v, http.MethodGet, h.callback(t, v, "/auth/sign-in?back=/my", "haneul"), nil)
			keep(res)
			res, _ = h.ask(t, v, http.MethodGet, "/my?lang=en", nil)
			if res.StatusCode != http.StatusOK {
				t.Fatalf("signed in: status %d", res.StatusCode)
			}
			keep(res)
			h.clock.Advance(16 * time.Minute)
			res, _ = h.ask(t, v, http.MethodGet, "/my", nil)
			keep(res)
			res, _ = h.ask(t, v, http.MethodPost, "/auth/sign-out", url.Values{})
			keep(res)
			names := map[string]bool{}
			for _, c := range set {
				names[c.Name] = true
				if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure != secure || c.Domain != "" {
					t.Errorf("%s", c.Raw)
				}
			}
			session := "maru"
			if secure {
				session = "__Host-maru"
			}
			if !names[session] || !names["maru_sign_in"] || !names["maru_lang"] {
				t.Errorf("cookies: %v", names)
			}
		})
	}
}

func TestAnotherSiteCantMakeABrowserActForWhoIsSignedIn(t *testing.T) {
	h := demo(t).house(t, false)
	v, officer := h.as(t, "haneul"), h.as(t, "income-steward")
	const agreement = "/console/agreements/youth-housing/household-income"
	h.approve(t, "household-income")
	for name, header := range map[string][]string{
		"another origin": {"Origin", "https://evil.example"}, "no origin": {"Origin", "null"}, "another port": {"Origin", "http://127.0.0.1:1"}, "another scheme's host": {"Origin", strings.Replace(h.URL, "127.0.0.1", "localhost", 1)},
		"cross-site": {"Sec-Fetch-Site", "cross-site"}, "same-site": {"Sec-Fetch-Site", "same-site"}, "cross-site, though of our origin": {"Sec-Fetch-Site", "cross-site", "Origin", h.URL},
	} {
		for _, x := range []struct {
			who  *http.Client
			path string
			form url.Values
		}{
			{officer, agreement, url.Values{"action": {"revoke"}, "note": {"x"}}},
			{v, "/my/consents", url.Values{"agreement": {"youth-housing/household-income"}, "answer": {"yes"}}},
			{v, "/auth/sign-out", url.Values{}},
			{v, "/oidc/login", url.Values{"sign_in": {"x"}, "account": {"haneul"}}},
			{v, "/oidc/device", url.Values{"user_code": {"x"}, "account": {"haneul"}}},
		} {
			if res, _ := h.ask(t, x.who, http.MethodPost, x.path, x.form, header...); res.StatusCode != http.StatusForbidden {
				t.Errorf("%s: POST %s: status %d", name, x.path, res.StatusCode)
			}
		}
	}
	if s, _, err := h.exchange.Agreement(t.Context(), "youth-housing", "household-income"); err != nil || s.Holds == nil {
		t.Errorf("the agreement was changed: %v", err)
	}
	if given, err := h.exchange.Consents(t.Context(), haneul); err != nil || len(given) != 0 {
		t.Errorf("consents: %v %v", given, err)
	}
	if res, _ := h.ask(t, v, http.MethodGet, "/my", nil); res.StatusCode != http.StatusOK {
		t.Errorf("one was signed out: status %d", res.StatusCode)
	}
	// From our own pages, and with neither header (a program without a browser), the same goes through.
	for _, header := range [][]string{{"Origin", h.URL, "Sec-Fetch-Site", "same-origin"}, nil} {
		if res, _ := h.ask(t, v, http.MethodPost, "/my/consents", url.Values{"agreement": {"youth-housing/household-income"}, "answer": {"yes"}}, header...); res.StatusCode != http.StatusSeeOther {
			t.Errorf("%v: status %d", header, res.StatusCode)
		}
	}
	// A link from elsewhere opens a page.
	if res, _ := h.ask(t, v, http.MethodGet, "/my", nil, "Sec-Fetch-Site", "cross-site"); res.StatusCode != http.StatusOK {
		t.Errorf("a link from another site: status %d", res.StatusCode)
	}
	if res, _ := h.ask(t, v, http.MethodGet, "/my", nil, "Origin", "https://evil.example"); res.StatusCode == http.StatusOK || res.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a script of another site: status %d %v", res.StatusCode, res.Header)
	}
}

func TestACitizenHasNoBusinessInTheConsole(t *testing.T) {
	h := demo(t).house(t, false)
	v := h.as(t, "haneul")
	for _, p := range pages {
		res, body := h.ask(t, v, http.MethodGet, p.path, nil)
		if want := closed(p.path); want != (res.StatusCode == http.StatusForbidden) {
			t.Errorf("%s: status %d", p.path, res.StatusCode)
		} else if want && !strings.Contains(body, "auth.refused") {
			t.Errorf("%s doesn't say why", p.path)
		}
		if strings.Contains(body, `href="/console"`) {
			t.Errorf("%s leads a citizen to the console", p.path)
		}
	}
	if res, _ := h.ask(t, v, http.MethodPost, "/console/agreements/youth-housing/household-income", url.Values{"action": {"approve"}}); res.StatusCode != http.StatusForbidden {
		t.Errorf("approving: status %d", res.StatusCode)
	}
	if res, _ := h.ask(t, h.visitor(t), http.MethodPost, "/console/agreements/youth-housing/household-income", url.Values{"action": {"approve"}}); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("approving as nobody: status %d", res.StatusCode)
	}
	if res, _ := h.ask(t, h.as(t, "privacy-officer"), http.MethodGet, "/my", nil); res.StatusCode != http.StatusForbidden {
		t.Errorf("an official at a citizen's page: status %d", res.StatusCode)
	}
}

func TestTheMenuLeadsOnlyWhereOneMayGo(t *testing.T) {
	h := demo(t).house(t, false)
	links := func(body string) (out []string) {
		for _, part := range strings.Split(body, `<a href="`)[1:] {
			if to, _, _ := strings.Cut(part, `"`); strings.HasPrefix(to, "/") && !slices.Contains(out, to) && !strings.Contains(to, "lang=") {
				out = append(out, to)
			}
		}
		return out
	}
	for _, who := range []string{"register-steward", "privacy-officer", "housing-caseworker", "housing-author"} {
		v := h.as(t, who)
		_, body := h.ask(t, v, http.MethodGet, "/console", nil)
		menu := links(body)
		if len(menu) < 5 {
			t.Fatalf("%s: the menu has only %v", who, menu)
		}
		for _, to := range append(menu, "/console/datasets/resident-registry/residents") {
			if res, _ := h.ask(t, v, http.MethodGet, to, nil); res.StatusCode != http.StatusOK {
				t.Errorf("%s is led to %s: status %d", who, to, res.StatusCode)
			}
		}
		if has, may := slices.Contains(menu, "/console/log"), who == "privacy-officer"; has != may {
			t.Errorf("%s has the log in the menu: %v", who, has)
		}
	}
	v := h.as(t, "housing-caseworker") // may see the catalog, but not who reads what
	if _, body := h.ask(t, v, http.MethodGet, "/console/datasets/resident-registry/residents?tab=readers", nil); strings.Contains(body, "youth-housing/residents") {
		t.Error("a dataset's page tells who reads it to whom the list of agreements is closed")
	}
}

func TestASignInsWayBackIsGoodOnceAndForOneBrowser(t *testing.T) {
	h := settled(t).house(t, false)
	at, err := url.Parse(h.URL + identity.CallbackPath)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, v *http.Client, back string) {
		t.Helper()
		res, body := h.ask(t, v, http.MethodGet, back, nil)
		if res.StatusCode != http.StatusBadRequest || !strings.Contains(body, "auth.sign_in") {
			t.Errorf("%s: status %d", what, res.StatusCode)
		}
		for _, c := range res.Cookies() {
			if c.Name == "maru" {
				t.Errorf("%s: it begins a session", what)
			}
		}
	}
	v := h.visitor(t)
	back := h.callback(t, v, "/auth/sign-in", "haneul")
	flow := v.Jar.Cookies(at)
	copied := func() *http.Client {
		other := h.visitor(t)
		other.Jar.SetCookies(at, flow)
		return other
	}
	refused("in another browser (login CSRF)", h.visitor(t), back)
	u, err := url.Parse(back)
	if err != nil {
		t.Fatal(err)
	}
	with := func(name, value string) string {
		q := u.Query()
		if value == "" {
			q.Del(name)
		} else {
			q.Set(name, value)
		}
		return u.Path + "?" + q.Encode()
	}
	refused("with another state", copied(), with("state", "x"))
	refused("without a state", copied(), with("state", ""))
	refused("without a code", copied(), with("code", ""))
	refused("with a made-up code", copied(), with("code", "x"))
	another := h.callback(t, h.visitor(t), "/auth/sign-in", "register-steward")
	stolen, err := url.Parse(another)
	if err != nil {
		t.Fatal(err)
	}
	refused("with the code of another's sign-in (PKCE)", copied(), with("code", stolen.Query().Get("code")))
	if res, _ := h.ask(t, v, http.MethodGet, back, nil); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the right way: status %d", res.StatusCode)
	}
	refused("once more", v, back)
	refused("once more, with the cookie that was copied", copied(), back)
}

func TestWhatIsShownToWhoIsSignedInIsKeptNowhere(t *testing.T) {
	h := demo(t).house(t, false)
	v, officer := h.as(t, "haneul"), h.as(t, "privacy-officer")
	for path, who := range map[string]*http.Client{"/my": v, "/my/receipts/0": v, "/": v, "/console": officer, "/nowhere": v, "/api/v1/me": v, "/api/v1/receipts/0": v} {
		if res, _ := h.ask(t, who, http.MethodGet, path, nil); res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %q", path, res.Header.Get("Cache-Control"))
		}
	}
	if res, _ := h.ask(t, h.visitor(t), http.MethodGet, "/", nil); res.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the page for everyone: %q", res.Header.Get("Cache-Control"))
	}
}

func TestWhatTheStartOffersIsThereForEveryone(t *testing.T) {
	h := demo(t).house(t, false)
	_, body := h.ask(t, h.visitor(t), http.MethodGet, "/", nil)
	const path = `href="/data/`
	offered := strings.Split(body, path)[1:]
	if len(offered) < 3 {
		t.Fatalf("the start offers %d datasets", len(offered))
	}
	for name, v := range map[string]*http.Client{"nobody": h.visitor(t), "a citizen": h.as(t, "haneul")} {
		for _, part := range offered {
			name2, _, _ := strings.Cut(part, `"`)
			for _, tab := range []string{"", "?tab=profile", "/profile", "?tab=sample", "?tab=api", "?tab=imports", "?tab=readers", "?tab=versions"} {
				res, body := h.ask(t, v, http.MethodGet, "/console/datasets/"+name2+tab, nil)
				if res.StatusCode != http.StatusOK {
					t.Errorf("%s at %s%s: status %d", name, name2, tab, res.StatusCode)
				}
				for _, closed := range []string{`href="/console"`, `href="/console/terms`, `href="/console/agencies`, `href="/console/projects`, `id="tab-imports"`, `id="tab-readers"`, "register-steward"} {
					if strings.Contains(body, closed) {
						t.Errorf("%s at %s%s is led to what is closed: %s", name, name2, tab, closed)
					}
				}
			}
			if res, body := h.ask(t, v, http.MethodGet, "/data/"+name2, nil); res.StatusCode != http.StatusOK || strings.Contains(body, "register-steward") || !strings.Contains(body, `"@type":"Dataset"`) {
				t.Errorf("%s at /data/%s: status %d", name, name2, res.StatusCode)
			}
			if res, _ := h.ask(t, v, http.MethodGet, "/api/v1/datasets/"+name2+"/records?as=csv", nil); res.StatusCode != http.StatusOK {
				t.Errorf("%s can't download %s: status %d", name, name2, res.StatusCode)
			}
		}
	}
	if res, _ := h.ask(t, h.visitor(t), http.MethodGet, "/console/datasets/public-toilets/toilets/imports", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the imports of an open dataset: status %d", res.StatusCode)
	}
}

func TestInternalValuesAreShownToTheirOwnersPeopleOnly(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	shown := 0
	for _, d := range c.Snapshot().Datasets() {
		internal := slices.IndexFunc(d.Fields, func(f catalog.Field) bool { return f.Class == manifest.Internal })
		owners := c.Snapshot().Place(d.Project).Owners
		if internal < 0 || len(owners) == 0 {
			continue
		}
		name := d.Fields[internal].Name
		for _, agency := range []string{owners[0], "another"} {
			r := asked{c.registry, map[string]bool{}}
			s := httptest.NewServer(handler(c, r, &identity.Principal{Kind: identity.Official, Account: "x", Agency: agency, Roles: []identity.Role{identity.Analyst}}))
			get(t, s.URL+"/console/datasets/"+d.Path()+"?tab=sample")
			_, profile := get(t, s.URL+"/console/datasets/"+d.Path()+"/profile")
			s.Close()
			if r.fields[name] && agency == "another" {
				t.Errorf("%s of %s is read for an official of another agency", name, d.Path())
			}
			if r.fields[name] {
				shown++
			}
			if agency == "another" && !strings.Contains(profile, components.Masked) && strings.Contains(profile, name) {
				t.Errorf("%s of %s is in the profile for an official of another agency", name, d.Path())
			}
		}
	}
	if shown == 0 {
		t.Error("nobody was shown an internal field: the test proves nothing")
	}
}

func TestSigningOutMayLeadToTheProviderElsewhere(t *testing.T) {
	webtest.Assets(t)
	c := settled(t)
	for issuer, want := range map[string]string{
		"https://sso.city.example/realms/city": "form-action 'self' https://sso.city.example;", "https://sso.city.example:8443": "form-action 'self' https://sso.city.example:8443;",
		"https://x y; script-src *": "form-action 'self';", "javascript:alert(1)": "form-action 'self';",
	} {
		gate := &identity.Gate{Provider: identity.NewProvider(identity.Settings{Issuer: issuer}, http.DefaultClient, clock.Real{}.Now)}
		w := httptest.NewRecorder()
		web.New(web.Options{Catalog: c, Records: c.registry, Exchange: c.exchange, Gate: gate, Now: time.Now}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		if got := w.Header().Get("Content-Security-Policy"); !strings.Contains(got, want) {
			t.Errorf("%s: %s", issuer, got)
		}
	}
}
