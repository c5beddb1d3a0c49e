package exchange

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/bus"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Bus is what the exchange needs of package engine/bus.
type Bus interface {
	Publish(ctx context.Context, stream string, messages []bus.Message) error
	Cursor(ctx context.Context, stream, name string, from time.Time) error
	Purge(ctx context.Context, stream string) error
	Remove(ctx context.Context, stream string) error
	Streams(ctx context.Context) ([]string, error)
	Last(ctx context.Context, stream string) (id string, aged bool, err error)
	Follow(ctx context.Context, stream, follower string, pause func(attempt int) time.Duration, take func(ctx context.Context, data []byte, attempt int) error) error
	Check(ctx context.Context)
}

// MainCursor is the place in a feed that each agreement has from the beginning.
const MainCursor = "main"

// StreamOf is the stream of an agreement's events. Names have no underscores.
func StreamOf(project, name string) string { return "events_" + project + "_" + name }

// How feeds run.
const (
	feedBatch   = 1000                   // changes that are read at once
	feedPause   = 100 * time.Millisecond // between looks
	feedLease   = 15 * time.Second       // of the node that sends
	feedCheck   = 5 * time.Second        // clients are looked at so often even if no agreement has changed: one may have ended
	feedSweep   = time.Minute            // what is old is forgotten so often
	feedsAtOnce = 16
	feedMargin  = 10 * time.Minute // changes are kept so long after they went out: a power cut may take from the bus what wasn't on the disk yet
)

// feed is how far the changes of a dataset have gone out by an agreement.
type feed struct {
	project, name, dataset string
	began                  int64  // behind this position the version that holds sees changes
	position               int64  // up to where they have gone out; before began: who follows must be told of a gap first
	last                   string // the ID of the event that went last
}

