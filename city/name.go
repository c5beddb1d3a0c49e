package city

import (
	"slices"
	"strings"
	"sync"
)

// name is the person's name: Korean with the surname first, or a foreigner's in Latin letters, at most 40.
func (p *person) name() string {
	if p.known != "" {
		return p.known
	}
	if p.foreign {
		return p.latinName()
	}
	return surnames().names[p.family()] + p.givenName()
}

// family is the number of the person's surname: that of the namesake (the father, for most), else by the shares of surnames.
func (p *person) family() int8 {
	if p.surname > 0 {
		return p.surname - 1
	}
	switch n := p.namesake; {
	case n != nil && n.known != "":
		p.surname = 1 + knownSurname(n.known)
	case n != nil && n.foreign && p.mother != nil && !p.mother.foreign:
		p.surname = 1 + p.mother.family()
	case n != nil && !n.foreign:
		p.surname = 1 + n.family()
	default:
		p.surname = 1 + int8(surnames().choice.at(unit(p.given, 1)))
	}
	return p.surname - 1
}

func knownSurname(name string) int8 {
	return int8(slices.IndexFunc(surnames().names, func(s string) bool { return strings.HasPrefix(name, s) }))
}

// givenName follows the decade of birth: half from the favourites of the time, most others of two syllables of theirs; some have one
// or three syllables.
func (p *person) givenName() string {
	u := unit(p.given, 2)
	switch {
	case u < 0.012:
		return pick(oneSyllable, p.given, 3)
	case u < 0.016:
		return pick(threeSyllables, p.given, 3)
	}
	year, _, _ := p.birth.date()
	names := favourites(year, p.male)
	if u < 0.5 {
		return pick(names, p.given, 4)
	}
	first, second := []rune(pick(names, p.given, 4)), []rune(pick(names, p.given, 5))
	if first[0] == second[1] {
		return string(first)
	}
	return string([]rune{first[0], second[1]})
}

var (
	oneSyllable    = []string{"준", "민", "솔", "빈", "훈", "혁", "진", "은", "현", "율", "건", "봄"}
	threeSyllables = []string{"하늘빛", "빛나라", "슬아름", "한아름", "새누리", "초롱빛", "온새미", "가온솔"}
)

type weighted struct {
	names  []string
	choice choice
}

var surnames = sync.OnceValue(func() weighted {
	var w weighted
	var shares []float64
	for _, r := range table("surnames.csv") {
		w.names, shares = append(w.names, r["surname"]), append(shares, number(r, "share"))
	}
	w.choice = newChoice(shares)
	return w
})

// era is the favourite given names of people born from a year on.
type era struct {
	from  int
	male  bool
	names []string
}

var eras = sync.OnceValue(func() []era {
	var out []era
	for _, r := range table("given_names.csv") {
		out = append(out, era{from: int(number(r, "from_year")), male: r["sex"] == "M", names: strings.Fields(r["names"])})
	}
	return out
})

func favourites(year int, male bool) (names []string) {
	for _, e := range eras() {
		if e.male == male && e.from <= year || names == nil {
			names = e.names
		}
	}
	return names
}

// foreignNation is a nation with names as its people write them in Latin letters.
type foreignNation struct {
	code          string
	family, given []string
}

type foreignNations struct {
	list   []foreignNation
	choice choice
}

var nations = sync.OnceValue(func() foreignNations {
	var f foreignNations
	var shares []float64
	for _, r := range table("foreign_names.csv") {
		f.list = append(f.list, foreignNation{r["nationality"], strings.Split(r["family_names"], "|"), strings.Split(r["given_names"], "|")})
		shares = append(shares, number(r, "share"))
	}
	f.choice = newChoice(shares)
	return f
})

// MaxName is the longest name, in characters: registers have room for foreigners' names of 40.
const MaxName = 40

func (p *person) latinName() string {
	n := nations().list[p.nation]
	family := pick(n.family, p.given, 6)
	if father := p.namesake; father != nil && father.foreign {
		family = pick(n.family, father.given, 6)
	}
	name := family + " " + pick(n.given, p.given, 7)
	if unit(p.given, 8) < 0.06 { // several given names, as passports have them
		name += " " + pick(n.given, p.given, 9) + " " + pick(n.family, p.given, 10)
	}
	for len(name) > MaxName {
		name = name[:strings.LastIndexByte(name, ' ')]
	}
	return name
}

// unit is a number in [0, 1) that seed and salt decide.
func unit(seed uint32, salt uint64) float64 {
	return float64(mix(uint64(seed)<<8|salt)>>11) / (1 << 53)
}

func pick[T any](list []T, seed uint32, salt uint64) T {
	return list[int(unit(seed, salt)*float64(len(list)))]
}

// mix scrambles 64 bits (the finalizer of SplitMix64, Steele et al. 2014). It is a bijection.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
