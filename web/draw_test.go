package web_test

import (
	"testing"
	"time"

	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service/casework"
)

const garden = `
kind: Project
name: gardens
title: {ko: 도시 텃밭, en: City gardens}
owner: housing-policy
lifecycle: live
---
kind: Service
name: garden
title: {ko: 도시 텃밭 분양, en: A plot in a city garden}
about: {ko: 한 해 동안 가꿀 텃밭을 드립니다., en: A plot to tend for a year.}
window: {from: 2026-11-01, to: 2026-11-20, quota: 2, choose: draw, seed: {ko: 11월 21일 로또 당첨 번호 여섯 개를 작은 것부터, en: "The six lottery numbers of 21 November, the smallest first"}}
facts:
  wants: {ask: {ko: "텃밭을 가꾸시겠습니까?", en: Will you tend it?}, type: bool}
eligible:
  - {when: wants, why: {ko: 가꿀 뜻이 있어야 합니다, en: You want to}}
process: {due: 14 working days}
`

// TestADrawInTheOpen plays a caseworker who draws, and a citizen who looks how it went.
func TestADrawInTheOpen(t *testing.T) {
	bothLanguages(t, func(t testing.TB) *place {
		c := settled(t)
		apply(t, c, map[string]string{"garden.yaml": garden}, "")
		o := c.cases.Options
		o.Now = func() time.Time { return now.AddDate(0, 0, -10) }
		before, err := casework.Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		for _, who := range []*identity.Principal{haneul, {Kind: identity.Citizen, Person: "90001"}, {Kind: identity.Citizen, Person: "90002"}, {Kind: identity.Citizen, Person: "90003"}} {
			if _, err := before.Submit(t.Context(), who, casework.Submission{Services: []string{"gardens/garden"}, Answers: registry.Values{"wants": "true"}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := c.cases.Wake(t.Context()); err != nil {
			t.Fatal(err)
		}
		return c
	}, func(w *walk) {
		w.open("/services/gardens/garden")
		w.says(".maru-facts", "2명, 추첨", "2, drawn")
		w.press("a[href$='/draw']")
		w.says("main", "아직 추첨하지 않았습니다", "It isn’t drawn yet")
		w.looks("draw-before")
		w.signedIn("housing-caseworker", "/desk")
		w.says("#draw-gardens-garden", "도시 텃밭 분양", "A plot in a city garden")
		w.looks("desk-draw")
		w.Fill("#seed-gardens-garden", "3 11 14 25 40 44")
		w.press("form[action^='/desk/draws'] button")
		w.says("main", "3 11 14 25 40 44", "3 11 14 25 40 44")
		w.looks("draw")
		w.signedOut()
		w.signedIn("haneul", "/my/applications")
		w.press(".maru-list a.title")
		w.says(".maru-facts", "4건 가운데", "of 4")
		w.looks("application-draw")
		if line := w.Text(".maru-code"); len(line) != 32 {
			t.Errorf("the line in the list: %q", line)
		}
	})
}
