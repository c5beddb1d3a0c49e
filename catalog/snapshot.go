package catalog

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Snapshot is the catalog at one revision. It never changes; readers keep one for the length of a request.
type Snapshot struct {
	Revision int64
	At       time.Time

	resources map[manifest.Key]*manifest.Resource
	byKind    map[string][]*manifest.Resource // in order of project and name
	terms     map[string]*Term
	termList  []*Term // in order of title
	entries   map[*manifest.Resource][]manifest.Entry
	datasets  map[string]*Dataset // by project/name
	findings  []manifest.Finding  // about how the documents fit together
}

// Term is a term of the city, from a document of its own or from a vocabulary.
type Term struct {
	Name string
	*manifest.Term
	Resource *manifest.Resource // the Term or the Vocabulary
	Line     int                // of the vocabulary's table; 0 for a document of its own
}

// derive makes the next snapshot from this one: put and removed change its resources.
func (s *Snapshot) derive(revision int64, at time.Time, put []*manifest.Resource, removed []manifest.Key) *Snapshot {
	next := &Snapshot{Revision: revision, At: at, resources: maps.Clone(s.resources), entries: map[*manifest.Resource][]manifest.Entry{}}
	if next.resources == nil {
		next.resources = map[manifest.Key]*manifest.Resource{}
	}
	for _, key := range removed {
		delete(next.resources, key)
	}
	for _, r := range put {
		next.resources[r.Key] = r
	}
	next.byKind = map[string][]*manifest.Resource{}
	for _, r := range next.resources {
		next.byKind[r.Kind] = append(next.byKind[r.Kind], r)
	}
	for _, list := range next.byKind {
		slices.SortFunc(list, func(a, b *manifest.Resource) int {
			return cmp.Or(strings.Compare(a.Project, b.Project), strings.Compare(a.Name, b.Name))
		})
	}
	next.gatherTerms(s)
	next.datasets = make(map[string]*Dataset, len(next.byKind["Dataset"]))
	for _, r := range next.byKind["Dataset"] {
		d, findings := next.resolve(r)
		next.datasets[d.Path()] = d
		next.findings = append(next.findings, findings...)
	}
	return next
}

// gatherTerms collects the terms; a document of its own comes before a vocabulary's row of the same name.
func (s *Snapshot) gatherTerms(before *Snapshot) {
	s.terms = map[string]*Term{}
	for _, r := range s.byKind["Vocabulary"] {
		entries, known := before.entries[r]
		if !known {
			entries, _ = r.Spec.(*manifest.Vocabulary).Terms(r)
		}
		s.entries[r] = entries
		for _, e := range entries {
			s.terms[e.Name] = &Term{Name: e.Name, Term: e.Term, Resource: r, Line: e.Line}
		}
	}
	for _, r := range s.byKind["Term"] {
		s.terms[r.Name] = &Term{Name: r.Name, Term: r.Spec.(*manifest.Term), Resource: r}
	}
	s.termList = slices.SortedFunc(maps.Values(s.terms), func(a, b *Term) int {
		return cmp.Or(strings.Compare(a.Title.Ko, b.Title.Ko), strings.Compare(a.Name, b.Name))
	})
}

// Get returns a resource, or nil.
func (s *Snapshot) Get(key manifest.Key) *manifest.Resource { return s.resources[key] }

// Title is what a resource is called, for people: its title, or its name where it has none or isn't there.
func (s *Snapshot) Title(key manifest.Key) manifest.Text {
	if r := s.resources[key]; r != nil && !r.Spec.Titled().Empty() {
		return r.Spec.Titled()
	}
	return manifest.T(key.Name, key.Name)
}

// Size is how many resources there are.
func (s *Snapshot) Size() int { return len(s.resources) }

// List returns the resources of a kind, in order of project and name. The list is not the caller's to change.
func (s *Snapshot) List(kind string) []*manifest.Resource { return s.byKind[kind] }

