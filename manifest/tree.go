package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Tree is what a document says as ordered names and values: for JSON, for comparing, for showing. A value is a string, int64,
// float64, bool, []any or Tree.
type Tree []Branch

// Branch is one name and value of a [Tree].
type Branch struct {
	Name  string
	Value any
}

// Tree returns what the document says, kind and name first, without what it leaves empty.
func (r *Resource) Tree() Tree {
	t := Tree{{"kind", r.Kind}, {"name", r.Name}}
	return append(t, treeOf(reflect.ValueOf(r.Spec).Elem())...)
}

// MarshalJSON writes the tree as an object in its own order.
func (t Tree) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, branch := range t {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(branch.Name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(branch.Value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func treeOf(v reflect.Value) (t Tree) {
	for _, f := range fieldsOf(v.Type()) {
		if value, ok := plain(v.Field(f.index)); ok {
			t = append(t, Branch{f.name, value})
		}
	}
	return t
}

// plain turns a value of a kind's struct into one of a tree; ok is false where it says nothing.
func plain(v reflect.Value) (value any, ok bool) {
	switch x := v.Interface().(type) {
	case Text:
		return plainText(x), !x.Empty()
	case OrderedTexts:
		var t Tree
		for _, c := range x {
			t = append(t, Branch{c.Code, plainText(c.Name)})
		}
		return t, len(t) > 0
	case FieldList:
		var t Tree
		for _, f := range x {
			t = append(t, Branch{f.Name, treeOf(reflect.ValueOf(f))})
		}
		return t, len(t) > 0
	case FactList:
		var t Tree
		for _, f := range x {
			t = append(t, Branch{f.Name, treeOf(reflect.ValueOf(f))})
		}
		return t, len(t) > 0
	case ItemList:
		var t Tree
		for _, i := range x {
			t = append(t, Branch{i.Name, treeOf(reflect.ValueOf(i))})
		}
		return t, len(t) > 0
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, false
		}
		value, _ = plain(v.Elem())
		return value, true
	case reflect.Struct:
		t := treeOf(v)
		return t, len(t) > 0
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i], _ = plain(v.Index(i))
		}
		return list, len(list) > 0
	case reflect.Map:
		var t Tree
		for _, key := range v.MapKeys() {
			value, _ := plain(v.MapIndex(key))
			t = append(t, Branch{key.String(), value})
		}
		slices.SortFunc(t, func(a, b Branch) int { return strings.Compare(a.Name, b.Name) })
		return t, len(t) > 0
	case reflect.String:
		return v.String(), v.String() != ""
	case reflect.Bool:
		return v.Bool(), v.Bool()
	case reflect.Int, reflect.Int64:
		return v.Int(), v.Int() != 0
	case reflect.Float64:
		return v.Float(), v.Float() != 0
	}
	panic("manifest: no tree for " + v.Type().String())
}

func plainText(t Text) any {
	if t.En == "" {
		return t.Ko
	}
	return Tree{{"ko", t.Ko}, {"en", t.En}}
}

// Difference is one value that differs between two versions of a document.
type Difference struct {
	Path   string `json:"path"`             // "fields.person.term"
	Before string `json:"before,omitempty"` // empty: it wasn't there
	After  string `json:"after,omitempty"`  // empty: it is gone
}

// Compare lists what differs between two trees, by path, in the order of the later one and then what is gone. Two texts that differ
// only in comments or form have no difference.
func Compare(before, after Tree) []Difference {
	old, now := before.flat(), after.flat()
	was := make(map[string]string, len(old))
	for _, leaf := range old {
		was[leaf.path] = leaf.text
	}
	var out []Difference
	is := make(map[string]bool, len(now))
	for _, leaf := range now {
		is[leaf.path] = true
		if was[leaf.path] != leaf.text {
			out = append(out, Difference{Path: leaf.path, Before: was[leaf.path], After: leaf.text})
		}
	}
	for _, leaf := range old {
		if !is[leaf.path] {
			out = append(out, Difference{Path: leaf.path, Before: leaf.text})
		}
	}
	if out == nil && !slices.EqualFunc(old, now, func(a, b leaf) bool { return a.path == b.path }) {
		out = append(out, Difference{Path: "fields", Before: order(before), After: order(after)})
	}
	return out
}

// order is the order of a dataset's fields, the only order a document's meaning has beside that of lists.
func order(t Tree) string {
	for _, b := range t {
		if sub, ok := b.Value.(Tree); ok && b.Name == "fields" {
			names := make([]string, len(sub))
			for i, f := range sub {
				names[i] = f.Name
			}
			return strings.Join(names, ", ")
		}
	}
	return ""
}

type leaf struct{ path, text string }

func (t Tree) flat() (out []leaf) {
	for _, b := range t {
		out = append(out, flat(b.Name, b.Value)...)
	}
	return out
}

func flat(path string, value any) (out []leaf) {
	switch x := value.(type) {
	case Tree:
		if len(x) == 0 {
			return []leaf{{path, "{}"}}
		}
		for _, b := range x {
			out = append(out, flat(path+"."+b.Name, b.Value)...)
		}
		return out
	case []any:
		if !slices.ContainsFunc(x, func(v any) bool { _, nested := v.(Tree); return nested }) {
			texts := make([]string, len(x))
			for i, v := range x {
				texts[i] = fmt.Sprint(v)
			}
			return []leaf{{path, strings.Join(texts, ", ")}}
		}
		for i, v := range x {
			out = append(out, flat(path+"."+strconv.Itoa(i), v)...)
		}
		return out
	case float64:
		return []leaf{{path, strconv.FormatFloat(x, 'f', -1, 64)}}
	}
	return []leaf{{path, fmt.Sprint(value)}}
}
