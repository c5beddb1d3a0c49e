package service

import (
	"cmp"
	"slices"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

// Outcome is what a service or a clause says of somebody.
type Outcome string

// The outcomes. Failed is an error of a clause for this person, such as a number that isn't finite: it is reported, and never a no.
const (
	Yes     Outcome = "yes"
	No      Outcome = "no"
	Unknown Outcome = "unknown"
	Failed  Outcome = "error"
)

// Verdict is what is said of one person on a day.
type Verdict struct {
	Outcome Outcome         `json:"outcome"`
	AsOf    manifest.Day    `json:"as_of"`
	Clauses []ClauseVerdict `json:"clauses"`
	Missing []string        `json:"missing"` // facts that can still change the outcome, in the order in which they settle most
	Benefit *Amount         `json:"benefit,omitempty"`
}

// ClauseVerdict is what a clause says, and its reason in both languages.
type ClauseVerdict struct {
	Outcome Outcome   `json:"outcome"`
	Why     lang.Text `json:"why"`
	Law     string    `json:"law,omitempty"`
	Missing []string  `json:"missing,omitempty"`
	Code    string    `json:"code,omitempty" doc:"Of an error: see docs/problems.md"`
	Problem lang.Text `json:"problem,omitzero" doc:"Of an error: what it is"`
}

// Amount is what one would get: whole won, or a share where the unit is percent.
type Amount struct {
	Amount  any      `json:"amount,omitempty"`
	Unit    string   `json:"unit,omitempty"`
	Months  int      `json:"months,omitempty"`
	Missing []string `json:"missing,omitempty"` // facts on which it still depends
}

// Check answers for somebody of whom known is known: what isn't in it is unknown, nil is known to be nothing. Every clause is looked at, for its reason, also behind one that fails; but
// where one fails nothing more is missing.
func (s *Service) Check(known map[string]any, asOf manifest.Day) *Verdict {
	v := &Verdict{Outcome: Yes, AsOf: asOf, Clauses: make([]ClauseVerdict, len(s.Clauses)), Missing: []string{}}
	weight := map[string]float64{}
	for i := range s.Clauses {
		c := &s.Clauses[i]
		answer, missing, err := c.rule.Judge(known, asOf)
		out := ClauseVerdict{Why: lang.T(say(c.ko, lang.Ko, known, asOf), say(c.en, lang.En, known, asOf)), Law: c.Spec.Law}
		switch {
		case err != nil:
			out.Outcome, out.Code, out.Problem = Failed, "service.clause", lang.T("이 요건을 확인할 수 없습니다", "this clause can't be looked at")
			if p := problem.As(err); p != nil {
				out.Code, out.Problem = p.Code, p.Detail
			}
		case answer == rule.Yes:
			out.Outcome = Yes
		case answer == rule.No:
			out.Outcome = No
		default:
			out.Outcome, out.Missing = Unknown, missing
			for _, name := range missing {
				weight[name] += 1 / float64(len(missing))
			}
		}
		v.Clauses[i] = out
		v.Outcome = worse(v.Outcome, out.Outcome)
	}
	if v.Outcome == No {
		return v
	}
	for i := range s.Facts {
		if weight[s.Facts[i].Name] > 0 {
			v.Missing = append(v.Missing, s.Facts[i].Name)
		}
	}
	slices.SortStableFunc(v.Missing, func(a, b string) int { return cmp.Compare(weight[b], weight[a]) })
	v.Benefit = s.benefit(known, asOf)
	return v
}

// Outcome is what [Service.Check] says, without reasons and without what is missing: for lists of many services. It looks no further than the first clause that fails.
func (s *Service) Outcome(known map[string]any, asOf manifest.Day) Outcome {
	out := Yes
	for i := range s.Clauses {
		one := s.Clauses[i].outcome(known, asOf)
		if one == No {
			return No
		}
		out = worse(out, one)
	}
	return out
}

func (c *Clause) outcome(known map[string]any, asOf manifest.Day) Outcome {
	switch answer, _, err := c.rule.Judge(known, asOf); {
	case err != nil:
		return Failed
	case answer == rule.Yes:
		return Yes
	case answer == rule.No:
		return No
	}
	return Unknown
}

// order is that in which outcomes outweigh each other.
var order = [...]Outcome{No, Failed, Unknown, Yes}

// worse is the outcome of two clauses together: one no settles it, an error is told before what isn't known yet.
func worse(a, b Outcome) Outcome {
	return order[min(slices.Index(order[:], a), slices.Index(order[:], b))]
}

// benefit is what one would get by what is known.
func (s *Service) benefit(known map[string]any, asOf manifest.Day) *Amount {
	b := s.Spec.Benefit
	if b == nil {
		return nil
	}
	out := &Amount{Unit: b.Unit, Months: b.Months}
	if s.Amount == nil {
		return out
	}
	amount, missing, err := s.Amount.Eval(known, asOf)
	if err != nil {
		return nil
	}
	out.Amount, out.Missing = amount, missing
	return out
}
