package catalog

import (
	"sync"

	"github.com/maru-city/maru/manifest"
)

// Dataset is a dataset with its fields resolved: what the manifest says, completed by the terms it cites.
type Dataset struct {
	Project  string
	Name     string
	Revision int64 // of the snapshot it belongs to
	Spec     *manifest.Dataset
	Fields   []Field
	Resource *manifest.Resource
	View     string // names a part of the dataset, see [Dataset.Narrow]; "" for all of it

	views *sync.Map // of the whole: name of a view → *Dataset
}

// Narrow is the part of the dataset that has the fields that keep holds of. For whoever is given it the others don't exist. name must say which part it
// is: the same part is made once.
func (d *Dataset) Narrow(name string, keep func(*Field) bool) *Dataset {
	if known, ok := d.views.Load(name); ok {
		return known.(*Dataset)
	}
	part := *d
	part.View, part.Fields = name, nil
	for i := range d.Fields {
		if keep(&d.Fields[i]) {
			part.Fields = append(part.Fields, d.Fields[i])
		}
	}
	made, _ := d.views.LoadOrStore(name, &part)
	return made.(*Dataset)
}

// HasKey reports whether all fields of the key are among the fields.
func (d *Dataset) HasKey() bool {
	for _, name := range d.Spec.Key {
		if d.Field(name) == nil {
			return false
		}
	}
	return true
}

// Field is a field of a dataset, completed by its term.
type Field struct {
	manifest.Field
	Cites    *Term    // nil where it cites none
	Patterns []string // the term's and its own
	KeyPart  bool
	Exposed  bool // it is open to all, and no law is named by which it may tell of persons
}

// Label is the field's title, or its name where it has none.
func (f *Field) Label() manifest.Text {
	if f.Title.Empty() {
		return manifest.Text{Ko: f.Name}
	}
	return f.Title
}

// Key is the dataset's key in the catalog.
func (d *Dataset) Key() manifest.Key {
	return manifest.Key{Kind: "Dataset", Project: d.Project, Name: d.Name}
}

// Path is project/name.
func (d *Dataset) Path() string { return d.Project + "/" + d.Name }

// Field returns the field of a name, or nil.
func (d *Dataset) Field(name string) *Field {
	for i := range d.Fields {
		if d.Fields[i].Name == name {
			return &d.Fields[i]
		}
	}
	return nil
}

// FieldNames lists the names of the fields in order.
func (d *Dataset) FieldNames() []string {
	out := make([]string, len(d.Fields))
	for i := range d.Fields {
		out[i] = d.Fields[i].Name
	}
	return out
}

// Class is the highest class of the dataset's fields.
func (d *Dataset) Class() manifest.Class {
	class := manifest.Public
	for _, f := range d.Fields {
		if f.Class.AtLeast(class) {
			class = f.Class
		}
	}
	return class
}

// Open reports whether every field is public, so that anyone may read the dataset.
func (d *Dataset) Open() bool { return d.Class() == manifest.Public }

// DefaultClass is the class of a field that neither says one nor cites a term that does: not public by accident.
const DefaultClass = manifest.Internal

// resolve completes a dataset's fields by their terms and reports what doesn't fit.
func (s *Snapshot) resolve(r *manifest.Resource) (*Dataset, []manifest.Finding) {
	spec := r.Spec.(*manifest.Dataset)
	d := &Dataset{Project: r.Project, Name: r.Name, Revision: s.Revision, Spec: spec, Resource: r, views: &sync.Map{}, Fields: make([]Field, len(spec.Fields))}
	var findings []manifest.Finding
	for i, own := range spec.Fields {
		f := Field{Field: own}
		if own.Pattern != "" {
			f.Patterns = append(f.Patterns, own.Pattern)
		}
		if t := s.terms[own.Term]; own.Term != "" && t != nil {
			findings = append(findings, f.complete(t, r)...)
		}
		if f.Class == "" {
			f.Class = DefaultClass
		}
		d.Fields[i] = f
	}
	for _, name := range spec.Key {
		if f := d.Field(name); f != nil {
			f.KeyPart, f.Required = true, true
			if f.Type == manifest.Geometry || f.Type == manifest.Double {
				findings = append(findings, r.Finding(manifest.Error, "dataset.key", "key", manifest.Textf("‘%[2]s’ 항목은 식별 항목이 될 수 없습니다 (유형: %[1]s)", "%[2]s can't be a key: it is a %[1]s", string(f.Type), f.Name), manifest.Text{}))
			}
		}
	}
	if d.Open() {
		for i := range d.Fields {
			d.Fields[i].Exposed = d.Fields[i].Basis == ""
		}
	}
	return d, append(findings, d.exposed()...)
}

