package rule

import (
	"math"
	"strings"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/maru-city/maru/engine/lang"
)

const (
	// Doubles in arithmetic are zero or within these sizes, so that a product or quotient of two can neither overflow nor underflow:
	// PostgreSQL fails on both.
	smallest, largest = 1e-100, 1e100
	// maxWon bounds what won rounds: below it a double still has halves.
	maxWon  = 1_000_000_000_000_000
	maxUnit = 1_000_000_000
)

// An int that leaves 64 bits becomes a REAL in SQLite and a failure in PostgreSQL, which therefore computes in numeric.
const (
	wholeSQLite   = "CASE WHEN typeof($1) = 'integer' THEN $1 END"
	wholePostgres = "CASE WHEN $1 BETWEEN -9223372036854775808 AND 9223372036854775807 THEN CAST($1 AS bigint) END"
)

func intOperation(name, sqlite, postgres string, n int) *operation {
	return operation{name: name, args: of(tInt, tInt)[:n], result: tInt}.inEach(steps{sqlite, wholeSQLite}, steps{postgres, wholePostgres})
}

func doubleOperation(name, id, sql string, do any) *operation {
	return operation{name: name, args: of(tDouble, tDouble), result: tDouble, id: id, do: do}.inSQL(sql)
}

var (
	opMultiply  = doubleOperation("_*_", "double_multiply", "$1 * $2", func(a, b ref.Val) ref.Val { return number(a) * number(b) })
	opDivide    = doubleOperation("_/_", "double_divide", "$1 / NULLIF($2, 0)", divide)
	opDoubleNeg = operation{name: "-_", args: of(tDouble), result: tDouble}.inSQL("-$1")

	opDouble = operation{name: "double", form: function, args: of(tInt), result: tDouble}.inEach(
		steps{"CAST($1 AS REAL)"}, steps{"CAST($1 AS double precision)"})
	// opRanged is its first operand where its size is between the other two.
	opRanged = operation{name: "double", args: of(tDouble, tDouble, tDouble), result: tDouble, id: "double_ranged", do: ranged}.inSQL(
		"CASE WHEN $1 = 0 OR abs($1) BETWEEN $2 AND $3 THEN $1 END")
	// opInt cuts a double off; the others are -2⁶³ and 2⁶³, both outside, as CEL has it.
	opInt = operation{name: "int", args: of(tDouble, tDouble, tDouble), result: tInt, build: buildInt}.inEach(
		steps{"CASE WHEN $1 > $2 AND $1 < $3 THEN CAST($1 AS INTEGER) END"},
		steps{"CASE WHEN $1 > $2 AND $1 < $3 THEN CAST(trunc($1) AS bigint) END"})
	// opWon and opWonFloor round a double to a unit, given as a double and as an int.
	opWon = operation{name: "won", args: of(tDouble, tDouble, tInt), result: tInt, id: "won", do: rounding(0.5)}.inEach(
		steps{"CASE WHEN abs($1) <= 1000000000000000 THEN CAST(floor($1 / $2 + 0.5) AS INTEGER) * $3 END"},
		steps{"CASE WHEN abs($1) <= 1000000000000000 THEN CAST(floor($1 / $2 + 0.5) AS bigint) * $3 END"})
	opWonFloor = operation{name: "won_floor", args: of(tDouble, tDouble, tInt), result: tInt, id: "won_floor", do: rounding(0)}.inEach(
		steps{"CASE WHEN abs($1) <= 1000000000000000 THEN CAST(floor($1 / $2) AS INTEGER) * $3 END"},
		steps{"CASE WHEN abs($1) <= 1000000000000000 THEN CAST(floor($1 / $2) AS bigint) * $3 END"})
)

