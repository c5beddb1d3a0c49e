package registry

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/maru-city/maru/engine/problem"
)

func TestPagesHoldEachRecordOnceInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx, d := t.Context(), r.apply(t, libraries)
		const n = 40
		for i := range n {
			v := Values{"code": fmt.Sprintf("A%d", i), "name": fmt.Sprintf("이름 %d", i*7%5), "rating": json.Number(fmt.Sprint(float64(i%4) / 2))}
			if i%3 > 0 {
				v["district"] = []string{"", "11110", "11140"}[i%3]
			}
			if i%5 > 0 {
				v["seats"] = json.Number(fmt.Sprint(i % 7))
			}
			if i%2 > 0 {
				v["open"] = i%4 > 1
			}
			if _, err := r.Create(ctx, clerk, d, v); err != nil && problem.Code(err) != "record.duplicate" {
				t.Fatal(err)
			}
		}
		all, err := r.List(ctx, d, Query{Limit: 1000})
		if err != nil || len(all.Records) < n/2 || all.Next != "" {
			t.Fatal(err, len(all.Records))
		}
		rapid.Check(t, func(rt *rapid.T) {
			names := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"district", "seats", "open", "rating", "name", "code"}), 0, 3, func(s string) string { return s }).Draw(rt, "sort")
			down := make([]bool, len(names))
			sorts := make([]string, len(names))
			for i, name := range names {
				if down[i] = rapid.Bool().Draw(rt, "down"); down[i] {
					name = "-" + name
				}
				sorts[i] = name
			}
			q := Query{Sort: strings.Join(sorts, ","), Limit: rapid.IntRange(1, 9).Draw(rt, "limit")}
			filter := rapid.SampledFrom([]string{"", `district == "11110"`, `seats >= 3 || open`}).Draw(rt, "filter")
			q.Filter = filter
			whole := q
			whole.Limit = 1000
			once, err := r.List(ctx, d, whole)
			if err != nil {
				rt.Fatal(err)
			}
			var keys []string
			for _, rec := range once.Records {
				keys = append(keys, rec.Key)
			}
			var paged []string
			for {
				page, err := r.List(ctx, d, q)
				if err != nil {
					rt.Fatal(err)
				}
				for _, rec := range page.Records {
					paged = append(paged, rec.Key)
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
			if !slices.Equal(keys, paged) {
				rt.Fatalf("%+v:\n%v\n%v", q, keys, paged)
			}
			want := slices.Clone(all.Records)
			if filter != "" {
				want = slices.DeleteFunc(want, func(rec *Record) bool { return !slices.Contains(keys, rec.Key) })
			}
			slices.SortStableFunc(want, func(a, b *Record) int { return compare(a, b, names, down) })
			for i, rec := range want {
				if rec.Key != keys[i] {
					rt.Fatalf("%+v: %v, not %s at %d", q, keys, rec.Key, i)
				}
			}
		})
	})
}

// compare orders records as lists do: nulls first, text by code point, the key at last.
func compare(a, b *Record, names []string, down []bool) int {
	value := func(r *Record, name string) any {
		return r.Values[slices.IndexFunc(r.Fields, func(f *catalogField) bool { return f.Name == name })]
	}
	for i, name := range names {
		x, y := value(a, name), value(b, name)
		c := 0
		switch {
		case x == nil || y == nil:
			c = cmp.Compare(rank(x), rank(y))
		default:
			switch x := x.(type) {
			case string:
				c = strings.Compare(x, y.(string))
			case int64:
				c = cmp.Compare(x, y.(int64))
			case float64:
				c = cmp.Compare(x, y.(float64))
			case bool:
				c = cmp.Compare(rank(x), rank(y))
			}
		}
		if down[i] {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return strings.Compare(a.Key, b.Key)
}

func rank(v any) int {
	switch v {
	case nil:
		return 0
	case false:
		return 1
	}
	return 2
}

func TestAWrongQueryIsExplained(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx, d := t.Context(), r.apply(t, libraries)
		for i := range 3 {
			if _, err := r.Create(ctx, clerk, d, Values{"code": fmt.Sprintf("A%d", i), "name": fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		first, err := r.List(ctx, d, Query{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			q        Query
			code, at string
		}{
			{Query{Sort: "nmae"}, "list.field", "name"},
			{Query{Fields: []string{"code", "seat"}}, "list.field", "seats"},
			{Query{Filter: `nmae == "x"`}, "rule.unknown_field", "name"},
			{Query{Filter: `name ==`}, "rule.syntax", ""},
			{Query{Filter: `name == 3`}, "rule.type", ""},
			{Query{Limit: 1001}, "list.limit", ""},
			{Query{Cursor: "x"}, "list.cursor", ""},
			{Query{Cursor: first.Next, Sort: "name"}, "list.cursor", ""},
			{Query{Filter: `name == "'; DROP TABLE change; --"`}, "", ""},
		} {
			_, err := r.List(ctx, d, c.q)
			if problem.Code(err) != c.code {
				t.Errorf("%+v: %v", c.q, err)
				continue
			}
			if c.at != "" && (len(problem.As(err).At) != 1 || !strings.Contains(problem.As(err).At[0].Hint.En, c.at)) {
				t.Errorf("%+v: no hint at %s: %+v", c.q, c.at, problem.As(err).At)
			}
		}
	})
}

func TestAListGivesTheFieldsItWasAskedFor(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx, d := t.Context(), r.apply(t, libraries)
		if _, err := r.Create(ctx, clerk, d, Values{"code": "A1", "name": "가", "open": true}); err != nil {
			t.Fatal(err)
		}
		page, err := r.List(ctx, d, Query{Fields: []string{"open", "name"}, Sort: "-seats"})
		if err != nil || len(page.Records) != 1 {
			t.Fatal(err)
		}
		if got := text(t, page.Records[0]); !strings.HasSuffix(got, `"open":true,"name":"가"}`) {
			t.Error(got)
		}
		n := 0
		if err := r.Stream(ctx, d, Query{Filter: "open"}, func(*Record) error { n++; return nil }); err != nil || n != 1 {
			t.Error(n, err)
		}
	})
}