// Asked is a field that is asked of people: what is said of it, completed by its term. What doesn't fit the term is reported at a path of the document r.
func (s *Snapshot) Asked(own manifest.Field, r *manifest.Resource, at string) (Field, []manifest.Finding) {
	f := Field{Field: own}
	t := s.terms[own.Term]
	if own.Term == "" || t == nil {
		return f, nil
	}
	return f, f.completeAt(t, r, at)
}

// exposed reports where values of class unique would stand in addresses and logs: as a record's key, or, where there is none, as a hash of a few that
// can be guessed (개인정보보호법 제24조의2).
func (d *Dataset) exposed() (findings []manifest.Finding) {
	if f := d.Field(d.Spec.Subject); f != nil && f.Class == manifest.Unique { // nobody could be told that they were read about
		findings = append(findings, d.Resource.Finding(manifest.Error, "dataset.unique_subject", "subject",
			manifest.Textf("고유식별정보 항목은 subject가 될 수 없습니다: %s", "%s can't be the subject: it is a unique identifier", f.Name),
			manifest.T("개인식별자 항목을 subject로 쓰십시오", "use the field with a person's identifier of the project")))
	}
	for _, f := range d.Fields {
		if f.Class != manifest.Unique || len(d.Spec.Key) > 0 && !f.KeyPart {
			continue
		}
		text := manifest.Textf("고유식별정보 항목은 식별 항목이 될 수 없습니다: %s", "%s can't be a key: it is a unique identifier", f.Name)
		at := "key"
		if !f.KeyPart {
			at, text = "fields."+f.Name, manifest.Textf("고유식별정보 항목이 있으면 다른 식별 항목(key)이 필요합니다: %s", "%s is a unique identifier: the dataset needs a key that isn't one", f.Name)
		}
		findings = append(findings, d.Resource.Finding(manifest.Error, "dataset.unique_key", at, text,
			manifest.T("개인식별자나 기관이 정한 번호를 key로 쓰십시오", "use a person's identifier of the project, or a number of your own, as the key")))
	}
	return findings
}

// complete takes from a term what the field leaves out, and reports where the field contradicts it.
func (f *Field) complete(t *Term, r *manifest.Resource) []manifest.Finding {
	return f.completeAt(t, r, "fields."+f.Name)
}

func (f *Field) completeAt(t *Term, r *manifest.Resource, at string) (findings []manifest.Finding) {
	f.Cites = t
	if f.Type == "" {
		f.Type = t.Type
	} else if f.Type != t.Type {
		findings = append(findings, r.Finding(manifest.Error, "dataset.type", at+".type", manifest.Textf("용어와 항목의 유형이 다릅니다: %s (용어 %s, 항목 %s)", "the term %s is a %s, the field a %s", t.Name, string(t.Type), string(f.Type)),
			manifest.T("type:을 지우거나 다른 용어를 쓰십시오", "leave type: out, or cite another term")))
	}
	if f.Title.Empty() {
		f.Title = t.Title
	}
	if f.Length == 0 || (t.Length > 0 && t.Length < f.Length) {
		f.Length = t.Length
	}
	if t.Pattern != "" {
		f.Patterns = append(f.Patterns, t.Pattern)
	}
	if f.Min == nil {
		f.Min = t.Min
	}
	if f.Max == nil {
		f.Max = t.Max
	}
	if f.Unit == "" {
		f.Unit = t.Unit
	}
	if len(f.Codes) == 0 {
		f.Codes = t.Codes
	}
	if f.Class == "" {
		f.Class = t.Class
	} else if f.Class == manifest.Public && t.Class.AtLeast(manifest.Personal) && f.Basis == "" {
		findings = append(findings, r.Finding(manifest.Error, "open.term", at+".class", manifest.Textf("용어가 개인정보여서 모두에게 공개할 수 없습니다: %s (용어 %s)", "it can't be public: its term %[2]s is %[1]s", string(t.Class), t.Name),
			manifest.T("class:를 지우십시오. 공개할 법적 근거가 있으면 항목의 basis:에 쓰십시오", "leave class: out; where a law has it open, name the law in the field's basis:")))
	} else if t.Class != "" && !f.Class.AtLeast(t.Class) {
		findings = append(findings, r.Finding(manifest.Warning, "dataset.class", at+".class", manifest.Textf("용어의 보호 등급을 낮추었습니다: %s (용어 %s, 항목 %s)", "the term %s is %s; the field lowers it to %s", t.Name, string(t.Class), string(f.Class)),
			manifest.T("낮추어도 되는 이유를 about:에 쓰십시오", "say in about: why that is right")))
	}
	return findings
}
