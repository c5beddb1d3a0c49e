package manifest

import (
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Limits of one set of manifests.
const (
	MaxFile      = 64 << 20 // bytes of a table beside the manifests
	MaxManifest  = 4 << 20  // bytes of a YAML file
	MaxDocuments = 50_000
	MaxKeys      = 10_000 // colons in a document: the YAML reader takes time that grows with the square of the keys of one map
	maxDepth     = 40
)

// Set is what a folder of manifests says.
type Set struct {
	Resources []*Resource // in order of file and line
	Projects  []string    // the projects whose Project document is in the folder: those the set speaks for
}

// IsManifest reports whether a path names a file of manifests.
func IsManifest(name string) bool {
	ext := path.Ext(name)
	return ext == ".yaml" || ext == ".yml"
}

// MaxFindings is how many faults are looked for.
const MaxFindings = 1000

// Parse reads a folder of manifests given as path → text (UTF-8, slashes). It returns what it could read and every
// finding about the documents by themselves; references are for the catalog to check.
//
// Every document is at home in the project whose Project document lies in its folder or the nearest one above.
//
// known, if not nil, gives the resource that was read before from the very same text, so that it isn't read again.
func Parse(files map[string]string, known func(text string) *Resource) (*Set, []Finding) {
	set := &Set{}
	var findings []Finding
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !IsManifest(name) {
			continue
		}
		resources, faults := parseFile(name, files[name], known)
		set.Resources = append(set.Resources, resources...)
		findings = append(findings, faults...)
		if len(findings) > MaxFindings {
			findings = append(findings[:MaxFindings], Finding{
				Severity: Error, Code: "manifest.faults", Pos: Pos{File: name, Line: 1, Column: 1},
				Message: Textf("잘못된 곳이 %d군데를 넘어 여기까지만 확인했습니다", "there are over %d faults; no more were looked for", MaxFindings),
			})
			return set, findings
		}
	}
	findings = append(findings, set.settle(files)...)
	SortFindings(findings)
	return set, findings
}

func parseFile(name, text string, known func(string) *Resource) (resources []*Resource, findings []Finding) {
	whole := func(code string, message, hint Text) []Finding {
		return []Finding{{Severity: Error, Code: code, Pos: Pos{File: name, Line: 1, Column: 1}, Message: message, Hint: hint}}
	}
	if len(text) > MaxManifest {
		return nil, whole("manifest.large", Textf("파일이 %d MB를 넘습니다", "the file is over %d MB", MaxManifest>>20), T("여러 파일로 나누십시오", "split it"))
	}
	if !utf8.ValidString(text) {
		return nil, whole("manifest.encoding", T("UTF-8로 저장된 파일이 아닙니다", "the file isn't UTF-8"), T("UTF-8로 다시 저장하십시오", "save it as UTF-8"))
	}
	for _, d := range split(strings.TrimPrefix(text, "\ufeff")) {
		if known != nil {
			if r := known(d.text); r != nil {
				resources = append(resources, r.standing(name, d.line))
				continue
			}
		}
		r, faults := parseDocument(name, d)
		findings = append(findings, faults...)
		if r != nil {
			resources = append(resources, r)
		}
	}
	return resources, findings
}

// document is the text of one YAML document and how many lines of the file stand before it.
type document struct {
	text string
	line int
}

// split cuts a file at its lines "---", which end a document wherever they stand (YAML 1.2, 9.1.4).
func split(text string) (out []document) {
	start, line, startLine := 0, 0, 0
	for at := 0; at < len(text); {
		end := strings.IndexByte(text[at:], '\n')
		next := len(text)
		if end >= 0 {
			next = at + end + 1
		}
		if l := strings.TrimRight(text[at:next], " \t\r\n"); l == "---" {
			out = append(out, trimmed(text[start:at], startLine))
			start, startLine = next, line+1
		}
		at, line = next, line+1
	}
	return append(out, trimmed(text[start:], startLine))
}

// trimmed takes the empty lines off both ends of a document.
func trimmed(text string, line int) document {
	body := strings.TrimLeft(text, "\r\n")
	return document{strings.TrimRight(body, "\r\n \t") + "\n", line + strings.Count(text[:len(text)-len(body)], "\n")}
}

