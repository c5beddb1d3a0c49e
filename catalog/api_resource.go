package catalog

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// shapes tells the OpenAPI document how types are written that write themselves.
func shapes(schemas huma.Registry) {
	schemas.RegisterTypeAlias(reflect.TypeFor[manifest.Finding](), reflect.TypeFor[findingShape]())
	schemas.RegisterTypeAlias(reflect.TypeFor[manifest.Tree](), reflect.TypeFor[map[string]any]())
}

// findingShape is the form of a manifest.Finding in JSON.
type findingShape struct {
	Severity string         `json:"severity" enum:"error,warning,note" doc:"An error stops the apply"`
	Code     string         `json:"code"`
	File     string         `json:"file,omitempty"`
	Line     int            `json:"line,omitempty"`
	Column   int            `json:"column,omitempty" doc:"In characters, from one"`
	Resource string         `json:"resource,omitempty"`
	Message  manifest.Text  `json:"message"`
	Hint     *manifest.Text `json:"hint,omitempty"`
}

// ResourceItem is a resource in a list of the API.
type ResourceItem struct {
	Kind       string        `json:"kind"`
	Project    string        `json:"project,omitempty" doc:"Absent for the city's own"`
	Name       string        `json:"name"`
	Title      manifest.Text `json:"title"`
	Home       string        `json:"home" doc:"The project in whose folder the document lies"`
	Vocabulary string        `json:"vocabulary,omitempty" doc:"Of a term that has no document: the vocabulary it comes from"`
}

// resourceRef points at a resource.
type resourceRef struct {
	Kind    string `json:"kind"`
	Project string `json:"project,omitempty"`
	Name    string `json:"name"`
}

func refTo(key manifest.Key) resourceRef { return resourceRef{key.Kind, key.Project, key.Name} }

func itemOf(r *manifest.Resource) ResourceItem {
	return ResourceItem{Kind: r.Kind, Project: r.Project, Name: r.Name, Title: r.Spec.Titled(), Home: r.Home}
}

type resourcesInput struct {
	Kind string `query:"kind" maxLength:"64" doc:"One kind. With Term, the terms of vocabularies are listed too"`
	Q    string `query:"q" maxLength:"200" doc:"A part of the name or title, whatever the case and spacing"`
	PageInput
}

type resourcesOutput struct {
	Body struct {
		Items []ResourceItem `json:"items"`
		Next  string         `json:"next,omitempty" doc:"The cursor of the next page; absent at the end"`
	}
}

// listResources lists documents in the order of kinds, then of project and name.
func (c *Catalog) listResources(ctx context.Context, in *resourcesInput) (*resourcesOutput, error) {
	if err := seeing(ctx); err != nil {
		return nil, err
	}
	var after *resourceRef
	if in.Cursor != "" {
		text, err := base64.RawURLEncoding.DecodeString(in.Cursor)
		if err != nil || json.Unmarshal(text, &after) != nil || after == nil || manifest.KindOf(after.Kind).New == nil {
			return nil, wrongCursor()
		}
	}
	kinds := manifest.Kinds
	if in.Kind != "" {
		kind, err := kindNamed(in.Kind)
		if err != nil {
			return nil, err
		}
		kinds = []manifest.Kind{kind}
	}
	out := &resourcesOutput{}
	out.Body.Items = []ResourceItem{}
	s := c.Snapshot()
	for _, item := range s.items(kinds, in.Q, in.Kind != "", after) {
		if len(out.Body.Items) == in.Limit {
			last := out.Body.Items[in.Limit-1]
			text, err := json.Marshal(resourceRef{last.Kind, last.Project, last.Name})
			if err != nil {
				return nil, err
			}
			out.Body.Next = base64.RawURLEncoding.EncodeToString(text)
			break
		}
		out.Body.Items = append(out.Body.Items, item)
	}
	return out, nil
}

