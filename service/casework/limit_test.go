package casework_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/service/casework"
)

const district = "moving/rent-of-the-district"

// One may apply for both, and gets one: whichever service says so, the desk sees it before anything is given.
func TestWhatExcludesEachOtherIsntGivenTogether(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		a := c.submit(t, citizen("1"), []string{rent, district}, said(t, map[string]any{"monthly_rent": 1}))
		first, second := a.Cases[0].ID, a.Cases[1].ID
		d, err := c.Get(t.Context(), housing, first) // the one that doesn't say so itself
		if err != nil || len(d.Conflicts) != 1 || d.Conflicts[0].Case != second {
			t.Fatalf("%+v %v", d.Conflicts, err)
		}
		if mine, err := c.Get(t.Context(), citizen("1"), first); err != nil || mine.Conflicts != nil {
			t.Errorf("%+v %v", mine.Conflicts, err)
		}
		var done, refused atomic.Int32
		var group sync.WaitGroup
		for id, who := range map[string]int{first: 0, second: 1} {
			official := housing
			if who == 1 {
				official = welfare
			}
			group.Go(func() {
				_, err := c.Act(t.Context(), official, id, "approve", casework.ActionInput{Version: 1})
				switch problem.Code(err) {
				case "":
					done.Add(1)
				case "case.conflict":
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if done.Load() != 1 || refused.Load() != 1 {
			t.Errorf("%d approved, %d refused", done.Load(), refused.Load())
		}
	})
}

func TestOnceInALife(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{district}, said(t, map[string]any{"rent": 1})).Cases[0].ID
		c.do(t, welfare, id, "refuse", casework.ActionInput{Reason: "아닙니다", Clauses: []int{0}})
		id = c.submit(t, citizen("1"), []string{district}, said(t, map[string]any{"rent": 1})).Cases[0].ID // what was refused wasn't given
		c.do(t, welfare, id, "approve", casework.ActionInput{})
		if _, err := c.Submit(t.Context(), citizen("1"), casework.Submission{Services: []string{district}, Answers: said(t, map[string]any{"rent": 1})}); problem.Code(err) != "application.once_given" {
			t.Error(err)
		}
		c.submit(t, citizen("2"), []string{district}, said(t, map[string]any{"rent": 1}))
	})
}

// Once for a child: the other parent, who applies beside, is seen at the desk and not given it again.
func TestOnceForAChildWhoeverApplies(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		const gift = "moving/birth-gift"
		one := c.submit(t, citizen("1"), []string{gift}, said(t, map[string]any{"child": "B-77"})).Cases[0].ID
		other := c.submit(t, citizen("2"), []string{gift}, said(t, map[string]any{"child": "B-77"})).Cases[0].ID
		third := c.submit(t, citizen("3"), []string{gift}, said(t, map[string]any{"child": "B-78"})).Cases[0].ID
		c.do(t, welfare, one, "approve", casework.ActionInput{})
		d, err := c.Get(t.Context(), welfare, other)
		if err != nil || len(d.Conflicts) != 1 || !d.Conflicts[0].Once {
			t.Errorf("%+v %v", d.Conflicts, err)
		}
		if _, err := c.try(t, welfare, other, "approve", casework.ActionInput{}); problem.Code(err) != "case.conflict" {
			t.Error(err)
		}
		c.do(t, welfare, third, "approve", casework.ActionInput{})
	})
}

func TestApplicationsAreTakenWithinTheWindow(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		for day, open := range map[string]bool{"2026-10-31 23:59": false, "2026-11-01 00:00": true, "2026-12-31 23:59": true, "2027-01-01 00:00": false} {
			c.clock.Set(at(t, day))
			_, err := c.Form(t.Context(), citizen("1"), []string{district}, nil)
			if got := problem.Code(err); (got == "") != open || !open && got != "application.closed" {
				t.Errorf("%s: %v", day, err)
			}
		}
	})
}
