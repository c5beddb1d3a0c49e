package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

// Limits of one page.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Query says which records are asked for.
type Query struct {
	Filter string   // CEL, see package rule; a comparison with an empty field is false
	Sort   string   // fields, comma-separated, "-" for descending; the key decides what they leave open
	Fields []string // all where none are named
	Limit  int      // of a page
	Cursor string   // where the page before ended
}

// Page is a part of a list.
type Page struct {
	Records []*Record
	Next    string // the cursor of the next page; "" at the end

	ahead *Record // the first of the next page: that there is one is told too
}

// List returns a page of records. What is wrong with the query is a problem with status 400: list.field, list.cursor, list.limit and the
// codes of package rule.
func (r *Registry) List(ctx context.Context, d *catalog.Dataset, q Query) (*Page, error) {
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		return nil, problem.New("list.limit", 400, lang.F("limit에는 1–%d 범위의 값을 쓰십시오", "limit is 1 to %d", MaxLimit))
	}
	page := &Page{Records: []*Record{}}
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		l, err := r.list(ctx, tx, d, q)
		if err != nil {
			return err
		}
		limit := q.Limit
		l.limit = limit + 1 // one more, to know whether there is more
		var last *Record
		return l.each(ctx, tx, func(rec *Record, tail []any) (err error) {
			rec.Fields, rec.Values = rec.Fields[:l.wanted], rec.Values[:l.wanted]
			if len(page.Records) == limit {
				page.ahead = rec
				page.Next, err = l.cursor(last)
				return err
			}
			last = &Record{Values: tail}
			page.Records = append(page.Records, rec)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return page, nil
}

// Slice reads the records that a query finds from the offset-th on, in its order, and how many there are in all. Limit and Cursor don't count.
func (r *Registry) Slice(ctx context.Context, d *catalog.Dataset, q Query, offset int64, limit int) (out []*Record, total int64, err error) {
	q.Cursor = ""
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		l, err := r.list(ctx, tx, d, q)
		if err != nil {
			return err
		}
		if q.Filter == "" {
			total, err = r.count(ctx, tx, l.table)
		} else {
			err = tx.QueryRow(ctx, "SELECT count(*) FROM "+l.name+" WHERE "+strings.Join(l.where, " AND "), l.args...).Scan(&total)
		}
		if err != nil {
			return fmt.Errorf("count records of %s: %w", d.Path(), err)
		}
		out = make([]*Record, 0, max(0, min(int64(limit), total-offset)))
		if limit <= 0 || offset < 0 || offset >= total {
			return nil
		}
		l.limit, l.offset = limit, offset
		return l.each(ctx, tx, func(rec *Record, _ []any) error {
			rec.Fields, rec.Values = rec.Fields[:l.wanted], rec.Values[:l.wanted]
			out = append(out, rec)
			return nil
		})
	})
	return out, total, err
}

// Stream hands all records that a query asks for to yield, in one state of the database. Values are the callee's to keep. Limit and Cursor don't count.
func (r *Registry) Stream(ctx context.Context, d *catalog.Dataset, q Query, yield func(*Record) error) error {
	q.Cursor = ""
	return r.db.ReadLong(ctx, func(tx *db.Tx) error {
		l, err := r.list(ctx, tx, d, q)
		if err != nil {
			return err
		}
		return l.each(ctx, tx, func(rec *Record, _ []any) error {
			rec.Fields, rec.Values = rec.Fields[:l.wanted], rec.Values[:l.wanted]
			return yield(rec)
		})
	})
}

// Check returns the fields that a query asks for, in its order, or what is wrong with it, before anything is read.
func (r *Registry) Check(d *catalog.Dataset, q Query) ([]*catalog.Field, error) {
	_, fields, err := r.understand(d, q)
	if err != nil || q.Filter == "" {
		return fields, err
	}
	_, _, err = r.condition(d, q.Filter, r.db.Dialect)
	return fields, err
}

// listing is a query that has been understood.
type listing struct {
	*table
	dialect db.Dialect
	order   []order
	fields  []*catalog.Field // the wanted ones, then those of the order
	wanted  int
	where   []string
	args    []any
	limit   int // 0: all
	offset  int64
	bound   string
	atRest  bool // sealed values stay so

	unordered bool // in whatever order is quickest
}

// order is one column of the order.
type order struct {
	column   string
	typ      manifest.Type
	nullable bool
	down     bool
}

// understand reads the parts of a query that need no database.
func (r *Registry) understand(d *catalog.Dataset, q Query) (sorted []order, fields []*catalog.Field, err error) {
	var faults []problem.Detail
	field := func(where, name string) *catalog.Field {
		f := d.Field(name)
		if f == nil {
			fault := unknownField(d, name)
			fault.Code, fault.Where = "list.field", where
			faults = append(faults, fault)
		}
		return f
	}
	for _, name := range q.Fields {
		if f := field("fields", name); f != nil && !slices.Contains(fields, f) {
			fields = append(fields, f)
		}
	}
	for _, part := range strings.Split(q.Sort, ",") {
		name, down := strings.CutPrefix(strings.TrimSpace(part), "-")
		if name == "" {
			continue
		}
		if f := field("sort", name); f != nil && !slices.ContainsFunc(sorted, func(o order) bool { return o.column == name }) {
			sorted = append(sorted, order{column: name, typ: f.Type, nullable: !f.KeyPart, down: down})
		}
	}
	if len(faults) > 0 {
		p := problem.New("list.field", 400, lang.F("데이터셋에 없는 항목을 썼습니다: %s", "the dataset %s has no such field", d.Path()))
		p.At = faults
		return nil, nil, p.Hinting(lang.F("쓸 수 있는 항목: %s", "its fields: %s", strings.Join(d.FieldNames()[:min(20, len(d.Fields))], ", ")))
	}
	if len(q.Fields) == 0 {
		for i := range d.Fields {
			fields = append(fields, &d.Fields[i])
		}
	}
	return sorted, fields, nil
}

