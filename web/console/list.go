package console

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/web/components"
)

// pageSize is how many entries a page of a list has.
const pageSize = 50

// cut returns the part of a list that the address asks for: the entries after ?after= or before ?before=, which hold the name of an entry.
// An entry that isn't there any more (the catalog has moved on, the filter is another) leads to the first page.
func cut[T any](list []T, name func(T) string, q url.Values, size int) ([]T, components.Slice) {
	at := func(key string) int {
		if key == "" {
			return -1
		}
		return slices.IndexFunc(list, func(x T) bool { return name(x) == key })
	}
	from := 0
	if i := at(q.Get("after")); i >= 0 {
		from = i + 1
	} else if i := at(q.Get("before")); i >= 0 {
		from = max(0, i-size)
	}
	to := min(len(list), from+size)
	from = min(from, to)
	s := components.Slice{First: from + 1, Last: to, Total: len(list)}
	if from > 0 && from < to {
		s.Before = name(list[from])
	}
	if to < len(list) {
		s.After = name(list[to-1])
	}
	return list[from:to], s
}

// ranked orders what a search found: titles that are the query, then titles that begin with it, then the others, each in the order they had.
func ranked[T any](list []T, query string, title func(T) lang.Text) []T {
	want := catalog.Fold(query)
	if want == "" {
		return list
	}
	rank := func(x T) int {
		best := 2
		for _, s := range []string{title(x).Ko, title(x).En} {
			switch folded := catalog.Fold(s); {
			case folded == want:
				best = 0
			case strings.HasPrefix(folded, want):
				best = min(best, 1)
			}
		}
		return best
	}
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b T) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

// filter keeps what every test lets through.
func filter[T any](list []T, tests ...func(T) bool) (out []T) {
next:
	for _, x := range list {
		for _, test := range tests {
			if !test(x) {
				continue next
			}
		}
		out = append(out, x)
	}
	return out
}

// counted is "n of them", for the line above a list; the Korean has a %s for the number.
func counted(n int, ko, en string) lang.Text {
	return lang.T(fmt.Sprintf(ko, components.Number(n)), components.Number(n)+" "+en)
}
