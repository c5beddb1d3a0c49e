package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/maru-city/maru/engine/db"
)

// About lists the entries about a subject, the newest first, at most limit, with numbers below before (0: from the newest): those about it alone, and those
// about many of which it was one.
func (l *Log) About(ctx context.Context, subject, before int64, limit int) (out []Stored, err error) {
	if before <= 0 {
		before = 1 << 62
	}
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		one, err := entries(ctx, tx, "SELECT n, body, private, subject FROM log_entry WHERE subject = ? AND n < ? ORDER BY n DESC LIMIT ?", subject, before, limit)
		if err != nil {
			return err
		}
		many, err := l.among(ctx, tx, subject, before, limit)
		if err != nil {
			return err
		}
		out = merge(one, many, limit)
		return nil
	})
	return out, err
}

func entries(ctx context.Context, tx *db.Tx, query string, args ...any) (out []Stored, err error) {
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s Stored
		var body, private string
		if err := rows.Scan(&s.N, &body, &private, &s.Subject); err != nil {
			return nil, fmt.Errorf("read the log: %w", err)
		}
		s.Body, s.Private = json.RawMessage(body), json.RawMessage(private)
		out = append(out, s)
	}
	return out, rows.Err()
}

// among lists the entries about many of which a subject was one.
func (l *Log) among(ctx context.Context, tx *db.Tx, subject, before int64, limit int) ([]Stored, error) {
	var found []int64
	number := uint32(subject)
	err := func() error {
		rows, err := tx.Query(ctx, "SELECT n, bits FROM log_subjects WHERE block = ? AND n < ? ORDER BY n DESC", subject>>16, before)
		if err != nil {
			return err
		}
		defer rows.Close()
		set := roaring.New()
		for rows.Next() && len(found) < limit {
			var n int64
			var bits []byte
			if err := rows.Scan(&n, &bits); err != nil {
				return err
			}
			if _, err := set.FromBuffer(bits); err != nil {
				return fmt.Errorf("entry %d: %w", n, err)
			}
			if set.Contains(number) {
				found = append(found, n)
			}
		}
		return rows.Err()
	}()
	if err != nil {
		return nil, fmt.Errorf("look for a subject in the log: %w", err)
	}
	out := make([]Stored, len(found))
	for i, n := range found {
		if out[i], err = entry(ctx, tx, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// merge brings two lists, the newest first, together.
func merge(a, b []Stored, limit int) []Stored {
	out := make([]Stored, 0, min(len(a)+len(b), limit))
	for len(out) < limit && len(a)+len(b) > 0 {
		if len(b) == 0 || (len(a) > 0 && a[0].N > b[0].N) {
			out, a = append(out, a[0]), a[1:]
		} else {
			out, b = append(out, b[0]), b[1:]
		}
	}
	return out
}

// Concerns reports whether an entry is about a subject.
func (l *Log) Concerns(ctx context.Context, n, subject int64) (yes bool, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		s, err := entry(ctx, tx, n)
		if err != nil {
			return err
		}
		if s.Subject == subject {
			yes = true
			return nil
		}
		var bits []byte
		err = tx.QueryRow(ctx, "SELECT bits FROM log_subjects WHERE block = ? AND n = ?", subject>>16, n).Scan(&bits)
		if db.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for a subject in the log: %w", err)
		}
		set := roaring.New()
		if _, err := set.FromBuffer(bits); err != nil {
			return fmt.Errorf("entry %d: %w", n, err)
		}
		yes = set.Contains(uint32(subject))
		return nil
	})
	return yes && subject > 0, err
}
