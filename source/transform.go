package source

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Limits of what is computed for one row.
const (
	transformCost   = 1_000_000 // CEL's own measure, and the bytes of the texts that are made
	transformLength = 16_000    // of an expression, in bytes
)

// Transform computes fields from a row's columns (source.set) and says which rows are taken (source.where). Expressions are CEL over row, the text of each
// column by its name: row['성'] + row['이름']. They have CEL's own functions and those of its strings extension.
type Transform struct {
	where cel.Program
	set   map[string]cel.Program // by field
	uses  map[string]bool
	all   bool // which columns are used isn't known before a row is read
}

// NewTransform compiles a source's expressions; nil where it has none. Its error is a problem with code source.expression, with all that is wrong in At.
func NewTransform(s *manifest.Source) (*Transform, error) {
	if s == nil || s.Where == "" && len(s.Set) == 0 {
		return nil, nil
	}
	env, err := cel.NewEnv(cel.Variable("row", cel.MapType(cel.StringType, cel.StringType)), ext.Strings(ext.StringsVersion(4)))
	if err != nil {
		return nil, fmt.Errorf("environment of a source's expressions: %w", err)
	}
	t := &Transform{set: map[string]cel.Program{}, uses: map[string]bool{}}
	var faults []problem.Detail
	compile := func(where, text string, fits func(*cel.Type) bool, wrong lang.Text) cel.Program {
		fault := func(message lang.Text) cel.Program {
			faults = append(faults, problem.Detail{Code: "source.expression", Where: where, Message: message})
			return nil
		}
		if len(text) > transformLength {
			return fault(lang.F("식이 너무 깁니다 (최대 %d바이트)", "the expression is longer than %d bytes", transformLength))
		}
		tree, issues := env.Compile(text)
		if issues.Err() != nil {
			first := issues.Errors()[0]
			return fault(lang.F("식을 해석할 수 없습니다(%[1]d행 %[2]d열): %[3]s", "the expression can't be read: %[1]d:%[2]d %[3]s", first.Location.Line(), first.Location.Column()+1, brief(first.Message)))
		}
		if !fits(tree.OutputType()) {
			return fault(wrong)
		}
		t.look(tree.NativeRep().Expr())
		p, err := env.Program(tree, cel.CostLimit(transformCost), cel.CostTracking(textCost{}), cel.EvalOptions(cel.OptOptimize))
		if err != nil {
			return fault(lang.F("식을 쓸 수 없습니다: %s", "the expression can't be used: %s", brief(err.Error())))
		}
		return p
	}
	if s.Where != "" {
		t.where = compile("source.where", s.Where, func(c *cel.Type) bool { return c.IsExactType(cel.BoolType) }, lang.T("결과가 참이나 거짓인 식이어야 합니다", "it must be true or false"))
	}
	for _, field := range slices.Sorted(maps.Keys(s.Set)) {
		t.set[field] = compile("source.set."+field, s.Set[field], func(c *cel.Type) bool {
			return slices.ContainsFunc([]*cel.Type{cel.StringType, cel.IntType, cel.UintType, cel.DoubleType, cel.BoolType, cel.TimestampType, cel.NullType, cel.DynType}, c.IsExactType)
		}, lang.T("결과가 문자, 수, 참·거짓, 시각 가운데 하나인 식이어야 합니다", "it must be a text, a number, yes or no, or a time"))
	}
	if len(faults) == 0 {
		return t, nil
	}
	p := problem.New("source.expression", 422, lang.T("원본의 값을 바꾸는 식에 잘못이 있습니다", "an expression of the source is wrong")).
		Hinting(lang.T("열은 row['열 이름']으로, 문자는 '…'로 쓰십시오", "write a column as row['name'], a text as '…'"))
	p.At = faults
	return nil, p
}

// textCost charges for the texts and lists that a function makes: each is made at most once before the limit is reached.
type textCost struct{}

