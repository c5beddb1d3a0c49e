package web_test

import (
	"bytes"
	"image"
	"image/png"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/web/webtest"
)

// TestFromApplicationToPayment plays a citizen who applies, a caseworker who asks for a supplement and decides, and the citizen who sees each step.
func TestFromApplicationToPayment(t *testing.T) {
	lease, lie := filepath.Join(t.TempDir(), "임대차계약서 (2026).png"), filepath.Join(t.TempDir(), "임대차계약서.pdf")
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 40, 40))); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{lease, lie} {
		if err := os.WriteFile(path, picture.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	bothLanguages(t, func(t testing.TB) *place {
		c := settled(t)
		c.approve(t, "residents")
		return c
	}, func(w *walk) {
		opens := func(action string) {
			webtest.Eval[bool](w.Browser, `document.querySelector("form[action$='/`+action+`']").closest("details").open = true`)
		}
		w.signedIn("haneul", "/my/applications")
		w.says(".maru-empty", "아직 신청하신 서비스가 없습니다", "You haven’t applied for anything yet")
		w.looks("applications-empty")
		w.open("/services/youth-housing/youth-rent")
		w.press("main a[href^='/apply']")
		w.says("main", "주민등록 정보 확인", "Checking the resident register")
		w.looks("apply-start")
		w.press("main form button.primary")
		w.says("main", "불러오지 못해 직접 여쭙니다", "it couldn’t be read, so we ask you")
		answer := func(text string) { w.t.Helper(); w.Fill("#answer", text); w.press("main .maru-form button.primary") }
		w.says("h2.question", "가구의 한 달 소득이 얼마입니까?", "monthly income of your household")
		w.looks("apply-question")
		answer("많이")
		w.says("#answer-problem", "숫자로 적어 주십시오", "Please write a number")
		answer("2,000,000")
		w.open("/my/applications") // somebody is called away, and goes on another time
		w.says("section[aria-labelledby='drafts']", "청년월세지원", "Youth rent support")
		w.looks("applications-draft")
		w.press("section[aria-labelledby='drafts'] a")
		answer("450000")
		w.says("#paper-0", "임대차계약서", "Lease contract")
		w.looks("apply-papers")
		w.Attach("section[aria-labelledby='paper-0'] input[type=file]", lie)
		w.press("section[aria-labelledby='paper-0'] .maru-upload button")
		w.says(".maru-alert.problem", "이름과 내용이 다른 파일입니다", "isn't what its name says")
		w.looks("apply-papers-fault")
		w.Attach("section[aria-labelledby='paper-0'] input[type=file]", lease)
		w.press("section[aria-labelledby='paper-0'] .maru-upload button")
		w.says("section[aria-labelledby='paper-0'] .maru-files", "임대차계약서 (2026).png", "임대차계약서 (2026).png")
		w.press("main .maru-buttons a.primary")
		w.says(".amount", "매달 200,000원씩 12개월", "KRW 200,000 a month for 12 months")
		w.press(`a[href*="change=household_size"]`)
		w.says("main", "담당 기관이 확인한 내용이 사실과", "If what the office found")
		answer("2")
		w.press("main .maru-buttons a.primary")
		w.says(".maru-answers", "말씀하신 내용: 2", "You say: 2")
		w.looks("apply-review")
		w.press("form[action$='/submit'] button")
		w.says(".maru-alert.success", "신청을 받았습니다", "Your application is in")
		w.looks("applications")
		w.press(".maru-list a.title")
		w.says(".maru-facts", "2026.12.11.(금)", "11 Dec 2026 (Fri)")
		w.looks("application")
		w.signedOut()

		w.signedIn("housing-caseworker", "/desk")
		w.says("#queue", "13일 7시간", "13 d 7 h")
		webtest.Eval[bool](w.Browser, `document.querySelector("#queue input[type=checkbox]").checked = true`)
		w.press("button[form='batch'][value='take']")
		w.says(".maru-alert.success", "1건을 처리했습니다", "1 of them")
		w.looks("desk-queue")
		w.press("#queue a")
		w.says("#fact-list", "신청인이 적은 내용: 2", "the citizen says: 2")
		w.says("section[aria-labelledby='papers']", "임대차계약서 (2026).png", "임대차계약서 (2026).png")
		w.looks("desk-case")
		opens("ask")
		w.Fill("#reason-ask", "임대차계약서의 날짜가 보이지 않습니다.")
		w.Fill("#days-ask", "900")
		w.press("form[action$='/ask'] button")
		w.says(".maru-alert.problem", "1–60일", "1 to 60 days")
		w.looks("desk-case-fault")
		w.Fill("#days-ask", "7")
		w.press("form[action$='/ask'] button")
		w.says(".maru-history", "보완 요청", "Ask for a supplement")
		w.looks("desk-case-supplement")
		w.signedOut()

		w.signedIn("haneul", "/my/applications")
		w.says("section[aria-labelledby='news']", "보완 요청", "Ask for a supplement")
		w.looks("applications-news")
		w.press("section[aria-labelledby='news'] button")
		if w.Text("main") == "" || webtest.Eval[bool](w.Browser, `!!document.querySelector("#news")`) {
			w.t.Error("what was seen is still new")
		}
		w.press(".maru-list a.title")
		w.says(".maru-todo", "2026.12.01.(화)", "1 Dec 2026 (Tue)")
		w.looks("application-supplement")
		w.Attach("section[aria-labelledby='todo'] form:has(input[value='임대차계약서']) input[type=file]", lease)
		w.press("section[aria-labelledby='todo'] form:has(input[value='임대차계약서']) button")
		w.says("section[aria-labelledby='papers']", "임대차계약서 · ", "임대차계약서 · ")
		w.Fill("#supply-reason", "다시 찍었습니다.")
		w.press("form[action$='/supply'] button")
		w.says(".maru-history", "보완하기", "Supply it")
		w.signedOut()

		w.signedIn("housing-caseworker", "/desk")
		w.press("#queue a")
		opens("approve")
		w.press("form[action$='/approve'] button")
		w.says(".maru-actions", "지급 완료", "Paid")
		opens("pay")
		w.press("form[action$='/pay'] button")
		w.looks("desk-case-paid")
		w.signedOut()

		w.signedIn("haneul", "/my/applications")
		w.press(".maru-list a.title")
		w.says(".maru-steps .now", "지급", "Payment")
		w.press("a[href*='reproduce']")
		w.says(".maru-alert.success", "똑같은 결과", "it comes out the same")
		w.looks("application-paid")
	})
}

// Somebody else's case, an action that isn't theirs, a form that is sent twice.
func TestWhatApplicantsAndCaseworkersMayNotDo(t *testing.T) {
	c := settled(t)
	c.approve(t, "residents")
	h := c.house(t, false)
	citizen, official := h.as(t, "haneul"), h.as(t, "housing-caseworker")
	form := url.Values{"service": {"youth-housing/youth-rent"}}
	res, _ := h.ask(t, citizen, http.MethodPost, "/apply", form)
	draft := res.Header.Get("Location")
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(draft, "/apply/") {
		t.Fatalf("%d %s", res.StatusCode, draft)
	}
	if res, _ := h.ask(t, citizen, http.MethodPost, "/apply", form); res.Header.Get("Location") != draft {
		t.Errorf("begun again: %s, want %s", res.Header.Get("Location"), draft)
	}
	if res, _ := h.ask(t, citizen, http.MethodPost, draft+"/submit", nil); res.Header.Get("Location") != draft { // there are questions
		t.Errorf("handed in too early: %d", res.StatusCode)
	}
	for _, x := range []url.Values{{"ask": {"household_income"}, "answer": {"2,000,000원"}}, {"ask": {"monthly_rent"}, "answer": {"450000"}}} {
		if res, body := h.ask(t, citizen, http.MethodPost, draft, x); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
	}
	var to [2]string
	for i := range to {
		res, body := h.ask(t, citizen, http.MethodPost, draft+"/submit", nil)
		to[i] = res.Header.Get("Location")
		if res.StatusCode != http.StatusSeeOther || !strings.Contains(to[i], "/my/applications?done=") {
			t.Fatalf("%d %s %s", res.StatusCode, to[i], body)
		}
	}
	if to[0] != to[1] {
		t.Errorf("the same form twice: %s, %s", to[0], to[1])
	}
	mine, err := c.cases.Mine(t.Context(), haneul)
	if err != nil || len(mine) != 1 {
		t.Fatalf("%d cases: %v", len(mine), err)
	}
	id := mine[0].ID
	for _, x := range []struct {
		who    *http.Client
		method string
		path   string
		form   url.Values
		want   int
	}{
		{official, http.MethodGet, "/my/applications/" + id, nil, http.StatusForbidden},
		{citizen, http.MethodGet, "/desk", nil, http.StatusForbidden},
		{citizen, http.MethodGet, "/desk/cases/" + id, nil, http.StatusForbidden},
		{citizen, http.MethodPost, "/my/applications/" + id + "/approve", url.Values{"version": {"1"}}, http.StatusForbidden},
		{h.as(t, "housing-author"), http.MethodGet, "/desk/cases/" + id, nil, http.StatusNotFound},
		{official, http.MethodPost, "/apply", form, http.StatusForbidden},
		{official, http.MethodPost, "/desk/cases/" + id + "/refuse", url.Values{"version": {"1"}, "reason": {"x"}}, http.StatusUnprocessableEntity},
		{official, http.MethodPost, "/desk/cases/" + id + "/approve", url.Values{"version": {"7"}}, http.StatusConflict},
		{official, http.MethodGet, "/desk/cases/none", nil, http.StatusNotFound},
		{citizen, http.MethodGet, "/apply?service=youth-housing/none", nil, http.StatusNotFound},
		{citizen, http.MethodGet, draft, nil, http.StatusNotFound}, // it is handed in
		{official, http.MethodGet, draft, nil, http.StatusForbidden},
		{citizen, http.MethodPost, "/my/applications/" + id + "/papers", url.Values{"file": {"x"}}, http.StatusBadRequest},
		{official, http.MethodGet, "/desk/cases/" + id + "/papers/none", nil, http.StatusNotFound},
	} {
		if res, body := h.ask(t, x.who, x.method, x.path, x.form); res.StatusCode != x.want {
			t.Errorf("%s %s: %d, want %d\n%s", x.method, x.path, res.StatusCode, x.want, body[:min(len(body), 300)])
		}
	}
	if _, body := h.ask(t, citizen, http.MethodGet, "/my/applications?done=2026-0000-0000", nil); strings.Contains(body, "신청을 받았습니다") {
		t.Error("it says that an application is in that isn't")
	}
}

// TestABirthBringsServicesTogether plays a parent: what they can get and why, what not and what would change it, one form for what isn't known, one submission with several cases of several offices.
func TestABirthBringsServicesTogether(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place {
		c := settled(t)
		for _, project := range []string{"childcare", "family-support", "newlyweds", "resident-services"} {
			c.approveOf(t, project, "children")
		}
		for _, project := range []string{"childcare", "family-support"} {
			c.approveOf(t, project, "residents")
		}
		c.approveOf(t, "childcare", "each-child")
		return c
	}, func(w *walk) {
		w.signedIn("minjun", "/my/applications")
		w.open("/life/birth")
		w.looks("birth")
		w.press("main form[method='post'] button")
		w.says("section[aria-labelledby='group-yes']", "아동수당", "Child allowance")
		w.says("section[aria-labelledby='group-no']", "자녀가 둘 이상이어야 합니다 (1명)", "(1)")
		w.says("section[aria-labelledby='group-maybe']", "첫만남이용권", "First")
		w.looks("birth-mine")
		w.open("/apply?service=childcare/child-allowance&service=childcare/first-meeting&service=childcare/parental-benefit&service=family-support/pregnancy-transport&service=resident-services/birth-registration")
		w.looks("birth-apply")
		w.press("main form button.primary")
		for range 6 { // yes to what is asked, and to what it opens
			if w.Text("h2.question") == "" {
				break
			}
			if webtest.Eval[bool](w.Browser, `!!document.querySelector(".maru-question input[type=radio]")`) {
				webtest.Eval[bool](w.Browser, `(document.querySelector(".maru-question input[type=radio]").checked = true)`)
			} else {
				w.Fill("#answer", "2026-0001")
			}
			w.press("main .maru-form button.primary")
		}
		w.says("main", "지금 없는 서류는 나중에", "may follow")
		w.looks("birth-papers")
		w.press("main .maru-buttons a.primary")
		w.says("main", "5건 함께 신청하기", "Hand in all 5")
		w.looks("birth-review")
		w.press("form[action$='/submit'] button")
		w.says(".maru-alert.success", "신청을 받았습니다", "Your application is in")
		if n := webtest.Eval[int](w.Browser, `document.querySelectorAll(".maru-list a.title").length`); n != 5 {
			w.t.Errorf("%d cases, want 5", n)
		}
		w.looks("birth-applications")
	})
}

