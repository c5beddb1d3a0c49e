package rule

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// Param is a dated number, or a dated table of numbers, that rules name. A rule takes what is in force on its as-of date. It is immutable.
type Param struct {
	name   string
	own    bool
	typ    manifest.Type // int where all its numbers are whole, else double
	by     string        // what a table is looked up by; "" for a number
	whole  bool          // a table's keys are whole numbers
	beyond string
	dated  []manifest.ParameterValue // in order of the day
	rows   []map[int64]float64       // of a table with whole keys, beside dated
	last   []int64                   // the last key of each
}

// A table goes on beyond its last row so far, by so large steps: then what it has is exact as an int and as a double.
const (
	maxBeyond = 1_000_000
	maxStep   = 1_000_000_000
)

// NewParam makes a parameter of a manifest's values, which have been checked.
func NewParam(name string, spec *manifest.Parameter) *Param {
	p := &Param{name: name, typ: tInt, by: spec.By, whole: true, beyond: spec.Beyond, dated: spec.Sorted()}
	for _, v := range p.dated {
		rows, last := map[int64]float64{}, int64(math.MinInt64)
		for key, n := range v.Table {
			k, err := strconv.ParseInt(key, 10, 64)
			if err != nil {
				p.whole = false
			}
			rows[k], last = n, max(last, k)
			p.widen(n)
		}
		if p.beyond == "last_step" && p.whole && len(rows) > 1 && math.Abs(rows[last]-rows[last-1]) > maxStep {
			p.typ = tDouble
		}
		if v.Value != nil {
			p.widen(*v.Value)
		}
		p.rows, p.last = append(p.rows, rows), append(p.last, last)
	}
	return p
}

// NewNumber makes a parameter of its own of what rules belong to, params.name, which isn't dated.
func NewNumber(name string, n float64) *Param {
	p := NewParam(name, &manifest.Parameter{Values: []manifest.ParameterValue{{From: "0001-01-01", Value: &n}}})
	p.own = true
	return p
}

func (p *Param) widen(n float64) {
	if n != math.Trunc(n) || math.Abs(n) > maxWon {
		p.typ = tDouble
	}
}

// Table reports whether a parameter is looked up by something.
func (p *Param) Table() bool { return p.by != "" }

// function is what a table of whole keys is called as a function: median-income is median_income(n).
func (p *Param) function() string { return strings.ReplaceAll(p.name, "-", "_") }

// From is the first day of what is in force on a day, or "".
func (p *Param) From(day manifest.Day) manifest.Day {
	if i := p.in(day); i >= 0 {
		return p.dated[i].From
	}
	return ""
}

// in is the place of what is in force on a day, or -1.
func (p *Param) in(day manifest.Day) int {
	for i := len(p.dated) - 1; i >= 0; i-- {
		if p.dated[i].From <= day {
			return i
		}
	}
	return -1
}

func (p *Param) number(n float64) any {
	if p.typ == tInt {
		return int64(n)
	}
	return n
}

// at is the number on a day.
func (p *Param) at(day manifest.Day) (any, error) {
	i := p.in(day)
	if i < 0 || p.dated[i].Value == nil {
		return nil, p.tooEarly(day)
	}
	return p.number(*p.dated[i].Value), nil
}

// row is a table's number for a key on a day.
func (p *Param) row(day manifest.Day, key string) (any, error) {
	i := p.in(day)
	if i < 0 {
		return nil, p.tooEarly(day)
	}
	if n, ok := p.dated[i].Table[key]; ok {
		return p.number(n), nil
	}
	return nil, p.noRow(key)
}

// look is a table's number for a whole key on a day.
func (p *Param) look(day manifest.Day, key int64) (any, error) {
	i := p.in(day)
	if i < 0 {
		return nil, p.tooEarly(day)
	}
	if n, ok := p.rows[i][key]; ok {
		return p.number(n), nil
	}
	last := p.last[i]
	switch {
	case key <= last || key > last+maxBeyond:
	case p.beyond == "last":
		return p.number(p.rows[i][last]), nil
	case p.beyond == "last_step":
		return p.number(p.rows[i][last] + float64(key-last)*(p.rows[i][last]-p.rows[i][last-1])), nil
	}
	return nil, p.noRow(strconv.FormatInt(key, 10))
}

