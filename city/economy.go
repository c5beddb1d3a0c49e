package city

import (
	"math"
	"math/rand/v2"
	"sync"
)

// tenure is on what right a household lives where it lives.
type tenure uint8

const (
	own tenure = iota
	jeonse
	monthly
	free
)

var tenureCodes = [...]string{"own", "jeonse", "monthly", "free"}

const (
	apartment uint8 = iota
	rowHouse
	detached
	officetel
)

var dwellingCodes = [...]string{"apartment", "row", "detached", "officetel"}

// incomeShape is, by household size, the median over the median-income table and the sigma of the log-normal (assumed); [0] is for
// people of 65 and older who live alone.
var incomeShape = [...]struct{ median, sigma float64 }{{0.42, 0.7}, {0.85, 0.75}, {0.95, 0.8}, {1.15, 0.65}, {1.25, 0.55}, {1.15, 0.6}}

// economy decides what the household earns, owns and rents.
func (h *household) economy(r *rand.Rand, p *Population) {
	size := len(h.people)
	shape := incomeShape[min(size, 5)]
	if size == 1 && h.people[0].age >= 65 {
		shape = incomeShape[0]
	}
	h.score = r.NormFloat64()
	if h.form == singleParent && h.people[len(h.people)-1].age < 18 {
		h.score-- // assumed: lone parents of minors earn less, so that as many are supported as are
	}
	reference := p.law.median[size]
	h.income = tens(reference * shape.median * h.place.income * math.Exp(shape.sigma*h.score))
	h.live(r)
	if h.known != 0 {
		h.knownEconomy(reference)
	}
	h.workers(r, p.asOf)
	h.wealth(r)
}

func tens(krw float64) int64 { return int64(math.Round(krw/10)) * 10 }

// round cuts an amount to whole units (10,000 won, a million), at least one.
func round(krw float64, unit int64) int64 { return max(int64(math.Round(krw/float64(unit))), 1) * unit }

// tenureShares in percent of households: own, jeonse, monthly, free. All and young alone are targets (published and assumed); young
// families are assumed, the others follow from these and from who heads how many households.
var (
	tenureAll         = [4]float64{44, 26, 27, 3}
	tenureYoungAlone  = [4]float64{7, 33, 57, 3}
	tenureYoungFamily = [4]float64{30, 44, 23, 3}
)

// tenureBounds are, for young alone, young families and the others, the normal scores that part own from jeonse from monthly.
var tenureBounds = sync.OnceValue(func() (bounds [3][2]float64) {
	alone, family := 0.0, 0.0
	for i, s := range sizeShares {
		cells, before := headCells()[i], 0.0
		for j, c := range cells.cells {
			share := (cells.choice[j] - before) * s / 100
			before = cells.choice[j]
			if c.band > 3 {
				continue
			}
			if i == 0 {
				alone += share
			} else {
				family += share
			}
		}
	}
	for i, group := range [][4]float64{tenureYoungAlone, tenureYoungFamily, tenureAll} {
		if i == 2 {
			for k := range group {
				group[k] = (group[k] - alone*tenureYoungAlone[k] - family*tenureYoungFamily[k]) / (1 - alone - family)
			}
		}
		paid := group[own] + group[jeonse] + group[monthly]
		bounds[i] = [2]float64{quantile(1 - group[own]/paid), quantile(group[monthly] / paid)}
	}
	return bounds
})

