package registry

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Seen is what somebody of a dataset's owner reads of records about persons, without an agreement.
type Seen struct {
	Fields   []string // that are shown, or say by filter or order something of the records
	Filter   string   // the condition, or the key that was asked for: it may name persons too
	Records  int64
	Subjects []string // whom they are about, as the dataset identifies them; one may be there more than once, and what is no identifier too
}

// Keep writes a receipt of what is seen. It is durable when it returns nil; otherwise nothing may leave.
type Keep func(ctx context.Context, who *identity.Principal, d *catalog.Dataset, seen Seen) error

// Sizes of what leaves of a download under one receipt.
const (
	seenRecords = 20_000
	seenBytes   = 8 << 20
)

// about finds the field that says whom records are about, where what is read of them must be kept: fields about persons are in the part that is read.
func about(part *catalog.Dataset) *catalog.Field {
	f := part.Field(part.Spec.Subject)
	if f == nil || f.Cites == nil || f.Cites.Identifies != "person" || !part.Class().AtLeast(manifest.Personal) {
		return nil
	}
	return f
}

// withSubject is a query that reads also whom the records are about; added where it didn't itself.
func withSubject(part *catalog.Dataset, q Query) (_ Query, added bool) {
	f := about(part)
	if f == nil || len(q.Fields) == 0 || slices.Contains(q.Fields, f.Name) {
		return q, false
	}
	q.Fields = append(slices.Clone(q.Fields), f.Name)
	return q, true
}

// seen keeps that records are read, before they leave; ahead is one of which it is told only that it is there. An answer without records is kept too where
// it says something of persons: by a filter over fields about them.
func (a *api) seen(ctx context.Context, part *catalog.Dataset, q Query, records []*Record, ahead *Record) error {
	f := about(part)
	if f == nil {
		return nil
	}
	sorted, fields, err := a.understand(part, q)
	if err != nil {
		return err
	}
	for _, o := range sorted {
		fields = append(fields, part.Field(o.column))
	}
	tells := len(records) > 0
	if q.Filter != "" {
		condition, err := a.rule(part, q.Filter)
		if err != nil {
			return err
		}
		for _, name := range condition.Fields() {
			fields = append(fields, part.Field(name))
			tells = tells || part.Field(name).Class.AtLeast(manifest.Personal)
		}
	}
	if !tells {
		return nil
	}
	s := Seen{Filter: q.Filter, Records: int64(len(records))}
	for _, one := range fields {
		if !slices.Contains(s.Fields, one.Name) {
			s.Fields = append(s.Fields, one.Name)
		}
	}
	if ahead != nil {
		records = append(slices.Clone(records), ahead)
	}
	for _, rec := range records {
		for i, one := range rec.Fields {
			if text, ok := rec.Values[i].(string); ok && one.Name == f.Name {
				s.Subjects = append(s.Subjects, text)
			}
		}
	}
	return a.keep(ctx, identity.From(ctx), part, s)
}

// seenOne keeps that the record of a key is read, or that there is none.
func (a *api) seenOne(ctx context.Context, part *catalog.Dataset, key string, subjects []string, records int64) error {
	if about(part) == nil {
		return nil
	}
	return a.keep(ctx, identity.From(ctx), part, Seen{Fields: part.FieldNames(), Filter: key, Records: records, Subjects: subjects})
}

// likePersons are the texts of a record's, or a former state's, that may identify one.
func likePersons(values []any) (out []string) {
	for _, v := range values {
		if text, ok := v.(string); ok && strings.HasPrefix(text, "p") {
			out = append(out, text)
		}
	}
	return out
}

// without takes the last field from records.
func without(records []*Record) {
	for _, rec := range records {
		n := len(rec.Fields) - 1
		rec.Fields, rec.Values = rec.Fields[:n], rec.Values[:n]
	}
}

// written is a record that is shown because somebody wrote to it: of what is about persons they see no more than they gave. To see the rest they read it.
func written(part *catalog.Dataset, rec *Record, given Values) *Record {
	if about(part) == nil {
		return rec.Only(part)
	}
	return rec.only(func(f *catalog.Field) bool {
		_, own := given[f.Name]
		return part.Field(f.Name) != nil && (own || !f.Class.AtLeast(manifest.Personal))
	})
}

// pour writes all records that a query asks for, in one form. Where they are about persons each part of them has a receipt before it leaves.
func (a *api) pour(ctx context.Context, part *catalog.Dataset, q Query, form Form, w io.Writer) error {
	if about(part) == nil {
		return a.Download(ctx, part, q, form, w)
	}
	fields, err := a.Check(part, q)
	if err != nil {
		return err
	}
	out := form.write(w, fields)
	defer abort(out)
	asked := q
	q, added := withSubject(part, q)
	var batch []*Record
	size := 0
	leave := func() error {
		if err := a.seen(ctx, part, asked, batch, nil); err != nil {
			return err
		}
		if added {
			without(batch)
		}
		for _, rec := range batch {
			if err := out.Write(rec); err != nil {
				return err
			}
		}
		batch, size = batch[:0], 0
		return nil
	}
	err = a.Stream(ctx, part, q, func(rec *Record) error {
		batch, size = append(batch, rec), size+rec.Size()
		if len(batch) < seenRecords && size < seenBytes {
			return nil
		}
		return leave()
	})
	if err == nil {
		err = leave()
	}
	if err != nil {
		return err
	}
	return out.Close()
}
