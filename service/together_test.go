package service_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// some makes services s0, s1, … with what they exclude and are worth.
func some(excludes map[int][]int, amounts ...*service.Amount) (list []service.Offer) {
	for i, a := range amounts {
		one := &service.Service{Key: manifest.Key{Kind: "Service", Project: "p", Name: fmt.Sprint("s", i)}, Spec: &manifest.Service{}}
		for _, j := range excludes[i] {
			one.Spec.Excludes = append(one.Spec.Excludes, fmt.Sprint("s", j))
		}
		list = append(list, service.Offer{Service: one, Verdict: &service.Verdict{Outcome: service.Yes, Benefit: a}})
	}
	return list
}

func once(n int64) *service.Amount { return &service.Amount{Amount: n, Unit: "KRW"} }

func monthly(n int64, months int) *service.Amount {
	return &service.Amount{Amount: n, Unit: "KRW/month", Months: months}
}

func names(list []*service.Service) (out []string) {
	for _, one := range list {
		out = append(out, one.Name)
	}
	return out
}

func TestTheBestCombination(t *testing.T) {
	for _, x := range []struct {
		name     string
		excludes map[int][]int
		amounts  []*service.Amount
		want     []string
	}{
		{"nothing excludes anything", nil, []*service.Amount{once(1), nil, once(3)}, []string{"s0", "s1", "s2"}},
		{"the more valuable one, said by the other", map[int][]int{1: {0}}, []*service.Amount{once(100), once(200)}, []string{"s1"}},
		{"two small ones are worth more than one large", map[int][]int{1: {0, 2}}, []*service.Amount{once(60), once(100), once(60)}, []string{"s0", "s2"}},
		{"a month's amount counts for its months, at most a year", map[int][]int{0: {1}, 2: {3}}, []*service.Amount{monthly(200_000, 12), once(1_000_000), monthly(10, 24), once(121)}, []string{"s0", "s3"}},
		{"money isn't left for what isn't", map[int][]int{0: {1, 2}}, []*service.Amount{once(1), nil, nil}, []string{"s0"}},
		{"more of what isn't money", map[int][]int{0: {1, 2}}, []*service.Amount{nil, nil, nil}, []string{"s1", "s2"}},
		{"of equals the first", map[int][]int{0: {1}}, []*service.Amount{once(5), once(5)}, []string{"s0"}},
		{"a percentage isn't won", map[int][]int{0: {1}}, []*service.Amount{{Amount: int64(50), Unit: "percent"}, once(1)}, []string{"s1"}},
	} {
		list := some(x.excludes, x.amounts...)
		got := service.Best(list)
		if !slices.Equal(names(got.Take), x.want) {
			t.Errorf("%s: %q, want %q", x.name, names(got.Take), x.want)
		}
		for _, l := range got.Leave {
			if len(l.For) == 0 {
				t.Errorf("%s: %s is left for nothing", x.name, l.Name)
			}
		}
	}
}

// No two that are taken exclude each other, everything that is left is for something that is taken, and up to the limit nothing is worth more.
func TestCombinationsHold(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		n := r.IntN(30)
		excludes, amounts := map[int][]int{}, make([]*service.Amount, n)
		for i := range n {
			amounts[i] = once(r.Int64N(10))
			for j := range n {
				if i != j && r.IntN(8) == 0 {
					excludes[i] = append(excludes[i], j)
				}
			}
		}
		list := some(excludes, amounts...)
		got := service.Best(list)
		if len(got.Take)+len(got.Leave) != n {
			t.Fatalf("%d and %d of %d", len(got.Take), len(got.Leave), n)
		}
		for i, a := range got.Take {
			for _, b := range got.Take[:i] {
				if service.Excluded(a, b) {
					t.Fatalf("%s and %s exclude each other", a.Name, b.Name)
				}
			}
		}
		for _, l := range got.Leave {
			if len(l.For) == 0 {
				t.Fatalf("%s is left for nothing", l.Name)
			}
		}
	}
}

// What one gets of one service may be income for another: then it gives less, or isn't had, and what is worth most together is what is worth most then.
func TestWhatCountsAsIncome(t *testing.T) {
	services := service.New(open(t).Snapshot)
	living, pension := services.Service("welfare", "livelihood-benefit"), services.Service("senior-support", "basic-pension")
	if living == nil || pension == nil || !service.Counted(living, pension) || service.Counted(pension, living) {
		t.Fatal("the basic pension doesn't count as income for the livelihood benefit")
	}
	offers := func(income int64) []service.Offer {
		known := map[string]any{"household_size": int64(1), "recognised_income": income, "obligor_income": int64(0), "obligor_assets": int64(0)}
		v := living.Check(known, asOf)
		if v.Outcome != service.Yes {
			t.Fatalf("%+v", v)
		}
		return []service.Offer{{living, v, known}, {pension, &service.Verdict{Outcome: service.Yes, AsOf: asOf, Benefit: &service.Amount{Amount: int64(342_510), Unit: "KRW/month"}}, nil}}
	}
	// 32 % of the median for one is 820,556 won. Without income the benefit is 820,550, with the pension 478,040: the two together are worth the same and four won.
	got := service.Best(offers(0))
	if len(got.Take) != 2 || len(got.Less) != 1 || got.Less[0].Service != living || got.Less[0].Amount.Amount != int64(478_040) || got.Less[0].For[0] != pension {
		t.Errorf("%q %+v", names(got.Take), got.Less)
	}
	// With an income of 700,000 the benefit isn't had beside the pension, which is worth more.
	got = service.Best(offers(700_000))
	if len(got.Take) != 1 || got.Take[0] != pension || len(got.Leave) != 1 || got.Leave[0].For[0] != pension {
		t.Errorf("%q %+v", names(got.Take), got.Leave)
	}
	// With a pension that leaves the income just within the limit both are had, and the benefit is nothing.
	low := offers(700_000)
	low[1].Verdict.Benefit.Amount = int64(120_550)
	if got = service.Best(low); len(got.Take) != 2 || len(got.Less) != 1 || got.Less[0].Amount.Amount != int64(0) {
		t.Errorf("%q %+v", names(got.Take), got.Less)
	}
}
