package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web/webtest"
)

// walk is somebody in a browser at a house, in one language.
type walk struct {
	*webtest.Browser
	*house
	t    testing.TB
	lang lang.Tag
}

// bothLanguages walks through a house that is made anew, once in each language.
func bothLanguages(t *testing.T, make func(t testing.TB) *place, test func(w *walk)) {
	for _, l := range []lang.Tag{lang.Ko, lang.En} {
		t.Run(string(l), func(t *testing.T) {
			w := &walk{webtest.Open(t), make(t).house(t, false), t, l}
			w.Size(1280, 800)
			w.open("/?lang=" + string(l))
			test(w)
			for _, fault := range w.Faults() {
				if !strings.Contains(fault, "422") && !strings.Contains(fault, "409") { // a form that was sent back
					t.Errorf("a page complains: %s", fault)
				}
			}
		})
	}
}

func (w *walk) open(path string) { w.t.Helper(); w.Visit(w.URL + path) }

// signedIn signs in as an account by the sign-in page, from a page that asks for it, and is back there.
func (w *walk) signedIn(account, page string) {
	w.t.Helper()
	w.open(page)
	w.press(`.maru-accounts button[value="` + account + `"]`)
	w.at(page)
}

// at waits until one is at a page.
func (w *walk) at(page string) {
	w.t.Helper()
	quoted, err := json.Marshal(page)
	if err != nil {
		w.t.Fatal(err)
	}
	if !w.Until("location.pathname + location.search === " + string(quoted) + " && document.readyState === 'complete'") {
		w.t.Fatalf("one is at %s instead of %s: %s", webtest.Eval[string](w.Browser, "location.pathname + location.search"), page, w.Text("main"))
	}
}

func (w *walk) signedOut() {
	w.t.Helper()
	w.press(".header-actions > .maru-signing button")
	w.at("/")
	if !w.Until("document.querySelector('.maru-sign-in')") {
		w.t.Error("after signing out nothing offers to sign in")
	}
}

// press clicks on what leads to another page, and waits until that is there.
func (w *walk) press(selector string) { w.t.Helper(); w.Click(selector) }

// decides presses a button of an agreement's page, after typing a note.
func (w *walk) decides(action, note string) {
	w.t.Helper()
	w.Fill("#note", note)
	w.press(`button[value="` + action + `"]`)
}

// says waits until the page says something, in Korean or English.
func (w *walk) says(selector, ko, en string) {
	w.t.Helper()
	text := lang.T(ko, en).In(w.lang)
	quoted, err := json.Marshal([]string{selector, text})
	if err != nil {
		w.t.Fatal(err)
	}
	if !w.Until("(([s, x]) => [...document.querySelectorAll(s)].some(e => e.innerText.includes(x)))(" + string(quoted) + ")") {
		w.t.Errorf("%s doesn't say %q but %q", selector, text, w.Text(selector))
	}
}

// looks checks the page as it is at both widths, and keeps pictures.
func (w *walk) looks(name string) {
	w.t.Helper()
	for _, width := range []int64{360, 1280} {
		w.Size(width, 800)
		w.Fits()
		w.Axe()
		w.Shot(fmt.Sprintf("journey-%s-%s-%d", name, w.lang, width))
	}
}

const (
	residents = "/console/agreements/youth-housing/residents"
	income    = "/console/agreements/youth-housing/household-income"
)

// mayRead reports whether the housing office's system may read of the first citizen by an agreement.
func (w *walk) mayRead(agreement string) error {
	id, err := w.exchange.Pseudonym("youth-housing", "person", exchange.Person(haneul.Person))
	if err != nil {
		w.t.Fatal(err)
	}
	_, _, err = w.exchange.One(w.t.Context(), housing, exchange.Request{Agreement: agreement, Purpose: "eligibility", Subject: id})
	return err
}

