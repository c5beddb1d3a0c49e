package city

import (
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// everyone calls f for each person of a city.
func everyone(p *Population, f func(b *block, h *household, one *person)) {
	for b := range p.blocks() {
		for i := range b.households {
			for j := range b.households[i].people {
				f(b, &b.households[i], &b.households[i].people[j])
			}
		}
	}
}

func TestTheCityHasExactlySoManyResidents(t *testing.T) {
	for _, want := range []int{LeastResidents, 11, 64, 137, 1_000, 54_321} {
		people, homes := 0, map[uint64]bool{}
		p := People(3, want, testDay)
		everyone(p, func(_ *block, h *household, _ *person) { people++; homes[h.index] = true })
		if people != want || len(homes) != p.Households() {
			t.Errorf("%d people in %d households, want %d in %d", people, len(homes), want, p.Households())
		}
	}
}

func TestKinshipIsConsistent(t *testing.T) {
	p := People(11, 50_000, testDay)
	children, apart, three := 0, 0, 0
	everyone(p, func(b *block, h *household, one *person) {
		where := func() string { return p.householdID(h) + " " + one.name() }
		if one.home != h || (one.role == head) != (one == &h.people[0]) {
			t.Errorf("%s: not at home where they live, or no head", where())
		}
		if one.age < 0 || one.birth > p.asOf || one.age > 110 || one.role == head && one.age < 18 {
			t.Errorf("%s: aged %d as %s", where(), one.age, roleCodes[one.role])
		}
		if s := one.spouse; s != nil {
			if s.spouse != one || s.male == one.male || s.home != h || one.age < 19 || s.age < 19 || s.married != one.married {
				t.Errorf("%s: aged %d, spouse aged %d don't agree", where(), one.age, s.age)
			}
			if one.married == 0 || one.married > p.asOf || one.birth.yearsTo(one.married) < 18 {
				t.Errorf("%s: born %s, married on %s", where(), one.birth, one.married)
			}
		}
		for _, up := range []*person{one.father, one.mother} {
			if up == nil {
				continue
			}
			children++
			if up.home != h {
				apart++
			}
			if up.birth.yearsTo(one.birth) < 15 {
				t.Errorf("%s: born %s, parent born %s", where(), one.birth, up.birth)
			}
			if up.father != nil && up.father == one.father {
				t.Errorf("%s: parent and child have the same father", where())
			}
		}
		if one.father != nil && !one.father.male || one.mother != nil && one.mother.male {
			t.Errorf("%s: a father is a woman or a mother a man", where())
		}
		if one.father != nil && !one.foreign && !one.father.foreign && one.known == "" && one.family() != one.father.family() {
			t.Errorf("%s: the father is called %s", where(), one.father.name())
		}
		if one.role == child && one.father == nil && one.mother == nil {
			t.Errorf("%s: a child of nobody", where())
		}
		if h.form == threeGenerations && one.role == child {
			three++
		}
	})
	if children == 0 || apart == 0 || three == 0 {
		t.Errorf("%d parents, %d of them living apart, %d children with grandparents: there should be some of each", children, apart, three)
	}
}

func TestNamesAreAsRegistersHaveThem(t *testing.T) {
	lengths, latin, longest := map[int]int{}, 0, 0
	everyone(People(11, 50_000, testDay), func(_ *block, _ *household, one *person) {
		name := one.name()
		if one.foreign {
			latin++
			longest = max(longest, len(name))
			return
		}
		lengths[utf8.RuneCountInString(name)]++
	})
	if lengths[2] == 0 || lengths[4] == 0 || lengths[5] > lengths[4] || lengths[1] > 0 {
		t.Errorf("Korean names by length: %v", lengths)
	}
	if latin == 0 || longest > MaxName || longest < 30 {
		t.Errorf("%d Latin names, the longest %d", latin, longest)
	}
}

// TestNoResidentNumberCanBeAnyones checks that the first six digits are never a day, whatever the century.
func TestNoResidentNumberCanBeAnyones(t *testing.T) {
	p := People(11, 50_000, testDay)
	everyone(p, func(_ *block, _ *household, one *person) {
		n := p.residentNumber(one)
		month, err := strconv.Atoi(n[2:4])
		if err != nil || month >= 1 && month <= 12 || len(n) != 14 || n[6] != '-' {
			t.Fatalf("%s could be someone's", n)
		}
		if _, err := time.Parse("060102", n[:6]); err == nil {
			t.Fatalf("%s begins with a day", n)
		}
	})
}

// TestTheDemosPeopleAreWhatTheDemoSays holds for every size, seed and day.
func TestTheDemosPeopleAreWhatTheDemoSays(t *testing.T) {
	days := []time.Time{testDay, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC)}
	for _, asOf := range days {
		for _, residents := range []int{LeastResidents, 1_000, 20_000} {
			p := People(uint64(residents), residents, asOf)
			b := &block{city: p}
			b.fill(0)
			haneul, minjun, sunja := &b.households[0], &b.households[1], &b.households[2]
			one := &haneul.people[0]
			if one.name() != "김하늘" || one.age != 27 || len(haneul.people) != 1 || haneul.tenure != monthly || haneul.rent == 0 ||
				!haneul.entitledToYouthRent(&p.law) || haneul.youthRent != 0 || float64(haneul.income) > 1.5*p.law.median[1] {
				t.Errorf("%s: 김하늘 is %d, pays %d of %d and has had %d months", p.AsOf(), one.age, haneul.rent, haneul.income, haneul.youthRent)
			}
			one = &minjun.people[0]
			baby := &minjun.people[2]
			if one.name() != "이민준" || one.age != 33 || one.spouse == nil || p.asOf-baby.birth != 21 || baby.father != one {
				t.Errorf("%s: 이민준 is %d, the child born %s", p.AsOf(), one.age, baby.birth)
			}
			one = &sunja.people[0]
			if one.name() != "박순자" || one.age != 65 || one.birth.String()[5:7] != p.asOf.String()[5:7] || len(sunja.people) != 1 || one.pension != 0 {
				t.Errorf("%s: 박순자 is %d, born %s", p.AsOf(), one.age, one.birth)
			}
			for i, known := range p.Demo() {
				if home := &b.households[i]; known.Person != p.personID(&home.people[0]) || known.Name != home.people[0].name() {
					t.Errorf("Demo names %v", known)
				}
			}
		}
	}
}