// items lists what matches a query and stands behind a place, in order.
func (s *Snapshot) items(kinds []manifest.Kind, query string, withVocabularies bool, after *resourceRef) (out []ResourceItem) {
	rank := func(kind string) int {
		return slices.IndexFunc(manifest.Kinds, func(k manifest.Kind) bool { return k.Name == kind })
	}
	behind := func(kind, project, name string) bool {
		return after == nil || cmp.Or(rank(kind)-rank(after.Kind), strings.Compare(project, after.Project), strings.Compare(name, after.Name)) > 0
	}
	for _, kind := range kinds {
		if kind.Name == "Term" && withVocabularies {
			for _, t := range s.terms {
				if behind("Term", "", t.Name) && (query == "" || t.Matches(query)) {
					item := ResourceItem{Kind: "Term", Name: t.Name, Title: t.Title, Home: t.Resource.Home}
					if t.Resource.Kind == "Vocabulary" {
						item.Vocabulary = t.Resource.Name
					}
					out = append(out, item)
				}
			}
			slices.SortFunc(out, func(a, b ResourceItem) int { return strings.Compare(a.Name, b.Name) })
			continue
		}
		for _, r := range s.byKind[kind.Name] {
			if behind(r.Kind, r.Project, r.Name) && (query == "" || Matches(r, query)) {
				out = append(out, itemOf(r))
			}
		}
	}
	return out
}