// arithmetic are the operations on numbers. -9223372036854775808 % -1 is 0, as in SQL; CEL alone would say overflow.
var arithmetic = []*operation{
	intOperation("_+_", "$1 + $2", "CAST($1 AS numeric) + $2", 2),
	intOperation("_-_", "$1 - $2", "CAST($1 AS numeric) - $2", 2),
	intOperation("_*_", "$1 * $2", "CAST($1 AS numeric) * $2", 2),
	intOperation("-_", "-$1", "-CAST($1 AS numeric)", 1),
	operation{name: "_%_", args: of(tInt, tInt), result: tInt, id: "int_remainder", do: remainder}.inSQL("$1 % NULLIF($2, 0)"),
	doubleOperation("_+_", "double_add", "$1 + $2", func(a, b ref.Val) ref.Val { return number(a) + number(b) }),
	doubleOperation("_-_", "double_subtract", "$1 - $2", func(a, b ref.Val) ref.Val { return number(a) - number(b) }),
	opMultiply, opDivide, opDoubleNeg,
}

func number(v ref.Val) types.Double { return v.(types.Double) }

var (
	errZero  = unevaluable("rule.arithmetic", lang.T("0으로 나눌 수 없습니다", "division by zero"))
	errRange = unevaluable("rule.arithmetic", lang.T("계산에 쓸 수 있는 실수의 범위를 벗어났습니다 (0 또는 크기 1e-100–1e100)",
		"a double is out of the range of arithmetic (0, or of size 1e-100 to 1e100)"))
	errWon = unevaluable("rule.arithmetic", lang.T("won()에 넣은 값이 ±10¹⁵을 넘습니다", "the value given to won() is beyond ±10¹⁵"))
	errInt = unevaluable("rule.arithmetic", lang.T("계산 결과가 정수(64비트)의 범위를 넘습니다", "the result is out of the range of int (64 bits)"))
)

func divide(a, b ref.Val) ref.Val {
	if number(b) == 0 {
		return types.WrapErr(errZero)
	}
	return number(a) / number(b)
}

func remainder(a, b ref.Val) ref.Val {
	switch y := b.(types.Int); y {
	case 0:
		return types.WrapErr(errZero)
	case -1:
		return types.Int(0)
	default:
		return a.(types.Int) % y
	}
}

func ranged(args ...ref.Val) ref.Val {
	if x := number(args[0]); x == 0 || inRange(math.Abs(float64(x))) {
		return x
	}
	return types.WrapErr(errRange)
}

func inRange(size float64) bool { return size >= smallest && size <= largest }

// rounding is floor(x/unit + half) · unit.
func rounding(half float64) func(args ...ref.Val) ref.Val {
	return func(args ...ref.Val) ref.Val {
		x, unit := float64(number(args[0])), float64(number(args[1]))
		if math.Abs(x) > maxWon {
			return types.WrapErr(errWon)
		}
		return types.Int(math.Floor(x/unit+half)) * args[2].(types.Int)
	}
}

// lower changes the letters A–Z.
func lower(v ref.Val) ref.Val {
	return types.String(strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, string(v.(types.String))))
}

// asDouble is e as a double: ints become doubles, as a literal or by conversion.
func asDouble(e *expr) *expr {
	if e.typ != tInt {
		return e
	}
	if n, ok := e.literal.(int64); ok {
		return literal(tDouble, e.where, float64(n))
	}
	return call(opDouble, e.where, e)
}

// inArithmetic is e with its range checked, unless it can't be out of it.
func inArithmetic(e *expr) *expr {
	if low, high := sizes(e); low >= smallest && high <= largest {
		return e
	}
	return call(opRanged, e.where, e, literal(tDouble, e.where, smallest), literal(tDouble, e.where, largest))
}

// sizes are bounds of |e| where e isn't zero.
func sizes(e *expr) (low, high float64) {
	switch {
	case e.literal != nil:
		size := math.Abs(e.literal.(float64))
		if size == 0 {
			return 1, 1
		}
		return size, size
	case e.op == opDouble:
		return 1, 1 << 63
	case e.op == opRanged:
		return smallest, largest
	case e.op == opDoubleNeg:
		return sizes(e.args[0])
	case e.op == opMultiply:
		a, b := sizes2(e)
		return a[0] * b[0], a[1] * b[1]
	case e.op == opDivide:
		a, b := sizes2(e)
		return a[0] / b[1], a[1] / b[0]
	}
	return 0, math.Inf(1)
}

func sizes2(e *expr) (a, b [2]float64) {
	a[0], a[1] = sizes(e.args[0])
	b[0], b[1] = sizes(e.args[1])
	return a, b
}
