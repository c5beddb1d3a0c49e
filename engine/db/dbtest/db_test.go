package dbtest_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
)

func onBoth(t *testing.T, test func(*testing.T, *db.DB)) {
	for name, address := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "a.db") },
		"postgres": func(t *testing.T) string { return dbtest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d, err := db.Open(t.Context(), address(t))
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			test(t, d)
		})
	}
}

func TestLongReadsLeaveConnectionsForOthers(t *testing.T) {
	onBoth(t, func(t *testing.T, d *db.DB) {
		begun, end := make(chan struct{}), make(chan struct{})
		var all sync.WaitGroup
		const most = 4
		for range most {
			all.Go(func() {
				_ = d.ReadLong(t.Context(), func(tx *db.Tx) error {
					var one int
					err := tx.QueryRow(t.Context(), "SELECT 1").Scan(&one)
					begun <- struct{}{}
					<-end
					return err
				})
			})
		}
		for range most {
			<-begun
		}
		var one int
		if err := d.Read(t.Context(), func(tx *db.Tx) error { return tx.QueryRow(t.Context(), "SELECT 1").Scan(&one) }); err != nil {
			t.Error(err)
		}
		short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := d.ReadLong(short, func(*db.Tx) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one more long read: %v", err)
		}
		close(end)
		all.Wait()
	})
}

func TestAQueryThatComesAgainAnswersTheSame(t *testing.T) {
	onBoth(t, func(t *testing.T, d *db.DB) {
		write := func(text string, args ...any) {
			t.Helper()
			if err := d.Write(t.Context(), func(tx *db.Tx) error {
				_, err := tx.Exec(t.Context(), text, args...)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		write("CREATE TABLE thing (id BIGINT PRIMARY KEY, name TEXT)")
		for i := range 3 {
			write("INSERT INTO thing (id, name) VALUES (?, ?)", i, "old")
		}
		const all = "SELECT id FROM thing WHERE id >= ? ORDER BY id"
		// pairs reads the table once for each row of it, with the same query, while the first one's rows are open.
		pairs := func() (n int) {
			if err := d.Read(t.Context(), func(tx *db.Tx) error {
				outer, err := tx.Query(t.Context(), all, 0)
				if err != nil {
					return err
				}
				defer outer.Close()
				var ids []int64
				for outer.Next() {
					var id int64
					if err := outer.Scan(&id); err != nil {
						return err
					}
					ids = append(ids, id)
					if tx.Dialect() == db.Postgres {
						continue // one connection has one open answer there
					}
					var same int64
					if err := tx.QueryRow(t.Context(), all, id).Scan(&same); err != nil || same != id {
						return fmt.Errorf("asked for %d within, got %d: %w", id, same, err)
					}
				}
				n = len(ids)
				return outer.Err()
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		for i := range 5 {
			if n := pairs(); n != 3 {
				t.Fatalf("time %d: %d rows, want 3", i, n)
			}
		}
		name := func() (s string) {
			if err := d.Read(t.Context(), func(tx *db.Tx) error {
				return tx.QueryRow(t.Context(), "SELECT name FROM thing WHERE id = ?", 1).Scan(&s)
			}); err != nil {
				t.Fatal(err)
			}
			return s
		}
		for range 3 {
			name()
		}
		write("ALTER TABLE thing ADD COLUMN more TEXT")
		write("UPDATE thing SET name = ? WHERE id = 1", "new")
		if s := name(); s != "new" {
			t.Errorf("after the table changed: %q, want new", s)
		}
		if n := pairs(); n != 3 {
			t.Errorf("after the table changed: %d rows, want 3", n)
		}
	})
}

func TestMoreQueriesThanAreKeptReadyAreAnsweredAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, d *db.DB) {
		var group errgroup.Group
		for worker := range 8 {
			group.Go(func() error {
				for i := range 700 {
					want := int64((i/2*(worker+1))%600) + 1
					var got int64
					if err := d.Read(t.Context(), func(tx *db.Tx) error {
						return tx.QueryRow(t.Context(), fmt.Sprintf("SELECT CAST(? AS BIGINT) + %d", want-1), 1).Scan(&got)
					}); err != nil || got != want {
						return fmt.Errorf("got %d, want %d: %w", got, want, err)
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	})
}
