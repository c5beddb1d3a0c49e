package rule_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/rule"
)

func TestSQLText(t *testing.T) {
	cases := []struct{ text, sqlite, postgres, args string }{
		{`income <= 3588020`, `("income" <= ?)`, `("income" <= CAST(? AS bigint))`, "[3588020]"},
		{`name < "나"`, `("name" < ?)`, `("name" < CAST(? AS text) COLLATE "C")`, "[나]"},
		{`size > 3`, `(("size" IS NOT NULL) AND ("size" > ?))`, `(("size" IS NOT NULL) AND ("size" > CAST(? AS bigint)))`, "[3]"},
		{`size.orValue(0) in [1, 2]`, `((COALESCE("size", ?)) IN (?, ?))`, `((COALESCE("size", CAST(? AS bigint))) IN (CAST(? AS bigint), CAST(? AS bigint)))`, "[0 1 2]"},
		{`within(birth_date, 6, "month")`, `("birth_date" BETWEEN ? AND ?)`, `("birth_date" BETWEEN CAST(? AS text) AND CAST(? AS text))`, "[2026-05-24 2026-11-24]"},
		{
			`income + 1 > 0`, `((SELECT CASE WHEN typeof(_1) = 'integer' THEN _1 END FROM (SELECT ("income" + ?) AS _1) AS _t) > ?)`,
			`((SELECT CASE WHEN _1 BETWEEN -9223372036854775808 AND 9223372036854775807 THEN CAST(_1 AS bigint) END FROM (SELECT (CAST("income" AS numeric) + CAST(? AS bigint)) AS _1 OFFSET 0) AS _t) > CAST(? AS bigint))`, "[1 0]",
		},
		{`active`, `"active"`, `"active"`, "[]"},
	}
	for _, c := range cases {
		r := compile(t, env(t, true), c.text)
		for d, want := range map[rule.Dialect]string{rule.SQLite: c.sqlite, rule.Postgres: c.postgres} {
			got, args, err := r.SQL(d, asOf, bare)
			if err != nil || got != want || fmt.Sprint(args) != c.args {
				t.Errorf("%s on %s:\n%s %v, %v\nwant\n%s %s", c.text, d, got, args, err, want, c.args)
			}
		}
	}
}

func TestSQLNamesWhatHasNoTranslation(t *testing.T) {
	_, _, err := compile(t, env(t, false), `income > 1 && name.matches("^a")`).SQL(rule.SQLite, asOf, bare)
	p := problem.As(err)
	if p == nil || p.Code != "rule.no_sql" || p.At[0].Where != "1:27" || !strings.Contains(p.Detail.En, "matches") {
		t.Error(err)
	}
	if _, _, err := compile(t, env(t, false), `age(birth_date) > 1`).SQL(rule.SQLite, "", column); problem.Code(err) != "rule.as_of" {
		t.Errorf("without an as-of date: %v", err)
	}
	if _, _, err := compile(t, env(t, false), `active`).SQL("oracle", asOf, bare); err == nil {
		t.Error("an unknown dialect was taken")
	}
}

// Nothing of an expression gets into the text, and it does no harm in the database.
func TestSQLTextHoldsNoLiteral(t *testing.T) {
	evil := []string{`'; DROP TABLE records; --`, `" OR 1=1 --`, `$1`, `?`, `\`, `%' OR '1'='1`, "0x27", `*/ DELETE FROM records /*`, `$$`}
	both(t, []map[string]any{person(nil)}, func(t *testing.T, d database) {
		for _, s := range evil {
			for _, shape := range []string{`name == %s`, `name.contains(%s)`, `note.orValue(%s) < lower(%[1]s + name)`, `name in [%s, "a"]`, `(name + %s).endsWith(%[1]s)`} {
				text := fmt.Sprintf(shape, written(s))
				r := compile(t, env(t, true), text)
				answers, condition, err := d.answers(r, 1)
				if err != nil || strings.Contains(condition, s) && s != "?" {
					t.Fatalf("%s\n%s\n%v", text, condition, err)
				}
				if want, err := r.Eval(person(nil), asOf); err != nil || answers[0].Bool != want {
					t.Errorf("%s: %v in memory (%v), %v in SQL", text, want, err, answers[0])
				}
			}
		}
		if err := d.QueryRow("SELECT 1 FROM records").Err(); err != nil {
			t.Error(err)
		}
	})
}

// The deepest and biggest expressions that compile are taken by the databases, and the text doesn't grow with their power.
func TestSQLOfTheLargestExpressions(t *testing.T) {
	double := "ratio"
	for range 16 {
		double = "(" + double + " * ratio + ratio)"
	}
	var wide []string
	for i := range 240 {
		wide = append(wide, fmt.Sprintf("(size > %d && area < 2.0)", i))
	}
	texts := []string{
		"income" + strings.Repeat(" + 1", 36) + " > 0",
		double + " > 1.0",
		strings.Repeat("!(", 38) + "size > 3" + strings.Repeat(")", 38),
		strings.Join(wide, " || "),
		"income in [" + strings.Repeat("1, ", 1900) + "2392013]",
		strings.Repeat("months_between(birth_date, (active ? ", 1) + "moved : birth_date)) > 1",
		strings.Repeat("(", 18) + "size" + strings.Repeat(" > 1 ? size : income)", 18) + " == 1",
	}
	both(t, []map[string]any{person(nil), person(map[string]any{"size": int64(4), "area": 1.0})}, func(t *testing.T, d database) {
		for _, text := range texts {
			r := compile(t, env(t, true), text)
			answers, condition, err := d.answers(r, 2)
			if err != nil {
				t.Errorf("%.60s…: %v", text, err)
				continue
			}
			if len(condition) > 60*len(text) {
				t.Errorf("%.60s…: %d characters became %d of SQL", text, len(text), len(condition))
			}
			want, evalErr := r.Eval(person(nil), asOf)
			if answers[0].Valid != (evalErr == nil) || answers[0].Bool != want {
				t.Errorf("%.60s…: %v, %v in memory, %v in SQL", text, want, evalErr, answers[0])
			}
		}
	})
}

// bare is a column by its name alone.
func bare(name string) rule.Column { return rule.Column{Text: quoted(name)} }
