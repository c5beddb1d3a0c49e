package service

import (
	"cmp"
	"maps"
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

// Counted reports whether what one gets of another service counts as income for a service.
func Counted(one, other *Service) bool {
	k := one.Spec.Counts
	return k != nil && slices.ContainsFunc(k.Of, func(ref string) bool { return manifest.Ref("Service", one.Project, ref) == other.Key })
}

// Offer is what a service says of somebody.
type Offer struct {
	*Service
	Verdict *Verdict
	Known   map[string]any // by which it says so; nil: what others count isn't looked at
}

// Together is the best of what one can get, where some of it excludes other, or counts as income for it.
type Together struct {
	Take  []*Service // in the order in which they were given
	Leave []Left
	Less  []Less
}

// Left is a service that is left for what it excludes, or for what counts as income for it.
type Left struct {
	*Service
	For []*Service // of those that are taken
}

// Less is a service that is taken and gives less, because others that are count as income for it.
type Less struct {
	*Service
	For    []*Service
	Amount *Amount // that it gives then
}

// exact is up to how many services that have to do with each other all combinations are looked at; a group that is larger is gone through from the most valuable one.
const exact = 16

// Best is what of some services, which one may have each, is worth most together: in won within a year, then by their number, then by their order. What isn't money counts as nothing, so that money isn't left for it; where neither is,
// more of them are better.
func Best(offers []Offer) (out Together) {
	b := &best{offers: offers, against: make([][]int, len(offers)), counts: make([][]int, len(offers))}
	n := len(offers)
	near := make([][]int, n) // who has to do with whom
	for i := range n {
		for j := range n {
			counts := i != j && offers[i].Known != nil && Counted(offers[i].Service, offers[j].Service)
			if counts {
				b.counts[i] = append(b.counts[i], j)
			}
			excludes := j != i && Excluded(offers[i].Service, offers[j].Service)
			if excludes {
				b.against[i] = append(b.against[i], j)
			}
			if counts || excludes {
				near[i], near[j] = append(near[i], j), append(near[j], i)
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
			for _, j := range near[group[at]] {
				if !seen[j] {
					seen[j], group = true, append(group, j)
				}
			}
		}
		slices.Sort(group)
		for _, j := range b.of(group) {
			taken[j] = true
		}
	}
	for i, one := range offers {
		var against, counted []*Service
		for j := range n {
			if taken[j] && slices.Contains(b.against[i], j) {
				against = append(against, offers[j].Service)
			}
			if taken[j] && slices.Contains(b.counts[i], j) {
				counted = append(counted, offers[j].Service)
			}
		}
		if !taken[i] {
			for j := range n {
				if taken[j] && slices.Contains(b.counts[j], i) && len(against)+len(counted) == 0 { // what it gives would be income there
					counted = append(counted, offers[j].Service)
				}
			}
			out.Leave = append(out.Leave, Left{one.Service, append(against, counted...)})
			continue
		}
		out.Take = append(out.Take, one.Service)
		if len(counted) > 0 {
			if amount, _ := b.with(i, func(j int) bool { return taken[j] }); amount.yearly() < one.Verdict.Benefit.yearly() {
				out.Less = append(out.Less, Less{one.Service, counted, amount})
			}
		}
	}
	return out
}

// best looks for what is worth most together.
type best struct {
	offers  []Offer
	against [][]int // whom each excludes, or is excluded by
	counts  [][]int // whose benefits count as income for each
}

// with is what an offer gives beside others; false where it isn't had then, because what they give counts as income.
func (b *best) with(i int, taken func(int) bool) (*Amount, bool) {
	one := &b.offers[i]
	more := int64(0)
	for _, j := range b.counts[i] {
		if taken(j) {
			more += b.offers[j].Verdict.Benefit.monthly()
		}
	}
	if more == 0 {
		return one.Verdict.Benefit, true
	}
	known := maps.Clone(one.Known)
	if n, ok := known[one.Spec.Counts.Fact].(int64); ok {
		known[one.Spec.Counts.Fact] = n + more
	}
	v := one.Check(known, one.Verdict.AsOf)
	return v.Benefit, v.Outcome == Yes
}

// of are those of a group, in order, that are worth most together.
func (b *best) of(group []int) (out []int) {
	if len(group) > exact {
		byWorth := slices.Clone(group)
		slices.SortStableFunc(byWorth, func(x, y int) int {
			return cmp.Compare(b.offers[y].Verdict.Benefit.yearly(), b.offers[x].Verdict.Benefit.yearly())
		})
		for _, i := range byWorth {
			with := append(slices.Clone(out), i)
			if b.possible(with) {
				out = with
			}
		}
		slices.Sort(out)
		return out
	}
	enemies := make([]uint32, len(group))
	for x, i := range group {
		for y, j := range group {
			if slices.Contains(b.against[i], j) {
				enemies[x] |= 1 << y
			}
		}
	}
	var chosen uint32
	most, count := -1.0, 0
	for set := range uint32(1) << len(group) {
		sum, possible := 0.0, true
		for rest := set; rest != 0 && possible; rest &= rest - 1 {
			x := bits.TrailingZeros32(rest)
			if possible = enemies[x]&set == 0; possible {
				var amount *Amount
				amount, possible = b.with(group[x], func(j int) bool { y := slices.Index(group, j); return y >= 0 && set&(1<<y) != 0 })
				sum += amount.yearly()
			}
		}
		size := bits.OnesCount32(set)
		if !possible || sum < most || sum == most && (size < count || size == count && bits.Reverse32(set) < bits.Reverse32(chosen)) {
			continue
		}
		chosen, most, count = set, sum, size
	}
	for x, i := range group {
		if chosen&(1<<x) != 0 {
			out = append(out, i)
		}
	}
	return out
}

// possible reports whether all of a list can be had together.
func (b *best) possible(list []int) bool {
	for _, i := range list {
		if slices.ContainsFunc(list, func(j int) bool { return slices.Contains(b.against[i], j) }) {
			return false
		}
		if _, fine := b.with(i, func(j int) bool { return slices.Contains(list, j) }); !fine {
			return false
		}
	}
	return true
}

// monthly is what an amount is a month, in whole won; 0 where it isn't paid by the month or the year.
func (a *Amount) monthly() int64 {
	if a == nil {
		return 0
	}
	n, whole := a.Amount.(int64)
	switch {
	case whole && a.Unit == "KRW/month":
		return n
	case whole && a.Unit == "KRW/year":
		return n / 12
	}
	return 0
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
