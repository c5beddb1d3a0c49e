package rule

import (
	"math"
	"regexp"
	"time"
	"unicode/utf8"

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
		return c.fault(e, "rule.null", lang.T("항목만 null 과 비교할 수 있습니다", "only a field can be compared with null"), lang.Text{})
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
		c.fault(parts[0], "rule.type", lang.F("? 앞은 참·거짓이어야 하는데 %s입니다", "what stands before ? is yes or no, this is of type %s", typeNames[condition.typ]), lang.Text{})
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
		return c.fault(e, "rule.type", lang.T("orValue 에는 값이 하나 필요합니다", "orValue takes one value"), usage("orValue", member))
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
		return c.fault(e, "rule.null", lang.T("orValue 는 항목에만 씁니다", "orValue is for fields"), lang.Text{})
	case !inner.field.Nullable:
		return x
	case inner != x:
		return c.fault(e, "rule.type", lang.T("정수 항목의 orValue 에는 정수를 쓰세요", "give orValue of an int field an int"), lang.Text{})
	}
	y := call(opOrValue, c.where(e), x, v)
	y.typ = x.typ
	return y
}

// membership is x in [a, b, …] with literals, so that no element can be null or an error.
func (c *checker) membership(e ast.Expr, written ast.CallExpr) *expr {
	x, list := c.expr(written.Args()[0]), written.Args()[1]
	if list.Kind() != ast.ListKind || list.AsList().Size() == 0 {
		return c.fault(list, "rule.unsupported", lang.T("in 의 오른쪽은 값이 하나 이상인 목록입니다", "a list with at least one value stands to the right of in"),
			lang.T("x in [\"가\", \"나\"] 처럼 쓰세요", "write x in [\"a\", \"b\"]"))
	}
	args := []*expr{x}
	mixed := x != nil && x.typ == tDouble
	for _, element := range list.AsList().Elements() {
		v := c.expr(element)
		if v != nil && v.literal == nil {
			v = c.fault(element, "rule.unsupported", lang.T("in 의 목록에는 상수만 쓸 수 있습니다", "the list of in holds constants only"), lang.Text{})
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
			return c.faultAt(a.where, "rule.type", lang.F("in 의 양쪽 유형이 다릅니다: %s", "the types beside in differ: %s", named([]*expr{args[0], a})), lang.Text{})
		}
	}
	return call(opIn, c.where(e), args...)
}

// maxPattern bounds a pattern in code points: what x{1000} is compiled to grows with it.
const maxPattern = 200

// matches is s.matches(pattern) with a constant pattern, so that a wrong one is seen here.
func (c *checker) matches(e ast.Expr, written ast.CallExpr) *expr {
	if !written.IsMemberFunction() || len(written.Args()) != 1 {
		return c.fault(e, "rule.type", lang.T("matches 의 쓰는 꼴이 다릅니다", "matches is written differently"), usage("matches", member))
	}
	x, pattern := c.expr(written.Target()), c.expr(written.Args()[0])
	if x == nil || pattern == nil {
		return nil
	}
	if s, ok := pattern.literal.(string); ok && pattern.typ == tString {
		_, err := regexp.Compile(s)
		if err != nil || utf8.RuneCountInString(s) > maxPattern {
			return c.faultAt(pattern.where, "rule.literal", lang.F("%q 은(는) 쓸 수 없는 정규식입니다", "%q is a pattern that can't be used", s),
				lang.F("RE2 문법으로 %d자까지 쓰세요", "write it in the syntax of RE2, up to %d characters", maxPattern))
		}
	} else if x.typ == tString {
		return c.faultAt(pattern.where, "rule.type", lang.T("matches 에는 따옴표로 쓴 상수가 필요합니다", "matches takes a constant in quotes"), usage("matches", member))
	}
	return c.apply(e, []*operation{opMatches}, []*expr{x, pattern})
}

// constant is the only operand of a call, a literal string.
func (c *checker) constant(e ast.Expr, written ast.CallExpr) (string, bool) {
	if len(written.Args()) == 1 && !written.IsMemberFunction() && written.Args()[0].Kind() == ast.LiteralKind {
		if s, ok := written.Args()[0].AsLiteral().(types.String); ok {
			return string(s), true
		}
	}
	c.fault(e, "rule.type", lang.F("%s 에는 따옴표로 쓴 상수 하나가 필요합니다", "%s takes one constant in quotes", written.FunctionName()),
		lang.T("date(\"2026-11-24\"), datetime(\"2026-11-24T09:00:00+09:00\") 처럼 쓰세요", "write date(\"2026-11-24\") or datetime(\"2026-11-24T09:00:00+09:00\")"))
	return "", false
}

func (c *checker) date(e ast.Expr, written ast.CallExpr) *expr {
	s, ok := c.constant(e, written)
	if !ok {
		return nil
	}
	if !validDate(s) {
		return c.fault(e, "rule.literal", lang.F("%q 은(는) 없는 날짜입니다", "%q is no day", s), lang.T("YYYY-MM-DD 로 쓰세요", "write it as YYYY-MM-DD"))
	}
	return literal(tDate, c.where(e), s)
}