func (textCost) CallCost(_, _ string, args []ref.Val, result ref.Val) *uint64 {
	size := uint64(0)
	for _, v := range append(args, result) {
		switch v := v.(type) {
		case types.String:
			size += uint64(len(v))
		case traits.Sizer:
			if n, ok := v.Size().(types.Int); ok && n > 0 {
				size += uint64(n)
			}
		}
	}
	cost := 1 + size
	return &cost
}

// look finds the columns that an expression names.
func (t *Transform) look(e ast.Expr) {
	isRow := func(e ast.Expr) bool { return e.Kind() == ast.IdentKind && e.AsIdent() == "row" }
	named := 0
	ast.PreOrderVisit(e, ast.NewExprVisitor(func(e ast.Expr) {
		switch e.Kind() {
		case ast.SelectKind:
			if s := e.AsSelect(); isRow(s.Operand()) {
				t.uses[s.FieldName()] = true
				named++
			}
		case ast.CallKind:
			c := e.AsCall()
			switch c.FunctionName() {
			case operators.Index:
				if key := c.Args()[1]; isRow(c.Args()[0]) && key.Kind() == ast.LiteralKind && key.AsLiteral().Type() == types.StringType {
					t.uses[string(key.AsLiteral().(types.String))] = true
					named++
				}
			case operators.In:
				if key := c.Args()[0]; isRow(c.Args()[1]) && key.Kind() == ast.LiteralKind && key.AsLiteral().Type() == types.StringType {
					t.uses[string(key.AsLiteral().(types.String))] = true
					named++
				}
			}
		case ast.IdentKind:
			if isRow(e) {
				named--
			}
		}
	}))
	if named < 0 { // row stands somewhere by itself
		t.all = true
	}
}

// Sets reports whether a field is computed.
func (t *Transform) Sets(field string) bool { return t != nil && t.set[field] != nil }

// Uses reports whether a column is read.
func (t *Transform) Uses(column string) bool { return t != nil && (t.all || t.uses[column]) }

// Takes reports whether a row is taken.
func (t *Transform) Takes(row map[string]string) (bool, *lang.Text) {
	if t == nil || t.where == nil {
		return true, nil
	}
	v, fault := t.eval(t.where, row)
	return fault == nil && v == types.True, fault
}

// Compute is the text of a field.
func (t *Transform) Compute(field string, row map[string]string) (string, *lang.Text) {
	v, fault := t.eval(t.set[field], row)
	if fault != nil {
		return "", fault
	}
	switch v := v.(type) {
	case types.Null:
		return "", nil
	case types.String:
		return string(v), nil
	case types.Int:
		return strconv.FormatInt(int64(v), 10), nil
	case types.Uint:
		return strconv.FormatUint(uint64(v), 10), nil
	case types.Double:
		return strconv.FormatFloat(float64(v), 'f', -1, 64), nil
	case types.Bool:
		return strconv.FormatBool(bool(v)), nil
	case types.Timestamp:
		return v.Time.In(time.UTC).Format(manifest.DatetimeLayout), nil
	}
	text := lang.F("식의 결과로 쓸 수 없는 유형입니다: %s", "the expression's result has a type that can't be used: %s", v.Type().TypeName())
	return "", &text
}

func (t *Transform) eval(p cel.Program, row map[string]string) (ref.Val, *lang.Text) {
	v, _, err := p.Eval(map[string]any{"row": row})
	if err == nil {
		return v, nil
	}
	why := err.Error()
	var own *types.Err
	if errors.As(err, &own) {
		why = own.Error()
	}
	if column, ok := strings.CutPrefix(why, "no such key: "); ok {
		text := lang.F("식에 쓴 열이 원본에 없습니다: %s", "there is no column %s, which the expression reads", brief(column))
		return nil, &text
	}
	text := lang.F("식을 계산할 수 없습니다 (%s)", "the expression can't be computed: %s", brief(why))
	return nil, &text
}
