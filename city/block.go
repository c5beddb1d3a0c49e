package city

import (
	"iter"
	"math/rand/v2"
)

// blockSize is how many households are made together. Kinship between households stays in a block.
const blockSize = 64

// block is some households that are made together from a generator of their own, so that any block can be made without those before it.
type block struct {
	city       *Population
	households []household
	space      [blockSize]household
	people     [blockSize * sizes]person
}

// blocks makes the city block by block. The block is overwritten by the next.
func (p *Population) blocks() iter.Seq[*block] {
	return func(yield func(*block) bool) {
		b := &block{city: p}
		for first := uint64(0); first < p.households; first += blockSize {
			b.fill(first)
			if !yield(b) {
				return
			}
		}
	}
}

// fill makes the households from the index first on.
func (b *block) fill(first uint64) {
	p := b.city
	r := rand.New(rand.NewPCG(p.seed, first/blockSize+1))
	b.people = [len(b.people)]person{}
	b.households = b.space[:min(blockSize, p.households-first)]
	used := 0
	for i := range b.households {
		h := &b.households[i]
		index := first + uint64(i)
		district, size := p.household(index)
		if index == p.households-1 {
			size = p.last
		}
		*h = household{index: index, district: uint8(district), place: &places()[district], people: b.people[used : used+size], from: -1}
		used += size
		for j := range h.people {
			h.people[j].ordinal = index<<4 | uint64(j)
			h.people[j].given = r.Uint32()
		}
		if index < uint64(len(knownHomes)) {
			knownHomes[index].fill(h, p.asOf)
			continue
		}
		cells := &headCells()[size-1]
		cells.cells[cells.choice.at(p.spread(index, 1))].fill(h, r, p.asOf, sexShares())
		h.origin(r)
	}
	for i := range b.households {
		b.kin(&b.households[i], r)
	}
	for i := range b.households {
		h := &b.households[i]
		h.dates(r, p.asOf)
		h.economy(r, p)
		h.support(r, p)
	}
}

// Shares of foreigners (assumed, so that 2.7 % of the people come out): whole households, and spouses of the others.
const (
	foreignHouseholds = 0.0222
	foreignSpouses    = 0.0195
)

// origin decides who is a foreigner, and of which nation.
func (h *household) origin(r *rand.Rand) {
	h.foreign = r.Float64() < foreignHouseholds
	nation := uint8(nations().choice.at(r.Float64()))
	u := r.Float64()
	for i := range h.people {
		p := &h.people[i]
		if h.foreign || p.role == spouse && u < foreignSpouses {
			p.foreign, p.nation = true, nation
		}
	}
}

// kin finds parents for the head of a household among the households of the block: students and young workers who moved out, and
// grown-up children with families of their own. A parent has at most three children elsewhere.
func (b *block) kin(h *household, r *rand.Rand) {
	me := &h.people[0]
	u, at := r.Float64(), r.IntN(len(b.households))
	if h.known != 0 || h.foreign || h.form == siblings || me.father != nil || me.mother != nil || me.age > 60 || u > 0.6 {
		return
	}
	for range 12 {
		home := &b.households[at]
		at = (at + 1) % len(b.households)
		if home == h || home.known != 0 || home.foreign || home.away >= 3 {
			continue
		}
		if home.form != couple && home.form != coupleChildren && home.form != onePerson && home.form != singleParent {
			continue
		}
		father, mother := &home.people[0], home.people[0].spouse
		if !father.male {
			father, mother = mother, father
		}
		if !b.couldBeChild(me, father, mother, home) {
			continue
		}
		me.father, me.mother = father, mother
		if father != nil {
			me.namesake = father
		}
		home.away++
		return
	}
}

// children are those among whom all children of the household's couple are: its people, or the block's where some moved out.
func (b *block) children(home *household) []person {
	if home.away > 0 {
		return b.people[:]
	}
	return home.people
}

// couldBeChild reports whether p's age fits a child of both, who live in home, and none of their children was born within ten months of p.
func (b *block) couldBeChild(p, father, mother *person, home *household) bool {
	if father != nil && (father.foreign || p.birth-father.birth < 21*365 || p.birth-father.birth > 55*365) {
		return false
	}
	if mother != nil && (mother.foreign || p.birth-mother.birth < 20*365 || p.birth-mother.birth > 44*365) {
		return false
	}
	among := b.children(home)
	for i := range among {
		o := &among[i]
		if (mother != nil && o.mother == mother || father != nil && o.father == father) && max(o.birth-p.birth, p.birth-o.birth) < 300 {
			return false
		}
	}
	return true
}

// birthOrder is which child of its parents c is, counting those who live elsewhere; 0 if its parents are not in the city.
func (b *block) birthOrder(c *person) int64 {
	up := c.mother
	if up == nil {
		up = c.father
	}
	if up == nil {
		return 0
	}
	order, among := int64(1), b.children(up.home)
	for i := range among {
		o := &among[i]
		if (o.mother == up || o.father == up) && (o.birth < c.birth || o.birth == c.birth && o.ordinal < c.ordinal) {
			order++
		}
	}
	return order
}

// dates decides when people married, moved to the address, and came to the city.
func (h *household) dates(r *rand.Rand, asOf day) {
	if h.known == 0 {
		h.marriages(r, asOf)
	}
	mean := 7.6 * 365 // years at one address, so that an eighth moves each year
	if h.people[0].age < 40 {
		mean = 4.0 * 365
	} else if h.people[0].age >= 60 {
		mean = 14 * 365
	}
	stay, before, u := day(mean*r.ExpFloat64()), day(9*365*r.ExpFloat64()), r.Float64()
	h.movedIn = max(asOf-stay, h.people[0].birth+16*365)
	if h.known != 0 {
		h.movedIn = asOf - 400 - stay%300
	}
	if h.known == 0 && u < 0.28 { // from outside the city
		h.since = h.movedIn
		return
	}
	h.from = int(u*1e9/7) % len(places())
	h.since = max(h.movedIn-before, h.people[0].birth)
}

// marriages of the couples of the household: a year and a half before the first child, else at 26 to 40.
func (h *household) marriages(r *rand.Rand, asOf day) {
	for i := range h.people {
		p := &h.people[i]
		if p.spouse == nil || p.married != 0 {
			continue
		}
		younger := max(p.birth, p.spouse.birth)
		on := younger + day((24+9*r.Float64())*365.25)
		for j := range h.people {
			if c := &h.people[j]; c.father == p || c.mother == p {
				on = min(on, c.birth-day(200+500*r.Float64()))
			}
		}
		on = max(min(on, asOf-day(20+700*r.Float64())), younger+6757)
		p.married, p.spouse.married = on, on
	}
}
