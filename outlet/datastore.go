package outlet

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// Limits of an answer of the datastore.
const (
	storeRows  = 32_000
	storeCells = 1 << 20 // a wide dataset has fewer rows in one
)

// ckanTypes are types of fields as the datastore calls them.
var ckanTypes = map[manifest.Type]string{
	manifest.String: "text", manifest.Int: "int8", manifest.Double: "float8", manifest.Bool: "bool", manifest.Date: "date", manifest.Datetime: "timestamp", manifest.Geometry: "json",
}

func datastoreSearch(o *Outlets, ctx context.Context, s *shelf, a arguments) (any, error) {
	id := a.text("resource_id")
	if id == "" {
		id = a.text("id")
	}
	if id == "" {
		return nil, invalid("resource_id", "Missing value")
	}
	i, _ := o.resource(s, id)
	if i == nil {
		if i = s.by[id]; i == nil {
			return nil, notFound("Resource " + strconv.Quote(id))
		}
	}
	limit, err := a.number("limit", 100, storeRows)
	if err != nil {
		return nil, err
	}
	limit = min(limit, max(1, storeCells/len(i.Fields)))
	offset, err := a.number("offset", 0, 1<<31-1)
	if err != nil {
		return nil, err
	}
	q := registry.Query{}
	if q.Filter, err = i.conditions(a); err != nil {
		return nil, err
	}
	if q.Sort, err = i.sorting(a.text("sort")); err != nil {
		return nil, err
	}
	for _, name := range a.list("fields") {
		if name == "_id" {
			continue
		}
		if i.Field(name) == nil {
			return nil, invalid("fields", "field "+strconv.Quote(name)+" not in table")
		}
		q.Fields = append(q.Fields, name)
	}
	if len(q.Fields) == 0 {
		q.Fields = i.FieldNames()
	}
	records, total, err := o.records.Slice(ctx, i.Dataset, q, int64(offset), limit)
	if err != nil {
		return nil, err
	}
	fields := []any{map[string]any{"id": "_id", "type": "int"}}
	for _, name := range q.Fields {
		f := i.Field(name)
		fields = append(fields, map[string]any{"id": f.Name, "type": ckanTypes[f.Type], "info": map[string]any{"label": title(f.Label())}})
	}
	rows := make([]any, len(records))
	for n, r := range records {
		row := map[string]any{"_id": offset + n + 1}
		for at, f := range r.Fields {
			v := r.Values[at]
			if text, ok := v.(string); ok && f.Type == manifest.Geometry {
				v = json.RawMessage(text)
			}
			row[f.Name] = v
		}
		rows[n] = row
	}
	if a.text("records_format") == "lists" {
		for n, r := range records {
			row := []any{offset + n + 1}
			rows[n] = append(row, r.Values...)
		}
	}
	out := map[string]any{"resource_id": id, "fields": fields, "records": rows, "records_format": cmp.Or(a.text("records_format"), "objects"), "limit": limit, "include_total": true, "total": total, "total_was_estimated": false}
	if offset > 0 {
		out["offset"] = offset
	}
	more := func(to int) string {
		v := url.Values{"resource_id": {id}, "limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(to)}}
		for _, name := range []string{"q", "sort", "filters"} {
			if text := a.text(name); text != "" {
				v.Set(name, text)
			}
		}
		return "/ckan/api/3/action/datastore_search?" + v.Encode()
	}
	out["_links"] = map[string]any{"start": more(0), "next": more(offset + limit)}
	return out, nil
}

// conditions are the filters and the query of a search of the datastore, as a filter.
func (i *item) conditions(a arguments) (string, error) {
	filters := map[string]any{}
	switch v := a["filters"].(type) {
	case nil:
	case map[string]any:
		filters = v
	case string:
		d := json.NewDecoder(strings.NewReader(v))
		d.UseNumber()
		if v != "" && d.Decode(&filters) != nil {
			return "", invalid("filters", "Cannot parse JSON")
		}
	default:
		return "", invalid("filters", "must be an object")
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
		if len(any) == 0 {
			any = []string{"false"}
		}
		all = append(all, "("+strings.Join(any, " || ")+")")
	}
	if q := strings.TrimSpace(a.text("q")); q != "" {
		any := []string{}
		for n := range i.Fields {
			if f := &i.Fields[n]; f.Type == manifest.String {
				any = append(any, f.Name+".contains("+quoted(q)+")")
			}
		}
		if len(any) == 0 {
			any = []string{"false"}
		}
		all = append(all, "("+strings.Join(any, " || ")+")")
	}
	return strings.Join(all, " && "), nil
}

// sorting reads "a asc, b desc".
func (i *item) sorting(text string) (string, error) {
	var out []string
	for _, part := range strings.Split(text, ",") {
		words := strings.Fields(strings.ReplaceAll(part, `"`, ""))
		if len(words) == 0 || words[0] == "_id" {
			continue
		}
		if i.Field(words[0]) == nil {
			return "", invalid("sort", "field "+strconv.Quote(words[0])+" not in table")
		}
		down := ""
		if len(words) > 1 && strings.EqualFold(words[1], "desc") {
			down = "-"
		}
		out = append(out, down+words[0])
	}
	return strings.Join(out, ","), nil
}