func TestTwoOfficialsApproveAnAgreement(t *testing.T) {
	bothLanguages(t, settled, func(w *walk) {
		w.open("/console/agreements")
		w.Do(chromedp.WaitVisible(".maru-accounts"))
		w.looks("sign-in")
		w.signedIn("register-steward", "/console/agreements")
		waiting := 0
		for _, r := range w.Catalog.Snapshot().List("Agreement") {
			if r.Spec.(*manifest.Agreement).Provider(r.Project).Project == "resident-registry" {
				waiting++
			}
		}
		w.says("#mine", fmt.Sprint("내 승인을 기다리는 협약 ", waiting), fmt.Sprint("Waiting for you ", waiting))
		w.looks("agreements-mine")
		w.press("section[aria-labelledby=mine] a.title[href='" + residents + "']")
		w.at(residents)
		w.says(".maru-alert", "데이터 관리자와 개인정보 보호책임자의 승인", "the steward and the privacy officer")
		w.says(".maru-facts", "1분에 600번까지", "up to 600 a minute")
		w.says(".maru-facts", "자격 확인", "checking eligibility")
		w.looks("agreement-to-approve")
		if err := w.mayRead("residents"); problem.Code(err) == "" {
			t.Errorf("before: %v", err)
		}
		w.decides("approve", "법적 근거를 확인했습니다")
		w.at(residents + "?done=approve")
		w.says(".maru-alert.success", "승인하셨습니다", "You have approved it")
		w.says(".maru-history", "법적 근거를 확인했습니다", "법적 근거를 확인했습니다")
		if webtest.Eval[bool](w.Browser, "!!document.querySelector('button[value=approve]')") {
			t.Error("one can approve twice")
		}
		w.looks("agreement-half-approved")
		if err := w.mayRead("residents"); problem.Code(err) == "" {
			t.Errorf("after one approval: %v", err)
		}
		w.signedOut()
		w.signedIn("privacy-officer", residents)
		w.decides("approve", "")
		w.says(".maru-alert.success", "이용이 시작되었습니다", "It is in force")
		w.says(".maru-heading", "이용 중", "active")
		w.looks("agreement-active")
		if err := w.mayRead("residents"); err != nil {
			t.Errorf("after both: %v", err)
		}
		w.open("/console")
		w.says(".maru-todo", "내 승인을 기다리는 협약", "Agreements that wait for you") // household-income
		w.looks("overview-officer")
		w.Size(360, 800) // on a phone one signs out in the menu
		w.Do(chromedp.Click("details.menu summary"))
		w.Fits()
		w.Axe()
		w.Shot("journey-menu-" + string(w.lang) + "-360")
		w.press("details.menu .maru-signing button")
		w.at("/")
		w.open(residents)
		if got := webtest.Eval[string](w.Browser, "location.pathname"); got != "/oidc/login" {
			t.Errorf("after signing out one is at %s", got)
		}
	})
}

func TestARefusalNeedsAReasonAndKeepsWhatWasTyped(t *testing.T) {
	bothLanguages(t, settled, func(w *walk) {
		w.signedIn("income-steward", income)
		w.decides("refuse", "   ")
		w.says("#note-problem", "이유를", "give a reason")
		if got := webtest.Eval[string](w.Browser, "document.activeElement.id + ' ' + document.querySelector('#note').getAttribute('aria-invalid') + ' ' + JSON.stringify(document.querySelector('#note').value)"); got != `note true "   "` {
			t.Errorf("after a refusal without reason: %s", got)
		}
		w.looks("agreement-no-reason")
		long := "둘째 줄이 있는 긴 이유\n" + strings.Repeat("가", 2000)
		w.decides("refuse", long)
		w.says("#note-problem", "2,000자", "2,000")
		if got := webtest.Eval[string](w.Browser, "document.querySelector('#note').value"); got != long {
			t.Errorf("what was typed isn't kept: %d characters of %d", len([]rune(got)), len([]rune(long)))
		}
		if s, _, err := w.exchange.Agreement(t.Context(), "youth-housing", "household-income"); err != nil || s.Waits == nil {
			t.Fatalf("it was refused without a reason: %v", err)
		}
		w.decides("refuse", "소득은 협약 없이 신청인이 제출하게 할 수 있습니다.\n목적을 다시 적어 주십시오.")
		w.says(".maru-alert.success", "거부하셨습니다", "You have refused")
		w.says(".maru-heading", "거부", "refused")
		w.says(".maru-alert.warning", "목적을 다시 적어 주십시오", "목적을 다시 적어 주십시오")
		w.looks("agreement-refused")
	})
}

