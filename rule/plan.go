package rule

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/functions"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/maru-city/maru/manifest"
)

// Names in the evaluation. Fields stand behind a prefix, so that none can hide a type of CEL or another's.
const (
	asOfVariable = "as_of"
	fieldPrefix  = "record."
)

func variable(field string) string { return fieldPrefix + field }

// celTypes are the types of values in the evaluation. Days are their text, whose order is theirs.
var celTypes = map[manifest.Type]*cel.Type{
	manifest.String: cel.StringType, manifest.Int: cel.IntType, manifest.Double: cel.DoubleType, manifest.Bool: cel.BoolType,
	manifest.Date: cel.StringType, manifest.Datetime: cel.StringType, manifest.Geometry: cel.StringType,
}

func celType(t manifest.Type, nullable bool) *cel.Type {
	if t == tList {
		return cel.ListType(cel.MapType(cel.StringType, cel.DynType))
	}
	if nullable {
		return cel.NullableType(celTypes[t])
	}
	return celTypes[t]
}

// evaluation is CEL with our operations and no fields. What is written never reaches it: only trees that the checker made.
var evaluation = sync.OnceValues(func() (*cel.Env, error) {
	options := []cel.EnvOption{cel.ClearMacros(), cel.Variable(asOfVariable, cel.StringType), cel.ExpressionNodeLimit(20 * MaxNodes)}
	ours := []*operation{opRanged, opWon, opWonFloor, opSince, opWithin, opAge, opBounded}
	ours = append(ours, nones...)
	for _, name := range slices.Sorted(maps.Keys(operations)) {
		ours = append(ours, operations[name]...)
	}
	for _, o := range ours {
		if o.id == "" {
			continue
		}
		args := make([]*cel.Type, len(o.args))
		for i, t := range o.args {
			args[i] = celTypes[t]
		}
		options = append(options, cel.Function(o.id, cel.Overload(o.id+"_overload", args, celTypes[o.result], o.binding())))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("rule: declare the operations: %w", err)
	}
	return env, nil
})

func (o *operation) binding() cel.OverloadOpt {
	switch do := o.do.(type) {
	case func(ref.Val) ref.Val:
		return cel.UnaryBinding(do)
	case func(ref.Val, ref.Val) ref.Val:
		return cel.BinaryBinding(do)
	case func(...ref.Val) ref.Val:
		return cel.FunctionBinding(functions.FunctionOp(do))
	}
	panic("rule: operation " + o.id + " does nothing")
}

// seed is the checked expression in whose place a tree is put: the optimizer is CEL's way to take a tree that no text was parsed to.
var seed = sync.OnceValues(func() (*cel.Ast, error) {
	env, err := evaluation()
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile("true")
	return checked, issues.Err()
})

// builder makes CEL's tree from ours.
type builder struct {
	ast.ExprFactory
	tree *expr
	last int64
}

// Optimize implements cel.ASTOptimizer.
func (b *builder) Optimize(_ *cel.OptimizerContext, was *ast.AST) *ast.AST {
	return ast.NewAST(b.expr(b.tree), was.SourceInfo())
}

// plan prepares a tree for evaluation.
func (e *Env) plan(tree *expr) (cel.Program, error) {
	start, err := seed()
	if err != nil {
		return nil, err
	}
	env := e.cel
	var declared []cel.EnvOption
	for _, p := range tree.params() {
		declared = append(declared, p.declare())
	}
	if c := tree.counts(); c != nil {
		declared = append(declared, c.declare())
	}
	if len(declared) > 0 {
		if env, err = env.Extend(declared...); err != nil {
			return nil, fmt.Errorf("rule: declare the parameters and the calendar: %w", err)
		}
	}
	optimizer, err := cel.NewStaticOptimizer(&builder{ExprFactory: ast.NewExprFactory(), tree: tree})
	if err != nil {
		return nil, fmt.Errorf("rule: %w", err)
	}
	checked, issues := optimizer.Optimize(env, start)
	if err := issues.Err(); err != nil {
		return nil, fmt.Errorf("rule: a checked tree was refused by CEL: %w", err)
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil { // constants that are an error, such as int(1e30): the answer may not depend on them
		program, err = env.Program(checked)
	}
	if err != nil {
		return nil, fmt.Errorf("rule: plan: %w", err)
	}
	return program, nil
}

func (b *builder) id() int64 { b.last++; return b.last }

func (b *builder) expr(e *expr) ast.Expr {
	switch {
	case e.of != nil:
		return b.NewSelect(b.id(), b.NewIdent(b.id(), itemVariable), e.field.Name)
	case e.field != nil:
		return b.NewIdent(b.id(), variable(e.field.Name))
	case e.op == nil:
		return b.NewLiteral(b.id(), types.DefaultTypeAdapter.NativeToValue(e.literal))
	case e.op.build != nil:
		return e.op.build(b, e)
	}
	args := make([]ast.Expr, len(e.args))
	for i, a := range e.args {
		args[i] = b.expr(a)
	}
	switch {
	case e.op.id != "":
		return b.NewCall(b.id(), e.op.id, args...)
	case e.op.form == member:
		return b.NewMemberCall(b.id(), e.op.name, args[0], args[1:]...)
	}
	return b.NewCall(b.id(), e.op.name, args...)
}

func buildNullTest(name string) func(*builder, *expr) ast.Expr {
	return func(b *builder, e *expr) ast.Expr {
		return b.NewCall(b.id(), name, b.expr(e.args[0]), b.NewLiteral(b.id(), types.NullValue))
	}
}

func buildOrValue(b *builder, e *expr) ast.Expr {
	test := b.NewCall(b.id(), operators.Equals, b.expr(e.args[0]), b.NewLiteral(b.id(), types.NullValue))
	return b.NewCall(b.id(), operators.Conditional, test, b.expr(e.args[1]), b.expr(e.args[0]))
}

func buildIn(b *builder, e *expr) ast.Expr {
	elements := make([]ast.Expr, 0, len(e.args)-1)
	for _, a := range e.args[1:] {
		elements = append(elements, b.expr(a))
	}
	return b.NewCall(b.id(), operators.In, b.expr(e.args[0]), b.NewList(b.id(), elements, nil))
}

// buildInt leaves the bounds to CEL, whose int(double) has the same.
func buildInt(b *builder, e *expr) ast.Expr { return b.NewCall(b.id(), "int", b.expr(e.args[0])) }

func buildToday(b *builder, _ *expr) ast.Expr { return b.NewIdent(b.id(), asOfVariable) }
