package city

import (
	"slices"
	"strings"
)

// householdData is a dataset whose records are made household by household.
type householdData struct {
	name    string
	columns []string
	rows    func(*block, *household, emit)
}

func columns(names string) []string { return strings.Fields(names) }

// perHousehold lists the datasets about people and households. A function stops early when emit says so only where it pays.
var perHousehold = []householdData{
	{"resident-registry/residents", columns("person resident_number name birth_date sex nationality household relation household_size district address moved_in_on in_seoul_since moved_out_on"), residentRows},
	{"resident-registry/households", columns("household head type size district tenure dwelling floor_area"), householdRows},
	{"resident-registry/family-relations", columns("person relative relation since birth_order"), familyRows},
	{"resident-registry/parents", columns("person children children_under_19 youngest_birth_date birth_order"), parentRows},
	{"resident-registry/children", columns("person child_no birth_date"), childRows},
	{"resident-registry/moves", columns("household head from_district to_district moved_on people reason"), moveRows},
	{"incomes/household-income", columns("person household household_size monthly_income insurance month"), incomeRows},
	{"incomes/own-pay", columns("person kind own_pay month"), payRows},
	{"incomes/joint-income", columns("person spouse joint_income year"), jointRows},
	{"incomes/assets", columns("household head general_assets savings debts vehicle_value"), assetRows},
	{"leases/lease-reports", columns("lease_no person household district tenure dwelling deposit monthly_rent floor_area lease_from lease_until"), leaseRows},
	{"disability-register/disabilities", columns("person kind degree registered_on"), disabilityRows},
	{"employment/employment-insurance", columns("person workplace insured_from insured_until weekly_hours own_pay"), insuredRows},
	{"welfare/welfare-recipients", columns("person benefit household decided_on amount"), recipientRows},
	{"welfare/recognised-incomes", columns("household head household_size counted_income asset_income recognised_income decided_on"), assessedRows},
	{"welfare/basic-pension", columns("person recognised_income amount since"), pensionRows},
	{"youth-housing/rent-payments", columns("payment_no person district amount paid_on"), rentRows},
}

func residentRows(b *block, h *household, out emit) {
	c := b.city
	id, address, size := c.householdID(h), h.address(c.seed), int64(len(h.people))
	for i := range h.people {
		p := &h.people[i]
		nation := "KR"
		if p.foreign {
			nation = nations().list[p.nation].code
		}
		sex := "F"
		if p.male {
			sex = "M"
		}
		moved, since := max(h.movedIn, p.birth), max(h.since, p.birth)
		if !out(c.personID(p), c.residentNumber(p), p.name(), p.birth.String(), sex, nation, id, roleCodes[p.role], size, h.place.code, address, moved.String(), since.String(), nil) {
			return
		}
	}
}

// parentRows are those who live with children of theirs; the birth order is the youngest's.
func parentRows(b *block, h *household, out emit) {
	for i := range h.people {
		p := &h.people[i]
		children, minors, youngest := int64(0), int64(0), day(0)
		for j := range h.people {
			c := &h.people[j]
			if c.father != p && c.mother != p {
				continue
			}
			children++
			if c.age < 19 {
				minors++
			}
			if children == 1 || c.birth > youngest {
				youngest = c.birth
			}
		}
		if children > 0 && !out(b.city.personID(p), children, minors, youngest.String(), children) {
			return
		}
	}
}

// childRows are the children of those who live with them, each parent's numbered from the oldest.
func childRows(b *block, h *household, out emit) {
	for i := range h.people {
		p := &h.people[i]
		var born []day
		for j := range h.people {
			if c := &h.people[j]; c.father == p || c.mother == p {
				born = append(born, c.birth)
			}
		}
		slices.Sort(born)
		for n, d := range born {
			if !out(b.city.personID(p), int64(n+1), d.String()) {
				return
			}
		}
	}
}

func householdRows(b *block, h *household, out emit) {
	out(b.city.householdID(h), b.city.personID(&h.people[0]), formCodes[h.form], int64(len(h.people)), h.place.code, tenureCodes[h.tenure], dwellingCodes[h.dwelling], h.area)
}

func familyRows(b *block, h *household, out emit) {
	c := b.city
	for i := range h.people {
		p := &h.people[i]
		if p.spouse == nil && p.father == nil && p.mother == nil {
			continue
		}
		me := c.personID(p)
		if p.spouse != nil {
			out(me, c.personID(p.spouse), "spouse", p.married.String(), nil)
		}
		order := b.birthOrder(p)
		for _, up := range [...]*person{p.father, p.mother} {
			if up != nil {
				id := c.personID(up)
				out(me, id, "parent", nil, nil)
				out(id, me, "child", nil, order)
			}
		}
	}
}

// reasons for moving, by age of the head: under 35, older (assumed).
var reasons = [2]choice{newChoice([]float64{34, 14, 30, 14, 8}), newChoice([]float64{20, 25, 42, 5, 8})}

var reasonCodes = [...]string{"job", "family", "housing", "school", "other"}

func moveRows(b *block, h *household, out emit) {
	if h.movedIn <= b.city.asOf-365 {
		return
	}
	one, from, group := &h.people[0], any(nil), 1
	if h.from >= 0 {
		from = places()[h.from].code
	}
	if one.age < 35 {
		group = 0
	}
	moved := int64(0)
	for i := range h.people {
		if h.people[i].birth <= h.movedIn {
			moved++
		}
	}
	out(b.city.householdID(h), b.city.personID(one), from, h.place.code, h.movedIn.String(), moved, reasonCodes[reasons[group].at(unit(one.given, 11))])
}

