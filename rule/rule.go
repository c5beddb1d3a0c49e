package rule

import (
	"fmt"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Rule is a compiled expression that says yes or no. It is immutable and safe for concurrent use.
type Rule struct {
	text    string
	env     *Env
	tree    *expr
	program cel.Program
	quick   *quick // nil: CEL alone answers
	parts   func() (*judged, error)
}

// Params are the parameters that the rule names.
func (r *Rule) Params() []*Param { return r.tree.params() }

// String is the expression as it was written.
func (r *Rule) String() string { return r.text }

// Fields are the names of the fields that the rule reads, sorted.
func (r *Rule) Fields() []string { return r.tree.fields() }

// Dated reports whether the answer may be another on another day: the rule asks for today, or for an age.
func (r *Rule) Dated() (yes bool) {
	r.tree.walk(func(e *expr) { yes = yes || e.op == opToday })
	return yes
}

// Eval answers for one record on a day. Values are as [manifest.Type] has them; every field that matters for the answer must be in record,
// a null as nil.
//
// An error is a *problem.Problem with status 422: rule.arithmetic (overflow, division by zero, out of range), rule.missing (the record has
// no value), rule.value (a value that isn't of its field's type), rule.parameter (one has no value on that day, or no such row), rule.as_of.
func (r *Rule) Eval(record map[string]any, asOf manifest.Day) (bool, error) {
	if r.quick != nil {
		if yes, ok := r.quick.answer(record, asOf); ok {
			return yes, nil
		}
	}
	out, _, err := r.program.Eval(&facts{env: r.env, record: record, asOf: asOf})
	if err != nil {
		return false, evaluationError(err)
	}
	yes, ok := out.(types.Bool)
	if !ok {
		return false, fmt.Errorf("rule: the answer is a %s", out.Type().TypeName())
	}
	return bool(yes), nil
}

// evaluationError is an error of an evaluation as a problem. The only error of CEL's own that a checked tree can meet is an int that
// leaves 64 bits.
func evaluationError(err error) error {
	if p := problem.As(err); p != nil {
		return p
	}
	if err.Error() == "integer overflow" {
		return errInt
	}
	return fmt.Errorf("rule: evaluate: %w", err)
}
