package rule_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

const asOf = manifest.Day("2026-11-24")

// fields are those of the tests: of each type one that can be null and one that can't.
var fields = []rule.Field{
	{Name: "name", Type: manifest.String},
	{Name: "note", Type: manifest.String, Nullable: true},
	{Name: "income", Type: manifest.Int},
	{Name: "size", Type: manifest.Int, Nullable: true},
	{Name: "ratio", Type: manifest.Double},
	{Name: "area", Type: manifest.Double, Nullable: true},
	{Name: "active", Type: manifest.Bool},
	{Name: "retired", Type: manifest.Bool, Nullable: true},
	{Name: "birth_date", Type: manifest.Date},
	{Name: "moved", Type: manifest.Date, Nullable: true},
	{Name: "made", Type: manifest.Datetime},
	{Name: "seen", Type: manifest.Datetime, Nullable: true},
	{Name: "place", Type: manifest.Geometry, Nullable: true},
	{Name: "in", Type: manifest.Int},
	{Name: "type", Type: manifest.String},
	{Name: "children", Type: rule.List, Items: []rule.Field{
		{Name: "born", Type: manifest.Date}, {Name: "fee", Type: manifest.Int}, {Name: "weight", Type: manifest.Double, Nullable: true}, {Name: "school", Type: manifest.String, Nullable: true}, {Name: "at_home", Type: manifest.Bool},
	}},
}

// person is a record whose nullable fields are null.
func person(with map[string]any) map[string]any {
	r := map[string]any{
		"name": "홍길동", "note": nil, "income": int64(2_392_013), "size": nil, "ratio": 1.5, "area": nil, "active": true, "retired": nil,
		"birth_date": "2000-02-29", "moved": nil, "made": "2026-01-01T00:00:00.000Z", "seen": nil, "place": nil, "in": int64(1), "type": "x", "children": []map[string]any{},
	}
	for k, v := range with {
		r[k] = v
	}
	return r
}

// params are the city's parameters of the tests: numbers, and tables that go on beyond their last rows or don't.
var params = []*rule.Param{
	number("wage", "2025-01-01", 10_030, "2026-01-01", 10_320, "2027-01-01", 10_700),
	number("rate", "2023-01-01", 0.0417),
	number("late", "2027-01-01", 5),
	table("median-income", "last_step", rows{1: 2_564_238, 2: 4_199_292, 3: 5_359_036, 4: 6_494_738, 5: 7_556_719, 6: 8_555_952, 7: 9_515_150}),
	table("slope", "last_step", rows{-1: 0.5, 0: 0.1, 1: 0.7}),
	table("share", "last", rows{1: 0.5, 2: 1.25, 5: 2}),
	table("grade", "", rows{-1: 7, 0: 9}),
	rule.NewParam("kinds", &manifest.Parameter{By: "assets", Values: []manifest.ParameterValue{{From: "2020-01-01", Table: map[string]float64{"general": 0.0417, "home": 0.0104}}}}),
}

// calendar has two spans of years: 2023 isn't in it.
var calendar = rule.NewCalendar("city", &manifest.Calendar{Years: []int{2026, 2024, 2025, 2027, 1999, 2000}, Holidays: []manifest.Holiday{
	{Date: "2026-12-25"}, {Date: "2026-01-01"}, {Date: "2026-10-03"}, {Date: "2026-10-05"}, {Date: "2026-11-24"}, {Date: "2024-02-29"}, {Date: "2025-11-24"}, {Date: "2000-02-29"}, {Date: "2027-01-01"},
}})

// own are those of what the rules of the tests belong to.
var own = []*rule.Param{rule.NewNumber("wage", 7), rule.NewNumber("ratio", 1.5)}

// number is a parameter of days and what holds from them on.
func number(name string, dated ...any) *rule.Param {
	var spec manifest.Parameter
	for i := 0; i < len(dated); i += 2 {
		n, ok := dated[i+1].(float64)
		if !ok {
			n = float64(dated[i+1].(int))
		}
		spec.Values = append(spec.Values, manifest.ParameterValue{From: manifest.Day(dated[i].(string)), Value: &n})
	}
	return rule.NewParam(name, &spec)
}

