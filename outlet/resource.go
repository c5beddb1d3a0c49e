package outlet

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
)

// resource finds a resource by its id.
func (o *Outlets) resource(s *shelf, id string) (*item, map[string]any) {
	for _, i := range s.items {
		for n, f := range i.forms() {
			if identifier("resource", i.Path(), f.as) == id {
				found, _ := o.resources(i)[n].(map[string]any)
				return i, found
			}
		}
	}
	return nil, nil
}

func resourceShow(o *Outlets, _ context.Context, s *shelf, a arguments) (any, error) {
	id := a.text("id")
	if id == "" {
		return nil, invalid("id", "Missing value")
	}
	if _, r := o.resource(s, id); r != nil {
		return r, nil
	}
	return nil, notFound(id)
}

// searched are what resources can be found and put in order by.
var searched = []string{"id", "name", "description", "format", "mimetype", "url"}

// resourceSearch finds resources by FIELD:TERM, all of them, whatever their case.
func resourceSearch(o *Outlets, ctx context.Context, s *shelf, a arguments) (any, error) {
	query := []string{a.text("query")}
	if query[0] == "" || query[0][0] == '[' {
		query = a.list("query")
	}
	if len(query) == 0 {
		return nil, invalid("query", "Missing value")
	}
	var by [][2]string
	for _, text := range query[:min(len(query), maxWords)] {
		field, term, ok := strings.Cut(text, ":")
		if !ok || term == "" {
			return nil, invalid("query", "must be FIELD:TERM, or a list of them")
		}
		if !slices.Contains(searched, field) {
			return nil, invalid("query", "Field "+strconv.Quote(field)+" not recognised in resource_search.")
		}
		by = append(by, [2]string{field, strings.ToLower(term[:min(len(term), maxValue)])})
	}
	order := a.text("order_by")
	if order != "" && !slices.Contains(searched, order) {
		return nil, invalid("order_by", "Field "+strconv.Quote(order)+" not recognised in resource_search.")
	}
	found := []map[string]any{}
	for _, i := range s.items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, one := range o.resources(i) {
			r, _ := one.(map[string]any)
			if !slices.ContainsFunc(by, func(c [2]string) bool {
				text, _ := r[c[0]].(string)
				return !strings.Contains(strings.ToLower(text), c[1])
			}) {
				found = append(found, r)
			}
		}
	}
	if order != "" {
		slices.SortStableFunc(found, func(x, y map[string]any) int { return cmp.Compare(x[order].(string), y[order].(string)) })
	}
	results, err := page(found, a)
	return map[string]any{"count": len(found), "results": results}, err
}
