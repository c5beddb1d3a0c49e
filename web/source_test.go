package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/source"
	"github.com/maru-city/maru/web/webtest"
)

const lessons = `
kind: Project
name: village-courses
title: {ko: 평생교육 강좌 안내, en: Lifelong learning}
owner: administration
lifecycle: live
purpose: {ko: 동 주민센터의 강좌를 한곳에서 안내합니다, en: Courses of all community centres in one place}
budget: 40_000_000
grade: open
---
kind: Dataset
name: courses
title: {ko: 주민센터 강좌, en: Courses of community centres}
about: {ko: 동 주민센터가 매주 월요일에 올리는 강좌 목록, en: The list of courses that community centres send every Monday}
key: [course_no]
fields:
  course_no: {type: string, title: {ko: 강좌번호, en: Course number}, length: 10, class: public}
  title:     {type: string, title: {ko: 강좌명, en: Title}, length: 100, class: public}
source: {folder: courses, schedule: 0 6 * * 1}
`

// monday drops a file into the folder of courses.
func (w *walk) monday(folder, name string, rows int) {
	w.t.Helper()
	var b strings.Builder
	b.WriteString("강좌번호,강좌명\n")
	for i := range rows {
		b.WriteString("C" + string(rune('A'+i)) + ",강좌 " + string(rune('A'+i)) + "\n")
	}
	at := filepath.Join(folder, "village-courses", "courses", name)
	if err := os.WriteFile(at, []byte(b.String()), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Chtimes(at, now, now.Add(-time.Hour).Add(time.Duration(rows)*-time.Second)); err != nil {
		w.t.Fatal(err)
	}
}

func TestABadMondayIsSeenAndLetGoOnOrMended(t *testing.T) {
	folder := ""
	bothLanguages(t, func(t testing.TB) *place {
		c := settled(t)
		folder = t.TempDir()
		if err := os.MkdirAll(filepath.Join(folder, "village-courses", "courses"), 0o700); err != nil {
			t.Fatal(err)
		}
		root, err := os.OpenRoot(folder)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { root.Close() })
		c.sources = &source.Reader{Folder: root, Now: func() time.Time { return now }}
		apply(t, c, map[string]string{"village-courses/project.yaml": lessons}, "강좌")
		return c
	}, func(w *walk) {
		const page = "/console/datasets/village-courses/courses?tab=imports"
		w.signedIn("register-steward", "/console") // the dataset's own page is open to all
		w.open(page)
		w.says(".maru-source", "매주 월요일 06:00", "every Monday at 06:00")
		w.monday(folder, "first.csv", 20)
		w.press(".maru-source button[value=read]")
		w.says("#import-list", "완료", "done")
		w.looks("source-good")
		w.monday(folder, "half.csv", 8)
		w.press(".maru-source button[value=read]")
		w.says("#import-list", "확인 필요", "to be looked at")
		w.says(".maru-alert.warning", "최신 내용을 반영하지 못했습니다", "could not be taken")
		w.looks("source-held")
		w.open("/console")
		w.says(".maru-todo", "원본의 최신 내용이 반영되지 않은 데이터셋", "behind their source")
		w.looks("source-overview")
		w.press(`.maru-todo a[href*="source=trouble"]`)
		w.says("main", "주민센터 강좌", "Courses of community centres")
		w.open(page)
		w.press("button[value=accept]")
		w.at(fmt.Sprint(page, "&since=", now.Unix()))
		if got := w.Text(".maru-facts"); !strings.Contains(got, "8") {
			w.t.Errorf("the facts are %q", got)
		}
		if webtest.Eval[bool](w.Browser, "!!document.querySelector('.maru-alert.warning')") {
			w.t.Error("it is still in trouble")
		}
		w.looks("source-accepted")
	})
}

func TestOnlyTheOwnersPeopleActOnASource(t *testing.T) {
	webtest.Assets(t)
	c := settled(t)
	apply(t, c, map[string]string{"village-courses/project.yaml": lessons}, "강좌")
	for _, form := range []url.Values{{"action": {"read"}}, {"action": {"accept"}, "import": {"1"}}} {
		for _, who := range []struct {
			name string
			p    int
		}{{"a citizen", 0}, {"another office's author", 1}} {
			s := serveTo(t, c, haneul)
			if who.p == 1 {
				s = serveTo(t, c, author)
			}
			res, err := http.PostForm(s.URL+"/console/datasets/village-courses/courses/source", form)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s, %v: %d", who.name, form, res.StatusCode)
			}
		}
	}
}
