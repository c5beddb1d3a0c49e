package service

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/maru-city/maru/manifest"
)

// Excluded reports whether two services can't be had together: one of them says so.
func Excluded(a, b *Service) bool {
	names := func(one, other *Service) bool {
		return slices.ContainsFunc(one.Spec.Excludes, func(ref string) bool { return manifest.Ref("Service", one.Project, ref) == other.Key })
	}
	return names(a, b) || names(b, a)
}

// Together is the best of what one can get, where some of it excludes other.
type Together struct {
	Take  []*Service // in the order in which they were given
	Leave []Left
}

// Left is a service that is left for what it excludes.
type Left struct {
	*Service
	For []*Service // of those that are taken
}

// exact is up to how many services that exclude each other all combinations are looked at; a group that is larger is gone through from the most valuable one.
const exact = 16

// Best is what of some services, which one may have each, is worth most together: in won within a year, then by their number, then by their order. What isn't money counts as nothing, so that money isn't left for it; where neither is,
// more of them are better.
func Best(services []*Service, verdicts []*Verdict) (out Together) {
	n := len(services)
	against := make([][]int, n) // who excludes whom
	for i := range n {
		for j := range i {
			if Excluded(services[i], services[j]) {
				against[i], against[j] = append(against[i], j), append(against[j], i)
			}
		}
	}
	taken, seen := make([]bool, n), make([]bool, n)
	for i := range n {
		if seen[i] {
			continue
		}
		group := []int{i}
		seen[i] = true
		for at := 0; at < len(group); at++ {
			for _, j := range against[group[at]] {
				if !seen[j] {
					seen[j], group = true, append(group, j)
				}
			}
		}
		slices.Sort(group)
		for _, j := range bestOf(group, against, func(i int) float64 { return verdicts[i].Benefit.yearly() }) {
			taken[j] = true
		}
	}
	for i, one := range services {
		if taken[i] {
			out.Take = append(out.Take, one)
			continue
		}
		left := Left{Service: one}
		slices.Sort(against[i])
		for _, j := range against[i] {
			if taken[j] {
				left.For = append(left.For, services[j])
			}
		}
		out.Leave = append(out.Leave, left)
	}
	return out
}

// bestOf are those of a group, in order, that are worth most and none of which excludes another.
func bestOf(group []int, against [][]int, worth func(int) float64) (best []int) {
	if len(group) > exact {
		byWorth := slices.Clone(group)
		slices.SortStableFunc(byWorth, func(a, b int) int { return cmp.Compare(worth(b), worth(a)) })
		for _, i := range byWorth {
			if !slices.ContainsFunc(best, func(j int) bool { return slices.Contains(against[i], j) }) {
				best = append(best, i)
			}
		}
		slices.Sort(best)
		return best
	}
	enemies := make([]uint32, len(group))
	for a, i := range group {
		for b, j := range group {
			if slices.Contains(against[i], j) {
				enemies[a] |= 1 << b
			}
		}
	}
	var chosen uint32
	most, count := -1.0, 0
	for set := range uint32(1) << len(group) {
		sum, possible := 0.0, true
		for rest := set; rest != 0 && possible; rest &= rest - 1 {
			a := bits.TrailingZeros32(rest)
			possible = enemies[a]&set == 0
			sum += worth(group[a])
		}
		size := bits.OnesCount32(set)
		if !possible || sum < most || sum == most && (size < count || size == count && bits.Reverse32(set) < bits.Reverse32(chosen)) {
			continue
		}
		chosen, most, count = set, sum, size
	}
	for a, i := range group {
		if chosen&(1<<a) != 0 {
			best = append(best, i)
		}
	}
	return best
}

// yearly is what an amount is worth within a year, in won; 0 where it isn't known or isn't money.
func (a *Amount) yearly() float64 {
	if a == nil {
		return 0
	}
	n, whole := a.Amount.(int64)
	if !whole {
		return 0
	}
	switch a.Unit {
	case "KRW", "KRW/year":
		return float64(n)
	case "KRW/month":
		months := a.Months
		if months == 0 || months > 12 {
			months = 12
		}
		return float64(n) * float64(months)
	}
	return 0
}
