package manifest

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// field is one field of a kind's struct that can be written in YAML, with the rules its tags state.
type field struct {
	name     string // in YAML
	index    int    // in the struct
	about    Text
	need     bool
	oneof    []string
	pattern  *regexp.Regexp
	min, max *float64
}

// fieldsOf reads the tags of a struct type: yaml (name), need, oneof, pattern, min, max, ko and en (what it is).
func fieldsOf(t reflect.Type) []field {
	var out []field
	for i := range t.NumField() {
		sf := t.Field(i)
		name := sf.Tag.Get("yaml")
		if name == "" || name == "-" {
			continue
		}
		f := field{name: name, index: i, about: T(sf.Tag.Get("ko"), sf.Tag.Get("en")), need: sf.Tag.Get("need") == "yes"}
		if s := sf.Tag.Get("oneof"); s != "" {
			f.oneof = strings.Split(s, ",")
		}
		if s := sf.Tag.Get("pattern"); s != "" {
			f.pattern = regexp.MustCompile(s)
		}
		f.min, f.max = tagNumber(sf, "min"), tagNumber(sf, "max")
		out = append(out, f)
	}
	return out
}

func tagNumber(sf reflect.StructField, tag string) *float64 {
	s, ok := sf.Tag.Lookup(tag)
	if !ok {
		return nil
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(s, "_", ""), 64)
	if err != nil {
		panic(fmt.Sprintf("manifest: tag %s of %s: %v", tag, sf.Name, err))
	}
	return &n
}

// entry is one key and value of a YAML mapping.
type entry struct {
	key   string
	at    ast.Node // the key
	value ast.Node
}

// entries lists the keys and values of a mapping; ok is false, with a fault noted, where node is none.
func (c *checker) entries(node ast.Node, path string) ([]entry, bool) {
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	case nil, *ast.NullNode:
		return nil, true
	default:
		c.wrongShape(node, path, T("‘이름: 값’ 묶음", "a mapping of names to values"))
		return nil, false
	}
	out := make([]entry, 0, len(values))
	for _, v := range values {
		if v.Key.IsMergeKey() {
			c.faultAt(v.Key, path, "manifest.merge", T("병합(<<)은 쓸 수 없습니다", "merge keys (<<) can't be used"), T("값을 직접 쓰십시오", "write the values out"))
			continue
		}
		out = append(out, entry{key: v.Key.GetToken().Value, at: v.Key, value: v.Value})
	}
	return out, true
}

// object decodes a mapping into a struct, noting every fault. skip names keys that the caller has read.
func (c *checker) object(node ast.Node, into reflect.Value, path string, skip ...string) {
	entries, ok := c.entries(node, path)
	if !ok {
		return
	}
	fields := fieldsOf(into.Type())
	seen := map[string]bool{}
	for _, e := range entries {
		if slices.Contains(skip, e.key) {
			continue
		}
		at := join(path, e.key)
		i := slices.IndexFunc(fields, func(f field) bool { return f.name == e.key })
		if i < 0 {
			c.unknownField(e, at, fields, skip)
			continue
		}
		seen[e.key] = true
		c.note(at, e.value, e.at)
		c.value(e.value, into.Field(fields[i].index), at)
		c.tags(fields[i], into.Field(fields[i].index), at)
	}
	for _, f := range fields {
		if f.need && !seen[f.name] {
			c.fault(path, "manifest.missing", Textf("필수 항목이 없습니다: %s (%s)", "%s: is needed (%s)", f.name, f.about),
				Textf("‘%s:’ 항목을 추가하십시오", "add %s: …", f.name))
		}
	}
}

func (c *checker) unknownField(e entry, path string, fields []field, skip []string) {
	known := slices.Clone(skip)
	for _, f := range fields {
		known = append(known, f.name)
	}
	hint := Textf("쓸 수 있는 항목: %s", "known fields: %s", strings.Join(known, ", "))
	if near := Nearest(e.key, known); near != "" {
		hint = Textf("비슷한 이름: %s", "did you mean %s?", near)
	}
	c.faultAt(e.at, path, "manifest.unknown_field", Textf("알 수 없는 항목입니다: %q", "unknown field %q", e.key), hint)
}

