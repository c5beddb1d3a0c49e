package city

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/maru-city/maru/manifest"
)

// Population is a city of made-up people. It holds no people: each reading makes them again, a block of households at a time, so
// its memory doesn't grow with the city. It never changes, and may be read by several goroutines at once.
type Population struct {
	seed       uint64
	residents  int
	asOf       day
	households uint64
	last       int // size of the last household, which may be smaller than it was drawn
	start      [2]float64
	law        law

	project  string // whose dataset is being made
	identify func(project, kind string, number int64) string
}

// Identified is the same city, with identifiers of people and households made by a function of whose dataset they stand in, what they are of ("person",
// "household") and its number, which is 1 or more and has 32 bits.
func (p *Population) Identified(by func(project, kind string, number int64) string) *Population {
	out := *p
	out.identify = by
	return &out
}

// in is the city for the datasets of a project.
func (p *Population) in(dataset string) *Population {
	out := *p
	out.project, _, _ = strings.Cut(dataset, "/")
	return &out
}

// LeastResidents is the smallest city: the demo's three people and their families.
const LeastResidents = 10

// People makes a city of exactly so many residents ([LeastResidents] or more), as they are on the day of asOf. The same seed, number
// and day give the same people.
func People(seed uint64, residents int, asOf time.Time) *Population {
	p := &Population{seed: seed, residents: max(residents, LeastResidents), asOf: dayOf(asOf)}
	r := rand.New(rand.NewPCG(seed, 0))
	p.start = [2]float64{r.Float64(), r.Float64()}
	p.law = lawOn(manifest.Day(p.asOf.String()))
	for left := p.residents; left > 0; p.households++ {
		_, size := p.household(p.households)
		p.last = min(size, left)
		left -= p.last
	}
	return p
}

// Residents is how many people live in the city.
func (p *Population) Residents() int { return p.residents }

// Households is how many households they live in.
func (p *Population) Households() int { return int(p.households) }

// AsOf is the day on which the city is as it is.
func (p *Population) AsOf() manifest.Day { return manifest.Day(p.asOf.String()) }

// Data is the records of one dataset of the demo city.
type Data struct {
	Dataset string          // "resident-registry/residents"
	Columns []string        // the dataset's fields, in its order
	Rows    iter.Seq[[]any] // values by [manifest.Type], a new slice each row; may be read again
}

// Datasets lists the records of every dataset of the demo city, each to be read by itself.
func (p *Population) Datasets() []Data {
	var out []Data
	for _, d := range perHousehold {
		out = append(out, Data{Dataset: d.name, Columns: d.columns, Rows: p.in(d.name).rows(d.rows)})
	}
	for _, d := range wholeCity {
		out = append(out, Data{Dataset: d.name, Columns: d.columns, Rows: func(yield func([]any) bool) { d.rows(p.in(d.name), yield) }})
	}
	return out
}

// rows reads one dataset's records out of each household, block by block.
func (p *Population) rows(of func(*block, *household, emit)) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for b := range p.blocks() {
			more := true
			for i := range b.households {
				of(b, &b.households[i], func(values ...any) bool {
					more = more && yield(values)
					return more
				})
				if !more {
					return
				}
			}
		}
	}
}

// emit takes the values of one record; false asks to stop.
type emit func(values ...any) bool

// Known is one of the people whom the demo signs in by name. They live in every city.
type Known struct {
	Account string // "haneul"
	Person  string // value of the term person
	Number  int64  // in the whole city
	Name    string
}

// Demo lists the demo's people.
func (p *Population) Demo() []Known {
	var out []Known
	for b := range p.blocks() {
		for i := range b.households[:len(knownHomes)] {
			one := &b.households[i].people[0]
			out = append(out, Known{Account: knownHomes[i].account, Person: p.personID(one), Number: numberOf(one.ordinal), Name: one.name()})
		}
		break
	}
	return out
}

// Heads lists the numbers of the first n heads of households, other than the demo's people, whose age and size of household lie within bounds.
func (p *Population) Heads(n int, age, size [2]int) (numbers []int64) {
	for b := range p.blocks() {
		for i := range b.households {
			h := &b.households[i]
			one := &h.people[0]
			if h.known != 0 || int(one.age) < age[0] || int(one.age) > age[1] || len(h.people) < size[0] || len(h.people) > size[1] {
				continue
			}
			if numbers = append(numbers, numberOf(one.ordinal)); len(numbers) == n {
				return numbers
			}
		}
	}
	return numbers
}

