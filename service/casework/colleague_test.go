package casework_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/service/casework"
)

const given = `
kind: Project
name: meals
title: {ko: 도시락, en: Meals}
owner: welfare
lifecycle: live
---
kind: Service
name: meal
title: {ko: 도시락 지원, en: Meals}
facts:
  wants: {ask: {ko: "받으시겠습니까?", en: Do you want them?}, type: bool}
eligible:
  - {when: wants, why: {ko: 뜻이 있어야 합니다, en: You want to}}
process: {due: 14 working days, assign: least}
`

// TestWhatComesIsGivenToWhoHasTheFewest spreads cases, passes over who is away for who stands in, and shows these what they stand in for.
func TestWhatComesIsGivenToWhoHasTheFewest(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.apply(t, map[string]string{"meals.yaml": given})
		kim, lee, park := caseworker("kim", "welfare"), caseworker("lee", "welfare"), caseworker("park", "welfare")
		n := 0
		apply := func() string {
			t.Helper()
			n++
			id := c.submit(t, citizen(fmt.Sprint(400+n)), []string{"meals/meal"}, said(t, map[string]any{"wants": true})).Cases[0].ID
			f, err := c.Get(t.Context(), welfare, id)
			if err != nil {
				t.Fatal(err)
			}
			return f.Assignee
		}
		set := func(who *identity.Principal, in casework.Colleague) {
			t.Helper()
			if _, err := c.SetColleague(t.Context(), who, in); err != nil {
				t.Fatal(err)
			}
		}
		if got := apply(); got != "" { // nobody has said that they take any
			t.Errorf("given to %s", got)
		}
		set(kim, casework.Colleague{Takes: true})
		set(lee, casework.Colleague{Takes: true})
		set(park, casework.Colleague{Takes: false})
		load := map[string]int{}
		for range 6 {
			load[apply()]++
		}
		if load[kim.Actor()] != 3 || load[lee.Actor()] != 3 {
			t.Errorf("%v", load)
		}
		set(kim, casework.Colleague{Takes: true, Away: "2026-11-30", Back: "2026-12-04", Cover: lee.Actor()})
		for range 2 {
			if got := apply(); got != lee.Actor() {
				t.Errorf("given to %q while kim is away", got)
			}
		}
		mine := func(who *identity.Principal) int {
			t.Helper()
			list, _, err := c.Queue(t.Context(), who, casework.Queue{Mine: true})
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		if a, b := mine(lee), mine(park); a != 8 || b != 0 { // lee's own five, and kim's three
			t.Errorf("lee has %d, park %d", a, b)
		}
		c.clock.Set(at(t, "2026-12-07 10:00")) // back again
		if a, b := mine(lee), mine(kim); a != 5 || b != 3 {
			t.Errorf("lee has %d, kim %d", a, b)
		}
		if got := apply(); got != kim.Actor() {
			t.Errorf("given to %q, kim has fewer", got)
		}
		for code, in := range map[string]casework.Colleague{
			"colleague.absence":  {Takes: true, Away: "2026-12-10", Back: "2026-12-09"},
			"colleague.absence ": {Takes: true, Away: "2026-12-10"},
			"colleague.cover":    {Takes: true, Away: "2026-12-10", Back: "2026-12-11", Cover: park.Actor()},
			"colleague.cover ":   {Takes: true, Away: "2026-12-10", Back: "2026-12-11", Cover: kim.Actor()},
		} {
			if _, err := c.SetColleague(t.Context(), kim, in); problem.Code(err)+" " != code && problem.Code(err) != code {
				t.Errorf("%+v: %v", in, err)
			}
		}
		if _, err := c.SetColleague(t.Context(), citizen("1"), casework.Colleague{Takes: true}); problem.Code(err) != "auth.refused" {
			t.Error(err)
		}
	})
}

// Of twenty that come at once two colleagues get ten each.
func TestWhatComesAtOnceIsSpread(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.apply(t, map[string]string{"meals.yaml": given})
		kim, lee := caseworker("kim", "welfare"), caseworker("lee", "welfare")
		for _, who := range []*identity.Principal{kim, lee} {
			if _, err := c.SetColleague(t.Context(), who, casework.Colleague{Takes: true}); err != nil {
				t.Fatal(err)
			}
		}
		yes := said(t, map[string]any{"wants": true})
		var group sync.WaitGroup
		for i := range 20 {
			group.Go(func() {
				if _, err := c.Submit(t.Context(), citizen(fmt.Sprint(500+i)), casework.Submission{Services: []string{"meals/meal"}, Answers: yes}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		for _, who := range []*identity.Principal{kim, lee} {
			if list, _, err := c.Queue(t.Context(), who, casework.Queue{Mine: true}); err != nil || len(list) != 10 {
				t.Errorf("%s has %d: %v", who.Account, len(list), err)
			}
		}
	})
}

func TestCasesAreFoundByNumberAndService(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		a := c.submit(t, citizen("1"), []string{rent, grant}, said(t, map[string]any{"monthly_rent": 450_000}))
		id := a.Cases[0].ID
		for text, want := range map[string]int{"": 1, id: 1, id[5:9] + " " + id[10:14]: 1, "청년 월세": 1, "youthRENT": 1, "이사비": 0, "99999999999": 0, "%": 0, "'": 0, " ": 1} {
			list, _, err := c.Queue(t.Context(), housing, casework.Queue{Text: text})
			if err != nil || len(list) != want {
				t.Errorf("%q: %d, want %d: %v", text, len(list), want, err)
			}
		}
	})
}
