package webtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/maru-city/maru/web/assets"
)

// patience is how long one step in the browser may take; the machine may be busy with other tests.
const patience = 30 * time.Second

// Browser is a browser with one tab, closed when its test ends. It isn't safe for concurrent use.
type Browser struct {
	t testing.TB
	*tab
}

// tab is what the tests that share a browser share.
type tab struct {
	ctx    context.Context
	mu     sync.Mutex
	faults []string
}

// For is the same browser, used in a part of its test.
func (b *Browser) For(t testing.TB) *Browser { return &Browser{t: t, tab: b.tab} }

// Open starts a browser with a profile of its own.
func Open(t testing.TB) *Browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		absent(t, "Chromium isn't installed (Debian: apt-get install chromium)")
	}
	Assets(t)
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, quit := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx) // waits for the browser to end, so that its profile can be removed
		quit()
		stop()
	})
	b := &Browser{t: t, tab: &tab{ctx: ctx}}
	if err := chromedp.Listen(ctx, b.listen); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return b
}

// Assets skips or fails a test of pages whose assets weren't built.
func Assets(t testing.TB) {
	t.Helper()
	if assets.Built() != nil {
		absent(t, "the pages' assets aren't built (make build)")
	}
}

func absent(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("MARU_TEST_REQUIRE") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// listen gathers what the page complains about. It runs inside the browser's loop and must not call it.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.faults = append(b.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, "script: "+e.ExceptionDetails.Text)
	}
}

// Faults returns what the page complained about since the last call: failed requests, refused contents, script errors.
func (b *tab) Faults() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := b.faults
	b.faults = nil
	return out
}

// Do runs steps in the browser.
func (b *Browser) Do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("in the browser: %v", err)
	}
}

// Size sets the width and height of the window in CSS pixels.
func (b *Browser) Size(width, height int64) {
	b.t.Helper()
	b.Do(chromedp.EmulateViewport(width, height))
}

// Visit opens an address and waits until its fonts are there.
func (b *Browser) Visit(address string) {
	b.t.Helper()
	b.Do(chromedp.Navigate(address))
	Eval[bool](b, "document.fonts.ready.then(() => true)")
}

// Downloads keeps the files that the browser downloads in a folder, under the names that the server gives them.
func (b *Browser) Downloads(folder string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Call(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder}); err != nil {
		b.t.Fatalf("in the browser: %v", err)
	}
}

// Settled waits until htmx has nothing under way.
func (b *Browser) Settled() {
	b.t.Helper()
	Eval[bool](b, `new Promise(done => { const look = () => document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling, [aria-busy=true]') ? setTimeout(look, 20) : done(true); look() })`)
}

