package rule_test

import (
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// The households of eight and nine are the notice's own way on: the step from six to seven again (보건복지부 고시).
func TestParametersAreThoseOfTheDay(t *testing.T) {
	e := env(t, false)
	for _, c := range []struct {
		day  manifest.Day
		rule string
		yes  bool
		code string
	}{
		{"2026-12-31", `param("wage") == 10320`, true, ""},
		{"2027-01-01", `param("wage") == 10700`, true, ""},
		{"2024-12-31", `param("wage") > 0`, false, "rule.parameter"},
		{"2026-11-24", `params.wage == 7 && params.ratio == 1.5`, true, ""},
		{"2026-11-24", `median_income(8) == 10474348 && median_income(9) - median_income(8) == 959198`, true, ""},
		{"2027-11-24", `median_income(1) == 2 * 2564238`, true, ""},
		{"2026-11-24", `income <= won(1.5 * median_income(int(ratio))) && won(1.5 * median_income(int(ratio))) == 3846357`, true, ""},
		{"2026-11-24", `median_income(0) > 0`, false, "rule.parameter"},
		{"2026-11-24", `share(3) == 2.0`, false, "rule.parameter"}, // a row that is left out
		{"2026-11-24", `share(99) == 2.0`, true, ""},
		{"2026-11-24", `grade(-1) == 7 && param("grade", 0) == 9`, true, ""},
		{"2026-11-24", `grade(1) == 9`, false, "rule.parameter"},
		{"2026-11-24", `param("kinds", "home") == 0.0104`, true, ""},
	} {
		yes, err := compile(t, e, c.rule).Eval(person(nil), c.day)
		if yes != c.yes || problem.Code(err) != c.code {
			t.Errorf("%s on %s: %v, %v", c.rule, c.day, yes, err)
		}
	}
}

func TestParametersThatCantBeNamed(t *testing.T) {
	e := env(t, false)
	for text, code := range map[string]string{
		`param("wages") > 1`:          "rule.unknown_parameter",
		`params.cap > 1`:              "rule.unknown_parameter",
		`param(name) > 1`:             "rule.type",
		`param("wage", 1) > 1`:        "rule.type",
		`param("median-income") > 1`:  "rule.type",
		`median_income("1") > 1`:      "rule.type",
		`median_income(1, 2) > 1`:     "rule.unknown_function",
		`param("kinds", "car") > 1.0`: "rule.unknown_parameter",
		`param("kinds", name) > 1.0`:  "rule.unknown_parameter",
		`wage(1) > 1`:                 "rule.unknown_function",
	} {
		if _, err := e.Compile(text); problem.Code(err) != code {
			t.Errorf("%s: %v", text, err)
		}
	}
}
