package registry

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/source"
)

// How changes are carried over.
const (
	replicaLease = 15 * time.Second
	replicaNoted = 20 * time.Second // how often it is noted that a source is as it should be
	heldPause    = 5 * time.Minute  // until a source of which too much is gone is looked at again
	lastingFault = time.Hour        // after which a slot isn't kept for what can't be taken
	dropTime     = 10 * time.Second // that a server may take to drop a slot; it is tried again each minute
	goneWithin   = 10 * time.Minute // what is gone in that time is counted together: see mayGo
)

// Replicas carries changes of tables of PostgreSQL into the datasets whose sources name a publication, as they are committed there.
type Replicas struct {
	registry *Registry
	from     *source.Reader
	snapshot func() *catalog.Snapshot
	node     string
	running  map[string]*running // by project/dataset
	all      sync.WaitGroup
	sweeping sync.Mutex
}

type running struct {
	spec string
	stop context.CancelFunc
	done chan struct{}
}

// NewReplicas makes what carries changes over. Of all nodes on a database one does it.
func (r *Registry) NewReplicas(from *source.Reader, snapshot func() *catalog.Snapshot, node string) *Replicas {
	return &Replicas{registry: r, from: from, snapshot: snapshot, node: node, running: map[string]*running{}}
}

// Run carries changes over until ctx ends, and returns when all is put down.
func (r *Replicas) Run(ctx context.Context) {
	defer r.all.Wait()
	defer r.keep(nil)
	revision, swept := int64(-1), time.Time{}
	for ctx.Err() == nil {
		held, err := r.lease(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			slog.Error("replication: the lease can't be taken", "error", err)
			r.keep(nil)
		case !held:
			r.keep(nil)
			revision = -1
		default:
			if now := r.snapshot(); now.Revision != revision {
				r.follow(ctx, now)
				revision, swept = now.Revision, time.Time{}
			}
			if time.Since(swept) > time.Minute && r.sweeping.TryLock() { // a server that doesn't answer holds up nothing else
				swept = time.Now()
				r.all.Go(func() {
					defer r.sweeping.Unlock()
					r.sweep(ctx)
				})
			}
		}
		pause(ctx, time.Second)
	}
}

// pause waits, and reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

func (r *Replicas) lease(ctx context.Context) (held bool, err error) {
	now := time.Now()
	err = r.registry.db.Write(ctx, func(tx *db.Tx) (err error) {
		held, err = tx.Lease(ctx, "replica_lease", r.node, now, now.Add(replicaLease))
		return err
	})
	return held, err
}

// follow starts and stops what a revision of the catalog asks for.
func (r *Replicas) follow(ctx context.Context, now *catalog.Snapshot) {
	wanted := map[string]string{}
	for _, d := range now.Datasets() {
		if d.Spec.Source != nil && d.Spec.Source.Publication != "" {
			wanted[d.Path()] = specOf(d)
		}
	}
	r.keep(wanted)
	for path, spec := range wanted {
		if r.running[path] != nil {
			continue
		}
		ctx, stop := context.WithCancel(ctx)
		one := &running{spec: spec, stop: stop, done: make(chan struct{})}
		r.running[path] = one
		project, name, _ := strings.Cut(path, "/")
		r.all.Go(func() {
			defer close(one.done)
			r.carry(ctx, project, name)
		})
	}
}

// keep stops what isn't as it is wanted, and waits for its end.
func (r *Replicas) keep(wanted map[string]string) {
	for path, one := range r.running {
		if wanted[path] != one.spec {
			one.stop()
			<-one.done
			delete(r.running, path)
		}
	}
}

