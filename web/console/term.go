package console

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web/components"
)

type termsView struct {
	URL          *url.URL
	Page         []*catalog.Term
	Slice        components.Slice
	Uses         map[string]int // fields that cite a term
	Vocabularies []*manifest.Resource
	Empty        bool
}

func (c *Console) terms(r *http.Request) (templ.Component, error) {
	s, q, asked := c.catalog.Snapshot(), r.URL.Query(), components.Asked(r.URL)
	uses := usesOf(s)
	list := s.Terms()
	found := filter(list,
		func(t *catalog.Term) bool { return q.Get("class") == "" || string(classOf(t)) == q.Get("class") },
		func(t *catalog.Term) bool { return q.Get("type") == "" || string(t.Type) == q.Get("type") },
		func(t *catalog.Term) bool { return q.Get("codes") == "" || t.CodeSystem != "" || len(t.Codes) > 0 },
		func(t *catalog.Term) bool {
			return q.Get("used") == "" || (uses[t.Name] > 0) == (q.Get("used") == "yes")
		},
		func(t *catalog.Term) bool { return q.Get("from") == "" || origin(t) == q.Get("from") },
		func(t *catalog.Term) bool { return asked == "" || t.Matches(asked) },
	)
	v := termsView{URL: r.URL, Uses: uses, Vocabularies: s.List("Vocabulary"), Empty: len(list) == 0}
	inOrder(r.Context(), found)
	found = ranked(found, asked, func(t *catalog.Term) lang.Text { return t.Titled() })
	v.Page, v.Slice = cut(found, func(t *catalog.Term) string { return t.Name }, q, pageSize)
	return termsPage(v), nil
}

// inOrder sorts terms by the titles that the reader sees. The list is the caller's own.
func inOrder(ctx context.Context, list []*catalog.Term) {
	if tag := lang.From(ctx); tag != lang.Ko { // that is the order they come in
		slices.SortStableFunc(list, func(a, b *catalog.Term) int {
			return strings.Compare(strings.ToLower(a.Titled().In(tag)), strings.ToLower(b.Titled().In(tag)))
		})
	}
}

// synonymFor is the synonym that a search found a term by, where its title doesn't have what was searched for.
func synonymFor(t *catalog.Term, asked string) string {
	want := catalog.Fold(asked)
	if want == "" || strings.Contains(catalog.Fold(t.Title.Ko), want) || strings.Contains(catalog.Fold(t.Title.En), want) {
		return ""
	}
	for _, s := range t.Synonyms {
		if strings.Contains(catalog.Fold(s), want) {
			return s
		}
	}
	return ""
}

// ownTerms stands in the query for terms with a document of their own.
const ownTerms = "-"

// origin is the vocabulary a term comes from, or ownTerms.
func origin(t *catalog.Term) string {
	if t.Resource != nil && t.Resource.Kind == "Vocabulary" {
		return t.Resource.Name
	}
	return ownTerms
}

func classOf(t *catalog.Term) manifest.Class {
	if t.Class == "" {
		return catalog.DefaultClass
	}
	return t.Class
}

// usesOf counts the fields that cite each term.
func usesOf(s *catalog.Snapshot) map[string]int {
	uses := map[string]int{}
	for _, d := range s.Datasets() {
		for i := range d.Fields {
			if t := d.Fields[i].Cites; t != nil {
				uses[t.Name]++
			}
		}
	}
	return uses
}

// use is a field that cites a term.
type use struct {
	Dataset *catalog.Dataset
	Field   *catalog.Field
}

type termView struct {
	Term     *catalog.Term
	Uses     []use
	MoreUses int
	Document document
	Alike    []*catalog.Term // with the same title
}

// Limits of a term's page.
const (
	maxUses  = 100
	maxCodes = 200
)

func (c *Console) term(r *http.Request) (templ.Component, error) {
	s, name := c.catalog.Snapshot(), r.PathValue("name")
	t := s.Term(name)
	if t == nil {
		return nil, missing("Term", name)
	}
	v := termView{Term: t}
	for _, d := range s.Datasets() {
		for i := range d.Fields {
			if cites := d.Fields[i].Cites; cites == nil || cites.Name != name {
				continue
			}
			if len(v.Uses) < maxUses {
				v.Uses = append(v.Uses, use{d, &d.Fields[i]})
			} else {
				v.MoreUses++
			}
		}
	}
	v.Alike = filter(s.Terms(), func(x *catalog.Term) bool {
		return x.Name != name && catalog.Fold(x.Title.Ko) == catalog.Fold(t.Title.Ko)
	})
	var err error
	if origin(t) == ownTerms {
		v.Document, err = c.document(r.Context(), s, t.Resource)
	}
	return termPage(v), err
}
