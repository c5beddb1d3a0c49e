package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/web/webtest"
)

func TestAnAgencyIsCutOffAndConnectedAgain(t *testing.T) {
	b := webtest.Open(t)
	c := demo(t)
	s := serveTo(t, c, privacy)
	mayRead := func() string {
		id, err := c.exchange.Pseudonym("youth-housing", "person", exchange.Person(haneul.Person))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = c.exchange.One(t.Context(), housing, exchange.Request{Agreement: "residents", Purpose: "eligibility", Subject: id})
		return problem.Code(err)
	}
	page := s.URL + "/console/agencies/administration"
	for _, width := range []int64{360, 1280} {
		b.Size(width, 800)
		b.Visit(page + "?lang=ko")
		b.Fits()
		b.Axe()
		b.Shot(map[int64]string{360: "cut-off-360", 1280: "cut-off-1280"}[width])
	}
	b.Click(`button[value="cut-off"]`)
	if got := b.Text("#note-problem"); !strings.Contains(got, "이유를") || mayRead() != "" {
		t.Errorf("without a reason: %q, %q", got, mayRead())
	}
	b.Fill("#note", "단말기 분실 신고")
	b.Click(`button[value="cut-off"]`)
	if got := b.Text("main"); !strings.Contains(got, "단말기 분실 신고") || mayRead() != "agency.cut_off" {
		t.Errorf("cut off: %q, %q", mayRead(), got)
	}
	b.Axe()
	b.Shot("cut-off-done-1280")
	b.Click(`button[value="reconnect"]`)
	if mayRead() != "" {
		t.Errorf("connected again: %q", mayRead())
	}
	for _, who := range []*identity.Principal{steward, housing, haneul} {
		other := serveTo(t, c, who)
		if _, body := get(t, other.URL+"/console/agencies/administration"); strings.Contains(body, `value="cut-off"`) {
			t.Errorf("%s is offered to cut off", who.Account)
		}
		res, err := client.PostForm(other.URL+"/console/agencies/administration", url.Values{"action": {"cut-off"}, "note": {"사고"}})
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusForbidden || mayRead() != "" {
			t.Errorf("%s: status %d", who.Account, res.StatusCode)
		}
	}
}