// spread is the index-th point of an even sequence in [0, 1): the coordinate 0 or 1 of the additive recurrence R₂ (Roberts 2018, by powers
// of the plastic number). Drawing by it, already a small city has the right shares, and so has nearly each block.
func (p *Population) spread(index uint64, coordinate int) float64 {
	u := p.start[coordinate] + float64(index)*[2]float64{0.7548776662466927, 0.5698402909980532}[coordinate]
	return u - math.Floor(u)
}

// household returns the district and the size of a household.
func (p *Population) household(index uint64) (district, size int) {
	if index < uint64(len(knownHomes)) {
		return knownHomes[index].district, knownHomes[index].size
	}
	at := homes().cells.at(p.spread(index, 0))
	return at / sizes, at%sizes + 1
}

const sizes = 7

// homeShares is how households spread over districts and sizes.
type homeShares struct {
	share [][sizes]float64
	cells choice
}

// sizeShares are the shares of households by size in percent (census, published): 5 and more is 3.1 in all.
var sizeShares = [sizes]float64{39.9, 25.9, 18.8, 12.3, 2.5, 0.5, 0.1}

// homes fits the shares of households by district and size to the published margins: households by district, one-person households by
// district, sizes in the city, and people by district, by iterative proportional fitting.
var homes = sync.OnceValue(func() *homeShares {
	districts := places()
	households, alone, people := 0.0, 0.0, 0.0
	for _, d := range districts {
		households, alone, people = households+d.households, alone+d.alone, people+d.people
	}
	// The register counts more households than there are: the census has as many as make the one-person households 39.9 %.
	total := alone / (sizeShares[0] / 100)
	mean := 0.0
	for i, s := range sizeShares {
		mean += s / 100 * float64(i+1)
	}
	h := &homeShares{share: make([][sizes]float64, len(districts))}
	for i := range h.share {
		h.share[i] = sizeShares
		h.share[i][0] = districts[i].alone / total * 100
	}
	for range 200 {
		for i, d := range districts {
			row := h.share[i][1:]
			more := d.households/households*100 - h.share[i][0]
			members := d.people/people*mean*100 - h.share[i][0]
			tilt(row, more, members/more)
		}
		for s := 1; s < sizes; s++ {
			sum := 0.0
			for i := range h.share {
				sum += h.share[i][s]
			}
			for i := range h.share {
				h.share[i][s] *= sizeShares[s] / sum
			}
		}
	}
	var flat []float64
	for i := range h.share {
		flat = append(flat, h.share[i][:]...)
	}
	h.cells = newChoice(flat)
	return h
})

// tilt scales the shares of the sizes 2, 3 … so that they sum to total and their mean size is mean.
func tilt(row []float64, total, mean float64) {
	low, high := 0.05, 20.0
	weight := func(by float64) (sum, members float64) {
		power := 1.0
		for i, w := range row {
			sum += w * power
			members += w * power * float64(i+2)
			power *= by
		}
		return sum, members
	}
	for range 40 {
		by := (low + high) / 2
		if sum, members := weight(by); members/sum < mean {
			low = by
		} else {
			high = by
		}
	}
	sum, _ := weight(low)
	power := total / sum
	for i := range row {
		row[i] *= power
		power *= low
	}
}

// headCells is, by size, which forms and head's ages households have (facts/heads.csv, fitted by TestFit).
var headCells = sync.OnceValue(func() *[sizes]struct {
	cells  []cell
	choice choice
} {
	var out [sizes]struct {
		cells  []cell
		choice choice
	}
	weights := [sizes][]float64{}
	for _, r := range table("heads.csv") {
		c := cell{size: int(number(r, "size")), form: form(slices.Index(formCodes[:], r["form"])), band: int(number(r, "band"))}
		out[c.size-1].cells = append(out[c.size-1].cells, c)
		weights[c.size-1] = append(weights[c.size-1], number(r, "weight"))
	}
	for i := range out {
		out[i].choice = newChoice(weights[i])
	}
	return &out
})

// sexShares is the share of men, by age band of ten years, among people whose sex nothing else decides (facts/sexes.csv).
var sexShares = sync.OnceValue(func() *[9]float64 {
	var out [9]float64
	for i, r := range table("sexes.csv") {
		out[i] = number(r, "men")
	}
	return &out
})
