package city

import (
	"math"
	"slices"
	"testing"
	"time"
)

// testDay is the as-of date of the tests: no test depends on the clock.
var testDay = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

// census counts the city once, for the tests of shares.
type census struct {
	people, households         float64
	bands                      [9]float64
	men                        [9]float64
	size                       [sizes + 1]float64
	older, olderAlone, young   float64
	alone                      [3]float64 // 19–39, 40–64, 65+
	bySize                     [25][2]float64
	inDistrict                 [25]float64
	tenure                     [4]float64
	tenureYoung                [4]float64
	rents, deposits            []float64
	income                     [6][]float64 // over median table and district index
	adults, working, looking   float64
	youth, youthLooking        float64
	young1, youthWorking       float64
	regional                   float64
	disabled, severe           float64
	disabledAge, peopleAge     [6]float64
	basic, nearPoor            float64
	lone, loneSupported        float64
	pension                    float64
	births                     float64
	order                      [3]float64
	ordered                    float64
	foreign, moved, threeNames float64
	surnames                   [3]float64
	selected                   float64
	haveParents, parentsApart  float64
}

func count(p *Population) *census {
	c := &census{}
	for b := range p.blocks() {
		for i := range b.households {
			c.household(b, &b.households[i], p)
		}
	}
	return c
}

func (c *census) household(b *block, h *household, p *Population) {
	n := len(h.people)
	c.households++
	c.size[n]++
	c.tenure[h.tenure]++
	c.bySize[h.district][min(n-1, 1)]++
	c.inDistrict[h.district] += float64(n)
	c.regional += b2f(h.insurance == regional)
	c.lone += b2f(h.form == singleParent)
	c.loneSupported += b2f(h.benefits&loneParent != 0)
	age := h.people[0].age
	group := min(n, 5)
	if n == 1 {
		at := 0
		if age >= 65 {
			at, group = 2, 0
		} else if age >= 40 {
			at = 1
		} else {
			c.tenureYoung[h.tenure]++
		}
		c.alone[at]++
		if h.tenure == monthly {
			c.rents, c.deposits = append(c.rents, float64(h.rent)), append(c.deposits, float64(h.deposit))
		}
	}
	c.income[group] = append(c.income[group], float64(h.income)/p.law.median[n]/h.place.income)
	if h.youthRent > 0 && h.youthRent <= 12 {
		c.selected++
	}
	for i := range h.people {
		c.person(b, h, &h.people[i], p)
	}
}

func (c *census) person(b *block, h *household, one *person, p *Population) {
	c.people++
	at := min(int(one.age)/10, 8)
	c.bands[at]++
	c.men[at] += b2f(one.male)
	c.older += b2f(one.age >= 65)
	c.olderAlone += b2f(one.age >= 65 && len(h.people) == 1)
	c.young += b2f(one.age >= 19 && one.age < 40)
	if one.age >= 15 {
		c.adults++
		c.working += b2f(one.work == employed)
		c.looking += b2f(one.work == unemployed)
		if one.age < 30 {
			c.youth++
			c.youthWorking += b2f(one.work == employed)
			c.youthLooking += b2f(one.work == unemployed)
		}
	}
	band := 0
	if one.age >= 60 {
		band = min(int(one.age)/10-3, 5)
	} else if one.age >= 20 {
		band = int(one.age) / 20
	}
	c.peopleAge[band]++
	if one.disability > 0 {
		c.disabled++
		c.disabledAge[band]++
		c.severe += b2f(one.severe)
	}
	c.basic += b2f(h.benefits&(livelihood|medical|housing|education) != 0)
	c.nearPoor += b2f(h.benefits&nearPoor != 0)
	c.pension += b2f(one.pension > 0)
	c.foreign += b2f(one.foreign)
	c.moved += b2f(h.movedIn > p.asOf-365 && one.birth <= h.movedIn)
	if one.birth > p.asOf-365*2 {
		c.births += 0.5
		if order := b.birthOrder(one); order > 0 {
			c.ordered++
			c.order[min(order, 3)-1]++
		}
	}
	if !one.foreign {
		if i := slices.Index([]string{"김", "이", "박"}, string([]rune(one.name())[:1])); i >= 0 {
			c.surnames[i]++
		}
	}
	if one.age < 60 && (one.father != nil || one.mother != nil) {
		c.haveParents++
		up := one.father
		if up == nil {
			up = one.mother
		}
		c.parentsApart += b2f(up.home != h)
	}
}

func quantileOf(values []float64, p float64) float64 {
	slices.Sort(values)
	return values[int(p*float64(len(values)-1))]
}

// TestPublishedSharesAreMet counts cities of two sizes and compares them with what is published (marginals of the domain notes). The
// tolerance is in the unit of the share; a fifth of the people has about twice the noise.
func TestPublishedSharesAreMet(t *testing.T) {
	for _, residents := range []int{20_000, 100_000} {
		if residents > 20_000 && testing.Short() {
			continue
		}
		for _, seed := range []uint64{1, 2026} {
			noise := math.Sqrt(100_000 / float64(residents))
			c := count(People(seed, residents, testDay))
			check := func(name string, got, want, tolerance float64) {
				t.Helper()
				if math.Abs(got-want) > tolerance*noise {
					t.Errorf("%d people, seed %d: %s is %.3f, want %.3f ± %.3f", residents, seed, name, got, want, tolerance*noise)
				}
				if residents == 100_000 && seed == 1 {
					t.Logf("%-45s %10.3f %10.3f", name, got, want)
				}
			}
			c.compare(check, residents)
		}
	}
}