// list understands a query.
func (r *Registry) list(ctx context.Context, tx *db.Tx, d *catalog.Dataset, q Query) (*listing, error) {
	t, err := r.table(ctx, tx, d)
	if err != nil {
		return nil, err
	}
	l := &listing{table: t, dialect: tx.Dialect()}
	if l.order, l.fields, err = r.understand(d, q); err != nil {
		return nil, err
	}
	l.wanted = len(l.fields)
	for _, k := range t.keyOrder() {
		if !slices.ContainsFunc(l.order, func(o order) bool { return o.column == k.column }) {
			l.order = append(l.order, k)
		}
	}
	if q.Filter != "" {
		condition, args, err := r.condition(d, q.Filter, l.dialect)
		if err != nil {
			return nil, err
		}
		l.where, l.args = append(l.where, condition), append(l.args, args...)
	}
	l.bound = boundTo(d, q)
	if q.Cursor != "" {
		return l, l.after(q.Cursor)
	}
	return l, nil
}

// condition is a filter as SQL.
func (r *Registry) condition(d *catalog.Dataset, text string, dialect db.Dialect) (string, []any, error) {
	compiled, err := r.rule(d, text)
	if err != nil {
		return "", nil, err
	}
	return compiled.SQL(rule.Dialect(dialect), manifest.Day(r.now().In(clock.Seoul).Format(manifest.DateLayout)), func(name string) rule.Column { return rule.Column{Text: db.Quote(name)} })
}

// each reads the records in order. tail holds the values of the order's columns.
func (l *listing) each(ctx context.Context, tx *db.Tx, yield func(rec *Record, tail []any) error) error {
	var columns []string
	place := map[string]int{} // each column is read once, however often it is used
	at := func(column string) int {
		i, ok := place[column]
		if !ok {
			i = len(columns)
			place[column], columns = i, append(columns, column)
		}
		return i
	}
	changeAt := at(changeColumn)
	keyAt, fieldAt, orderAt := make([]int, len(l.key)), make([]int, len(l.fields)), make([]int, len(l.order))
	for i, k := range l.key {
		keyAt[i] = at(k)
	}
	for i, f := range l.fields {
		fieldAt[i] = at(f.Name)
	}
	for i, o := range l.order {
		orderAt[i] = at(o.column)
	}
	query, args := "SELECT "+db.Quotes(columns)+" FROM "+l.name, l.args
	if len(l.where) > 0 {
		query += " WHERE " + strings.Join(l.where, " AND ")
	}
	if !l.unordered {
		query += " ORDER BY " + l.orderBy()
	}
	if l.limit > 0 {
		query += " LIMIT ? OFFSET ?"
		args = append(slices.Clip(args), l.limit, l.offset)
	}
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("list %s: %w", l.Path(), err)
	}
	defer rows.Close()
	stored, into, key := make([]any, len(columns)), make([]any, len(columns)), make([]any, len(l.key))
	for i := range stored {
		into[i] = &stored[i]
	}
	each, together := len(l.fields)+len(l.order), 64 // rows whose values are allocated together
	if l.limit > 0 {
		together = min(together, l.limit)
	}
	var room []any
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("list %s: %w", l.Path(), err)
		}
		version, _ := stored[changeAt].(int64)
		for i, c := range keyAt {
			key[i] = stored[c]
		}
		if len(room) < each {
			room = make([]any, each*together)
		}
		values := room[:each:each]
		room = room[each:]
		for i, f := range l.fields {
			if l.atRest {
				values[i] = decode(stored[fieldAt[i]], f.Type)
			} else if values[i], err = l.opened(f, stored[fieldAt[i]]); err != nil {
				return err
			}
		}
		tail := values[len(l.fields):]
		for i, o := range l.order {
			tail[i] = decode(stored[orderAt[i]], o.typ)
		}
		rec := &Record{Key: KeyText(key), Version: version, Fields: l.fields, Values: slices.Clip(values[:len(l.fields)])}
		if err := yield(rec, tail); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("list %s: %w", l.Path(), err)
	}
	return nil
}

// orderBy orders nulls first, as SQLite does, and last when descending.
func (l *listing) orderBy() string {
	parts := make([]string, len(l.order))
	for i, o := range l.order {
		parts[i] = db.Quote(o.column)
		switch {
		case l.dialect == db.Postgres && o.down:
			parts[i] += " DESC NULLS LAST"
		case l.dialect == db.Postgres:
			parts[i] += " NULLS FIRST"
		case o.down:
			parts[i] += " DESC"
		}
	}
	return strings.Join(parts, ", ")
}
