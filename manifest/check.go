package manifest

import (
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"

	"github.com/maru-city/maru/engine/lang"
)

type language = lang.Tag

// checker gathers the faults of one document. It never stops at the first.
type checker struct {
	resource *Resource
	findings []Finding
}

// note remembers where the field at path stands: its value, or its key where the value is empty.
func (c *checker) note(path string, value, key ast.Node) {
	node := value
	if node == nil || node.GetToken() == nil {
		node = key
	}
	if m, ok := node.(*ast.MappingValueNode); ok { // a block mapping's own token is its first colon
		node = m.Key
	}
	if m, ok := node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		node = m.Values[0].Key
	}
	c.resource.pos[path] = c.pos(node)
}

func (c *checker) pos(node ast.Node) Pos {
	if node == nil || node.GetToken() == nil {
		return Pos{}
	}
	at := node.GetToken().Position
	return Pos{Line: at.Line, Column: at.Column}
}

// fault notes an error at the field of a path.
func (c *checker) fault(path, code string, message, hint Text) {
	c.findings = append(c.findings, Finding{Severity: Error, Code: code, Pos: c.resource.At(path), Resource: c.resource.Key, Message: message, Hint: hint})
}

// faultAt notes an error at a node.
func (c *checker) faultAt(node ast.Node, path, code string, message, hint Text) {
	c.resource.pos[path] = c.pos(node)
	c.fault(path, code, message, hint)
}

func (c *checker) wrongShape(node ast.Node, path string, want Text) {
	hint := Text{}
	switch node.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		hint = T("앵커(&)와 별칭(*)은 쓸 수 없습니다", "anchors and aliases (& and *) can't be used")
	case *ast.TagNode:
		hint = T("태그(!)는 쓸 수 없습니다", "tags (!) can't be used")
	}
	c.faultAt(node, path, "manifest.shape", Textf("이 자리에 필요한 형태: %s", "here %s is expected", want), hint)
}

// constraints checks that what narrows a value makes sense for its type, which may be unknown ("").
func (c *checker) constraints(path string, t Type, length int, pattern string, lowest, highest *float64, codes OrderedTexts) {
	numeric := t == Int || t == Double
	if t != "" && t.Valid() {
		if t != String && length > 0 {
			c.fault(join(path, "length"), "manifest.constraint", Textf("length는 string 유형에만 씁니다 (지금 유형: %s)", "length is for strings (this is %s)", string(t)), Text{})
		}
		if t != String && pattern != "" {
			c.fault(join(path, "pattern"), "manifest.constraint", Textf("pattern은 string 유형에만 씁니다 (지금 유형: %s)", "pattern is for strings (this is %s)", string(t)), Text{})
		}
		if !numeric && (lowest != nil || highest != nil) {
			c.fault(path, "manifest.constraint", Textf("min과 max는 int나 double 유형에만 씁니다 (지금 유형: %s)", "min and max are for numbers (this is %s)", string(t)), Text{})
		}
		if len(codes) > 0 && t != String && t != Int {
			c.fault(join(path, "codes"), "manifest.constraint", Textf("codes는 string이나 int 유형에만 씁니다 (지금 유형: %s)", "codes are for strings and ints (this is %s)", string(t)), Text{})
		}
	}
	if pattern != "" {
		if _, err := regexp.Compile(pattern); err != nil {
			c.fault(join(path, "pattern"), "manifest.pattern", Textf("올바른 정규식이 아닙니다: %s", "no regular expression: %s", err.Error()), T("RE2 문법으로 쓰십시오", "use the syntax of RE2"))
		}
	}
	if lowest != nil && highest != nil && *lowest > *highest {
		c.fault(join(path, "max"), "manifest.range", Textf("max가 min보다 작습니다: max %v, min %v", "max %v is below min %v", *highest, *lowest), Text{})
	}
	for _, code := range codes {
		if length > 0 && utf8.RuneCountInString(code.Code) > length {
			c.fault(join(path, "codes."+code.Code), "manifest.constraint", Textf("코드가 %[2]d자를 넘습니다: %[1]q", "code %q is longer than %d", code.Code, length), Text{})
		}
		if t == Int {
			if _, ok := Int.Parse(code.Code); !ok {
				c.fault(join(path, "codes."+code.Code), "manifest.constraint", Textf("정수가 아닌 코드입니다: %q", "code %q is no int", code.Code), Text{})
			}
		}
	}
}

// names checks that a list names fields of the dataset, each once.
func (c *checker) fieldNames(path string, names []string, d *Dataset) {
	for i, name := range names {
		at := join(path, itoa(i))
		if d.Field(name) == nil {
			known := make([]string, len(d.Fields))
			for j, f := range d.Fields {
				known[j] = f.Name
			}
			c.unknownName(at, name, known)
		} else if slices.Contains(names[:i], name) {
			c.fault(at, "manifest.twice", Textf("같은 이름이 두 번 나옵니다: %s", "%s stands twice", name), Text{})
		}
	}
}

func (c *checker) unknownName(path, name string, known []string) {
	hint := T("fields:에 있는 이름을 쓰십시오", "use a name of fields:")
	if near := Nearest(name, known); near != "" {
		hint = Textf("비슷한 이름: %s", "did you mean %s?", near)
	}
	c.fault(path, "manifest.field", Textf("없는 항목입니다: %q", "there is no field %q", name), hint)
}

func someReference(to Key, path string) []Reference {
	if to.Name == "" {
		return nil
	}
	return []Reference{{To: to, Path: path}}
}
