package registry

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// columns lists the table's columns in the order in which rows are written and read.
func (t *table) columns() []string {
	out := []string{changeColumn}
	if len(t.Spec.Key) == 0 {
		out = append(out, idColumn)
	}
	return append(out, t.FieldNames()...)
}

// args are the parameters of a row, in the order of [table.columns].
func (t *table) args(dialect db.Dialect, change int64, row []any) ([]any, error) {
	return t.appendArgs(make([]any, 0, len(row)+2), dialect, change, row)
}

func (t *table) appendArgs(out []any, dialect db.Dialect, change int64, row []any) ([]any, error) {
	out = append(out, change)
	if len(t.Spec.Key) == 0 {
		out = append(out, hashID(row))
	}
	for i, v := range row {
		stored, err := t.stored(&t.Fields[i], v, dialect)
		if err != nil {
			return nil, fmt.Errorf("write a record of %s: %w", t.Path(), err)
		}
		out = append(out, stored)
	}
	return out, nil
}

// record is a record with all its fields.
func (t *table) record(version int64, row []any) *Record {
	return &Record{Key: KeyText(t.keyOf(row)), Version: version, Fields: t.all(), Values: row}
}

// all are all fields.
func (t *table) all() []*catalog.Field {
	out := make([]*catalog.Field, len(t.Fields))
	for i := range t.Fields {
		out[i] = &t.Fields[i]
	}
	return out
}

// byKey is the condition that finds a record by its key.
func (t *table) byKey(dialect db.Dialect, key []any) (string, []any) {
	conditions, args := make([]string, len(key)), make([]any, len(key))
	for i, v := range key {
		conditions[i] = db.Quote(t.key[i]) + " = ?"
		args[i] = encode(v, dialect)
	}
	return strings.Join(conditions, " AND "), args
}

// get finds a record by the text of its key; record.unknown where there is none.
func (t *table) get(ctx context.Context, tx *db.Tx, key string) (*Record, error) {
	values, err := t.parseKey(key)
	if err != nil {
		return nil, err
	}
	where, args := t.byKey(tx.Dialect(), values)
	fields := t.all()
	rows, err := tx.Query(ctx, "SELECT "+t.selection(fields)+" FROM "+t.name+" WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read a record of %s: %w", t.Path(), err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return nil, fmt.Errorf("read a record of %s: %w", t.Path(), err)
		}
		return nil, t.noRecord(key)
	}
	return t.scan(rows, fields)
}

func isUnknown(err error) bool   { return problem.Code(err) == "record.unknown" }
func isDuplicate(err error) bool { return problem.Code(err) == "record.duplicate" }

// selection is the list of columns that [table.scan] reads: the version, the key, the fields.
func (t *table) selection(fields []*catalog.Field) string {
	names := append([]string{changeColumn}, t.key...)
	for _, f := range fields {
		names = append(names, f.Name)
	}
	return db.Quotes(names)
}

// scan reads a row of [table.selection].
func (t *table) scan(rows *sql.Rows, fields []*catalog.Field) (*Record, error) {
	n := len(t.key)
	values := make([]any, 1+n+len(fields))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		return nil, fmt.Errorf("read a record of %s: %w", t.Path(), err)
	}
	version, _ := values[0].(int64)
	for i, name := range t.key {
		values[1+i] = decode(values[1+i], t.keyType(name))
	}
	for i, f := range fields {
		v, err := t.opened(f, values[1+n+i])
		if err != nil {
			return nil, err
		}
		values[1+n+i] = v
	}
	return &Record{Key: KeyText(values[1 : 1+n]), Version: version, Fields: fields, Values: values[1+n:]}, nil
}

// keyType is the type of a key column.
func (t *table) keyType(name string) manifest.Type {
	if f := t.Field(name); f != nil {
		return f.Type
	}
	return manifest.String
}
