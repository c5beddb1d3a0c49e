package outlet

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/maru-city/maru/manifest"
)

// object is an argument that is an object, or one in JSON; nil where it isn't given.
func (a arguments) object(name string) (out map[string]any, err error) {
	switch v := a[name].(type) {
	case nil:
	case map[string]any:
		return v, nil
	case string:
		d := json.NewDecoder(strings.NewReader(v))
		d.UseNumber()
		if v != "" && d.Decode(&out) != nil {
			return nil, invalid(name, "Cannot parse JSON")
		}
	default:
		return nil, invalid(name, "must be an object")
	}
	return out, nil
}

// conditions are the filters and the query of a search of the datastore, as a filter.
func (i *item) conditions(a arguments) (string, error) {
	filters, err := a.object("filters")
	if err != nil {
		return "", err
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		f := i.Field(name)
		if f == nil {
			return "", invalid("filters", "field "+strconv.Quote(name)+" not in table")
		}
		values, many := filters[name].([]any)
		if !many {
			values = []any{filters[name]}
		}
		any := []string{}
		for _, v := range values {
			if v == nil {
				any = append(any, name+" == null")
			} else if c, ok := equals(f, fmt.Sprint(v)); ok {
				any = append(any, c)
			}
		}
		all = append(all, either(any))
	}
	said, err := i.said(a)
	return strings.Join(append(all, said...), " && "), err
}

// either is that one of several conditions holds.
func either(any []string) string {
	if len(any) == 0 {
		return "false"
	}
	return "(" + strings.Join(any, " || ") + ")"
}

// said is what q asks for: each of its words somewhere in the record, or, where it is an object, in the fields that it names.
func (i *item) said(a arguments) (all []string, err error) {
	by := map[string]any{}
	text := strings.TrimSpace(a.text("q"))
	if _, whole := a["q"].(string); a["q"] != nil && !whole && text == "" || strings.HasPrefix(text, "{") {
		if by, err = a.object("q"); err != nil {
			return nil, err
		}
		text = ""
	}
	words, err := a.words(text)
	if err != nil {
		return nil, err
	}
	for _, w := range words {
		any := []string{}
		for n := range i.Fields {
			if f := &i.Fields[n]; f.Type == manifest.String {
				any = append(any, f.Name+".contains("+quoted(w)+")")
			}
		}
		all = append(all, either(any))
	}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		f := i.Field(name)
		if f == nil {
			return nil, invalid("q", "field "+strconv.Quote(name)+" not in table")
		}
		text := ""
		if by[name] != nil {
			text = fmt.Sprint(by[name])
		}
		if f.Type != manifest.String {
			c, ok := equals(f, text)
			if !ok {
				c = "false"
			}
			all = append(all, c)
			continue
		}
		words, err := a.words(text)
		if err != nil {
			return nil, err
		}
		for _, w := range words {
			all = append(all, f.Name+".contains("+quoted(w)+")")
		}
	}
	return all, nil
}

// words are those of a query. With plain=false it may be written as PostgreSQL's to_tsquery takes it: of that & and :* are understood, what they say holds here anyway.
func (a arguments) words(text string) ([]string, error) {
	if !a.truth("plain", true) {
		if strings.ContainsAny(text, "|!()<>'\\") {
			return nil, invalid("q", "with plain=false only words, & and :* are understood")
		}
		text = strings.NewReplacer("&", " ", ":*", " ").Replace(text)
	}
	out := strings.Fields(text)
	return out[:min(len(out), maxWords)], nil
}

// sorting reads "a asc, b desc". By _id is the order in which records are anyway, which is that of their keys; backwards says that it is that alone, the last first.
func (i *item) sorting(text string) (order string, backwards bool, err error) {
	var out []string
	for _, part := range strings.Split(text, ",") {
		words := strings.Fields(strings.ReplaceAll(part, `"`, ""))
		if len(words) == 0 {
			continue
		}
		if len(words) == 3 && strings.EqualFold(words[1]+words[2], "nullslast") || len(words) == 4 && strings.EqualFold(words[2]+words[3], "nullslast") {
			return "", false, invalid("sort", "nulls last isn't offered here")
		}
		down, err := descending(words[1:])
		if err != nil {
			return "", false, err
		}
		sign := map[bool]string{true: "-", false: ""}[down]
		switch {
		case words[0] == "_id" && down && len(i.Spec.Key) == 0:
			return "", false, invalid("sort", "records without a key can't be sorted by _id desc")
		case words[0] == "_id":
			backwards = down && len(out) == 0
			for _, key := range i.Spec.Key {
				out = append(out, sign+key)
			}
			return strings.Join(out, ","), backwards, nil // no two have the same
		case i.Field(words[0]) == nil:
			return "", false, invalid("sort", "field "+strconv.Quote(words[0])+" not in table")
		}
		out = append(out, sign+words[0])
	}
	return strings.Join(out, ","), false, nil
}
