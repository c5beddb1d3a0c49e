package web

import (
	"net/http"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/web/components"
)

// nowhere is the page of an address that leads nowhere.
func nowhere(r *http.Request) (templ.Component, error) {
	return nil, components.NotFound(lang.F("없는 주소입니다: %s", "There is nothing at %s", short(r.URL.Path)))
}

// refused answers what isn't a reading request: pages are only read.
func refused(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Allow", "GET, HEAD")
	components.Fail(w, r, problem.New("page.method", http.StatusMethodNotAllowed,
		lang.F("화면에서 받지 않는 요청입니다: %s", "Pages don't take %s requests", short(r.Method))).
		Hinting(lang.T("자료를 바꾸시려면 /api/v1을 이용하십시오.", "To change data, use /api/v1.")))
}

// short is a text from outside, cut to what a sentence bears.
func short(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}
