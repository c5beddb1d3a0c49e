package city

// knownHome is the household of one of the demo's people. Their dates hang on the as-of day, so that what the demo says of
// them stays true.
type knownHome struct {
	account  string
	district int // 관악구, 마포구, 강북구
	size     int
	fill     func(h *household, asOf day)
}

// The households of the demo's people, the first of every city.
var knownHomes = [3]knownHome{
	{"haneul", 20, 1, func(h *household, asOf day) {
		h.member(0, head, "김하늘", false, asOf.back(27*12)-143, asOf)
		h.form, h.known = onePerson, 1
	}},
	{"minjun", 13, 3, func(h *household, asOf day) {
		h.member(0, head, "이민준", true, asOf.back(33*12)-200, asOf)
		h.member(1, spouse, "최유진", false, asOf.back(32*12)-71, asOf)
		h.member(2, child, "이다온", false, asOf-21, asOf)
		one, two, baby := &h.people[0], &h.people[1], &h.people[2]
		one.spouse, two.spouse = two, one
		one.married, two.married = asOf.back(26), asOf.back(26)
		baby.father, baby.mother, baby.namesake = one, two, one
		h.form, h.known = coupleChildren, 2
	}},
	{"sunja", 8, 1, func(h *household, asOf day) {
		y, m, d := asOf.date()
		h.member(0, head, "박순자", false, civil(y-65, m, min(d, 3)), asOf)
		h.form, h.known = onePerson, 3
	}},
}

func (h *household) member(at int, role role, name string, male bool, birth, asOf day) {
	p := &h.people[at]
	p.role, p.male, p.known, p.birth, p.home = role, male, name, birth, h
	p.age = int16(birth.yearsTo(asOf))
}
