package provider_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/identity/provider"
)

var accounts = []provider.Account{
	{Name: "haneul", Title: lang.T("김하늘", "Kim Haneul"), Kind: identity.Citizen, Person: "pabcdefghijkl"},
	{Name: "register-steward", Title: lang.T("주민등록 담당", "Register steward"), Kind: identity.Official, Agency: "administration", Roles: []identity.Role{identity.Steward}},
	{Name: "housing-app", Title: lang.T("청년 주거", "Youth housing"), Kind: identity.Service, Project: "youth-housing", Secret: "s3cret"},
}

// house is a server with the provider, sign-in and a page that says who one is.
type house struct {
	*httptest.Server
	provider *provider.Provider
	trust    *identity.Provider
	key      *ecdsa.PrivateKey
	clock    *clock.Fake
	idToken  string // of the last sign-in
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{clock: clock.NewFake(time.Now())}
	mux := http.NewServeMux()
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	var err error
	if h.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	h.provider, err = provider.New(provider.Options{
		Base: h.URL, Accounts: accounts, Key: h.key, Now: h.clock.Now,
		Pairwise: func(project, person string) (string, error) { return "p-of-" + project, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.trust = identity.NewProvider(identity.Settings{Issuer: h.provider.Issuer(), Redirect: h.URL + identity.CallbackPath}, http.DefaultClient, h.clock.Now)
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "maru.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	sessions, err := identity.OpenSessions(t.Context(), d, h.clock.Now, false)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle(provider.Path+"/", h.provider.Handler())
	mux.HandleFunc("GET "+provider.LoginPath, func(w http.ResponseWriter, r *http.Request) { // the page, already answered
		to, err := h.provider.Choose(r.URL.Query().Get("sign_in"), "haneul")
		if err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
	})
	mux.HandleFunc("GET /auth/sign-in", func(w http.ResponseWriter, r *http.Request) {
		if err := h.trust.SignIn(w, r, r.URL.Query().Get("back"), false); err != nil {
			http.Error(w, err.Error(), 500)
		}
	})
	mux.HandleFunc("GET "+identity.CallbackPath, func(w http.ResponseWriter, r *http.Request) {
		p, token, back, err := h.trust.Callback(w, r)
		if err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		h.idToken = token
		if err := sessions.Begin(w, r, p, token); err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
	})
	gate := &identity.Gate{Provider: h.trust, Sessions: sessions}
	mux.Handle("/", gate.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := identity.From(r.Context())
		fmt.Fprintf(w, "%s|%s|%s|%s|%s|%v|%s", p.Kind, p.Account, p.Person, p.Agency, p.Project, p.Roles, r.URL.Path)
	})))
	return h
}

func fetch(t *testing.T, c *http.Client, address string, header ...string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func browser(t *testing.T) *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func TestAPersonSignsIn(t *testing.T) {
	h := open(t)
	b := browser(t)
	if _, body := fetch(t, b, h.URL+"/x"); body != "|||||[]|/x" {
		t.Errorf("before: %s", body)
	}
	if status, body := fetch(t, b, h.URL+"/auth/sign-in?back=/y"); status != 200 || body != "citizen|haneul|pabcdefghijkl|||[]|/y" {
		t.Errorf("after: %d %s", status, body)
	}
	for _, back := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""} {
		if status, body := fetch(t, browser(t), h.URL+"/auth/sign-in?back="+url.QueryEscape(back)); status != 200 || !strings.HasSuffix(body, "|/") {
			t.Errorf("back to %q: %d %s", back, status, body)
		}
	}
}

