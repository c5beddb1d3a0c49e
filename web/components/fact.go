package components

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/service"
)

// FactValue is a fact's value for reading: of a list, each of its records.
func FactValue(ctx context.Context, f *service.Fact, value any) string {
	if value == nil {
		return Say(ctx, "없음", "none")
	}
	records, list := value.([]map[string]any)
	if !list {
		return fieldValue(ctx, &f.Field, value)
	}
	if len(records) == 0 {
		return Say(ctx, "없음", "none")
	}
	out := make([]string, len(records))
	for i, r := range records {
		var parts []string
		for j := range f.Items {
			item := &f.Items[j]
			text := Say(ctx, "없음", "none")
			if v := r[item.Name]; v != nil {
				text = fieldValue(ctx, &item.Field, v)
			}
			if len(f.Items) > 1 {
				text = In(ctx, item.Label()) + " " + text
			}
			parts = append(parts, text)
		}
		out[i] = fmt.Sprintf("%s %d: %s", In(ctx, f.Label()), i+1, strings.Join(parts, ", "))
	}
	return strings.Join(out, "\n")
}

func fieldValue(ctx context.Context, f *catalog.Field, value any) string {
	out := FieldValue(ctx, &f.Field, value)
	if f.Unit != "" {
		out += " " + Unit(ctx, f.Unit)
	}
	return out
}

// RowName is what the field for an item of a row of a list is called in a form.
func RowName(prefix string, row int, item string) string {
	return fmt.Sprintf("%s.%d.%s", prefix, row, item)
}

// Rows are the rows of a list in a form, whose fields are called as [RowName] does: also those in which nothing is written.
func Rows(form url.Values, prefix string) (out []map[string]string) {
	byNumber := map[int]map[string]string{}
	for name, values := range form {
		rest, ok := strings.CutPrefix(name, prefix+".")
		number, item, ok2 := strings.Cut(rest, ".")
		n, err := strconv.Atoi(number)
		if !ok || !ok2 || err != nil || n < 0 {
			continue
		}
		if byNumber[n] == nil {
			byNumber[n] = map[string]string{}
		}
		byNumber[n][item] = strings.TrimSpace(values[0])
	}
	numbers := make([]int, 0, len(byNumber))
	for n := range byNumber {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		out = append(out, byNumber[n])
	}
	return out
}

// Written are the rows in which something is written.
func Written(rows []map[string]string) []map[string]string {
	return slices.DeleteFunc(slices.Clone(rows), func(row map[string]string) bool {
		for _, text := range row {
			if text != "" {
				return false
			}
		}
		return true
	})
}