// Term returns the term of a name, or nil.
func (s *Snapshot) Term(name string) *Term { return s.terms[name] }

// Terms returns all terms, in order of their Korean titles. The list is not the caller's to change.
func (s *Snapshot) Terms() []*Term { return s.termList }

// Dataset returns the dataset of a project and name, or nil.
func (s *Snapshot) Dataset(project, name string) *Dataset { return s.datasets[project+"/"+name] }

// Datasets returns all datasets, in order of project and name.
func (s *Snapshot) Datasets() []*Dataset {
	out := make([]*Dataset, 0, len(s.datasets))
	for _, r := range s.byKind["Dataset"] {
		out = append(out, s.datasets[r.Project+"/"+r.Name])
	}
	return out
}

// Home returns the resources at home in a project, in order of kind and name.
func (s *Snapshot) Home(project string) (out []*manifest.Resource) {
	for _, k := range manifest.Kinds {
		for _, r := range s.byKind[k.Name] {
			if r.Home == project {
				out = append(out, r)
			}
		}
	}
	return out
}

// UsedBy returns the resources that point at a key.
func (s *Snapshot) UsedBy(key manifest.Key) (out []*manifest.Resource) {
	for _, k := range manifest.Kinds {
		for _, r := range s.byKind[k.Name] {
			if slices.ContainsFunc(r.References(), func(ref manifest.Reference) bool { return ref.To == key }) {
				out = append(out, r)
			}
		}
	}
	return out
}

// Place is whose a project is: the agency that owns it, and those above it.
func (s *Snapshot) Place(project string) identity.Place {
	place := identity.Place{Project: project}
	if r := s.resources[manifest.Key{Kind: "Project", Name: project}]; r != nil {
		place.Owners = s.Chain(r.Spec.(*manifest.Project).Owner)
	}
	return place
}

// Chain is an agency and those above it, itself first; nothing where there is no such agency.
func (s *Snapshot) Chain(agency string) (out []string) {
	for range len(s.byKind["Agency"]) {
		r := s.resources[manifest.Key{Kind: "Agency", Name: agency}]
		if r == nil {
			break
		}
		out = append(out, agency)
		agency = r.Spec.(*manifest.Agency).Parent
	}
	return out
}

// has reports whether a reference leads somewhere.
func (s *Snapshot) has(key manifest.Key) bool {
	if key.Kind == "Term" {
		return s.terms[key.Name] != nil
	}
	return s.resources[key] != nil
}

// names lists the names a reference of that kind could have meant.
func (s *Snapshot) names(kind string) (out []string) {
	if kind == "Term" {
		return slices.Collect(maps.Keys(s.terms))
	}
	for _, r := range s.byKind[kind] {
		out = append(out, r.Name)
	}
	return out
}

// known finds the resource that was read from a text; the table is made when it is first asked for.
func (s *Snapshot) known() func(text string) *manifest.Resource {
	texts := make(map[string]*manifest.Resource, len(s.resources))
	for _, r := range s.resources {
		texts[r.Text] = r
	}
	return func(text string) *manifest.Resource { return texts[text] }
}

// Fold is a text as searches compare it: small letters, no spaces or punctuation, so that "청년 월세" finds "청년월세".
func Fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}

// Matches reports whether a resource has a query in its name or title.
func Matches(r *manifest.Resource, query string) bool {
	q := Fold(query)
	title := r.Spec.Titled()
	for _, s := range []string{r.Name, r.Project + "/" + r.Name, title.Ko, title.En} {
		if strings.Contains(Fold(s), q) {
			return true
		}
	}
	return false
}

// Matches reports whether a term has a query in its name, titles, synonyms or abbreviation.
func (t *Term) Matches(query string) bool {
	q := Fold(query)
	for _, s := range append([]string{t.Name, t.Title.Ko, t.Title.En, t.Abbreviation}, t.Synonyms...) {
		if strings.Contains(Fold(s), q) {
			return true
		}
	}
	return false
}