type rows map[int]float64

// table is a parameter whose rows hold from 2026 on, and from 2027 on are twice as much.
func table(name, beyond string, of rows) *rule.Param {
	now, then := map[string]float64{}, map[string]float64{}
	for key, n := range of {
		now[fmt.Sprint(key)], then[fmt.Sprint(key)] = n, 2*n
	}
	return rule.NewParam(name, &manifest.Parameter{By: "size", Beyond: beyond, Values: []manifest.ParameterValue{{From: "2027-01-01", Table: then}, {From: "2026-01-01", Table: now}}})
}

// plain are the fields but the list: filters have none.
func plain() []rule.Field { return fields[:len(fields)-1] }

func env(t testing.TB, guarded bool) *rule.Env {
	t.Helper()
	of := fields
	if guarded {
		of = plain()
	}
	e, err := rule.NewEnv(of, rule.Options{Guarded: guarded, Params: params, Own: own, Calendar: calendar})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func compile(t testing.TB, e *rule.Env, text string) *rule.Rule {
	t.Helper()
	r, err := e.Compile(text)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return r
}

// family has three children.
var family = map[string]any{"children": []map[string]any{
	{"born": "2025-11-25", "fee": int64(7), "weight": 3.5, "school": nil, "at_home": true},
	{"born": "2015-02-28", "fee": int64(120), "weight": 31.5, "school": "가", "at_home": true},
	{"born": "2004-02-29", "fee": int64(5), "weight": nil, "school": "나", "at_home": false},
}}

func TestEval(t *testing.T) {
	cases := []struct {
		clause, text string
		with         map[string]any
		want         bool
	}{
		{"names: f and record.f are the same", `record.income == income`, nil, true},
		{"names: a word of CEL", "record.`in` == 1 && type == 'x' && record.type == type", nil, true},
		{"numbers: the int becomes a double", `income > 2392012.5 && income * ratio == 3588019.5`, nil, true},
		{"numbers: a list of both kinds", `income in [1, 2392013.0]`, nil, true},
		{"numbers: won rounds half up", `won(1.5 * 2392013) == 3588020 && won(-2.5) == -2 && won(2.4) == 2`, nil, true},
		{"numbers: won divides ints", `won(income / 2) == 1196007 && won((income + 1) / 2 * 3) == 3588021`, nil, true},
		{"numbers: won to tens", `won(income, 10) == 2392010 && won(2392015, 10) == 2392020 && won_floor(2392019, 10) == 2392010`, nil, true},
		{"numbers: int cuts off", `int(-2.9) == -2 && int(ratio) == 1`, nil, true},
		{"numbers: remainder has the sign of the dividend", `-7 % 3 == -1 && income % -1 == 0`, nil, true},
		{"null: guard", `size != null && size > 3`, nil, false},
		{"null: guard, there", `size != null && size > 3`, map[string]any{"size": int64(4)}, true},
		{"null: or", `size == null || size > 3`, nil, true},
		{"null: choice", `(size != null ? size : 1) == 1`, nil, true},
		{"null: not of a test", `!(size == null) && size > 3`, nil, false},
		{"null: orValue", `size.orValue(4) > 3 && area.orValue(1) == 1.0`, nil, true},
		{"null: orValue of a bool and a date", `retired.orValue(true) && moved.orValue(today()) == today()`, nil, true},
		{"null: two guarded", `size != null && area != null && area > size`, map[string]any{"size": int64(1), "area": 1.5}, true},
		{"null: a field that can't be", `income != null`, nil, true},
		{"null: a geometry", `place == null`, nil, true},
		{"dates: the day before a birthday", `age(birth_date) == 17`, map[string]any{"birth_date": "2008-11-25"}, true},
		{"dates: the birthday", `age(birth_date) == 18`, map[string]any{"birth_date": "2008-11-24"}, true},
		{"dates: working days begin after the first", `working_days(date("2026-12-24"), date("2026-12-28")) == 1 && working_days(today(), today()) == 0`, nil, true},
		{"dates: backwards they are negative", `working_days(date("2026-12-28"), date("2026-12-24")) == -1`, nil, true},
		{"dates: a holiday on a Saturday counts once", `working_days(date("2026-10-01"), date("2026-10-06")) == 2`, nil, true},
		{"dates: the year, as notices say it", `year(birth_date) >= 1986 && year(birth_date) <= 2007`, nil, true},
		{"dates: days between, the first not counted", `days_between(birth_date, date("2000-03-01")) == 1 && days_between(today(), birth_date) < 0`, nil, true},
		{"lists: nobody is there", `!children.exists(c, true) && children.all(c, false) && size(children) == 0 && children.map(c, c.fee).sum() == 0`, nil, true},
		{"lists: one, all, how many", `children.exists(c, age(c.born) < 2) && !children.all(c, age(c.born) < 2) && children.filter(c, c.at_home).size() == 2`, family, true},
		{"lists: outer facts and parameters within", `children.exists(c, c.fee * size.orValue(2) > params.wage && months_between(c.born, today()) < 24)`, family, true},
		{"lists: sums of what is chosen", `children.filter(c, c.at_home).map(c, min(c.fee, 100)).sum() == 107`, family, true},
		{"lists: a condition guards what follows it", `children.filter(c, c.weight != null).map(c, c.weight).max() == 31.5`, family, true},
		{"lists: the youngest", `children.size() > 0 && children.map(c, c.born).max() == date("2025-11-25")`, family, true},
		{"lists: two conditions are one", `record.children.filter(c, c.at_home).filter(k, k.fee > 50).map(x, x.fee).min() == 120`, family, true},
		{"dates: not born yet", `age(birth_date) == -1`, map[string]any{"birth_date": "2026-11-25"}, true},
		{"dates: the last day of a shorter month counts", `months_between(date("2026-01-31"), date("2026-02-28")) == 1`, nil, true},
		{"dates: a day short of a month", `months_between(date("2026-01-30"), date("2026-03-29")) == 1`, nil, true},
		{"dates: backwards", `months_between(date("2026-03-15"), date("2026-03-14")) == -1`, nil, true},
		{"dates: within, the last day", `within(birth_date, 6, "month")`, map[string]any{"birth_date": "2026-05-24"}, true},
		{"dates: within, a day too long ago", `within(birth_date, 6, "month")`, map[string]any{"birth_date": "2026-05-23"}, false},
		{"dates: within, tomorrow", `within(birth_date, 6, "month")`, map[string]any{"birth_date": "2026-11-25"}, false},
		{"dates: within days", `within(birth_date, 0, "day")`, map[string]any{"birth_date": "2026-11-24"}, true},
		{"dates: order", `birth_date < date("2000-03-01") && date("2000-02-29") == birth_date`, nil, true},
		{"dates: datetime with a zone", `made == datetime("2026-01-01T09:00:00+09:00")`, nil, true},
		{"text: code points", `size("가a😀") == 3 && "ﬀ" < "😀" && "Z" < "a"`, nil, true},
		{"text: lower is ASCII", `"ÀB".lower() == "Àb" && lower("É") == "É"`, nil, true},
		{"text: parts", `name.startsWith("홍") && name.endsWith("동") && name.contains("길") && name.contains("")`, nil, true},
		{"text: matches", `name.matches("^홍..$")`, nil, true},
		{"text: conversion", `string(income) + "원" == "2392013원" && string(birth_date) == "2000-02-29"`, nil, true},
		{"logic: false && error is false", `!(1 / 0.0 > 1.0 && false)`, nil, true},
		{"logic: true || error is true", `1 / 0.0 > 1.0 || true`, nil, true},
	}
	for _, c := range cases {
		t.Run(c.clause, func(t *testing.T) {
			got, err := compile(t, env(t, false), c.text).Eval(person(c.with), asOf)
			if err != nil || got != c.want {
				t.Errorf("%s is %v, %v", c.text, got, err)
			}
		})
	}
}

func TestAgeOn29February(t *testing.T) {
	r := compile(t, env(t, false), `age(birth_date) == 26`)
	for day, want := range map[manifest.Day]bool{"2026-02-28": false, "2026-03-01": true, "2027-02-28": true, "2027-03-01": false, "2028-02-29": false} {
		if got, err := r.Eval(person(nil), day); err != nil || got != want {
			t.Errorf("on %s: %v, %v", day, got, err)
		}
	}
}

func TestRuleIsSafeForConcurrentUse(t *testing.T) {
	e := env(t, true)
	shared := compile(t, e, `size > 3 && age(birth_date) > 1`)
	var group sync.WaitGroup
	for n := range int64(8) {
		group.Go(func() {
			own := compile(t, e, fmt.Sprintf(`size > %d`, n))
			for size := range int64(50) {
				record := person(map[string]any{"size": size})
				a, errA := shared.Eval(record, asOf)
				b, errB := own.Eval(record, asOf)
				if errA != nil || errB != nil || a != (size > 3) || b != (size > n) {
					t.Errorf("size %d: %v %v, %v %v", size, a, errA, b, errB)
				}
			}
		})
	}
	group.Wait()
}

func TestGuardedNullsAreFalse(t *testing.T) {
	for text, want := range map[string]bool{
		`size > 3`: false, `!(size > 3)`: true, `size <= 3`: false, `size == size`: false, `size != 3`: false, `size == null`: true,
		`retired`: false, `!retired`: true, `note.contains("")`: false, `size in [1]`: false, `!(size in [1])`: true,
		`(size > 3) == (area > 1.0)`: true, `size > 3 || income > 0`: true, `age(moved) < 3`: false, `(active ? size : 1) == 1`: false,
		`(size == null ? 1 : size) == 1`: true, `size.orValue(1) == 1`: true,
	} {
		if got, err := compile(t, env(t, true), text).Eval(person(nil), asOf); err != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, err)
		}
	}
}