func TestAStewardSuspendsAndRevokesWithAReason(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place { c := settled(t); c.approve(t, "residents"); return c }, func(w *walk) {
		w.signedIn("register-steward", residents)
		if err := w.mayRead("residents"); err != nil {
			t.Fatal(err)
		}
		w.looks("agreement-halt")
		w.decides("suspend", "")
		w.says("#note-problem", "이유를", "give a reason")
		w.decides("suspend", "담당자가 바뀌어 확인합니다")
		w.says(".maru-heading", "정지", "suspended")
		w.says(".maru-alert.warning", "담당자가 바뀌어 확인합니다", "담당자가 바뀌어 확인합니다")
		w.looks("agreement-suspended")
		if err := w.mayRead("residents"); problem.Code(err) == "" {
			t.Errorf("while it is suspended: %v", err)
		}
		w.decides("resume", "")
		w.says(".maru-heading", "이용 중", "active")
		if err := w.mayRead("residents"); err != nil {
			t.Errorf("after it was resumed: %v", err)
		}
		w.decides("revoke", "")
		w.says("#note-problem", "이유를", "give a reason")
		w.decides("revoke", "사업이 끝났습니다")
		w.says(".maru-heading", "철회", "revoked")
		w.says(".maru-alert.warning", "사업이 끝났습니다", "사업이 끝났습니다")
		w.looks("agreement-revoked")
		if err := w.mayRead("residents"); problem.Code(err) == "" {
			t.Errorf("after it was revoked: %v", err)
		}
		if webtest.Eval[bool](w.Browser, "!!document.querySelector('#note')") {
			t.Error("something can be done to what is revoked")
		}
		w.open("/console/agreements")
		w.looks("agreements-nobody-reads")
	})
}

func TestAChangeIsSeenBesideWhatHolds(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place {
		c := settled(t)
		c.approve(t, "residents")
		c.change(t, "fields: [person, birth_date, address, household_size]", "fields: [person, birth_date, address, household_size, moved_in_on]", "limit: 600/min", "limit: 20/h")
		return c
	}, func(w *walk) {
		w.signedIn("register-steward", residents)
		w.says(".maru-alert", "지금은 1판에 따라 열람합니다", "Version 1 is in force")
		w.says(".maru-diffs", "1시간에 20번까지", "up to 20 an hour")
		if got := webtest.Eval[int](w.Browser, "document.querySelectorAll('.maru-diffs > div').length"); got != 2 {
			t.Errorf("%d things differ, not 2: %s", got, w.Text(".maru-diffs"))
		}
		// Revoking from here would end what holds, not the change that is shown.
		if webtest.Eval[bool](w.Browser, "!!document.querySelector('button[value=revoke], button[value=suspend]')") {
			t.Error("the page of a change offers to end what holds")
		}
		w.looks("agreement-change")
		w.press(".maru-alert a")
		w.at(residents + "?version=active")
		w.decides("suspend", "")
		w.says("#note-problem", "이유를", "give a reason")
		w.decides("suspend", "확인합니다")
		w.says(".maru-alert.success", "정지하셨습니다", "suspended")
		if s, _, err := w.exchange.Agreement(t.Context(), "youth-housing", "residents"); err != nil || s.Holds == nil || s.Holds.State != exchange.Suspended || s.Waits == nil {
			t.Errorf("%+v %v", s, err)
		}
	})
}

// change applies the demo city with the agreement on residents changed.
func (c *place) change(t testing.TB, pairs ...string) {
	t.Helper()
	files := map[string]string{}
	changed := false
	for name, text := range city.Manifests() {
		files[name] = text
		if strings.Contains(text, "kind: Agreement\nname: residents\n") {
			head, tail, _ := strings.Cut(text, "kind: Agreement\nname: residents\n")
			one, rest, _ := strings.Cut(tail, "\n---\n")
			next := strings.NewReplacer(pairs...).Replace(one)
			changed = next != one
			files[name] = head + "kind: Agreement\nname: residents\n" + next + "\n---\n" + rest
		}
	}
	if !changed {
		t.Fatal("the demo city's agreement isn't what this test thinks it is")
	}
	apply(t, c, files, "협약을 바꾼다")
}

