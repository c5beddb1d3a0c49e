package rule_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/rule"
)

func TestCompileRefuses(t *testing.T) {
	cases := []struct{ clause, text, code, where string }{
		{"syntax", `income > `, "rule.syntax", "1:10"},
		{"syntax: empty", ``, "rule.syntax", "1:1"},
		{"syntax: a second line", "income > 1 &&\n  (income", "rule.syntax", "2:10"},
		{"syntax: columns are characters", `name == "가나다" && $`, "rule.syntax", "1:18"},
		{"syntax: no UTF-8", "name == \"\xff\"", "rule.syntax", "1:1"},
		{"unknown field", `incom > 1`, "rule.unknown_field", "1:1"},
		{"unknown field of record", `record.nam == "a"`, "rule.unknown_field", "1:7"},
		{"no names of the evaluation", `as_of == "a"`, "rule.unknown_field", "1:1"},
		{"type", `income > "a"`, "rule.type", "1:8"},
		{"type: a rule says yes or no", `income + 1`, "rule.type", "1:8"},
		{"type: text is no day", `birth_date < "2026-01-01"`, "rule.type", "1:12"},
		{"type: a day is no datetime", `made < date("2026-01-01")`, "rule.type", "1:6"},
		{"type: bools have no order", `active < true`, "rule.type", "1:8"},
		{"type: geometries aren't compared", `place == place`, "rule.type", "1:7"},
		{"type: a list of another type", `income in ["1"]`, "rule.type", "1:12"},
		{"type: branches", `active ? 1 : "a"`, "rule.type", "1:8"},
		{"type: condition", `income ? true : false`, "rule.type", "1:1"},
		{"type: not", `!income`, "rule.type", "1:1"},
		{"type: and", `income && true`, "rule.type", "1:8"},
		{"numbers: integer division", `income / 2 > 1`, "rule.division", "1:8"},
		{"numbers: integer division below a function in won", `won(double(income / 2)) > 1`, "rule.division", "1:19"},
		{"numbers: a unit of zero", `won(income, 0) > 1`, "rule.literal", "1:13"},
		{"numbers: a unit that varies", `won(income, income) > 1`, "rule.literal", "1:13"},
		{"numbers: uint", `income == 5u`, "rule.unsupported", "1:11"},
		{"null: no guard", `size > 3`, "rule.null", "1:1"},
		{"null: guard of another field", `area != null && size > 3`, "rule.null", "1:17"},
		{"null: guard that comes later", `size > 3 && size != null`, "rule.null", "1:1"},
		{"null: guard of one side of or", `(size != null || active) && size > 3`, "rule.null", "1:29"},
		{"null: guard for the other branch", `size == null ? size > 3 : true`, "rule.null", "1:16"},
		{"null: a bool", `retired`, "rule.null", "1:1"},
		{"null: bare", `null == null`, "rule.null", "1:9"},
		{"null: of a value", `(income + 1) == null`, "rule.null", "1:14"},
		{"null: in orValue", `area.orValue(double(size)) > 1.0`, "rule.null", "1:21"},
		{"dates: no such day", `birth_date == date("2026-02-30")`, "rule.literal", "1:19"},
		{"dates: no constant", `birth_date == date(name)`, "rule.type", "1:19"},
		{"dates: no zone", `made == datetime("2026-01-01T00:00:00")`, "rule.literal", "1:17"},
		{"dates: within of a varying span", `within(birth_date, income, "day")`, "rule.literal", "1:20"},
		{"dates: within of an unknown unit", `within(birth_date, 1, "week")`, "rule.literal", "1:23"},
		{"dates: two of them", `working_days(birth_date) > 3`, "rule.type", "1:13"},
		{"dates: no timestamps", `made < timestamp("2026-01-01T00:00:00Z")`, "rule.unknown_function", "1:17"},
		{"dynamic types", `dyn(income) == 1`, "rule.unknown_function", "1:4"},
		{"types as values", `type(income) == int`, "rule.unknown_function", "1:5"},
		{"lists: only facts", `[1, 2].exists(x, x > 1)`, "rule.unknown_function", "1:14"},
		{"lists: as a value", `children == children`, "rule.type", "1:1"},
		{"lists: a record as a value", `children.exists(c, c == c)`, "rule.type", "1:20"},
		{"lists: no such field", `children.exists(c, c.bron < today())`, "rule.unknown_field", "1:21"},
		{"lists: no name", `children.exists(true)`, "rule.type", "1:16"},
		{"lists: a name that is taken", `children.exists(income, income > 1)`, "rule.type", "1:17"},
		{"lists: a name outside of its place", `children.exists(c, c.at_home) && c.at_home`, "rule.unsupported", "1:35"},
		{"lists: in a list", `children.exists(c, children.exists(d, d.fee > c.fee))`, "rule.unsupported", "1:36"},
		{"lists: no condition", `children.exists(c, c.fee)`, "rule.type", "1:21"},
		{"lists: null", `children.exists(c, c.weight > 1.0)`, "rule.null", "1:21"},
		{"lists: null after another's guard", `children.exists(c, weight != null)`, "rule.unknown_field", "1:20"},
		{"lists: sum of doubles", `children.filter(c, c.weight != null).map(c, c.weight).sum() > 1`, "rule.type", "1:58"},
		{"lists: sum of records", `children.sum() > 1`, "rule.type", "1:13"},
		{"lists: twice mapped", `children.map(c, c.fee).map(d, 1).sum() > 1`, "rule.type", "1:27"},
		{"lists: what there isn't", `children.reverse() == 1`, "rule.type", "1:17"},
		{"lists: least of text", `children.filter(c, c.school != null).map(c, c.school).min() == "a"`, "rule.type", "1:58"},
		{"lists only beside in", `[1] == [1]`, "rule.unsupported", "1:1"},
		{"maps", `{"a": 1}.a == 1`, "rule.unsupported", "1:9"},
		{"in of nothing", `income in []`, "rule.unsupported", "1:11"},
		{"in of fields", `income in [in2]`, "rule.unknown_field", "1:12"},
		{"in of values", `name in [type]`, "rule.unsupported", "1:10"},
		{"parts of values", `name.length > 1`, "rule.unsupported", "1:5"},
		{"index", `name[0] == "a"`, "rule.unknown_function", "1:5"},
		{"function as member", `birth_date.age() > 1`, "rule.type", "1:15"},
		{"member as function", `contains(name, "a")`, "rule.type", "1:9"},
		{"text: a pattern that is none", `name.matches("(")`, "rule.literal", "1:14"},
		{"text: a pattern that grows", `name.matches("` + strings.Repeat("x{1000}", 30) + `")`, "rule.literal", "1:14"},
		{"text: a pattern from data", `name.matches(type)`, "rule.type", "1:14"},
		{"text: matches of an int", `income.matches("a")`, "rule.type", "1:15"},
		{"text: NUL", `name == "\000"`, "rule.literal", "1:9"},
	}
	for _, c := range cases {
		t.Run(c.clause, func(t *testing.T) {
			_, err := env(t, false).Compile(c.text)
			p := problem.As(err)
			if p == nil || p.Code != c.code || p.Status != 400 || p.At[0].Where != c.where {
				t.Fatalf("%s: %v, want %s at %s", c.text, err, c.code, c.where)
			}
			if d := p.At[0]; d.Message.Ko == "" || d.Message.En == "" || strings.Contains(d.Message.Ko+d.Message.En+d.Hint.Ko+d.Hint.En, "%!") {
				t.Errorf("the message is %+v", d)
			}
		})
	}
}

