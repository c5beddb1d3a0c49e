package rule_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

// samples are values at which engines are known to differ.
var samples = map[manifest.Type][]any{
	manifest.String: {"", "a", "A", "ab", "가", "각", "각", "가나다", "😀", "a😀b", "ﬀ", "é", "É", "%", "_", "a%b", `\`, "'", `"; DROP TABLE records; --`, " ", "?", "$1", "İ", "Z"},
	manifest.Int: {
		int64(0), int64(1), int64(-1), int64(2), int64(7), int64(10), int64(15), int64(2_392_013), int64(1<<53 + 1), int64(1 << 53),
		int64(math.MaxInt64), int64(math.MinInt64), int64(math.MaxInt64 - 1), int64(3_037_000_500), int64(-5),
	},
	manifest.Double: {
		0.0, math.Copysign(0, -1), 1.0, -1.0, 0.5, 1.5, -2.5, 0.1, 0.49999999999999994, 2.0, 1e15, 1e15 + 1, 1e16, 9.007199254740992e15,
		9.223372036854775807e18, -9.223372036854775808e18, 1e-100, 1e100, 1e200, -1e300, 5e-324, math.MaxFloat64, 2392013.5, 1e-99,
	},
	manifest.Bool: {true, false},
	manifest.Date: {
		"2000-02-29", "2026-11-24", "2026-11-25", "2026-11-23", "2025-11-24", "2026-02-28", "2024-02-29", "2026-01-31", "2026-10-31", "2026-03-30",
		"0001-01-01", "9999-12-31", "9999-12-30", "1900-02-28", "2026-05-24", "2027-01-01",
	},
	manifest.Datetime: {"2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z", "1999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"},
	manifest.Geometry: {`{"type":"Point","coordinates":[127,37]}`},
}

// value draws a value of a type: a sample, or any other.
func value(typ manifest.Type) *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		if rapid.IntRange(0, 3).Draw(t, "sample") > 0 {
			return rapid.SampledFrom(samples[typ]).Draw(t, "value")
		}
		switch typ {
		case manifest.String:
			return strings.ReplaceAll(rapid.StringN(0, 6, 24).Draw(t, "string"), "\x00", "")
		case manifest.Int:
			return rapid.Int64().Draw(t, "int")
		case manifest.Double:
			return rapid.Float64Range(-1e9, 1e9).Draw(t, "double")
		case manifest.Date:
			return fmt.Sprintf("%04d-%02d-%02d", rapid.IntRange(1900, 2030).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"), rapid.IntRange(1, 28).Draw(t, "day"))
		}
		return rapid.SampledFrom(samples[typ]).Draw(t, "value")
	})
}

// record draws values of all fields.
func record() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(t *rapid.T) map[string]any {
		r := map[string]any{}
		for _, f := range plain() {
			r[f.Name] = perhapsNull(t, f)
		}
		children := make([]map[string]any, rapid.SampledFrom([]int{0, 1, 1, 2, 3, 7}).Draw(t, "children"))
		for i := range children {
			children[i] = map[string]any{}
			for _, f := range items {
				children[i][f.Name] = perhapsNull(t, f)
			}
		}
		r["children"] = children
		return r
	})
}

var items = fields[len(fields)-1].Items

func perhapsNull(t *rapid.T, f rule.Field) any {
	if v := value(f.Type).Draw(t, f.Name); !f.Nullable || rapid.IntRange(0, 2).Draw(t, "null") > 0 {
		return v
	}
	return nil
}

// writer writes random expressions that are well typed.
type writer struct {
	*rapid.T
	guarded bool
	raw     []string // nullable fields that the comparison being written reads
	inList  bool
}

// pick draws one of n evenly: rapid's own ranges prefer small numbers, and expressions would stay small.
func (w *writer) pick(n int) int {
	v := 0
	for range 6 {
		v *= 2
		if rapid.Bool().Draw(w.T, "bit") {
			v++
		}
	}
	return v % n
}

func (w *writer) of(s ...string) string { return s[w.pick(len(s))] }

// literal writes a constant.
func (w *writer) literal(typ manifest.Type) string {
	switch v := value(typ).Draw(w.T, "literal").(type) {
	case string:
		switch typ {
		case manifest.Date:
			return `date("` + v + `")`
		case manifest.Datetime:
			return `datetime("` + v + `")`
		}
		return written(v)
	case float64:
		s := strconv.FormatFloat(v, 'e', -1, 64)
		return s
	default:
		return fmt.Sprint(v)
	}
}

// written is a string as a literal of CEL.
func written(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		fmt.Fprintf(&b, `\U%08x`, r)
	}
	return b.String() + `"`
}