func TestNobodyDecidesOnWhatTheyHaventSeen(t *testing.T) {
	h := settled(t).house(t, false)
	officer := h.as(t, "register-steward")
	if _, body := h.ask(t, officer, http.MethodGet, residents, nil); !strings.Contains(body, `name="version" value="1"`) {
		t.Fatal("the page doesn't say which version it shows")
	}
	h.change(t, "limit: 600/min", "limit: 900000/min")
	form := url.Values{"action": {"approve"}, "note": {"제가 적은 의견"}, "version": {"1"}}
	res, body := h.ask(t, officer, http.MethodPost, residents, form)
	if res.StatusCode != http.StatusConflict || !strings.Contains(body, "제가 적은 의견") || !strings.Contains(body, "2판") {
		t.Errorf("approving version 1 while version 2 waits: status %d", res.StatusCode)
	}
	if s, _, err := h.exchange.Agreement(t.Context(), "youth-housing", "residents"); err != nil || s.Waits == nil || s.Waits.Steward != "" {
		t.Errorf("version 2 was approved by who saw version 1: %v", err)
	}
	// The page that came back is of version 2, and can be sent as it is.
	form.Set("version", "2")
	if res, _ := h.ask(t, officer, http.MethodPost, residents, form); res.StatusCode != http.StatusSeeOther {
		t.Errorf("version 2: status %d", res.StatusCode)
	}
	for name, x := range map[string]struct {
		form   url.Values
		status int
	}{
		"twice": {url.Values{"action": {"approve"}, "version": {"2"}}, 409}, "resume what isn't suspended": {url.Values{"action": {"resume"}}, 409},
		"no such action": {url.Values{"action": {"explode"}}, 404}, "nothing": {url.Values{}, 404}, "a huge note": {url.Values{"action": {"approve"}, "note": {strings.Repeat("x", 100_000)}}, 404},
	} {
		if res, _ := h.ask(t, officer, http.MethodPost, residents, x.form); res.StatusCode != x.status {
			t.Errorf("%s: status %d, want %d", name, res.StatusCode, x.status)
		}
	}
	if _, body := h.ask(t, officer, http.MethodGet, residents+"?done=revoke", nil); strings.Contains(body, "maru-alert success") {
		t.Error("an address alone makes the page say that something was done")
	}
}

func TestWhatMayBeDoneIsWhatIsOffered(t *testing.T) {
	c := settled(t)
	c.approve(t, "residents")
	h := c.house(t, false)
	for account, want := range map[string]map[string]string{
		"register-steward":   {residents: "suspend revoke", income: ""},
		"income-steward":     {residents: "", income: "approve refuse"},
		"privacy-officer":    {residents: "suspend revoke", income: "approve refuse"},
		"housing-author":     {residents: "revoke renew", income: "revoke"},
		"housing-caseworker": {residents: "403", income: "403"},
	} {
		v := h.as(t, account)
		for path, actions := range want {
			res, body := h.ask(t, v, http.MethodGet, path, nil)
			var got []string
			for _, part := range strings.Split(body, `name="action" value="`)[1:] {
				name, _, _ := strings.Cut(part, `"`)
				got = append(got, name)
			}
			if res.StatusCode != http.StatusOK {
				got = []string{fmt.Sprint(res.StatusCode)}
			}
			if strings.Join(got, " ") != actions {
				t.Errorf("%s at %s is offered %v, want %q", account, path, got, actions)
			}
		}
	}
}

func TestTheConsumerAsksForALongerTerm(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place { c := settled(t); c.approve(t, "residents"); return c }, func(w *walk) {
		w.signedIn("housing-author", residents)
		w.looks("agreement-renew")
		w.Fill("#until", "2027-01-01")
		w.press("button[value=renew]")
		w.says("#until-problem", "지금의 마지막 날", "after the present last day")
		w.Fill("#until", "2029-12-31")
		w.press("button[value=renew]")
		w.says(".maru-alert.success", "신청하셨습니다. 승인되면 바뀝니다", "You have asked for it. It changes")
		w.says(".maru-diffs", "2029.12.31", "31 Dec 2029")
		w.looks("agreement-renewal")
	})
}

func TestACitizenSeesReceiptsAndDownloadsOne(t *testing.T) {
	bothLanguages(t, demo, func(w *walk) {
		w.signedIn("haneul", "/my")
		w.says(".maru-receipts", "주택정책과(청년 주거 지원)", "Youth housing support")
		w.looks("my")
		w.press(".maru-receipts li:first-child .more a")
		w.at("/my/receipts/2")
		w.looks("my-receipt")
		folder := t.TempDir()
		w.Downloads(folder)
		w.Do(chromedp.Click("a[download]"))
		var proof exchange.Proof
		if err := waitFor(t.Context(), filepath.Join(folder, "receipt-2.json"), &proof); err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.Check(proof.Proof, w.log.Verifier()); err != nil {
			t.Errorf("the file that was downloaded doesn't prove anything: %v", err)
		}
		if !strings.Contains(string(proof.Private), "housing-app") {
			t.Error("the file doesn't say who read")
		}
		w.open("/my/receipts/99")
		w.says(".maru-failure", "없는 열람 기록입니다", "there is no receipt")
		w.Faults() // 404, as it must be
	})
}