// carry carries one dataset's changes over until ctx ends, whatever happens meanwhile.
func (r *Replicas) carry(ctx context.Context, project, name string) {
	for ctx.Err() == nil {
		d := r.snapshot().Dataset(project, name)
		if d == nil || d.Spec.Source == nil || d.Spec.Source.Publication == "" {
			return
		}
		wait := time.Second
		err := r.stream(ctx, d)
		switch p := problem.As(err); {
		case ctx.Err() != nil || err == nil || problem.Code(err) == "catalog.moved":
		case errors.Is(err, errHeld):
			wait = heldPause
		case p != nil:
			state, err := r.registry.SourceState(ctx, d)
			if err == nil && p.Code != "source.slot" {
				_, err = r.registry.failSource(ctx, d, state, p)
				if wait = source.Pause(state.Failed); columnsLack(p) { // which is seen without a slot
					wait = min(wait, replicaNoted)
				}
				if !source.Passing(p) && r.registry.now().Sub(state.Good) > lastingFault { // the other server isn't to keep what changes for ever
					r.giveUp(ctx, d)
				}
			}
			if err != nil && ctx.Err() == nil {
				slog.Error("replication: its trouble can't be noted", "dataset", d.Path(), "error", err)
			}
		default:
			slog.Error("replication", "dataset", d.Path(), "error", err)
			wait = 10 * time.Second
		}
		pause(ctx, wait)
	}
}

// giveUp drops a dataset's slots: when it can be carried over again, all of it is read.
func (r *Replicas) giveUp(ctx context.Context, d *catalog.Dataset) {
	left, err := r.registry.slots(ctx, "project = ? AND dataset = ?", d.Project, d.Name)
	for _, o := range left {
		err = errors.Join(err, r.drop(ctx, o))
	}
	if err != nil && ctx.Err() == nil {
		slog.Warn("replication: a slot can't be dropped, so its server keeps what changes", "dataset", d.Path(), "error", err)
	}
}

// errHeld is that the whole of a source was read and couldn't be taken: somebody must look first.
var errHeld = errors.New("registry: the source's records wait to be looked at")

// replica is a slot that is known here.
type replica struct {
	slot, position string
	print          string // of how the table was made and published when the slot began: see [source.Table]
}

// stream goes on where it was, or begins with all that the table has.
func (r *Replicas) stream(ctx context.Context, d *catalog.Dataset) error {
	rep, err := r.registry.replica(ctx, d)
	if err != nil {
		return err
	}
	slot := &source.Slot{}
	if rep == nil {
		if rep, slot, err = r.begin(ctx, d); err != nil {
			return err
		}
	} else {
		slot.Position = rep.position
		if slot.Table, err = r.published(ctx, d, rep); err != nil {
			return err
		}
	}
	changes, err := r.from.Replicate(ctx, d.Project, d.Spec.Source, rep.slot, slot)
	if err == nil {
		defer changes.Close()
		err = r.apply(ctx, d, rep, slot.Table.Key, changes)
	}
	if code := problem.Code(err); code == "source.slot" || code == "source.gone" || columnsLack(err) { // all of it is read again, with what that has to say
		return errors.Join(err, r.registry.forgetReplica(ctx, rep.slot, d))
	}
	return err
}

// columnsLack reports whether a table doesn't have the columns that it has to have.
func columnsLack(err error) bool {
	code := problem.Code(err)
	return code == "source.columns" || code == "import.columns"
}

// asked is what is asked of a dataset's table.
func (r *Replicas) asked(ctx context.Context, d *catalog.Dataset) source.Request {
	fits := func(columns []string) error {
		match, err := matchColumns(d, columns)
		if err != nil {
			return err
		}
		return r.registry.sameColumns(ctx, d, match)
	}
	return source.Request{Project: d.Project, Source: d.Spec.Source, Wanted: wantedOf(d), Key: keyColumns(d), Types: columnTypes(d), Fits: fits}
}

// published looks whether the changes of the same table are published as they were. Where they aren't, some may have been missed: all is read again when they are.
func (r *Replicas) published(ctx context.Context, d *catalog.Dataset, rep *replica) (*source.Table, error) {
	table, err := r.from.Published(ctx, r.asked(ctx, d))
	if err == nil && table.Print != rep.print {
		err = problem.New("source.slot", 502, lang.T("원본의 테이블이나 발행(publication)이 바뀌어 전체를 다시 읽습니다", "the table, or its publication, is another one now, so all of it is read again"))
	}
	if code := problem.Code(err); code == "source.slot" || code == "source.replication" || code == "source.table" || columnsLack(err) {
		return nil, errors.Join(err, r.registry.forgetReplica(ctx, rep.slot, d))
	}
	return table, err
}

