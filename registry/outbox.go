package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/manifest"
)

// Changed is what a committed change made of one record of a dataset that is followed.
type Changed struct {
	Position int64 // grows with each change of the dataset, in the order in which they were committed
	Change   int64
	At       time.Time
	Key      string
	Before   *Record // nil: there was none
	After    *Record // nil: it was deleted
}

// Follow has the changes of a dataset kept from the end of the transaction on, so that they can be read by [Registry.Changes]. It returns the position behind the last
// change.
func (r *Registry) Follow(ctx context.Context, tx *db.Tx, d *catalog.Dataset) (position int64, err error) {
	t, err := r.table(ctx, tx, d)
	if err != nil {
		return 0, err
	}
	if err := tx.Lock(ctx, "records "+t.Path()); err != nil { // what is being written isn't followed yet
		return 0, fmt.Errorf("follow %s: %w", d.Path(), err)
	}
	if _, err := tx.Exec(ctx, "UPDATE dataset_table SET followed = ? WHERE id = ?", encode(true, tx.Dialect()), t.id); err != nil {
		return 0, fmt.Errorf("follow %s: %w", d.Path(), err)
	}
	if position, err = t.fresh(ctx, tx); err != nil { // each beginning is at a place of its own
		return 0, fmt.Errorf("follow %s: %w", d.Path(), err)
	}
	return position, nil
}

// fresh is a position that no change has had or will have.
func (t *table) fresh(ctx context.Context, tx *db.Tx) (position int64, err error) {
	if err := tx.QueryRow(ctx, "INSERT INTO outbox (dataset_id, change, record) VALUES (?, 0, '') RETURNING id", t.id).Scan(&position); err != nil {
		return 0, err
	}
	_, err = tx.Exec(ctx, "DELETE FROM outbox WHERE id = ?", position)
	return position, err
}

// Unfollow ends the following of a dataset, whatever shape it has, and forgets its changes.
func (r *Registry) Unfollow(ctx context.Context, tx *db.Tx, project, name string) error {
	const id = "(SELECT id FROM dataset_table WHERE project = ? AND dataset = ?)"
	_, err := tx.Exec(ctx, "UPDATE dataset_table SET followed = ?, forgotten = 0 WHERE project = ? AND dataset = ?", encode(false, tx.Dialect()), project, name)
	if err == nil {
		_, err = tx.Exec(ctx, "DELETE FROM outbox WHERE dataset_id = "+id, project, name)
	}
	if err != nil {
		return fmt.Errorf("end the following of %s/%s: %w", project, name, err)
	}
	return nil
}

// skip forgets the changes of a dataset, whose shape becomes another, as if all who follow had been away too long: they must read it again anyway, and what was of a lower class
// isn't kept as it was.
func (t *table) skip(ctx context.Context, tx *db.Tx) error {
	if !t.followed {
		return nil
	}
	here, err := t.fresh(ctx, tx)
	if err == nil {
		_, err = tx.Exec(ctx, "DELETE FROM outbox WHERE dataset_id = ?", t.id)
	}
	if err == nil {
		_, err = tx.Exec(ctx, "UPDATE dataset_table SET forgotten = ? WHERE id = ?", here, t.id)
	}
	if err != nil {
		return fmt.Errorf("forget changes of %s: %w", t.Path(), err)
	}
	return nil
}

// Newest is the position of the newest change of all datasets that are followed.
func (r *Registry) Newest(ctx context.Context, tx *db.Tx) (n int64, err error) {
	if err := tx.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM outbox").Scan(&n); err != nil {
		return 0, fmt.Errorf("find the newest change: %w", err)
	}
	return n, nil
}

// Changes reads up to limit changes of a dataset behind a position, in their order. forgotten is up to where changes were forgotten before all had them.
func (r *Registry) Changes(ctx context.Context, tx *db.Tx, d *catalog.Dataset, after int64, limit int) (out []*Changed, forgotten int64, err error) {
	t, err := r.table(ctx, tx, d)
	if err != nil {
		return nil, 0, err
	}
	if err := tx.QueryRow(ctx, "SELECT forgotten FROM dataset_table WHERE id = ?", t.id).Scan(&forgotten); err != nil {
		return nil, 0, fmt.Errorf("read the changes of %s: %w", d.Path(), err)
	}
	out, err = t.changes(ctx, tx, after, limit)
	return out, forgotten, err
}

// Waiting reports whether there are changes of a dataset behind a position.
func (r *Registry) Waiting(ctx context.Context, tx *db.Tx, d *catalog.Dataset, after int64) (bool, error) {
	t, err := r.table(ctx, tx, d)
	if err != nil {
		return false, err
	}
	var n int64
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM (SELECT 1 AS one FROM outbox WHERE dataset_id = ? AND id > ? LIMIT 1) AS waiting", t.id, after).Scan(&n); err != nil {
		return false, fmt.Errorf("look for changes of %s: %w", d.Path(), err)
	}
	return n > 0, nil
}