// waitFor reads a JSON file that a browser is about to write.
func waitFor(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		text, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestACitizenGivesConsentAndTakesItBack(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place { c := settled(t); c.approve(t, "household-income"); return c }, func(w *walk) {
		if err := w.mayRead("household-income"); problem.Code(err) != "agreement.consent" {
			t.Fatalf("before: %v", err)
		}
		w.signedIn("haneul", "/my/consents")
		w.says(".maru-consents", "동의하지 않음", "not consented")
		w.looks("consents")
		w.press("button[value=yes]")
		w.says(".maru-alert.success", "동의하셨습니다", "You have consented")
		w.says(".maru-consents", "동의함", "consented")
		w.looks("consents-given")
		if err := w.mayRead("household-income"); err != nil {
			t.Errorf("with consent: %v", err)
		}
		w.open("/my")
		w.says(".maru-receipts", "가구소득", "income")
		w.open("/my/consents")
		w.press("button[value=no]")
		w.says(".maru-alert.success", "동의를 철회하셨습니다", "taken your consent back")
		w.says("main", "철회하신 동의", "Taken back")
		w.looks("consents-taken-back")
		if strings.Contains(w.Text("main"), "youth-housing/") {
			t.Error("an agreement is called by its path")
		}
		if err := w.mayRead("household-income"); problem.Code(err) != "agreement.consent" {
			t.Errorf("after it was taken back: %v", err)
		}
	})
}

func TestAConsentToWhatIsSuspendedCanStillBeTakenBack(t *testing.T) {
	c := settled(t)
	c.approve(t, "household-income")
	h := c.house(t, false)
	v := h.as(t, "haneul")
	form := url.Values{"agreement": {"youth-housing/household-income"}, "answer": {"yes"}}
	h.ask(t, v, http.MethodPost, "/my/consents", form)
	if _, err := h.exchange.Act(t.Context(), incomes, "youth-housing", "household-income", exchange.Suspend, "확인", ""); err != nil {
		t.Fatal(err)
	}
	if _, body := h.ask(t, v, http.MethodGet, "/my/consents", nil); !strings.Contains(body, `value="no"`) {
		t.Error("a consent that holds isn't shown while its agreement is suspended")
	}
	form.Set("answer", "no")
	h.ask(t, v, http.MethodPost, "/my/consents", form)
	if given, err := h.exchange.Consents(t.Context(), haneul); err != nil || len(given) != 1 || given[0].Withdrawn.IsZero() {
		t.Errorf("%v %v", given, err)
	}
}

// manyReceipts is an exchange with receipts of several offices.
type manyReceipts struct {
	*exchange.Exchange
	all []exchange.Receipt // the newest first
}

