package rule

import (
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"

	"github.com/maru-city/maru/manifest"
)

// Answer is what a rule says of somebody of whom not everything is known.
type Answer int8

// The answers. Unknown isn't No: nobody has told us yet.
const (
	Unknown Answer = iota
	Yes
	No
)

// judged is a rule taken apart where it is put together by &&, ||, ! and ?:, so that what isn't known is asked for only where it matters.
type judged struct {
	op      *operation // nil: an atom
	args    []*judged
	program cel.Program
	fields  []string // of an atom, in the order in which it reads them
}

// verdict is an answer, the facts that it still depends on, and what is wrong with the facts.
type verdict struct {
	answer  Answer
	missing []string
	err     error
}

// takeApart makes the parts of a rule. It is done when a rule first judges: filters never do.
func (e *Env) takeApart(tree *expr) (*judged, error) {
	if tree.op != opAnd && tree.op != opOr && tree.op != opNot && (tree.op != opChoose || tree.typ != tBool) {
		program, err := e.plan(tree)
		return &judged{program: program, fields: tree.reads()}, err
	}
	out := &judged{op: tree.op}
	for _, a := range tree.args {
		part, err := e.takeApart(a)
		if err != nil {
			return nil, err
		}
		out.args = append(out.args, part)
	}
	return out, nil
}

// reads are the names of the fields that e reads, in order.
func (e *expr) reads() (names []string) {
	e.walk(func(x *expr) {
		if name := x.read(); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// Judge answers for somebody of whom known is known: a field that isn't in it is unknown, nil is known to be nothing. missing are the fields on which the answer
// still depends, in the order in which they are best asked for; it is empty unless the answer is Unknown.
//
// As in SQL, false && unknown is false and true || unknown is true. An error (see [Rule.Eval]) beside something unknown waits for it.
func (r *Rule) Judge(known map[string]any, asOf manifest.Day) (answer Answer, missing []string, err error) {
	if r.quick != nil {
		switch yes, ok := r.quick.answer(known, asOf); {
		case ok && yes:
			return Yes, nil, nil
		case ok:
			return No, nil, nil
		}
	}
	parts, err := r.parts()
	if err != nil {
		return Unknown, nil, err
	}
	v := parts.judge(&facts{env: r.env, record: known, asOf: asOf, partial: true})
	return v.answer, v.missing, v.err
}

func (j *judged) judge(f *facts) verdict {
	switch j.op {
	case opAnd:
		return j.both(f, No)
	case opOr:
		return j.both(f, Yes)
	case opNot:
		v := j.args[0].judge(f)
		switch v.answer {
		case Yes:
			v.answer = No
		case No:
			v.answer = Yes
		}
		return v
	case opChoose:
		test := j.args[0].judge(f)
		switch {
		case test.answer == Yes:
			return j.args[1].judge(f)
		case test.answer == No:
			return j.args[2].judge(f)
		case test.err == nil:
			test.missing = union(test.missing, j.args[1].judge(f).missing, j.args[2].judge(f).missing)
		}
		return test
	}
	out, _, err := j.program.Eval(f)
	if err != nil {
		return verdict{err: evaluationError(err)}
	}
	if types.IsUnknown(out) {
		return verdict{missing: slices.DeleteFunc(slices.Clone(j.fields), func(name string) bool { _, known := f.record[name]; return known })}
	}
	if out == types.True {
		return verdict{answer: Yes}
	}
	return verdict{answer: No}
}

// both is && where settling is No, || where it is Yes: the answer that settles it whatever the other side is.
func (j *judged) both(f *facts, settling Answer) verdict {
	a := j.args[0].judge(f)
	if a.answer == settling {
		return a
	}
	b := j.args[1].judge(f)
	switch {
	case b.answer == settling:
		return b
	case len(a.missing) > 0 || len(b.missing) > 0:
		return verdict{missing: union(a.missing, b.missing)}
	case a.err != nil:
		return a
	}
	return b
}

// union joins lists of names, the first place of each counts.
func union(lists ...[]string) (out []string) {
	for _, list := range lists {
		for _, name := range list {
			if !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}

// Value is a compiled expression that has a value. It is immutable and safe for concurrent use.
type Value struct {
	text    string
	env     *Env
	tree    *expr
	program cel.Program
}

// CompileValue checks an expression of any type. Its errors are those of [Env.Compile].
func (e *Env) CompileValue(text string) (*Value, error) {
	parsed, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := &checker{env: e, info: parsed.SourceInfo()}
	tree := c.expr(parsed.Expr())
	if tree != nil {
		if tree.typ == tBool {
			tree = c.guard(tree)
		} else {
			tree = c.value(tree, nil, map[string]*expr{})
		}
	}
	if tree == nil || len(c.faults) > 0 {
		return nil, c.problem()
	}
	program, err := e.plan(tree)
	if err != nil {
		return nil, err
	}
	return &Value{text: text, env: e, tree: tree, program: program}, nil
}

// String is the expression as it was written.
func (v *Value) String() string { return v.text }

// Type is the type of its values.
func (v *Value) Type() manifest.Type { return v.tree.typ }

// Fields are the names of the fields that it reads, sorted.
func (v *Value) Fields() []string { return v.tree.fields() }

// Eval is the value for somebody of whom known is known, or else the fields that it still depends on. Errors are those of [Rule.Eval].
func (v *Value) Eval(known map[string]any, asOf manifest.Day) (value any, missing []string, err error) {
	out, _, err := v.program.Eval(&facts{env: v.env, record: known, asOf: asOf, partial: true})
	switch {
	case err != nil:
		return nil, nil, evaluationError(err)
	case types.IsUnknown(out):
		return nil, slices.DeleteFunc(v.tree.reads(), func(name string) bool { _, there := known[name]; return there }), nil
	case out == types.NullValue:
		return nil, nil, nil
	}
	return out.Value(), nil, nil
}
