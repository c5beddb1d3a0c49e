package rule

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// constructs are calls whose operands need more than a look at their types. It is filled by init, for they check their operands in turn.
var constructs map[string]func(c *checker, e ast.Expr, call ast.CallExpr) *expr

func init() {
	constructs = map[string]func(c *checker, e ast.Expr, call ast.CallExpr) *expr{
		operators.Equals:      (*checker).equality,
		operators.NotEquals:   (*checker).equality,
		operators.Conditional: (*checker).conditional,
		operators.In:          (*checker).membership,
		"orValue":             (*checker).orValue,
		"matches":             (*checker).matches,
		"date":                (*checker).date,
		"datetime":            (*checker).datetime,
		"today":               (*checker).today,
		"age":                 (*checker).age,
		"within":              (*checker).within,
		"int":                 (*checker).toInt,
		"won":                 (*checker).won,
		"won_floor":           (*checker).won,
		"param":               (*checker).cityParam,
		"working_days":        (*checker).workingDays,
	}
}

func isNull(e ast.Expr) bool {
	return e.Kind() == ast.LiteralKind && e.AsLiteral() == types.NullValue
}

// equality is == and !=, also with null.
func (c *checker) equality(e ast.Expr, written ast.CallExpr) *expr {
	name, sides := written.FunctionName(), written.Args()
	if isNull(sides[0]) {
		sides = []ast.Expr{sides[1], sides[0]}
	}
	if isNull(sides[1]) {
		return c.nullTest(e, name, sides[0])
	}
	a, b := c.expr(sides[0]), c.expr(sides[1])
	if a == nil || b == nil {
		return nil
	}
	return c.apply(e, operations[name], []*expr{a, b})
}

func (c *checker) nullTest(e ast.Expr, name string, side ast.Expr) *expr {
	if isNull(side) {
		return c.literal(side) // a fault
	}
	x := c.expr(side)
	switch {
	case x == nil:
		return nil
	case x.field == nil:
		return c.fault(e, "rule.null", lang.T("항목만 null과 비교할 수 있습니다", "only a field can be compared with null"), lang.Text{})
	case !x.field.Nullable:
		return literal(tBool, x.where, name == operators.NotEquals)
	case name == operators.Equals:
		return call(opIsNull, c.where(e), x)
	}
	return call(opNotNull, c.where(e), x)
}

// join makes two values of one type, if an int becomes a double.
func (c *checker) join(e ast.Expr, a, b *expr) (x, y *expr, ok bool) {
	if a == nil || b == nil {
		return nil, nil, false
	}
	if a.typ == tDouble || b.typ == tDouble {
		a, b = asDouble(a), asDouble(b)
	}
	if a.typ != b.typ {
		c.fault(e, "rule.type", lang.F("두 값의 유형이 다릅니다: %s", "the two values are of different types: %s", named([]*expr{a, b})), lang.Text{})
		return nil, nil, false
	}
	return a, b, true
}

func (c *checker) conditional(e ast.Expr, written ast.CallExpr) *expr {
	parts := written.Args()
	condition, a, b := c.expr(parts[0]), c.expr(parts[1]), c.expr(parts[2])
	if condition != nil && condition.typ != tBool {
		c.fault(parts[0], "rule.type", lang.F("? 앞에는 예·아니요 값이 와야 합니다 (지금 유형: %s)", "what stands before ? is yes or no, this is of type %s", typeNames[condition.typ]), lang.Text{})
		return nil
	}
	a, b, ok := c.join(e, a, b)
	if !ok || condition == nil {
		return nil
	}
	x := call(opChoose, c.where(e), condition, a, b)
	x.typ = a.typ
	return x
}

// orValue is x.orValue(v): v where x is null.
func (c *checker) orValue(e ast.Expr, written ast.CallExpr) *expr {
	if !written.IsMemberFunction() || len(written.Args()) != 1 {
		return c.fault(e, "rule.type", lang.T("orValue에는 값이 하나 필요합니다", "orValue takes one value"), usage("orValue", member))
	}
	x, v := c.expr(written.Target()), c.expr(written.Args()[0])
	x, v, ok := c.join(e, x, v)
	if !ok {
		return nil
	}
	inner := x
	if x.op == opDouble { // an int field with a double in its place
		inner = x.args[0]
	}
	switch {
	case inner.field == nil:
		return c.fault(e, "rule.null", lang.T("orValue는 항목에만 쓸 수 있습니다", "orValue is for fields"), lang.Text{})
	case !inner.field.Nullable:
		return x
	case inner != x:
		return c.fault(e, "rule.type", lang.T("정수 항목의 orValue에는 정수를 쓰십시오", "give orValue of an int field an int"), lang.Text{})
	}
	y := call(opOrValue, c.where(e), x, v)
	y.typ = x.typ
	return y
}

// membership is x in [a, b, …] with literals, so that no element can be null or an error.
func (c *checker) membership(e ast.Expr, written ast.CallExpr) *expr {
	x, list := c.expr(written.Args()[0]), written.Args()[1]
	if list.Kind() != ast.ListKind || list.AsList().Size() == 0 {
		return c.fault(list, "rule.unsupported", lang.T("in의 오른쪽에는 값이 하나 이상인 목록이 와야 합니다", "a list with at least one value stands to the right of in"),
			lang.T("x in [\"가\", \"나\"]처럼 쓰십시오", "write x in [\"a\", \"b\"]"))
	}
	args := []*expr{x}
	mixed := x != nil && x.typ == tDouble
	for _, element := range list.AsList().Elements() {
		v := c.expr(element)
		if v != nil && v.literal == nil {
			v = c.fault(element, "rule.unsupported", lang.T("in의 목록에는 상수만 쓸 수 있습니다", "the list of in holds constants only"), lang.Text{})
		}
		mixed = mixed || v != nil && v.typ == tDouble
		args = append(args, v)
	}
	for i, a := range args {
		if a == nil {
			return nil
		}
		if mixed {
			args[i] = asDouble(a)
		}
		if args[i].typ != args[0].typ || a.typ == manifest.Geometry {
			return c.faultAt(a.where, "rule.type", lang.F("in의 양쪽 유형이 다릅니다: %s", "the types beside in differ: %s", named([]*expr{args[0], a})), lang.Text{})
		}
	}
	return call(opIn, c.where(e), args...)
}
