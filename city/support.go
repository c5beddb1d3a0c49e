package city

import (
	"math"
	"math/rand/v2"
)

// Benefits a household can receive, as bits.
const (
	livelihood uint8 = 1 << iota
	medical
	housing
	education
	nearPoor
	loneParent
)

var benefitCodes = [...]string{"livelihood", "medical", "housing", "education", "near-poor", "single-parent"}

// How many of those entitled receive a benefit. Fitted so that 4.4 % of the people receive basic livelihood support, 0.7 % are near-poor,
// 0.65 % of the households get support for lone parents, 54 % of those of 65 and older the basic pension, and 15,000 of 9.3 million people are
// selected for the youth rent in a year.
const (
	livelihoodTakeUp = 0.432
	nearPoorTakeUp   = 0.07
	loneParentTakeUp = 0.92
	pensionTakeUp    = 0.957
	youthRentTakeUp  = 0.214
	alsoAssessed     = 0.02 // households that applied and were refused
)

// disabilities in percent by age: under 20, 40, 60, 70, 80, older (assumed); 37 % of them severe.
var disabilityShares = [6]float64{1.0, 1.3, 3.0, 6.2, 11.0, 18.0}

var disabilityCodes = [...]string{"physical", "brain", "visual", "hearing", "speech", "intellectual", "autistic", "mental", "kidney", "other"}

// disabilityKinds by age: under 20, under 60, older (assumed).
var disabilityKinds = [3]choice{
	newChoice([]float64{5, 10, 3, 6, 5, 40, 26, 1, 1, 3}),
	newChoice([]float64{38, 8, 9, 9, 1, 14, 2, 9, 5, 5}),
	newChoice([]float64{46, 9, 9, 24, 1, 2, 0, 2, 4, 3}),
}

// support decides disabilities and what the household and its people receive.
func (h *household) support(r *rand.Rand, p *Population) {
	for i := range h.people {
		h.people[i].disable(r)
	}
	h.assess(&p.law)
	ratio := float64(h.counted+h.converted) / p.law.median[len(h.people)]
	u, v, w, back := r.Float64(), r.Float64(), r.Float64(), r.Float64()
	h.lookedAt = p.asOf - 20 - day(1700*back)
	if h.known == 0 {
		h.receive(ratio, u, v, &p.law)
	}
	h.assessed = h.benefits != 0 || ratio < 1 && w < alsoAssessed && h.known == 0
	if h.benefits&medical != 0 {
		h.insurance = medicalAid
	}
	h.pensions(r, p)
	if u := r.Float64(); h.known == 0 && h.entitledToYouthRent(&p.law) && u < youthRentTakeUp {
		h.youthRent = uint8(1 + 24*u/youthRentTakeUp) // months since the selection
	}
}

func (p *person) disable(r *rand.Rand) {
	u, kind, severe := r.Float64(), r.Float64(), r.Float64()
	band, group := 0, 0
	switch {
	case p.age >= 60:
		band, group = min(int(p.age)/10-3, 5), 2
	case p.age >= 20:
		band, group = int(p.age)/20, 1
	}
	if p.home.known == 0 && u*100 < disabilityShares[band] {
		p.disability = 1 + uint8(disabilityKinds[group].at(kind))
		p.severe = severe < 0.37
	}
}

// assess works out the recognised income for basic livelihood: 70 % of pay and all other income; assets beyond the basic deduction and
// debts at 1.04 % a month for the home, 4.17 % for the rest, savings beyond 5 M at 6.26 % (simplified: vehicles count as general assets).
func (h *household) assess(l *law) {
	pay := int64(0)
	for i := range h.people {
		pay += h.people[i].pay
	}
	h.counted = tens(0.7*float64(pay) + float64(max(h.income-pay, 0)))
	left := l.livelihoodBasic + float64(h.debts)
	sum := 0.0
	for _, part := range [...]struct{ krw, rate float64 }{
		{float64(h.home), 0.0104}, {float64(h.deposit + h.vehicle), 0.0417}, {float64(max(h.savings-5_000_000, 0)), 0.0626},
	} {
		taken := min(left, part.krw)
		left -= taken
		sum += (part.krw - taken) * part.rate
	}
	h.converted = tens(sum)
}