// begin makes a slot and reads all that the table held where it begins.
func (r *Replicas) begin(ctx context.Context, d *catalog.Dataset) (*replica, *source.Slot, error) {
	left, err := r.registry.slots(ctx, "project = ? AND dataset = ? AND spec = ?", d.Project, d.Name, specOf(d))
	if err != nil {
		return nil, nil, err
	}
	lost, err := r.registry.lately(ctx, d)
	if err != nil {
		return nil, nil, err
	}
	for _, o := range left { // that weren't finished, or aren't to be gone on with
		err = errors.Join(err, r.drop(ctx, o))
	}
	if err != nil {
		return nil, nil, err
	}
	rep, err := r.registry.newReplica(ctx, d, lost)
	if err != nil {
		return nil, nil, err
	}
	drop := func(err error) (*replica, *source.Slot, error) { // it isn't kept there while somebody has to look
		left, _ := r.registry.slots(context.WithoutCancel(ctx), "slot = ?", rep.slot)
		for _, o := range left {
			if err := r.drop(context.WithoutCancel(ctx), o); err != nil {
				slog.Warn("replication: a slot can't be dropped yet", "slot", o.slot, "error", err)
			}
		}
		return nil, nil, err
	}
	slot, err := r.from.OpenSlot(ctx, r.asked(ctx, d), rep.slot)
	if err != nil {
		return drop(err)
	}
	state, err := r.registry.SourceState(ctx, d)
	if err != nil {
		slot.Close()
		return drop(err)
	}
	i, err := r.registry.readSource(ctx, r.from, r.snapshot().Dataset, d, state, slot.Snapshot)
	if problem.Code(err) == turned {
		err = errHeld // what somebody accepted goes on first
	}
	if err == nil && i == nil { // the same as was read before: and that was taken, or wasn't
		state, err = r.registry.SourceState(ctx, d)
	}
	if err == nil && (i != nil && i.State != Done || i == nil && state.Failed > 0) {
		err = errHeld
	}
	if err == nil {
		rep.position, rep.print = slot.Position, slot.Table.Print
		err = r.registry.moveReplica(ctx, rep, d)
	}
	if err != nil {
		slot.Close()
		return drop(err)
	}
	slog.Info("replication begins", "dataset", d.Path(), "slot", rep.slot, "position", rep.position)
	return rep, slot, nil
}

// apply takes changes in, until something is wrong.
func (r *Replicas) apply(ctx context.Context, d *catalog.Dataset, rep *replica, told []string, changes *source.Replica) error {
	a := &carrying{Registry: r.registry, dataset: d, replica: rep, told: told}
	var noted time.Time
	for {
		b, err := changes.Next(ctx)
		if err != nil {
			return err
		}
		if len(b.Rows) > 0 || b.Emptied {
			if err := a.take(ctx, b); err != nil {
				return err
			}
		}
		if b.More {
			continue
		}
		if len(b.Rows) == 0 && !b.Emptied && b.Position != rep.position { // nothing was for us
			if err := r.registry.passReplica(ctx, rep, b.Position, d); err != nil {
				return err
			}
		}
		if err := changes.Confirm(ctx, b.Position); err != nil {
			return err
		}
		if time.Since(noted) < replicaNoted {
			continue
		}
		if _, err := r.published(ctx, d, rep); err != nil {
			return err
		}
		still, err := r.registry.goodReplica(ctx, d, rep)
		if err != nil {
			return err
		}
		if !still {
			return problem.New("source.slot", 502, lang.T("변경분을 받던 자리(슬롯)가 바뀌어 전체를 다시 읽습니다", "the slot in use has changed, so all of it is read again"))
		}
		noted = time.Now()
	}
}
