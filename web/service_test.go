package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/maru-city/maru/identity"
)

// TestWhoIsntSignedInSeesWhetherTheyCanGetIt walks from a life event to a service and through its questions, by keyboard alone where they are answered.
func TestWhoIsntSignedInSeesWhetherTheyCanGetIt(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place { return settled(t) }, func(w *walk) {
		w.open("/")
		w.says(".maru-tiles", "독립", "Leaving home")
		w.looks("home-life")
		w.open("/life/leaving-home")
		w.says("main", "청년월세지원", "Youth rent support")
		w.looks("life-event")
		w.press(`.maru-list a[href="/services/youth-housing/youth-rent"]`)
		w.at("/services/youth-housing/youth-rent")
		w.says("main", "실제 내는 월세", "The rent you pay")
		w.says("main", "가구 소득이 기준 중위소득의 150% 이하여야 합니다", "Household income at most 150 % of the median")
		w.says("main", "내지 않으셔도 됩니다", "not needed where the office can look it up")
		w.looks("service")
		w.press("main a.krds-btn.primary")
		w.says("h2.question", "가구원수", "Household size")
		w.says("main", "남은 질문은 많아야 4개입니다", "At most 4 questions are left")
		w.looks("check-first")
		answer := func(text string) { w.t.Helper(); w.Fill("#answer", text); w.press("main button.primary") }
		answer("스물")
		w.says("#answer-problem", "숫자로 적어 주십시오", "Please write a number")
		w.looks("check-fault")
		answer("1")
		w.says(".maru-answers", "1", "1")
		w.says("h2.question", "생년월일", "Date of birth")
		answer("1999.5.1.")
		w.says("h2.question", "가구의 한 달 소득이 얼마입니까?", "monthly income of your household")
		w.looks("check-middle")
		answer("3,100,000원")
		answer("450000")
		w.says("#result", "받으실 수 있습니다", "You can get it")
		w.says(".amount", "매달 200,000원씩 12개월", "KRW 200,000 a month for 12 months")
		w.says(".maru-clauses", "월 3,100,000원, 기준 3,846,357원", "KRW 3,100,000 a month; the limit is KRW 3,846,357")
		w.looks("check-yes")
		w.press(`button[value="household_income"]`)
		w.says("h2.question", "가구의 한 달 소득이 얼마입니까?", "monthly income of your household")
		answer("3846358")
		w.says("#result", "지금은 받으실 수 없습니다", "You can’t get it now")
		w.says(".maru-clauses .no", "월 3,846,358원", "KRW 3,846,358")
		w.looks("check-no")
	})
}

// TestAListIsAskedForRowByRow answers a question about the members of a household: by Enter, with one more, with a slip, and with none.
func TestAListIsAskedForRowByRow(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place { return settled(t) }, func(w *walk) {
		w.open("/services/energy-and-environment/energy-voucher/check")
		choose := func(selector string) { w.t.Helper(); w.Do(chromedp.Click(selector)) }
		yes := func() { w.t.Helper(); choose(`main input[type=radio][value="true"]`); w.press("main button.primary") }
		no := func() { w.t.Helper(); choose(`main input[type=radio][value="false"]`); w.press("main button.primary") }
		answer := func(text string) { w.t.Helper(); w.Fill("#answer", text); w.press("main button.primary") }
		yes()
		answer("1990.5.1.")
		no()
		w.says("legend h2.question", "본인이 아닌 세대원을 모두 적어 주십시오", "Who else is in your household?")
		w.looks("check-list")
		w.press("main button.primary")
		w.says("#answer-problem", "답을 적어 주십시오", "Please answer")
		w.Fill(`[id="answer.0.birth_date"]`, "2019.13.1.")
		choose(`[name="answer.0.frail"][value="false"]`)
		w.press("main button.primary")
		w.says("#answer-problem", "세대원 1, 생년월일: 날짜로 적어 주십시오", "Member 1, Date of birth: Please write a date")
		w.looks("check-list-fault")
		w.Fill(`[id="answer.0.birth_date"]`, "1961. 11. 30.")
		w.press(`button[name="more"]`)
		w.Fill(`[id="answer.1.birth_date"]`, "2015-02-28")
		choose(`[name="answer.1.frail"][value="true"]`)
		w.looks("check-list-two")
		w.press("main button.primary")
		w.says(".maru-answers", "세대원 2:", "Member 2:")
		w.says("#result", "받으실 수 있습니다", "You can get it")
		w.looks("check-list-yes")
		w.press(`button[value="members"]`)
		w.says("main", "세대원 2", "Member 2")
		w.press(`button[name="none"]`)
		no()
		w.says("#result", "지금은 받으실 수 없습니다", "You can’t get it now")
		w.says(".maru-answers", "없음", "none")
	})
}

// Nothing of what was answered stands in an address, a cookie or a cache.
func TestACheckKeepsNothing(t *testing.T) {
	c := settled(t)
	pages := handler(c, c.registry, &identity.Principal{})
	form := url.Values{"ask": {"birth_date"}, "answer": {"1950-05-01"}}
	r := httptest.NewRequest(http.MethodPost, "/services/youth-housing/youth-rent/check", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, r)
	if w.Code != http.StatusOK || w.Header().Get("Cache-Control") != "no-store" || strings.Contains(strings.Join(w.Header().Values("Set-Cookie"), " "), "1950") || w.Header().Get("Location") != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if !strings.Contains(w.Body.String(), "지금은 받으실 수 없습니다") {
		t.Error("one no doesn't settle it")
	}
	for _, path := range []string{"/services/youth-housing/none", "/services/youth-housing/none/check", "/life/none"} {
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestWhoIsSignedInHasTheirFactsReadByAgreements asks only what the city doesn't know: what has no consent is asked, and said so; with consent it isn't.
func TestWhoIsSignedInHasTheirFactsReadByAgreements(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place {
		c := settled(t)
		c.approve(t, "residents")
		c.approve(t, "household-income")
		return c
	}, func(w *walk) {
		const page = "/services/youth-housing/youth-rent/check"
		w.signedIn("haneul", "/my")
		w.open(page)
		w.looks("check-mine")
		w.press(`button[name="mine"]`)
		w.says(".maru-answers", "주민등록 정보 확인", "Checking the resident register")
		w.says("main", "불러오지 못해 직접 여쭙니다", "it couldn’t be read, so we ask you")
		w.says("h2.question", "가구의 한 달 소득이 얼마입니까?", "monthly income of your household")
		w.looks("check-mine-consent")
		w.press(`main a[href="/my/consents"]`)
		w.press(`button[value="yes"]`)
		w.open(page)
		w.press(`button[name="mine"]`)
		w.says("h2.question", "한 달 월세가 얼마입니까?", "How much rent")
		w.Fill("#answer", "450,000")
		w.press("main .maru-form button.primary")
		w.says("#result", "받으실 수 있습니다", "You can get it")
		w.says(".maru-answers", "가구 소득 확인", "Checking household income")
		w.looks("check-mine-yes")
		w.open("/my")
		w.says(".maru-receipts", "주택정책과", "Housing Policy Division")
	})
}