// field writes a field of a type; one that can be null with its guard, or noted in raw.
func (w *writer) field(typ manifest.Type) string {
	var of []rule.Field
	for _, f := range plain() {
		if f.Type == typ && f.Name != "in" {
			of = append(of, f)
		}
	}
	f, name := of[w.pick(len(of))], ""
	name = w.of("", "record.") + f.Name
	if w.inList && w.pick(3) > 0 {
		for _, item := range items {
			if item.Type == typ {
				f, name = item, "c."+item.Name
				f.Name = name
			}
		}
	}
	if !f.Nullable {
		return name
	}
	if w.pick(4) == 0 {
		return name + ".orValue(" + w.literal(typ) + ")"
	}
	w.raw = append(w.raw, f.Name)
	return name
}

// value writes an expression of a type.
func (w *writer) value(typ manifest.Type, depth int) string {
	if depth <= 0 || w.pick(3) == 0 {
		if w.pick(3) == 0 {
			return w.literal(typ)
		}
		return w.field(typ)
	}
	sub := func(t manifest.Type) string { return w.value(t, depth-1) }
	if w.pick(7) == 0 {
		return "(" + w.inner(depth-1) + " ? " + sub(typ) + " : " + sub(typ) + ")"
	}
	if !w.guarded && !w.inList && w.pick(8) == 0 {
		if s := w.list(typ, depth-1); s != "" {
			return s
		}
	}
	number := func() string { return sub([]manifest.Type{manifest.Int, manifest.Double}[w.pick(2)]) }
	switch typ {
	case manifest.String:
		switch w.pick(4) {
		case 0:
			return "lower(" + sub(typ) + ")"
		case 1:
			return "string(" + sub([]manifest.Type{manifest.Int, manifest.Date, manifest.String}[w.pick(3)]) + ")"
		}
		return "(" + sub(typ) + " + " + sub(typ) + ")"
	case manifest.Int:
		switch w.pick(14) {
		case 11:
			return "working_days(" + sub(manifest.Date) + ", " + sub(manifest.Date) + ")"
		case 12:
			return "days_between(" + sub(manifest.Date) + ", " + sub(manifest.Date) + ")"
		case 13:
			return "year(" + sub(manifest.Date) + ")"
		case 10:
			return w.of("min(", "max(") + sub(typ) + ", " + sub(typ) + ")"
		case 8:
			return w.of("median_income(", "grade(", `param("grade", `) + sub(typ) + ")"
		case 9:
			return w.of("params.wage", `param("wage")`, `param("late")`)
		case 0:
			return "size(" + sub(manifest.String) + ")"
		case 1:
			return "age(" + sub(manifest.Date) + ")"
		case 2:
			return "months_between(" + sub(manifest.Date) + ", " + sub(manifest.Date) + ")"
		case 3:
			return w.of("won", "won_floor") + "(" + number() + w.of(" * ", " / ", " + ") + number() + w.of("", ", 10", ", 1000") + ")"
		case 4:
			return "int(" + number() + ")"
		case 5:
			return "-" + "(" + sub(typ) + ")"
		}
		return "(" + sub(typ) + w.of(" + ", " - ", " * ", " % ") + sub(typ) + ")"
	case manifest.Double:
		switch w.pick(8) {
		case 7:
			return w.of("min(", "max(") + number() + ", " + sub(typ) + ")"
		case 5:
			return w.of("slope(", "share(") + sub(manifest.Int) + ")"
		case 6:
			return w.of("params.ratio", `param("rate")`, `param("kinds", "home")`)
		case 0:
			return "double(" + number() + ")"
		case 1:
			return "-(" + sub(typ) + ")"
		}
		return "(" + sub(typ) + w.of(" + ", " - ", " * ", " / ") + number() + ")"
	case manifest.Date:
		return w.of("today()", w.literal(typ), "min("+w.literal(typ)+", "+w.field(typ)+")")
	}
	return w.field(typ)
}

// list writes what is asked of the list, or nothing where a type has nothing of it.
func (w *writer) list(typ manifest.Type, depth int) string {
	outer := w.raw
	w.inList, w.raw = true, nil
	defer func() { w.inList, w.raw = false, outer }()
	from := "children"
	if w.pick(2) == 0 {
		from += ".filter(c, " + w.condition(1, depth) + ")"
	}
	taken := func(t manifest.Type) string { // its nulls are guarded by a condition of its own
		w.raw = nil
		s := w.value(t, depth)
		slices.Sort(w.raw)
		guards := ""
		for _, name := range slices.Compact(w.raw) {
			guards += ".filter(c, " + name + " != null)"
		}
		return guards + ".map(c, " + s + ")"
	}
	switch typ {
	case manifest.Bool:
		return from + w.of(".exists(c, ", ".all(c, ") + w.condition(1, depth) + ")"
	case manifest.Int:
		switch w.pick(3) {
		case 0:
			return w.of("size("+from+")", from+".size()")
		case 1:
			return from + taken(typ) + ".sum()"
		}
		return from + taken(typ) + w.of(".min()", ".max()")
	case manifest.Double, manifest.Date:
		return from + taken(typ) + w.of(".min()", ".max()")
	}
	return ""
}

