package service_test

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
)

const asOf = manifest.Day("2026-11-28")

// noTables follows the catalog in place of the registry: services need no tables.
type noTables struct{}

func (noTables) Plan(context.Context, *db.Tx, *catalog.Snapshot, *catalog.Snapshot, *identity.Principal, bool) ([]catalog.Step, []manifest.Finding, error) {
	return nil, nil, nil
}

func (noTables) Apply(context.Context, *db.Tx, *catalog.Snapshot, *catalog.Snapshot, *identity.Principal, bool) error {
	return nil
}

// open is the demo city's catalog.
func open(t testing.TB) *catalog.Catalog {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "maru.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	c, err := catalog.Open(t.Context(), d, time.Now, noTables{}, service.Follower{})
	if err != nil {
		t.Fatal(err)
	}
	p := plan(t, c, city.Manifests())
	if manifest.HasErrors(p.Findings) {
		t.Fatalf("%v", p.Findings)
	}
	if _, err := c.Apply(t.Context(), p.ID, identity.Itself("test"), "test"); err != nil {
		t.Fatal(err)
	}
	return c
}

func plan(t testing.TB, c *catalog.Catalog, files map[string]string) *catalog.Plan {
	t.Helper()
	p, err := c.Plan(t.Context(), catalog.Request{Files: files, Who: identity.Itself("governance-officer")})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestYouthRent looks at people just inside and just outside of each clause. A household of one: 150 % of the median of 2026 is 3,846,357 won.
func TestYouthRent(t *testing.T) {
	s := service.New(open(t).Snapshot).Service("youth-housing", "youth-rent")
	if s == nil {
		t.Fatal("there is no youth-rent")
	}
	fine := map[string]any{"birth_date": "1999-05-01", "household_size": int64(1), "household_income": int64(3_100_000), "monthly_rent": int64(450_000)}
	for _, c := range []struct {
		what    string
		with    map[string]any
		outcome service.Outcome
		clauses string
		amount  any
	}{
		{"entitled", nil, service.Yes, "yyyy", int64(200_000)},
		{"19 today", map[string]any{"birth_date": "2007-11-28"}, service.Yes, "yyyy", int64(200_000)},
		{"19 tomorrow", map[string]any{"birth_date": "2007-11-29"}, service.No, "nyyy", nil},
		{"the last day of 39", map[string]any{"birth_date": "1986-11-29"}, service.Yes, "yyyy", int64(200_000)},
		{"40 today", map[string]any{"birth_date": "1986-11-28"}, service.No, "nyyy", nil},
		{"two", map[string]any{"household_size": int64(2)}, service.No, "ynyy", nil},
		{"income at the limit", map[string]any{"household_income": int64(3_846_357)}, service.Yes, "yyyy", int64(200_000)},
		{"a won above", map[string]any{"household_income": int64(3_846_358)}, service.No, "yyny", nil},
		{"no rent", map[string]any{"monthly_rent": int64(0)}, service.No, "yyyn", nil},
		{"a low rent", map[string]any{"monthly_rent": int64(150_000)}, service.Yes, "yyyy", int64(150_000)},
		{"no such household", map[string]any{"household_size": int64(0)}, service.No, "yney", nil}, // the table has no row for none
	} {
		known := maps.Clone(fine)
		maps.Copy(known, c.with)
		v := s.Check(known, asOf)
		clauses := ""
		for _, one := range v.Clauses {
			clauses += string(one.Outcome[0])
		}
		if v.Outcome != c.outcome || clauses != c.clauses {
			t.Errorf("%s: %s %s", c.what, v.Outcome, clauses)
		}
		if c.amount != nil && (v.Benefit == nil || v.Benefit.Amount != c.amount || v.Benefit.Months != 12) {
			t.Errorf("%s: %+v", c.what, v.Benefit)
		}
	}
	v := s.Check(fine, asOf)
	if got := v.Clauses[2].Why; got.Ko != "가구 소득이 기준 중위소득의 150% 이하여야 합니다 (월 3,100,000원, 기준 3,846,357원)" || !strings.Contains(got.En, "KRW 3,100,000 a month; the limit is KRW 3,846,357") {
		t.Errorf("%+v", got)
	}
}

// A decision of another year is checked with that year's values: 150 % of 2025's median is 3,588,020 won (2,392,013 × 1.5, half up).
func TestTheYearsOwnMedianIsTaken(t *testing.T) {
	s := service.New(open(t).Snapshot).Service("youth-housing", "youth-rent")
	known := map[string]any{"birth_date": "1999-05-01", "household_size": int64(1), "household_income": int64(3_588_020), "monthly_rent": int64(1)}
	for income, want := range map[int64]service.Outcome{3_588_020: service.Yes, 3_588_021: service.No} {
		known["household_income"] = income
		if v := s.Check(known, "2025-06-01"); v.Outcome != want {
			t.Errorf("%d: %+v", income, v)
		}
	}
}

func TestOnlyWhatCanStillChangeTheOutcomeIsMissing(t *testing.T) {
	s := service.New(open(t).Snapshot).Service("youth-housing", "youth-rent")
	for _, c := range []struct {
		known   map[string]any
		outcome service.Outcome
		missing []string
	}{
		{nil, service.Unknown, []string{"household_size", "birth_date", "monthly_rent", "household_income"}},
		{map[string]any{"household_size": int64(1)}, service.Unknown, []string{"birth_date", "household_income", "monthly_rent"}},
		{map[string]any{"birth_date": "1950-01-01"}, service.No, nil},
		{map[string]any{"birth_date": "1999-05-01", "household_size": int64(1), "household_income": int64(1)}, service.Unknown, []string{"monthly_rent"}},
	} {
		v := s.Check(c.known, asOf)
		if v.Outcome != c.outcome || !slices.Equal(v.Missing, c.missing) {
			t.Errorf("%v: %s %v", c.known, v.Outcome, v.Missing)
		}
	}
	if v := s.Check(map[string]any{"household_size": int64(1)}, asOf); v.Clauses[2].Why.Ko != "가구 소득이 기준 중위소득의 150% 이하여야 합니다" || v.Clauses[1].Why.En != "Living alone (household of 1)" {
		t.Errorf("%+v", v.Clauses)
	}
}

func TestFactsThatCantBeReadAreAllTold(t *testing.T) {
	s := service.New(open(t).Snapshot).Service("youth-housing", "youth-rent")
	var given registry.Values
	if err := json.Unmarshal([]byte(`{"birth_date": "2026-02-30", "household_size": 99, "monthly_rent": "많이", "household_incom": 1}`), &given); err != nil {
		t.Fatal(err)
	}
	_, err := s.Known(given)
	p := problem.As(err)
	if p == nil || p.Code != "service.facts" {
		t.Fatal(err)
	}
	var at []string
	for _, d := range p.At {
		at = append(at, d.Where+" "+d.Code)
	}
	if !slices.Equal(at, []string{"birth_date record.type", "household_incom service.unknown_fact", "household_size record.max", "monthly_rent record.type"}) {
		t.Errorf("%v", at)
	}
}

// TestWhatIsWrongWithAServiceIsSaidAtPlanTime changes the service in one place each, and looks which finding says so, and where.
func TestWhatIsWrongWithAServiceIsSaidAtPlanTime(t *testing.T) {
	c := open(t)
	for _, x := range []struct{ from, to, code, line string }{
		{"age(birth_date) >= 19 &&", "age(birth_day) >= 19 &&", "rule.unknown_field", "when: age(birth_day)"},
		{"when: household_size == 1", `when: household_size == "1"`, "rule.type", `when: household_size == "1"`},
		{"params.income_ratio * median_income(household_size))\n", "params.ratio * median_income(household_size))\n", "rule.unknown_parameter", "when: household_income"},
		{"median_income(household_size))\n", "median_incom(household_size))\n", "rule.unknown_function", "when: household_income"},
		{"field: monthly_income", "field: monthly_incom", "service.field", "household_income:"},
		{"{from: residents}\n  household_size", "{from: resident}\n  household_size", "catalog.reference", "birth_date:"},
		{"{age(birth_date)}세)", "{age(birth_date}세)", "rule.syntax", "why: {ko: \"만"},
		{"(만 {age(birth_date)}세)", "(만 {age(birth_date)세)", "service.reason", "why: {ko: \"만"},
		{`amount: "min(monthly_rent, params.cap)"`, `amount: "monthly_rent * 0.5"`, "service.amount", "benefit:"},
		{"term: monthly-rent", "type: text", "manifest.value", "monthly_rent:"},
		{"leaving-home, job-seeking", "leaving-home, job-seekin", "catalog.reference", "life_events:"},
		{"due: 14 working days", "due: 14 days", "service.due", "process:"},
		{"{from: residents}\n  household_income", "{from: residents, field: address}\n  household_income", "rule.type", "when: household_size"},
	} {
		files := city.Manifests()
		const file = "youth-housing/services.yaml"
		text := strings.Replace(files[file], x.from, x.to, 1)
		if text == files[file] {
			t.Fatalf("%q isn't there", x.from)
		}
		files[file] = text
		found := false
		for _, f := range plan(t, c, files).Findings {
			line := strings.Split(text, "\n")[max(f.Pos.Line, 1)-1]
			if f.Code == x.code && f.Pos.File == file && strings.Contains(line, x.line) {
				found = true
			}
		}
		if !found {
			t.Errorf("%s: no %s at %q in %+v", x.to, x.code, x.line, plan(t, c, files).Findings)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	s := service.New(open(b).Snapshot).Service("youth-housing", "youth-rent")
	known := map[string]any{"birth_date": "1999-05-01", "household_size": int64(1), "household_income": int64(3_100_000), "monthly_rent": int64(450_000)}
	for b.Loop() {
		if v := s.Check(known, asOf); v.Outcome != service.Yes {
			b.Fatal(v)
		}
	}
}

// BenchmarkOutcome is one service for one person of whom all is known.
func BenchmarkOutcome(b *testing.B) {
	s := service.New(open(b).Snapshot).Service("youth-housing", "youth-rent")
	known := map[string]any{"birth_date": "1999-05-01", "household_size": int64(1), "household_income": int64(3_100_000), "monthly_rent": int64(450_000)}
	b.ReportAllocs()
	for b.Loop() {
		if got := s.Outcome(known, asOf); got != service.Yes {
			b.Fatal(got)
		}
	}
}

// The short answer is the long one's, whatever is known.
func TestOutcomeIsThatOfCheck(t *testing.T) {
	s := service.New(open(t).Snapshot).Service("youth-housing", "youth-rent")
	rapid.Check(t, func(t *rapid.T) {
		known := map[string]any{}
		for name, values := range map[string][]any{
			"birth_date": {"1999-05-01", "1950-01-01", "2020-02-29"}, "household_size": {int64(0), int64(1), int64(2)},
			"household_income": {int64(0), int64(3_846_357), int64(3_846_358)}, "monthly_rent": {int64(0), int64(1)},
		} {
			if rapid.Bool().Draw(t, name+" is known") {
				known[name] = rapid.SampledFrom(values).Draw(t, name)
			}
		}
		if got, want := s.Outcome(known, asOf), s.Check(known, asOf).Outcome; got != want {
			t.Fatalf("%v: %s, want %s", known, got, want)
		}
	})
}