// kindNamed finds a kind whatever the case it is written in.
func kindNamed(written string) (manifest.Kind, error) {
	var names []string
	for _, k := range manifest.Kinds {
		if strings.EqualFold(k.Name, written) {
			return k, nil
		}
		names = append(names, k.Name)
	}
	hint := lang.F("쓸 수 있는 종류: %s", "kinds: %s", strings.Join(names, ", "))
	if near := manifest.Nearest(written, names); near != "" {
		hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	return manifest.Kind{}, problem.New("manifest.kind", 404, lang.F("알 수 없는 종류입니다: %q", "unknown kind %q", written)).Hinting(hint)
}

// ResourcePath is a resource in an address of the API.
type ResourcePath struct {
	Kind    string `path:"kind" maxLength:"64"`
	Project string `path:"project" maxLength:"63" doc:"- for the city's own"`
	Name    string `path:"name" maxLength:"63"`
}

func (in *ResourcePath) key() (manifest.Key, error) {
	kind, err := kindNamed(in.Kind)
	if err != nil {
		return manifest.Key{}, err
	}
	key := manifest.Key{Kind: kind.Name, Name: in.Name}
	if in.Project != "-" {
		key.Project = in.Project
	}
	if !manifest.ValidName(key.Name) || (key.Project != "" && !manifest.ValidName(key.Project)) {
		return key, unknownResource(key)
	}
	if kind.City && key.Project != "" {
		return key, unknownResource(key).Hinting(lang.F("도시 공통 항목입니다: %s. 사업 자리에 -를 쓰십시오", "a %s is the city's own: write - for the project", kind.Title))
	}
	return key, nil
}

func unknownResource(key manifest.Key) *problem.Problem {
	return problem.New("resource.unknown", 404, lang.F("없는 이름입니다: %s", "there is no %s", key.String())).
		Hinting(lang.F("전체 목록: maru get %s", "what there is: maru get %s", strings.ToLower(key.Kind)))
}

type resourceOutput struct{ Body resourceBody }

// resourceBody is all there is to say about a resource.
type resourceBody struct {
	ResourceItem
	File     string         `json:"file" doc:"The file it was applied from"`
	Line     int            `json:"line,omitempty" doc:"Of a vocabulary's term: the line of its table"`
	Revision int64          `json:"revision" doc:"The revision that last changed it"`
	Text     string         `json:"text,omitempty" doc:"The document as it was applied, in YAML"`
	Document manifest.Tree  `json:"document" doc:"What the document says, by the kind's JSON Schema"`
	Fields   []fieldBody    `json:"fields,omitempty" doc:"Of a dataset: its fields, completed by the terms they cite"`
	Uses     []resourceRef  `json:"uses"`
	UsedBy   []ResourceItem `json:"used_by" doc:"At most 1000"`
	Users    int            `json:"users" doc:"How many use it"`
}

// fieldBody is a field of a dataset, completed by its term.
type fieldBody struct {
	Name     string              `json:"name"`
	Title    manifest.Text       `json:"title"`
	Type     manifest.Type       `json:"type" enum:"string,int,double,bool,date,datetime,geometry"`
	Term     string              `json:"term,omitempty"`
	Class    manifest.Class      `json:"class" enum:"public,internal,personal,sensitive,unique"`
	Key      bool                `json:"key" doc:"It is part of the key"`
	Required bool                `json:"required"`
	Length   int                 `json:"length,omitempty" doc:"In characters"`
	Patterns []string            `json:"patterns,omitempty" doc:"RE2; the whole value matches each"`
	Min      *float64            `json:"min,omitempty"`
	Max      *float64            `json:"max,omitempty"`
	Unit     string              `json:"unit,omitempty"`
	Codes    []manifest.CodeName `json:"codes,omitempty"`
}

func (c *Catalog) getResource(ctx context.Context, in *ResourcePath) (*resourceOutput, error) {
	if err := seeing(ctx); err != nil {
		return nil, err
	}
	key, err := in.key()
	if err != nil {
		return nil, err
	}
	s := c.Snapshot()
	r := s.Get(key)
	out := &resourceOutput{}
	switch {
	case r != nil:
		out.Body.ResourceItem, out.Body.Text, out.Body.File = itemOf(r), r.Text, r.File
	case key.Kind == "Term" && s.Term(key.Name) != nil: // of a vocabulary
		t := s.Term(key.Name)
		r = &manifest.Resource{Key: key, Home: t.Resource.Home, Spec: t.Term, File: t.Resource.File}
		out.Body.ResourceItem, out.Body.File, out.Body.Line = itemOf(r), t.Resource.Spec.(*manifest.Vocabulary).File, t.Line
		out.Body.Vocabulary = t.Resource.Name
		key = t.Resource.Key
	default:
		return nil, s.unknown(key)
	}
	if out.Body.Revision, err = c.lastRevision(ctx, key, s.Revision); err != nil {
		return nil, err
	}
	out.Body.Document = r.Tree()
	out.Body.Uses, out.Body.UsedBy = []resourceRef{}, []ResourceItem{}
	for _, ref := range r.References() {
		if to := refTo(ref.To); !slices.Contains(out.Body.Uses, to) {
			out.Body.Uses = append(out.Body.Uses, to)
		}
	}
	users := s.UsedBy(r.Key)
	out.Body.Users = len(users)
	for _, u := range users[:min(pageLimit, len(users))] {
		out.Body.UsedBy = append(out.Body.UsedBy, itemOf(u))
	}
	if d := s.Dataset(r.Project, r.Name); r.Kind == "Dataset" && d != nil {
		out.Body.Fields = fieldsOf(d)
	}
	return out, nil
}

func fieldsOf(d *Dataset) []fieldBody {
	out := make([]fieldBody, len(d.Fields))
	for i, f := range d.Fields {
		out[i] = fieldBody{
			Name: f.Name, Title: f.Label(), Type: f.Type, Class: f.Class, Key: f.KeyPart, Required: f.Required, Length: f.Length,
			Patterns: f.Patterns, Min: f.Min, Max: f.Max, Unit: f.Unit, Codes: f.Codes, Term: f.Term,
		}
	}
	return out
}

// unknown says that a resource isn't there, and which one may have been meant.
func (s *Snapshot) unknown(key manifest.Key) error {
	p := unknownResource(key)
	if near := manifest.Nearest(key.Name, s.names(key.Kind)); near != "" && near != key.Name {
		p.Hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	for _, r := range s.byKind[key.Kind] {
		if r.Name == key.Name {
			p.Hint = lang.F("비슷한 이름: %s", "did you mean %s?", r.Key.String())
			break
		}
	}
	return p
}

// lastRevision is the revision, up to one, that last changed a resource.
func (c *Catalog) lastRevision(ctx context.Context, key manifest.Key, upTo int64) (n int64, err error) {
	err = c.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, "SELECT coalesce(max(revision), 0) FROM resource_version WHERE kind = ? AND project = ? AND name = ? AND revision <= ?", key.Kind, key.Project, key.Name, upTo).Scan(&n)
	})
	return n, err
}

// versionsBefore lists what revisions did to a resource, the newest first, from the one before a number on (0: from the newest).
func (c *Catalog) versionsBefore(ctx context.Context, key manifest.Key, before int64, limit int) (out []Version, err error) {
	if before <= 0 {
		before = 1 << 62
	}
	err = c.db.Read(ctx, func(tx *db.Tx) error {
		const some = `v.kind = ? AND v.project = ? AND v.name = ? AND v.revision IN
			(SELECT revision FROM resource_version WHERE kind = ? AND project = ? AND name = ? AND revision < ? ORDER BY revision DESC LIMIT ?)`
		out, err = c.versions(ctx, tx, some, key.Kind, key.Project, key.Name, key.Kind, key.Project, key.Name, before, limit)
		return err
	})
	slices.Reverse(out)
	return out, err
}
