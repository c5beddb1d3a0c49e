package rule

import (
	"slices"
	"strconv"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// A list of records, such as somebody's children, is read only as a whole: whether one or all of its records are so, how many are, and the sum, the least or the largest of something about them.
//
//	children.exists(c, age(c.birth_date) < 2)
//	children.filter(c, c.registered).map(c, min(c.fee, 100000)).sum()
//
// Conditions and values may name the record, facts and parameters, but no other list.

// MaxItems is how many records a list has at most.
const MaxItems = 100

// tList is the type of a list of records. No dataset has it.
const tList = manifest.Type("list")

// What is asked of a list. Their operands are a condition on its records, and what is asked of those for which it holds.
var (
	opExists = &operation{name: "exists", result: tBool, build: buildExists, translate: translateExists}
	opAll    = &operation{name: "all", result: tBool, build: buildAll, translate: translateExists}
	opCount  = &operation{name: "size", result: tInt, build: buildCount, translate: translateSum}
	opSum    = &operation{name: "sum", result: tInt, build: buildSum, translate: translateSum}
	opLeast  = &operation{name: "min", build: buildEnd, translate: translateEnd}
	opMost   = &operation{name: "max", build: buildEnd, translate: translateEnd}

	// opBounded is a part of a sum: whole and within ±10¹⁵, so that no sum leaves 64 bits.
	opBounded = operation{name: "sum", args: of(tInt), result: tInt, id: "bounded", do: bounded}.inSQL("CASE WHEN $1 BETWEEN -1000000000000000 AND 1000000000000000 THEN $1 END")
	// nones are what the least of nothing is, by what would have been taken.
	nones = []*operation{none(tInt), none(tDouble), none(tDate)}

	aggregates = map[string]*operation{"exists": opExists, "all": opAll, "size": opCount, "sum": opSum, "min": opLeast, "max": opMost}
)

var (
	errSum  = unevaluable("rule.arithmetic", lang.T("sum()으로 더하는 값이 ±10¹⁵을 넘습니다", "a part of the sum is beyond ±10¹⁵"))
	errNone = unevaluable("rule.none", lang.T("목록이 비어 있어 가장 작은 값이나 큰 값이 없습니다", "there is no least or largest of nothing")).
		Hinting(lang.T("목록의 size()를 먼저 확인하십시오", "look at size() of the list first"))
)

func none(typ manifest.Type) *operation {
	return &operation{id: "none_" + string(typ), result: typ, do: func(...ref.Val) ref.Val { return types.WrapErr(errNone) }}
}

func bounded(v ref.Val) ref.Val {
	if n := v.(types.Int); n < -maxWon || n > maxWon {
		return types.WrapErr(errSum)
	}
	return v
}

// walked is a list as it is written: the records of a list fact for which a condition holds, and what is taken of each.
type walked struct {
	list *Field
	when *expr // nil: all records
	each *expr // nil: nothing is taken
}

// isList reports whether e is written as a list: a fact that is one, or a part of it.
func (c *checker) isList(e ast.Expr) bool {
	switch e.Kind() {
	case ast.IdentKind:
		f := c.env.fields[strings.TrimPrefix(e.AsIdent(), ".")]
		return f != nil && f.Type == tList && c.variables[e.AsIdent()] == nil
	case ast.SelectKind:
		s := e.AsSelect()
		if s.Operand().Kind() != ast.IdentKind || s.Operand().AsIdent() != "record" {
			return false
		}
		f := c.env.fields[s.FieldName()]
		return f != nil && f.Type == tList
	case ast.CallKind:
		call := e.AsCall()
		return call.IsMemberFunction() && (call.FunctionName() == "filter" || call.FunctionName() == "map") && c.isList(call.Target())
	}
	return false
}

// aggregate checks what is asked of a list; ok is false where e asks nothing of one.
func (c *checker) aggregate(e ast.Expr) (_ *expr, ok bool) {
	call := e.AsCall()
	name, target, rest := call.FunctionName(), ast.Expr(nil), call.Args()
	if call.IsMemberFunction() {
		target = call.Target()
	} else if (name == "size") && len(rest) == 1 {
		target, rest = rest[0], nil
	}
	if target == nil || !c.isList(target) {
		return nil, false
	}
	op := aggregates[name]
	if op == nil {
		return c.fault(e, "rule.type", lang.F("목록에는 쓸 수 없습니다: %s", "%s can't be used on a list", display(name)), listUsage), true
	}
	w := c.walk(target)
	if w == nil {
		return nil, true
	}
	switch want := map[bool]int{true: 2}[op == opExists || op == opAll]; {
	case len(rest) != want:
		return c.fault(e, "rule.type", lang.F("쓰는 방법이 다릅니다: %s", "%s is written differently", name), listUsage), true
	case want == 2 && w.each != nil:
		return c.fault(e, "rule.type", lang.F("map() 다음에는 쓸 수 없습니다: %s", "%s can't follow map()", name), listUsage), true
	case want == 2:
		if w.each = c.within1(rest, w.list); w.each == nil {
			return nil, true
		}
		if w.each.typ != tBool {
			return c.fault(rest[1], "rule.type", lang.F("조건은 예·아니요 값이어야 합니다 (지금 유형: %s)", "a condition says yes or no, this is of type %s", typeNames[w.each.typ]), lang.Text{}), true
		}
	case op != opCount && w.each == nil:
		return c.fault(e, "rule.type", lang.F("먼저 map()으로 값을 고르십시오: %s", "%s needs values: take them by map() first", name), listUsage), true
	}
	if w.when == nil {
		w.when = literal(tBool, c.where(e), true)
	}
	x := &expr{typ: op.result, where: c.where(e), op: op, list: w.list, args: []*expr{w.when}}
	switch {
	case op == opCount: // of what is mapped there are as many
	case op == opSum && w.each.typ != tInt:
		return c.fault(e, "rule.type", lang.F("정수만 더할 수 있습니다 (지금 유형: %s)", "only ints are summed, these are of type %s", typeNames[w.each.typ]), lang.T("won(…)으로 반올림한 뒤 더하십시오", "round them by won(…) first")), true
	case op == opSum:
		x.args = append(x.args, call1(opBounded, w.each))
	case (op == opLeast || op == opMost) && !slices.Contains(of(tInt, tDouble, tDate), w.each.typ):
		return c.fault(e, "rule.type", lang.F("이 유형에는 쓸 수 없습니다: %[1]s (%[2]s)", "%[1]s can't be used on (%[2]s)", name, typeNames[w.each.typ]), lang.Text{}), true
	default:
		x.args = append(x.args, w.each)
		if x.typ == "" {
			x.typ = w.each.typ
		}
	}
	return x, true
}

func call1(op *operation, of *expr) *expr { return call(op, of.where, of) }

// listUsage says what there is.
var listUsage = lang.T("목록에는 exists(x, 조건), all(x, 조건), filter(x, 조건), map(x, 값), size(), sum(), min(), max()를 씁니다", "a list has exists(x, condition), all(x, condition), filter(x, condition), map(x, value), size(), sum(), min() and max()")

// walk checks a list as it is written.
func (c *checker) walk(e ast.Expr) *walked {
	switch e.Kind() {
	case ast.IdentKind:
		return &walked{list: c.env.fields[strings.TrimPrefix(e.AsIdent(), ".")]}
	case ast.SelectKind:
		return &walked{list: c.env.fields[e.AsSelect().FieldName()]}
	}
	call := e.AsCall()
	w := c.walk(call.Target())
	if w == nil {
		return nil
	}
	if len(call.Args()) != 2 || w.each != nil {
		c.fault(e, "rule.type", lang.F("쓰는 방법이 다릅니다: %s", "%s is written differently", call.FunctionName()), listUsage)
		return nil
	}
	x := c.within1(call.Args(), w.list)
	switch {
	case x == nil:
		return nil
	case call.FunctionName() == "map":
		w.each = x
	case x.typ != tBool:
		c.fault(call.Args()[1], "rule.type", lang.F("조건은 예·아니요 값이어야 합니다 (지금 유형: %s)", "a condition says yes or no, this is of type %s", typeNames[x.typ]), lang.Text{})
		return nil
	case w.when == nil:
		w.when = x
	default:
		w.when = call2(opAnd, w.when, x)
	}
	return w
}

func call2(op *operation, a, b *expr) *expr { return call(op, a.where, a, b) }

// within1 checks an expression about one record of a list, which it calls by a name of its own.
func (c *checker) within1(args []ast.Expr, list *Field) *expr {
	if args[0].Kind() != ast.IdentKind {
		return c.fault(args[0], "rule.type", lang.T("목록의 레코드 하나를 부를 이름이 와야 합니다", "a name for one record of the list stands here"), listUsage)
	}
	name := args[0].AsIdent()
	switch {
	case len(c.variables) > 0:
		return c.fault(args[0], "rule.unsupported", lang.T("목록 안에서 다른 목록을 볼 수 없습니다", "within a list no other list can be looked at"), lang.Text{})
	case c.env.fields[name] != nil || name == "record" || name == "params":
		return c.fault(args[0], "rule.type", lang.F("이미 쓰고 있는 이름입니다: %s", "%s is a name already", name), lang.Text{})
	}
	c.variables = map[string]*Field{name: list}
	defer func() { c.variables = nil }()
	return c.expr(args[1])
}

// item is a field of a list's record.
func (c *checker) item(e ast.Expr, list *Field, name string) *expr {
	var names []string
	for i := range list.Items {
		f := &list.Items[i]
		if f.Name == name {
			return &expr{typ: f.Type, where: c.where(e), field: f, of: list}
		}
		names = append(names, f.Name)
	}
	hint := lang.F("쓸 수 있는 항목: %s", "there are: %s", strings.Join(names, ", "))
	if near := manifest.Nearest(name, names); near != "" {
		hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	return c.fault(e, "rule.unknown_field", lang.F("목록 %[2]s에 없는 항목입니다: %[1]s", "the list %[2]s has no field %[1]s", name, list.Name), hint)
}

// guardList guards what is asked of a list: its condition guards what is taken.
func (c *checker) guardList(e *expr, k known, needs map[string]*expr) *expr {
	out := *e
	out.args = slices.Clone(e.args)
	out.args[0] = c.condition(e.args[0], k)
	if len(e.args) > 1 {
		k = k.and(implied(e.args[0], true))
		if e.args[1].typ == tBool {
			out.args[1] = c.condition(e.args[1], k)
		} else {
			out.args[1] = c.value(e.args[1], k, needs)
		}
	}
	return &out
}

// listed is a list of a record in the evaluation, or what is wrong with it.
func listed(f *Field, v any) ref.Val {
	wrong := func(what lang.Text) ref.Val {
		return types.WrapErr(unevaluable("rule.value", lang.T(f.Name+": "+what.Ko, f.Name+": "+what.En)))
	}
	records, ok := v.([]map[string]any)
	if !ok {
		return wrong(lang.T("목록이 아닙니다", "it is no list"))
	}
	if len(records) > MaxItems {
		return wrong(lang.F("목록에는 %d개까지 들어갈 수 있습니다", "a list has at most %d records", MaxItems))
	}
	out := make([]ref.Val, len(records))
	for i, r := range records {
		one := make(map[string]any, len(f.Items))
		for j := range f.Items {
			item := &f.Items[j]
			v, there := r[item.Name]
			switch value := valued(item.Type, v); {
			case v == nil && there && item.Nullable:
				one[item.Name] = types.NullValue
			case value == nil:
				return wrong(lang.F("%[1]d번째의 값이 없거나 유형이 다릅니다: %[2]s", "no. %[1]d has no %[2]s, or one of another type", i+1, item.Name))
			default:
				one[item.Name] = value
			}
		}
		out[i] = types.NewStringInterfaceMap(types.DefaultTypeAdapter, one)
	}
	return types.NewRefValList(types.DefaultTypeAdapter, out)
}

const (
	itemVariable = "item"
	accumulated  = "so_far"
)

// fold makes a comprehension over the records of a list.
func (b *builder) fold(e *expr, begin, while, step, end ast.Expr) ast.Expr {
	return b.NewComprehension(b.id(), b.NewIdent(b.id(), variable(e.list.Name)), itemVariable, accumulated, begin, while, step, end)
}

func (b *builder) soFar() ast.Expr { return b.NewIdent(b.id(), accumulated) }

func (b *builder) always() ast.Expr { return b.NewLiteral(b.id(), types.True) }

func (b *builder) chosen(e *expr, then ast.Expr) ast.Expr {
	return b.NewCall(b.id(), operators.Conditional, b.expr(e.args[0]), then, b.soFar())
}

func buildExists(b *builder, e *expr) ast.Expr {
	hit := b.NewCall(b.id(), operators.LogicalAnd, b.expr(e.args[0]), b.expr(e.args[1]))
	return b.fold(e, b.NewLiteral(b.id(), types.False), b.always(), b.NewCall(b.id(), operators.LogicalOr, b.soFar(), hit), b.soFar())
}

func buildAll(b *builder, e *expr) ast.Expr {
	fine := b.NewCall(b.id(), operators.LogicalOr, b.NewCall(b.id(), operators.LogicalNot, b.expr(e.args[0])), b.expr(e.args[1]))
	return b.fold(e, b.always(), b.always(), b.NewCall(b.id(), operators.LogicalAnd, b.soFar(), fine), b.soFar())
}

func buildCount(b *builder, e *expr) ast.Expr {
	one := b.NewCall(b.id(), operators.Add, b.soFar(), b.NewLiteral(b.id(), types.Int(1)))
	return b.fold(e, b.NewLiteral(b.id(), types.Int(0)), b.always(), b.chosen(e, one), b.soFar())
}

func buildSum(b *builder, e *expr) ast.Expr {
	more := b.NewCall(b.id(), operators.Add, b.soFar(), b.expr(e.args[1]))
	return b.fold(e, b.NewLiteral(b.id(), types.Int(0)), b.always(), b.chosen(e, more), b.soFar())
}

// buildEnd keeps the least or the largest in a list of none or one: a variable of CEL has one type.
func buildEnd(b *builder, e *expr) ast.Expr {
	typ := e.args[1].typ
	none := func() ast.Expr { return b.NewList(b.id(), nil, nil) }
	first := func() ast.Expr {
		return b.NewCall(b.id(), operators.Index, b.soFar(), b.NewLiteral(b.id(), types.Int(0)))
	}
	empty := func() ast.Expr { return b.NewCall(b.id(), operators.Equals, b.soFar(), none()) }
	better := b.NewCall(b.id(), e.op.name+"_"+string(typ), first(), b.expr(e.args[1]))
	one := b.NewCall(b.id(), operators.Conditional, empty(), b.NewList(b.id(), []ast.Expr{b.expr(e.args[1])}, nil), b.NewList(b.id(), []ast.Expr{better}, nil))
	end := b.NewCall(b.id(), operators.Conditional, empty(), b.NewCall(b.id(), "none_"+string(typ)), first())
	return b.fold(e, none(), b.always(), b.chosen(e, one), end)
}

// overList says something of all records by what each has: columns are computed of a record. The records stand in a table of their own, for an aggregate over nothing but outer columns would belong to the outer query.
func (t *translation) overList(e *expr, columns fragment, all string) (fragment, error) {
	list := t.column(e.list.Name)
	if list.Rows == "" {
		return fragment{}, noSQL(e)
	}
	fence := ""
	if t.dialect == Postgres {
		fence = " OFFSET 0"
	}
	out := fragment{text: "(SELECT " + all + " FROM (SELECT " + columns.text + " FROM " + list.Rows + fence + ") AS _a)", args: columns.args}
	if list.Known != "" {
		out.text = "(CASE WHEN " + list.Known + " THEN " + out.text + " END)"
	}
	return out, nil
}

// per is what is computed of one record, as columns: in each step $1 is the condition, $2 what is taken.
func (t *translation) per(e *expr, columns ...string) (out fragment, err error) {
	operands, err := t.fragments(e.args)
	if err != nil {
		return out, err
	}
	for i, step := range columns {
		f := t.render(step, operands)
		if i > 0 {
			out.text += ", "
		}
		out.text += f.text + " AS _v" + strconv.Itoa(i)
		out.args = append(out.args, f.args...)
	}
	return out, nil
}

// translateExists counts as OR and AND do: one that settles it, else one that can't be told.
func translateExists(t *translation, e *expr) (fragment, error) {
	step, all := "CASE $1 AND $2 WHEN TRUE THEN 2 WHEN FALSE THEN 0 ELSE 1 END", "CASE max(_v0) WHEN 2 THEN TRUE WHEN 1 THEN NULL ELSE FALSE END"
	if e.op.name == "all" {
		step, all = "CASE NOT $1 OR $2 WHEN FALSE THEN 2 WHEN TRUE THEN 0 ELSE 1 END", "CASE max(_v0) WHEN 2 THEN FALSE WHEN 1 THEN NULL ELSE TRUE END"
	}
	columns, err := t.per(e, step)
	if err != nil {
		return fragment{}, err
	}
	return t.overList(e, columns, all)
}

// translateSum is NULL where of one record the part, or whether it counts, can't be told.
func translateSum(t *translation, e *expr) (fragment, error) {
	step := "CASE $1 WHEN TRUE THEN $2 WHEN FALSE THEN 0 END"
	if len(e.args) == 1 { // only counted
		step = "CASE $1 WHEN TRUE THEN 1 WHEN FALSE THEN 0 END"
	}
	columns, err := t.per(e, step)
	if err != nil {
		return fragment{}, err
	}
	return t.overList(e, columns, "CASE WHEN count(*) = count(_v0) THEN CAST(COALESCE(sum(_v0), 0) AS "+columnTypes[t.dialect][true]+") END")
}

// translateEnd has beside what counts whether that can be told.
func translateEnd(t *translation, e *expr) (fragment, error) {
	columns, err := t.per(e, "CASE $1 WHEN TRUE THEN $2 END", "CASE WHEN $1 THEN CASE WHEN $2 IS NULL THEN 0 ELSE 1 END WHEN NOT $1 THEN 1 ELSE 0 END")
	if err != nil {
		return fragment{}, err
	}
	return t.overList(e, columns, "CASE WHEN min(_v1) = 1 THEN "+e.op.name+"(_v0) END")
}
