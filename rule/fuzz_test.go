package rule_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/rule"
)

// patience is how long the biggest expression may take to compile, on a busy machine under the race detector.
const patience = 5 * time.Second

// FuzzCompile: whatever is written is compiled or refused with a problem, soon, and what is compiled has an answer and SQL.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		``, `income > 1`, `record.size == null || size > 3`, `won(income / 2, 10) in [1, 2.5, -3]`, `age(birth_date) >= 19 && !(name == "가😀")`,
		`within(moved, 6, "month") ? area.orValue(1) : ratio`, "((((((((((", `[[[[[[{{{{`, `a?b:c?d:e`, "record.`in` == 1", `"\xff\u0000" == r'\'`, `1 / 0 / 0.0`,
		`[1].exists(x, x > 1)`, `-9223372036854775808 % -1 == 0`, `name.matches("(a*)*b")`, `datetime("2026-01-01T00:00:00Z") < made`, `5u == b"a"`, "null == null",
	} {
		f.Add(s)
	}
	strict, guarded := env(f, false), env(f, true)
	f.Fuzz(func(t *testing.T, text string) {
		defer time.AfterFunc(patience, func() { panic(fmt.Sprintf("%q takes longer than %s", text, patience)) }).Stop()
		for _, e := range []*rule.Env{strict, guarded} {
			r, err := e.Compile(text)
			if err != nil {
				if p := problem.As(err); p == nil || len(p.At) == 0 || p.Detail.Empty() {
					t.Fatalf("%q: %v", text, err)
				}
				continue
			}
			if _, err := r.Eval(person(nil), asOf); err != nil && problem.As(err) == nil {
				t.Fatalf("%q: %v", text, err)
			}
			for _, d := range []rule.Dialect{rule.SQLite, rule.Postgres} {
				if _, _, err := r.SQL(d, asOf, column); err != nil && problem.Code(err) != "rule.no_sql" {
					t.Fatalf("%q: %v", text, err)
				}
			}
		}
	})
}
