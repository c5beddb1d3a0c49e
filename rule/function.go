package rule

import (
	"math"
	"regexp"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// maxPattern bounds a pattern in code points: what x{1000} is compiled to grows with it.
const maxPattern = 200

// matches is s.matches(pattern) with a constant pattern, so that a wrong one is seen here.
func (c *checker) matches(e ast.Expr, written ast.CallExpr) *expr {
	if !written.IsMemberFunction() || len(written.Args()) != 1 {
		return c.fault(e, "rule.type", lang.T("matches를 쓰는 방법이 다릅니다", "matches is written differently"), usage("matches", member))
	}
	x, pattern := c.expr(written.Target()), c.expr(written.Args()[0])
	if x == nil || pattern == nil {
		return nil
	}
	if s, ok := pattern.literal.(string); ok && pattern.typ == tString {
		_, err := regexp.Compile(s)
		if err != nil || utf8.RuneCountInString(s) > maxPattern {
			return c.faultAt(pattern.where, "rule.literal", lang.F("쓸 수 없는 정규식입니다: %q", "%q is a pattern that can't be used", s),
				lang.F("RE2 문법으로 %d자까지 쓰십시오", "write it in the syntax of RE2, up to %d characters", maxPattern))
		}
	} else if x.typ == tString {
		return c.faultAt(pattern.where, "rule.type", lang.T("matches에는 따옴표로 쓴 상수가 필요합니다", "matches takes a constant in quotes"), usage("matches", member))
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
	c.fault(e, "rule.type", lang.F("따옴표로 쓴 상수 하나가 필요합니다: %s", "%s takes one constant in quotes", written.FunctionName()),
		lang.T("date(\"2026-11-24\"), datetime(\"2026-11-24T09:00:00+09:00\")처럼 쓰십시오", "write date(\"2026-11-24\") or datetime(\"2026-11-24T09:00:00+09:00\")"))
	return "", false
}

func (c *checker) date(e ast.Expr, written ast.CallExpr) *expr {
	s, ok := c.constant(e, written)
	if !ok {
		return nil
	}
	if !validDate(s) {
		return c.fault(e, "rule.literal", lang.F("없는 날짜입니다: %q", "%q is no day", s), lang.T("YYYY-MM-DD로 쓰십시오", "write it as YYYY-MM-DD"))
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
		return c.fault(e, "rule.literal", lang.F("올바른 일시가 아닙니다: %q", "%q is no date and time", s),
			lang.T("2026-11-24T09:00:00+09:00처럼 시간대와 함께 쓰십시오. 밀리초까지 쓸 수 있습니다", "write it with its zone, to milliseconds, as in 2026-11-24T09:00:00+09:00"))
	}
	return literal(tDatetime, c.where(e), manifest.FormatDatetime(t))
}

// operands checks a function's operands; there are low to high of them.
func (c *checker) operands(e ast.Expr, written ast.CallExpr, low, high int) []ast.Expr {
	if n := len(written.Args()); n < low || n > high || written.IsMemberFunction() {
		c.fault(e, "rule.type", lang.F("넣은 값의 개수가 다릅니다: %s", "wrong number of values for %s", written.FunctionName()), signatures[written.FunctionName()])
		return nil
	}
	return written.Args()
}

// signatures say how the constructs are written.
var signatures = map[string]lang.Text{
	"today":        lang.T("today()", "today()"),
	"age":          lang.T("age(날짜)", "age(date)"),
	"within":       lang.T("within(날짜, n, \"day\"|\"month\"|\"year\")", "within(date, n, \"day\"|\"month\"|\"year\")"),
	"param":        lang.T("param(\"이름\") 또는 param(\"이름\", 찾는 값)", "param(\"name\") or param(\"name\", key)"),
	"int":          lang.T("int(숫자)", "int(number)"),
	"working_days": lang.T("working_days(날짜, 날짜)", "working_days(date, date)"),
	"won":          lang.T("won(금액) 또는 won(금액, 단위)", "won(amount) or won(amount, unit)"),
	"won_floor":    lang.T("won_floor(금액) 또는 won_floor(금액, 단위)", "won_floor(amount) or won_floor(amount, unit)"),
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
		return c.fault(e, "rule.type", lang.F("넣을 값의 유형이 다릅니다: %[1]s (필요한 유형 %[2]s, 지금 유형 %[3]s)", "%[1]s takes a %[2]s, this is a %[3]s", name, typeNames[t], typeNames[x.typ]), signatures[name])
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
		return c.fault(args[1], "rule.literal", lang.F("within의 n은 0–%d 범위의 상수입니다", "the n of within is a constant of 0 to %d", maxSpan), signatures["within"])
	}
	if s, _ := unit.literal.(string); spans[s].months+spans[s].days == 0 {
		return c.fault(args[2], "rule.literal", lang.T("within의 단위는 \"day\", \"month\", \"year\" 가운데 하나입니다", "the unit of within is \"day\", \"month\" or \"year\""), signatures["within"])
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
		return c.fault(args[0], "rule.type", lang.F("숫자가 필요합니다: %[1]s (지금 유형 %[2]s)", "%[1]s takes a number, this is a %[2]s", name, typeNames[x.typ]), signatures[name])
	}
	if n, ok := unit.literal.(int64); !ok || n < 1 || n > maxUnit {
		return c.fault(args[len(args)-1], "rule.literal", lang.F("단위는 1–%d 범위의 상수입니다", "the unit is a constant of 1 to %d", maxUnit), signatures[name])
	}
	op := opWon
	if name == "won_floor" {
		op = opWonFloor
	}
	return call(op, at, inArithmetic(asDouble(x)), asDouble(unit), unit)
}
