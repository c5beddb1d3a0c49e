package registry

import (
	"bytes"
	"context"
	"io"
	"slices"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/manifest"
)

// Selection says which records an agreement lets somebody read. It is for package exchange alone.
type Selection struct {
	Where    string           // a condition over all fields: the agreement's
	View     *catalog.Dataset // the part that Filter may name
	Filter   string           // a condition over View: the caller's
	Subjects []string         // if not nil: only records about these, as the dataset identifies them
	Fields   []string
	Shuffled bool // the order doesn't matter: otherwise it is that of their keys
}

// Select hands the records of a selection to yield, in a transaction of the caller's. Values are the callee's to keep.
func (r *Registry) Select(ctx context.Context, tx *db.Tx, d *catalog.Dataset, s Selection, yield func(*Record) error) error {
	l, err := r.list(ctx, tx, d, Query{Filter: s.Where, Fields: s.Fields})
	if err != nil {
		return err
	}
	l.unordered = s.Shuffled
	if s.Filter != "" {
		condition, args, err := r.condition(s.View, s.Filter, l.dialect)
		if err != nil {
			return err
		}
		l.where, l.args = append(l.where, condition), append(l.args, args...)
	}
	if s.Subjects != nil {
		l.where = append(l.where, db.Quote(d.Spec.Subject)+" IN ("+db.Marks(len(s.Subjects))+")")
		for _, one := range s.Subjects {
			l.args = append(l.args, one)
		}
	}
	return l.each(ctx, tx, func(rec *Record, _ []any) error {
		rec.Fields, rec.Values = rec.Fields[:l.wanted], rec.Values[:l.wanted]
		return yield(rec)
	})
}

// CheckSelection is nil where a selection can be read, before anything is.
func (r *Registry) CheckSelection(d *catalog.Dataset, s Selection) error {
	if _, err := r.Check(d, Query{Filter: s.Where, Fields: s.Fields}); err != nil {
		return err
	}
	if s.Filter == "" {
		return nil
	}
	_, err := r.Check(s.View, Query{Filter: s.Filter})
	return err
}

// Writer writes records in a form of download.
type Writer = recordWriter

// NewWriter begins to write records with these fields.
func (f Form) NewWriter(w io.Writer, fields []*catalog.Field) Writer { return f.write(w, fields) }

// FieldsJSON is the fields of a record as a JSON object, without its key and version.
func (r *Record) FieldsJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if err := writeMembers(&b, r.Fields, r.Values); err != nil {
		return nil, err
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// indexed are the sets of fields that have a search index: those the manifest names, and the subject, by which agreements read.
func indexed(spec *manifest.Dataset) [][]string {
	out := spec.Index
	if spec.Subject == "" || (len(spec.Key) > 0 && spec.Key[0] == spec.Subject) || slices.ContainsFunc(out, func(set []string) bool { return len(set) > 0 && set[0] == spec.Subject }) {
		return out
	}
	return append(slices.Clone(out), []string{spec.Subject})
}
