package city

import "math/rand/v2"

// role is what a person is in the household.
type role uint8

const (
	head role = iota
	spouse
	child
	parent
	sibling
	other
)

var roleCodes = [...]string{head: "head", spouse: "spouse", child: "child", parent: "parent", sibling: "sibling", other: "other"}

// form is how a household is made up.
type form uint8

const (
	onePerson form = iota
	couple
	coupleChildren
	singleParent
	threeGenerations
	siblings
	others
	forms
)

var formCodes = [forms]string{"one-person", "couple", "couple-children", "single-parent", "three-generations", "siblings", "other"}

// person is someone made up. The pointers go to people of the same block.
type person struct {
	ordinal  uint64 // household × 16 + place in it: the person's number in the whole city
	given    uint32 // decides the names
	birth    day
	married  day // 0: not married
	age      int16
	role     role
	male     bool
	foreign  bool
	nation   uint8
	surname  int8 // 1 + its number; 0 until it is decided
	known    string
	home     *household
	spouse   *person
	father   *person
	mother   *person
	namesake *person // whose surname this one bears

	work       work
	kind       employmentKind
	hours      uint8
	pay        int64 // KRW a month
	insured    day   // 0: not insured
	left       day   // 0: still insured
	disability uint8 // 0: none, else 1 + the kind
	severe     bool
	pension    int64 // basic pension, KRW a month
	counted    int64 // recognised income for the basic pension, KRW a month
}

// household is people who live at one address.
type household struct {
	index    uint64
	people   []person
	place    *place
	district uint8
	form     form
	known    uint8 // 1, 2, 3: one of the demo's people lives here
	foreign  bool
	movedIn  day
	since    day // in the city
	from     int // district before, -1: from outside the city
	away     uint8

	score     float64 // standard normal: where its income stands among those like it
	income    int64   // KRW a month
	insurance uint8
	tenure    tenure
	dwelling  uint8
	area      float64
	deposit   int64
	rent      int64
	home      int64 // value of the home it owns
	assets    int64 // general assets with home and deposit
	savings   int64
	debts     int64
	vehicle   int64
	counted   int64 // 소득평가액
	converted int64 // 재산의 소득환산액
	assessed  bool
	benefits  uint8 // bit set of benefit kinds
	topUp     int64 // livelihood benefit, KRW a month
	lookedAt  day   // day of the decision on benefits
	youthRent uint8 // months paid; 0: not selected
}

// cell is a kind of household of one size whose head's age lies in one band of five years.
type cell struct {
	size int
	form form
	band int // 0: 19–24, 1: 25–29 … 13: 85 and more
}

const bands = 14

// headAge draws the head's age in years.
func (c cell) headAge(r *rand.Rand) float64 {
	switch c.band {
	case 0:
		return 19 + 6*r.Float64()
	case bands - 1:
		return min(85+4*r.ExpFloat64(), 103)
	}
	return 20 + 5*float64(c.band) + 5*r.Float64()
}

// possible reports whether households of the cell exist: nobody has a child before 20, and nobody of 80 has parents.
func (c cell) possible() bool {
	span := formSpans[c.form]
	return c.band >= span.from && c.band <= span.to && c.size >= span.least && c.size <= span.most
}

// formSpans says for each form which sizes and which bands of the head's age it has.
var formSpans = [forms]struct{ least, most, from, to int }{
	onePerson:        {1, 1, 0, 13},
	couple:           {2, 2, 1, 13},
	coupleChildren:   {3, 6, 2, 11},
	singleParent:     {2, 4, 2, 13},
	threeGenerations: {3, 7, 4, 9},
	siblings:         {2, 3, 0, 5},
	others:           {2, 2, 0, 13},
}

// fill makes the members of a household of the cell. people has the household's size.
func (c cell) fill(h *household, r *rand.Rand, asOf day, sexes *[9]float64) {
	age := c.headAge(r)
	h.form = c.form
	switch c.form {
	case onePerson:
		h.single(&h.people[0], head, age, r, asOf, sexes)
	case couple:
		h.pair(h.people, age, r, asOf)
	case coupleChildren:
		h.pair(h.people, age, r, asOf)
		h.children(h.people[2:], r, asOf, sexes)
	case singleParent:
		h.person(&h.people[0], head, age, r.Float64() < 0.23, asOf)
		h.children(h.people[1:], r, asOf, sexes)
	case threeGenerations:
		h.generations(age, r, asOf, sexes)
	case siblings:
		h.single(&h.people[0], head, age, r, asOf, sexes)
		for i := range h.people[1:] {
			p := &h.people[i+1]
			h.single(p, sibling, max(age-1.5-4*float64(i)-4*r.Float64(), 15), r, asOf, sexes)
			p.namesake = &h.people[0]
		}
	case others:
		h.single(&h.people[0], head, age, r, asOf, sexes)
		for i := range h.people[1:] {
			h.single(&h.people[i+1], other, max(age-8+16*r.Float64(), 19), r, asOf, sexes)
		}
	}
}

