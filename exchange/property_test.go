package exchange_test

import (
	"flag"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

const visits = `
---
kind: Dataset
name: visits
title: {ko: 방문, en: Visits}
key: [id]
subject: person
fields:
  id:     {type: int, title: {ko: 번호}, class: internal}
  person: {term: person, required: true}
  house:  {term: household}
  note:   {type: string, title: {ko: 글}, class: sensitive}
  n:      {type: int, title: {ko: 수}, class: public}
  x:      {type: double, title: {ko: 실수}, class: personal}
  flag:   {type: bool, title: {ko: 여부}, class: unique}
  day:    {type: date, title: {ko: 날}, class: personal}
  seen:   {type: datetime, title: {ko: 때}, class: internal}
`

// columns are the fields of visits; draws are values of each.
var columns = []string{"id", "person", "house", "note", "n", "x", "flag", "day", "seen"}

// seeable are those that a condition may name: flag lies sealed.
var seeable = []string{"id", "person", "house", "note", "n", "x", "day", "seen"}

var types = map[string]manifest.Type{"id": "int", "person": "string", "house": "string", "note": "string", "n": "int", "x": "double", "flag": "bool", "day": "date", "seen": "datetime"}

var draws = map[string][]any{
	"note": {nil, "", "a", "A b", "가 나다", "서울특별시 종로구 솔빛로 12", "서울특별시", "경기도 고양시 일산동구 1", "😀 é", "'; --", "50%_"},
	"n":    {nil, int64(0), int64(1), int64(-1), int64(499), int64(500), int64(-500), int64(-501), int64(1_500), int64(math.MaxInt64), int64(math.MinInt64)},
	"x":    {nil, 0.0, 0.5, 1.0, -1.0, 499.5, 500.0, -500.0, 1e15, -2.5e10, 1e200},
	"flag": {nil, true, false},
	"day":  {nil, "2000-02-29", "2026-11-24", "2026-11-23", "1950-01-01", "2026-12-01"},
	"seen": {nil, "2026-01-01T00:00:00.000Z", "1999-12-31T23:59:59.999Z", "2026-11-24T00:00:00.000Z"},
}

// atoms are conditions on each field; some fail for some records.
var atoms = map[string][]string{
	"id":     {"record.id > 4", "record.id in [1, 2, 3]"},
	"person": {`record.person == "x"`, `record.person.startsWith("p")`},
	"house":  {`record.house != null`, `record.house > "hm"`},
	"note":   {`record.note == "a"`, `record.note.contains("구")`, `size(record.note) > 2`, `record.note == null`, `lower(record.note) == "a b"`, `record.note < "가"`},
	"n":      {"record.n > 0", "record.n + 9223372036854775807 > 0", "record.n * record.n > 10", "1.0 / double(record.n) > 0.1", "record.n.orValue(7) == 7", "won(record.n, 1000) == 1000", "-record.n > 0"},
	"x":      {"record.x >= 0.5", "record.x * record.x > 1.0", "record.x / (record.x - 0.5) > 1.0", "record.x == null"},
	"flag":   {"record.flag", "record.flag == false", "record.flag != null"},
	"day":    {`record.day < date("2020-01-01")`, "age(record.day) >= 19", `within(record.day, 30, "day")`, "record.day == today()"},
	"seen":   {`record.seen > datetime("2000-01-01T00:00:00Z")`, "record.seen == null"},
}

// condition draws a condition over fields.
func condition(t *rapid.T, over []string, depth int) string {
	if depth == 0 || rapid.IntRange(0, 2).Draw(t, "atom") == 0 {
		return rapid.SampledFrom(atoms[rapid.SampledFrom(over).Draw(t, "field")]).Draw(t, "condition")
	}
	a, b := condition(t, over, depth-1), condition(t, over, depth-1)
	return rapid.SampledFrom([]string{"(" + a + " && " + b + ")", "(" + a + " || " + b + ")", "!(" + a + ")", "(" + a + " ? " + b + " : " + a + ")"}).Draw(t, "of")
}

func some(t *rapid.T, of []string, least int, what string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), least, len(of), rapid.ID[string]).Draw(t, what)
}

// reference is the slow and obvious way to read.
type reference struct {
	c       *town
	fields  []string
	masks   map[string]string
	where   string
	asked   bool
	rows    []map[string]any // as the provider has them, in order of id
	numbers []int64          // whom each is about
	homes   []int64
	yes     map[int64]bool
}

