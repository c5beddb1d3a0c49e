package rule_test

import "testing"

// eligibility is a rule of the usual size: six clauses.
const eligibility = `age(birth_date) >= 19 && age(birth_date) <= 39 && size != null && size >= 1 && income <= won(1.5 * 2392013) && name in ["가", "나", "홍길동"]`

func BenchmarkCompile(b *testing.B) {
	e := env(b, false)
	for b.Loop() {
		if _, err := e.Compile(eligibility); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	r, record := compile(b, env(b, false), eligibility), person(map[string]any{"size": int64(1)})
	for b.Loop() {
		if yes, err := r.Eval(record, asOf); err != nil || !yes {
			b.Fatal(yes, err)
		}
	}
}

func BenchmarkSQL(b *testing.B) {
	r := compile(b, env(b, false), eligibility)
	for b.Loop() {
		if _, _, err := r.SQL("sqlite", asOf, column); err != nil {
			b.Fatal(err)
		}
	}
}
