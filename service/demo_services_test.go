package service_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
)

// facts are what is known of somebody; ints are written as they are.
type facts map[string]any

// born is a list of children.
func born(days ...string) []map[string]any {
	out := []map[string]any{}
	for _, d := range days {
		out = append(out, map[string]any{"birth_date": d})
	}
	return out
}

// member is a list of one member of a household.
func member(birth string, frail bool) []map[string]any {
	return []map[string]any{{"birth_date": birth, "frail": frail}}
}

// person is somebody who differs from the one that is entitled: what is said of each clause (y, n, u, e), and what they would get.
type person struct {
	what    string
	with    facts
	clauses string
	day     manifest.Day // asOf where nothing is said
	amount  any
}

// demo is a service of the demo city with somebody who is entitled, and others.
type demo struct {
	service string
	fine    facts
	people  []person
}

// whole makes ints what facts are.
func whole(v any) any {
	if n, ok := v.(int); ok {
		return int64(n)
	}
	return v
}

// TestDemoServices looks at people just inside and just outside of each clause of the demo city's services. Every service has somebody who is entitled, and of each of its clauses somebody who fails it. Medians of
// 2026: one person 2,564,238 won, two 4,199,292, three 5,359,036, four 6,494,738.
func TestDemoServices(t *testing.T) {
	services := service.New(open(t).Snapshot)
	seen := map[string]bool{"youth-housing/youth-rent": true} // TestYouthRent
	for _, d := range demos {
		project, name, _ := strings.Cut(d.service, "/")
		s := services.Service(project, name)
		if s == nil {
			t.Errorf("there is no %s", d.service)
			continue
		}
		seen[d.service] = true
		entitled, fails := false, make([]bool, len(s.Clauses))
		for _, p := range d.people {
			known := map[string]any{}
			for _, m := range []facts{d.fine, p.with} {
				for k, v := range m {
					known[k] = whole(v)
				}
			}
			valid(t, s, known)
			day := asOf
			if p.day != "" {
				day = p.day
			}
			v := s.Check(known, day)
			clauses := ""
			for i, one := range v.Clauses {
				clauses += string(one.Outcome[0])
				fails[i] = fails[i] || one.Outcome == service.No
			}
			if clauses != p.clauses {
				t.Errorf("%s, %s: %s, want %s: %+v", d.service, p.what, clauses, p.clauses, v.Clauses)
			}
			entitled = entitled || v.Outcome == service.Yes
			if p.amount != nil && (v.Benefit == nil || v.Benefit.Amount != whole(p.amount)) {
				t.Errorf("%s, %s: %+v, want %v", d.service, p.what, v.Benefit, p.amount)
			}
			for _, one := range v.Clauses {
				for _, why := range []string{one.Why.Ko, one.Why.En} {
					if why == "" || strings.Contains(why, "아직 모름") || strings.Contains(why, "not known yet") {
						t.Errorf("%s, %s: %q", d.service, p.what, why)
					}
				}
			}
		}
		if !entitled {
			t.Errorf("%s: nobody is entitled", d.service)
		}
		for i, failed := range fails {
			if !failed {
				t.Errorf("%s: nobody fails %s", d.service, s.Clauses[i].Spec.When)
			}
		}
	}
	for _, s := range services.List() {
		if !seen[s.Path()] {
			t.Errorf("%s has no cases", s.Path())
		}
	}
}

// valid checks that what is known could have been said: codes, bounds, names.
func valid(t *testing.T, s *service.Service, known map[string]any) {
	t.Helper()
	text, err := json.Marshal(known)
	if err != nil {
		t.Fatal(err)
	}
	var given registry.Values
	if err := json.Unmarshal(text, &given); err != nil {
		t.Fatal(err)
	}
	said, err := s.Known(given)
	if err != nil || len(said) != len(known) {
		t.Errorf("%s: %v: %v", s.Path(), known, err)
	}
}

// Most of what the demo city offers can be applied for on the demo's day.
func TestMostDemoServicesAreOpen(t *testing.T) {
	list := service.New(open(t).Snapshot).List()
	closed := 0
	for _, s := range list {
		if len(s.Spec.AllWindows()) > 0 && s.Spec.WindowOn(asOf) == nil {
			closed++
		}
	}
	if len(list) < 40 || closed*5 > len(list) {
		t.Errorf("%d services, %d closed", len(list), closed)
	}
}

// What can't be had together, said in one of the two or in both (domain notes, section 2).
func TestDemoExclusions(t *testing.T) {
	services := service.New(open(t).Snapshot)
	for _, pair := range [][2]string{
		{"youth-housing/youth-rent", "youth-jobs/youth-allowance"},
		{"youth-housing/youth-rent", "leases/housing-benefit"},
		{"youth-housing/youth-rent", "eunpyeong-youth/eunpyeong-youth-rent"},
		{"youth-housing/youth-rent", "gwangjin-youth/gwangjin-youth-rent"},
		{"youth-jobs/youth-allowance", "self-support/double-savings"},
		{"self-support/young-carer", "self-support/double-savings"},
		{"self-support/young-carer", "welfare/stepping-stone-income"},
		{"newlyweds/birth-housing", "newlyweds/newlywed-deposit-interest"},
		{"newlyweds/birth-housing", "youth-housing/youth-deposit-interest"},
		{"welfare/seoul-basic-security", "welfare/livelihood-benefit"},
		{"crisis-support/crisis-support", "welfare/livelihood-benefit"},
		{"health-care/sick-leave", "welfare/livelihood-benefit"},
		{"health-care/sick-leave", "welfare/seoul-basic-security"},
		{"health-care/sick-leave", "crisis-support/crisis-support"},
		{"disability-register/disability-pension", "disability-register/disability-allowance"},
	} {
		var two [2]*service.Service
		for i, path := range pair {
			project, name, _ := strings.Cut(path, "/")
			if two[i] = services.Service(project, name); two[i] == nil {
				t.Fatalf("there is no %s", path)
			}
		}
		if !service.Excluded(two[0], two[1]) || !service.Excluded(two[1], two[0]) {
			t.Errorf("%v can be had together", pair)
		}
	}
}

// A reason shows the values of its day, and nobody is asked for what can't change the outcome.
func TestDemoReasonsAndQuestions(t *testing.T) {
	services := service.New(open(t).Snapshot)
	parent := map[string]any{"household_size": int64(2), "recognised_income": int64(2_600_000)}
	for day, want := range map[manifest.Day]string{
		"2025-12-31": "소득인정액이 기준 중위소득의 63% 이하여야 합니다 (월 2,600,000원, 기준 2,477,575원)",
		"2026-01-01": "소득인정액이 기준 중위소득의 65% 이하여야 합니다 (월 2,600,000원, 기준 2,729,540원)",
	} {
		if got := services.Service("family-support", "single-parent").Check(parent, day).Clauses[2].Why.Ko; got != want {
			t.Errorf("%s: %s", day, got)
		}
	}
	mind := services.Service("youth-life", "youth-mind")
	for birth, want := range map[string][]string{"1996-03-02": {}, "1986-01-01": {"military_extension"}, "1970-01-01": {}} {
		if v := mind.Check(map[string]any{"birth_date": birth, "in_seoul_since": "2020-01-01"}, asOf); !slices.Equal(v.Missing, want) {
			t.Errorf("%s: %v", birth, v.Missing)
		}
	}
	crisis := services.Service("crisis-support", "crisis-support") // more savings than 6 million: the deduction decides, and unknown is not no
	known := map[string]any{"crisis_cause": "fire", "household_size": int64(1), "household_income": int64(0), "general_assets": int64(0), "savings": int64(7_000_000), "livelihood_recipient": false}
	if v := crisis.Check(known, asOf); v.Outcome != service.Unknown || !slices.Equal(v.Missing, []string{"living_cost"}) {
		t.Errorf("%s %v", v.Outcome, v.Missing)
	}
}

