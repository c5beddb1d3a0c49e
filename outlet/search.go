package outlet

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/maru-city/maru/catalog"
)

// packageSearch finds packages by words and by facets, as CKAN's clients ask (of Solr's syntax, words and NAME:VALUE).
func packageSearch(o *Outlets, ctx context.Context, s *shelf, a arguments) (any, error) {
	rows, err := a.number("rows", 10, ckanRows)
	if err != nil {
		return nil, err
	}
	start, err := a.number("start", 0, len(s.items))
	if err != nil {
		return nil, err
	}
	var conditions []condition
	words, blank := []string{}, false
	for _, part := range append(append(terms(a.text("q")), terms(a.text("fq"))...), joined(a.list("fq_list"))...) {
		if part.name == "" {
			if part.value != "*" && part.value != "*:*" {
				if word := catalog.Fold(part.value); word != "" {
					words = append(words, word)
				} else {
					blank = true // % or ': no letter that could be found
				}
			}
			continue
		}
		conditions = append(conditions, part)
	}
	words = words[:min(len(words), maxWords)]
	conditions = conditions[:min(len(conditions), maxWords)]
	type hit struct {
		*item
		score int
	}
	var hits []hit
	for _, i := range s.items {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if blank && len(words) == 0 {
			break
		}
		score, ok := i.score(words)
		if ok && i.fulfils(conditions) {
			hits = append(hits, hit{i, score})
		}
	}
	order := a.text("sort")
	if order == "" {
		order = "score desc, name asc"
	}
	by, err := sorting(order)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(hits, func(x, y hit) int {
		for _, key := range by {
			c := 0
			switch key.name {
			case "score":
				c = cmp.Compare(x.score, y.score)
			case "name", "id":
				c = strings.Compare(x.handle, y.handle)
			case "title", "title_string":
				c = strings.Compare(title(x.Spec.Title), title(y.Spec.Title))
			case "metadata_modified":
				c = x.changed().Compare(y.changed())
			case "metadata_created":
				c = x.made.Compare(y.made)
			default:
				c = slices.Compare(x.facet(key.name), y.facet(key.name))
			}
			if key.down {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return strings.Compare(x.handle, y.handle)
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	results := []any{}
	for _, h := range hits[min(start, len(hits)):min(start+rows, len(hits))] {
		results = append(results, o.pack(s, h.item))
	}
	counts, facets := map[string]any{}, map[string]any{}
	for _, name := range a.list("facet.field") {
		if counts[name] != nil || len(counts) == maxFacets {
			continue
		}
		n := map[string]int{}
		for _, h := range hits {
			for _, v := range h.facet(name) {
				n[v]++
			}
		}
		list := []any{}
		for v, count := range n {
			list = append(list, map[string]any{"name": v, "display_name": o.display(s, name, v), "count": count})
		}
		slices.SortFunc(list, func(x, y any) int {
			a, b := x.(map[string]any), y.(map[string]any)
			return cmp.Or(cmp.Compare(b["count"].(int), a["count"].(int)), cmp.Compare(a["name"].(string), b["name"].(string)))
		})
		limit, err := a.number("facet.limit", 50, 10_000)
		if err != nil {
			return nil, err
		}
		counts[name], facets[name] = n, map[string]any{"title": name, "items": list[:min(len(list), limit)]}
	}
	return map[string]any{"count": len(hits), "sort": order, "results": results, "facets": counts, "search_facets": facets}, nil
}

// What of a search is heeded; whoever asks for more gets the first of it.
const (
	maxValue  = 1000 // bytes of one of them
	maxWords  = 50
	maxFacets = 20
	maxSorts  = 8
)

// sortKey is one of the things that results are put in order by.
type sortKey struct {
	name string
	down bool
}

// sorted are what packages can be put in order by.
var sorted = []string{"score", "name", "id", "title", "title_string", "metadata_modified", "metadata_created", "organization", "license_id", "type"}

// sorting reads the order that is asked for: each key once.
func sorting(order string) (out []sortKey, err error) {
	for part := range strings.SplitSeq(order, ",") {
		by := strings.Fields(part)
		if len(by) == 0 || len(out) == maxSorts || slices.ContainsFunc(out, func(k sortKey) bool { return k.name == by[0] }) {
			continue
		}
		if !slices.Contains(sorted, by[0]) {
			return nil, invalid("sort", "can't sort by "+strconv.Quote(by[0][:min(len(by[0]), maxValue)])+"; there are "+strings.Join(sorted, ", "))
		}
		down, err := descending(by[1:])
		if err != nil {
			return nil, err
		}
		out = append(out, sortKey{by[0], down})
	}
	return out, nil
}

// descending reads what stands behind a key of an order.
func descending(words []string) (bool, error) {
	switch {
	case len(words) == 0 || len(words) == 1 && strings.EqualFold(words[0], "asc"):
		return false, nil
	case len(words) == 1 && strings.EqualFold(words[0], "desc"):
		return true, nil
	}
	return false, invalid("sort", "must be asc or desc behind a field")
}

// condition is a part of a query: words, or NAME:VALUE.
type condition struct {
	name, value string
	folded      string // the value as titles are compared with it
	not         bool
}

func joined(list []string) (out []condition) {
	for _, text := range list {
		out = append(out, terms(text)...)
	}
	return out
}

// terms cuts a query into its parts. Quotes hold a value together; AND and brackets are left out.
func terms(text string) (out []condition) {
	for len(text) > 0 {
		text = strings.TrimLeft(text, " \t\n()")
		if text == "" {
			break
		}
		c := condition{}
		if text[0] == '+' || text[0] == '-' {
			c.not, text = text[0] == '-', text[1:]
		}
		if end := strings.IndexAny(text, ": \"()"); end > 0 && text[end] == ':' {
			c.name, text = text[:end], strings.TrimLeft(text[end+1:], "( ")
		}
		if strings.HasPrefix(text, `"`) {
			rest, after, _ := strings.Cut(text[1:], `"`)
			c.value, text = rest, after
		} else {
			end := strings.IndexAny(text, " \t\n)")
			if end < 0 {
				end = len(text)
			}
			c.value, text = text[:end], text[end:]
		}
		if c.value == "" || c.name == "" && (c.value == "AND" || c.value == "OR") {
			continue
		}
		if c.name == "*" {
			c = condition{value: "*"}
		}
		c.value = strings.ToValidUTF8(c.value[:min(len(c.value), maxValue)], "")
		c.folded = catalog.Fold(strings.Trim(c.value, "*"))
		if out = append(out, c); len(out) == 2*maxWords {
			break
		}
	}
	return out
}

// score says whether an item has all words, and how well: in its title is best.
func (i *item) score(words []string) (score int, ok bool) {
	for _, w := range words {
		w = strings.TrimSuffix(w, "*")
		switch {
		case w == "":
		case strings.Contains(i.title, w):
			score += 10
		case strings.Contains(i.text, w):
			score++
		default:
			return 0, false
		}
	}
	return score, true
}

// facet is what an item has of a facet.
func (i *item) facet(name string) []string {
	switch name {
	case "organization", "owner_org":
		if i.owner == "" {
			return nil
		}
		if name == "owner_org" {
			return []string{identifier("organization", i.owner)}
		}
		return []string{i.owner}
	case "groups":
		return []string{i.Project}
	case "tags":
		return i.tags
	case "res_format":
		out := make([]string, len(i.forms()))
		for n, f := range i.forms() {
			out[n] = f.form
		}
		return out
	case "license_id":
		id, _, _ := i.licence()
		return []string{id}
	case "name":
		return []string{i.handle}
	case "id":
		return []string{i.id}
	case "title":
		return []string{title(i.Spec.Title)}
	case "state":
		return []string{"active"}
	case "type", "dataset_type":
		return []string{"dataset"}
	case "private":
		return []string{"false"}
	}
	return nil
}

func (i *item) fulfils(conditions []condition) bool {
	for _, c := range conditions {
		has := slices.ContainsFunc(i.facet(c.name), func(v string) bool {
			if c.name == "title" || c.name == "name" {
				return strings.Contains(catalog.Fold(v), c.folded)
			}
			return c.value == "*" || strings.EqualFold(v, c.value)
		})
		if has == c.not {
			return false
		}
	}
	return true
}

// display is the name of a facet's value for people.
func (o *Outlets) display(s *shelf, facet, v string) string {
	switch facet {
	case "organization":
		text, _ := o.organization(s, v)["title"].(string)
		return text
	case "groups":
		text, _ := o.group(s, v)["title"].(string)
		return text
	}
	return v
}
