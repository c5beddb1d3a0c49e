package jobs_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/jobs"
)

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, d *db.DB, address string)) {
	for name, address := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(t.TempDir(), "maru.db") },
		"postgres": func() string { return dbtest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address()
			d, err := db.Open(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			test(t, d, at)
		})
	}
}

func open(t *testing.T, d *db.DB, address string, do jobs.Handler) *jobs.Queue {
	t.Helper()
	q, err := jobs.Open(t.Context(), d, jobs.Options{Database: address, Node: "one", Kinds: map[string]jobs.Handler{"work": do}})
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func wait(t *testing.T, c <-chan string) string {
	t.Helper()
	select {
	case s := <-c:
		return s
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was done")
		return ""
	}
}

func TestWorkIsDoneOnceAndAgainAfterAKill(t *testing.T) {
	onBoth(t, func(t *testing.T, d *db.DB, address string) {
		ctx, done := t.Context(), make(chan string, 10)
		killed := open(t, d, address, nil)
		for range 3 {
			if err := killed.Enqueue(ctx, "work", "7"); err != nil {
				t.Fatal(err)
			}
		}
		err := d.Write(ctx, func(tx *db.Tx) error { // as a process leaves it that is killed while it works
			set := "state = 'running'"
			if tx.Dialect() == db.Postgres {
				set += ", attempted_by = ARRAY['one']"
			}
			n, err := tx.Exec(ctx, "UPDATE river_job SET "+set)
			if n != 1 {
				t.Errorf("what was asked for three times waits %d times", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		next := open(t, d, address, func(_ context.Context, subject string) error { done <- subject; return nil })
		if err := next.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if got := wait(t, done); got != "7" {
			t.Error(got)
		}
		if err := next.Stop(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
}

func TestWorkThatFailsIsTriedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, d *db.DB, address string) {
		ctx, done, tries := t.Context(), make(chan string, 10), 0
		q := open(t, d, address, func(_ context.Context, subject string) error {
			if tries++; tries == 1 {
				return errors.New("not yet")
			}
			done <- subject
			return nil
		})
		if err := q.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := q.Enqueue(ctx, "work", "a"); err != nil {
			t.Fatal(err)
		}
		wait(t, done)
		if err := q.Stop(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
}

// soon is due each time after a short while.
type soon struct{}

func (soon) Next(t time.Time) time.Time { return t.Add(50 * time.Millisecond) }

func TestWhatIsScheduledIsDoneUntilItIsNot(t *testing.T) {
	onBoth(t, func(t *testing.T, d *db.DB, address string) {
		ctx, done := t.Context(), make(chan string, 1000)
		q := open(t, d, address, func(_ context.Context, subject string) error { done <- subject; return nil })
		if err := q.Start(ctx); err != nil {
			t.Fatal(err)
		}
		if err := q.Schedule("work", []jobs.Due{{Subject: "tick", Text: "soon", Schedule: soon{}}}); err != nil {
			t.Fatal(err)
		}
		wait(t, done)
		wait(t, done)
		if err := q.Schedule("work", nil); err != nil {
			t.Fatal(err)
		}
		if err := q.Stop(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	})
}