func TestASignInCantBeForgedOrReplayed(t *testing.T) {
	h := open(t)
	b := browser(t)
	last := ""
	b.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == identity.CallbackPath {
			last = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	fetch(t, b, h.URL+"/auth/sign-in")
	if last == "" {
		t.Fatal("no way back")
	}
	if status, body := fetch(t, browser(t), last); status != 400 || !strings.Contains(body, "auth.sign_in") {
		t.Errorf("the way back in another browser (login CSRF): %d %s", status, body)
	}
	forged := strings.Replace(last, "state=", "state=x", 1)
	copied := browser(t)
	u, err := url.Parse(h.URL + identity.CallbackPath)
	if err != nil {
		t.Fatal(err)
	}
	copied.Jar.SetCookies(u, b.Jar.Cookies(u))
	if status, _ := fetch(t, copied, forged); status != 400 {
		t.Errorf("another state: %d", status)
	}
	copied.Jar.SetCookies(u, b.Jar.Cookies(u))
	b.CheckRedirect = nil
	if status, body := fetch(t, b, last); status != 200 || !strings.HasPrefix(body, "citizen|haneul") {
		t.Fatalf("the right way: %d %s", status, body)
	}
	if status, _ := fetch(t, copied, last); status != 400 {
		t.Errorf("the same code again: %d", status)
	}
}

func TestAnIDTokenIsNoTokenForTheAPI(t *testing.T) {
	h := open(t)
	if status, body := fetch(t, browser(t), h.URL+"/auth/sign-in?back=/y"); status != 200 || h.idToken == "" {
		t.Fatal(status, body)
	}
	status, body := fetch(t, http.DefaultClient, h.URL+"/x", "Authorization", "Bearer "+h.idToken)
	if status != 401 || !strings.Contains(body, `"auth.token"`) {
		t.Errorf("%d %s", status, body)
	}
}

func TestAServiceAccountAsksForItself(t *testing.T) {
	h := open(t)
	c := clientcredentials.Config{ClientID: "housing-app", ClientSecret: "s3cret", TokenURL: h.URL + "/oidc/oauth/token"}
	token, err := c.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if status, body := fetch(t, http.DefaultClient, h.URL+"/x", "Authorization", "Bearer "+token.AccessToken); status != 200 || body != "service|housing-app|||youth-housing|[]|/x" {
		t.Errorf("%d %s", status, body)
	}
	c.ClientSecret = "wrong"
	if _, err := c.Token(t.Context()); err == nil {
		t.Error("a wrong secret gives a token")
	}
	for _, name := range []string{"haneul", "maru", "maru-cli"} {
		c.ClientID, c.ClientSecret = name, ""
		if _, err := c.Token(t.Context()); err == nil {
			t.Errorf("%s gives a token", name)
		}
	}
}

func TestACommandLineIsAllowedByCode(t *testing.T) {
	h := open(t)
	c := oauth2.Config{ClientID: provider.CLIClient, Endpoint: oauth2.Endpoint{DeviceAuthURL: h.URL + "/oidc/device_authorization", TokenURL: h.URL + "/oidc/oauth/token", AuthStyle: oauth2.AuthStyleInParams}}
	asked, err := c.DeviceAuth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(asked.VerificationURI, h.URL+provider.DevicePath) {
		t.Errorf("the page for codes is at %s", asked.VerificationURI)
	}
	asked.Interval = 1
	if err := h.provider.Allow("WRONG", "register-steward"); problem.Code(err) != "auth.device" {
		t.Errorf("a wrong code: %v", err)
	}
	if err := h.provider.Allow(strings.ToLower(asked.UserCode), "register-steward"); err != nil {
		t.Fatal(err)
	}
	if err := h.provider.Allow(asked.UserCode, "haneul"); problem.Code(err) != "auth.device" {
		t.Errorf("the same code again: %v", err)
	}
	token, err := c.DeviceAccessToken(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := fetch(t, http.DefaultClient, h.URL+"/x", "Authorization", "Bearer "+token.AccessToken); status != 200 || body != "official|register-steward||administration||[steward]|/x" {
		t.Errorf("%d %s", status, body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := c.DeviceAccessToken(ctx, asked); err == nil {
		t.Error("a device code gives a second token")
	}
}

func TestTokensThatArentRightAreRefused(t *testing.T) {
	h := open(t)
	good, err := h.provider.Token("register-steward")
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	claims := func(change map[string]any) map[string]any {
		out := map[string]any{"iss": h.provider.Issuer(), "sub": "x", "aud": "maru", "exp": h.clock.Now().Add(time.Hour).Unix(), "maru_kind": "official", "maru_agency": "a", "maru_roles": []string{"administrator"}}
		for k, v := range change {
			out[k] = v
		}
		return out
	}
	sign := func(key any, alg jose.SignatureAlgorithm, change map[string]any) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "maru"))
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.Signed(signer).Claims(claims(change)).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"another's key": sign(other, jose.ES256, nil), "expired": sign(h.key, jose.ES256, map[string]any{"exp": h.clock.Now().Add(-time.Minute).Unix()}),
		"an ID token, by its type": sign(h.key, jose.ES256, map[string]any{"typ": "ID"}), "an ID token, by the hash of another": sign(h.key, jose.ES256, map[string]any{"at_hash": "x"}),
		"for somebody else": sign(h.key, jose.ES256, map[string]any{"aud": "another"}), "by another issuer": sign(h.key, jose.ES256, map[string]any{"iss": "https://evil.example"}),
		"the public key as a secret": sign(h.key.X.Bytes(), jose.HS256, nil), "no signature": parts[0] + "." + parts[1] + ".", "changed": parts[0] + "." + parts[1][:len(parts[1])-2] + "AA." + parts[2],
		"no algorithm": "eyJhbGciOiJub25lIn0." + parts[1] + ".", "nonsense": "x", "empty": "", "too long": strings.Repeat("a", 20_000),
	} {
		status, body := fetch(t, http.DefaultClient, h.URL+"/x", "Authorization", "Bearer "+token)
		var p struct{ Code string }
		if err := json.Unmarshal([]byte(body), &p); err != nil || status != 401 || p.Code != "auth.token" {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	for name, change := range map[string]map[string]any{"no kind": {"maru_kind": ""}, "an unknown kind": {"maru_kind": "king"}, "a citizen without a person": {"maru_kind": "citizen"}, "a service without a project": {"maru_kind": "service"}} {
		if status, body := fetch(t, http.DefaultClient, h.URL+"/x", "Authorization", "Bearer "+sign(h.key, jose.ES256, change)); status != 403 || !strings.Contains(body, "auth.unknown") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := fetch(t, http.DefaultClient, h.URL+"/x", "Authorization", "Bearer "+sign(h.key, jose.ES256, map[string]any{"maru_roles": []string{"service", "root", "author", "author"}})); status != 200 || !strings.Contains(body, "[author]") {
		t.Errorf("unknown roles: %d %s", status, body)
	}
	if status, _ := fetch(t, http.DefaultClient, h.URL+"/x", "Authorization", "Bearer "+good); status != 200 {
		t.Errorf("the good one: %d", status)
	}
	h.clock.Advance(13 * time.Hour)
	if status, _ := fetch(t, http.DefaultClient, h.URL+"/x", "Authorization", "Bearer "+good); status != 401 {
		t.Errorf("the good one after it expired, though it was known: %d", status)
	}
}

func TestAProjectsClientKnowsAPersonByItsOwnIdentifier(t *testing.T) {
	h := open(t)
	back := make(chan url.Values, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { back <- r.URL.Query() }))
	defer app.Close()
	c := oauth2.Config{
		ClientID: "housing-app", ClientSecret: "s3cret", RedirectURL: strings.Replace(app.URL, "localhost", "127.0.0.1", 1) + "/callback",
		Scopes: []string{"openid", "profile"}, Endpoint: oauth2.Endpoint{AuthURL: h.URL + "/oidc/authorize", TokenURL: h.URL + "/oidc/oauth/token"},
	}
	verifier := oauth2.GenerateVerifier()
	if status, body := fetch(t, browser(t), c.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier))); status != 200 {
		t.Fatal(status, body)
	}
	got := <-back
	token, err := c.Exchange(t.Context(), got.Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatal(err)
	}
	id, _ := token.Extra("id_token").(string)
	parsed, err := jwt.ParseSigned(id, []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		t.Fatal(err)
	}
	var claims map[string]any
	if err := parsed.Claims(&h.key.PublicKey, &claims); err != nil {
		t.Fatal(err)
	}
	if claims["sub"] != "p-of-youth-housing" || claims["maru_person"] != nil {
		t.Errorf("%v", claims)
	}
}
