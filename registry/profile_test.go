package registry

import (
	"fmt"
	"math"
	"reflect"
	"testing"
)

func TestAProfileDescribesValues(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx, d := t.Context(), r.apply(t, libraries+"  phone: {type: string, class: personal}\n")
		if p, err := r.Profile(ctx, d); p != nil || err != nil {
			t.Fatal("of nothing:", p, err)
		}
		for i, s := range []string{`"district": "11110", "seats": 3, "phone": "02-1"`, `"district": "11110", "open": true`, `"district": "11140", "seats": 7`, `"rating": 0.5, "phone": "02-1"`} {
			if _, err := r.Create(ctx, clerk, d, values(t, fmt.Sprintf(`{"code": "A%d", "name": "도서관 %[1]d", %s}`, i, s))); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // taken, and read back
			p, err := r.Profile(ctx, d)
			if err != nil || p.Rows != 4 || p.Sampled {
				t.Fatal(p, err)
			}
			for i, want := range map[int]FieldProfile{
				0: {Name: "code", Distinct: 4, Min: "A0", Max: "A3"},
				2: {Name: "district", Empty: 1, Distinct: 2, Min: "11110", Max: "11140", Frequent: []Frequent{{"11110", 2}, {"11140", 1}}},
				3: {Name: "seats", Empty: 2, Distinct: 2, Min: int64(3), Max: int64(7)},
				4: {Name: "rating", Empty: 3, Distinct: 1, Min: 0.5, Max: 0.5},
				9: {Name: "phone", Empty: 2, Distinct: 1},
			} {
				if !reflect.DeepEqual(p.Fields[i], want) {
					t.Errorf("%+v, not %+v", p.Fields[i], want)
				}
			}
		}
		if err := r.Delete(ctx, clerk, d, "A0", Match{Any: true}); err != nil {
			t.Fatal(err)
		}
		if p, err := r.Profile(ctx, d); err != nil || p.Rows != 3 {
			t.Fatal("after a change:", p, err)
		}
		if n, err := r.Counts(ctx, r.catalog.Snapshot().Datasets()); err != nil || n[d.Path()] != 3 {
			t.Fatal(n, err)
		}
		if s, err := r.Sample(ctx, d, []string{"seats", "code"}, 1); err != nil || len(s) != 1 || !reflect.DeepEqual(s[0].Values, []any{nil, "A1"}) {
			t.Fatal(s, err)
		}
	})
}

func TestManyRowsAreProfiledFromSome(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx := t.Context()
		d := r.apply(t, "kind: Dataset\nname: many\ntitle: 많음\nkey: [n]\nfields:\n  n: {type: int, class: public}\n  kind: {type: string, class: public}\n")
		const n = 250_000
		_, err := r.Load(ctx, clerk, d, "test", []string{"n", "kind"}, func(yield func([]any) bool) {
			for i := range int64(n) {
				if !yield([]any{i, []string{"가", "나", "다", "라"}[i%4]}) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.Profile(ctx, d)
		if err != nil || p.Rows != n || !p.Sampled || p.Fields[0].Max != int64(n-1) {
			t.Fatal(p, err)
		}
		if f := p.Fields[1]; f.Distinct != 4 || len(f.Frequent) != 4 || math.Abs(float64(f.Frequent[0].Count)-n/4) > n/40 {
			t.Errorf("%+v", f)
		}
		if f := p.Fields[0]; f.Distinct < n/3 { // the estimate may be off by √(rows/sample)
			t.Errorf("%+v", f)
		}
	})
}
