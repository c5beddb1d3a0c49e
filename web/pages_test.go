package web_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/maru-city/maru/web/webtest"
)

// changed is the demo city with the toilets' text and one field changed.
func changed(t testing.TB, files map[string]string) map[string]string {
	t.Helper()
	const path = "public-toilets/project.yaml"
	next := map[string]string{}
	for name, text := range files {
		next[name] = text
	}
	next[path] = strings.NewReplacer("열린 화장실의 위치", "누구나 쓰는 화장실의 위치와 여는 시간", "{term: stalls, required: true}", "{term: stalls}").Replace(files[path])
	if next[path] == files[path] {
		t.Fatal("the demo city's toilets aren't what this test thinks they are")
	}
	return next
}

// pages are the pages of the console and the portal over the demo city.
var pages = []struct{ name, path string }{
	{"portal", "/"},
	{"overview", "/console"},
	{"agencies", "/console/agencies"},
	{"agency", "/console/agencies/health"},
	{"projects", "/console/projects"},
	{"project", "/console/projects/resident-registry"},
	{"project-manifests", "/console/projects/public-toilets?tab=manifests"},
	{"project-history", "/console/projects/public-toilets?tab=history"},
	{"terms", "/console/terms"},
	{"term", "/console/terms/district"},
	{"datasets", "/console/datasets"},
	{"dataset", "/console/datasets/resident-registry/residents"},
	{"dataset-profile", "/console/datasets/resident-registry/residents?tab=profile"},
	{"dataset-sample", "/console/datasets/resident-registry/residents?tab=sample"},
	{"dataset-imports", "/console/datasets/public-toilets/toilets/imports"},
	{"dataset-api", "/console/datasets/public-toilets/toilets?tab=api"},
	{"dataset-versions", "/console/datasets/public-toilets/toilets?tab=versions"},
	{"parameters", "/console/parameters"},
	{"parameter", "/console/parameters/median-income"},
	{"revisions", "/console/revisions"},
	{"revision", "/console/revisions/2"},
	{"search-nothing", "/console/terms?q=zzzz"},
	{"not-found", "/console/terms/no-such-term"},
	{"agreements", "/console/agreements"},
	{"agreement", "/console/agreements/youth-housing/residents"},
	{"agreement-waits", "/console/agreements/youth-housing/household-income"},
	{"dataset-readers", "/console/datasets/resident-registry/residents?tab=readers"},
	{"log", "/console/log"},
	{"data", "/data/public-toilets/toilets"},
	{"data-by", "/data/learning/libraries?by=district"},
	{"my", "/my"},
	{"my-receipt", "/my/receipts/0"},
	{"my-consents", "/my/consents"},
}

func TestEveryPageIsAccessibleAndFitsInBothLanguages(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	whose := servers(t, c)
	for _, width := range []int64{360, 1280} {
		for _, language := range []string{"ko", "en"} {
			b.Size(width, 800)
			for _, path := range []string{"/", "/my"} {
				b.Visit(whose(path) + "/?lang=" + language)
			}
			b.Faults()
			for _, p := range pages {
				t.Run(fmt.Sprintf("%s-%s-%d", p.name, language, width), func(t *testing.T) {
					b := b.For(t)
					b.Visit(whose(p.path) + p.path)
					b.Settled()
					if got := webtest.Eval[string](b, "document.documentElement.lang"); got != language {
						t.Errorf("the page is in %q, want %q", got, language)
					}
					b.Fits()
					b.Axe()
					for _, fault := range b.Faults() {
						if p.name != "not-found" {
							t.Errorf("the page complains: %s", fault)
						}
					}
					b.Shot(fmt.Sprintf("%s-%s-%d", p.name, language, width))
				})
			}
		}
	}
}

func TestPagesStayWholeAtTwiceTheSize(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	b.Size(640, 400) // 1280 × 800 at 200 % (WCAG 1.4.4, 1.4.10)
	for _, path := range []string{"/", "/console", "/console/datasets", "/console/datasets/resident-registry/residents"} {
		b.Visit(s.URL + path)
		b.Fits()
	}
}