func TestEvalReportsErrors(t *testing.T) {
	cases := []struct {
		text string
		with map[string]any
		code string
	}{
		{`income + 1 > 0`, map[string]any{"income": int64(1<<63 - 1)}, "rule.arithmetic"},
		{`-income > 0`, map[string]any{"income": int64(-1 << 63)}, "rule.arithmetic"},
		{`income % 0 == 0`, nil, "rule.arithmetic"},
		{`ratio / 0 > 1.0`, nil, "rule.arithmetic"},
		{`ratio * ratio > 1.0`, map[string]any{"ratio": 1e200}, "rule.arithmetic"},
		{`int(ratio) > 1`, map[string]any{"ratio": 1e19}, "rule.arithmetic"},
		{`won(ratio) > 1`, map[string]any{"ratio": 1e16}, "rule.arithmetic"},
		{`income > 1`, map[string]any{"income": "many"}, "rule.value"},
		{`income > 1`, map[string]any{"income": nil}, "rule.value"},
		{`birth_date < today()`, map[string]any{"birth_date": "2026-02-30"}, "rule.value"},
	}
	for _, c := range cases {
		_, err := compile(t, env(t, false), c.text).Eval(person(c.with), asOf)
		if problem.Code(err) != c.code {
			t.Errorf("%s: %v, want %s", c.text, err, c.code)
		}
	}
	record := person(nil)
	delete(record, "income")
	if _, err := compile(t, env(t, false), `income > 1`).Eval(record, asOf); problem.Code(err) != "rule.missing" {
		t.Errorf("a missing value: %v", err)
	}
	if _, err := compile(t, env(t, false), `age(birth_date) > 1`).Eval(person(nil), "yesterday"); problem.Code(err) != "rule.as_of" {
		t.Errorf("a wrong as-of date: %v", err)
	}
}
