package rule

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Dialect names a database's SQL.
type Dialect string

// The dialects. Columns are as the registry makes them: in SQLite TEXT , INTEGER (also bool) and REAL, in PostgreSQL
// text COLLATE "C", bigint, double precision and boolean; dates and datetimes are text as package manifest writes it. Text is valid UTF-8
// without NUL, doubles are finite.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// Column is where a field stands in SQL.
type Column struct {
	Text  string // its quoted column, or another expression; NULL where the value isn't known
	Known string // whether the value is known, as a condition that is never NULL; "" where it always is

	// Of a list: its records, as what follows FROM, and the column of one of their fields.
	Rows string
	Item func(field string) string
}

// SQL is the rule as a condition: true, false, or NULL where [Rule.Eval] has an error or [Rule.Judge] can't tell. It never makes the database fail.
//
// The text has ? for each of args. Nothing of the expression gets into the text, and no names but those that column gives. Its error is a *problem.Problem with code rule.no_sql, which names what has no translation and its place, or rule.as_of.
func (r *Rule) SQL(d Dialect, asOf manifest.Day, column func(field string) Column) (text string, args []any, err error) {
	if d != SQLite && d != Postgres {
		return "", nil, fmt.Errorf("rule: no dialect %q", d)
	}
	t := &translation{dialect: d, asOf: asOf, column: column}
	f, err := t.fragment(r.tree)
	if err != nil {
		return "", nil, err
	}
	return f.text, f.args, nil
}

// translation is the making of one condition.
type translation struct {
	dialect Dialect
	asOf    manifest.Day
	column  func(string) Column
}

// fragment is a piece of SQL that stands wherever an operand can: a name, a parameter, or in parentheses.
type fragment struct {
	text   string
	args   []any
	simple bool // may be written twice: a column or a parameter
}

func (t *translation) fragment(e *expr) (fragment, error) {
	switch {
	case e.of != nil:
		return fragment{text: t.column(e.of.Name).Item(e.field.Name), simple: true}, nil
	case e.field != nil:
		return fragment{text: t.column(e.field.Name).Text, simple: true}, nil
	case e.op == nil:
		return t.parameter(e.typ, e.literal), nil
	case e.op.translate != nil:
		return e.op.translate(t, e)
	}
	recipe := e.op.sqlite
	if t.dialect == Postgres {
		recipe = e.op.postgres
	}
	if len(recipe) == 0 {
		return fragment{}, noSQL(e)
	}
	operands, err := t.fragments(e.args)
	if err != nil {
		return fragment{}, err
	}
	for _, step := range recipe {
		operands = []fragment{t.render(step, operands)}
	}
	out := operands[0]
	if e.op == opIsNull || e.op == opNotNull || e.op == opOrValue { // what isn't known isn't null
		if read := e.args[0]; read.of != nil {
			return out, nil // of a list that is known all is
		} else if known := t.column(read.field.Name).Known; known != "" {
			out.text = "(CASE WHEN " + known + " THEN " + out.text + " END)"
		}
	}
	return out, nil
}

func (t *translation) fragments(all []*expr) ([]fragment, error) {
	out := make([]fragment, len(all))
	for i, e := range all {
		f, err := t.fragment(e)
		if err != nil {
			return nil, err
		}
		out[i] = f
	}
	return out, nil
}

// noSQL says that an operation has no translation. Status 400: another expression would have one.
func noSQL(e *expr) error {
	p := problem.New("rule.no_sql", http.StatusBadRequest, lang.F("데이터베이스에서 같은 결과로 계산할 수 없습니다: %s", "%s can't be computed with the same meaning in the database", display(e.op.name)))
	p.At = []problem.Detail{{Code: p.Code, Where: e.where, Message: p.Detail}}
	return p.Hinting(lang.T("contains, startsWith, endsWith로 바꿔 쓸 수 있는지 확인하십시오", "see whether contains, startsWith or endsWith will do"))
}

// parameterTypes are the types of parameters where they must be said: PostgreSQL would guess.
var parameterTypes = map[manifest.Type]string{
	tString: "text", tInt: "bigint", tDouble: "double precision", tBool: "boolean", tDate: "text", tDatetime: "text",
}

func (t *translation) parameter(typ manifest.Type, v any) fragment {
	if t.dialect == Postgres {
		return fragment{text: "CAST(? AS " + parameterTypes[typ] + ")", args: []any{v}, simple: true}
	}
	if b, ok := v.(bool); ok {
		v = int64(0)
		if b {
			v = int64(1)
		}
	}
	return fragment{text: "?", args: []any{v}, simple: true}
}

// render puts operands into a step. One that isn't simple and is named twice is computed once, in a subquery, so that the text grows
// with the expression and not with its power.
func (t *translation) render(step string, operands []fragment) fragment {
	var bound []fragment
	var names strings.Builder
	local := make([]fragment, len(operands))
	for i, o := range operands {
		local[i] = o
		if !o.simple && strings.Count(step, "$"+strconv.Itoa(i+1)) > 1 {
			name := "_" + strconv.Itoa(i+1) // no column is called so: names of fields begin with a letter
			if len(bound) > 0 {
				names.WriteString(", ")
			}
			names.WriteString(o.text + " AS " + name)
			bound = append(bound, o)
			local[i] = fragment{text: name}
		}
	}
	out := substitute(step, local)
	if len(bound) == 0 {
		out.text = "(" + out.text + ")"
		return out
	}
	fence := ""
	if t.dialect == Postgres {
		fence = " OFFSET 0" // or the planner would put it back in both places
	}
	out.text = "(SELECT " + out.text + " FROM (SELECT " + names.String() + fence + ") AS _t)"
	for _, o := range bound {
		out.args = append(out.args, o.args...)
	}
	return out
}

// substitute writes operands for $1, $2, $3.
func substitute(step string, operands []fragment) fragment {
	var out fragment
	var b strings.Builder
	for i := 0; i < len(step); i++ {
		if step[i] != '$' {
			b.WriteByte(step[i])
			continue
		}
		i++
		o := operands[step[i]-'1']
		b.WriteString(o.text)
		out.args = append(out.args, o.args...)
	}
	out.text = b.String()
	return out
}

func translateIn(t *translation, e *expr) (fragment, error) {
	all, err := t.fragments(e.args)
	if err != nil {
		return fragment{}, err
	}
	out := fragment{args: all[0].args}
	elements := make([]string, 0, len(all)-1)
	for _, f := range all[1:] {
		elements = append(elements, f.text)
		out.args = append(out.args, f.args...)
	}
	out.text = "(" + all[0].text + " IN (" + strings.Join(elements, ", ") + "))"
	return out, nil
}

func translateToday(t *translation, _ *expr) (fragment, error) {
	if err := asOfFault(t.asOf); err != nil {
		return fragment{}, err
	}
	return t.parameter(tDate, string(t.asOf)), nil
}

func translateSince(t *translation, e *expr) (fragment, error) {
	if err := asOfFault(t.asOf); err != nil {
		return fragment{}, err
	}
	n, unit := e.args[1].literal.(int64), e.args[2].literal.(string)
	return t.parameter(tDate, since(string(t.asOf), int(n), unit)), nil
}
