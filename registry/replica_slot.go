package registry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// replica is the slot that a dataset's changes come by as its source is now, or nil.
func (r *Registry) replica(ctx context.Context, d *catalog.Dataset) (*replica, error) {
	out := &replica{}
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, "SELECT slot, position, print FROM replica WHERE project = ? AND dataset = ? AND spec = ? AND position <> ''", d.Project, d.Name, specOf(d)).Scan(&out.slot, &out.position, &out.print)
	})
	if db.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look how %s is carried over: %w", d.Path(), err)
	}
	return out, nil
}

// lost is what changes deleted lately, of so many records.
type lost struct {
	since    string
	gone, of int64
}

// lately is what the changes of a dataset have deleted within the while that counts together.
func (r *Registry) lately(ctx context.Context, d *catalog.Dataset) (l lost, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, "SELECT since, gone, held FROM replica WHERE project = ? AND dataset = ? AND since >= ? ORDER BY gone DESC LIMIT 1", d.Project, d.Name, manifest.FormatDatetime(r.now().Add(-goneWithin))).
			Scan(&l.since, &l.gone, &l.of)
	})
	if db.NoRows(err) {
		return lost{}, nil
	}
	if err != nil {
		return lost{}, fmt.Errorf("look what is gone of %s: %w", d.Path(), err)
	}
	return l, nil
}

// newReplica names a slot and notes it before it is made, so that none is forgotten in somebody else's server.
func (r *Registry) newReplica(ctx context.Context, d *catalog.Dataset, l lost) (*replica, error) {
	out := &replica{slot: "maru_" + hex.EncodeToString(random(8))}
	at, err := json.Marshal(d.Spec.Source)
	if err != nil {
		return nil, err
	}
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM replica_refused WHERE dataset_id = ?", t.id); err != nil { // all is read again
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO replica (slot, project, dataset, source, spec, since, gone, held) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", out.slot, d.Project, d.Name, string(at), specOf(d), l.since, l.gone, l.of)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("note how %s is carried over: %w", d.Path(), err)
	}
	return out, nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // it doesn't fail
	return b
}

// moveReplica notes that a slot is in use.
func (r *Registry) moveReplica(ctx context.Context, rep *replica, d *catalog.Dataset) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE replica SET position = ?, print = ? WHERE slot = ?", rep.position, rep.print, rep.slot); err != nil {
			return fmt.Errorf("note how %s is carried over: %w", d.Path(), err)
		}
		return nil
	})
}

// passReplica notes that nothing up to a position was for the dataset; it needn't be noted by whom.
func (r *Registry) passReplica(ctx context.Context, rep *replica, position string, d *catalog.Dataset) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE replica SET position = ? WHERE slot = ? AND position = ?", position, rep.slot, rep.position)
		if err != nil {
			return fmt.Errorf("note how %s is carried over: %w", d.Path(), err)
		}
		if n == 1 {
			rep.position = position
		}
		return nil // what is gone on with elsewhere is seen with the next change
	})
}

// forgetReplica makes a slot one that isn't used: it is dropped, and all is read again.
func (r *Registry) forgetReplica(ctx context.Context, slot string, d *catalog.Dataset) error {
	return r.moveReplica(context.WithoutCancel(ctx), &replica{slot: slot}, d)
}

// goodReplica notes that what the source has is here, and reports whether the slot is still the one that is used.
func (r *Registry) goodReplica(ctx context.Context, d *catalog.Dataset, rep *replica) (bool, error) {
	now, err := r.replica(ctx, d)
	if err != nil || now == nil || now.slot != rep.slot {
		return false, err
	}
	state, err := r.SourceState(ctx, d)
	if err != nil {
		return false, err
	}
	state.Good, state.Tried, state.Failed, state.Code, state.Reason = r.now().UTC(), r.now().UTC(), 0, "", lang.Text{}
	return true, r.noteSource(ctx, d, state)
}

// Again has all of a source read anew whose changes are carried over otherwise.
func (r *Registry) Again(ctx context.Context, d *catalog.Dataset) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE replica SET position = '' WHERE project = ? AND dataset = ?", d.Project, d.Name); err != nil {
			return fmt.Errorf("note how %s is carried over: %w", d.Path(), err)
		}
		return nil
	})
}

// slotted is a slot that is noted here, and where it is.
type slotted struct{ slot, project, dataset, source, spec string }

func (r *Registry) slots(ctx context.Context, where string, args ...any) (out []slotted, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT slot, project, dataset, source, spec FROM replica WHERE "+where+" ORDER BY slot", args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var o slotted
			if err := rows.Scan(&o.slot, &o.project, &o.dataset, &o.source, &o.spec); err != nil {
				return err
			}
			out = append(out, o)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("look for slots: %w", err)
	}
	return out, nil
}

// sweep drops the slots of what isn't carried over any more, or comes from elsewhere now: their servers would keep changes for them for ever.
func (r *Replicas) sweep(ctx context.Context) {
	all, err := r.registry.slots(ctx, "1 = 1")
	if err != nil {
		slog.Error("replication: slots can't be looked at", "error", err)
		return
	}
	for _, o := range all {
		if ctx.Err() != nil {
			return
		}
		if d := r.snapshot().Dataset(o.project, o.dataset); d != nil && d.Spec.Source != nil && d.Spec.Source.Publication != "" && specOf(d) == o.spec {
			continue
		}
		if err := r.drop(ctx, o); err != nil && ctx.Err() == nil {
			slog.Warn("replication: a slot that isn't used can't be dropped, so its server keeps what changes", "slot", o.slot, "error", err)
		}
	}
}

// drop drops a slot in its server, and forgets it.
func (r *Replicas) drop(ctx context.Context, o slotted) error {
	from := &manifest.Source{}
	if err := json.Unmarshal([]byte(o.source), from); err != nil {
		return fmt.Errorf("where the slot %s is: %w", o.slot, err)
	}
	trying, stop := context.WithTimeout(ctx, dropTime)
	defer stop()
	if err := r.from.DropSlot(trying, o.project, from, o.slot); err != nil {
		return err
	}
	return r.registry.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM replica WHERE slot = ?", o.slot); err != nil {
			return fmt.Errorf("forget a slot: %w", err)
		}
		return nil
	})
}
