package registry

import (
	"context"
	"io"
	"slices"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Seen is what somebody of a dataset's owner reads of records about persons, without an agreement.
type Seen struct {
	Fields   []string
	Filter   string
	Records  int64
	Subjects []string // whom they are about, as the dataset identifies them; one may be there more than once
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

// seen keeps that records are read: before they leave.
func (a *api) seen(ctx context.Context, part *catalog.Dataset, filter string, records ...*Record) error {
	f := about(part)
	if f == nil || len(records) == 0 {
		return nil
	}
	s := Seen{Filter: filter, Records: int64(len(records))}
	for _, shown := range records[0].Fields {
		s.Fields = append(s.Fields, shown.Name)
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

// without takes the last field from records.
func without(records []*Record) {
	for _, rec := range records {
		n := len(rec.Fields) - 1
		rec.Fields, rec.Values = rec.Fields[:n], rec.Values[:n]
	}
}

// shown is a record that was written, as far as who wrote it may see it. What they can't have a receipt of they don't see.
func (a *api) shown(ctx context.Context, part *catalog.Dataset, rec *Record) *Record {
	rec = rec.Only(part)
	if a.seen(ctx, part, "", rec) == nil {
		return rec
	}
	open := part.Narrow("public", func(f *catalog.Field) bool { return !f.Class.AtLeast(manifest.Personal) })
	return rec.Only(open)
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
	filter := q.Filter
	q, added := withSubject(part, q)
	var batch []*Record
	size := 0
	leave := func() error {
		if err := a.seen(ctx, part, filter, batch...); err != nil {
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
