package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/manifest"
)

// Sealer keeps values of class unique from being read where they lie (개인정보보호법 제24조의2 제2항). A key ring of package keys is one.
type Sealer interface {
	Seal(about, value string) (string, error)
	Unseal(about, sealed string) (string, error)
	Index(about, value string) (string, error) // the same for the same value
}

// sealed reports whether a field's values are stored sealed: as text, the index of the value and then the value encrypted.
func sealed(f *catalog.Field) bool { return f.Class == manifest.Unique }

// indexLength is the length of what [Sealer.Index] gives, by which sealed values are compared.
const indexLength = 26

// comparable is the SQL by which values of a column are the same or not.
func (t *table) comparable(name string) string {
	if f := t.Field(name); f != nil && sealed(f) {
		return fmt.Sprintf("substr(%s, 1, %d)", db.Quote(name), indexLength)
	}
	return db.Quote(name)
}

// comparand is a value as [table.comparable] has it.
func (t *table) comparand(f *catalog.Field, v any, dialect db.Dialect) (any, error) {
	if v == nil || !sealed(f) {
		return encode(v, dialect), nil
	}
	return t.sealer.Index(t.about(), plain(v))
}

// about binds sealed values to the dataset: moved to another they can't be opened. Names may change; the number doesn't.
func (t *table) about() string { return fmt.Sprintf("records %d", t.id) }

// stored is a value as its column has it.
func (t *table) stored(f *catalog.Field, v any, dialect db.Dialect) (any, error) {
	if v == nil || !sealed(f) {
		return encode(v, dialect), nil
	}
	index, err := t.sealer.Index(t.about(), plain(v))
	if err != nil {
		return nil, err
	}
	if len(index) != indexLength {
		return nil, fmt.Errorf("an index has %d letters, not %d", len(index), indexLength)
	}
	body, err := t.sealer.Seal(t.about(), plain(v))
	return index + body, err
}

// opened is the value that a column has.
func (t *table) opened(f *catalog.Field, v any) (any, error) {
	v = decode(v, f.Type)
	if v == nil || !sealed(f) {
		return v, nil
	}
	s, ok := v.(string)
	if !ok || len(s) < indexLength {
		return nil, t.unopened(f, errors.New("it isn't sealed"))
	}
	open, err := t.sealer.Unseal(t.about(), s[indexLength:])
	if err != nil {
		return nil, t.unopened(f, err)
	}
	out, ok := f.Type.Parse(open)
	if !ok {
		return nil, t.unopened(f, errors.New("it is of another type"))
	}
	return out, nil
}

func (t *table) unopened(f *catalog.Field, err error) error {
	return fmt.Errorf("open a sealed value of %s.%s: %w", t.Path(), f.Name, err)
}

// seals reports whether any field is sealed.
func (t *table) seals() bool {
	return slices.ContainsFunc(t.Fields, func(f catalog.Field) bool { return sealed(&f) })
}

// atRest are a record's values as they lie in the table, for what is kept elsewhere of it.
func (t *table) atRest(r *Record) ([]any, error) {
	if !t.seals() {
		return r.Values, nil
	}
	out := slices.Clone(r.Values)
	for i, f := range r.Fields {
		if !sealed(f) {
			continue
		}
		var err error
		if out[i], err = t.stored(f, out[i], db.SQLite); err != nil { // text, on both databases
			return nil, err
		}
	}
	return out, nil
}

// reseals lists the fields that were sealed and aren't any more, or the other way round, by their places after.
func (s *shape) reseals() (out []int) {
	for i, at := range s.from {
		if at >= 0 && sealed(&s.before.Fields[at]) != sealed(&s.after.Fields[i]) {
			out = append(out, i)
		}
	}
	return out
}

// resealHistory seals or opens fields of the former states, as the table now has them.
func (s *shape) resealHistory(ctx context.Context, tx *db.Tx, t, next *table) error {
	fields := s.reseals()
	if len(fields) == 0 {
		return nil
	}
	type place struct {
		keyed, change int64
		record        string
	}
	at := place{-1, -1, ""}
	for {
		var places []place
		var bodies []string
		rows, err := tx.Query(ctx, "SELECT keyed, record, change, body FROM former WHERE dataset_id = ? AND (keyed, record, change) > (?, ?, ?) ORDER BY keyed, record, change LIMIT ?",
			t.id, at.keyed, at.record, at.change, batchRows)
		if err != nil {
			return fmt.Errorf("seal the history of %s: %w", t.Path(), err)
		}
		for rows.Next() {
			var p place
			var body string
			if err = rows.Scan(&p.keyed, &p.record, &p.change, &body); err != nil {
				break
			}
			places, bodies = append(places, p), append(bodies, body)
		}
		if err = errors.Join(err, rows.Err(), rows.Close()); err != nil {
			return fmt.Errorf("seal the history of %s: %w", t.Path(), err)
		}
		for n, p := range places {
			body, err := s.resealed(t, next, fields, bodies[n])
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "UPDATE former SET body = ? WHERE dataset_id = ? AND keyed = ? AND record = ? AND change = ?", body, t.id, p.keyed, p.record, p.change); err != nil {
				return fmt.Errorf("seal the history of %s: %w", t.Path(), err)
			}
			at = p
		}
		if len(places) < batchRows {
			return nil
		}
	}
}

// resealed is a former state with fields sealed or opened; each may stand in it under a name that it had before.
func (s *shape) resealed(t, next *table, fields []int, body string) (string, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &values); err != nil {
		return "", fmt.Errorf("seal the history of %s: %w", t.Path(), err)
	}
	for _, i := range fields {
		before, after := &s.before.Fields[s.from[i]], &s.after.Fields[i]
		for _, name := range []string{before.Name, after.Name, before.Was, after.Was} {
			raw, there := values[name]
			if !there || string(raw) == "null" {
				continue
			}
			text := strings.Trim(string(raw), `"`) // a number or a truth value is as text what it is as JSON
			if raw[0] == '"' {
				if err := json.Unmarshal(raw, &text); err != nil {
					return "", fmt.Errorf("seal the history of %s: %w", t.Path(), err)
				}
			}
			var v any = text
			var err error
			if sealed(after) {
				v, err = next.stored(after, v, db.SQLite)
			} else {
				v, err = t.opened(before, v)
			}
			if err != nil {
				return "", err
			}
			if values[name], err = json.Marshal(v); err != nil {
				return "", err
			}
			break
		}
	}
	out, err := json.Marshal(values)
	return string(out), err
}
