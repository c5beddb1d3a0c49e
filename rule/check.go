package rule

import (
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// checker turns CEL's tree into ours: names resolved, types known, numbers of one kind. A method that returns nil has noted why.
type checker struct {
	env    *Env
	info   *ast.SourceInfo
	faults []problem.Detail
	depth  int

	variables map[string]*Field // names of records of lists
}

// root checks a whole expression: it says yes or no, and its nulls are guarded.
func (c *checker) root(e ast.Expr) *expr {
	x := c.expr(e)
	if x == nil {
		return nil
	}
	if x.typ != tBool {
		c.fault(e, "rule.type", lang.F("규칙의 결과는 예·아니요 값이어야 합니다 (지금 유형: %s)", "a rule says yes or no, this is of type %s", typeNames[x.typ]),
			lang.T("x > 0처럼 비교하십시오", "compare, as in x > 0"))
		return nil
	}
	return c.guard(x)
}

func (c *checker) where(e ast.Expr) string { return where(c.info.GetStartLocation(e.ID())) }

func (c *checker) fault(e ast.Expr, code string, message, hint lang.Text) *expr {
	return c.faultAt(c.where(e), code, message, hint)
}

func (c *checker) faultAt(where, code string, message, hint lang.Text) *expr {
	if len(c.faults) < maxFaults {
		c.faults = append(c.faults, problem.Detail{Code: code, Where: where, Message: message, Hint: hint})
	}
	return nil
}

// problem is all faults in the order of their places.
func (c *checker) problem() *problem.Problem {
	slices.SortStableFunc(c.faults, func(a, b problem.Detail) int { return position(a.Where) - position(b.Where) })
	return many(c.faults)
}

// position orders places: the line before the column.
func position(where string) int {
	line, column, _ := strings.Cut(where, ":")
	l, _ := strconv.Atoi(line)
	n, _ := strconv.Atoi(column)
	return l*(MaxLength+2) + n
}

// unsupported names the constructs of CEL that mean something else on each engine, or nothing.
var unsupported = map[ast.ExprKind]lang.Text{
	ast.ListKind:          lang.T("목록은 in의 오른쪽에만 쓸 수 있습니다", "a list stands only to the right of in"),
	ast.MapKind:           lang.T("맵 { }은 쓸 수 없습니다", "maps { } can't be used"),
	ast.StructKind:        lang.T("구조체는 쓸 수 없습니다", "structs can't be used"),
	ast.ComprehensionKind: lang.T("반복은 아직 쓸 수 없습니다", "loops can't be used yet"),
}

func (c *checker) expr(e ast.Expr) *expr {
	if c.depth++; c.depth > MaxDepth {
		c.depth--
		if !slices.ContainsFunc(c.faults, func(d problem.Detail) bool { return d.Code == "rule.limit" }) {
			c.faults = append(c.faults, tooDeep(c.where(e)))
		}
		return nil
	}
	defer func() { c.depth-- }()
	switch e.Kind() {
	case ast.LiteralKind:
		return c.literal(e)
	case ast.IdentKind:
		return c.field(e, e.AsIdent())
	case ast.SelectKind:
		return c.selection(e)
	case ast.CallKind:
		return c.call(e, false)
	}
	return c.fault(e, "rule.unsupported", unsupported[e.Kind()], lang.Text{})
}

func (c *checker) literal(e ast.Expr) *expr {
	at := c.where(e)
	switch v := e.AsLiteral().(type) {
	case types.Bool:
		return literal(tBool, at, bool(v))
	case types.Int:
		return literal(tInt, at, int64(v))
	case types.Double:
		return literal(tDouble, at, float64(v))
	case types.String:
		if strings.ContainsRune(string(v), 0) {
			return c.fault(e, "rule.literal", lang.T("문자 값에는 NUL 문자를 넣을 수 없습니다", "a string can't hold the character NUL"), lang.Text{})
		}
		return literal(tString, at, string(v))
	case types.Null:
		return c.fault(e, "rule.null", lang.T("null은 == null, != null로만 쓸 수 있습니다", "null stands only in == null and != null"), lang.Text{})
	}
	return c.fault(e, "rule.unsupported", lang.F("쓸 수 없는 유형의 값입니다: %s", "values of type %s can't be used", e.AsLiteral().Type().TypeName()),
		lang.T("uint 5u는 5로, bytes b\"\"는 문자 값으로 쓰십시오", "write a uint 5u as 5, bytes b\"\" as a string"))
}

// field is the value of a field, written name or record.name.
func (c *checker) field(e ast.Expr, name string) *expr {
	name = strings.TrimPrefix(name, ".")
	if list := c.variables[name]; list != nil {
		return c.fault(e, "rule.type", lang.F("레코드의 항목을 쓰십시오: %[1]s.항목", "name a field of the record: %[1]s.field", name), lang.Text{})
	}
	if f := c.env.fields[name]; f != nil && f.Type == tList {
		return c.fault(e, "rule.type", lang.F("목록은 값으로 쓸 수 없습니다: %s", "%s is a list, not a value", name), listUsage)
	} else if f != nil {
		return &expr{typ: f.Type, where: c.where(e), field: f}
	}
	hint := lang.Text{}
	if near := manifest.Nearest(name, c.env.names); near != "" {
		hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
	} else if len(c.env.names) > 0 && len(c.env.names) <= 30 {
		hint = lang.F("쓸 수 있는 항목: %s", "there are: %s", strings.Join(c.env.names, ", "))
	}
	return c.fault(e, "rule.unknown_field", lang.F("없는 항목입니다: %s", "there is no field %s", name), hint)
}

func (c *checker) selection(e ast.Expr) *expr {
	s := e.AsSelect()
	if s.Operand().Kind() == ast.IdentKind {
		if list := c.variables[s.Operand().AsIdent()]; list != nil {
			return c.item(e, list, s.FieldName())
		}
	}
	if s.Operand().Kind() == ast.IdentKind && strings.TrimPrefix(s.Operand().AsIdent(), ".") == "record" {
		return c.field(e, s.FieldName())
	}
	if s.Operand().Kind() == ast.IdentKind && s.Operand().AsIdent() == "params" {
		return c.ownParam(e, s.FieldName())
	}
	return c.fault(e, "rule.unsupported", lang.F("값에 없는 속성입니다: .%s", "values have no .%s", s.FieldName()),
		lang.T("항목은 name 또는 record.name으로 씁니다", "a field is written name or record.name"))
}

// call checks a call. inWon says that it stands right in won(…), where ints may be divided.
func (c *checker) call(e ast.Expr, inWon bool) *expr {
	call := e.AsCall()
	name := call.FunctionName()
	if x, ok := c.aggregate(e); ok {
		return x
	}
	if special := constructs[name]; special != nil {
		return special(c, e, call)
	}
	candidates := operations[name]
	if candidates == nil {
		if p := c.env.tables[name]; p != nil && len(call.Args()) == 1 && !call.IsMemberFunction() {
			return c.looked(e, p, call.Args()[0])
		}
		return c.unknownFunction(e, name)
	}
	if want := candidates[0].form; want != operator && want != either && (want == member) != call.IsMemberFunction() {
		return c.fault(e, "rule.type", lang.F("쓰는 방법이 다릅니다: %s", "%s is written differently", name), usage(name, want))
	}
	parts := call.Args()
	if call.IsMemberFunction() {
		parts = append([]ast.Expr{call.Target()}, parts...)
	}
	arithmetic := name == operators.Add || name == operators.Subtract || name == operators.Multiply || name == operators.Divide || name == operators.Negate
	args := make([]*expr, len(parts))
	for i, p := range parts {
		if inWon && arithmetic {
			args[i] = c.fraction(p)
		} else {
			args[i] = c.expr(p)
		}
	}
	if slices.Contains(args, nil) {
		return nil
	}
	if name == operators.Divide && args[0].typ == tInt && len(args) == 2 && args[1].typ == tInt {
		if !inWon {
			return c.fault(e, "rule.division", lang.T("정수끼리 나누면 소수점 아래가 사라질 수 있어 허용하지 않습니다", "ints aren't divided, for a fraction could be lost unseen"),
				lang.T("won(a / b) 또는 double(a) / b로 쓰십시오", "write won(a / b) or double(a) / b"))
		}
		args[0] = asDouble(args[0])
	}
	return c.apply(e, candidates, args)
}

func usage(name string, f form) lang.Text {
	if f == member {
		return lang.F("쓰는 방법: x.%[1]s(…)", "write x.%[1]s(…)", name)
	}
	return lang.F("쓰는 방법: %[1]s(…)", "write %[1]s(…)", name)
}

// fraction checks what is rounded by won: its ints may be divided.
func (c *checker) fraction(e ast.Expr) *expr {
	if e.Kind() == ast.CallKind && constructs[e.AsCall().FunctionName()] == nil && c.depth < MaxDepth {
		c.depth++
		defer func() { c.depth-- }()
		return c.call(e, true)
	}
	return c.expr(e)
}
