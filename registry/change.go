package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/manifest"
)

// By says who writes, and how.
type By struct {
	Actor string           // a name
	Via   string           // "api", "import", "source", "demo"
	Run   int64            // the import it belongs to, or 0
	Sees  *catalog.Dataset // the part of the dataset that they may read; nil: all of it. The rest of a record stays as it is
}

// Change is one write: a record's version is the change that made it.
type Change struct {
	ID       int64
	At       time.Time
	Actor    string
	Via      string
	Revision int64 // of the catalog, at the time
}

// begin numbers a change of a dataset's records. From here to the end of the transaction nobody else writes to the dataset, so that
// versions only grow.
func (r *Registry) begin(ctx context.Context, tx *db.Tx, t *table, by By) (*Change, error) {
	if err := tx.Lock(ctx, "records "+t.Path()); err != nil {
		return nil, fmt.Errorf("lock the records of %s: %w", t.Path(), err)
	}
	c := &Change{At: r.now().UTC().Truncate(time.Millisecond), Actor: by.Actor, Via: by.Via, Revision: t.Revision}
	err := tx.QueryRow(ctx, "INSERT INTO change (at, actor, via, revision, dataset_id, run) VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
		manifest.FormatDatetime(c.At), c.Actor, c.Via, c.Revision, t.id, by.Run).Scan(&c.ID)
	if err != nil {
		return nil, fmt.Errorf("number a change of %s: %w", t.Path(), err)
	}
	return c, nil
}

// lastChange is the number of the newest change of a dataset's records, 0 where there is none.
func (t *table) lastChange(ctx context.Context, tx *db.Tx) (n int64, err error) {
	if err := tx.QueryRow(ctx, "SELECT coalesce(max(id), 0) FROM change WHERE dataset_id = ?", t.id).Scan(&n); err != nil {
		return 0, fmt.Errorf("find the last change of %s: %w", t.Path(), err)
	}
	return n, nil
}

// supersede moves the former state of a record to the history, if the dataset keeps one.
func (t *table) supersede(ctx context.Context, tx *db.Tx, former *Record, ended int64, deleted bool) error {
	if !t.Spec.KeepsHistory() {
		return nil
	}
	body, err := t.body(former)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO former (dataset_id, keyed, record, change, ended, deleted, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
		t.id, t.keyed, former.Key, former.Version, ended, deleted, body)
	if err != nil {
		return fmt.Errorf("keep the former state of a record of %s: %w", t.Path(), err)
	}
	return nil
}

// body is a record's state as JSON, sealed values as they lie.
func (t *table) body(r *Record) (string, error) {
	values, err := t.atRest(r)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	b.WriteByte('{')
	if err := writeMembers(&b, r.Fields, values); err != nil {
		return "", err
	}
	b.WriteByte('}')
	return b.String(), nil
}

// Version is one state of a record, or its end.
type Version struct {
	Change
	Deleted bool
	Values  json.RawMessage // an object with the fields of its day, sealed ones as they lie; nil if deleted
	named   int64           // the catalog's revision of whose fields the values have their names
	persons []string        // texts of the whole state that may identify persons
}

// historyLimit is how many versions of one record are shown, the newest first.
const historyLimit = 1000

// Shaped is the revision of the catalog since which a dataset has the fields and classes that it has.
func (r *Registry) Shaped(ctx context.Context, d *catalog.Dataset) (n int64, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err == nil {
			n = t.shaped
		}
		return err
	})
	return n, err
}

// History lists what a record was and is, the newest first.
func (r *Registry) History(ctx context.Context, d *catalog.Dataset, key string) (out []Version, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		now, err := t.get(ctx, tx, key)
		if err != nil && !isUnknown(err) {
			return err
		}
		if now != nil {
			key = now.Key
			body, err := t.body(now)
			if err != nil {
				return err
			}
			v := Version{Values: json.RawMessage(body), persons: likePersons(now.Values)}
			if v.Change, err = change(ctx, tx, now.Version); err != nil {
				return err
			}
			out = append(out, v)
		}
		former, err := t.former(ctx, tx, t.keyed, key)
		if err != nil {
			return err
		}
		if len(former)+len(out) == 0 { // perhaps it was deleted when the dataset had another key
			keyed := int64(-1)
			if err := tx.QueryRow(ctx, "SELECT coalesce(max(keyed), -1) FROM former WHERE dataset_id = ? AND record = ?", t.id, key).Scan(&keyed); err != nil {
				return fmt.Errorf("read the history of %s: %w", t.Path(), err)
			}
			if former, err = t.former(ctx, tx, keyed, key); err != nil {
				return err
			}
		}
		if err := t.forget(ctx, tx, former); err != nil {
			return err
		}
		if out = append(out, former...); len(out) == 0 {
			return t.noRecord(key)
		}
		return nil
	})
	return out, err
}

