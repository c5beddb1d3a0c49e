package web_test

import (
	"testing"

	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service/casework"
	"github.com/maru-city/maru/web/webtest"
)

// TestStepsAndOpinionsAtTheDesk plays a caseworker who is given cases, a step of the process, and the opinion of another office on it.
func TestStepsAndOpinionsAtTheDesk(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place { return settled(t) }, func(w *walk) {
		opens := func(action string) {
			w.t.Helper()
			webtest.Eval[bool](w.Browser, `document.querySelectorAll(".maru-actions details").forEach(d => d.open = !!d.querySelector("form[action$='/`+action+`']")) || true`)
		}
		w.signedIn("welfare-caseworker", "/desk/me")
		webtest.Eval[bool](w.Browser, `document.querySelector("input[name=takes]").checked = true`)
		webtest.Eval[string](w.Browser, `document.querySelector("#away").value = "2026-12-24"`)
		w.press("main form button")
		w.says(".maru-alert.problem", "부재 기간의 첫날과 마지막 날", "a first and a last day")
		w.looks("desk-me-fault")
		webtest.Eval[string](w.Browser, `document.querySelector("#back").value = "2026-12-31"`)
		w.press("main form button")
		w.says(".maru-alert.success", "저장했습니다", "Saved")
		w.looks("desk-me")
		w.signedOut()

		_, err := w.cases.Submit(w.t.Context(), haneul, casework.Submission{Services: []string{"crisis-support/crisis-support"}, Answers: registry.Values{
			"crisis_cause": "fire", "household_size": "1", "household_income": "0", "general_assets": "0", "savings": "0", "livelihood_recipient": "false",
		}})
		if err != nil {
			w.t.Fatal(err)
		}
		w.signedIn("welfare-caseworker", "/desk?show=mine")
		w.Fill("#find-case", "긴급 복지")
		w.press(".maru-find button")
		w.says("#queue", "긴급복지 생계지원", "Crisis support")
		w.looks("desk-find")
		w.press("#queue a")
		w.says("section[aria-labelledby='steps']", "임시 주거에 대한 의견", "Opinion on a place to stay")
		opens("approve")
		w.press("form[action$='/approve'] button")
		w.says(".maru-alert.problem", "먼저 해야 할 단계가 있습니다", "some steps have to be done first")
		opens("step")
		w.Fill("#reason-step", "집이 불에 타 지낼 수 없습니다.")
		w.press("form[action$='/step'] button")
		w.says("section[aria-labelledby='steps']", "집이 불에 타", "집이 불에 타")
		w.looks("desk-steps")
		w.signedOut()

		w.signedIn("housing-caseworker", "/desk?show=asked")
		w.says("#queue", "긴급복지 생계지원", "Crisis support")
		w.looks("desk-asked")
		w.press("#queue a")
		w.looks("desk-opinion")
		w.Fill("#reason-opine", "임시 주거 두 곳이 비어 있습니다.")
		w.press("form[action$='/opine'] button")
		w.says("section[aria-labelledby='steps']", "임시 주거 두 곳", "임시 주거 두 곳")
		w.signedOut()

		w.signedIn("haneul", "/my/applications")
		w.press(".maru-list a.title")
		w.says(".maru-steps", "현장 확인", "Visit")
		w.looks("application-steps")
		w.signedOut()

		w.signedIn("welfare-caseworker", "/desk?show=mine")
		w.press("#queue a")
		opens("approve")
		w.press("form[action$='/approve'] button")
		w.says("main", "승인", "approved")
	})
}
