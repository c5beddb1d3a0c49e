package registry

import (
	"context"
	"encoding/json"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Readable is the part of a dataset that a principal may read without an agreement: all of an open one by anyone, internal fields by the owner's people, fields
// about persons by its stewards, caseworkers and service account. Of a dataset that isn't open nobody else reads anything, its public fields neither: what all may read is looked at
// before it is opened, as a whole. Values of class unique are read by agreements that name a law only (개인정보보호법 제24조의2).
// It is a problem where not even that much may be read.
func Readable(who *identity.Principal, d *catalog.Dataset, place identity.Place) (*catalog.Dataset, error) {
	name, most := readableBy(who, place)
	if most == manifest.Public && !d.Open() {
		return nil, who.Refused()
	}
	part := d.Narrow(name, func(f *catalog.Field) bool { return most.AtLeast(f.Class) })
	if len(part.Fields) == 0 || !part.HasKey() {
		return nil, who.Refused()
	}
	return part, nil
}

// readableBy is the highest class of fields that a principal may read without an agreement, and what the part with them is called.
func readableBy(who *identity.Principal, place identity.Place) (name string, most manifest.Class) {
	switch {
	case who.May(identity.ReadPersonal, place):
		return "personal", manifest.Sensitive
	case who.May(identity.ReadInternal, place):
		return "internal", manifest.Internal
	}
	return "public", manifest.Public
}

// readsAll reports whether a principal may read every field of a dataset without an agreement.
func readsAll(who *identity.Principal, d *catalog.Dataset, place identity.Place) bool {
	_, most := readableBy(who, place)
	return who.Kind == identity.Program || d != nil && most.AtLeast(d.Class())
}

// readable finds the dataset of a path, as far as who asks may read it.
func (a *api) readable(ctx context.Context, in DatasetPath) (*catalog.Dataset, error) {
	d, err := a.dataset(in)
	if err != nil {
		return nil, err
	}
	return Readable(identity.From(ctx), d, a.snapshot().Place(d.Project))
}

// loadable finds the dataset of a path, whole, for who may write to it.
func (a *api) loadable(ctx context.Context, in DatasetPath) (*catalog.Dataset, error) {
	d, err := a.dataset(in)
	if err != nil {
		return nil, err
	}
	return d, identity.From(ctx).Need(identity.Write, a.snapshot().Place(d.Project))
}

// writable is loadable, with the part that they may read: who changes a record must see which one.
func (a *api) writable(ctx context.Context, in DatasetPath) (whole, part *catalog.Dataset, err error) {
	if whole, err = a.loadable(ctx, in); err != nil {
		return nil, nil, err
	}
	part, err = Readable(identity.From(ctx), whole, a.snapshot().Place(whole.Project))
	return whole, part, err
}

// by is who writes through the API, and what they see of what they write to.
func by(ctx context.Context, part *catalog.Dataset) By {
	return By{Actor: identity.From(ctx).Actor(), Via: "api", Sees: part}
}

// seenAs takes from an error the fields of a record that who asks may not see.
func seenAs(err error, part *catalog.Dataset) error {
	p := problem.As(err)
	if p == nil {
		return err
	}
	if now, ok := p.With["current"].(*Record); ok {
		p.With["current"] = written(part, now, nil)
	}
	return err
}

// Only is the record with the fields of a part of its dataset.
func (r *Record) Only(part *catalog.Dataset) *Record {
	return r.only(func(f *catalog.Field) bool { return part.Field(f.Name) != nil })
}

func (r *Record) only(which func(*catalog.Field) bool) *Record {
	out := &Record{Key: r.Key, Version: r.Version}
	for i, f := range r.Fields {
		if which(f) {
			out.Fields, out.Values = append(out.Fields, f), append(out.Values, r.Values[i])
		}
	}
	return out
}

// only takes from the values of a former state those that the part of a dataset has.
func only(values json.RawMessage, part *catalog.Dataset) (Values, error) {
	var out Values
	if err := out.UnmarshalJSON(values); err != nil {
		return nil, err
	}
	for name := range out {
		if part.Field(name) == nil {
			delete(out, name)
		}
	}
	return out, nil
}