// quantile is the inverse of the standard normal distribution.
func quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// live decides tenure, dwelling, deposit and rent. Richer households own more often.
func (h *household) live(r *rand.Rand) {
	size, group := len(h.people), 2
	if h.people[0].age < 40 {
		group = 1
		if size == 1 {
			group = 0
		}
	}
	bounds := tenureBounds()[group]
	z, u := 0.5*h.score+0.866*r.NormFloat64(), r.Float64()
	switch {
	case u < tenureAll[free]/100:
		h.tenure = free
	case z > bounds[0]:
		h.tenure = own
	case z > bounds[1]:
		h.tenure = jeonse
	default:
		h.tenure = monthly
	}
	h.dwell(r)
	n, more := r.NormFloat64(), float64(size-1)
	switch h.tenure {
	case own:
		h.home = round(600e6*math.Pow(h.place.income, 1.3)*math.Exp(0.5*n+0.25*h.score), 1_000_000)
	case jeonse:
		h.deposit = round(220e6*h.place.income*(1+0.15*more)*math.Exp(0.45*n), 5_000_000)
	case monthly:
		// One room: median 650,000, tenth 350,000, ninetieth percentile 1,100,000; deposit 10 M and 80 M.
		sigma := 0.410
		if n < 0 {
			sigma = 0.483
		}
		h.rent = round(650_000*math.Pow(h.place.income/0.96, 0.4)*(1+0.12*more)*math.Exp(sigma*n), 10_000)
		h.deposit = min(round(10e6*(1+0.5*more)*math.Exp(1.62*r.NormFloat64()), 1_000_000), 500_000_000)
	}
}

// dwellings are the shares of kinds of dwellings: apartment, row house, detached, officetel (assumed).
var dwellings = map[bool][2]choice{
	true:  {newChoice([]float64{22, 38, 25, 15}), newChoice([]float64{5, 36, 31, 28})},
	false: {newChoice([]float64{68, 22, 10, 0.5}), newChoice([]float64{38, 40, 20, 2})},
}

func (h *household) dwell(r *rand.Rand) {
	alone, rents := len(h.people) == 1, 0
	if h.tenure == monthly {
		rents = 1
	}
	h.dwelling = uint8(dwellings[alone][rents].at(r.Float64()))
	base := 42.0
	if alone && rents == 1 {
		base = 22
	} else if !alone && h.dwelling == apartment {
		base = 62
	}
	h.area = math.Round((base+float64(len(h.people)-1)*5)*(0.75+0.6*r.Float64())*10) / 10
}

// wealth decides savings, debts and vehicles, and sums the general assets (assumed distributions).
func (h *household) wealth(r *rand.Rand) {
	a, b, u, v := r.NormFloat64(), r.NormFloat64(), r.Float64(), r.Float64()
	h.savings = tens(6 * float64(h.income) * math.Exp(1.1*a))
	switch {
	case h.tenure == own && u < 0.42:
		h.debts = round(0.28*float64(h.home), 1_000_000)
	case h.tenure == jeonse && u < 0.45:
		h.debts = round(0.4*float64(h.deposit), 1_000_000)
	case u < 0.18:
		h.debts = round(9e6*math.Exp(0.9*b), 100_000)
	}
	if cars := [...]float64{0.34, 0.62, 0.8, 0.9, 0.95}[min(len(h.people), 5)-1]; v < cars+0.08*h.score && h.known == 0 {
		h.vehicle = round(9e6*math.Exp(0.8*b+0.2*h.score), 100_000)
	}
	h.assets = h.home + h.deposit
	if h.known != 0 {
		h.savings, h.debts = min(h.savings, 20_000_000), 0
	}
}

// knownEconomy is what the demo says of its people: 하늘 rents alone, with an income below 150 % of the median; 민준 lives in a jeonse flat;
// 순자 has little.
func (h *household) knownEconomy(reference float64) {
	h.home, h.deposit, h.rent, h.area = 0, 0, 0, 24.5
	switch h.known {
	case 1:
		h.income, h.tenure, h.dwelling = tens(0.85*reference), monthly, rowHouse
		h.deposit, h.rent = 10_000_000, 550_000
	case 2:
		h.income, h.tenure, h.dwelling, h.area = tens(1.1*reference), jeonse, apartment, 59.9
		h.deposit = 300_000_000
	case 3:
		h.income, h.tenure, h.dwelling = tens(0.4*reference), jeonse, rowHouse
		h.deposit = 60_000_000
	}
}
