package casework_test

import (
	"slices"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/service/casework"
)

// TestCitizensAreToldWhatIsNew tells what offices did to somebody's cases, once: not what they did themselves, what is internal, or what isn't confirmed yet.
func TestCitizensAreToldWhatIsNew(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{grant}, said(t, map[string]any{"rent": 450_000})).Cases[0].ID
		news := func() (out []string) {
			t.Helper()
			list, err := c.News(t.Context(), citizen("1"))
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range list {
				out = append(out, n.What.En)
			}
			return out
		}
		on := func(minutes int) { c.clock.Set(at(t, "2026-11-30 10:00").Add(time.Duration(minutes) * time.Minute)) }
		on(1)
		c.do(t, welfare, id, "note", casework.ActionInput{Reason: "확인할 것"})
		c.do(t, welfare, id, "take", casework.ActionInput{})
		if got := news(); len(got) > 0 {
			t.Errorf("%q", got)
		}
		on(2)
		c.do(t, welfare, id, "ask", casework.ActionInput{Reason: "계약서를 내 주십시오", Days: 7})
		on(3)
		c.do(t, citizen("1"), id, "supply", casework.ActionInput{Reason: "냈습니다"})
		on(4)
		c.do(t, welfare, id, "approve", casework.ActionInput{}) // somebody else has to confirm it
		if got := news(); !slices.Equal(got, []string{"Ask for a supplement"}) {
			t.Errorf("%q", got)
		}
		f, err := c.Get(t.Context(), citizen("1"), id)
		if err != nil || slices.ContainsFunc(f.History, func(e casework.CaseStep) bool { return e.Action == "approve" }) {
			t.Errorf("the citizen sees what isn't confirmed: %+v %v", f.History, err)
		}
		list, err := c.News(t.Context(), citizen("1"))
		if err == nil {
			err = c.Seen(t.Context(), citizen("1"), list[0].At)
		}
		if got := news(); err != nil || len(got) > 0 {
			t.Errorf("%q %v", got, err)
		}
		on(5)
		c.do(t, caseworker("welfare-second", "welfare"), id, "confirm", casework.ActionInput{})
		if got := news(); !slices.Equal(got, []string{"Confirm"}) {
			t.Errorf("%q", got)
		}
		if list, err := c.News(t.Context(), citizen("2")); err != nil || len(list) > 0 {
			t.Errorf("another's: %v %v", list, err)
		}
		if _, err := c.News(t.Context(), welfare); problem.Code(err) != "auth.refused" {
			t.Error(err)
		}
	})
}