// Until waits until an expression is true in the page, or in the one that takes its place, and reports whether it became so.
func (b *Browser) Until(expression string) bool {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for ctx.Err() == nil {
		// An error is that of a page that goes away while it is looked at.
		if yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => { try { return !!(`+expression+`) } catch { return false } })()`)); err == nil && yes {
			return true
		}
		time.Sleep(20 * time.Millisecond)
	}
	return false
}

// Eval runs an expression in the page, waiting if it is a promise.
func Eval[T any](b *Browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("in the page: %v", err)
	}
	return v
}

// Fill puts a text into the field that a CSS selector finds, in place of what is there.
func (b *Browser) Fill(selector, text string) {
	b.t.Helper()
	b.Do(chromedp.WaitVisible(selector))
	quoted, err := json.Marshal([]string{selector, text})
	if err != nil {
		b.t.Fatal(err)
	}
	Eval[bool](b, "(([s, x]) => { document.querySelector(s).value = x; return true })("+string(quoted)+")")
}

// Attach chooses files for the field that a CSS selector finds.
func (b *Browser) Attach(selector string, files ...string) {
	b.t.Helper()
	b.Do(chromedp.WaitVisible(selector), chromedp.SetUploadFiles(selector, files))
}

// Click clicks what a CSS selector finds, once nothing moves in the page any more, and waits until the page that it leads to is there.
func (b *Browser) Click(selector string) {
	b.t.Helper()
	b.Do(chromedp.WaitVisible(selector))
	quoted, err := json.Marshal(selector)
	if err != nil {
		b.t.Fatal(err)
	}
	Eval[bool](b, `document.fonts.ready.then(() => new Promise(done => {
		const e = document.querySelector(`+string(quoted)+`)
		e.scrollIntoView({block: 'center', behavior: 'instant'})
		let last = '', still = 0
		const look = () => {
			const r = e.getBoundingClientRect(), now = [r.x, r.y, r.width, r.height].join()
			still = now === last ? still + 1 : 0
			last = now
			still < 5 ? requestAnimationFrame(look) : done(window.before = true)
		}
		requestAnimationFrame(look)
	}))`)
	b.Do(chromedp.Click(selector))
	if !b.Until("!window.before && document.readyState === 'complete'") {
		b.t.Fatalf("a click on %s leads nowhere: %v", selector, b.Faults())
	}
	Eval[bool](b, "document.fonts.ready.then(() => true)")
}

// Text is what a person reads in the first element that a CSS selector finds.
func (b *Browser) Text(selector string) string {
	b.t.Helper()
	quoted, err := json.Marshal(selector)
	if err != nil {
		b.t.Fatal(err)
	}
	return Eval[string](b, "(document.querySelector("+string(quoted)+") || {innerText: ''}).innerText")
}

// Fits fails the test when the page itself scrolls sideways, and says which elements stick out.
func (b *Browser) Fits() {
	b.t.Helper()
	wide := Eval[[]string](b, `(() => {
		const w = document.documentElement.clientWidth
		if (document.documentElement.scrollWidth <= w && document.body.scrollWidth <= w) return []
		return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > w + 1 && !e.closest('[role=region]'))
			.slice(0, 5).map(e => e.tagName + '.' + e.className + ' ' + Math.round(e.getBoundingClientRect().right) + ' > ' + w)
	})()`)
	if len(wide) > 0 {
		b.t.Errorf("the page scrolls sideways: %s", strings.Join(wide, "; "))
	}
}

// Weight is how many bytes the page and what it loaded took to send, headers too, from an empty cache.
func (b *Browser) Weight() int {
	b.t.Helper()
	return int(Eval[float64](b, `[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].reduce((n, e) => n + e.transferSize, 0)`))
}

// Shot keeps a picture of the whole page as name.png in MARU_SCREENSHOTS.
func (b *Browser) Shot(name string) {
	b.t.Helper()
	folder := os.Getenv("MARU_SCREENSHOTS")
	if folder == "" {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.MkdirAll(folder, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, name+".png"), picture, 0o644)
	}
	if err != nil {
		b.t.Errorf("picture %s: %v", name, err)
	}
}

// axeSource reads axe-core from the repository's node_modules.
var axeSource = sync.OnceValues(func() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		text, err := os.ReadFile(filepath.Join(dir, "node_modules/axe-core/axe.min.js"))
		if err == nil {
			return string(text), nil
		}
		if parent := filepath.Dir(dir); parent != dir {
			dir = parent
			continue
		}
		return "", fmt.Errorf("axe-core isn't in node_modules (npm ci)")
	}
	return "", err
})

// Axe fails the test for every serious or critical finding of axe-core about WCAG 2.1 A and AA and its own best practices.
func (b *Browser) Axe() {
	b.t.Helper()
	source, err := axeSource()
	if err != nil {
		absent(b.t, err.Error())
	}
	Eval[bool](b, source+"; true")
	for _, finding := range Eval[[]string](b, `axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']}).then(r =>
		r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
			.map(v => v.impact + ' ' + v.id + ': ' + v.help + ' — ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' ' + (n.any[0]?.message ?? '')).join(' | ')))`) {
		b.t.Errorf("axe: %s", finding)
	}
}
