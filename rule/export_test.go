package rule

import (
	"cel.dev/cel-go/common/types"

	"github.com/maru-city/maru/manifest"
)

// CompileValue compiles an expression of any type, so that tests can compare values to the last digit and not only answers. A null that
// it reads is an error in memory and NULL in SQL. e must be guarded.
func CompileValue(e *Env, text string) (*Rule, manifest.Type, error) {
	parsed, err := parse(text)
	if err != nil {
		return nil, "", err
	}
	c := &checker{env: e, info: parsed.SourceInfo()}
	tree := c.expr(parsed.Expr())
	if tree == nil {
		return nil, "", c.problem()
	}
	tree = c.value(tree, nil, map[string]*expr{})
	program, err := e.plan(tree)
	if err != nil {
		return nil, "", err
	}
	return &Rule{text: text, env: e, tree: tree, program: program, quick: makeQuick(tree)}, tree.typ, nil
}

// EvalValue is the value of a rule made by CompileValue, as records have it.
func (r *Rule) EvalValue(record map[string]any, asOf manifest.Day) (any, error) {
	out, _, err := r.program.Eval(&facts{env: r.env, record: record, asOf: asOf})
	if err != nil {
		return nil, err
	}
	if out == types.NullValue {
		return nil, nil
	}
	return out.Value(), nil
}

// EvalCEL is Eval by CEL alone.
func (r *Rule) EvalCEL(record map[string]any, asOf manifest.Day) (bool, error) {
	slow := *r
	slow.quick = nil
	return slow.Eval(record, asOf)
}

// QuickValue is a value without CEL; ok is false where that is CEL's to say.
func (r *Rule) QuickValue(record map[string]any, asOf manifest.Day) (v any, ok bool) {
	if r.quick == nil {
		return nil, false
	}
	out, ok := r.quick.run(record, asOf)
	switch {
	case !ok || out.null:
		return nil, ok
	case r.tree.typ == tInt:
		return out.n, true
	case r.tree.typ == tDouble:
		return out.f, true
	case r.tree.typ == tBool:
		return out.n == 1, true
	}
	return out.s, true
}
