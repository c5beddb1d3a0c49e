package rule

import (
	"math"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/operators"

	"github.com/maru-city/maru/manifest"
)

// quick is an expression as a short list of instructions in one place of memory. CEL's tree of it is many small objects, and a person is looked at by thousands of them, one after the other: then the processor waits for memory most of the time.
//
// It answers only where nothing is missing, unknown or wrong; everything else, and every error, is CEL's to say.
type quick struct {
	code   []instruction
	values []cell // constants
	fields []*Field
	params []*Param
}

// instruction is an operation on the stack. at is what it needs beside: a constant, a field, a parameter, or where to go on.
type instruction struct {
	do opcode
	at uint16
}

// cell is a value: a number as it is, truth as 0 and 1, text and days as text.
type cell struct {
	null bool
	n    int64
	f    float64
	s    string
}

type opcode uint8

// The instructions. Those of comparisons are followed by which comparison it is: see [signs].
const (
	qField opcode = iota
	qValue
	qToday
	qParam
	qTable
	qNot
	qIsNull
	qNotNull
	qOrValue  // leaves out what follows where there is a value
	qSettleNo // leaves out what follows where it is false
	qSettleYes
	qElse // leaves the first branch out where the condition is false
	qGo
	qInt    // compare ints
	qDouble // compare doubles
	qText   // compare text and days
	qInInt  // one of so many that follow
	qInText
	qAddInt
	qSubInt
	qMulInt
	qNegInt
	qModInt
	qAdd
	qSub
	qMul
	qDiv
	qNeg
	qRanged
	qToDouble
	qToInt
	qWon
	qWonFloor
	qMinInt
	qMaxInt
	qMin
	qMax
	qAge
	qMonths
	qYear
	qDays
	qSince
	qWithin
	qContains
	qStarts
	qEnds
)

// signs are the comparisons: which of less, equal and more they let through.
var signs = map[string]uint16{operators.Equals: 2, operators.NotEquals: 5, operators.Less: 1, operators.LessEquals: 3, operators.Greater: 4, operators.GreaterEquals: 6}

// maxQuick is how high the stack may grow.
const maxQuick = 24

// plain are operations that are one instruction, by their name and the type of their first operand.
var plain = map[string]opcode{
	"_+_ int": qAddInt, "_-_ int": qSubInt, "_*_ int": qMulInt, "-_ int": qNegInt, "_%_ int": qModInt, "_+_ double": qAdd, "_-_ double": qSub, "_*_ double": qMul, "_/_ double": qDiv, "-_ double": qNeg,
	"min int": qMinInt, "max int": qMaxInt, "min double": qMin, "max double": qMax, "months_between date": qMonths, "days_between date": qDays, "year date": qYear, "contains string": qContains, "startsWith string": qStarts, "endsWith string": qEnds,
}

// makeQuick is a tree as instructions, or nil where it has an operation that there is none for.
func makeQuick(tree *expr) *quick {
	q := &quick{}
	if !q.put(tree, 0) || len(q.code) > math.MaxUint16 {
		return nil
	}
	return q
}

func (q *quick) emit(do opcode, at int) int {
	q.code = append(q.code, instruction{do, uint16(at)})
	return len(q.code) - 1
}

// land makes an instruction go on here.
func (q *quick) land(from int) { q.code[from].at = uint16(len(q.code)) }

// put adds the instructions of e, of which so many values lie on the stack already.
func (q *quick) put(e *expr, depth int) bool {
	if depth >= maxQuick {
		return false
	}
	switch {
	case e.of != nil || e.list != nil:
		return false
	case e.field != nil:
		q.fields = append(q.fields, e.field)
		q.emit(qField, len(q.fields)-1)
		return true
	case e.op == nil:
		q.values = append(q.values, cellOf(e.literal))
		q.emit(qValue, len(q.values)-1)
		return true
	case e.op == opToday:
		q.emit(qToday, 0)
		return true
	case e.op == opParam:
		return q.putParam(e, depth)
	case e.op == opChoose:
		return q.putChoice(e, depth)
	case e.op == opAnd || e.op == opOr || e.op == opOrValue:
		do := map[*operation]opcode{opAnd: qSettleNo, opOr: qSettleYes, opOrValue: qOrValue}[e.op]
		if !q.put(e.args[0], depth) {
			return false
		}
		from := q.emit(do, 0)
		ok := q.put(e.args[1], depth)
		q.land(from)
		return ok
	}
	for i, a := range e.args {
		if !q.put(a, depth+i) {
			return false
		}
	}
	return q.operate(e)
}

func (q *quick) putParam(e *expr, depth int) bool {
	if e.param.Table() && !e.param.whole {
		return false
	}
	for _, a := range e.args {
		if !q.put(a, depth) {
			return false
		}
	}
	q.params = append(q.params, e.param)
	q.emit(map[bool]opcode{false: qParam, true: qTable}[e.param.Table()], len(q.params)-1)
	return true
}

