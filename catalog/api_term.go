package catalog

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// TermItem is a term in a list of the API, whole, so that programs can find terms for headers by themselves.
type TermItem struct {
	Name         string              `json:"name"`
	Title        manifest.Text       `json:"title"`
	Type         manifest.Type       `json:"type" enum:"string,int,double,bool,date,datetime,geometry"`
	Definition   manifest.Text       `json:"definition"`
	Length       int                 `json:"length,omitempty" doc:"In characters"`
	Pattern      string              `json:"pattern,omitempty" doc:"RE2; the whole value matches"`
	Min          *float64            `json:"min,omitempty"`
	Max          *float64            `json:"max,omitempty"`
	Unit         string              `json:"unit,omitempty"`
	CodeSystem   string              `json:"code_system,omitempty"`
	Codes        []manifest.CodeName `json:"codes,omitempty"`
	Class        manifest.Class      `json:"class,omitempty" enum:"public,internal,personal,sensitive,unique"`
	Synonyms     []string            `json:"synonyms,omitempty"`
	Abbreviation string              `json:"abbreviation,omitempty" doc:"Physical name in the government's common standard"`
	Vocabulary   string              `json:"vocabulary,omitempty" doc:"Where it has no document of its own: the vocabulary it comes from"`
}

// Term is the item as a term.
func (i TermItem) Term() *manifest.Term {
	return &manifest.Term{
		Title: i.Title, Type: i.Type, Definition: i.Definition, Length: i.Length, Pattern: i.Pattern, Min: i.Min, Max: i.Max, Unit: i.Unit,
		CodeSystem: i.CodeSystem, Codes: i.Codes, Class: i.Class, Synonyms: i.Synonyms, Abbreviation: i.Abbreviation,
	}
}

func (c *Catalog) serveTerms(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-terms", Method: http.MethodGet, Path: "/api/v1/terms", Tags: []string{"catalog"}, Errors: []int{400},
		Security: identity.Anyone(),
		Summary:  "The terms of the city, those of vocabularies too, in order of their names",
	}, c.listTerms)
}

type termsInput struct {
	Q      string `query:"q" maxLength:"200" doc:"A part of the name, title or a synonym, whatever the case and spacing"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Cursor string `query:"cursor" maxLength:"1000" doc:"The next of the page before"`
}

type termsOutput struct {
	Body struct {
		Items []TermItem `json:"items"`
		Next  string     `json:"next,omitempty" doc:"The cursor of the next page; absent at the end"`
	}
}

func (c *Catalog) listTerms(_ context.Context, in *termsInput) (*termsOutput, error) {
	s := c.Snapshot()
	names := slices.Sorted(maps.Keys(s.terms))
	if in.Cursor != "" {
		if !manifest.ValidName(in.Cursor) {
			return nil, wrongCursor()
		}
		at, found := slices.BinarySearch(names, in.Cursor)
		if found {
			at++
		}
		names = names[at:]
	}
	out := &termsOutput{}
	out.Body.Items = []TermItem{}
	for _, name := range names {
		t := s.terms[name]
		if in.Q != "" && !t.Matches(in.Q) {
			continue
		}
		if len(out.Body.Items) == in.Limit {
			out.Body.Next = out.Body.Items[in.Limit-1].Name
			break
		}
		item := TermItem{
			Name: name, Title: t.Title, Type: t.Type, Definition: t.Definition, Length: t.Length, Pattern: t.Pattern, Min: t.Min, Max: t.Max, Unit: t.Unit,
			CodeSystem: t.CodeSystem, Codes: t.Codes, Class: t.Class, Synonyms: t.Synonyms, Abbreviation: t.Abbreviation,
		}
		if t.Resource.Kind == "Vocabulary" {
			item.Vocabulary = t.Resource.Name
		}
		out.Body.Items = append(out.Body.Items, item)
	}
	return out, nil
}