func TestPagesOfAnEmptyCatalogSayWhatToDo(t *testing.T) {
	b := webtest.Open(t)
	s := serve(t, empty(t))
	b.Size(360, 800)
	for _, path := range []string{"/", "/console", "/console/agencies", "/console/projects", "/console/terms", "/console/datasets", "/console/parameters", "/console/revisions"} {
		t.Run(strings.ReplaceAll(path[1:], "/", "-"), func(t *testing.T) {
			b := b.For(t)
			b.Visit(s.URL + path)
			if b.Text(".maru-empty .message") == "" || b.Text(".maru-empty .todo") == "" {
				t.Error("an empty page must say what will be here and how to make it so")
			}
			b.Fits()
			b.Axe()
			b.Shot("empty-" + strings.ReplaceAll(path[1:], "/", "-"))
		})
	}
}

func TestAPageWeighsLessThan300kBAsSent(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	b.Size(1280, 800)
	for _, path := range []string{"/", "/console", "/console/datasets", "/console/terms"} {
		b := webtest.Open(t) // a new profile: nothing is cached
		b.Size(1280, 800)
		b.Visit(s.URL + path)
		weight := b.Weight()
		t.Logf("%s: %d kB", path, weight/1000)
		if weight > 300_000 {
			t.Errorf("%s weighs %d bytes", path, weight)
		}
		if weight < 50_000 {
			t.Errorf("%s weighs only %d bytes: its styles or typeface didn't come", path, weight)
		}
	}
}

func TestTheFirstTabStopSkipsToTheContent(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	b.Visit(s.URL + "/console")
	b.Do(chromedp.KeyEvent(kb.Tab))
	if got := webtest.Eval[string](b, "document.activeElement.getAttribute('href')"); got != "#content" {
		t.Fatalf("the first tab stop leads to %q", got)
	}
	b.Do(chromedp.KeyEvent(kb.Enter))
	if got := webtest.Eval[string](b, "location.hash + document.activeElement.id"); got != "#contentcontent" {
		t.Errorf("after skipping, the place is %q", got)
	}
}

func TestEveryLinkAndButtonCanBeReachedAndSeenByKeyboard(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	b.Size(1280, 800)
	b.Visit(s.URL + "/console/datasets/public-toilets/toilets?tab=api")
	want := webtest.Eval[int](b, `[...document.querySelectorAll('a[href],button,input,select,summary')].filter(e => e.checkVisibility()).length`)
	got := 0
	for range want + 40 {
		b.Do(chromedp.KeyEvent(kb.Tab))
		kind := webtest.Eval[string](b, `(() => { const e = document.activeElement; if (e === document.body) return ''; const s = getComputedStyle(e)
			if (s.outlineStyle === 'none' && s.boxShadow === 'none') return 'unseen ' + e.outerHTML.slice(0, 120); return e.matches('a,button,input,select,summary') ? 'one' : 'region' })()`)
		if kind == "" {
			break
		}
		if kind == "one" {
			got++
		}
		if strings.HasPrefix(kind, "unseen") {
			t.Errorf("no focus ring: %s", kind)
		}
	}
	if got < want {
		t.Errorf("%d of %d links and buttons were reached", got, want)
	}
}

func TestTheMenuOfAPhoneWorksByKeyboard(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	b.Size(360, 800)
	b.Visit(s.URL + "/console/terms?lang=ko")
	b.Do(chromedp.Focus("details.menu summary"), chromedp.KeyEvent(kb.Enter))
	if !b.Until("document.querySelector('details.menu').open") {
		t.Fatal("Enter doesn't open the menu")
	}
	b.Fits()
	b.Axe()
	b.Shot("menu-ko-360")
	b.Do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Escape))
	if !b.Until("!document.querySelector('details.menu').open && document.activeElement.tagName === 'SUMMARY'") {
		t.Error("Escape doesn't close the menu, or the focus is lost")
	}
	b.Do(chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	if !b.Until("location.pathname === '/console/agencies'") {
		t.Error("the second entry of the menu doesn't lead to the agencies")
	}
}