// noteGone notes the names that fields lose.
func (s *shape) noteGone(ctx context.Context, tx *db.Tx, t *table) error {
	gone := slices.Clone(s.dropped)
	for i, at := range s.from {
		if at >= 0 && s.before.Fields[at].Name != s.after.Fields[i].Name {
			gone = append(gone, at)
		}
	}
	for _, at := range gone {
		_, err := tx.Exec(ctx, "INSERT INTO name_gone (dataset_id, field, revision) VALUES (?, ?, ?) ON CONFLICT (dataset_id, field) DO UPDATE SET revision = excluded.revision", t.id, s.before.Fields[at].Name, s.after.Revision)
		if err != nil {
			return fmt.Errorf("note a name that is gone from %s: %w", t.Path(), err)
		}
	}
	return nil
}

// forget takes out of versions what stands under names that other fields had in their day: another's value may be of a higher class.
func (t *table) forget(ctx context.Context, tx *db.Tx, versions []Version) error {
	rows, err := tx.Query(ctx, "SELECT field, revision FROM name_gone WHERE dataset_id = ?", t.id)
	if err != nil {
		return fmt.Errorf("read the history of %s: %w", t.Path(), err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var revision int64
		if err := rows.Scan(&name, &revision); err != nil {
			return fmt.Errorf("read the history of %s: %w", t.Path(), err)
		}
		for i := range versions {
			v := &versions[i]
			if v.named >= revision || len(v.Values) == 0 {
				continue
			}
			var values map[string]json.RawMessage
			if err := json.Unmarshal(v.Values, &values); err != nil {
				return fmt.Errorf("read the history of %s: %w", t.Path(), err)
			}
			if _, there := values[name]; !there {
				continue
			}
			delete(values, name)
			if v.Values, err = json.Marshal(values); err != nil {
				return fmt.Errorf("read the history of %s: %w", t.Path(), err)
			}
		}
	}
	return rows.Err()
}

// former reads the superseded versions of a record under the key that a revision made, the newest first. A deletion is a version too.
func (t *table) former(ctx context.Context, tx *db.Tx, keyed int64, key string) (out []Version, err error) {
	rows, err := tx.Query(ctx, `
		SELECT f.body, f.deleted, c.id, c.at, c.actor, c.via, c.revision, e.id, e.at, e.actor, e.via, e.revision
		FROM former f JOIN change c ON c.id = f.change JOIN change e ON e.id = f.ended
		WHERE f.dataset_id = ? AND f.keyed = ? AND f.record = ? ORDER BY f.change DESC LIMIT ?`, t.id, keyed, key, historyLimit)
	if err != nil {
		return nil, fmt.Errorf("read the history of %s: %w", t.Path(), err)
	}
	defer rows.Close()
	for rows.Next() {
		var v, end Version
		var body, at, ended string
		var deleted bool
		if err := rows.Scan(&body, &deleted, &v.ID, &at, &v.Actor, &v.Via, &v.Revision, &end.ID, &ended, &end.Actor, &end.Via, &end.Revision); err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", t.Path(), err)
		}
		if v.At, err = time.Parse(manifest.DatetimeLayout, at); err != nil {
			return nil, fmt.Errorf("time of change %d: %w", v.ID, err)
		}
		if deleted {
			if end.At, err = time.Parse(manifest.DatetimeLayout, ended); err != nil {
				return nil, fmt.Errorf("time of change %d: %w", end.ID, err)
			}
			end.Deleted = true
			out = append(out, end)
		}
		v.Values, v.named = json.RawMessage(body), end.Revision
		var state map[string]any
		if err := json.Unmarshal(v.Values, &state); err != nil {
			return nil, fmt.Errorf("read the history of %s: %w", t.Path(), err)
		}
		v.persons = likePersons(slices.Collect(maps.Values(state)))
		out = append(out, v)
	}
	return out, rows.Err()
}

func change(ctx context.Context, tx *db.Tx, id int64) (c Change, err error) {
	var at string
	if err := tx.QueryRow(ctx, "SELECT id, at, actor, via, revision FROM change WHERE id = ?", id).Scan(&c.ID, &at, &c.Actor, &c.Via, &c.Revision); err != nil {
		return c, fmt.Errorf("read change %d: %w", id, err)
	}
	if c.At, err = time.Parse(manifest.DatetimeLayout, at); err != nil {
		return c, fmt.Errorf("time of change %d: %w", id, err)
	}
	return c, nil
}