func incomeRows(b *block, h *household, out emit) {
	c := b.city
	id, size, month := c.householdID(h), int64(len(h.people)), c.asOf.back(1).month()
	for i := range h.people {
		if !out(c.personID(&h.people[i]), id, size, h.income, insuranceCodes[h.insurance], month) {
			return
		}
	}
}

func payRows(b *block, h *household, out emit) {
	month := b.city.asOf.back(1).month()
	for i := range h.people {
		if p := &h.people[i]; p.work == employed {
			out(b.city.personID(p), employmentCodes[p.kind], p.pay, month)
		}
	}
}

func jointRows(b *block, h *household, out emit) {
	year, _, _ := b.city.asOf.date()
	for i := range h.people {
		p := &h.people[i]
		if p.spouse == nil || p.married < b.city.asOf.back(7*12) {
			continue
		}
		out(b.city.personID(p), b.city.personID(p.spouse), 12*(p.pay+p.spouse.pay), int64(year-1))
	}
}

func assetRows(b *block, h *household, out emit) {
	out(b.city.householdID(h), b.city.personID(&h.people[0]), h.assets, h.savings, h.debts, h.vehicle)
}

func leaseRows(b *block, h *household, out emit) {
	if h.tenure != jeonse && h.tenure != monthly {
		return
	}
	one, c := &h.people[0], b.city
	from := h.movedIn
	for from.back(-24) <= c.asOf { // a lease of two years is renewed
		from = from.back(-24)
	}
	year, _, _ := from.date()
	var no [14]byte
	digits(no[:4], uint64(year))
	no[4] = '-'
	digits(no[5:], h.index+1)
	out("L"+string(no[:]), c.personID(one), c.householdID(h), h.place.code, tenureCodes[h.tenure], dwellingCodes[h.dwelling], h.deposit, h.rent, h.area, from.String(), (from.back(-24) - 1).String())
}

func disabilityRows(b *block, h *household, out emit) {
	for i := range h.people {
		p := &h.people[i]
		if p.disability == 0 {
			continue
		}
		degree := "mild"
		if p.severe {
			degree = "severe"
		}
		lived := float64(b.city.asOf - p.birth)
		on := b.city.asOf - day(min(lived*0.8, 20*365)*unit(p.given, 12))
		out(b.city.personID(p), disabilityCodes[p.disability-1], degree, on.String())
	}
}

var trades = [...]string{"상사", "테크", "식품", "물류", "디자인", "건설", "의원", "학원", "서비스", "정밀"}

func insuredRows(b *block, h *household, out emit) {
	for i := range h.people {
		p := &h.people[i]
		if p.insured == 0 {
			continue
		}
		workplace := "(주)" + pick(roots(), p.given, 13) + pick(trades[:], p.given, 14)
		until := any(nil)
		pay := p.pay
		if p.left != 0 {
			until = p.left.String()
		}
		out(b.city.personID(p), workplace, p.insured.String(), until, int64(p.hours), pay)
	}
}

func recipientRows(b *block, h *household, out emit) {
	if h.benefits == 0 {
		return
	}
	id, on := b.city.householdID(h), h.lookedAt
	for i := range h.people {
		p := &h.people[i]
		who := b.city.personID(p)
		for bit, code := range benefitCodes {
			if h.benefits&(1<<bit) == 0 || code == "education" && (p.age < 7 || p.age > 18) || code == "single-parent" && p.role > child {
				continue
			}
			amount := any(nil)
			if code == "livelihood" && i == 0 { // paid to the head, for the household
				amount = h.topUp
			}
			out(who, code, id, max(on, p.birth).String(), amount)
		}
	}
}

func assessedRows(b *block, h *household, out emit) {
	if h.assessed {
		out(b.city.householdID(h), b.city.personID(&h.people[0]), int64(len(h.people)), h.counted, h.converted, h.counted+h.converted, h.lookedAt.String())
	}
}

func pensionRows(b *block, h *household, out emit) {
	for i := range h.people {
		if p := &h.people[i]; p.pension > 0 {
			y, m, _ := p.birth.date()
			since := max(civil(y+65, m, 1), civil(2014, 7, 1)) // the law came into force on 2014-07-01
			out(b.city.personID(p), p.counted, p.pension, since.String())
		}
	}
}

// youthRentCap is the most that 청년월세 pays a month, KRW; it pays for twelve months.
const youthRentCap = 200_000

func rentRows(b *block, h *household, out emit) {
	if h.youthRent == 0 {
		return
	}
	who := b.city.personID(&h.people[0])
	first := b.city.asOf.back(int(h.youthRent))
	year, month, _ := first.date()
	for n := range 12 {
		paid := civil(year, month+n, 25)
		if paid > b.city.asOf {
			return
		}
		y, _, _ := paid.date()
		var no [16]byte
		digits(no[:4], uint64(y))
		no[4] = '-'
		digits(no[5:14], h.index)
		digits(no[14:], uint64(n+1))
		out("YR"+string(no[:]), who, h.place.code, min(h.rent, youthRentCap), paid.String())
	}
}