// holds evaluates a condition for one record, over some of its fields. What fails isn't so.
func holds(t *rapid.T, condition string, over []string, row map[string]any) bool {
	if condition == "" {
		return true
	}
	var fields []rule.Field
	for _, name := range over {
		fields = append(fields, rule.Field{Name: name, Type: types[name], Nullable: name != "id"})
	}
	env, err := rule.NewEnv(fields, rule.Options{Guarded: true})
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := env.Compile(condition)
	if err != nil {
		t.Fatalf("%s: %v", condition, err)
	}
	yes, err := compiled.Eval(row, "2026-11-24")
	return err == nil && yes
}

// plain are the fields that a caller's filter may name.
func (r *reference) plain() (out []string) {
	for _, name := range r.fields {
		if r.masks[name] == "" && name != "person" && name != "house" && name != "flag" {
			out = append(out, name)
		}
	}
	return out
}

// read is what a request gives: each record as a text, or the code with which it is refused.
func (r *reference) read(t *rapid.T, fields []string, filter string, named []int64) (out []string, code string) {
	if len(fields) == 0 {
		fields = r.fields
	}
	for _, name := range fields {
		if !slices.Contains(r.fields, name) {
			return nil, "agreement.field"
		}
	}
	for _, name := range columns {
		if !slices.Contains(r.plain(), name) && regexp.MustCompile(`record\.`+name+`\b`).MatchString(filter) {
			return nil, "rule.unknown_field"
		}
	}
	for _, n := range named {
		if r.asked && !r.yes[n] {
			return nil, "agreement.consent"
		}
	}
	for i, row := range r.rows {
		if named != nil && !slices.Contains(named, r.numbers[i]) || r.asked && !r.yes[r.numbers[i]] {
			continue
		}
		if !holds(t, r.where, columns, row) || !holds(t, filter, r.plain(), row) {
			continue
		}
		var values []any
		for _, name := range fields {
			values = append(values, r.shown(t, name, i))
		}
		out = append(out, fmt.Sprintf("%#v", values))
	}
	return out, ""
}

// shown is a value as the consumer is to see it.
func (r *reference) shown(t *rapid.T, name string, i int) any {
	v := r.rows[i][name]
	if v == nil {
		return nil
	}
	if m := r.masks[name]; m != "" {
		return maskedByHand(t, r.c, m, name, v)
	}
	kind, number := "person", r.numbers[i]
	switch name {
	case "house":
		kind, number = "household", r.homes[i]
	case "person":
	default:
		return v
	}
	id, err := r.c.Pseudonym("housing", kind, number)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// seldom makes rapid check n times where the command line doesn't say how often.
func seldom(t *testing.T, n int) {
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		_ = f.Value.Set(strconv.Itoa(n))
		t.Cleanup(func() { _ = f.Value.Set(f.DefValue) })
	}
}

func TestAReadGivesJustWhatARecordByRecordReadingWould(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.files["register/project.yaml"] += visits
		seldom(t, 40) // each makes a revision
		i := 0
		rapid.Check(t, func(rt *rapid.T) {
			i++
			r := drawAgreement(rt, t, c, i)
			for range 12 {
				q := exchange.Request{Agreement: "drawn", Purpose: "eligibility"}
				var named []int64
				if rapid.Bool().Draw(rt, "named") {
					named = rapid.SliceOfN(rapid.Int64Range(1, 6), 1, 4).Draw(rt, "numbers")
					for _, n := range named {
						q.Subjects = append(q.Subjects, c.person(t, "housing", n))
					}
				}
				if rapid.Bool().Draw(rt, "some fields") {
					q.Fields = some(rt, columns, 1, "asked")
					if rapid.IntRange(0, 3).Draw(rt, "allowed") > 0 {
						q.Fields = some(rt, r.fields, 1, "asked")
					}
				}
				if over := r.plain(); len(over) > 0 && rapid.IntRange(0, 3).Draw(rt, "filter") > 0 {
					if rapid.IntRange(0, 4).Draw(rt, "outside") == 0 {
						over = columns
					}
					q.Filter = condition(rt, over, 2)
				}
				want, code := r.read(rt, q.Fields, q.Filter, named)
				var got []string
				err := c.Read(t.Context(), program, q, func(fields []*catalog.Field, p exchange.Part) error {
					for _, rec := range p.Records {
						if len(rec.Values) != len(fields) || rec.Key != "" || rec.Version != 0 {
							rt.Errorf("a record has more than what was asked for: %+v", rec)
						}
						got = append(got, fmt.Sprintf("%#v", rec.Values))
					}
					return nil
				})
				slices.Sort(got) // records go in no order
				slices.Sort(want)
				if problem.Code(err) != code || (err != nil) != (code != "") || !slices.Equal(got, want) {
					rt.Fatalf("%+v\nof %s\ngives %v, %v\nnot %v, %q", q, c.files["housing/drawn.yaml"], got, err, want, code)
				}
			}
		})
	})
}
