package registry

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/source"
)

// How changes are carried over.
const (
	replicaLease = 15 * time.Second
	replicaNoted = 20 * time.Second // how often it is noted that a source is as it should be
	heldPause    = 5 * time.Minute  // until a source of which too much is gone is looked at again
	lastingFault = time.Hour        // after which a slot isn't kept for what can't be taken
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
			if time.Since(swept) > time.Minute {
				r.sweep(ctx)
				swept = time.Now()
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
				wait = source.Pause(state.Failed)
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
	relation       uint32 // the table's number there: another one is another table
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
		if err := r.published(ctx, d, rep); err != nil {
			return err
		}
	}
	changes, err := r.from.Replicate(ctx, d.Project, d.Spec.Source, rep.slot, slot)
	if err == nil {
		defer changes.Close()
		err = r.apply(ctx, d, rep, changes)
	}
	switch problem.Code(err) {
	case "source.slot", "source.gone": // all of it is read again, with what that has to say
		return errors.Join(err, r.registry.forgetReplica(ctx, rep.slot, d))
	}
	return err
}

// published looks whether the changes of the same table are published as they were. Where they aren't, some may have been missed: all is read again when they are.
func (r *Replicas) published(ctx context.Context, d *catalog.Dataset, rep *replica) error {
	relation, err := r.from.Published(ctx, source.Request{Project: d.Project, Source: d.Spec.Source, Wanted: wantedOf(d)})
	if err == nil && relation != rep.relation {
		err = problem.New("source.slot", 502, lang.T("원본의 테이블이 다른 테이블로 바뀌어 전체를 다시 읽습니다", "the table is another one now, so all of it is read again"))
	}
	if code := problem.Code(err); code == "source.slot" || code == "source.replication" || code == "source.table" {
		return errors.Join(err, r.registry.forgetReplica(ctx, rep.slot, d))
	}
	return err
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
	q := source.Request{Project: d.Project, Source: d.Spec.Source, Wanted: wantedOf(d)}
	slot, err := r.from.OpenSlot(ctx, q, rep.slot)
	if err != nil {
		return drop(err)
	}
	state, err := r.registry.SourceState(ctx, d)
	if err != nil {
		slot.Close()
		return drop(err)
	}
	i, err := r.registry.readSource(ctx, r.from, r.snapshot().Dataset, d, state, slot.Snapshot)
	if err == nil && i == nil { // the same as was read before: and that was taken, or wasn't
		state, err = r.registry.SourceState(ctx, d)
	}
	if err == nil && (i != nil && i.State != Done || i == nil && state.Failed > 0) {
		err = errHeld
	}
	if err == nil {
		rep.position, rep.relation = slot.Position, slot.Relation
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
func (r *Replicas) apply(ctx context.Context, d *catalog.Dataset, rep *replica, changes *source.Replica) error {
	a := &carrying{Registry: r.registry, dataset: d, replica: rep}
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
		if err := r.published(ctx, d, rep); err != nil {
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

// carrying is the changes of one dataset on their way in.
type carrying struct {
	*Registry
	dataset *catalog.Dataset
	replica *replica

	columns []string // those that match is for
	match   *columns
}

// take writes a batch of changes and how far they are, in one transaction.
func (a *carrying) take(ctx context.Context, b *source.Batch) error {
	if a.match == nil || !slices.Equal(a.columns, b.Columns) {
		match, err := matchColumns(a.dataset, b.Columns)
		if err != nil {
			return err
		}
		if err := a.sameColumns(ctx, a.dataset, match); err != nil {
			return err
		}
		a.columns, a.match = b.Columns, match
	}
	if err := a.identified(b); err != nil {
		return err
	}
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		t, err := a.table(ctx, tx, a.dataset)
		if err != nil {
			return err
		}
		run, err := a.run(ctx, tx, t)
		if err != nil {
			return err
		}
		c, err := a.begin(ctx, tx, t, By{Actor: bySource.Actor, Via: bySource.Via, Run: run.ID})
		if err != nil {
			return err
		}
		if err := a.write(ctx, tx, t, c, run, b); err != nil {
			return err
		}
		next := b.Position
		if b.More { // it is noted at the end of the transaction
			next = a.replica.position
		}
		n, err := tx.Exec(ctx, "UPDATE replica SET position = ? WHERE slot = ? AND position = ?", next, a.replica.slot, a.replica.position)
		if err != nil {
			return fmt.Errorf("note how far %s is carried over: %w", t.Path(), err)
		}
		if n == 0 { // all is to be read again, or another node has gone on
			return problem.New("source.slot", 502, lang.T("변경분을 받던 자리(슬롯)가 바뀌어 전체를 다시 읽습니다", "the slot in use has changed, so all of it is read again"))
		}
		return nil
	})
	if err == nil && !b.More {
		a.replica.position = b.Position
	}
	return err
}

// identified refuses changes that don't say which record is gone.
func (a *carrying) identified(b *source.Batch) error {
	t := &table{Dataset: a.dataset}
	var lacking []string
	if a.match.compute != nil { // which columns an expression reads isn't asked: it needs the former row whole
		for _, name := range b.Columns {
			if !slices.Contains(b.Identity, name) {
				lacking = append(lacking, name)
			}
		}
	}
	for i := range a.dataset.Fields {
		f := &a.dataset.Fields[i]
		if at := a.match.at[i]; (len(t.Spec.Key) == 0 || f.KeyPart) && at >= 0 && !slices.Contains(b.Identity, b.Columns[at]) {
			lacking = append(lacking, b.Columns[at])
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return problem.New("source.replication", 422, lang.F("원본의 변경분에 레코드를 식별할 열이 없습니다: %s", "the changes don't say these columns of a row that is gone: %s", strings.Join(lacking, ", "))).
		Hinting(lang.T("데이터셋의 식별 항목을 원본의 기본 키와 맞추거나, 원본 관리자에게 ALTER TABLE … REPLICA IDENTITY FULL을 요청하십시오", "make the dataset's key the table's primary key, or ask whoever keeps it for ALTER TABLE … REPLICA IDENTITY FULL"))
}

// run is the import among which a day's changes are counted.
func (a *carrying) run(ctx context.Context, tx *db.Tx, t *table) (*Import, error) {
	now := a.now().UTC()
	day := "replication " + now.In(manifest.Seoul).Format(manifest.DateLayout)
	known, err := a.importRuns(ctx, tx, "dataset_id = ? AND fingerprint = ? AND actor = ?", t.id, day, bySource.Actor)
	if err != nil {
		return nil, err
	}
	if len(known) > 0 {
		return known[0], nil
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO import_run (dataset_id, project, dataset, file, size, fingerprint, dry_run, actor, via, state, started, ended) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		t.id, t.Project, t.Name, "replication", day, encode(false, tx.Dialect()), bySource.Actor, bySource.Via, Done, manifest.FormatDatetime(now), manifest.FormatDatetime(now)).Scan(&id)
	if err != nil {
		return nil, fmt.Errorf("note what is carried over into %s: %w", t.Path(), err)
	}
	header, err := json.Marshal(a.columns)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO import_rejected (run, n, line, cells, reason) VALUES (?, 0, 0, ?, '{}')", id, string(header)); err != nil {
		return nil, fmt.Errorf("note what is carried over into %s: %w", t.Path(), err)
	}
	return a.importRun(ctx, tx, id)
}

// final is what becomes of a key by a batch.
type final struct {
	row *incoming // nil: it is gone
}

// write makes the records what the changes of a batch make of them in the end.
func (a *carrying) write(ctx context.Context, tx *db.Tx, t *table, c *Change, run *Import, b *source.Batch) error {
	ends := map[string]*final{}
	var order []string
	end := func(key string, f *final) {
		if ends[key] == nil {
			order = append(order, key)
		}
		ends[key] = f
	}
	var refused []rejected
	for _, change := range b.Rows {
		var was string
		if change.Was != nil {
			row, _ := a.match.read(change.Was) // what isn't of the identity is empty there
			was = KeyText(t.keyOf(row))
		}
		if change.Cells == nil {
			end(was, &final{})
			continue
		}
		takes, fault := a.match.takesRow(change.Cells)
		if fault == nil && !takes { // what isn't taken is as if it weren't there
			row, _ := a.match.read(change.Cells)
			end(KeyText(t.keyOf(row)), &final{})
			if change.Was != nil {
				end(was, &final{})
			}
			continue
		}
		row, faults := a.match.read(change.Cells)
		if fault != nil {
			faults = append(faults, problem.Detail{Code: "source.expression", Where: "where", Message: *fault})
		}
		faults = append(faults, checkAlone(t.Dataset, row)...)
		if change.Same != nil {
			var err error
			if faults, err = a.same(ctx, tx, t, change, row, ends, faults); err != nil {
				return err
			}
		}
		if change.Was != nil && was != KeyText(t.keyOf(row)) {
			end(was, &final{})
		}
		if len(faults) > 0 {
			refused = append(refused, rejected{0, change.Cells, reason(faults)})
			continue
		}
		end(KeyText(t.keyOf(row)), &final{&incoming{row: row, cells: change.Cells}})
	}
	var gone []*Record
	var batch []incoming
	for _, key := range order {
		if f := ends[key]; f.row != nil {
			batch = append(batch, *f.row)
			continue
		}
		rec, err := t.get(ctx, tx, key)
		if isUnknown(err) {
			continue
		}
		if err != nil {
			return err
		}
		if made, err := change(ctx, tx, rec.Version); err != nil {
			return err
		} else if made.Via == bySource.Via { // what people wrote last is theirs
			gone = append(gone, rec)
		}
	}
	if err := a.guard(ctx, tx, t, int64(len(gone)), b.Emptied); err != nil {
		return err
	}
	for _, rec := range gone {
		if err := t.remove(ctx, tx, c, rec); err != nil {
			return err
		}
	}
	tally, more, err := t.load(ctx, tx, c, 0, batch)
	if err != nil {
		return err
	}
	refused = append(refused, more...)
	if err := t.keepRejected(ctx, tx, run, refused); err != nil {
		return err
	}
	tally.Rejected = int64(len(refused))
	_, err = tx.Exec(ctx, "UPDATE import_run SET rows_read = rows_read + ?, loaded = loaded + ?, changed = changed + ?, unchanged = unchanged + ?, rejected = rejected + ?, deleted = deleted + ?, ended = ? WHERE id = ?",
		len(b.Rows), tally.Loaded, tally.Changed, tally.Unchanged, tally.Rejected, len(gone), manifest.FormatDatetime(a.now()), run.ID)
	if err != nil {
		return fmt.Errorf("note what is carried over into %s: %w", t.Path(), err)
	}
	return nil
}

// same fills in what a change doesn't tell because it is as it was.
func (a *carrying) same(ctx context.Context, tx *db.Tx, t *table, change source.ReplicaRow, row []any, ends map[string]*final, faults []problem.Detail) ([]problem.Detail, error) {
	key := KeyText(t.keyOf(row))
	if change.Was != nil {
		former, _ := a.match.read(change.Was)
		key = KeyText(t.keyOf(former))
	}
	var before []any
	if f := ends[key]; f != nil && f.row != nil {
		before = f.row.row
	} else if f == nil {
		rec, err := t.get(ctx, tx, key)
		if err == nil {
			before = rec.Values
		} else if !isUnknown(err) {
			return nil, err
		}
	}
	if a.match.compute != nil {
		return append(faults, problem.Detail{Code: "source.same", Where: "", Message: lang.T("원본이 바뀌지 않은 긴 값을 보내지 않아 식을 계산할 수 없습니다. 원본 관리자에게 ALTER TABLE … REPLICA IDENTITY FULL을 요청하십시오", "the source didn't send a long value that hasn't changed, so the expressions can't be computed: ask whoever keeps it for ALTER TABLE … REPLICA IDENTITY FULL")}), nil
	}
	for i := range t.Fields {
		at := a.match.at[i]
		if at < 0 || at >= len(change.Same) || !change.Same[at] {
			continue
		}
		f := &t.Fields[i]
		faults = slices.DeleteFunc(faults, func(d problem.Detail) bool { return d.Where == f.Name })
		if before == nil {
			faults = append(faults, problem.Detail{Code: "source.same", Where: f.Name, Message: lang.T("원본이 바뀌지 않은 긴 값을 보내지 않았고, 여기에 그 레코드가 없습니다. 전체를 다시 읽으십시오", "the source didn't send a long value that hasn't changed, and the record isn't here: read all of it again")})
			continue
		}
		row[i] = before[i]
	}
	return faults, nil
}

// guard refuses to delete too much: see mayGo. What goes within a while counts together, whatever happens meanwhile.
func (a *carrying) guard(ctx context.Context, tx *db.Tx, t *table, gone int64, emptied bool) error {
	if gone == 0 && !emptied {
		return nil
	}
	var since string
	var before, all int64
	if err := tx.QueryRow(ctx, "SELECT since, gone, held FROM replica WHERE slot = ?", a.replica.slot).Scan(&since, &before, &all); err != nil && !db.NoRows(err) {
		return fmt.Errorf("look what is gone of %s: %w", t.Path(), err)
	}
	now := a.now().UTC()
	if began, err := time.Parse(manifest.DatetimeLayout, since); err != nil || now.Sub(began) > goneWithin {
		n, err := t.sourced(ctx, tx)
		if err != nil {
			return err
		}
		since, before, all = manifest.FormatDatetime(now), 0, n
	}
	gone += before
	if emptied || gone > max(mayGo, all/mayGoOneIn) {
		return problem.New("source.gone", 422, lang.F("원본에서 레코드 %[1]d건 가운데 많은 수가 한꺼번에 삭제되어, 변경분 반영을 멈추고 전체를 다시 확인합니다", "many of the %[1]d records were deleted at the source at once: nothing more is carried over until all of it has been looked at", all))
	}
	if _, err := tx.Exec(ctx, "UPDATE replica SET since = ?, gone = ?, held = ? WHERE slot = ?", since, gone, all, a.replica.slot); err != nil {
		return fmt.Errorf("note what is gone of %s: %w", t.Path(), err)
	}
	return nil
}

// replica is the slot that a dataset's changes come by as its source is now, or nil.
func (r *Registry) replica(ctx context.Context, d *catalog.Dataset) (*replica, error) {
	out := &replica{}
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, "SELECT slot, position, relation FROM replica WHERE project = ? AND dataset = ? AND spec = ? AND position <> ''", d.Project, d.Name, specOf(d)).Scan(&out.slot, &out.position, &out.relation)
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
		_, err := tx.Exec(ctx, "INSERT INTO replica (slot, project, dataset, source, spec, since, gone, held) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", out.slot, d.Project, d.Name, string(at), specOf(d), l.since, l.gone, l.of)
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
		if _, err := tx.Exec(ctx, "UPDATE replica SET position = ?, relation = ? WHERE slot = ?", rep.position, int64(rep.relation), rep.slot); err != nil {
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
	if err := r.from.DropSlot(ctx, o.project, from, o.slot); err != nil {
		return err
	}
	return r.registry.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM replica WHERE slot = ?", o.slot); err != nil {
			return fmt.Errorf("forget a slot: %w", err)
		}
		return nil
	})
}
