package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/maru-city/maru/identity/provider"
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

func TestOpenDataIsThereWithoutSigningIn(t *testing.T) {
	bothLanguages(t, demo, func(w *walk) {
		w.open("/")
		w.looks("portal-nobody")
		w.press(`a[href="/data/public-toilets/toilets"]`)
		w.says("#chart", "자치구별 레코드 수", "Records by")
		w.looks("open-data")
		w.Do(chromedp.SetAttributeValue("#by option[value=accessible]", "selected", "selected"))
		w.press("form[action*='/data/'] button")
		w.at("/data/public-toilets/toilets?by=accessible&of=count")
		w.says("#bars", "예", "yes")
		w.press(`a[href*="tab=profile"]`)
		w.looks("open-dataset-nobody")
		for _, tab := range []string{"profile", "sample", "api"} {
			w.Do(chromedp.Click("#tab-"+tab), chromedp.WaitVisible("#tab-"+tab+"[aria-current]"))
			w.Settled()
			w.looks("open-dataset-" + tab)
		}
		w.says(".maru-downloads", "CSV", "CSV")
		if strings.Contains(w.Text("body"), "maru import") {
			t.Error("it tells people from outside how to import")
		}
	})
}

func TestWhatIsRefusedSaysWhyAndWhereToGo(t *testing.T) {
	bothLanguages(t, settled, func(w *walk) {
		w.open("/auth/callback?code=x&state=y")
		w.says("h1", "로그인하지 못했습니다", "You couldn't be signed in")
		w.says(".maru-failure", "로그인을 마치지 못했습니다", "the sign-in didn't come to its end")
		w.looks("sign-in-failed")
		w.press(".maru-failure .primary")
		w.press(`.maru-accounts button[value="haneul"]`)
		w.at("/")
		w.open("/console/agreements")
		w.says("h1", "이 화면을 볼 권한이 없습니다", "You can't see this page")
		w.says(".maru-failure", "공무원이 업무에 쓰는 화면입니다", "for officials at work")
		w.looks("refused")
		w.press(".maru-failure .secondary")
		w.at("/")
		w.looks("portal-citizen")
		w.signedOut()
		w.signedIn("privacy-officer", "/console")
		w.open("/my")
		w.says(".maru-failure", "시민이 본인의 정보를 확인하는 화면입니다", "for people to see what is about themselves")
		w.looks("refused-official")
		w.Faults() // the pages that were refused
	})
}

func TestACommandLineIsAllowedOnAPage(t *testing.T) {
	bothLanguages(t, settled, func(w *walk) {
		c := oauth2.Config{ClientID: provider.CLIClient, Endpoint: oauth2.Endpoint{DeviceAuthURL: w.URL + "/oidc/device_authorization", TokenURL: w.URL + "/oidc/oauth/token", AuthStyle: oauth2.AuthStyleInParams}}
		asked, err := c.DeviceAuth(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.open(provider.DevicePath)
		w.looks("device-code")
		w.Fill("#user_code", "WRONG")
		w.press(".maru-form button")
		w.press(`button[value="register-steward"]`)
		w.says(".maru-failure", "코드가 맞지 않거나", "the code isn't right")
		w.Faults()
		w.open(provider.DevicePath)
		w.Fill("#user_code", strings.ToLower(asked.UserCode))
		w.press(".maru-form button")
		w.looks("device-who")
		w.press(`button[value="register-steward"]`)
		w.says(".maru-alert.success", "로그인했습니다", "You are signed in")
		w.looks("device-done")
		asked.Interval = 1
		token, err := c.DeviceAccessToken(t.Context(), asked)
		if err != nil {
			t.Fatal(err)
		}
		if _, body := w.house.ask(t, client, http.MethodGet, "/api/v1/me", nil, "Authorization", "Bearer "+token.AccessToken); !strings.Contains(body, "register-steward") {
			t.Errorf("the token is of %s", body)
		}
	})
}