// inner writes a condition inside of a value: its nulls are its own.
func (w *writer) inner(depth int) string {
	outer := w.raw
	s := w.condition(depth, depth)
	w.raw = outer
	return s
}

// atom writes a comparison or a function that says yes or no.
func (w *writer) atom(depth int) string {
	typ := []manifest.Type{manifest.String, manifest.Int, manifest.Double, manifest.Date, manifest.Datetime, manifest.Bool}[w.pick(6)]
	sub := func(t manifest.Type) string { return w.value(t, depth-1) }
	order := w.of(" == ", " != ", " < ", " <= ", " > ", " >= ")
	switch w.pick(8) {
	case 0:
		return sub(manifest.String) + w.of(".contains(", ".startsWith(", ".endsWith(") + sub(manifest.String) + ")"
	case 1:
		return "within(" + sub(manifest.Date) + ", " + w.of("0", "1", "6", "30", "100000") + ", " + w.of(`"day"`, `"month"`, `"year"`) + ")"
	case 2:
		if typ != manifest.Bool {
			return sub(typ) + " in [" + w.literal(typ) + ", " + w.literal(typ) + "]"
		}
	case 3:
		return sub(manifest.Int) + order + sub(manifest.Double)
	case 4:
		return sub(manifest.Bool)
	case 5:
		return w.inner(depth-1) + w.of(" == ", " != ") + w.inner(depth-1)
	}
	if typ == manifest.Bool {
		order = w.of(" == ", " != ")
	}
	return sub(typ) + order + sub(typ)
}

// condition writes an expression that says yes or no, of a depth, over values of a depth.
func (w *writer) condition(depth, values int) string {
	if depth > 0 {
		switch w.pick(6) {
		case 0:
			return "(" + w.condition(depth-1, values) + " && " + w.condition(depth-1, values) + ")"
		case 1:
			return "(" + w.condition(depth-1, values) + " || " + w.condition(depth-1, values) + ")"
		case 2:
			return "!(" + w.condition(depth-1, values) + ")"
		case 3:
			return "(" + w.condition(depth-1, values) + " ? " + w.condition(depth-1, values) + " : " + w.condition(depth-1, values) + ")"
		case 4:
			return "(" + w.of("size", "note", "place", "moved", "income") + w.of(" == null", " != null") + ")"
		}
	}
	w.raw = nil
	s := "(" + w.atom(values) + ")"
	if w.guarded {
		return s
	}
	slices.Sort(w.raw)
	for _, name := range slices.Compact(w.raw) {
		s = "(" + w.of(name+" != null && "+s, name+" == null || "+s, name+" != null ? "+s+" : false", name+" == null ? true : "+s) + ")"
	}
	w.raw = nil
	return s
}

// TestMemoryAndSQLAgree writes random expressions and compares the answers for random records. An error in memory is NULL in SQL.
func TestMemoryAndSQLAgree(t *testing.T) {
	records := make([]map[string]any, 150)
	for i := range records {
		records[i] = record().Example(i)
	}
	both(t, records, func(t *testing.T, d database) {
		var yes, no, failed, quick, lists int
		rapid.Check(t, func(rt *rapid.T) {
			guarded := rapid.Bool().Draw(rt, "guarded")
			w := &writer{T: rt, guarded: guarded}
			text := w.condition(3, 3)
			r, err := env(t, guarded).Compile(text)
			if err != nil {
				rt.Fatalf("%s\n%v", text, err)
			}
			answers, condition, err := d.answers(r, len(records))
			if err != nil {
				rt.Fatalf("%s\n%s\n%v", text, condition, err)
			}
			if strings.Contains(text, "children") {
				lists++
			}
			for n, rec := range records {
				want, err := r.EvalCEL(rec, asOf)
				if got, again := r.Eval(rec, asOf); got != want || (again == nil) != (err == nil) {
					rt.Fatalf("%s\nCEL: %v, %v\nquick: %v, %v\nrecord: %v", text, want, err, got, again, part(rec, r.Fields()))
				}
				if _, ok := r.QuickValue(rec, asOf); ok {
					quick++
				}
				if err != nil && problem.Code(err) != "rule.arithmetic" && problem.Code(err) != "rule.parameter" && problem.Code(err) != "rule.calendar" && problem.Code(err) != "rule.none" {
					rt.Fatalf("%s: %v", text, err)
				}
				if got := answers[n]; got.Valid != (err == nil) || got.Bool != want {
					rt.Fatalf("%s\n%s\nmemory: %v, %v\nSQL: %v\nrecord: %v", text, condition, want, err, got, part(rec, r.Fields()))
				}
				switch {
				case err != nil:
					failed++
				case want:
					yes++
				default:
					no++
				}
			}
		})
		t.Logf("answers compared: %d yes, %d no, %d errors, %d without CEL; %d expressions with lists", yes, no, failed, quick, lists)
		if yes == 0 || no == 0 || failed == 0 || quick == 0 || lists == 0 {
			t.Error("the expressions are too plain to tell")
		}
	})
}