func (c *checker) datetime(e ast.Expr, written ast.CallExpr) *expr {
	s, ok := c.constant(e, written)
	if !ok {
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.UTC().Year() < 1 || t.UTC().Year() > 9999 || t.Nanosecond()%int(time.Millisecond) != 0 {
		return c.fault(e, "rule.literal", lang.F("%q 은(는) 올바른 일시가 아닙니다", "%q is no date and time", s),
			lang.T("2026-11-24T09:00:00+09:00 처럼 시간대와 함께, 밀리초까지 쓰세요", "write it with its zone, to milliseconds, as in 2026-11-24T09:00:00+09:00"))
	}
	return literal(tDatetime, c.where(e), manifest.FormatDatetime(t))
}

// operands checks a function's operands; there are low to high of them.
func (c *checker) operands(e ast.Expr, written ast.CallExpr, low, high int) []ast.Expr {
	if n := len(written.Args()); n < low || n > high || written.IsMemberFunction() {
		c.fault(e, "rule.type", lang.F("%s 에 넣은 값의 수가 다릅니다", "wrong number of values for %s", written.FunctionName()), signatures[written.FunctionName()])
		return nil
	}
	return written.Args()
}

// signatures say how the constructs are written.
var signatures = map[string]lang.Text{
	"today":     lang.T("today()", "today()"),
	"age":       lang.T("age(날짜)", "age(date)"),
	"within":    lang.T("within(날짜, n, \"day\"|\"month\"|\"year\")", "within(date, n, \"day\"|\"month\"|\"year\")"),
	"int":       lang.T("int(수)", "int(number)"),
	"won":       lang.T("won(금액) 또는 won(금액, 단위)", "won(amount) or won(amount, unit)"),
	"won_floor": lang.T("won_floor(금액) 또는 won_floor(금액, 단위)", "won_floor(amount) or won_floor(amount, unit)"),
}

func (c *checker) today(e ast.Expr, written ast.CallExpr) *expr {
	if len(written.Args()) > 0 || written.IsMemberFunction() {
		c.operands(e, written, 0, 0)
		return nil
	}
	return call(opToday, c.where(e))
}

// typed checks an operand that must be of type t.
func (c *checker) typed(e ast.Expr, t manifest.Type, name string) *expr {
	x := c.expr(e)
	if x != nil && x.typ != t {
		return c.fault(e, "rule.type", lang.F("%[1]s 에는 %[2]s이(가) 필요한데 %[3]s입니다", "%[1]s takes a %[2]s, this is a %[3]s", name, typeNames[t], typeNames[x.typ]), signatures[name])
	}
	return x
}

func (c *checker) age(e ast.Expr, written ast.CallExpr) *expr {
	args := c.operands(e, written, 1, 1)
	if args == nil {
		return nil
	}
	d := c.typed(args[0], tDate, "age")
	if d == nil {
		return nil
	}
	return call(opAge, c.where(e), d, call(opToday, c.where(e)))
}

// within is whether a day isn't after today and n units from it reach today.
func (c *checker) within(e ast.Expr, written ast.CallExpr) *expr {
	args := c.operands(e, written, 3, 3)
	if args == nil {
		return nil
	}
	d, n, unit := c.typed(args[0], tDate, "within"), c.typed(args[1], tInt, "within"), c.typed(args[2], tString, "within")
	if d == nil || n == nil || unit == nil {
		return nil
	}
	if v, ok := n.literal.(int64); !ok || v < 0 || v > maxSpan {
		return c.fault(args[1], "rule.literal", lang.F("within 의 n 은 0–%d의 상수입니다", "the n of within is a constant of 0 to %d", maxSpan), signatures["within"])
	}
	if s, _ := unit.literal.(string); spans[s].months+spans[s].days == 0 {
		return c.fault(args[2], "rule.literal", lang.T("within 의 단위는 \"day\", \"month\", \"year\" 가운데 하나입니다", "the unit of within is \"day\", \"month\" or \"year\""), signatures["within"])
	}
	at := c.where(e)
	return call(opWithin, at, d, call(opSince, at, call(opToday, at), n, unit), call(opToday, at))
}

// toInt is int(x), which cuts a double off.
func (c *checker) toInt(e ast.Expr, written ast.CallExpr) *expr {
	args := c.operands(e, written, 1, 1)
	if args == nil {
		return nil
	}
	x := c.expr(args[0])
	if x == nil || x.typ != tDouble {
		if x == nil {
			return nil
		}
		return c.apply(e, operations["int"], []*expr{x})
	}
	at := c.where(e)
	return call(opInt, at, x, literal(tDouble, at, float64(math.MinInt64)), literal(tDouble, at, -float64(math.MinInt64)))
}

// won is won(x), won(x, unit) and won_floor.
func (c *checker) won(e ast.Expr, written ast.CallExpr) *expr {
	args := c.operands(e, written, 1, 2)
	if args == nil {
		return nil
	}
	name, at := written.FunctionName(), c.where(e)
	x, unit := c.fraction(args[0]), literal(tInt, at, int64(1))
	if len(args) == 2 {
		unit = c.typed(args[1], tInt, name)
	}
	if x == nil || unit == nil {
		return nil
	}
	if x.typ != tInt && x.typ != tDouble {
		return c.fault(args[0], "rule.type", lang.F("%[1]s 에는 수가 필요한데 %[2]s입니다", "%[1]s takes a number, this is a %[2]s", name, typeNames[x.typ]), signatures[name])
	}
	if n, ok := unit.literal.(int64); !ok || n < 1 || n > maxUnit {
		return c.fault(args[len(args)-1], "rule.literal", lang.F("단위는 1–%d의 상수입니다", "the unit is a constant of 1 to %d", maxUnit), signatures[name])
	}
	op := opWon
	if name == "won_floor" {
		op = opWonFloor
	}
	return call(op, at, inArithmetic(asDouble(x)), asDouble(unit), unit)
}
