package rule_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/rule"
)

// TestWhatIsUnknownIsAskedOnlyWhereItMatters judges random expressions on random parts of random records: an answer holds whatever the rest is, without an answer
// nothing but what is missing changes it, and of all facts it is the answer of the whole.
func TestWhatIsUnknownIsAskedOnlyWhereItMatters(t *testing.T) {
	var early, open, failed int
	rapid.Check(t, func(rt *rapid.T) {
		guarded := rapid.Bool().Draw(rt, "guarded")
		w := &writer{T: rt, guarded: guarded}
		text := w.condition(4, 2)
		r, err := env(t, guarded).Compile(text)
		if err != nil {
			rt.Fatalf("%s\n%v", text, err)
		}
		whole := record().Draw(rt, "record")
		want, wantErr := r.Eval(whole, asOf)
		known := map[string]any{}
		for _, f := range fields {
			if rapid.Bool().Draw(rt, "known") {
				known[f.Name] = whole[f.Name]
			}
		}
		said, missing, err := r.Judge(known, asOf)
		for _, name := range missing {
			if _, there := known[name]; there || !slices.Contains(r.Fields(), name) {
				rt.Fatalf("%s: asks for %s", text, name)
			}
		}
		switch {
		case said != rule.Unknown:
			early++
			if err != nil || len(missing) > 0 || wantErr != nil || (said == rule.Yes) != want {
				rt.Fatalf("%s: said %v %v %v, in the end %v %v", text, said, missing, err, want, wantErr)
			}
		case err != nil:
			failed++
			if len(missing) > 0 || wantErr == nil || problem.Code(err) != problem.Code(wantErr) && problem.Code(wantErr) != "rule.parameter" && problem.Code(err) != "rule.parameter" {
				rt.Fatalf("%s: failed with %v, in the end %v %v", text, err, want, wantErr)
			}
		default:
			open++
			if len(missing) == 0 {
				rt.Fatalf("%s: unknown, and nothing to ask", text)
			}
			more := maps.Clone(known)
			for name, v := range whole {
				if !slices.Contains(missing, name) {
					more[name] = v
				}
			}
			if again, still, err := r.Judge(more, asOf); again != rule.Unknown || err != nil || !slices.Equal(still, missing) {
				rt.Fatalf("%s: missing %v, but what isn't changes it: %v %v %v", text, missing, again, still, err)
			}
		}
		for len(missing) > 0 { // ask one by one
			known[missing[0]] = whole[missing[0]]
			said, missing, err = r.Judge(known, asOf)
		}
		if (said == rule.Yes) != (wantErr == nil && want) || (err != nil) != (wantErr != nil) {
			rt.Fatalf("%s: at the end %v %v, of the whole %v %v", text, said, err, want, wantErr)
		}
	})
	t.Logf("%d answers before all was known or with all, %d open, %d errors", early, open, failed)
	if early == 0 || open == 0 {
		t.Error("the expressions are too plain to tell")
	}
}

func TestOneNoSettlesIt(t *testing.T) {
	r := compile(t, env(t, false), `age(birth_date) >= 19 && income <= won(1.5 * median_income(2)) && (active || name == "x")`)
	for _, c := range []struct {
		known   map[string]any
		answer  rule.Answer
		missing []string
	}{
		{nil, rule.Unknown, []string{"birth_date", "income", "active", "name"}},
		{map[string]any{"birth_date": "2020-01-01"}, rule.No, nil},
		{map[string]any{"income": int64(9_000_000)}, rule.No, nil},
		{map[string]any{"income": int64(1), "active": true}, rule.Unknown, []string{"birth_date"}},
		{map[string]any{"income": int64(1), "active": false}, rule.Unknown, []string{"birth_date", "name"}},
		{map[string]any{"income": int64(1), "birth_date": "2000-01-01", "name": "x"}, rule.Yes, nil},
	} {
		answer, missing, err := r.Judge(c.known, asOf)
		if answer != c.answer || !slices.Equal(missing, c.missing) || err != nil {
			t.Errorf("%v: %v %v %v", c.known, answer, missing, err)
		}
	}
}

// An error is told when nothing unknown could still settle the rule without it.
func TestAnErrorWaitsForWhatIsUnknown(t *testing.T) {
	r := compile(t, env(t, false), `ratio / 0.0 > 1.0 && income > 1`)
	for _, c := range []struct {
		known   map[string]any
		answer  rule.Answer
		missing []string
		code    string
	}{
		{map[string]any{"ratio": 1.5}, rule.Unknown, []string{"income"}, ""},
		{map[string]any{"ratio": 1.5, "income": int64(1)}, rule.No, nil, ""},
		{map[string]any{"ratio": 1.5, "income": int64(2)}, rule.Unknown, nil, "rule.arithmetic"},
	} {
		answer, missing, err := r.Judge(c.known, asOf)
		if answer != c.answer || !slices.Equal(missing, c.missing) || problem.Code(err) != c.code {
			t.Errorf("%v: %v %v %v", c.known, answer, missing, err)
		}
	}
}

func TestAValueSaysWhatItStillDependsOn(t *testing.T) {
	v, err := env(t, false).CompileValue(`active ? min(income, 200000) : params.wage`)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		known   map[string]any
		value   any
		missing []string
	}{
		{nil, nil, []string{"active", "income"}},
		{map[string]any{"active": false}, int64(7), nil},
		{map[string]any{"active": true}, nil, []string{"income"}},
		{map[string]any{"active": true, "income": int64(300_000)}, int64(200_000), nil},
	} {
		value, missing, err := v.Eval(c.known, asOf)
		if value != c.value || !slices.Equal(missing, c.missing) || err != nil {
			t.Errorf("%v: %v %v %v", c.known, value, missing, err)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	r, known := compile(b, env(b, false), eligibility), person(map[string]any{"size": int64(1)})
	for b.Loop() {
		if yes, _, err := r.Judge(known, asOf); err != nil || yes != rule.Yes {
			b.Fatal(yes, err)
		}
	}
}
