package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/web/webtest"
)

func TestAMaskedRecordIsShownForAReasonAndTheCitizenSeesIt(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serveTo(t, c, steward)
	for _, width := range []int64{360, 1280} {
		b.Size(width, 800)
		b.Visit(s.URL + "/console/datasets/resident-registry/residents?tab=sample&lang=ko")
		b.Settled()
		b.Fits()
		b.Axe()
		b.Shot("reveal-sample-" + map[int64]string{360: "360", 1280: "1280"}[width])
	}
	b.Click(`button[name="record"]`)
	b.Fits()
	b.Axe()
	b.Shot("reveal-reason-1280")
	b.Fill("#reason", "모름")
	b.Click(`form.maru-form button[type="submit"]`)
	if got := b.Text("#reason-fault"); !strings.Contains(got, "5–500자") {
		t.Errorf("a reason that is too short: %q", got)
	}
	b.Axe()
	b.Shot("reveal-fault-1280")
	const reason = "전입 신고 20260301-014의 주소를 확인합니다"
	b.Fill("#reason", reason)
	b.Click(`form.maru-form button[type="submit"]`)
	text := b.Text("main")
	if !strings.Contains(text, "열람 기록을 남겼습니다") || strings.Contains(text, "908101-") {
		t.Errorf("the record isn't shown, or too much of it: %s", text)
	}
	b.Axe()
	b.Shot("reveal-shown-1280")

	// the one it was about finds it, whoever that was
	found := 0
	slices.Sort(c.people)
	for _, n := range slices.Compact(c.people) {
		list, err := c.exchange.Receipts(t.Context(), citizen(n), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if r.Kind == "reveal" {
				found++
				if r.Reason != reason || r.Actor != "register-steward" || r.Records != 1 {
					t.Errorf("%+v", r)
				}
			}
		}
	}
	if found != 1 {
		t.Errorf("%d receipts", found)
	}
}

func TestWhoMayntSeeMaskedValuesIsRefused(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	d := c.Snapshot().Dataset("resident-registry", "residents")
	list, err := c.registry.Sample(t.Context(), d, []string{"district"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	handle, err := c.exchange.Handle(d, list[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	post := func(who *identity.Principal, record string) int {
		s := serveTo(t, c, who)
		res, err := client.PostForm(s.URL+"/console/datasets/resident-registry/residents/record", url.Values{"record": {record}, "reason": {"궁금해서 봅니다"}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res.StatusCode
	}
	for _, who := range []*identity.Principal{haneul, incomes, privacy, housing} {
		if got := post(who, handle); got != http.StatusForbidden {
			t.Errorf("%s: status %d", who.Account, got)
		}
		if _, body := get(t, serveTo(t, c, who).URL+"/console/datasets/resident-registry/residents?tab=sample"); strings.Contains(body, `name="record"`) {
			t.Errorf("%s is offered to look", who.Account)
		}
	}
	for _, forged := range []string{"", "x", list[0].Key, handle[:len(handle)-2] + "AA"} {
		if got := post(steward, forged); got != http.StatusNotFound {
			t.Errorf("a handle %q: status %d", forged, got)
		}
	}
	if got := post(steward, handle); got != http.StatusOK {
		t.Errorf("status %d", got)
	}
	for n := range 61 {
		if got := post(steward, handle); got == http.StatusTooManyRequests {
			return
		} else if n == 60 {
			t.Error("there is no limit")
		}
	}
}
