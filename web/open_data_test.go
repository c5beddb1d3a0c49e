package web_test

import (
	"strings"
	"testing"

	"github.com/maru-city/maru/web/webtest"
)

func TestACitizenGetsAKeyOfTheOpenAPIAndDeletesIt(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place { return settled(t) }, func(w *walk) {
		w.open("/data/public-toilets/toilets")
		w.press(`a[href="/my/open-keys"]`)
		w.press(`.maru-accounts button[value="haneul"]`)
		w.at("/my/open-keys")
		w.says(".maru-empty", "아직 발급받으신 인증키가 없습니다", "You have no keys yet")
		w.looks("open-keys-none")
		w.press("main form.maru-buttons button")
		w.says(".maru-alert.success", "한 번만 보여 드리므로", "only this once")
		key := strings.TrimSpace(w.Text("#new-key"))
		if known, err := w.doors.Known(w.t.Context(), key); err != nil || !known {
			w.t.Errorf("the key %q isn't known: %v", key, err)
		}
		w.says(".maru-keys", key[len(key)-4:]+"로 끝나는 인증키", "Key ending in "+key[len(key)-4:])
		w.looks("open-keys")
		w.open("/my")
		w.press(`a[href="/my/open-keys"]`)
		if strings.Contains(w.Text("main"), key) {
			w.t.Error("a key is shown twice")
		}
		w.press(".maru-keys button")
		w.says(".maru-alert.success", "인증키를 삭제했습니다", "has been deleted")
		if webtest.Eval[bool](w.Browser, "!!document.querySelector('.maru-keys')") {
			w.t.Error("it is still listed")
		}
	})
}
