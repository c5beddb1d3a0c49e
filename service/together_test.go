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
func some(excludes map[int][]int, amounts ...*service.Amount) (list []*service.Service, verdicts []*service.Verdict) {
	for i, a := range amounts {
		one := &service.Service{Key: manifest.Key{Kind: "Service", Project: "p", Name: fmt.Sprint("s", i)}, Spec: &manifest.Service{}}
		for _, j := range excludes[i] {
			one.Spec.Excludes = append(one.Spec.Excludes, fmt.Sprint("s", j))
		}
		list, verdicts = append(list, one), append(verdicts, &service.Verdict{Outcome: service.Yes, Benefit: a})
	}
	return list, verdicts
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
		list, verdicts := some(x.excludes, x.amounts...)
		got := service.Best(list, verdicts)
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
		list, verdicts := some(excludes, amounts...)
		got := service.Best(list, verdicts)
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