func (p *Param) tooEarly(day manifest.Day) error {
	return unevaluable("rule.parameter", lang.F("이 날짜에 시행 중인 기준값이 없습니다: %[1]s (%[2]s)", "the parameter %[1]s has no value on %[2]s", p.name, string(day)))
}

func (p *Param) noRow(key string) error {
	return unevaluable("rule.parameter", lang.F("기준값의 표에 없는 행입니다: %[1]s (%[2]s)", "the table %[1]s has no row %[2]s", p.name, key))
}

// opParam is the value of a parameter: of no operand, or of a whole key. Which parameter stands in the node.
var opParam = &operation{name: "param", build: buildParam, translate: translateParam}

// parameter is a node that takes a parameter's value.
func parameter(p *Param, where string, key ...*expr) *expr {
	return &expr{typ: p.typ, where: where, op: opParam, args: key, param: p}
}

// params are the parameters that are named.
func (e *expr) params() (out []*Param) {
	e.walk(func(x *expr) {
		if x.param != nil && !slices.Contains(out, x.param) {
			out = append(out, x.param)
		}
	})
	return out
}

// own is params.NAME.
func (c *checker) ownParam(e ast.Expr, name string) *expr {
	p := c.env.own[name]
	if p == nil {
		return c.fault(e, "rule.unknown_parameter", lang.F("params에 없는 이름입니다: %s", "params has no %s", name), c.near(name, slices.Sorted(maps.Keys(c.env.own))))
	}
	if p.Table() {
		return c.fault(e, "rule.type", lang.F("표로 된 기준값입니다: %s", "%s is a table", name), lang.Text{})
	}
	return parameter(p, c.where(e))
}

// cityParam is param("NAME"), or param("NAME", key) of a table.
func (c *checker) cityParam(e ast.Expr, written ast.CallExpr) *expr {
	args := c.operands(e, written, 1, 2)
	if args == nil {
		return nil
	}
	name, ok := text(args[0])
	if !ok {
		return c.fault(args[0], "rule.type", lang.T("기준값의 이름은 따옴표로 쓴 상수입니다", "the name of a parameter is a constant in quotes"), signatures["param"])
	}
	p := c.env.params[name]
	switch {
	case p == nil:
		return c.fault(args[0], "rule.unknown_parameter", lang.F("없는 기준값입니다: %s", "there is no parameter %s", name), c.near(name, slices.Sorted(maps.Keys(c.env.params))))
	case p.Table() != (len(args) == 2):
		return c.fault(e, "rule.type", lang.F("표로 된 기준값은 찾는 값과 함께, 아니면 이름만 씁니다: %s", "a table is looked up by a key, a number is not: %s", name), signatures["param"])
	case !p.Table():
		return parameter(p, c.where(e))
	case p.whole:
		return c.looked(e, p, args[1])
	}
	key, ok := text(args[1])
	if !ok || !slices.ContainsFunc(p.dated, func(v manifest.ParameterValue) bool { _, there := v.Table[key]; return there }) {
		return c.fault(args[1], "rule.unknown_parameter", lang.F("표 %[1]s에 있는 행의 이름을 따옴표로 쓰십시오", "write the name of a row of %[1]s in quotes", name), c.near(key, p.dated[len(p.dated)-1].Keys()))
	}
	return parameter(p, c.where(e), literal(tString, c.where(args[1]), key))
}

// looked looks a table up by a whole key.
func (c *checker) looked(e ast.Expr, p *Param, key ast.Expr) *expr {
	n := c.expr(key)
	if n == nil {
		return nil
	}
	if n.typ != tInt {
		return c.fault(key, "rule.type", lang.F("표 %[1]s은(는) 정수로 찾습니다 (지금 유형: %[2]s)", "%[1]s is looked up by an int, this is a %[2]s", p.name, typeNames[n.typ]), lang.Text{})
	}
	return parameter(p, c.where(e), n)
}

