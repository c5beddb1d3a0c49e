package outlet

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// recordForms are the forms in which CKAN gives records.
var recordForms = []string{"objects", "lists", "csv", "tsv"}

// number is the _id of the n-th record of an answer: its place among all that are found.
func (q *storeQuery) number(n int, total int64) int64 {
	if q.backwards {
		return total - int64(q.offset+n)
	}
	return int64(q.offset + n + 1)
}

// rows are the records in the form that is asked for: a list of objects or of lists, or a text without the fields' names.
func (q *storeQuery) rows(records []*registry.Record, total int64) (any, error) {
	switch q.form {
	case "csv", "tsv":
		return q.text(records, total)
	}
	rows := make([]any, len(records))
	for n, r := range records {
		object, list := map[string]any{}, []any{}
		if q.numbered {
			object["_id"], list = q.number(n, total), []any{q.number(n, total)}
		}
		for at, f := range r.Fields {
			v := r.Values[at]
			if text, ok := v.(string); ok && f.Type == manifest.Geometry {
				v = json.RawMessage(text)
			}
			object[f.Name], list = v, append(list, v)
		}
		if rows[n] = object; q.form == "lists" {
			rows[n] = list
		}
	}
	return rows, nil
}

func (q *storeQuery) text(records []*registry.Record, total int64) (string, error) {
	var b strings.Builder
	w := csv.NewWriter(&b)
	if q.form == "tsv" {
		w.Comma = '\t'
	}
	for n, r := range records {
		row := []string{}
		if q.numbered {
			row = append(row, strconv.FormatInt(q.number(n, total), 10))
		}
		for _, v := range r.Values {
			row = append(row, cell(v))
		}
		if err := w.Write(row); err != nil {
			return "", fmt.Errorf("write records as text: %w", err)
		}
	}
	w.Flush()
	return b.String(), w.Error()
}

// Limits of distinct rows: all records are looked at for them.
const (
	distinctLooked = 200_000
	distinctRead   = 10_000 // at once
)

// distinct reads rows, each once, and how many there are.
func (o *Outlets) distinct(ctx context.Context, q storeQuery) (out []*registry.Record, total int64, err error) {
	seen := map[string]bool{}
	for from := int64(0); ; from += distinctRead {
		records, all, err := o.records.Slice(ctx, q.item.Dataset, q.Query, from, distinctRead)
		if err != nil {
			return nil, 0, err
		}
		if all > distinctLooked {
			return nil, 0, invalid("distinct", fmt.Sprintf("is offered for %d records at most; ask for fewer by filters", distinctLooked))
		}
		for _, r := range records {
			text, err := json.Marshal(r.Values)
			if err != nil {
				return nil, 0, fmt.Errorf("tell rows apart: %w", err)
			}
			if seen[string(text)] {
				continue
			}
			seen[string(text)] = true
			if total++; total > int64(q.offset) && len(out) < q.limit {
				out = append(out, r)
			}
		}
		if from+distinctRead >= all {
			return out, total, nil
		}
	}
}