func (x manyReceipts) Receipts(_ context.Context, _ *identity.Principal, before int64, limit int) (out []exchange.Receipt, err error) {
	for _, r := range x.all {
		if (before == 0 || r.ID < before) && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func TestReceiptsAreListedByOfficeAndPage(t *testing.T) {
	webtest.Assets(t)
	c := settled(t)
	x := manyReceipts{Exchange: c.exchange}
	for id := int64(3000); id > 0; id-- {
		agency := "housing-policy"
		if id%100 == 0 {
			agency = "health"
		}
		x.all = append(x.all, exchange.Receipt{ID: id, Public: exchange.Public{Kind: "read", At: now, Agency: agency, Consumer: "youth-housing", Dataset: "resident-registry/residents", Purpose: "eligibility", Fields: []string{"person"}, Records: 1, People: 1}, Actor: "housing-app"})
	}
	s := httptest.NewServer(handlerWith(c, c.registry, x, haneul))
	defer s.Close()
	path, seen := "/my?office=health", 0
	for pages := 0; path != ""; pages++ {
		if pages > 2 {
			t.Fatal("the pages don't end")
		}
		_, body := get(t, s.URL+path, "Accept-Language", "ko")
		if n := strings.Count(body, `class="sentence"`); n != strings.Count(body, "00번 기록") {
			t.Errorf("%s lists %d receipts, not all of the office", path, n)
		} else {
			seen += n
		}
		if !strings.Contains(body, `<option value="health" selected`) || !strings.Contains(body, `value="housing-policy"`) {
			t.Errorf("%s doesn't offer the offices", path)
		}
		_, rest, found := strings.Cut(body, `rel="next" href="`)
		path = ""
		if found {
			path, _, _ = strings.Cut(rest, `"`)
			path = strings.ReplaceAll(path, "&amp;", "&")
		}
	}
	if seen != 30 {
		t.Errorf("%d of 30 receipts of the office were listed", seen)
	}
	if _, body := get(t, s.URL+"/my?office=nobody"); strings.Contains(body, `class="sentence"`) || !strings.Contains(body, "maru-empty") {
		t.Error("an office that read nothing")
	}
	if _, body := get(t, s.URL+"/my"); strings.Count(body, `class="sentence"`) != 20 {
		t.Error("the first page of all")
	}
}

func TestAgreementsAreFoundByStateAndWords(t *testing.T) {
	webtest.Assets(t)
	c := settled(t)
	c.approve(t, "residents")
	c.change(t, "until: 2027-12-31", "until: 2026-12-10")
	c.approve(t, "residents")
	s := serveTo(t, c, incomes)
	now := c.Catalog.Snapshot()
	count := func(is func(r *manifest.Resource, of manifest.Key) bool) (n int) {
		for _, r := range now.List("Agreement") {
			if is(r, r.Spec.(*manifest.Agreement).Provider(r.Project)) {
				n++
			}
		}
		return n
	}
	all := count(func(*manifest.Resource, manifest.Key) bool { return true })
	housing := count(func(r *manifest.Resource, of manifest.Key) bool {
		return slices.Contains(now.Place(r.Project).Owners, "housing-policy") || slices.Contains(now.Place(of.Project).Owners, "housing-policy")
	})
	income := count(func(_ *manifest.Resource, of manifest.Key) bool { return of.Name == "household-income" })
	registry := count(func(_ *manifest.Resource, of manifest.Key) bool { return of.Project == "resident-registry" })
	for query, want := range map[string]int{
		"": min(all, 50), "?state=active": 1, "?state=requested": min(all-1, 50), "?state=soon": 1, "?state=suspended": 0, "?state=refused": 0, "?state=over": 0, "?state=expired": 0, "?state=nonsense": 0,
		"?q=" + url.QueryEscape("가구 소 득"): income, "?q=" + url.QueryEscape("주택 정책과"): housing, "?q=resident-registry": registry, "?q=zzz": 0,
	} {
		_, body := get(t, s.URL+"/console/agreements"+query)
		_, table, _ := strings.Cut(body, `id="agreements"`)
		if got := strings.Count(table, `<th scope="row">`); got != want {
			t.Errorf("%s: %d agreements, want %d", query, got, want)
		}
	}
	_, body := get(t, s.URL+"/console/agreements", "Accept-Language", "ko")
	for _, text := range []string{"내 승인을 기다리는 협약", "곧 끝나는 협약", "16일 남음", "어느 사업이 어느 자료를 이용하는지", "주민등록 정보", "청년 주거 지원"} {
		if !strings.Contains(body, text) {
			t.Errorf("the page doesn't say %q", text)
		}
	}
	if _, body := get(t, s.URL+"/console", "Accept-Language", "ko"); !strings.Contains(body, "/console/agreements?state=soon") {
		t.Error("the overview doesn't say that an agreement ends soon")
	}
}

func TestTheListOfAgreementsShowsWhoReadsWhatFromWhom(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place {
		c := settled(t)
		c.approve(t, "household-income")
		c.change(t, "until: 2027-12-31", "until: 2026-12-10")
		c.approve(t, "residents")
		c.change(t, "until: 2027-12-31", "until: 2028-12-31")
		return c
	}, func(w *walk) {
		w.signedIn("register-steward", "/console/agreements")
		w.says("section[aria-labelledby=mine]", "변경", "a change")
		w.says("section[aria-labelledby=soon]", "16일 남음", "16 days left")
		w.says("#flows", "행정국", "Administration")
		w.says("#flows", "거주지주소", "Home address")
		if got := webtest.Eval[int](w.Browser, "document.querySelectorAll('#flows tbody tr').length"); got != 2 {
			t.Errorf("%d flows", got)
		}
		w.looks("agreements-flows")
		// A choice of state shows the agreements that are in it, and the address keeps it.
		w.Do(chromedp.SetValue("#filter-state", "requested"))
		webtest.Eval[bool](w.Browser, "document.querySelector('#filter-state').dispatchEvent(new Event('change', {bubbles: true}))")
		if !w.Until("document.querySelectorAll('#agreements tbody tr').length === 50 && !document.querySelector('#agreements').innerText.includes('이용 중') && location.search.includes('state=requested')") {
			t.Errorf("choosing a state: %s", w.Text("#results"))
		}
		w.open("/console/datasets/resident-registry/residents?tab=readers")
		w.says("#readers", "변경 승인 대기", "a change waits for approval")
		w.looks("dataset-readers")
	})
}