func TestSyntaxErrorsAreSaidInBothLanguages(t *testing.T) {
	for text, want := range map[string]string{
		`income > `:           "the expression isn't finished",
		`(income > 1`:         "')' is missing",
		`income > 1 & active`: "'&&' is missing",
		`income > 1 $`:        "this character can't stand",
		`active ? true`:       "':' is missing",
		`active active`:       "something is left",
		`for == 1`:            "for is a reserved word of CEL; write record.for",
		`name == "a`:          "the closing quote",
		`name == "\q"`:        "",
	} {
		_, err := env(t, true).Compile(text)
		p := problem.As(err)
		if p == nil || p.Code != "rule.syntax" || !strings.Contains(p.At[0].Message.En, want) || !strings.ContainsFunc(p.At[0].Message.Ko, hangul) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func hangul(r rune) bool { return unicode.Is(unicode.Hangul, r) }

func TestCompileSaysAllFaultsInOrder(t *testing.T) {
	_, err := env(t, false).Compile("incom > 1 &&\nname > 3 && size > 2 ||\n nam == 'a'")
	p := problem.As(err)
	if p == nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range p.At {
		got = append(got, d.Code+" "+d.Where)
	}
	want := "[rule.unknown_field 1:1 rule.type 2:6 rule.unknown_field 3:2]"
	if fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
	if hint := p.At[0].Hint.In(lang.En); !strings.Contains(hint, "income") {
		t.Errorf("the nearest field is not named: %q", hint)
	}
}

func TestCompileLimits(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("!(", n) + "active" + strings.Repeat(")", n) }
	many := func(n int) string { return "income in [1" + strings.Repeat(",1", n) + "]" }
	for text, code := range map[string]string{
		deep(30):   "",
		deep(5000): "rule.limit",
		deep(60):   "rule.limit",
		"income" + strings.Repeat("+1", 30) + "> 0":  "",
		"income" + strings.Repeat("+1", 300) + "> 0": "rule.limit",
		many(1500): "",
		many(2500): "rule.limit",
		strings.Repeat(" ", rule.MaxLength) + "active":        "rule.limit",
		"active" + strings.Repeat(" && active", 300):          "",
		"size > 1" + strings.Repeat(" || size > 1", 200):      "",
		strings.Repeat("(", 8000) + strings.Repeat(")", 7000): "rule.limit",
	} {
		_, err := env(t, true).Compile(text)
		if problem.Code(err) != code || (err == nil) != (code == "") {
			t.Errorf("%.40s… (%d): %.200v, want %q", text, len(text), err, code)
		}
	}
}

func TestNewEnvRefuses(t *testing.T) {
	for _, f := range [][]rule.Field{
		{{Name: `a"b`, Type: "int"}},
		{{Name: "a.b", Type: "int"}},
		{{Name: "", Type: "int"}},
		{{Name: "a", Type: "uint"}},
		{{Name: "a", Type: "int"}, {Name: "a", Type: "string"}},
	} {
		if _, err := rule.NewEnv(f, rule.Options{}); err == nil {
			t.Errorf("%v was taken", f)
		}
	}
}

// Every name that CEL has for a type or a function is free for fields.
func TestFieldsMayBeNamedLikeAnythingOfCEL(t *testing.T) {
	names := []string{"int", "string", "bool", "double", "bytes", "uint", "list", "map", "type", "null_type", "record", "date", "size", "today", "as_of", "dyn"}
	for _, name := range names {
		e, err := rule.NewEnv([]rule.Field{{Name: name, Type: "int"}}, rule.Options{})
		if err != nil {
			t.Fatal(err)
		}
		r := compile(t, e, name+" == 1 && record."+name+" < 2")
		if yes, err := r.Eval(map[string]any{name: int64(1)}, asOf); err != nil || !yes {
			t.Errorf("%s: %v, %v", name, yes, err)
		}
	}
	for _, name := range []string{"in", "true", "null", "for", "if", "package", "namespace"} {
		e, err := rule.NewEnv([]rule.Field{{Name: name, Type: "int"}}, rule.Options{})
		if err != nil {
			t.Fatal(err)
		}
		compile(t, e, "record.`"+name+"` == 1")
	}
}

func TestWorkingDaysNeedACalendar(t *testing.T) {
	e, err := rule.NewEnv(fields, rule.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Compile(`working_days(birth_date, today()) > 3`); problem.Code(err) != "rule.unknown_function" {
		t.Error(err)
	}
	if _, err := compile(t, env(t, false), `working_days(birth_date, today()) > 3`).Eval(person(map[string]any{"birth_date": "2023-12-31"}), asOf); problem.Code(err) != "rule.calendar" {
		t.Error("a year that the calendar lacks:", err)
	}
}