func (q *quick) putChoice(e *expr, depth int) bool {
	if !q.put(e.args[0], depth) {
		return false
	}
	no := q.emit(qElse, 0)
	if !q.put(e.args[1], depth) {
		return false
	}
	end := q.emit(qGo, 0)
	q.land(no)
	ok := q.put(e.args[2], depth)
	q.land(end)
	return ok
}

// operate adds the instruction of an operation whose operands are on the stack.
func (q *quick) operate(e *expr) bool {
	typ := e.args[0].typ
	text := typ == tString || typ == tDate || typ == tDatetime
	if sign, ok := signs[e.op.name]; ok && len(e.args) == 2 {
		switch {
		case text:
			q.emit(qText, int(sign))
		case typ == tDouble:
			q.emit(qDouble, int(sign))
		default:
			q.emit(qInt, int(sign)) // truth too
		}
		return true
	}
	switch e.op {
	case opNot:
		q.emit(qNot, 0)
	case opIsNull:
		q.emit(qIsNull, 0)
	case opNotNull:
		q.emit(qNotNull, 0)
	case opDouble:
		q.emit(qToDouble, 0)
	case opRanged:
		q.emit(qRanged, 0)
	case opInt:
		q.emit(qToInt, 0)
	case opWon:
		q.emit(qWon, 0)
	case opWonFloor:
		q.emit(qWonFloor, 0)
	case opAge:
		q.emit(qAge, 0)
	case opSince:
		q.emit(qSince, 0)
	case opWithin:
		q.emit(qWithin, 0)
	case opIn:
		if len(e.args) > maxQuick || typ == tDouble || typ == tBool {
			return false
		}
		q.emit(map[bool]opcode{false: qInInt, true: qInText}[text], len(e.args)-1)
	default:
		do, ok := plain[e.op.name+" "+string(typ)]
		if !ok {
			return false
		}
		q.emit(do, 0)
	}
	return true
}

