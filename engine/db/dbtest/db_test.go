package dbtest_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

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