func TestDaysAgreeWithTheCalendar(t *testing.T) {
	start := time.Date(1899, 12, 28, 0, 0, 0, 0, time.UTC)
	for i := range 80_000 {
		at := start.AddDate(0, 0, i)
		d := dayOf(at)
		if int64(d) != at.Unix()/86400-b2i(at.Unix()%86400 < 0) || d.String() != at.Format("2006-01-02") {
			t.Fatalf("%s is %s (%d)", at, d, d)
		}
	}
	for _, c := range []struct{ born, at, want string }{{"2000-02-29", "2026-02-28", "25"}, {"2000-02-29", "2026-03-01", "26"}, {"1961-11-24", "2026-11-24", "65"}} {
		if got := dayOn(t, c.born).yearsTo(dayOn(t, c.at)); strconv.Itoa(got) != c.want {
			t.Errorf("born %s, on %s: %d, want %s", c.born, c.at, got, c.want)
		}
	}
	if got := dayOn(t, "2026-03-15").back(27).String(); !strings.HasPrefix(got, "2023-12-15") {
		t.Errorf("27 months before 2026-03-15 is %s", got)
	}
}

func dayOn(t *testing.T, s string) day {
	t.Helper()
	at, err := time.Parse("2006-01-02", s)
	if err != nil {
		t.Fatal(err)
	}
	return dayOf(at)
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// BenchmarkPeople makes the people of 100,000 without reading any record.
func BenchmarkPeople(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		for range People(1, 100_000, testDay).blocks() {
		}
	}
}

// BenchmarkDatasets reads all records of all datasets of a city of 100,000.
func BenchmarkDatasets(b *testing.B) {
	b.ReportAllocs()
	rows := 0
	for b.Loop() {
		rows = 0
		for _, d := range People(1, 100_000, testDay).Datasets() {
			for range d.Rows {
				rows++
			}
		}
	}
	b.ReportMetric(float64(rows), "rows")
}
