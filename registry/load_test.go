package registry

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/identity"
)

func TestTheDemoCitysPeopleAreLoaded(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		p, err := r.catalog.Plan(t.Context(), catalog.Request{Files: city.Manifests(), Who: identity.Itself("test")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), "city"); err != nil {
			t.Fatal(err)
		}
		for again := range 2 {
			people := city.People(1, 500, time.Date(2026, 11, 24, 0, 0, 0, 0, clock.Seoul))
			for _, data := range people.Datasets() {
				d := r.dataset(t, data.Dataset)
				tally, err := r.Load(t.Context(), By{Actor: "demo", Via: "demo"}, d, "test", data.Columns, data.Rows)
				if err != nil {
					t.Fatal(err)
				}
				if again == 1 && (tally.Loaded+tally.Changed+tally.Rejected > 0 || tally.Unchanged == 0) {
					t.Errorf("%s a second time: %+v", data.Dataset, tally)
				}
			}
		}
	})
}

func ofRows(rows ...[]any) iter.Seq[[]any] {
	return func(yield func([]any) bool) {
		for _, r := range rows {
			if !yield(r) {
				return
			}
		}
	}
}

func TestLoadingChangesWhatDiffers(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx, d := t.Context(), r.apply(t, libraries)
		columns := []string{"code", "name", "seats"}
		if _, err := r.Load(ctx, clerk, d, "test", columns, ofRows([]any{"A1", "가", int64(1)}, []any{"A2", "나", int64(2)})); err != nil {
			t.Fatal(err)
		}
		tally, err := r.Load(ctx, clerk, d, "test", columns, ofRows([]any{"A1", "가", int64(1)}, []any{"A2", "나", nil}, []any{"A3", "다", int64(3)}))
		if err != nil || tally != (Tally{Loaded: 1, Changed: 1, Unchanged: 1}) {
			t.Fatal(tally, err)
		}
		if h, err := r.History(ctx, d, "A2"); err != nil || len(h) != 2 {
			t.Fatal(h, err)
		}
		if _, err := r.Load(ctx, clerk, d, "test", columns, ofRows([]any{"a1", "가", nil})); err == nil {
			t.Error("a wrong row")
		}
	})
}

// BenchmarkLoad is the load of a fresh table of ten columns, in rows a second.
func BenchmarkLoad(b *testing.B) {
	for _, history := range []bool{false, true} {
		b.Run(fmt.Sprintf("history=%v", history), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				r := openRoom(b, filepath.Join(b.TempDir(), "maru.db"))
				d := r.apply(b, fmt.Sprintf("kind: Dataset\nname: ten\ntitle: 열\nhistory: %v\nkey: [a]\nfields:\n  a: {type: int}\n  b: {type: string}\n  c: {type: string}\n  d: {type: string}\n  e: {type: int}\n  f: {type: int}\n  g: {type: double}\n  h: {type: double}\n  i: {type: date}\n  j: {type: bool}\n", history))
				const n = 300_000
				rows := func(yield func([]any) bool) {
					for i := range int64(n) {
						if !yield([]any{i, "서울특별시 종로구", fmt.Sprint("이름 ", i), "abcdef", i % 100, i * 7, 1.5, float64(i), "2026-11-24", i%2 == 0}) {
							return
						}
					}
				}
				b.StartTimer()
				start := time.Now()
				if _, err := r.Load(b.Context(), clerk, d, "test", d.FieldNames(), rows); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(n/time.Since(start).Seconds(), "rows/s")
			}
		})
	}
}

func TestATableHasItsIndexesAfterALoadWhateverBecameOfIt(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		ctx, d, columns := t.Context(), r.apply(t, libraries), []string{"code", "name", "district"}
		if n := r.indexes(t); n != 1 {
			t.Fatalf("%d indexes to begin with", n)
		}
		broken, stop := context.WithCancel(ctx)
		_, err := r.Load(broken, clerk, d, "test", columns, func(yield func([]any) bool) {
			if n := r.indexes(t); n != 0 {
				t.Errorf("%d indexes while an empty table is loaded", n)
			}
			stop() // as if somebody pressed Ctrl-C
			yield([]any{"A1", "가", "11110"})
		})
		if err == nil {
			t.Error("what was stopped says that it loaded")
		}
		for _, rows := range [][]any{{"A1", "가", "11110"}, {"A2", "나", "11140"}, {"a3", "다", "11140"}} {
			_, err := r.Load(ctx, clerk, d, "test", columns, ofRows(rows))
			if wrong := rows[0] == "a3"; wrong == (err == nil) {
				t.Errorf("%v: %v", rows, err)
			}
			if n := r.indexes(t); n != 1 {
				t.Errorf("%d indexes after %v", n, rows)
			}
		}
	})
}

// indexes counts the indexes that lists of the one dataset use.
func (r *room) indexes(t testing.TB) (n int) {
	t.Helper()
	query := `SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name LIKE 'd%\_i0' ESCAPE '\'`
	if r.db.Dialect == db.Postgres {
		query = `SELECT count(*) FROM pg_indexes WHERE schemaname = current_schema() AND indexname LIKE 'd%\_i0'`
	}
	err := r.db.Read(context.WithoutCancel(t.Context()), func(tx *db.Tx) error { return tx.QueryRow(t.Context(), query).Scan(&n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}