// ParseDocument reads one document alone, as the catalog keeps it. file says where it came from.
func ParseDocument(file, text string) (*Resource, []Finding) {
	return parseDocument(file, document{text: text})
}

func parseDocument(file string, d document) (*Resource, []Finding) {
	r := &Resource{File: file, Text: d.text, line: d.line, pos: map[string]Pos{}}
	c := &checker{resource: r}
	if strings.Count(d.text, ":") > MaxKeys {
		c.fault("", "manifest.large", Textf("문서 하나에 담긴 이름이 %d개를 넘습니다", "one document has over %d names", MaxKeys), T("여러 문서로 나누거나, 용어와 코드는 표(Vocabulary)로 두십시오", "split it, or keep terms and codes in a table (Vocabulary)"))
		return nil, c.findings
	}
	if tooDeep(d.text) {
		c.fault("", "manifest.depth", Textf("%d단계보다 깊습니다", "it is nested deeper than %d", maxDepth), Text{})
		return nil, c.findings
	}
	parsed, err := parseYAML(d.text)
	if err != nil {
		c.syntax(err)
		return nil, c.findings
	}
	var body ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); !comment {
			body = doc.Body
		}
	}
	if body == nil {
		return nil, nil // only comments
	}
	if depth(body, 0) > maxDepth {
		c.fault("", "manifest.depth", Textf("들여쓰기가 %d단계를 넘습니다", "it is nested deeper than %d", maxDepth), Text{})
		return nil, c.findings
	}
	c.note("", body, body)
	if !c.head(body) {
		return nil, c.findings
	}
	r.Spec = KindOf(r.Kind).New()
	c.object(body, reflect.ValueOf(r.Spec).Elem(), "", "kind", "name")
	r.Spec.check(c)
	for i := range c.findings {
		c.findings[i].Resource = r.Key
	}
	return r, c.findings
}

// parseYAML parses one document; a panic of the parser on strange input is an error like others.
func parseYAML(text string) (file *ast.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return parser.ParseBytes([]byte(text), 0)
}

func (c *checker) syntax(err error) {
	p, message := c.resource.At(""), ""
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) { // its Error draws a picture of the text
		message = syntax.Message
		if syntax.Token != nil && syntax.Token.Position != nil {
			p.Line, p.Column = c.resource.line+syntax.Token.Position.Line, syntax.Token.Position.Column
		}
	}
	if syntax == nil {
		message = err.Error()
	}
	c.findings = append(c.findings, Finding{
		Severity: Error, Code: "manifest.yaml", Pos: p,
		Message: Textf("YAML로 읽을 수 없습니다: %s", "it can't be read as YAML: %s", message),
		Hint:    T("들여쓰기, 콜론 뒤의 빈칸, 따옴표를 확인하십시오", "look at indentation, the space after a colon, and quotes"),
	})
}

// head reads kind and name, and reports whether the rest can be read.
func (c *checker) head(body ast.Node) bool {
	entries, ok := c.entries(body, "")
	if !ok {
		return false
	}
	kinds := make([]string, len(Kinds))
	for i, k := range Kinds {
		kinds[i] = k.Name
	}
	known := false
	for _, e := range entries {
		s, _ := scalarText(e.value)
		switch e.key {
		case "kind":
			c.note("kind", e.value, e.at)
			c.resource.Kind = s
			if known = KindOf(s).New != nil; !known {
				hint := Textf("쓸 수 있는 종류: %s", "kinds: %s", strings.Join(kinds, ", "))
				if near := Nearest(s, kinds); near != "" {
					hint = Textf("비슷한 이름: %s", "did you mean %s?", near)
				}
				c.fault("kind", "manifest.kind", Textf("알 수 없는 종류입니다: %q", "unknown kind %q", s), hint)
			}
		case "name":
			c.note("name", e.value, e.at)
			c.resource.Name = s
			if !ValidName(s) {
				c.fault("name", "manifest.name", Textf("이름으로 쓸 수 없습니다: %q", "%q can't be a name", s),
					T("영문 소문자로 시작하여 소문자·숫자·붙임표만 63자까지 쓰십시오", "start with a small letter; small letters, digits and single hyphens, at most 63"))
			}
		}
	}
	if c.resource.Kind == "" {
		c.fault("", "manifest.missing", T("kind:가 필요합니다", "kind: is needed"), Textf("쓸 수 있는 종류: %s", "kinds: %s", strings.Join(kinds, ", ")))
	}
	if c.resource.Name == "" && known {
		c.fault("", "manifest.missing", T("name:이 필요합니다", "name: is needed"), Text{})
	}
	return known
}

