package city

import (
	"math"
	"math/rand/v2"
	"sync"
)

// work is where someone stands in the labour market.
type work uint8

const (
	inactive work = iota
	employed
	unemployed
)

type employmentKind uint8

const (
	regular employmentKind = iota
	temporary
	public
	self
)

var employmentCodes = [...]string{"regular", "temporary", "public", "self"}

// employment is the share of women and men in work by age, from 15 on in bands of five years, in percent (assumed shape; scaled so that
// 60.8 % of those of 15 and older come out).
var employment = [2][14]float64{
	{9, 50, 74, 72, 66, 66, 68, 68, 62, 50, 34, 24, 16, 6},
	{7, 41, 70, 87, 91, 91, 90, 87, 81, 70, 52, 38, 27, 12},
}

const employmentScale = 1.033

// employmentBounds are the normal scores above which people work.
var employmentBounds = sync.OnceValue(func() (bounds [2][14]float64) {
	for i := range employment {
		for j, percent := range employment[i] {
			bounds[i][j] = quantile(1 - min(percent*employmentScale/100, 0.97))
		}
	}
	return bounds
})

// kinds of employment by age: under 30, under 60, older (assumed).
var kinds = [3]choice{newChoice([]float64{68, 24, 3, 5}), newChoice([]float64{68, 10, 6, 16}), newChoice([]float64{30, 30, 1, 39})}

// lookingFor is the share of those out of work who look for it: 15–29, 30–64, older. So 3.3 % of the labour force are unemployed, and 6.5 % of the young.
var lookingFor = [3]float64{0.069, 0.092, 0.009}

// workers decides who works, and parts the household's income among them.
func (h *household) workers(r *rand.Rand, asOf day) {
	bounds, total := employmentBounds(), 0.0
	var weights [sizes]float64
	for i := range h.people {
		p := &h.people[i]
		if p.age < 15 {
			continue
		}
		sex, group := 0, 1
		if p.male {
			sex = 1
		}
		if p.age < 30 {
			group = 0
		} else if p.age >= 65 {
			group = 2
		}
		z, u := 0.4*h.score+0.9165*r.NormFloat64(), r.Float64()
		works := z > bounds[sex][min(p.age/5-3, 13)]
		if h.known != 0 {
			works = p.role == head && h.known != 3
		}
		switch {
		case works:
			weights[i] = p.employ(r, u, asOf)
			total += weights[i]
		case u < lookingFor[group]:
			p.work = unemployed
			p.lostJob(r, asOf)
		}
	}
	earned := 0.86 * float64(h.income)
	if h.people[0].age >= 65 {
		earned = 0.6 * float64(h.income)
	}
	for i := range h.people {
		if weights[i] > 0 {
			h.people[i].pay = max(tens(earned*weights[i]/total), 10)
		}
	}
	h.insurance = h.healthInsurance(r.Float64())
}

// employ gives p work and returns the weight of the pay among the household's.
func (p *person) employ(r *rand.Rand, u float64, asOf day) float64 {
	p.work = employed
	group := 1
	if p.age < 30 {
		group = 0
	} else if p.age >= 60 {
		group = 2
	}
	p.kind = employmentKind(kinds[group].at(r.Float64()))
	if p.home.known != 0 {
		p.kind = regular
	}
	weight := math.Exp(0.3 * r.NormFloat64())
	p.hours = 40
	if p.kind == temporary {
		p.hours = uint8(15 + 25*u)
		weight *= 0.6
	}
	if p.age < 25 || p.age >= 65 {
		weight *= 0.6
	}
	if p.kind == regular && u < 0.97 || p.kind == temporary && u < 0.7 {
		p.insured = min(max(asOf-day(4*365*r.ExpFloat64())-1, p.birth+15*366), asOf-1)
	}
	return weight
}

// lostJob gives most of the unemployed a job that they lost in the last year, and what it paid (assumed).
func (p *person) lostJob(r *rand.Rand, asOf day) {
	if r.Float64() > 0.7 || p.age < 19 {
		return
	}
	p.left = asOf - day(365*r.Float64())
	p.insured = max(p.left-day(30+3*365*r.ExpFloat64()), p.birth+15*366)
	p.hours = 40
	p.pay = 0
}

const (
	employee uint8 = iota
	regional
	medicalAid
)

var insuranceCodes = [...]string{"employee", "regional", "medical-aid"}

// regionalShare is how many households without an insured employee are insured regionally; the others are dependants of someone
// elsewhere. It makes 30 % of all households.
const regionalShare = 0.875

func (h *household) healthInsurance(u float64) uint8 {
	for i := range h.people {
		if p := &h.people[i]; p.work == employed && (p.insured != 0 || p.kind == public) {
			return employee
		}
	}
	if u < regionalShare {
		return regional
	}
	return employee
}
