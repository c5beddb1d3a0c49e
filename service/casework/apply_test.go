package casework_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
)

func TestOneFormForSeveralServices(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		f, err := c.Form(t.Context(), citizen("1"), []string{rent, grant}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var asks []string
		for _, q := range f.Asks {
			asks = append(asks, q.Name+" "+strings.Join(q.Services, "+"))
		}
		if want := []string{"monthly_rent " + rent + "+" + grant, "children " + grant}; !slices.Equal(asks, want) { // cited by one term, asked once
			t.Errorf("asks %q, want %q", asks, want)
		}
		if c.reads != 2 {
			t.Errorf("%d reads for two agreements", c.reads)
		}
		if f.Verdicts[0].Outcome != service.Unknown {
			t.Errorf("%+v", f.Verdicts[0])
		}
		f, err = c.Form(t.Context(), citizen("1"), []string{rent, grant}, said(t, map[string]any{"monthly_rent": 450_000}))
		if err != nil || len(f.Asks) != 0 || f.Verdicts[0].Outcome != service.Yes || f.Verdicts[1].Outcome != service.Yes { // children can't change it any more
			t.Errorf("%v %v", f, err)
		}
	})
}

func TestAnApplicationIsHandedInOnceAndWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		in := casework.Submission{Services: []string{rent, grant}, Once: "k1"}
		_, err := c.Submit(t.Context(), citizen("1"), in)
		p := problem.As(err)
		if p == nil || p.Code != "application.missing" || len(p.At) != 2 || p.At[0].Where != "monthly_rent" {
			t.Fatal(err)
		}
		in.Answers = said(t, map[string]any{"monthly_rent": 450_000})
		var group sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			group.Go(func() {
				a, err := c.Submit(t.Context(), citizen("1"), in)
				if err != nil {
					t.Error(err)
					return
				}
				ids[i] = a.ID
			})
		}
		group.Wait()
		if len(slices.Compact(ids)) != 1 {
			t.Errorf("one form sent eight times: %q", ids)
		}
		mine, err := c.Mine(t.Context(), citizen("1"))
		if err != nil || len(mine) != 2 {
			t.Fatalf("%d cases, want 2: %v", len(mine), err)
		}
		for _, one := range mine {
			want, agency := "2026-12-17 23:59", "housing-policy"
			if one.Project == "moving" {
				want, agency = "2026-12-07 10:00", "welfare"
			}
			if got := one.Due.In(at(t, want).Location()).Format("2006-01-02 15:04"); got != want || one.Agency != agency || one.State != casework.Received {
				t.Errorf("%s: due %s at %s, %s", one.ID, got, one.Agency, one.State)
			}
		}
		in.Once = "k2"
		if _, err = c.Submit(t.Context(), citizen("1"), in); problem.Code(err) != "application.open" {
			t.Error("applied for twice:", err)
		}
		if list, err := c.Mine(t.Context(), citizen("2")); err != nil || len(list) != 0 {
			t.Errorf("somebody else's: %v %v", list, err)
		}
	})
}

func TestWhatIsWrongWithAnApplicationIsSaidAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		for code, in := range map[string]casework.Submission{
			"application.services": {},
			"service.unknown":      {Services: []string{"youth-housing/nothing"}},
			"service.facts":        {Services: []string{rent}, Answers: said(t, map[string]any{"monthly_rent": "none", "birth_date": "1999-02-30"})},
		} {
			_, err := c.Submit(t.Context(), citizen("1"), in)
			if problem.Code(err) != code {
				t.Errorf("want %s, got %v", code, err)
			}
			if code == "service.facts" && len(problem.As(err).At) != 2 {
				t.Errorf("not all of it: %v", err)
			}
		}
		_, err := c.Submit(t.Context(), citizen("1"), casework.Submission{Services: []string{rent}, Answers: said(t, map[string]any{"monthly_rant": 1})})
		if p := problem.As(err); p == nil || p.Code != "service.facts" || !strings.Contains(p.At[0].Hint.En, "monthly_rent") {
			t.Error(err)
		}
		for _, who := range []*identity.Principal{{}, housing} {
			if _, err := c.Submit(t.Context(), who, casework.Submission{Services: []string{rent}}); problem.As(err) == nil || problem.As(err).Status >= 404 {
				t.Errorf("%s applies for themselves: %v", who.Kind, err)
			}
		}
	})
}

// An agreement that is revoked between the check and the application: the fact is asked instead.
func TestAFactThatCantBeReadIsAsked(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.revoked = true
		f, err := c.Form(t.Context(), citizen("1"), []string{rent}, nil)
		if err != nil || len(f.Asks) != 4 || len(f.Lacking) != 2 || f.Lacking[0].Code != "agreement.revoked" {
			t.Fatalf("%+v %v", f, err)
		}
		a := c.submit(t, citizen("1"), []string{rent}, said(t, map[string]any{"birth_date": "1999-05-01", "household_size": 1, "household_income": 3_000_000, "monthly_rent": 1}))
		d, err := c.Get(t.Context(), housing, a.Cases[0].ID)
		if err != nil || len(d.Facts) != 4 || d.Facts[0].Agreement != "" || d.Verdict.Outcome != service.Yes {
			t.Errorf("%+v %v", d, err)
		}
	})
}

// What the register says decides; what the citizen says beside it is kept for the caseworker to see.
func TestAClaimStandsBesideWhatWasRead(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		a := c.submit(t, citizen("2"), []string{rent}, said(t, map[string]any{"birth_date": "1999-05-01", "monthly_rent": 1}))
		d, err := c.Get(t.Context(), housing, a.Cases[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		f := d.Facts[0]
		if d.Verdict.Outcome != service.No || f.Value != "1970-05-01" || f.Claim != "1999-05-01" || f.Agreement == "" || f.Receipt == nil || f.Source.Empty() {
			t.Errorf("%s %+v", d.Verdict.Outcome, f)
		}
	})
}

// A submission that ends in the middle leaves nothing.
func TestAllCasesOfAnApplicationOrNone(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.submit(t, citizen("1"), []string{grant}, said(t, map[string]any{"rent": 1}))
		_, err := c.Submit(t.Context(), citizen("1"), casework.Submission{Services: []string{rent, grant}, Answers: said(t, map[string]any{"monthly_rent": 1})}) // the second one is under way already
		if problem.Code(err) != "application.open" {
			t.Fatal(err)
		}
		if mine, err := c.Mine(context.Background(), citizen("1")); err != nil || len(mine) != 1 {
			t.Errorf("%d cases, want 1: %v", len(mine), err)
		}
	})
}

func TestACitizenAppliesOnlySoOftenADay(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		for range 100 {
			a := c.submit(t, citizen("1"), []string{grant}, said(t, map[string]any{"rent": 1}))
			c.do(t, citizen("1"), a.Cases[0].ID, "withdraw", casework.ActionInput{})
		}
		in := casework.Submission{Services: []string{grant}, Answers: said(t, map[string]any{"rent": 1})}
		if _, err := c.Submit(t.Context(), citizen("1"), in); problem.Code(err) != "application.many" {
			t.Error(err)
		}
		c.clock.Advance(25 * time.Hour)
		if _, err := c.Submit(t.Context(), citizen("1"), in); err != nil {
			t.Error(err)
		}
	})
}