func depth(node ast.Node, at int) int {
	if at > maxDepth {
		return at
	}
	deepest := at
	switch n := node.(type) {
	case *ast.MappingNode:
		for _, v := range n.Values {
			deepest = max(deepest, depth(v.Value, at+1))
		}
	case *ast.MappingValueNode:
		deepest = depth(n.Value, at+1)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			deepest = max(deepest, depth(v, at+1))
		}
	}
	return deepest
}

// settle finds each document's home, gives vocabularies their tables, and looks for names used twice.
func (s *Set) settle(files map[string]string) (findings []Finding) {
	home := map[string]string{} // folder → project
	for _, r := range s.Resources {
		if r.Kind != "Project" {
			continue
		}
		dir := path.Dir(r.File)
		if other, ok := home[dir]; ok && other != r.Name {
			findings = append(findings, r.finding(Error, "project.folder", "name", Textf("한 폴더에 사업이 두 개 있습니다: %s, %s", "two projects in one folder: %s and %s", other, r.Name), T("사업마다 폴더를 따로 두십시오", "give each project a folder of its own")))
		}
		home[dir] = r.Name
		s.Projects = append(s.Projects, r.Name)
	}
	first := map[Key]Pos{}
	var kept []*Resource
	for _, r := range s.Resources {
		for dir := path.Dir(r.File); ; dir = path.Dir(dir) {
			if project, ok := home[dir]; ok {
				r.Home = project
				break
			}
			if dir == "." || dir == "/" {
				break
			}
		}
		if r.Home == "" {
			findings = append(findings, r.finding(Error, "manifest.home", "", T("이 폴더에는 Project 문서가 없습니다", "there is no Project document for this folder"),
				T("kind: Project 문서를 추가하십시오", "add a document of kind: Project")))
		}
		if !KindOf(r.Kind).City {
			r.Project = r.Home
		}
		if at, twice := first[r.Key]; twice {
			findings = append(findings, r.finding(Error, "manifest.twice", "name", Textf("이미 있는 이름입니다: %s (%s)", "%s stands already at %s", r.Key, at), Text{}))
			continue
		}
		first[r.Key] = r.At("name")
		findings = append(findings, r.attach(files)...)
		kept = append(kept, r)
	}
	s.Resources = kept
	slices.Sort(s.Projects)
	s.Projects = slices.Compact(s.Projects)
	if len(s.Resources) > MaxDocuments {
		findings = append(findings, Finding{Severity: Error, Code: "manifest.many", Message: Textf("문서가 %d개를 넘습니다", "there are over %d documents", MaxDocuments)})
	}
	return findings
}

// attach gives a vocabulary the text of its table.
func (r *Resource) attach(files map[string]string) []Finding {
	v, ok := r.Spec.(*Vocabulary)
	if !ok || v.File == "" {
		return nil
	}
	at := path.Join(path.Dir(r.File), v.File)
	text, ok := files[at]
	if !ok {
		return []Finding{r.finding(Error, "vocabulary.file", "file", Textf("파일이 없습니다: %s", "there is no file %s", at), Text{})}
	}
	if len(text) > MaxFile {
		return []Finding{r.finding(Error, "vocabulary.large", "file", Textf("파일이 너무 큽니다: %s (최대 %d MB)", "%s is over %d MB", at, MaxFile>>20), Text{})}
	}
	r.Tables = map[string]string{v.File: text}
	_, findings := v.Terms(r)
	return findings
}

// finding makes a finding about the field at a path of the document.
func (r *Resource) finding(severity Severity, code, at string, message, hint Text) Finding {
	return Finding{Severity: severity, Code: code, Pos: r.At(at), Resource: r.Key, Message: message, Hint: hint}
}

// Finding makes a finding about the field at a path of the document, for packages that check it against others.
func (r *Resource) Finding(severity Severity, code, at string, message, hint Text) Finding {
	return r.finding(severity, code, at, message, hint)
}

// References lists what the document points at.
func (r *Resource) References() []Reference { return r.Spec.references(r) }