func (h *household) person(p *person, role role, age float64, male bool, asOf day) {
	p.role, p.male, p.home = role, male, h
	p.birth = asOf - day(age*365.2425)
	p.age = int16(p.birth.yearsTo(asOf))
}

// single makes a person whose sex nothing else decides: the shares of sexes are such that each age band comes out right.
func (h *household) single(p *person, role role, age float64, r *rand.Rand, asOf day, sexes *[9]float64) {
	h.person(p, role, age, r.Float64() < sexes[min(int(age)/10, 8)], asOf)
}

// pair makes head and spouse of the first two. The husband is 2.4 years older in the mean.
func (h *household) pair(people []person, age float64, r *rand.Rand, asOf day) {
	husband := r.Float64() < 0.8
	gap := 2.4 + 2.8*r.NormFloat64()
	if husband {
		gap = -gap
	}
	h.person(&people[0], head, age, husband, asOf)
	h.person(&people[1], spouse, max(age+gap, 20), !husband, asOf)
	people[0].spouse, people[1].spouse = &people[1], &people[0]
}

// children makes the children of the head (and spouse), the eldest first. A mother's age at her first child follows her generation.
func (h *household) children(children []person, r *rand.Rand, asOf day, sexes *[9]float64) {
	first, second := &h.people[0], h.people[0].spouse
	mother, father := first, second
	if first.male {
		mother, father = second, first
	}
	elder := first // whose age bounds the children's: the mother's, or the lone father's less five
	if mother != nil {
		elder = mother
	}
	age := float64(asOf-elder.birth) / 365.2425
	born, _, _ := elder.birth.date()
	at := min(max(firstChild(born)+4*r.NormFloat64(), 20.2), 44)
	ages := [6]float64{}
	for i := range children {
		ages[i] = at
		at += 1.4 + 1.4*r.ExpFloat64()
	}
	if last := ages[len(children)-1]; last > age-0.02 { // not born yet: earlier, in proportion
		for i := range children {
			ages[i] = 20 + (ages[i]-20)*max(age-20.1, 0.5)*(0.2+0.8*r.Float64())/(last-20)
			if i > 0 {
				ages[i] = max(ages[i], ages[i-1]+0.85)
			}
		}
	}
	for i := range children {
		c := &children[i]
		h.single(c, child, max(age-ages[i], 0.01), r, asOf, sexes)
		c.mother, c.father = mother, father
		c.namesake = father
		if father == nil && c.given&3 == 0 {
			c.namesake = mother
		}
	}
	if father != nil && father != elder { // no father is younger than 20 at the birth of his eldest
		if latest := children[0].birth - 20*366; father.birth > latest {
			father.birth = latest
			father.age = int16(father.birth.yearsTo(asOf))
		}
	}
}

// firstChild is the mean age at which women born in a year had their first child.
func firstChild(born int) float64 {
	switch {
	case born < 1960:
		return 25.5
	case born < 1970:
		return 26.5
	case born < 1980:
		return 28.5
	case born < 1990:
		return 31.5
	}
	return 31
}

// generations makes a household of three generations: head, mostly with spouse, one or two of the head's parents, children.
func (h *household) generations(age float64, r *rand.Rand, asOf day, sexes *[9]float64) {
	size := len(h.people)
	parents := 1
	if size >= 6 {
		parents = 2
	}
	adults := 2
	if size == 3 {
		adults = 1
		h.person(&h.people[0], head, age, r.Float64() < 0.4, asOf)
	} else {
		h.pair(h.people, age, r, asOf)
	}
	old := h.people[size-parents:]
	younger := h.people[:size-parents]
	mine := age + 24 + 5*r.Float64()
	if parents == 2 {
		h.person(&old[0], parent, mine+1.5+2*r.Float64(), true, asOf)
		h.person(&old[1], parent, mine, false, asOf)
		old[0].spouse, old[1].spouse = &old[1], &old[0]
		h.people[0].father, h.people[0].mother, h.people[0].namesake = &old[0], &old[1], &old[0]
	} else if h.person(&old[0], parent, mine, r.Float64() < 0.2, asOf); old[0].male {
		h.people[0].father, h.people[0].namesake = &old[0], &old[0]
	} else {
		h.people[0].mother = &old[0]
	}
	if len(younger) > adults {
		h.children(younger[adults:], r, asOf, sexes)
	}
}