// receive decides the benefits of a household whose recognised income is ratio times the median.
func (h *household) receive(ratio, u, v float64, l *law) {
	pupils, minors := false, false
	for i := range h.people {
		age := h.people[i].age
		pupils = pupils || age >= 7 && age < 19
		minors = minors || h.people[i].role == child && age < 18
	}
	if h.foreign { // entitled in few cases only
		return
	}
	switch {
	case ratio <= 0.48 && u < livelihoodTakeUp:
		h.benefits = housing
		if ratio <= 0.40 {
			h.benefits |= medical
		}
		if ratio <= 0.32 {
			h.benefits |= livelihood
			h.topUp = tens(math.Max(0.32*l.median[len(h.people)]-float64(h.counted+h.converted), 0))
		}
		if pupils {
			h.benefits |= education
		}
	case ratio <= 0.5 && u > 1-nearPoorTakeUp:
		h.benefits = nearPoor
	}
	if h.form == singleParent && minors && ratio <= 0.65 && v < loneParentTakeUp {
		h.benefits |= loneParent
	}
}

// pensions decides who of 65 and older receives the basic pension: recognised income of person and spouse at most the threshold,
// 20 % less for each when both receive it (기초연금법 제3조, 제8조).
func (h *household) pensions(r *rand.Rand, p *Population) {
	for i := range h.people {
		one := &h.people[i]
		if one.age < 65 {
			continue
		}
		u := r.Float64()
		one.counted = h.pensionIncome(one, &p.law)
		limit := p.law.pensionSingle
		if one.spouse != nil {
			limit = p.law.pensionCouple
		}
		if float64(one.counted) <= limit && u < pensionTakeUp && !one.foreign && h.known == 0 {
			one.pension = p.law.pensionFull
		}
	}
	for i := range h.people {
		if one := &h.people[i]; one.pension > 0 && one.spouse != nil && one.spouse.pension > 0 && one.role != spouse {
			less := p.law.pensionFull * 8 / 10
			one.pension, one.spouse.pension = less, less
		}
	}
}

// pensionIncome is the recognised income for the basic pension of a person and spouse (domain: 0.7 × (pay − deduction) + other income +
// (general assets − 135 M + savings − 20 M − debts) × 4 % / 12). Assets are the head's and the spouse's.
func (h *household) pensionIncome(one *person, l *law) int64 {
	pay, all := 0.0, int64(0)
	for i := range h.people {
		all += h.people[i].pay
	}
	for _, p := range [...]*person{one, one.spouse} {
		if p != nil {
			pay += 0.7 * math.Max(float64(p.pay)-l.workDeduction, 0)
		}
	}
	if one.role > spouse {
		return tens(pay)
	}
	assets := math.Max(float64(h.assets)-l.pensionAssets, 0) + math.Max(float64(h.savings)-20e6, 0) - float64(h.debts)
	return tens(pay + float64(max(h.income-all, 0)) + math.Max(assets, 0)*0.04/12)
}

// entitledToYouthRent is the notice's rule for 청년월세: 19–39, alone, no home, income above 48 and at most 150 % of the median, deposit at
// most 80 M, rent at most 600,000 or 900,000 with the deposit converted at 4.5 %, general assets at most 130 M, car below 25 M.
func (h *household) entitledToYouthRent(l *law) bool {
	one := &h.people[0]
	if len(h.people) != 1 || one.age < 19 || one.age > 39 || h.tenure != monthly || h.benefits != 0 {
		return false
	}
	ratio := float64(h.income) / l.median[1]
	converted := float64(h.deposit)*0.045/12 + float64(h.rent)
	return ratio > 0.48 && ratio <= 1.5 && h.deposit <= 80_000_000 && (h.rent <= 600_000 || converted <= 900_000) &&
		h.assets <= 130_000_000 && h.vehicle < 25_000_000
}
