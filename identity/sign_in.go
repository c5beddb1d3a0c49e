package identity

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// flow is a sign-in that is under way, in a cookie of its own.
type flow struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"` // PKCE (RFC 7636)
	Back     string `json:"b"` // where to go then
}

const (
	flowCookie = "maru_sign_in"
	flowLife   = 10 * time.Minute
)

// SignIn sends a person to the provider: authorization code with PKCE, state and nonce. back is the page to return to.
func (p *Provider) SignIn(w http.ResponseWriter, r *http.Request, back string, secure bool) error {
	d, err := p.discover(r.Context())
	if err != nil {
		return err
	}
	f := flow{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Back: local(back)}
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	http.SetCookie(w, underWay(base64.RawURLEncoding.EncodeToString(text), int(flowLife.Seconds()), secure))
	http.Redirect(w, r, p.oauth(d).AuthCodeURL(f.State, oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier)), http.StatusSeeOther)
	return nil
}

// underWay is the cookie of a sign-in that is under way.
func underWay(value string, age int, secure bool) *http.Cookie {
	return &http.Cookie{Name: flowCookie, Value: value, Path: CallbackPath, MaxAge: age, HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode}
}

// local is a path of ours, or "/". It isn't one of signing in: that would never end.
func local(back string) string {
	u, err := url.Parse(back)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.HasPrefix(u.Path, "/auth/") || strings.ContainsAny(back, "\\\r\n") || len(back) > 2000 {
		return "/"
	}
	return back
}

// Callback takes a person back from the provider: who it is, the provider's ID token, and the page to go to.
func (p *Provider) Callback(w http.ResponseWriter, r *http.Request) (who *Principal, idToken, back string, err error) {
	failed := problem.New("auth.sign_in", 400, lang.T("로그인을 마치지 못했습니다", "the sign-in didn't come to its end")).
		Hinting(lang.T("처음부터 다시 로그인하십시오", "sign in again from the beginning"))
	c, err := r.Cookie(flowCookie)
	if err != nil {
		return nil, "", "", failed
	}
	http.SetCookie(w, underWay("", -1, strings.HasPrefix(p.settings.Redirect, "https:")))
	text, err := base64.RawURLEncoding.DecodeString(c.Value)
	var f flow
	if err != nil || json.Unmarshal(text, &f) != nil || f.State == "" {
		return nil, "", "", failed
	}
	q := r.URL.Query()
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(f.State)) != 1 || q.Get("code") == "" {
		return nil, "", "", failed
	}
	d, err := p.discover(r.Context())
	if err != nil {
		return nil, "", "", err
	}
	ctx := oidc.ClientContext(r.Context(), p.client)
	got, err := p.oauth(d).Exchange(ctx, q.Get("code"), oauth2.VerifierOption(f.Verifier))
	if err != nil {
		return nil, "", "", fmt.Errorf("%w: %w", failed, err)
	}
	raw, ok := got.Extra("id_token").(string)
	if !ok {
		return nil, "", "", failed
	}
	verified, err := d.id.Verify(ctx, raw)
	if err != nil {
		return nil, "", "", fmt.Errorf("%w: %w", failed, err)
	}
	if subtle.ConstantTimeCompare([]byte(verified.Nonce), []byte(f.Nonce)) != 1 {
		return nil, "", "", failed
	}
	who, err = p.read(verified)
	return who, raw, local(f.Back), err
}

// SignOut is where a person goes to sign out at the provider too, or "".
func (p *Provider) SignOut(r *http.Request, idToken, back string) string {
	d, err := p.discover(r.Context())
	if err != nil || d.end == "" || idToken == "" {
		return ""
	}
	return d.end + "?" + url.Values{"id_token_hint": {idToken}, "post_logout_redirect_uri": {back}, "client_id": {p.settings.ClientID}}.Encode()
}