// tags checks the rules that a field's tags state.
func (c *checker) tags(f field, v reflect.Value, path string) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		s := v.String()
		if s == "" {
			if f.need {
				c.fault(path, "manifest.empty", Textf("값이 비어 있습니다: %s", "%s is empty", f.name), Text{})
			}
			return
		}
		if f.oneof != nil && !slices.Contains(f.oneof, s) {
			hint := Textf("쓸 수 있는 값: %s", "one of: %s", strings.Join(f.oneof, ", "))
			if near := Nearest(s, f.oneof); near != "" {
				hint = Textf("비슷한 이름: %s (쓸 수 있는 값: %s)", "did you mean %s? (one of: %s)", near, strings.Join(f.oneof, ", "))
			}
			c.fault(path, "manifest.value", Textf("%s 항목에 쓸 수 없는 값입니다: %q", "%[2]q is no value for %[1]s", f.name, s), hint)
		}
		if f.pattern != nil && !f.pattern.MatchString(s) {
			c.fault(path, "manifest.pattern", Textf("형식에 맞지 않는 값입니다: %q (항목 %s)", "%q isn't of the form of %s", s, f.name), f.about)
		}
		if d, ok := v.Interface().(Day); ok && !d.Valid() {
			c.fault(path, "manifest.date", Textf("올바른 날짜가 아닙니다: %q", "%q is no date", s), T("2026-11-24처럼 쓰십시오", "write it as 2026-11-24"))
		}
	case reflect.Int, reflect.Int64:
		c.inRange(f, float64(v.Int()), path)
	case reflect.Float64:
		c.inRange(f, v.Float(), path)
	case reflect.Slice, reflect.Map:
		if f.need && v.Len() == 0 {
			c.fault(path, "manifest.empty", Textf("값이 비어 있습니다: %s", "%s is empty", f.name), Text{})
		}
	case reflect.Struct:
		if t, ok := v.Interface().(Text); ok && f.need && t.Empty() {
			c.fault(path, "manifest.empty", Textf("값이 비어 있습니다: %s", "%s is empty", f.name), Text{})
		}
	}
}

func (c *checker) inRange(f field, n float64, path string) {
	if f.min != nil && n < *f.min || f.max != nil && n > *f.max {
		low, high := "…", "…"
		if f.min != nil {
			low = strconv.FormatFloat(*f.min, 'f', -1, 64)
		}
		if f.max != nil {
			high = strconv.FormatFloat(*f.max, 'f', -1, 64)
		}
		c.fault(path, "manifest.range", Textf("범위를 벗어난 값입니다: %s (%s–%s)", "%s must be between %s and %s", f.name, low, high), Text{})
	}
}

// value decodes a node into a Go value of one of the shapes that kinds use.
func (c *checker) value(node ast.Node, into reflect.Value, path string) {
	switch into.Addr().Interface().(type) {
	case *Text:
		c.text(node, into, path)
		return
	case *OrderedTexts:
		c.codes(node, into, path)
		return
	case *FieldList:
		fieldList(c, node, into, path, func(f *Field, name string) { f.Name = name })
		return
	case *FactList:
		fieldList(c, node, into, path, func(f *Fact, name string) { f.Name = name })
		return
	case *ItemList:
		fieldList(c, node, into, path, func(i *Item, name string) { i.Name = name })
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		if _, null := node.(*ast.NullNode); null || node == nil {
			return
		}
		into.Set(reflect.New(into.Type().Elem()))
		c.value(node, into.Elem(), path)
	case reflect.Struct:
		c.object(node, into, path)
	case reflect.Slice:
		c.list(node, into, path)
	case reflect.Map:
		c.dictionary(node, into, path)
	default:
		c.scalar(node, into, path)
	}
}

func (c *checker) list(node ast.Node, into reflect.Value, path string) {
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		if _, null := node.(*ast.NullNode); null || node == nil {
			return
		}
		c.wrongShape(node, path, T("목록", "a list"))
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(sequence.Values), len(sequence.Values)))
	for i, n := range sequence.Values {
		at := join(path, strconv.Itoa(i))
		c.note(at, n, n)
		c.value(n, into.Index(i), at)
	}
}