func (t *table) changes(ctx context.Context, tx *db.Tx, after int64, limit int) (out []*Changed, err error) {
	rows, err := tx.Query(ctx, `SELECT o.id, o.change, c.at, c.revision, o.record, o.before, o.after FROM outbox o JOIN change c ON c.id = o.change
		WHERE o.dataset_id = ? AND o.id > ? ORDER BY o.id LIMIT ?`, t.id, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the changes of %s: %w", t.Path(), err)
	}
	defer rows.Close()
	var states []Version // of both kinds, for names that were another field's in their day
	for rows.Next() {
		c := &Changed{}
		var at string
		var revision int64
		var before, after *string
		if err := rows.Scan(&c.Position, &c.Change, &at, &revision, &c.Key, &before, &after); err != nil {
			return nil, fmt.Errorf("read the changes of %s: %w", t.Path(), err)
		}
		if c.At, err = time.Parse(manifest.DatetimeLayout, at); err != nil {
			return nil, fmt.Errorf("time of change %d: %w", c.Change, err)
		}
		for _, body := range []*string{before, after} {
			v := Version{named: revision}
			if body != nil {
				v.Values = json.RawMessage(*body)
			}
			states = append(states, v)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read the changes of %s: %w", t.Path(), err)
	}
	rows.Close()
	if err := t.forget(ctx, tx, states); err != nil {
		return nil, err
	}
	for i, c := range out {
		if c.Before, err = t.state(c, states[2*i].Values); err != nil {
			return nil, err
		}
		if c.After, err = t.state(c, states[2*i+1].Values); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// state is a state of a record as the dataset's fields are now: what they have no field for is left out, what is of another type is empty.
func (t *table) state(c *Changed, body json.RawMessage) (*Record, error) {
	if body == nil {
		return nil, nil
	}
	decoder := json.NewDecoder(strings.NewReader(string(body)))
	decoder.UseNumber()
	var values map[string]any
	if err := decoder.Decode(&values); err != nil {
		return nil, fmt.Errorf("a state of a record of %s: %w", t.Path(), err)
	}
	out := &Record{Key: c.Key, Version: c.Change, Fields: t.all(), Values: make([]any, len(t.Fields))}
	for i := range t.Fields {
		f := &t.Fields[i]
		v, there := values[f.Name]
		if !there || v == nil {
			continue
		}
		if sealed(f) {
			if s, ok := v.(string); ok && len(s) > indexLength {
				if open, err := t.opened(f, s); err == nil {
					out.Values[i] = open
				}
			}
			continue
		}
		if got, fault := fromJSON(f, v); fault == nil {
			out.Values[i] = got
		}
	}
	return out, nil
}

// emit keeps what a change makes of records, where the dataset is followed. before and after are values of all fields; nil for none.
func (t *table) emit(ctx context.Context, tx *db.Tx, c *Change, key string, before, after []any) error {
	if !t.followed {
		return nil
	}
	states := make([]any, 2)
	for i, values := range [][]any{before, after} {
		if values == nil {
			continue
		}
		body, err := t.body(&Record{Fields: t.all(), Values: values})
		if err != nil {
			return err
		}
		states[i] = body
	}
	_, err := tx.Exec(ctx, "INSERT INTO outbox (dataset_id, change, record, before, after) VALUES (?, ?, ?, ?, ?)", t.id, c.ID, key, states[0], states[1])
	if err != nil {
		return fmt.Errorf("keep what a change made of a record of %s: %w", t.Path(), err)
	}
	return nil
}

// ForgetChanges forgets the changes of a dataset up to a position, which all who follow have had, where they are from before a time; and those from before an earlier time
// whoever hasn't had them.
func (r *Registry) ForgetChanges(ctx context.Context, tx *db.Tx, d *catalog.Dataset, had int64, before, atAll time.Time) error {
	t, err := r.table(ctx, tx, d)
	if err != nil {
		return err
	}
	const of = "outbox o JOIN change c ON c.id = o.change WHERE o.dataset_id = ? AND c.at < ?"
	var lost int64
	err = tx.QueryRow(ctx, "SELECT coalesce(max(o.id), 0) FROM "+of, t.id, manifest.FormatDatetime(atAll)).Scan(&lost)
	if err == nil {
		_, err = tx.Exec(ctx, "DELETE FROM outbox WHERE id IN (SELECT o.id FROM "+of+" AND o.id <= ?)", t.id, manifest.FormatDatetime(before), max(had, lost))
	}
	if err == nil && lost > had {
		_, err = tx.Exec(ctx, "UPDATE dataset_table SET forgotten = ? WHERE id = ? AND forgotten < ?", lost, t.id, lost)
	}
	if err != nil {
		return fmt.Errorf("forget changes of %s: %w", d.Path(), err)
	}
	return nil
}