// TestMemoryAndSQLAgreeOnWhatIsUnknown takes facts away: what memory can't tell yet, or has an error for, is NULL in SQL, and everything else is the same.
func TestMemoryAndSQLAgreeOnWhatIsUnknown(t *testing.T) {
	records := make([]map[string]any, 150)
	for i := range records {
		records[i] = record().Example(2000 + i)
		for j, f := range fields {
			if (i*7+j*13+i*j)%3 == 0 {
				delete(records[i], f.Name)
			}
		}
	}
	both(t, records, func(t *testing.T, d database) {
		var yes, no, unknown int
		rapid.Check(t, func(rt *rapid.T) {
			guarded := rapid.Bool().Draw(rt, "guarded")
			w := &writer{T: rt, guarded: guarded}
			text := w.condition(3, 2)
			r, err := env(t, guarded).Compile(text)
			if err != nil {
				rt.Fatalf("%s\n%v", text, err)
			}
			answers, condition, err := d.ask(r, len(records), perhaps)
			if err != nil {
				rt.Fatalf("%s\n%s\n%v", text, condition, err)
			}
			for n, rec := range records {
				want, missing, err := r.Judge(rec, asOf)
				if got := answers[n]; got.Valid != (want != rule.Unknown) || got.Bool != (want == rule.Yes) {
					rt.Fatalf("%s\n%s\nmemory: %v, %v, %v\nSQL: %v\nrecord: %v", text, condition, want, missing, err, got, rec)
				}
				switch want {
				case rule.Yes:
					yes++
				case rule.No:
					no++
				default:
					unknown++
				}
			}
		})
		t.Logf("answers compared: %d yes, %d no, %d that can't be told", yes, no, unknown)
		if yes == 0 || no == 0 || unknown == 0 {
			t.Error("the expressions are too plain to tell")
		}
	})
}

// TestValuesAgree compares the values of random expressions to the last digit, those of arithmetic and days above all.
func TestValuesAgree(t *testing.T) {
	records := make([]map[string]any, 150)
	for i := range records {
		records[i] = record().Example(1000 + i)
	}
	e := env(t, true)
	both(t, records, func(t *testing.T, d database) {
		var compared, failed, quick int
		rapid.Check(t, func(rt *rapid.T) {
			w := &writer{T: rt, guarded: true}
			text := w.value([]manifest.Type{manifest.Int, manifest.Double, manifest.Int, manifest.String}[w.pick(4)], 4)
			r, typ, err := rule.CompileValue(e, text)
			if err != nil {
				rt.Fatalf("%s\n%v", text, err)
			}
			values, condition, err := d.values(r, typ, len(records))
			if err != nil {
				rt.Fatalf("%s\n%s\n%v", text, condition, err)
			}
			for n, rec := range records {
				want, err := r.EvalValue(rec, asOf)
				if got, ok := r.QuickValue(rec, asOf); ok && (err != nil || got != want) {
					rt.Fatalf("%s\nCEL: %v, %v\nquick: %v\nrecord: %v", text, want, err, got, part(rec, r.Fields()))
				} else if ok {
					quick++
				}
				if want == nil != (values[n] == nil) || err == nil && want != values[n] {
					rt.Fatalf("%s\n%s\nmemory: %v, %v\nSQL: %v\nrecord: %v", text, condition, want, err, values[n], part(rec, r.Fields()))
				}
				compared++
				if err != nil {
					failed++
				}
			}
		})
		t.Logf("values compared: %d, of them %d errors, %d without CEL", compared, failed, quick)
		if failed == 0 || failed == compared || quick == 0 {
			t.Error("the expressions are too plain to tell")
		}
	})
}

// part is what a record has for some fields.
func part(r map[string]any, names []string) map[string]any {
	out := map[string]any{}
	for _, n := range names {
		out[n] = r[n]
	}
	return out
}