// TestABirthByKeyboardAlone plays the parent once more without a mouse: every step is reached by Tab, every one taken by Enter or Space.
func TestABirthByKeyboardAlone(t *testing.T) {
	c := settled(t)
	for _, project := range []string{"childcare", "family-support", "newlyweds", "resident-services"} {
		c.approveOf(t, project, "children")
	}
	for _, project := range []string{"childcare", "family-support"} {
		c.approveOf(t, project, "residents")
	}
	c.approveOf(t, "childcare", "each-child")
	w := &walk{webtest.Open(t), c.house(t, false), t, lang.Ko}
	w.Size(1280, 800)
	w.open("/?lang=ko")
	w.signedIn("minjun", "/my/applications")
	w.open("/")
	reach := func(selector string) {
		t.Helper()
		for range 250 {
			w.Do(chromedp.KeyEvent(kb.Tab))
			if webtest.Eval[bool](w.Browser, `document.activeElement.matches("`+selector+`")`) {
				if seen := webtest.Eval[string](w.Browser, `(s => s.outlineStyle + s.outlineWidth + s.boxShadow)(getComputedStyle(document.activeElement))`); seen == "none0pxnone" {
					t.Errorf("nothing shows that %s has the focus", selector)
				}
				return
			}
		}
		t.Fatalf("%s isn't reached by Tab at %s", selector, webtest.Eval[string](w.Browser, "location.pathname"))
	}
	enter := func(selector string) {
		t.Helper()
		reach(selector)
		webtest.Eval[bool](w.Browser, "window.before = true")
		w.Do(chromedp.KeyEvent(kb.Enter))
		if !w.Until("!window.before && document.readyState === 'complete'") {
			t.Fatalf("Enter on %s leads nowhere", selector)
		}
	}
	enter(".maru-tiles a[href='/life/birth']")
	enter("main form[method='post'] button")
	w.says("section[aria-labelledby='group-yes']", "아동수당", "")
	for _, leave := range webtest.Eval[[]string](w.Browser, `[...document.querySelectorAll("main input[type=checkbox]:checked")].map(e => e.value).filter(v => v !== "childcare/child-allowance" && v !== "childcare/first-meeting")`) {
		reach("input[value='" + leave + "']")
		w.Do(chromedp.KeyEvent(" "))
	}
	enter("form[action='/apply'] button")
	enter("main form button.primary")
	for range 8 {
		if w.Text("h2.question") == "" {
			break
		}
		if !webtest.Eval[bool](w.Browser, `document.activeElement.matches("main input")`) {
			t.Error("a question doesn't have the focus")
		}
		if webtest.Eval[bool](w.Browser, `document.activeElement.type === "radio"`) {
			w.Do(chromedp.KeyEvent(" "))
		} else {
			w.Do(chromedp.KeyEvent("2026-0001"))
		}
		webtest.Eval[bool](w.Browser, "window.before = true")
		w.Do(chromedp.KeyEvent(kb.Enter))
		if !w.Until("!window.before && document.readyState === 'complete'") {
			t.Fatal("Enter doesn't send the answer")
		}
	}
	if webtest.Eval[bool](w.Browser, `!document.querySelector("form[action$='/submit']")`) { // papers are asked for
		enter("main .maru-buttons a.primary")
	}
	enter("form[action$='/submit'] button")
	w.says(".maru-alert.success", "신청을 받았습니다", "")
	if n := webtest.Eval[int](w.Browser, `document.querySelectorAll(".maru-list a.title").length`); n != 2 {
		t.Errorf("%d cases, want 2", n)
	}
}
