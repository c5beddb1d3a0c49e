package outlet

import (
	"cmp"
	"context"
	"encoding/json"
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

// kept finds what is in the datastore: by the id of its CSV resource, or by the dataset's own.
func (o *Outlets) kept(s *shelf, a arguments, names ...string) (*item, string, error) {
	for _, name := range names {
		id := a.text(name)
		if id == "" {
			continue
		}
		if i, _ := o.resource(s, id); i != nil {
			return i, id, nil
		}
		if i := s.by[id]; i != nil {
			return i, id, nil
		}
		return nil, "", notFound("Resource " + strconv.Quote(id))
	}
	return nil, "", invalid(names[0], "Missing value")
}

// datastoreInfo says what fields a resource has, and how many records.
func datastoreInfo(o *Outlets, ctx context.Context, s *shelf, a arguments) (any, error) {
	i, id, err := o.kept(s, a, "id", "resource_id")
	if err != nil {
		return nil, err
	}
	_, total, err := o.records.Slice(ctx, i.Dataset, registry.Query{}, 0, 0)
	if err != nil {
		return nil, err
	}
	fields := make([]any, len(i.Fields))
	for n := range i.Fields {
		f := &i.Fields[n]
		fields[n] = map[string]any{
			"id": f.Name, "type": ckanTypes[f.Type], "info": map[string]any{"label": title(f.Label())},
			"schema": map[string]any{"native_type": ckanTypes[f.Type], "notnull": f.KeyPart, "is_index": f.KeyPart, "uniquekey": f.KeyPart && len(i.Spec.Key) == 1},
		}
	}
	return map[string]any{"meta": map[string]any{"id": id, "count": total, "table_type": "BASE TABLE", "aliases": []string{}}, "fields": fields}, nil
}

// storeQuery is a search of the datastore that has been understood.
type storeQuery struct {
	registry.Query
	id            string
	item          *item
	limit, offset int
	numbered      bool // _id is asked for
	bare          bool // and nothing else
	backwards     bool // by _id, the last first
	distinct      bool
	total         bool
	form          string
}

func (o *Outlets) storeQuery(s *shelf, a arguments) (q storeQuery, err error) {
	if q.item, q.id, err = o.kept(s, a, "resource_id", "id"); err != nil {
		return q, err
	}
	if q.limit, err = a.number("limit", 100, storeRows); err != nil {
		return q, err
	}
	q.limit = min(q.limit, max(1, storeCells/len(q.item.Fields)))
	if q.offset, err = a.number("offset", 0, 1<<31-1); err != nil {
		return q, err
	}
	if q.Filter, err = q.item.conditions(a); err != nil {
		return q, err
	}
	for _, name := range a.list("fields") {
		switch {
		case name == "_id":
			q.numbered = true
		case q.item.Field(name) == nil:
			return q, invalid("fields", "field "+strconv.Quote(name)+" not in table")
		case !slices.Contains(q.Fields, name):
			q.Fields = append(q.Fields, name)
		}
	}
	switch {
	case len(q.Fields) == 0 && q.numbered:
		q.Fields, q.bare = q.item.FieldNames()[:1], true
	case len(q.Fields) == 0:
		q.Fields, q.numbered = q.item.FieldNames(), true
	}
	q.distinct = a.truth("distinct", false) && !q.numbered // with _id no row is twice
	q.total = a.truth("include_total", true)
	if q.form = cmp.Or(a.text("records_format"), "objects"); !slices.Contains(recordForms, q.form) {
		return q, invalid("records_format", "must be one of "+strings.Join(recordForms, ", "))
	}
	order := strings.Join(a.list("sort"), ",")
	q.Sort, q.backwards, err = q.item.sorting(order)
	if err == nil && q.distinct {
		err = q.sortDistinct(order)
	}
	return q, err
}

// sortDistinct sees to it that rows that are shown once are in an order that they have themselves.
func (q *storeQuery) sortDistinct(order string) error {
	if order == "" {
		q.Sort = strings.Join(q.Fields, ",")
		return nil
	}
	for part := range strings.SplitSeq(q.Sort, ",") {
		if !slices.Contains(q.Fields, strings.TrimPrefix(part, "-")) {
			return invalid("sort", "with distinct only what fields names can be sorted by")
		}
	}
	return nil
}

func datastoreSearch(o *Outlets, ctx context.Context, s *shelf, a arguments) (any, error) {
	q, err := o.storeQuery(s, a)
	if err != nil {
		return nil, err
	}
	var records []*registry.Record
	var total int64
	if q.distinct {
		records, total, err = o.distinct(ctx, q)
	} else {
		records, total, err = o.records.Slice(ctx, q.item.Dataset, q.Query, int64(q.offset), q.limit)
	}
	if err != nil {
		return nil, err
	}
	if q.bare {
		q.Fields = nil
		for _, r := range records {
			r.Fields, r.Values = nil, nil
		}
	}
	fields := []any{}
	if q.numbered {
		fields = append(fields, map[string]any{"id": "_id", "type": "int"})
	}
	for _, name := range q.Fields {
		f := q.item.Field(name)
		fields = append(fields, map[string]any{"id": f.Name, "type": ckanTypes[f.Type], "info": map[string]any{"label": title(f.Label())}})
	}
	rows, err := q.rows(records, total)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"resource_id": q.id, "fields": fields, "records": rows, "records_format": q.form, "limit": q.limit, "include_total": q.total}
	if q.total {
		out["total"], out["total_was_estimated"] = total, false
	}
	if q.offset > 0 {
		out["offset"] = q.offset
	}
	out["_links"] = map[string]any{"start": q.link(a, 0), "next": q.link(a, q.offset+q.limit)}
	return out, nil
}

// link is where the same search goes on.
func (q *storeQuery) link(a arguments, to int) string {
	v := url.Values{"resource_id": {q.id}, "limit": {strconv.Itoa(q.limit)}, "offset": {strconv.Itoa(to)}}
	for _, name := range []string{"q", "sort", "filters", "fields", "distinct", "plain", "include_total", "records_format"} {
		switch given := a[name].(type) {
		case nil:
		case map[string]any, []any, []string:
			if text, err := json.Marshal(given); err == nil { // it was read as JSON
				v.Set(name, string(text))
			}
		default:
			if text := a.text(name); text != "" {
				v.Set(name, text)
			}
		}
	}
	return "/ckan/api/3/action/datastore_search?" + v.Encode()
}
