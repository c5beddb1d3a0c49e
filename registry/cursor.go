package registry

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// place is what a cursor holds: the values of the order's columns where a page ended.
type place struct {
	Bound  string `json:"b"` // the query it belongs to
	Values []any  `json:"v"`
}

// cursor is sealed: it stands in addresses, and may hold values of fields that aren't shown.
func (l *listing) cursor(last *Record) (string, error) {
	text, err := json.Marshal(place{l.bound, last.Values})
	if err != nil {
		return "", fmt.Errorf("write a cursor: %w", err)
	}
	return l.sealer.Seal(sealedCursor, string(text))
}

// sealedCursor binds what is sealed to be a cursor.
const sealedCursor = "cursor"

// boundTo is a short name for the parts of a query that a cursor belongs to.
func boundTo(d *catalog.Dataset, q Query) string {
	return hashID([]any{d.Path(), q.Filter, q.Sort})[:12]
}

// after puts in the condition for what stands behind a cursor.
func (l *listing) after(cursor string) error {
	wrong := problem.New("list.cursor", 400, lang.T("이 목록의 cursor가 아닙니다", "the cursor isn't of this list")).
		Hinting(lang.T("cursor에는 앞 쪽의 next 값을 같은 filter, sort와 함께 그대로 쓰십시오", "a cursor is the next of the page before, used with the same filter and sort"))
	raw, err := l.sealer.Unseal(sealedCursor, cursor)
	if err != nil {
		return wrong
	}
	var p place
	decoder := json.NewDecoder(strings.NewReader(raw))
	decoder.UseNumber()
	if decoder.Decode(&p) != nil || p.Bound != l.bound || len(p.Values) != len(l.order) {
		return wrong
	}
	for i, v := range p.Values {
		got, ok := l.order[i].read(v)
		if !ok {
			return wrong
		}
		p.Values[i] = got
	}
	condition, args := l.beyond(p.Values)
	l.where, l.args = append(l.where, condition), append(l.args, args...)
	return nil
}

// read is a value of a cursor as the column has it.
func (o order) read(v any) (any, bool) {
	switch x := v.(type) {
	case nil:
		return nil, o.nullable
	case bool:
		return x, o.typ == manifest.Bool
	case json.Number:
		if o.typ == manifest.Int || o.typ == manifest.Double {
			return o.typ.Parse(x.String())
		}
	case string:
		return x, o.typ != manifest.Int && o.typ != manifest.Double && o.typ != manifest.Bool && !strings.ContainsRune(x, 0)
	}
	return nil, false
}

// beyond is the condition for what comes after values in the order: a row of values where the order is plain, so that an index
// leads to it, and otherwise a case for each column, led by a bound of the first.
func (l *listing) beyond(values []any) (string, []any) {
	plain := true
	args := make([]any, len(values))
	columns := make([]string, len(values))
	for i, o := range l.order {
		plain = plain && !o.nullable && !o.down
		args[i] = encode(values[i], l.dialect)
		columns[i] = o.column
	}
	if plain {
		return "(" + db.Quotes(columns) + ") > (" + db.Marks(len(args)) + ")", args
	}
	var cases []string
	var out []any
	for i := range l.order {
		var all []string
		var own []any
		for j := range i {
			if args[j] == nil {
				all = append(all, db.Quote(columns[j])+" IS NULL")
				continue
			}
			all, own = append(all, db.Quote(columns[j])+" = ?"), append(own, args[j])
		}
		condition, arg := l.order[i].beyond(args[i])
		if condition == "" {
			continue // nothing comes after it
		}
		cases = append(cases, "("+strings.Join(append(all, condition), " AND ")+")")
		out = append(append(out, own...), arg...)
	}
	if len(cases) == 0 {
		return "1 = 0", nil
	}
	condition := "(" + strings.Join(cases, " OR ") + ")"
	if first := l.order[0]; args[0] != nil && !first.down {
		condition = "(" + db.Quote(first.column) + " >= ? AND " + condition + ")"
		out = append([]any{args[0]}, out...)
	}
	return condition, out
}

// beyond is the condition for what comes after one value in a column, or "" where nothing does. Nulls are the smallest.
func (o order) beyond(value any) (string, []any) {
	column := db.Quote(o.column)
	switch {
	case !o.down && value == nil:
		return column + " IS NOT NULL", nil
	case !o.down:
		return column + " > ?", []any{value}
	case value == nil:
		return "", nil
	case o.nullable:
		return "(" + column + " < ? OR " + column + " IS NULL)", []any{value}
	}
	return column + " < ?", []any{value}
}