func TestTypingFindsTermsWhateverTheSpacing(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	b.Visit(s.URL + "/console/terms?lang=ko")
	all := b.Text("#results-count")
	b.Do(chromedp.SendKeys("#q", "자 치구"))
	if !b.Until("document.querySelector('#results tbody tr a')?.innerText === '자치구'") {
		t.Fatalf("typing didn't find 자치구: %q", b.Text("#results"))
	}
	if got := b.Text("#results-count"); got == all {
		t.Errorf("the count stayed %q", got)
	}
	if got := webtest.Eval[string](b, "location.search"); !strings.Contains(got, "q=") {
		t.Errorf("the address doesn't keep the search: %q", got)
	}
	if got := webtest.Eval[string](b, "document.activeElement.id"); got != "q" {
		t.Errorf("the focus left the search box for %q", got)
	}
}

func TestTabsExchangeTheViewAndKeepAddressAndFocus(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	b.Visit(s.URL + "/console/datasets/public-toilets/toilets")
	b.Do(chromedp.Focus("#tab-sample"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible("#sample"))
	b.Settled()
	if got := webtest.Eval[string](b, "location.search + ' ' + document.activeElement.id + ' ' + document.querySelector('[aria-current=page].btn-tab').id"); got != "?tab=sample tab-sample tab-sample" {
		t.Errorf("after choosing a tab: %q", got)
	}
	b.Do(chromedp.NavigateBack(), chromedp.WaitVisible("#fields"))
}

func TestARunningImportIsFollowed(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	line := strings.Repeat("x", 1<<20-1) + "\n" // rows that can't be records
	i := c.upload(t, "long.csv", strings.Repeat(line, 8), 20<<20)
	s := serve(t, c)
	b.Visit(s.URL + "/console/datasets/public-toilets/toilets?tab=imports&lang=en")
	if got := b.Text("#imports"); !strings.Contains(got, "40.0%") {
		t.Fatalf("the progress isn't shown: %q", got)
	}
	b.Shot("import-running-en-1280")
	for _, lines := range []int{8, 4} {
		c.upload(t, "long.csv", strings.Repeat(line, lines), 20<<20)
	}
	c.finish(t, i)
	if !b.Until("!document.querySelector('#imports progress')") {
		t.Error("the page didn't notice that the import ended")
	}
	if webtest.Eval[bool](b, "document.querySelector('#imports').hasAttribute('hx-get')") {
		t.Error("the page goes on asking after the import ended")
	}
}

func TestAPartThatFailsSaysSoInItsPlace(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c, failing{c.registry})
	b.Visit(s.URL + "/console/datasets/public-toilets/toilets?tab=profile&lang=ko")
	b.Do(chromedp.WaitVisible(".maru-alert.problem"))
	if got := b.Text(".maru-alert.problem"); !strings.Contains(got, "다시 불러오기") {
		t.Errorf("the failure says %q", got)
	}
}

func TestCopyingSaysThatItWasDone(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	b.Visit(s.URL + "/console/datasets/public-toilets/toilets?tab=api&lang=ko")
	b.Do(chromedp.Click("button[data-copy=curl-list]"))
	if !b.Until("document.querySelector('button[data-copy=curl-list]').parentElement.querySelector('[role=status]').textContent") {
		t.Error("nothing says that the command was copied")
	}
}

func TestAManifestIsCopiedAsItWasWritten(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	b.Visit(s.URL + "/console/terms/district")
	if got, want := webtest.Eval[string](b, "document.getElementById('manifest').textContent"), c.Snapshot().Term("district").Resource.Text; got != want {
		t.Errorf("the page holds %q, want %q", got, want)
	}
}

func TestScreenshotsAreKeptWhereTheyAreAskedFor(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serve(t, c)
	folder := t.TempDir()
	t.Setenv("MARU_SCREENSHOTS", folder)
	b.Visit(s.URL + "/")
	b.Shot("start")
	if info, err := os.Stat(filepath.Join(folder, "start.png")); err != nil || info.Size() < 1000 {
		t.Errorf("no picture: %v", err)
	}
}

// get fetches a page as a program without a browser would.
func get(t testing.TB, address string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}