// near proposes a name.
func (c *checker) near(name string, names []string) lang.Text {
	if near := manifest.Nearest(name, names); near != "" {
		return lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	return lang.Text{}
}

// text is a constant in quotes.
func text(e ast.Expr) (string, bool) {
	if e.Kind() != ast.LiteralKind {
		return "", false
	}
	s, ok := e.AsLiteral().(types.String)
	return string(s), ok
}

// celName is what a parameter is called as a function of CEL. No operation is called so.
func (p *Param) celName() string {
	if p.own {
		return "params." + p.name
	}
	return "param " + p.name
}

// declare is the parameter as a function of the as-of date, and of a key.
func (p *Param) declare() cel.EnvOption {
	args, do := []*cel.Type{cel.StringType}, func(all ...ref.Val) (any, error) { return p.at(manifest.Day(textOf(all[0]))) }
	if p.Table() && p.whole {
		args, do = append(args, cel.IntType), func(all ...ref.Val) (any, error) {
			return p.look(manifest.Day(textOf(all[0])), int64(all[1].(types.Int)))
		}
	} else if p.Table() {
		args, do = append(args, cel.StringType), func(all ...ref.Val) (any, error) {
			return p.row(manifest.Day(textOf(all[0])), textOf(all[1]))
		}
	}
	binding := cel.FunctionBinding(func(all ...ref.Val) ref.Val {
		v, err := do(all...)
		if err != nil {
			return types.WrapErr(err)
		}
		return types.DefaultTypeAdapter.NativeToValue(v)
	})
	return cel.Function(p.celName(), cel.Overload(p.celName()+" overload", args, celTypes[p.typ], binding))
}

func buildParam(b *builder, e *expr) ast.Expr {
	args := []ast.Expr{b.NewIdent(b.id(), asOfVariable)}
	for _, a := range e.args {
		args = append(args, b.expr(a))
	}
	return b.NewCall(b.id(), e.param.celName(), args...)
}

// translateParam is what is in force on the as-of date: a parameter of SQL, or a CASE over a table's rows. Where there is no value it is NULL.
func translateParam(t *translation, e *expr) (fragment, error) {
	p := e.param
	if err := asOfFault(t.asOf); err != nil {
		return fragment{}, err
	}
	null := fragment{text: "CAST(NULL AS " + columnTypes[t.dialect][p.typ == tInt] + ")", simple: true}
	known := func(v any, err error) fragment {
		if err != nil {
			return null
		}
		return t.parameter(p.typ, v)
	}
	switch {
	case !p.Table():
		return known(p.at(t.asOf)), nil
	case !p.whole:
		return known(p.row(t.asOf, e.args[0].literal.(string))), nil
	}
	i := p.in(t.asOf)
	if i < 0 {
		return null, nil
	}
	key, err := t.fragment(e.args[0])
	if err != nil {
		return fragment{}, err
	}
	out, name := fragment{}, key.text
	if !key.simple || len(key.args) > 0 {
		name = "_1"
	}
	var b strings.Builder
	put := func(n float64) string {
		if p.typ == tInt {
			return strconv.FormatInt(int64(n), 10)
		}
		f := t.parameter(tDouble, n)
		out.args = append(out.args, f.args...)
		return f.text
	}
	for _, k := range slices.Sorted(maps.Keys(p.rows[i])) {
		fmt.Fprintf(&b, " WHEN %s = %d THEN %s", name, k, put(p.rows[i][k]))
	}
	last := p.last[i]
	switch end := p.rows[i][last]; p.beyond {
	case "last":
		fmt.Fprintf(&b, " WHEN %[1]s > %[2]d AND %[1]s <= %[3]d THEN %[4]s", name, last, last+maxBeyond, put(end))
	case "last_step":
		fmt.Fprintf(&b, " WHEN %[1]s > %[2]d AND %[1]s <= %[3]d THEN %[4]s + (%[1]s - %[2]d) * %[5]s", name, last, last+maxBeyond, put(end), put(end-p.rows[i][last-1]))
	}
	out.text = "CAST(CASE" + b.String() + " END AS " + columnTypes[t.dialect][p.typ == tInt] + ")"
	if name == "_1" {
		fence := ""
		if t.dialect == Postgres {
			fence = " OFFSET 0"
		}
		out.text = "(SELECT " + out.text + " FROM (SELECT " + key.text + " AS _1" + fence + ") AS _t)"
		out.args = append(out.args, key.args...)
	}
	return out, nil
}

// columnTypes are the types of whole and of other numbers.
var columnTypes = map[Dialect]map[bool]string{SQLite: {true: "INTEGER", false: "REAL"}, Postgres: {true: "bigint", false: "double precision"}}
