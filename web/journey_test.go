package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/maru-city/maru/web/webtest"
)

// choose clicks on a person of the sign-in page.
func choose(b *webtest.Browser, account string) {
	b.Do(chromedp.WaitVisible(`button[name=account][value="`+account+`"]`), chromedp.Click(`button[name=account][value="`+account+`"]`))
}

func TestAProjectsOwnPagesCanSignPeopleIn(t *testing.T) {
	b := webtest.Open(t)
	h := settled(t).house(t, false)
	got := make(chan url.Values, 1)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/callback" {
			got <- r.URL.Query()
		}
		_, _ = w.Write([]byte("<!DOCTYPE html><title>app</title><p id=here>here"))
	}))
	defer app.Close()
	b.Visit(h.URL + "/oidc/authorize?" + url.Values{
		"client_id": {"housing-app"}, "redirect_uri": {app.URL + "/callback"}, "response_type": {"code"}, "scope": {"openid profile"}, "state": {"s"},
		"code_challenge": {"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"}, "code_challenge_method": {"S256"},
	}.Encode())
	choose(b, "haneul")
	if !b.Until("document.querySelector('#here')") {
		t.Fatalf("signing in didn't lead to the project's pages: %v", b.Faults())
	}
	if q := <-got; q.Get("code") == "" || q.Get("state") != "s" {
		t.Errorf("it was sent %v", q)
	}
}
