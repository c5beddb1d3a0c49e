package manifest

import (
	"fmt"
	"regexp"
	"strings"
)

// Key names a resource: what references point at. Project is empty for the kinds that are the city's own (see
// [Kind.City]), whose names are unique in the whole city.
type Key struct {
	Kind    string
	Project string
	Name    string
}

// String is the key as people write it: "Dataset youth-housing/rent-payments", "Term district".
func (k Key) String() string {
	if k.Project == "" {
		return k.Kind + " " + k.Name
	}
	return k.Kind + " " + k.Project + "/" + k.Name
}

// Resource is one document of a manifest.
type Resource struct {
	Key
	Home string // the project whose folder the document lies in; equals Key.Project where that is set
	Spec Spec   // a pointer to the kind's struct
	Text string // the document as it was written, comments and all
	File string // the file's path inside the plan, with slashes
	// Tables are the files beside the manifest that the document names, as CSV in UTF-8, by the path
	// written in it. Only a Vocabulary has them today.
	Tables map[string]string

	line int            // lines of the file before the document
	pos  map[string]Pos // where each field stands in the document, by its path ("fields.person.term")
}

// Pos is a place in a manifest. Line and Column count from one; Column counts characters.
type Pos struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
}

// String is file:line:column, as editors and compilers write it.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// At returns where the field at a path of the document stands: its value, or the nearest enclosing value that was written.
func (r *Resource) At(path string) Pos {
	for {
		p, ok := r.pos[path]
		if ok || path == "" {
			return Pos{File: r.File, Line: r.line + max(p.Line, 1), Column: max(p.Column, 1)}
		}
		path = path[:max(strings.LastIndexByte(path, '.'), 0)]
	}
}

// standing returns the same document as it stands elsewhere: in another file, on other lines.
func (r *Resource) standing(file string, line int) *Resource {
	other := *r
	other.File, other.line, other.Home, other.Tables = file, line, "", nil
	return &other
}

// Spec is what a kind's document says beside its kind and name. Each kind implements it in the file that bears its name.
type Spec interface {
	// Titled is the resource's title, empty where the document has none.
	Titled() Text
	// check reports what is wrong with the document alone, without looking at any other.
	check(*checker)
	// references lists what the document points at, with the path of each reference in it.
	references(r *Resource) []Reference
}

// Reference is a pointer from one resource to another.
type Reference struct {
	To   Key
	Path string // where in the document it stands
}

// nameForm is what names look like: they become URLs, folders and, with underscores, identifiers.
var (
	nameForm  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	fieldForm = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)*$`)
)

// MaxName is how long a name may be, in bytes: what DNS labels and PostgreSQL identifiers bear.
const MaxName = 63

// ValidName reports whether s can name a resource: small letters, digits and single hyphens, a letter first, at most [MaxName].
func ValidName(s string) bool { return len(s) <= MaxName && nameForm.MatchString(s) }

// ValidField reports whether s can name a field: as [ValidName], with underscores for hyphens.
func ValidField(s string) bool { return len(s) <= MaxName && fieldForm.MatchString(s) }

// Ref reads a reference written as "name" or "project/name" by a document of project home.
func Ref(kind, home, written string) Key {
	if KindOf(kind).City {
		return Key{Kind: kind, Name: written}
	}
	if project, name, ok := strings.Cut(written, "/"); ok {
		return Key{Kind: kind, Project: project, Name: name}
	}
	return Key{Kind: kind, Project: home, Name: written}
}