func (c *checker) dictionary(node ast.Node, into reflect.Value, path string) {
	entries, ok := c.entries(node, path)
	if !ok {
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, e := range entries {
		at := join(path, e.key)
		c.note(at, e.value, e.at)
		v := reflect.New(into.Type().Elem()).Elem()
		c.value(e.value, v, at)
		into.SetMapIndex(reflect.ValueOf(e.key), v)
	}
}

// scalar decodes text, numbers and truth. A string takes any scalar as it was written, so that a code 0110 stays 0110
// and a unit "no" is no false.
func (c *checker) scalar(node ast.Node, into reflect.Value, path string) {
	s, ok := scalarText(node)
	if !ok {
		c.wrongShape(node, path, T("값 하나", "a single value"))
		return
	}
	number := strings.ReplaceAll(s, "_", "")
	switch into.Kind() {
	case reflect.String:
		into.SetString(s)
	case reflect.Bool:
		if s != "true" && s != "false" {
			c.fault(path, "manifest.type", Textf("true나 false가 아닌 값입니다: %q", "%q is neither true nor false", s), Text{})
			return
		}
		into.SetBool(s == "true")
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			c.fault(path, "manifest.type", Textf("정수가 아닌 값입니다: %q", "%q is no whole number", s), T("12_000_000처럼 쓸 수 있습니다", "it may be written as 12_000_000"))
			return
		}
		into.SetInt(n)
	case reflect.Float64:
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || n != n || n-n != 0 {
			c.fault(path, "manifest.type", Textf("숫자가 아닌 값입니다: %q", "%q is no number", s), Text{})
			return
		}
		into.SetFloat(n)
	default:
		panic("manifest: no decoder for " + into.Type().String())
	}
}

// scalarText is the text of a scalar as it was written, quotes and block indentation taken off. Null is "".
func scalarText(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case nil, *ast.NullNode:
		return "", true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func (c *checker) text(node ast.Node, into reflect.Value, path string) {
	if s, ok := scalarText(node); ok {
		into.Set(reflect.ValueOf(Text{Ko: s}))
		return
	}
	entries, ok := c.entries(node, path)
	if !ok {
		return
	}
	var t Text
	for _, e := range entries {
		s, ok := scalarText(e.value)
		switch {
		case !ok:
			c.wrongShape(e.value, join(path, e.key), T("문자", "a text"))
		case e.key == "ko":
			t.Ko = s
		case e.key == "en":
			t.En = s
		default:
			c.faultAt(e.at, join(path, e.key), "manifest.unknown_field", Textf("알 수 없는 언어입니다: %q", "unknown language %q", e.key), T("ko와 en을 쓸 수 있습니다", "ko and en can be used"))
		}
	}
	into.Set(reflect.ValueOf(t))
}

func (c *checker) codes(node ast.Node, into reflect.Value, path string) {
	entries, ok := c.entries(node, path)
	if !ok {
		return
	}
	codes := make(OrderedTexts, 0, len(entries))
	for _, e := range entries {
		at := join(path, e.key)
		c.note(at, e.value, e.at)
		code := CodeName{Code: e.key}
		c.text(e.value, reflect.ValueOf(&code.Name).Elem(), at)
		codes = append(codes, code)
	}
	into.Set(reflect.ValueOf(codes))
}

// fieldList decodes a mapping of names to fields, in the order in which they are written.
func fieldList[Item any](c *checker, node ast.Node, into reflect.Value, path string, name func(*Item, string)) {
	entries, ok := c.entries(node, path)
	if !ok {
		return
	}
	fields := make([]Item, 0, len(entries))
	for _, e := range entries {
		at := join(path, e.key)
		c.note(at, e.value, e.at)
		var f Item
		name(&f, e.key)
		if !ValidField(e.key) {
			c.faultAt(e.at, at, "manifest.name", Textf("항목 이름으로 쓸 수 없습니다: %q", "%q can't name a field", e.key),
				T("영문 소문자로 시작하여 소문자·숫자·밑줄만 63자까지 쓰십시오", "start with a small letter; small letters, digits and single underscores, at most 63"))
		}
		c.object(e.value, reflect.ValueOf(&f).Elem(), at)
		fields = append(fields, f)
	}
	into.Set(reflect.ValueOf(fields).Convert(into.Type()))
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