var demos = []demo{
	{"youth-housing/youth-deposit-interest", facts{"birth_date": "1996-03-02", "owns_home": false, "married": false, "own_income_year": 50_000_000}, []person{
		{"entitled, at the limit", nil, "yyy", "", 3},
		{"a won above", facts{"own_income_year": 50_000_001}, "yyn", "", nil},
		{"couple at the limit", facts{"married": true, "joint_income": 60_000_000}, "yyy", "", nil},
		{"couple a won above", facts{"married": true, "joint_income": 60_000_001}, "yyn", "", nil},
		{"40 today", facts{"birth_date": "1986-11-28"}, "nyy", "", nil},
		{"39 until tomorrow", facts{"birth_date": "1986-11-29"}, "yyy", "", nil},
		{"owner", facts{"owns_home": true}, "yny", "", nil},
	}},
	{"youth-life/youth-moving-cost", facts{"birth_date": "1996-03-02", "in_seoul_since": "2019-03-02", "relation": "head", "household_size": 1, "household_income": 3_846_357, "deposit": 150_000_000, "monthly_rent": 500_000, "owns_home": false, "basic_recipient": false, "moved_on": "2024-01-01", "moving_cost": 250_000, "agent_fee": 120_000, "other_moving_support": false}, []person{
		{"entitled, at every limit", nil, "yyyyyyy", "", 370_000},
		{"a dear move", facts{"moving_cost": 900_000}, "yyyyyyy", "", 400_000},
		{"moves to Seoul tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyyyyyy", "", nil},
		{"18", facts{"birth_date": "2007-11-29"}, "ynyyyyy", "", nil},
		{"40 today", facts{"birth_date": "1986-11-28"}, "ynyyyyy", "", nil},
		{"child of the house", facts{"relation": "child"}, "yynyyyy", "", nil},
		{"owner", facts{"owns_home": true}, "yynyyyy", "", nil},
		{"a won above", facts{"household_income": 3_846_358}, "yyynyyy", "", nil},
		{"a dear home", facts{"deposit": 150_000_001}, "yyyynyy", "", nil},
		{"moved in 2023", facts{"moved_on": "2023-12-31"}, "yyyyyny", "", nil},
		{"recipient", facts{"basic_recipient": true}, "yyyyyyn", "", nil},
		{"helped elsewhere", facts{"other_moving_support": true}, "yyyyyyn", "", nil},
	}},
	{"youth-life/youth-mind", facts{"birth_date": "1996-03-02", "in_seoul_since": "2026-11-28"}, []person{
		{"entitled, moved in today", nil, "yy", "", nil},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "ny", "", nil},
		{"18", facts{"birth_date": "2007-11-29"}, "yn", "", nil},
		{"40, served a year", facts{"birth_date": "1986-11-28", "military_extension": 2}, "yy", "", nil},
		{"40, never served", facts{"birth_date": "1986-11-28", "military_extension": 0}, "yn", "", nil},
		{"42, served two years", facts{"birth_date": "1983-11-29", "military_extension": 3}, "yy", "", nil},
		{"43", facts{"birth_date": "1983-11-28", "military_extension": 3}, "yn", "", nil},
	}},
	{"youth-jobs/youth-allowance", facts{"birth_date": "2000-03-02", "in_seoul_since": "2019-03-02", "household_size": 1, "household_income": 3_846_357, "school_status": "graduated", "work_status": "unemployed", "employment_support": false}, []person{
		{"entitled, income at the limit", nil, "yyyyyy", "", 500_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyyyyy", "", nil},
		{"35, never served", facts{"birth_date": "1991-11-28", "military_extension": 0}, "ynyyyy", "", nil},
		{"35, served under a year", facts{"birth_date": "1991-11-28", "military_extension": 1}, "yyyyyy", "", nil},
		{"38", facts{"birth_date": "1988-11-28", "military_extension": 3}, "ynyyyy", "", nil},
		{"student", facts{"school_status": "enrolled"}, "yynyyy", "", nil},
		{"due to graduate", facts{"school_status": "due-to-graduate"}, "yyyyyy", "", nil},
		{"30 hours a week", facts{"work_status": "employed", "weekly_hours": 30, "contract_months": 12}, "yyyyyy", "", nil},
		{"31 hours a week", facts{"work_status": "employed", "weekly_hours": 31, "contract_months": 12}, "yyynyy", "", nil},
		{"three months", facts{"work_status": "employed", "weekly_hours": 40, "contract_months": 3}, "yyyyyy", "", nil},
		{"a won above", facts{"household_income": 3_846_358}, "yyyyny", "", nil},
		{"in the national scheme", facts{"employment_support": true}, "yyyyyn", "", nil},
	}},
	{"self-support/double-savings", facts{"birth_date": "2000-03-02", "in_seoul_since": "2019-03-02", "work_status": "employed", "work_months": 3, "contract_months": 1, "own_pay": 2_550_000, "obligor_income": 99_999_999, "obligor_assets": 899_999_999, "other_asset_building": false}, []person{
		{"entitled, at every limit", nil, "yyyyyy", "", 150_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyyyyy", "", nil},
		{"18 today", facts{"birth_date": "2008-11-28"}, "yyyyyy", "", nil},
		{"18 tomorrow", facts{"birth_date": "2008-11-29"}, "ynyyyy", "", nil},
		{"37, served two years", facts{"birth_date": "1989-11-28", "military_extension": 3}, "yyyyyy", "", nil},
		{"two months of work", facts{"work_months": 2}, "yynyyy", "", nil},
		{"two months, a long contract", facts{"work_months": 2, "contract_months": 3}, "yyyyyy", "", nil},
		{"a won above", facts{"own_pay": 2_550_001}, "yyynyy", "", nil},
		{"rich parents", facts{"obligor_income": 100_000_000}, "yyyyny", "", nil},
		{"parents with a house", facts{"obligor_assets": 900_000_000}, "yyyyny", "", nil},
		{"saves elsewhere", facts{"other_asset_building": true}, "yyyyyn", "", nil},
	}},
	{"self-support/young-carer", facts{"birth_date": "2010-03-02", "in_seoul_since": "2019-03-02", "household_size": 2, "household_income": 6_298_938, "cares_for_family": true, "lives_with_cared": true, "heavy_burden": false, "basic_recipient": false, "near_poor": false}, []person{
		{"entitled, income at the limit", nil, "yyyyy", "", 300_000},
		{"a heavy burden", facts{"heavy_burden": true}, "yyyyy", "", 400_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyyyy", "", nil},
		{"9 today", facts{"birth_date": "2017-11-28"}, "yyyyy", "", nil},
		{"9 tomorrow", facts{"birth_date": "2017-11-29"}, "ynyyy", "", nil},
		{"cares from afar", facts{"lives_with_cared": false}, "yynyy", "", nil},
		{"cares for nobody", facts{"cares_for_family": false}, "yynyy", "", nil},
		{"a won above", facts{"household_income": 6_298_939}, "yyyny", "", nil},
		{"near-poor", facts{"near_poor": true}, "yyyyn", "", nil},
		{"recipient", facts{"basic_recipient": true}, "yyyyn", "", nil},
	}},
	{"newlyweds/newlywed-deposit-interest", facts{"married": true, "married_on": "2019-11-28", "marrying_soon": false, "owns_home": false, "spouse_owns_home": false, "joint_income": 130_000_000}, []person{
		{"entitled, at every limit", nil, "yyy", "", 4.5},
		{"a day too long", facts{"married_on": "2019-11-27"}, "nyy", "", nil},
		{"to marry", facts{"married": false, "marrying_soon": true}, "yyy", "", nil},
		{"neither", facts{"married": false}, "nyy", "", nil},
		{"owner", facts{"owns_home": true}, "yny", "", nil},
		{"the spouse owns", facts{"spouse_owns_home": true}, "yny", "", nil},
		{"a won above", facts{"joint_income": 130_000_001}, "yyn", "", nil},
	}},
	{"newlyweds/birth-housing", facts{"in_seoul_since": "2019-03-02", "household_size": 3, "household_income": 9_646_265, "child_birth_date": "2025-11-28", "owns_home": false, "spouse_owns_home": false, "floor_area": 85.0, "monthly_rent": 0, "deposit": 500_000_000, "public_rental": false}, []person{
		{"entitled, at every limit", nil, "yyyyyy", "", 300_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyyyyy", "", nil},
		{"born a day too early", facts{"child_birth_date": "2025-11-27"}, "ynyyyy", "", nil},
		{"born in 2024", facts{"child_birth_date": "2024-12-31", "household_income": 1}, "ynyyyy", "2025-06-01", nil},
		{"born in 2025", facts{"child_birth_date": "2025-01-01", "household_income": 1}, "yyyyyy", "2025-06-01", nil},
		{"owner", facts{"owns_home": true}, "yynyyy", "", nil},
		{"the spouse owns", facts{"spouse_owns_home": true}, "yynyyy", "", nil},
		{"a won above", facts{"household_income": 9_646_266}, "yyynyy", "", nil},
		{"a big home", facts{"floor_area": 85.1}, "yyyyny", "", nil},
		{"a dear jeonse", facts{"deposit": 500_000_001}, "yyyyny", "", nil},
		{"rent at the limit", facts{"monthly_rent": 1_500_000, "converted_rent": 2_290_000}, "yyyyyy", "", nil},
		{"rent a won above", facts{"monthly_rent": 1_500_000, "converted_rent": 2_290_001}, "yyyyny", "", nil},
		{"public rental", facts{"public_rental": true}, "yyyyyn", "", nil},
	}},
	{"leases/housing-benefit", facts{"household_size": 1, "recognised_income": 820_556, "tenure": "monthly", "monthly_rent": 450_000}, []person{
		{"entitled to the standard rent", nil, "yy", "", 369_000},
		{"a low rent", facts{"monthly_rent": 200_000}, "yy", "", 200_000},
		{"at the limit", facts{"recognised_income": 1_230_834}, "yy", "", 245_920},
		{"a won above", facts{"recognised_income": 1_230_835}, "ny", "", nil},
		{"2025 at the limit", facts{"recognised_income": 1_148_166}, "yy", "2025-06-01", 237_190},
		{"2025 a won above", facts{"recognised_income": 1_148_167}, "ny", "2025-06-01", nil},
		{"four people", facts{"household_size": 4, "recognised_income": 0, "monthly_rent": 900_000}, "yy", "", 571_000},
		{"owner", facts{"tenure": "own"}, "yn", "", nil},
	}},
	{"leases/deposit-guarantee-fee", facts{"birth_date": "1980-03-02", "in_seoul_since": "2019-03-02", "deposit": 300_000_000, "owns_home": false, "joint_income": 60_000_000, "newlywed": false, "guarantee_fee": 310_000}, []person{
		{"entitled, at every limit", nil, "yyyy", "", 310_000},
		{"a dear guarantee", facts{"guarantee_fee": 550_000}, "yyyy", "", 400_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyyy", "", nil},
		{"owner", facts{"owns_home": true}, "ynyy", "", nil},
		{"a won above", facts{"deposit": 300_000_001}, "yyny", "", nil},
		{"income a won above", facts{"joint_income": 60_000_001}, "yyyn", "", nil},
		{"newly-wed", facts{"newlywed": true, "joint_income": 75_000_000}, "yyyy", "", nil},
		{"newly-wed a won above", facts{"newlywed": true, "joint_income": 75_000_001}, "yyyn", "", nil},
		{"39, at the limit", facts{"birth_date": "1986-11-29", "own_income_year": 50_000_000}, "yyyy", "", nil},
		{"39, a won above", facts{"birth_date": "1986-11-29", "own_income_year": 50_000_001}, "yyyn", "", nil},
	}},
	{"childcare/first-meeting", facts{"child_birth_date": "2024-11-28", "birth_order": 1, "birth_reported": true, "birth_report": "2024-0001"}, []person{
		{"entitled, two years today", nil, "yy", "", 2_000_000},
		{"second child", facts{"birth_order": 2}, "yy", "", 3_000_000},
		{"a day too old", facts{"child_birth_date": "2024-11-27"}, "ny", "", nil},
		{"not yet born", facts{"child_birth_date": "2026-11-29"}, "ny", "", nil},
		{"not reported", facts{"birth_reported": false}, "yn", "", nil},
	}},
	{"childcare/parental-benefit", facts{"child_birth_date": "2025-11-29", "home_childcare_allowance": false}, []person{
		{"entitled, the last day of the first year", nil, "yy", "", 1_000_000},
		{"a year today", facts{"child_birth_date": "2025-11-28"}, "yy", "", 500_000},
		{"the last day of 23 months", facts{"child_birth_date": "2024-11-29"}, "yy", "", 500_000},
		{"two years today", facts{"child_birth_date": "2024-11-28"}, "ny", "", nil},
		{"not yet born", facts{"child_birth_date": "2026-11-29"}, "ny", "", nil},
		{"allowance at home", facts{"home_childcare_allowance": true}, "yn", "", nil},
	}},
	{"childcare/child-allowance", facts{"child_birth_date": "2020-05-05"}, []person{
		{"entitled", nil, "y", "", 100_000},
		{"9 today, born in 2017", facts{"child_birth_date": "2017-11-28"}, "y", "", nil},
		{"the first day of 2017", facts{"child_birth_date": "2017-01-01"}, "y", "", nil},
		{"9, born in 2016", facts{"child_birth_date": "2016-12-31"}, "n", "", nil},
		{"not yet born", facts{"child_birth_date": "2026-11-29"}, "n", "", nil},
		{"2025: 7", facts{"child_birth_date": "2017-12-02"}, "y", "2025-12-01", 100_000},
		{"2025: 8 today", facts{"child_birth_date": "2017-12-01"}, "n", "2025-12-01", nil},
		{"2026: the same child", facts{"child_birth_date": "2017-12-01"}, "y", "2026-01-01", nil},
		{"2027: 9, born in 2018", facts{"child_birth_date": "2018-01-01"}, "y", "2027-12-31", nil},
		{"2028: 11 today", facts{"child_birth_date": "2016-12-31"}, "n", "2028-12-31", nil},
	}},
	{"childcare/kin-care", facts{"in_seoul_since": "2019-03-02", "household_size": 3, "household_income": 8_038_554, "child_birth_date": "2024-11-28", "care_gap": "single-parent", "infants": 1}, []person{
		{"entitled, 24 months today", nil, "yyyy", "", 300_000},
		{"three infants and more", facts{"infants": 4}, "yyyy", "", 600_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyyy", "", nil},
		{"23 months", facts{"child_birth_date": "2024-11-29"}, "ynyy", "", nil},
		{"the last day of 36 months", facts{"child_birth_date": "2023-10-29"}, "yyyy", "", nil},
		{"37 months today", facts{"child_birth_date": "2023-10-28"}, "ynyy", "", nil},
		{"a parent at home", facts{"care_gap": "none"}, "yyny", "", nil},
		{"a won above", facts{"household_income": 8_038_555}, "yyyn", "", nil},
		{"both work, a third more", facts{"care_gap": "both-work", "household_income": 10_718_071}, "yyyy", "", nil},
		{"both work, above", facts{"care_gap": "both-work", "household_income": 10_718_073}, "yyyn", "", nil},
	}},
	{"childcare/childcare-service", facts{"household_size": 3, "household_income": 13_397_590, "child_birth_date": "2026-08-28", "care_gap": "both-work"}, []person{
		{"entitled, three months today", nil, "yyy", "", nil},
		{"a day too young", facts{"child_birth_date": "2026-08-29"}, "nyy", "", nil},
		{"the last day of 12", facts{"child_birth_date": "2013-11-29"}, "yyy", "", nil},
		{"13 today", facts{"child_birth_date": "2013-11-28"}, "nyy", "", nil},
		{"a parent at home", facts{"care_gap": "none"}, "yny", "", nil},
		{"a won above", facts{"household_income": 13_397_591}, "yyn", "", nil},
	}},
	{"childcare/parents-taxi", facts{"in_seoul_since": "2019-03-02", "children": born("2024-10-29", "2015-01-01")}, []person{
		{"entitled, the last day of 24 months", nil, "yy", "", 100_000},
		{"twins", facts{"children": born("2025-03-02", "2025-03-02", "2015-01-01")}, "yy", "", 200_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "ny", "", nil},
		{"25 months today", facts{"children": born("2024-10-28")}, "yn", "", nil},
		{"not yet born", facts{"children": born("2026-11-29")}, "yn", "", nil},
		{"no child", facts{"children": born()}, "yn", "", nil},
	}},
	{"childcare/many-children-card", facts{"in_seoul_since": "2019-03-02", "children": born("2001-05-06", "2007-11-29")}, []person{
		{"entitled, the last day of 18", nil, "yyy", "", nil},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyy", "", nil},
		{"one child", facts{"children": born("2007-11-29")}, "yny", "", nil},
		{"19 today", facts{"children": born("2001-05-06", "2007-11-28")}, "yyn", "", nil},
		{"none", facts{"children": born()}, "ynn", "", nil},
	}},
	{"childcare/kids-cafe", facts{"child_birth_date": "2016-11-29"}, []person{
		{"entitled, the last day of 9", nil, "y", "", nil},
		{"10 today", facts{"child_birth_date": "2016-11-28"}, "n", "", nil},
		{"not yet born", facts{"child_birth_date": "2026-11-29"}, "n", "", nil},
	}},
	{"family-support/pregnancy-transport", facts{"in_seoul_since": "2026-08-30", "pregnant_weeks": 12, "birth_order": 1}, []person{
		{"entitled, 90 days today", nil, "yy", "", 700_000},
		{"89 days", facts{"in_seoul_since": "2026-08-31"}, "ny", "", nil},
		{"second child", facts{"birth_order": 2}, "yy", "", 800_000},
		{"fourth child", facts{"birth_order": 4}, "yy", "", 1_000_000},
		{"week 11", facts{"pregnant_weeks": 11, "child_birth_date": "2020-01-01"}, "yn", "", nil},
		{"the last day of 12 months", facts{"pregnant_weeks": 0, "child_birth_date": "2025-10-29"}, "yy", "", nil},
		{"13 months", facts{"pregnant_weeks": 0, "child_birth_date": "2025-10-28"}, "yn", "", nil},
		{"June 2026: a day in Seoul", facts{"in_seoul_since": "2026-06-30", "birth_order": 3}, "yy", "2026-06-30", 1_000_000},
		{"July 2026: a day in Seoul", facts{"in_seoul_since": "2026-06-30"}, "ny", "2026-07-01", nil},
		{"2025: third child", facts{"in_seoul_since": "2020-01-01", "birth_order": 3}, "yy", "2025-12-31", 700_000},
		{"lives elsewhere", facts{"in_seoul_since": "2026-07-01"}, "ny", "2026-06-30", nil},
	}},
	{"family-support/postpartum", facts{"in_seoul_since": "2026-08-30", "child_birth_date": "2026-06-01", "birth_order": 1, "birth_reported": true, "birth_report": "2026-0001"}, []person{
		{"entitled, 90 and 180 days today", nil, "yyy", "", 1_000_000},
		{"89 days", facts{"in_seoul_since": "2026-08-31"}, "nyy", "", nil},
		{"181 days", facts{"child_birth_date": "2026-05-31"}, "yny", "", nil},
		{"second child", facts{"birth_order": 2}, "yyy", "", 1_200_000},
		{"fifth child", facts{"birth_order": 5}, "yyy", "", 1_500_000},
		{"not reported", facts{"birth_reported": false}, "yyn", "", nil},
		{"2025: third child", facts{"in_seoul_since": "2025-11-30", "child_birth_date": "2025-12-01", "birth_order": 3}, "yyy", "2025-12-31", 1_000_000},
	}},
	{"family-support/housework", facts{"in_seoul_since": "2019-03-02", "household_size": 4, "household_income": 11_690_528, "pregnant_weeks": 12}, []person{
		{"entitled, week 12 and income at the limit", nil, "yyy", "", 700_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyy", "", nil},
		{"a won above", facts{"household_income": 11_690_529}, "yny", "", nil},
		{"week 11, no young child", facts{"pregnant_weeks": 11, "youngest_birth_date": "2013-11-28", "care_gap": "both-work", "children_under_19": 2}, "yyn", "", nil},
		{"the last day of 12, both work", facts{"pregnant_weeks": 0, "youngest_birth_date": "2013-11-29", "care_gap": "both-work", "children_under_19": 1}, "yyy", "", nil},
		{"the last day of 12, two children", facts{"pregnant_weeks": 0, "youngest_birth_date": "2013-11-29", "care_gap": "none", "children_under_19": 2}, "yyy", "", nil},
		{"one child, a parent at home", facts{"pregnant_weeks": 0, "youngest_birth_date": "2013-11-29", "care_gap": "none", "children_under_19": 1}, "yyn", "", nil},
		{"the last day of 12 months", facts{"pregnant_weeks": 0, "youngest_birth_date": "2025-10-29", "care_gap": "none", "children_under_19": 1}, "yyy", "", nil},
		{"13 months", facts{"pregnant_weeks": 0, "youngest_birth_date": "2025-10-28", "care_gap": "none", "children_under_19": 1}, "yyn", "", nil},
	}},
	{"family-support/public-wedding", facts{"in_seoul_since": "2027-01-01", "works_in_seoul": true, "partner_in_seoul": false}, []person{
		{"entitled by work", nil, "y", "", nil},
		{"by the partner", facts{"works_in_seoul": false, "partner_in_seoul": true}, "y", "", nil},
		{"neither", facts{"works_in_seoul": false}, "n", "", nil},
		{"lives here since today", facts{"in_seoul_since": "2026-11-28", "works_in_seoul": false}, "y", "", nil},
	}},
	{"family-support/single-parent", facts{"household_size": 2, "recognised_income": 2_729_540, "single_parent": true, "youngest_birth_date": "2008-11-29", "youngest_in_school": false, "children_supported": 1, "children_extra": 0}, []person{
		{"entitled, at every limit", nil, "yyy", "", 230_000},
		{"three children, one with more", facts{"children_supported": 3, "children_extra": 1}, "yyy", "", 790_000},
		{"a spouse", facts{"single_parent": false}, "nyy", "", nil},
		{"18 today", facts{"youngest_birth_date": "2008-11-28"}, "yny", "", nil},
		{"21 at school", facts{"youngest_birth_date": "2004-11-29", "youngest_in_school": true}, "yyy", "", nil},
		{"22 at school", facts{"youngest_birth_date": "2004-11-28", "youngest_in_school": true}, "yny", "", nil},
		{"a won above", facts{"recognised_income": 2_729_541}, "yyn", "", nil},
		{"2025 at 63 %", facts{"recognised_income": 2_477_575}, "yyy", "2025-12-31", 230_000},
		{"2025 a won above", facts{"recognised_income": 2_477_576}, "yyn", "2025-12-31", nil},
	}},
	{"welfare/livelihood-benefit", facts{"household_size": 1, "recognised_income": 500_000, "obligor_income": 0, "obligor_assets": 0}, []person{
		{"entitled", nil, "yy", "", 320_550},
		{"at every limit", facts{"recognised_income": 820_556, "obligor_income": 130_000_000, "obligor_assets": 1_200_000_000}, "yy", "", 0},
		{"a won above", facts{"recognised_income": 820_557}, "ny", "", nil},
		{"rich relatives", facts{"obligor_income": 130_000_001}, "yn", "", nil},
		{"relatives with houses", facts{"obligor_assets": 1_200_000_001}, "yn", "", nil},
		{"eight people", facts{"household_size": 8, "recognised_income": 0}, "yy", "", 3_351_790},
		{"2025 at the limit", facts{"recognised_income": 765_444}, "yy", "2025-06-01", 0},
		{"2025 a won above", facts{"recognised_income": 765_445}, "ny", "2025-06-01", nil},
	}},
	{"welfare/medical-benefit", facts{"household_size": 4, "recognised_income": 2_597_895}, []person{
		{"entitled, at the limit", nil, "y", "", nil},
		{"a won above", facts{"recognised_income": 2_597_896}, "n", "", nil},
		{"2025 at the limit", facts{"recognised_income": 2_439_109}, "y", "2025-06-01", nil},
		{"2025 a won above", facts{"recognised_income": 2_439_110}, "n", "2025-06-01", nil},
	}},
	{"welfare/education-benefit", facts{"household_size": 4, "recognised_income": 3_247_369, "school_level": "primary"}, []person{
		{"entitled, at the limit", nil, "yy", "", nil},
		{"high school", facts{"school_level": "high"}, "yy", "", nil},
		{"a won above", facts{"recognised_income": 3_247_370}, "ny", "", nil},
		{"no school", facts{"school_level": "none"}, "yn", "", nil},
	}},
	{"welfare/seoul-basic-security", facts{"in_seoul_since": "2019-03-02", "household_size": 1, "recognised_income": 1_230_834, "general_assets": 155_000_000, "livelihood_recipient": false}, []person{
		{"entitled, at every limit", nil, "yyyy", "", nil},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyyy", "", nil},
		{"a won above", facts{"recognised_income": 1_230_835}, "ynyy", "", nil},
		{"assets a won above", facts{"general_assets": 155_000_001}, "yyny", "", nil},
		{"livelihood benefit", facts{"livelihood_recipient": true}, "yyyn", "", nil},
	}},
	{"welfare/stepping-stone-income", facts{"in_seoul_since": "2019-03-02", "household_size": 1, "household_income": 1_000_000, "general_assets": 326_000_000, "pilot_household": true}, []person{
		{"entitled", nil, "yyyy", "", 589_800},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyyy", "", nil},
		{"at the limit", facts{"household_income": 2_179_602}, "yyyy", "", nil},
		{"a won above", facts{"household_income": 2_179_603}, "ynyy", "", nil},
		{"assets a won above", facts{"general_assets": 326_000_001}, "yyny", "", nil},
		{"not drawn", facts{"pilot_household": false}, "yyyn", "", nil},
		{"after the pilot", nil, "yyyn", "2027-01-01", nil},
	}},
	{"crisis-support/crisis-support", facts{"crisis_cause": "job-lost", "household_size": 1, "household_income": 1_923_179, "general_assets": 241_000_000, "savings": 6_000_000, "livelihood_recipient": false}, []person{
		{"entitled, at every limit", nil, "yyyyy", "", 730_500},
		{"four people", facts{"household_size": 4}, "yyyyy", "", 1_872_700},
		{"eight people", facts{"household_size": 8}, "yyyyy", "", 3_064_800},
		{"no cause", facts{"crisis_cause": "none"}, "nyyyy", "", nil},
		{"a won above", facts{"household_income": 1_923_180}, "ynyyy", "", nil},
		{"assets a won above", facts{"general_assets": 241_000_001}, "yynyy", "", nil},
		{"savings and living costs", facts{"savings": 6_500_000, "living_cost": 500_000}, "yyyyy", "", nil},
		{"savings a won above", facts{"savings": 6_500_001, "living_cost": 500_000}, "yyyny", "", nil},
		{"savings above, living costs not known", facts{"savings": 6_500_001}, "yyyuy", "", nil},
		{"livelihood benefit", facts{"livelihood_recipient": true}, "yyyyn", "", nil},
	}},
	{"crisis-support/care-sos", facts{"birth_date": "1976-11-28", "in_seoul_since": "2019-03-02", "disability_registered": false, "acute_need": false}, []person{
		{"entitled, 50 today", nil, "yy", "", nil},
		{"49 until tomorrow", facts{"birth_date": "1976-11-29"}, "yn", "", nil},
		{"young and disabled", facts{"birth_date": "2000-01-01", "disability_registered": true}, "yy", "", nil},
		{"young, needs care", facts{"birth_date": "2000-01-01", "acute_need": true}, "yy", "", nil},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "ny", "", nil},
	}},
	{"one-person-households/one-person-escort", facts{"in_seoul_since": "2026-11-28"}, []person{
		{"entitled, since today", nil, "y", "", nil},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "n", "", nil},
	}},
	{"senior-support/basic-pension", facts{"birth_date": "1961-11-28", "nationality": "KR", "recognised_income": 2_470_000, "has_spouse": false, "occupational_pension": false}, []person{
		{"entitled, 65 today and at the limit", nil, "yyyy", "", 349_700},
		{"65 tomorrow", facts{"birth_date": "1961-11-29"}, "nyyy", "", nil},
		{"a foreigner", facts{"nationality": "US"}, "ynyy", "", nil},
		{"a won above", facts{"recognised_income": 2_470_001}, "yyny", "", nil},
		{"couple at the limit", facts{"has_spouse": true, "spouse_basic_pension": true, "recognised_income": 3_952_000}, "yyyy", "", 279_760},
		{"couple, only one", facts{"has_spouse": true, "spouse_basic_pension": false, "recognised_income": 3_952_000}, "yyyy", "", 349_700},
		{"couple a won above", facts{"has_spouse": true, "spouse_basic_pension": false, "recognised_income": 3_952_001}, "yyny", "", nil},
		{"a teacher’s pension", facts{"occupational_pension": true}, "yyyn", "", nil},
		{"2025 at the limit", facts{"birth_date": "1960-01-01", "recognised_income": 2_280_000}, "yyyy", "2025-12-31", 342_510},
		{"2025 a won above", facts{"birth_date": "1960-01-01", "recognised_income": 2_280_001}, "yyny", "2025-12-31", nil},
		{"2026 the same income", facts{"birth_date": "1960-01-01", "recognised_income": 2_280_001}, "yyyy", "2026-01-01", 349_700},
	}},
	{"disability-register/disability-pension", facts{"birth_date": "2008-11-28", "disability_registered": true, "disability_degree": "severe", "recognised_income": 1_400_000, "has_spouse": false}, []person{
		{"entitled, 18 today and at the limit", nil, "yyy", "", 349_700},
		{"65", facts{"birth_date": "1961-11-28"}, "yyy", "", 0},
		{"18 tomorrow", facts{"birth_date": "2008-11-29"}, "nyy", "", nil},
		{"not severe", facts{"disability_degree": "mild"}, "yny", "", nil},
		{"not registered", facts{"disability_registered": false}, "yny", "", nil},
		{"a won above", facts{"recognised_income": 1_400_001}, "yyn", "", nil},
		{"couple at the limit", facts{"has_spouse": true, "recognised_income": 2_240_000}, "yyy", "", nil},
		{"couple a won above", facts{"has_spouse": true, "recognised_income": 2_240_001}, "yyn", "", nil},
		{"2025 at the limit", facts{"birth_date": "2000-01-01", "recognised_income": 1_380_000}, "yyy", "2025-12-31", 342_510},
		{"2025 a won above", facts{"birth_date": "2000-01-01", "recognised_income": 1_380_001}, "yyn", "2025-12-31", nil},
		{"2025 a couple", facts{"birth_date": "2000-01-01", "has_spouse": true}, "yye", "2025-12-31", nil},
	}},
	{"disability-register/disability-allowance", facts{"birth_date": "2008-11-28", "disability_registered": true, "disability_degree": "mild", "basic_recipient": false, "near_poor": true}, []person{
		{"entitled, 18 today", nil, "yyy", "", 60_000},
		{"recipient", facts{"basic_recipient": true, "near_poor": false}, "yyy", "", nil},
		{"18 tomorrow", facts{"birth_date": "2008-11-29"}, "nyy", "", nil},
		{"severe", facts{"disability_degree": "severe"}, "yny", "", nil},
		{"not registered", facts{"disability_registered": false}, "yny", "", nil},
		{"neither", facts{"near_poor": false}, "yyn", "", nil},
	}},
	{"disability-register/activity-support", facts{"birth_date": "2020-11-28", "disability_registered": true, "activity_score": 42}, []person{
		{"entitled, 6 today", nil, "yyy", "", nil},
		{"6 tomorrow", facts{"birth_date": "2020-11-29"}, "nyy", "", nil},
		{"64 until tomorrow", facts{"birth_date": "1961-11-29"}, "yyy", "", nil},
		{"65 today", facts{"birth_date": "1961-11-28"}, "nyy", "", nil},
		{"not registered", facts{"disability_registered": false}, "yny", "", nil},
		{"41 points", facts{"activity_score": 41}, "yyn", "", nil},
	}},
	{"disability-register/disability-registration", facts{"lasting_impairment": true, "disability_registered": false}, []person{
		{"entitled", nil, "yy", "", nil},
		{"no lasting impairment", facts{"lasting_impairment": false}, "ny", "", nil},
		{"registered already", facts{"disability_registered": true}, "yn", "", nil},
	}},
	{"culture-benefits/culture-card", facts{"birth_date": "1990-01-01", "basic_recipient": false, "near_poor": true}, []person{
		{"entitled", nil, "yy", "", 150_000},
		{"6 today", facts{"birth_date": "2020-11-28"}, "yy", "", 150_000},
		{"6 tomorrow", facts{"birth_date": "2020-11-29"}, "ny", "", nil},
		{"13 today", facts{"birth_date": "2013-11-28"}, "yy", "", 160_000},
		{"13 tomorrow", facts{"birth_date": "2013-11-29"}, "yy", "", 150_000},
		{"18 until tomorrow", facts{"birth_date": "2007-11-29"}, "yy", "", 160_000},
		{"19 today", facts{"birth_date": "2007-11-28"}, "yy", "", 150_000},
		{"60 today", facts{"birth_date": "1966-11-28"}, "yy", "", 160_000},
		{"65 today", facts{"birth_date": "1961-11-28"}, "yy", "", 150_000},
		{"neither", facts{"near_poor": false}, "yn", "", nil},
		{"recipient", facts{"basic_recipient": true, "near_poor": false}, "yy", "", nil},
		{"2025", nil, "yy", "2025-12-01", 140_000},
		{"2025: 15", facts{"birth_date": "2010-01-01"}, "yy", "2025-12-01", 140_000},
		{"the last day of 2025’s card", nil, "yy", "2026-02-01", 140_000},
	}},
	{"culture-benefits/youth-culture-pass", facts{"birth_date": "2003-03-02", "in_seoul_since": "2026-11-28", "household_size": 1, "household_income": 3_846_357}, []person{
		{"entitled, income at the limit", nil, "yyy", "", 200_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyy", "", nil},
		{"21 today", facts{"birth_date": "2005-11-28"}, "yyy", "", nil},
		{"21 tomorrow", facts{"birth_date": "2005-11-29"}, "yny", "", nil},
		{"24, never served", facts{"birth_date": "2002-11-28", "military_extension": 0}, "yny", "", nil},
		{"24, served", facts{"birth_date": "2002-11-28", "military_extension": 2}, "yyy", "", nil},
		{"27", facts{"birth_date": "1999-11-28", "military_extension": 3}, "yny", "", nil},
		{"a won above", facts{"household_income": 3_846_358}, "yyn", "", nil},
		{"2025: 20 today", facts{"birth_date": "2005-06-01", "in_seoul_since": "2020-01-01", "household_income": 1}, "yyy", "2025-06-01", 200_000},
		{"2026: 20", facts{"birth_date": "2006-01-02", "in_seoul_since": "2020-01-01", "household_income": 1}, "yny", "2026-01-01", nil},
	}},
	{"learning-benefits/seoul-learn", facts{"birth_date": "2010-03-02", "in_seoul_since": "2026-11-28", "basic_recipient": false, "near_poor": false, "single_parent": false, "learning_priority": "none", "household_size": 3, "recognised_income": 3_215_422}, []person{
		{"entitled, at the limit", nil, "yyy", "", nil},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "nyy", "", nil},
		{"6 tomorrow", facts{"birth_date": "2020-11-29"}, "yny", "", nil},
		{"24 until tomorrow", facts{"birth_date": "2001-11-29"}, "yyy", "", nil},
		{"25 today", facts{"birth_date": "2001-11-28"}, "yny", "", nil},
		{"a won above", facts{"recognised_income": 3_215_423}, "yyn", "", nil},
		{"above, multicultural", facts{"recognised_income": 9_000_000, "learning_priority": "multicultural"}, "yyy", "", nil},
		{"above, single parent", facts{"recognised_income": 9_000_000, "single_parent": true}, "yyy", "", nil},
	}},
	{"learning-benefits/lifelong-voucher", facts{"birth_date": "2007-11-28", "disability_registered": false, "wants_digital": false, "household_size": 1, "recognised_income": 1_666_755}, []person{
		{"entitled, 19 today and at the limit", nil, "yy", "", 350_000},
		{"19 tomorrow", facts{"birth_date": "2007-11-29"}, "ny", "", nil},
		{"a won above", facts{"recognised_income": 1_666_756}, "yn", "", nil},
		{"disabled", facts{"recognised_income": 9_000_000, "disability_registered": true}, "yy", "", nil},
		{"30, digital", facts{"birth_date": "1996-11-28", "recognised_income": 9_000_000, "wants_digital": true}, "yy", "", nil},
		{"29, digital", facts{"birth_date": "1996-11-29", "recognised_income": 9_000_000, "wants_digital": true}, "yn", "", nil},
		{"65 today", facts{"birth_date": "1961-11-28", "recognised_income": 9_000_000}, "yy", "", nil},
		{"64 until tomorrow", facts{"birth_date": "1961-11-29", "recognised_income": 9_000_000}, "yn", "", nil},
	}},
	{"mobility/climate-card-youth", facts{"birth_date": "2007-11-28"}, []person{
		{"entitled, 19 today", nil, "y", "", 7000},
		{"19 tomorrow", facts{"birth_date": "2007-11-29"}, "n", "", nil},
		{"39 until tomorrow", facts{"birth_date": "1986-11-29"}, "y", "", nil},
		{"40, never served", facts{"birth_date": "1986-11-28", "military_extension": 0}, "n", "", nil},
		{"41, served under two years", facts{"birth_date": "1985-11-28", "military_extension": 2}, "y", "", nil},
		{"42, served under two years", facts{"birth_date": "1984-11-28", "military_extension": 2}, "n", "", nil},
	}},
	{"mobility/senior-transit", facts{"birth_date": "1961-11-28", "in_seoul_since": "2026-11-28"}, []person{
		{"entitled, 65 today", nil, "yy", "", nil},
		{"65 tomorrow", facts{"birth_date": "1961-11-29"}, "yn", "", nil},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "ny", "", nil},
	}},
	{"mobility/bike-pass", facts{"birth_date": "2013-11-28"}, []person{
		{"entitled, 13 today", nil, "y", "", nil},
		{"13 tomorrow", facts{"birth_date": "2013-11-29"}, "n", "", nil},
	}},
	{"mobility/resident-parking", facts{"in_seoul_since": "2026-11-28", "parking_in_own_district": true, "vehicle_registered_here": true}, []person{
		{"entitled", nil, "yy", "", nil},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "ny", "", nil},
		{"another district", facts{"parking_in_own_district": false}, "ny", "", nil},
		{"no car", facts{"vehicle_registered_here": false}, "yn", "", nil},
	}},
	{"energy-and-environment/energy-voucher", facts{"birth_date": "1961-11-28", "household_size": 1, "basic_recipient": true, "members": born(), "frail": false, "single_parent": false}, []person{
		{"entitled, 65 today", nil, "yy", "", 295_200},
		{"three people", facts{"household_size": 3}, "yy", "", 532_700},
		{"six people", facts{"household_size": 6}, "yy", "", 701_300},
		{"no recipient", facts{"basic_recipient": false}, "ny", "", nil},
		{"64 until tomorrow", facts{"birth_date": "1961-11-29"}, "yn", "", nil},
		{"7 until tomorrow", facts{"birth_date": "2018-11-29"}, "yy", "", nil},
		{"8 today", facts{"birth_date": "2018-11-28"}, "yn", "", nil},
		{"ill oneself", facts{"birth_date": "1990-01-01", "frail": true}, "yy", "", nil},
		{"one parent", facts{"birth_date": "1990-01-01", "single_parent": true}, "yy", "", nil},
		{"a member is 65 today", facts{"birth_date": "1990-01-01", "members": member("1961-11-28", false)}, "yy", "", nil},
		{"a member is 64 until tomorrow", facts{"birth_date": "1990-01-01", "members": member("1961-11-29", false)}, "yn", "", nil},
		{"a disabled member", facts{"birth_date": "1990-01-01", "members": member("1990-01-01", true)}, "yy", "", nil},
	}},
	{"energy-and-environment/ev-subsidy", facts{"in_seoul_since": "2026-10-29", "ev_subsidy_lately": false}, []person{
		{"entitled, 30 days today", nil, "yy", "", nil},
		{"29 days", facts{"in_seoul_since": "2026-10-30"}, "ny", "", nil},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "ny", "", nil},
		{"had one", facts{"ev_subsidy_lately": true}, "yn", "", nil},
	}},
	{"health-care/sick-leave", facts{"in_seoul_since": "2026-10-04", "household_size": 1, "household_income": 2_564_238, "health_insurance": "regional", "general_assets": 400_000_000, "admitted_on": "2026-11-03", "discharged_on": "2026-11-10", "hospital_days": 7, "work_days": 24, "business_days": 0, "livelihood_recipient": false, "work_benefit": false}, []person{
		{"entitled, at every limit", nil, "yyyyyyy", "", 678_720},
		{"20 days", facts{"hospital_days": 20}, "yyyyyyy", "", 1_357_440},
		{"29 days in Seoul", facts{"in_seoul_since": "2026-10-05"}, "nyyyyyy", "", nil},
		{"180 days ago", facts{"in_seoul_since": "2020-01-01", "admitted_on": "2026-05-20", "discharged_on": "2026-06-01"}, "yyyyyyy", "", nil},
		{"181 days ago", facts{"in_seoul_since": "2020-01-01", "admitted_on": "2026-05-20", "discharged_on": "2026-05-31"}, "ynyyyyy", "", nil},
		{"an employee", facts{"health_insurance": "employee"}, "yynyyyy", "", nil},
		{"23 days of work", facts{"work_days": 23}, "yyynyyy", "", nil},
		{"45 days in business", facts{"work_days": 0, "business_days": 45}, "yyyyyyy", "", nil},
		{"44 days in business", facts{"work_days": 0, "business_days": 44}, "yyynyyy", "", nil},
		{"a won above", facts{"household_income": 2_564_239}, "yyyynyy", "", nil},
		{"assets a won above", facts{"general_assets": 400_000_001}, "yyyyyny", "", nil},
		{"livelihood benefit", facts{"livelihood_recipient": true}, "yyyyyyn", "", nil},
		{"unemployment benefit", facts{"work_benefit": true}, "yyyyyyn", "", nil},
	}},
	{"health-care/infertility", facts{"in_seoul_since": "2026-11-28", "infertility_diagnosed": true, "treatment": "fresh"}, []person{
		{"entitled, fresh", nil, "yy", "", 1_100_000},
		{"frozen", facts{"treatment": "frozen"}, "yy", "", 500_000},
		{"insemination", facts{"treatment": "insemination"}, "yy", "", 300_000},
		{"moves in tomorrow", facts{"in_seoul_since": "2026-11-29"}, "ny", "", nil},
		{"not diagnosed", facts{"infertility_diagnosed": false}, "yn", "", nil},
	}},
	{"resident-services/move-in", facts{"moved_on": "2026-11-28"}, []person{
		{"entitled, moved today", nil, "y", "", nil},
		{"moves tomorrow", facts{"moved_on": "2026-11-29"}, "n", "", nil},
		{"late", facts{"moved_on": "2026-11-01"}, "y", "", nil},
	}},
	{"resident-services/birth-registration", facts{"child_birth_date": "2026-11-28"}, []person{
		{"entitled, born today", nil, "y", "", nil},
		{"not yet born", facts{"child_birth_date": "2026-11-29"}, "n", "", nil},
	}},
	{"resident-services/resident-copy", facts{"own_register": true}, []person{
		{"entitled", nil, "y", "", nil},
		{"somebody else’s", facts{"own_register": false}, "n", "", nil},
	}},
	{"eunpyeong-youth/eunpyeong-youth-rent", facts{"birth_date": "1996-03-02", "district": "11380", "household_size": 1, "household_income": 3_846_357, "deposit": 80_000_000, "monthly_rent": 600_000, "general_assets": 100_000_000}, []person{
		{"entitled, at every limit", nil, "yyyyyyy", "", 100_000},
		{"another district", facts{"district": "11110"}, "nyyyyyy", "", nil},
		{"40 today", facts{"birth_date": "1986-11-28"}, "ynyyyyy", "", nil},
		{"two", facts{"household_size": 2}, "yynyyyy", "", nil},
		{"a won above", facts{"household_income": 3_846_358}, "yyynyyy", "", nil},
		{"a dear deposit", facts{"deposit": 80_000_001}, "yyyynyy", "", nil},
		{"a dear rent", facts{"monthly_rent": 600_001}, "yyyynyy", "", nil},
		{"no rent", facts{"monthly_rent": 0}, "yyyyyny", "", nil},
		{"assets a won above", facts{"general_assets": 100_000_001}, "yyyyyyn", "", nil},
	}},
	{"gwangjin-youth/gwangjin-youth-rent", facts{"birth_date": "1996-03-02", "district": "11215", "household_size": 1, "household_income": 3_846_357, "deposit": 80_000_000, "monthly_rent": 600_000, "general_assets": 130_000_000}, []person{
		{"entitled, at every limit", nil, "yyyyyy", "", 200_000},
		{"two people", facts{"household_size": 2}, "yyyyyy", "", nil},
		{"another district", facts{"district": "11380"}, "nyyyyy", "", nil},
		{"18", facts{"birth_date": "2007-11-29"}, "ynyyyy", "", nil},
		{"a won above", facts{"household_income": 3_846_358}, "yynyyy", "", nil},
		{"a dear rent", facts{"monthly_rent": 600_001}, "yyynyy", "", nil},
		{"no rent", facts{"monthly_rent": 0}, "yyyyny", "", nil},
		{"assets a won above", facts{"general_assets": 130_000_001}, "yyyyyn", "", nil},
	}},
	{"gwangjin-youth/gwangjin-culture-voucher", facts{"birth_date": "2002-11-28", "district": "11215", "in_district_since": "2025-11-28", "household_size": 1, "household_income": 3_077_086}, []person{
		{"entitled, 24 today, a year today", nil, "yyy", "", 100_000},
		{"a day too short", facts{"in_district_since": "2025-11-29"}, "nyy", "", nil},
		{"another district", facts{"district": "11110"}, "nyy", "", nil},
		{"24 tomorrow", facts{"birth_date": "2002-11-29"}, "yny", "", nil},
		{"30 today", facts{"birth_date": "1996-11-28"}, "yny", "", nil},
		{"29 until tomorrow", facts{"birth_date": "1996-11-29"}, "yyy", "", nil},
		{"a won above", facts{"household_income": 3_077_087}, "yyn", "", nil},
	}},
	{"gwangjin-youth/gwangjin-moving-help", facts{"district": "11215", "household_size": 1, "household_income": 3_846_357, "moving_cost": 250_000}, []person{
		{"entitled, at the limit", nil, "yyy", "", 250_000},
		{"a dear move", facts{"moving_cost": 800_000}, "yyy", "", 300_000},
		{"another district", facts{"district": "11110"}, "nyy", "", nil},
		{"two", facts{"household_size": 2}, "yny", "", nil},
		{"a won above", facts{"household_income": 3_846_358}, "yyn", "", nil},
	}},
	{"gangnam-birth/gangnam-birth-grant", facts{"district": "11680", "birth_order": 1, "birth_reported": true, "birth_report": "2026-0001", "in_district_since": "2025-11-28"}, []person{
		{"entitled, a year today", nil, "yy", "", 2_000_000},
		{"third", facts{"birth_order": 3}, "yy", "", 3_000_000},
		{"fifth", facts{"birth_order": 5}, "yy", "", 5_000_000},
		{"a day too short", facts{"in_district_since": "2025-11-29"}, "ny", "", nil},
		{"another district", facts{"district": "11650"}, "ny", "", nil},
		{"not reported", facts{"birth_reported": false}, "yn", "", nil},
	}},
	{"seocho-birth/seocho-birth-grant", facts{"district": "11650", "birth_order": 1, "birth_reported": true, "birth_report": "2026-0001", "in_district_since": "2024-11-28", "child_birth_date": "2025-11-28"}, []person{
		{"entitled, a year before", nil, "yyy", "", 300_000},
		{"second", facts{"birth_order": 2}, "yyy", "", 500_000},
		{"fourth", facts{"birth_order": 4}, "yyy", "", 1_000_000},
		{"a day too short", facts{"in_district_since": "2024-11-29"}, "nyy", "", nil},
		{"another district", facts{"district": "11680"}, "nyy", "", nil},
		{"a day too late", facts{"in_district_since": "2020-01-01", "child_birth_date": "2025-11-27"}, "yny", "", nil},
		{"not reported", facts{"birth_reported": false}, "yyn", "", nil},
	}},
	{"dongdaemun-birth/dongdaemun-birth-grant", facts{"district": "11230", "birth_order": 1, "birth_reported": true, "birth_report": "2026-0001", "in_district_since": "2026-08-01", "child_birth_date": "2026-08-01"}, []person{
		{"entitled, since the birth", nil, "yy", "", 300_000},
		{"second", facts{"birth_order": 2}, "yy", "", 600_000},
		{"third", facts{"birth_order": 3}, "yy", "", 1_000_000},
		{"fourth", facts{"birth_order": 4}, "yy", "", 2_000_000},
		{"sixth", facts{"birth_order": 6}, "yy", "", 3_000_000},
		{"moved after the birth", facts{"in_district_since": "2026-08-02"}, "ny", "", nil},
		{"another district", facts{"district": "11110"}, "ny", "", nil},
		{"not reported", facts{"birth_reported": false}, "yn", "", nil},
	}},
}