// follow begins or ends a version's feed, where it begins or ceases to hold. A version that takes another's place shows other fields or records: it begins with a gap, for
// what was sent before isn't a copy of what is read by it.
func (x *Exchange) follow(ctx context.Context, tx *db.Tx, v *Version, was State) error {
	switch {
	case v.State == Active && v.Spec.Events && was == Suspended:
		return nil // it goes on where it was
	case v.State == Active && v.Spec.Events:
		before, err := x.fed(ctx, tx, v)
		if err != nil {
			return err
		}
		project, name := cut(v.Dataset)
		d := x.catalog().Dataset(project, name)
		if d == nil {
			return nil // reads are refused as well
		}
		began, err := x.registry.Follow(ctx, tx, d)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO feed (project, name, dataset, began, position, day) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (project, name) DO UPDATE SET dataset = excluded.dataset, began = excluded.began, position = -1, day = excluded.day`, v.Project, v.Name, v.Dataset, began, began, x.today())
		if err != nil {
			return fmt.Errorf("begin the feed of %s: %w", v.Path(), err)
		}
		return x.unfollow(ctx, tx, before)
	case v.State == Active, v.State == Revoked && was != Requested:
		before, err := x.fed(ctx, tx, v)
		if err != nil || before == "" {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM feed WHERE project = ? AND name = ?", v.Project, v.Name); err != nil {
			return fmt.Errorf("end the feed of %s: %w", v.Path(), err)
		}
		return x.unfollow(ctx, tx, before)
	}
	return nil
}

// fed is the dataset whose changes an agreement's feed has, "" for none.
func (x *Exchange) fed(ctx context.Context, tx *db.Tx, v *Version) (path string, err error) {
	err = tx.QueryRow(ctx, "SELECT dataset FROM feed WHERE project = ? AND name = ?", v.Project, v.Name).Scan(&path)
	if err != nil && !db.NoRows(err) {
		return "", fmt.Errorf("look at the feed of %s: %w", v.Path(), err)
	}
	return path, nil
}

// unfollow ends the following of a dataset that no feed is of any more.
func (x *Exchange) unfollow(ctx context.Context, tx *db.Tx, path string) error {
	var left int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM feed WHERE dataset = ?", path).Scan(&left); err != nil {
		return fmt.Errorf("look at the feeds of %s: %w", path, err)
	}
	if path == "" || left > 0 {
		return nil
	}
	project, name := cut(path)
	return x.registry.Unfollow(ctx, tx, project, name)
}

// Deliver sends what changes to those who follow by an agreement, until ctx ends: filtered, masked, each event after its receipt is durable. node names this process among
// those on one database, of which one sends.
func (x *Exchange) Deliver(ctx context.Context, b Bus, node string) error {
	s := &sender{x: x, bus: b, node: node}
	s.hooks = &hooks{s, map[string]func(){}}
	defer s.hooks.stop()
	tick := time.NewTicker(feedPause)
	defer tick.Stop()
	for {
		if err := s.round(ctx); err != nil && ctx.Err() == nil {
			slog.Error("feeds: they are tried again", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second): // until the next try
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sender sends the events of all feeds.
type sender struct {
	x     *Exchange
	bus   Bus
	node  string
	hooks *hooks

	leased  time.Time // until when this node sends
	checked time.Time
	swept   time.Time
	changes int64 // of agreements, when the feeds were looked at
	ready   map[string]bool
	again   time.Time    // when to settle again what couldn't be; zero for never
	head    int64        // of the outbox, when all had gone out
	day     manifest.Day // that all feeds have come to
}

// round looks who may still read from this node's bus, and sends what there is, where no other node does.
func (s *sender) round(ctx context.Context) error {
	feeds, head, changes, err := s.look(ctx)
	if err != nil {
		return err
	}
	moved := changes != s.changes
	if now := s.x.now(); moved || now.Sub(s.checked) >= feedCheck {
		s.checked = now
		s.bus.Check(ctx)
	}
	s.changes = changes
	if held, err := s.lease(ctx); err != nil || !held {
		return err
	}
	if today := s.x.today(); today != s.day || moved {
		if err := s.x.turn(ctx, today); err != nil {
			return err
		}
		s.day = today // a feed that begins anew is seen by the next look
	}
	if moved || s.ready == nil || !s.again.IsZero() && time.Now().After(s.again) {
		if s.again = (time.Time{}); !s.settle(ctx, feeds) {
			s.again = time.Now().Add(feedCheck)
		}
		s.head = -1
	}
	if now := s.x.now(); now.Sub(s.swept) >= feedSweep {
		s.swept, s.head = now, -1
	}
	if head == s.head || len(feeds) == 0 {
		return nil
	}
	of := map[string][]*feed{}
	for _, f := range feeds {
		if !s.ready[StreamOf(f.project, f.name)] {
			continue // it has no stream yet: its changes wait
		}
		of[f.dataset] = append(of[f.dataset], f)
	}
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for path, list := range of {
		all.Go(func() error {
			if err := s.dataset(ctx, path, list); err != nil {
				return fmt.Errorf("feeds of %s: %w", path, err)
			}
			return nil
		})
	}
	if err := all.Wait(); err != nil {
		return err
	}
	s.head = head
	return nil
}

// turn turns the day of the feeds: who follows by a condition that asks for today sees others than yesterday, and is told of a gap.
func (x *Exchange) turn(ctx context.Context, today manifest.Day) error {
	var paths []string
	err := x.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT project, name FROM feed WHERE day <> ? ORDER BY project, name", today)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var project, name string
			if err := rows.Scan(&project, &name); err != nil {
				return err
			}
			paths = append(paths, project+"/"+name)
		}
		return rows.Err()
	})
	for _, path := range paths {
		if err == nil {
			err = x.db.Write(ctx, func(tx *db.Tx) error { return x.turned(ctx, tx, path, today) })
		}
	}
	if err != nil {
		return fmt.Errorf("turn the day of the feeds: %w", err)
	}
	return nil
}

// turned turns the day of one feed. A suspended one waits: it is looked at again when it goes on.
func (x *Exchange) turned(ctx context.Context, tx *db.Tx, path string, today manifest.Day) error {
	project, name := cut(path)
	all, err := x.kept(ctx, tx, project, name)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(v *Version) bool { return v.State == Active })
	if i < 0 {
		return nil
	}
	c, err := x.contract(all[i])
	if err == nil && c.condition != nil && c.condition.Dated() {
		return x.seenAnew(ctx, tx, all)
	}
	if err != nil && problem.As(err) == nil { // what no contract can be made of sends nothing till there is another version
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE feed SET day = ? WHERE project = ? AND name = ?", today, project, name)
	return err
}

// lease makes this node the one that sends, where no other is.
func (s *sender) lease(ctx context.Context) (bool, error) {
	now := s.x.now().UTC()
	if now.Before(s.leased.Add(-feedLease / 2)) {
		return true, nil
	}
	until, held := now.Add(feedLease), false
	err := s.x.db.Write(ctx, func(tx *db.Tx) (err error) {
		held, err = tx.Lease(ctx, "feed_lease", s.node, now, until)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("take the lease of feeds: %w", err)
	}
	if !held {
		s.hooks.stop()
		s.leased, s.ready = time.Time{}, nil
		return false, nil
	}
	s.leased = until
	return true, nil
}

// look reads the feeds, the newest change of all datasets that are followed, and how often agreements have changed.
func (s *sender) look(ctx context.Context) (out []*feed, head, changes int64, err error) {
	err = s.x.db.Read(ctx, func(tx *db.Tx) error {
		if err := tx.QueryRow(ctx, "SELECT n FROM standing_change WHERE one = 1").Scan(&changes); err != nil {
			return err
		}
		if head, err = s.x.registry.Newest(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, "SELECT project, name, dataset, began, position, last FROM feed ORDER BY project, name")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			f := &feed{}
			if err := rows.Scan(&f.project, &f.name, &f.dataset, &f.began, &f.position, &f.last); err != nil {
				return err
			}
			out = append(out, f)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, 0, 0, fmt.Errorf("look at the feeds: %w", err)
	}
	return out, head, changes, nil
}

// settle makes the streams those of the feeds that there are, and reports whether all could be. What is lost from a stream since its last event went out is sent again.
func (s *sender) settle(ctx context.Context, feeds []*feed) bool {
	first, whole := s.ready == nil, true
	failed := func(what string, err error) {
		if whole = false; ctx.Err() == nil {
			slog.Error("feeds: a stream can't be settled and is tried again", "stream", what, "error", err)
		}
	}
	s.ready = map[string]bool{}
	for _, f := range feeds {
		stream := StreamOf(f.project, f.name)
		if err := s.bus.Cursor(ctx, stream, MainCursor, time.Time{}); err != nil {
			failed(stream, err)
			continue
		}
		s.ready[stream] = true
		if !first {
			continue
		}
		if err := s.regain(ctx, f); err != nil {
			failed(stream, err)
		}
	}
	there, err := s.bus.Streams(ctx)
	if err != nil {
		failed("all", err)
	}
	now, _, _, err := s.look(ctx) // behind the list: a stream that was made meanwhile is of a feed that has begun
	if err != nil {
		failed("all", err)
		there = nil
	}
	for _, stream := range there {
		if slices.ContainsFunc(now, func(f *feed) bool { return StreamOf(f.project, f.name) == stream }) {
			continue
		}
		if err := s.bus.Remove(ctx, stream); err != nil {
			failed(stream, err)
		}
	}
	if err := s.hooks.settle(ctx, feeds); err != nil {
		failed("webhooks", err)
	}
	return whole
}

// regain has what a stream has lost sent again: what the outbox still has of what its version sees.
func (s *sender) regain(ctx context.Context, f *feed) error {
	last, aged, err := s.bus.Last(ctx, StreamOf(f.project, f.name))
	if err != nil || aged || last == f.last {
		return err
	}
	if position, err := s.ahead(ctx, f, last); err != nil {
		return err
	} else if position > 0 { // it was killed before it could note how far it had come
		f.position, f.last = position, last
		return s.note(ctx, f)
	}
	slog.Warn("feeds: the bus has lost events, which go out again", "agreement", f.project+"/"+f.name)
	f.position, f.last = min(f.position, f.began), last
	return s.note(ctx, f)
}

// ahead is the position of the event that the bus has last, where that is one of the batch behind what the feed has noted; otherwise 0.
func (s *sender) ahead(ctx context.Context, f *feed, last string) (position int64, err error) {
	project, name := cut(f.dataset)
	d := s.x.catalog().Dataset(project, name)
	if d == nil || last == "" {
		return 0, nil
	}
	err = s.x.db.Read(ctx, func(tx *db.Tx) error {
		changes, _, err := s.x.registry.Changes(ctx, tx, d, f.position, feedBatch)
		for _, c := range changes {
			for _, kind := range []string{created, updated, deleted} {
				if s.x.eventID(f.dataset, f.project+"/"+f.name, kind, c.Position) == last {
					position = c.Position
				}
			}
		}
		return err
	})
	return position, err
}

// note notes how far a feed is.
func (s *sender) note(ctx context.Context, f *feed) error {
	return s.x.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE feed SET position = ?, last = ? WHERE project = ? AND name = ? AND began = ?", f.position, f.last, f.project, f.name, f.began)
		if err != nil {
			return fmt.Errorf("note how far a feed is: %w", err)
		}
		return nil
	})
}

// dataset sends the changes of one dataset to those who follow it, from the one that is the furthest behind on.
func (s *sender) dataset(ctx context.Context, path string, feeds []*feed) error {
	project, name := cut(path)
	for {
		d := s.x.catalog().Dataset(project, name)
		if d == nil {
			return nil // it is gone: so are its changes
		}
		first := slices.MinFunc(feeds, func(a, b *feed) int { return cmp.Compare(a.position, b.position) })
		b := &batch{sender: s, dataset: d, contracts: map[*feed]*contract{}, consents: map[*feed]map[int64]bool{}}
		err := s.x.caughtUp(ctx, func() error {
			return s.x.db.Read(ctx, func(tx *db.Tx) error { return b.read(ctx, tx, feeds, first.position) })
		})
		if err != nil {
			return err
		}
		feeds = slices.DeleteFunc(slices.Clone(feeds), func(f *feed) bool { return b.contracts[f] == nil }) // suspended, cut off: theirs waits
		if len(feeds) == 0 || len(b.changes) == 0 && !slices.ContainsFunc(feeds, b.gapped) {
			return s.forget(ctx, d)
		}
		var all errgroup.Group // together, so that their receipts share commits
		all.SetLimit(feedsAtOnce)
		for _, f := range feeds {
			all.Go(func() error {
				if err := b.send(ctx, f); err != nil {
					return fmt.Errorf("to %s/%s: %w", f.project, f.name, err)
				}
				return nil
			})
		}
		if err := all.Wait(); err != nil {
			return err
		}
	}
}

// forget forgets the changes that all have had for a while.
func (s *sender) forget(ctx context.Context, d *catalog.Dataset) error {
	return s.x.db.Write(ctx, func(tx *db.Tx) error {
		var had int64
		if err := tx.QueryRow(ctx, "SELECT coalesce(min(position), 0) FROM feed WHERE dataset = ?", d.Path()).Scan(&had); err != nil {
			return fmt.Errorf("look at the feeds: %w", err)
		}
		return s.x.registry.ForgetChanges(ctx, tx, d, had, s.x.now().Add(-feedMargin), s.x.now().Add(-bus.Kept))
	})
}

// Follows says which streams a principal may read now: those of the agreements with events that hold, of the project whose service account it is.
func (x *Exchange) Follows(ctx context.Context, who *identity.Principal) (bus.Reader, error) {
	if who.Kind != identity.Service {
		return bus.Reader{}, who.Refused()
	}
	out := bus.Reader{Name: who.Project}
	err := x.db.Read(ctx, func(tx *db.Tx) error {
		all, err := x.versions(ctx, tx, "project = ? AND state = 'active' ORDER BY name", who.Project)
		if err != nil {
			return err
		}
		for _, v := range all {
			if !v.Spec.Events {
				continue
			}
			if _, err := x.active(ctx, tx, v.Project, v.Name); problem.As(err) != nil && !errors.Is(err, errBehind) {
				continue
			} else if err != nil && !errors.Is(err, errBehind) {
				return err
			}
			out.Streams = append(out.Streams, StreamOf(v.Project, v.Name))
		}
		return nil
	})
	return out, err
}