func (c *census) compare(check func(name string, got, want, tolerance float64), residents int) {
	percent := func(n, of float64) float64 { return 100 * n / of }
	check("people", c.people, float64(residents), 0)
	for i, want := range ageTargets {
		check("people by age "+string(rune('0'+i))+"x", percent(c.bands[i], c.people), want.people, 0.35)
		check("men by age "+string(rune('0'+i))+"x", percent(c.men[i], c.bands[i]), want.men, 1.5)
	}
	check("65+", percent(c.older, c.people), olderTarget, 0.4)
	check("19-39", percent(c.young, c.people), youngTarget, 0.4)
	for n, want := range [sizes]float64{39.9, 25.9, 18.8, 12.3, 2.5, 0.5, 0.1} {
		check("households of "+string(rune('1'+n)), percent(c.size[n+1], c.households), want, 0.15)
	}
	for i, want := range []float64{49, 30, 21} {
		check("alone by age", percent(c.alone[i], c.size[1]), want, 0.7)
	}
	c.compareDistricts(check)
	c.compareMoney(check)
	check("employed of 15+", percent(c.working, c.adults), 60.8, 0.6)
	check("unemployed", percent(c.looking, c.looking+c.working), 3.3, 0.3)
	check("unemployed, 15-29", percent(c.youthLooking, c.youthLooking+c.youthWorking), 6.5, 0.8)
	check("regional insurance of households", percent(c.regional, c.households), 30, 1)
	check("disabled", percent(c.disabled, c.people), 4.1, 0.2)
	check("severe of disabled", percent(c.severe, c.disabled), 37, 2.5)
	for i, want := range [6]float64{1.0, 1.3, 3.0, 6.2, 11.0, 18.0} {
		check("disabled by age", percent(c.disabledAge[i], c.peopleAge[i]), want, 1)
	}
	check("basic livelihood", percent(c.basic, c.people), 4.4, 0.3)
	check("near-poor", percent(c.nearPoor, c.people), 0.7, 0.15)
	check("one-parent households", percent(c.lone, c.households), loneTarget, 0.3)
	check("supported lone parents", percent(c.loneSupported, c.households), 0.65, 0.12)
	check("basic pension of 65+", percent(c.pension, c.older), 54, 1.2)
	check("births a year", percent(c.births, c.people), birthsTarget, 0.06)
	for i, want := range birthOrders {
		check("births by order", percent(c.order[i], c.ordered), want, 5)
	}
	check("foreigners", percent(c.foreign, c.people), 2.7, 0.3)
	check("moved in a year", percent(c.moved, c.people), 12.9, 0.6)
	check("selected for youth rent a year, per 100,000", c.selected/c.people*100_000, 161, 40)
	check("김, 이, 박", percent(c.surnames[0]+c.surnames[1]+c.surnames[2], c.people-c.foreign), 45, 1)
}

func (c *census) compareDistricts(check func(name string, got, want, tolerance float64)) {
	households, people, alone := 0.0, 0.0, 0.0
	for _, d := range places() {
		households, people, alone = households+d.households, people+d.people, alone+d.alone
	}
	for i, d := range places() {
		check("households in "+d.ko, 100*(c.bySize[i][0]+c.bySize[i][1])/c.households, 100*d.households/households, 0.1)
		check("people alone in "+d.ko, 100*c.bySize[i][0]/c.size[1], 100*d.alone/alone, 0.2)
		check("people in "+d.ko, 100*c.inDistrict[i]/c.people, 100*d.people/people, 0.3)
	}
}

func (c *census) compareMoney(check func(name string, got, want, tolerance float64)) {
	for i, want := range [4]float64{44, 26, 27, 3} {
		check("tenure "+tenureCodes[i], 100*c.tenure[i]/c.households, want, 0.7)
		check("tenure of young alone "+tenureCodes[i], 100*c.tenureYoung[i]/c.alone[0], [4]float64{7, 33, 57, 3}[i], 1.6)
	}
	check("rent of one room, median", quantileOf(c.rents, 0.5), 650_000, 25_000)
	check("rent of one room, tenth percentile", quantileOf(c.rents, 0.1), 350_000, 25_000)
	check("rent of one room, ninetieth percentile", quantileOf(c.rents, 0.9), 1_100_000, 60_000)
	check("deposit of one room, median", quantileOf(c.deposits, 0.5), 10e6, 1.2e6)
	check("deposit of one room, ninetieth percentile", quantileOf(c.deposits, 0.9), 80e6, 10e6)
	shapes := [6]struct{ median, sigma float64 }{{0.42, 0.7}, {0.85, 0.75}, {0.95, 0.8}, {1.15, 0.65}, {1.25, 0.55}, {1.15, 0.6}} // [0]: 65 and older, alone
	for i, shape := range shapes {
		check("income over median, size "+string(rune('0'+i)), quantileOf(c.income[i], 0.5), shape.median, 0.05*shape.median)
		spread := math.Log(quantileOf(c.income[i], 0.8413)/quantileOf(c.income[i], 0.1587)) / 2
		check("spread of income, size "+string(rune('0'+i)), spread, shape.sigma, 0.05)
	}
}