func truth(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

func cellOf(v any) (c cell) {
	switch v := v.(type) {
	case int64:
		c.n = v
	case float64:
		c.f = v
	case bool:
		c.n = truth(v)
	case string:
		c.s = v
	}
	return c
}

// read is a field's value, and whether it is there and as its type has it.
func (c *cell) read(f *Field, record map[string]any) bool {
	v, there := record[f.Name]
	*c = cell{}
	switch v := v.(type) {
	case nil:
		c.null = true
		return there && f.Nullable
	case int64:
		c.n = v
		return f.Type == tInt
	case bool:
		c.n = truth(v)
		return f.Type == tBool
	case float64:
		c.f = v
		return f.Type == tDouble && !math.IsInf(v, 0) && !math.IsNaN(v)
	case string:
		c.s = v
		switch f.Type {
		case tDate:
			return validDate(v)
		case tString:
			return utf8.ValidString(v) && strings.IndexByte(v, 0) < 0
		case tDatetime:
			return validDatetime(v)
		}
	}
	return false
}

// param is a parameter's value.
func (c *cell) param(v any, err error) bool {
	*c = cellOf(v)
	return err == nil
}

// compared is which of less (1), equal (2) and more (4) it is.
func compared[T int64 | float64 | string](a, b T) uint16 {
	switch {
	case a < b:
		return 1
	case a == b:
		return 2
	}
	return 4
}

// answer is whether the expression holds; ok is false where that is CEL's to say.
func (q *quick) answer(record map[string]any, asOf manifest.Day) (yes, ok bool) {
	out, ok := q.run(record, asOf)
	return ok && out.n == 1, ok
}

// run is the value of the expression; ok is false where that is CEL's to say.
func (q *quick) run(record map[string]any, asOf manifest.Day) (out cell, ok bool) {
	var stack [maxQuick + 2]cell
	top := -1 // the last that is on it
	if !validDate(string(asOf)) {
		return out, false
	}
	for at := 0; at < len(q.code); at++ {
		step := q.code[at]
		switch step.do {
		case qField:
			top++
			if !stack[top].read(q.fields[step.at], record) {
				return out, false
			}
		case qValue:
			top++
			stack[top] = q.values[step.at]
		case qToday:
			top++
			stack[top] = cell{s: string(asOf)}
		case qParam:
			top++
			if !stack[top].param(q.params[step.at].at(asOf)) {
				return out, false
			}
		case qTable:
			if stack[top].null || !stack[top].param(q.params[step.at].look(asOf, stack[top].n)) {
				return out, false
			}
		case qNot:
			if stack[top].null {
				return out, false
			}
			stack[top].n = 1 - stack[top].n
		case qIsNull, qNotNull:
			stack[top] = cell{n: truth(stack[top].null == (step.do == qIsNull))}
		case qOrValue:
			if !stack[top].null {
				at = int(step.at) - 1
			} else {
				top--
			}
		case qSettleNo, qSettleYes:
			if stack[top].null {
				return out, false
			}
			if stack[top].n == truth(step.do == qSettleYes) {
				at = int(step.at) - 1
			} else {
				top--
			}
		case qElse:
			if stack[top].null {
				return out, false
			}
			if stack[top].n == 0 {
				at = int(step.at) - 1
			}
			top--
		case qGo:
			at = int(step.at) - 1
		case qInInt, qInText:
			n := int(step.at)
			x, in := stack[top-n], false
			if x.null {
				return out, false
			}
			for _, one := range stack[top-n+1 : top+1] {
				in = in || step.do == qInInt && one.n == x.n || step.do == qInText && one.s == x.s
			}
			top -= n
			stack[top] = cell{n: truth(in)}
		default:
			var fine bool
			if top, fine = step.calculate(&stack, top); !fine {
				return out, false
			}
		}
	}
	return stack[0], true
}

// calculate does an operation on what is on the stack; false where it is an error.
func (i instruction) calculate(stack *[maxQuick + 2]cell, top int) (int, bool) {
	a := &stack[top]
	if a.null { // what isn't there can't be reckoned with
		return top, false
	}
	switch i.do { // of one
	case qNegInt:
		if a.n == math.MinInt64 {
			return top, false
		}
		a.n = -a.n
		return top, true
	case qNeg:
		a.f = -a.f
		return top, true
	case qToDouble:
		a.f = float64(a.n)
		return top, true
	case qYear:
		a.n = yearOf(a.s)
		return top, true
	}
	b := a
	if top--; i.do == qRanged || i.do == qToInt || i.do == qWon || i.do == qWonFloor || i.do == qSince || i.do == qWithin {
		return i.three(stack, top-1)
	}
	if a = &stack[top]; a.null {
		return top, false
	}
	fine := true
	switch i.do {
	case qInt:
		a.n = truth(compared(a.n, b.n)&i.at != 0)
	case qDouble:
		a.n = truth(compared(a.f, b.f)&i.at != 0)
	case qText:
		a.n = truth(compared(a.s, b.s)&i.at != 0)
	case qAddInt:
		sum := a.n + b.n
		fine = (sum > a.n) == (b.n > 0)
		a.n = sum
	case qSubInt:
		rest := a.n - b.n
		fine = (rest < a.n) == (b.n > 0)
		a.n = rest
	case qMulInt:
		product := a.n * b.n
		fine = (a.n == 0 || product/a.n == b.n && (a.n != -1 || b.n != math.MinInt64))
		a.n = product
	case qModInt:
		switch b.n {
		case 0:
			fine = false
		case -1:
			a.n = 0
		default:
			a.n %= b.n
		}
	case qAdd:
		a.f += b.f
	case qSub:
		a.f -= b.f
	case qMul:
		a.f *= b.f
	case qDiv:
		fine = b.f != 0
		a.f /= b.f
	case qMinInt:
		a.n = min(a.n, b.n)
	case qMaxInt:
		a.n = max(a.n, b.n)
	case qMin:
		if b.f < a.f {
			a.f = b.f
		}
	case qMax:
		if b.f > a.f {
			a.f = b.f
		}
	case qAge:
		a.n = yearsBetween(a.s, b.s)
	case qMonths:
		a.n = monthsBetween(a.s, b.s)
	case qDays:
		a.n = dayNumber(b.s) - dayNumber(a.s)
	case qContains:
		a.n = truth(strings.Contains(a.s, b.s))
	case qStarts:
		a.n = truth(strings.HasPrefix(a.s, b.s))
	case qEnds:
		a.n = truth(strings.HasSuffix(a.s, b.s))
	default:
		fine = false
	}
	return top, fine
}

// three does an operation on three: the first stands at top.
func (i instruction) three(stack *[maxQuick + 2]cell, top int) (int, bool) {
	a, b, c := &stack[top], &stack[top+1], &stack[top+2]
	if a.null || b.null {
		return top, false
	}
	switch i.do {
	case qRanged:
		return top, a.f == 0 || inRange(math.Abs(a.f))
	case qToInt:
		if !(a.f > b.f && a.f < c.f) {
			return top, false
		}
		a.n = int64(a.f)
	case qWon, qWonFloor:
		if math.Abs(a.f) > maxWon {
			return top, false
		}
		half := 0.5
		if i.do == qWonFloor {
			half = 0
		}
		a.n = int64(math.Floor(a.f/b.f+half)) * c.n
	case qSince:
		a.s = since(a.s, int(b.n), c.s)
	case qWithin:
		a.n = truth(b.s <= a.s && a.s <= c.s)
	}
	return top, true
}
