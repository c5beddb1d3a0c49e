package rule

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// Calendar is which days are worked, for working_days(a, b): the working days after a, up to and with b. It is negative where b is before a. It is immutable.
type Calendar struct {
	name  string
	spans [][2]string // first and last day of years that follow each other, in order
	off   []string    // days off that are no Saturday or Sunday, in order
}

// NewCalendar makes a calendar of its manifest, which has been checked.
func NewCalendar(name string, spec *manifest.Calendar) *Calendar {
	c := &Calendar{name: name}
	years := slices.Sorted(slices.Values(spec.Years))
	for i, y := range years {
		first, last := fmt.Sprintf("%04d-01-01", y), fmt.Sprintf("%04d-12-31", y)
		switch n := len(c.spans); {
		case i > 0 && y == years[i-1]:
		case i > 0 && y == years[i-1]+1:
			c.spans[n-1][1] = last
		default:
			c.spans = append(c.spans, [2]string{first, last})
		}
	}
	for _, h := range spec.Holidays {
		if d := string(h.Date); dayNumber(d)%7 < 5 {
			c.off = append(c.off, d)
		}
	}
	slices.Sort(c.off)
	c.off = slices.Compact(c.off)
	return c
}

// dayNumber is the days since 0001-01-01, a Monday.
func dayNumber(d string) int64 {
	y, m, day := ymd(d)
	return time.Date(y, time.Month(m), day, 0, 0, 0, 0, time.UTC).Unix()/86400 + 719162
}

// worked is how many days are worked from 0001-01-01 to a day.
func (c *Calendar) worked(d string) int64 {
	n := dayNumber(d)
	off, on := slices.BinarySearch(c.off, d)
	if on {
		off++
	}
	return n/7*5 + min(n%7+1, 5) - int64(off)
}

// between is working_days(a, b). The calendar must have all years between.
func (c *Calendar) between(a, b string) (int64, error) {
	for _, s := range c.spans {
		if s[0] <= min(a, b) && max(a, b) <= s[1] {
			return c.worked(b) - c.worked(a), nil
		}
	}
	return 0, unevaluable("rule.calendar", lang.F("업무일력 %[1]s에 없는 해입니다: %[2]s~%[3]s", "the calendar %[1]s doesn't have the years from %[2]s to %[3]s", c.name, min(a, b), max(a, b))).
		Hinting(lang.T("그해의 공휴일을 업무일력에 넣고 적용해 주십시오", "put their holidays into it and apply it"))
}

// opWorkingDays is of two dates and the calendar of the Env.
var opWorkingDays = &operation{name: "working_days", result: tInt, build: buildWorkingDays, translate: translateWorkingDays}

func (c *checker) workingDays(e ast.Expr, written ast.CallExpr) *expr {
	if c.env.calendar == nil {
		return c.unknownFunction(e, "working_days")
	}
	args := c.operands(e, written, 2, 2)
	if args == nil {
		return nil
	}
	a, b := c.typed(args[0], tDate, "working_days"), c.typed(args[1], tDate, "working_days")
	if a == nil || b == nil {
		return nil
	}
	x := call(opWorkingDays, c.where(e), a, b)
	x.calendar = c.env.calendar
	return x
}

// counts is the calendar by which e counts working days, or nil.
func (e *expr) counts() (c *Calendar) {
	e.walk(func(x *expr) {
		if x.calendar != nil {
			c = x.calendar
		}
	})
	return c
}

func (c *Calendar) declare() cel.EnvOption {
	return cel.Function("working_days", cel.Overload("working_days overload", []*cel.Type{cel.StringType, cel.StringType}, cel.IntType, cel.BinaryBinding(func(a, b ref.Val) ref.Val {
		n, err := c.between(textOf(a), textOf(b))
		if err != nil {
			return types.WrapErr(err)
		}
		return types.Int(n)
	})))
}

func buildWorkingDays(b *builder, e *expr) ast.Expr {
	return b.NewCall(b.id(), "working_days", b.expr(e.args[0]), b.expr(e.args[1]))
}

// translateWorkingDays counts as [Calendar.between] does, and is NULL where a year is missing. The days off are a CASE that says how many there are up to a day.
func translateWorkingDays(t *translation, e *expr) (fragment, error) {
	operands, err := t.fragments(e.args)
	if err != nil {
		return fragment{}, err
	}
	var b strings.Builder
	var out fragment
	mark := func(d string) string {
		f := t.parameter(tDate, d)
		out.args = append(out.args, f.args...)
		return f.text
	}
	worked := func(name string) {
		number := "CAST(julianday(" + name + ") - 1721425.5 AS INTEGER)"
		if t.dialect == Postgres {
			number = "(CAST(" + name + " AS date) - DATE '0001-01-01')"
		}
		fmt.Fprintf(&b, "(%[1]s / 7 * 5 + CASE WHEN %[1]s %% 7 < 4 THEN %[1]s %% 7 + 1 ELSE 5 END - CASE", number)
		for i, d := range e.calendar.off {
			fmt.Fprintf(&b, " WHEN %s < %s THEN %d", name, mark(d), i)
		}
		fmt.Fprintf(&b, " WHEN TRUE THEN %d END)", len(e.calendar.off))
	}
	b.WriteString("CASE WHEN FALSE")
	for _, s := range e.calendar.spans {
		fmt.Fprintf(&b, " OR _1 BETWEEN %s AND %s AND _2 BETWEEN %s AND %s", mark(s[0]), mark(s[1]), mark(s[0]), mark(s[1]))
	}
	b.WriteString(" THEN ")
	worked("_2")
	b.WriteString(" - ")
	worked("_1")
	b.WriteString(" END")
	fence, whole := "", "INTEGER"
	if t.dialect == Postgres {
		fence, whole = " OFFSET 0", "bigint"
	}
	out.text = "(SELECT CAST(" + b.String() + " AS " + whole + ") FROM (SELECT " + operands[0].text + " AS _1, " + operands[1].text + " AS _2" + fence + ") AS _t)"
	out.args = append(append(out.args, operands[0].args...), operands[1].args...)
	return out, nil
}
