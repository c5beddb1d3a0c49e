package manifest

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/manifests.md")

// TestThePageOfManifestsSaysWhatManifestsAre compares docs/manifests.md with the structs: go test ./manifest -update writes it anew.
func TestThePageOfManifestsSaysWhatManifestsAre(t *testing.T) {
	const path = "../docs/manifests.md"
	want := page()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Errorf("%s isn't what the manifests are (%v): run go test ./manifest -update", path, err)
	}
}

func page() string {
	var b strings.Builder
	b.WriteString(`# Manifests

A manifest is YAML, one resource a document: ` + "`kind`, `name`" + `, then what the kind has. This page is made from the code
(` + "`go test ./manifest -update`" + `); ` + "`maru schema KIND`" + ` gives an editor the same as JSON Schema.

- A folder with a Project document is that project; what lies in it and below is at home there. Agency, Project, Term, Vocabulary, Parameter and LifeEvent have one
  name space for the whole city, the others one for each project: ` + "`name` inside it, `project/name`" + ` across.
- Names are small letters, digits and single hyphens (fields: underscores), a letter first, at most 63.
- Texts are a string (Korean) or ` + "`{ko: …, en: …}`" + `. Numbers may be grouped: ` + "`12_000_000`" + `. Days are YYYY-MM-DD.
- **bold** fields are needed. An unknown field is an error with its line, its column and the nearest known name.
`)
	for _, k := range Kinds {
		fmt.Fprintf(&b, "\n## %s (%s)\n", k.Name, k.Title.Ko)
		table(&b, reflect.TypeOf(k.New()).Elem(), "")
	}
	return b.String()
}

// table writes the fields of a struct, and of those in it.
func table(b *strings.Builder, typ reflect.Type, of string) {
	if of != "" {
		fmt.Fprintf(b, "\n### %s\n", of)
	}
	b.WriteString("| field | what | form |\n|---|---|---|\n")
	var inside []func()
	for _, f := range fieldsOf(typ) {
		name := "`" + f.name + "`"
		if f.need {
			name = "**" + name + "**"
		}
		t := typ.Field(f.index).Type
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		path := strings.TrimPrefix(of+"."+f.name, ".")
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, strings.ReplaceAll(f.about.En, "|", "\\|"), form(f, t))
		if t == reflect.TypeFor[FieldList]() || t == reflect.TypeFor[FactList]() || t == reflect.TypeFor[ItemList]() {
			inside = append(inside, func() { table(b, t.Elem(), path) })
		} else if t.Kind() == reflect.Struct && t != reflect.TypeFor[Text]() {
			inside = append(inside, func() { table(b, t, path) })
		} else if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct && t != reflect.TypeFor[OrderedTexts]() {
			inside = append(inside, func() { table(b, t.Elem(), path) })
		}
	}
	for _, write := range inside {
		write()
	}
}

// form is how a value is written.
func form(f field, t reflect.Type) string {
	var out []string
	switch {
	case f.oneof != nil:
		return "`" + strings.Join(f.oneof, "` `") + "`"
	case t == reflect.TypeFor[Text]():
		return "text"
	case t == reflect.TypeFor[Day]():
		return "day"
	case t == reflect.TypeFor[FieldList]():
		return "name: field"
	case t == reflect.TypeFor[FactList]():
		return "name: fact"
	case t == reflect.TypeFor[ItemList]():
		return "name: what is known"
	case t == reflect.TypeFor[OrderedTexts]():
		return "code: text"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Slice:
		out = append(out, "list of lists")
	case t.Kind() == reflect.Slice:
		out = append(out, "list")
	case t.Kind() == reflect.Map:
		out = append(out, "mapping")
	case t.Kind() == reflect.Struct:
		out = append(out, "mapping, see below")
	case t.Kind() == reflect.Bool:
		out = append(out, "true, false")
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		out = append(out, "whole number")
	case t.Kind() == reflect.Float64:
		out = append(out, "number")
	}
	if f.min != nil {
		out = append(out, fmt.Sprintf("from %v", *f.min))
	}
	if f.max != nil {
		out = append(out, fmt.Sprintf("to %v", *f.max))
	}
	if f.pattern != nil {
		out = append(out, "`"+strings.ReplaceAll(f.pattern.String(), "|", "\\|")+"`")
	}
	return strings.Join(out, ", ")
}
