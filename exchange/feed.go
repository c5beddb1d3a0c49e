package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/sync/errgroup"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/bus"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// Bus is what the exchange needs of package engine/bus.
type Bus interface {
	Publish(ctx context.Context, stream string, messages []bus.Message) error
	Cursor(ctx context.Context, stream, name string, from time.Time) error
	Remove(ctx context.Context, stream string) error
	Streams(ctx context.Context) ([]string, error)
	Last(ctx context.Context, stream string) (id string, err error)
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

// The types of events (CloudEvents 1.0).
const (
	created = "city.maru.record.created"
	updated = "city.maru.record.updated"
	deleted = "city.maru.record.deleted"
	gap     = "city.maru.feed.gap"
)

// cloudEvent is an event as JSON (CloudEvents 1.0, 3.1). The subject names the record by a name that only this feed has for it.
type cloudEvent struct {
	Version   string          `json:"specversion"`
	ID        string          `json:"id"`
	Source    string          `json:"source"`
	Type      string          `json:"type"`
	Subject   string          `json:"subject,omitempty"`
	Time      time.Time       `json:"time"`
	Media     string          `json:"datacontenttype,omitempty"`
	Agreement string          `json:"agreement"`
	Receipt   string          `json:"receipt,omitempty"`
	TooLong   bool            `json:"toolong,omitempty"` // data is left out: read the record by the agreement
	Data      json.RawMessage `json:"data,omitempty"`
}

// feed is how far the changes of a dataset have gone out by an agreement.
type feed struct {
	project, name, dataset, last string
	position                     int64
}

// follow begins or ends a version's feed, where it begins or ceases to hold.
func (x *Exchange) follow(ctx context.Context, tx *db.Tx, v *Version, was State) error {
	switch {
	case v.State == Active && v.Spec.Events:
		project, name := cut(v.Dataset)
		d := x.catalog().Dataset(project, name)
		if d == nil {
			return nil // reads are refused as well
		}
		position, err := x.registry.Follow(ctx, tx, d, true)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO feed (project, name, dataset, position) VALUES (?, ?, ?, ?)
			ON CONFLICT (project, name) DO UPDATE SET position = excluded.position, dataset = excluded.dataset, last = '' WHERE feed.dataset <> excluded.dataset`, v.Project, v.Name, v.Dataset, position)
		if err != nil {
			return fmt.Errorf("begin the feed of %s: %w", v.Path(), err)
		}
	case v.State == Active, v.State == Revoked && was != Requested:
		if _, err := tx.Exec(ctx, "DELETE FROM feed WHERE project = ? AND name = ?", v.Project, v.Name); err != nil {
			return fmt.Errorf("end the feed of %s: %w", v.Path(), err)
		}
	}
	return nil
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
	again   time.Time // when to settle again what couldn't be; zero for never
	head    int64     // of the outbox, when all had gone out
}

// round sends what there is.
func (s *sender) round(ctx context.Context) error {
	if held, err := s.lease(ctx); err != nil || !held {
		return err
	}
	feeds, head, changes, err := s.look(ctx)
	if err != nil {
		return err
	}
	if changes != s.changes || s.ready == nil || !s.again.IsZero() && time.Now().After(s.again) {
		if s.again = (time.Time{}); !s.settle(ctx, feeds) {
			s.again = time.Now().Add(feedCheck)
		}
		s.changes, s.head = changes, -1
	}
	if now := s.x.now(); now.Sub(s.checked) >= feedCheck || s.head == -1 {
		s.checked = now
		s.bus.Check(ctx)
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

// lease makes this node the one that sends, where no other is.
func (s *sender) lease(ctx context.Context) (bool, error) {
	now := s.x.now().UTC()
	if now.Before(s.leased.Add(-feedLease / 2)) {
		return true, nil
	}
	until := now.Add(feedLease)
	var n int64
	err := s.x.db.Write(ctx, func(tx *db.Tx) (err error) {
		n, err = tx.Exec(ctx, `INSERT INTO feed_lease (one, holder, until) VALUES (1, ?, ?)
			ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE feed_lease.holder = excluded.holder OR feed_lease.until < ?`,
			s.node, manifest.FormatDatetime(until), manifest.FormatDatetime(now))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("take the lease of feeds: %w", err)
	}
	if n == 0 {
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
		rows, err := tx.Query(ctx, "SELECT project, name, dataset, position, last FROM feed ORDER BY project, name")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			f := &feed{}
			if err := rows.Scan(&f.project, &f.name, &f.dataset, &f.position, &f.last); err != nil {
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
		last, err := s.bus.Last(ctx, stream)
		if err != nil {
			failed(stream, err)
		} else if last != f.last {
			slog.Warn("feeds: the bus has lost events, which go out again", "agreement", f.project+"/"+f.name)
			f.position = 0
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

// dataset sends the changes of one dataset to those who follow it, from the one that is the furthest behind on.
func (s *sender) dataset(ctx context.Context, path string, feeds []*feed) error {
	project, name := cut(path)
	for {
		d := s.x.catalog().Dataset(project, name)
		if d == nil {
			return nil // it is gone: so are its changes
		}
		first := slices.MinFunc(feeds, func(a, b *feed) int { return int(min(max(a.position-b.position, -1), 1)) })
		b := &batch{sender: s, dataset: d, contracts: map[*feed]*contract{}, consents: map[*feed]map[int64]bool{}}
		err := s.x.caughtUp(ctx, func() error {
			return s.x.db.Read(ctx, func(tx *db.Tx) error { return b.read(ctx, tx, feeds, first.position) })
		})
		if err != nil {
			return err
		}
		feeds = slices.DeleteFunc(slices.Clone(feeds), func(f *feed) bool { return b.contracts[f] == nil }) // suspended, cut off: theirs waits
		if len(feeds) == 0 {
			return nil
		}
		if len(b.changes) == 0 {
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

// batch is some changes of a dataset on their way out.
type batch struct {
	*sender
	dataset   *catalog.Dataset
	changes   []*registry.Changed
	forgotten int64 // up to where changes were forgotten before all had them
	contracts map[*feed]*contract
	consents  map[*feed]map[int64]bool
}

// read reads the changes behind a position, and by which contracts they go out: all in one state of the database.
func (b *batch) read(ctx context.Context, tx *db.Tx, feeds []*feed, after int64) (err error) {
	for _, f := range feeds {
		c, err := b.x.active(ctx, tx, f.project, f.name)
		if errors.Is(err, errBehind) {
			return err
		}
		if problem.As(err) != nil {
			continue
		}
		if err != nil {
			return err
		}
		b.contracts[f] = c
		if c.Spec.Asked() {
			if b.consents[f], err = b.x.consents(ctx, tx, c, nil); err != nil {
				return err
			}
		}
	}
	b.changes, b.forgotten, err = b.x.registry.Changes(ctx, tx, b.dataset, after, feedBatch)
	return err
}

// send sends the events of a feed, after their receipt is durable, and notes how far it is.
func (b *batch) send(ctx context.Context, f *feed) error {
	c := b.contracts[f]
	about := roaring.New()
	var events []*cloudEvent
	if f.position > 0 && f.position < b.forgotten {
		events = append(events, b.event(c, gap, b.x.now(), "", f.position))
	}
	to := f.position
	for _, change := range b.changes {
		if change.Position <= f.position {
			continue
		}
		to = change.Position
		e, subject, err := b.of(c, b.consents[f], change)
		if err != nil {
			return err
		}
		if e == nil {
			continue
		}
		events = append(events, e)
		if subject > 0 {
			about.Add(b.x.logged(subject))
		}
	}
	if to == f.position {
		return nil
	}
	if len(events) > 0 {
		receipt, err := b.receipt(ctx, c, int64(len(events)), about)
		if err != nil {
			return err
		}
		messages := make([]bus.Message, len(events))
		for i, e := range events {
			e.Receipt = strconv.FormatInt(receipt, 10)
			text, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if len(text) > bus.MaxMessage {
				e.Data, e.Media, e.TooLong = nil, "", true
				if text, err = json.Marshal(e); err != nil {
					return err
				}
			}
			key := e.Subject
			if key == "" {
				key = "-"
			}
			messages[i] = bus.Message{ID: e.ID, Subject: key, Data: text}
		}
		if err := b.bus.Publish(ctx, StreamOf(f.project, f.name), messages); err != nil {
			return err
		}
		f.last = messages[len(messages)-1].ID
	}
	f.position = to
	return b.x.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE feed SET position = ?, last = ? WHERE project = ? AND name = ? AND dataset = ?", f.position, f.last, f.project, f.name, f.dataset)
		if err != nil {
			return fmt.Errorf("note how far a feed is: %w", err)
		}
		return nil
	})
}

// of is what a change is for who follows by a contract: nil where they see nothing of it. subject is whom it is about.
func (b *batch) of(c *contract, consents map[int64]bool, change *registry.Changed) (*cloudEvent, int64, error) {
	before, subject, err := b.seen(c, consents, change.Before)
	if err != nil {
		return nil, 0, err
	}
	after, who, err := b.seen(c, consents, change.After)
	if err != nil {
		return nil, 0, err
	}
	kind := ""
	switch {
	case before == nil && after == nil, bytes.Equal(before, after):
		return nil, 0, nil
	case before == nil:
		kind, subject = created, who
	case after == nil:
		kind = deleted
	default:
		kind = updated
	}
	record, err := b.x.keys.Index("record of "+b.dataset.Path()+" for "+c.Path(), change.Key)
	if err != nil {
		return nil, 0, err
	}
	e := b.event(c, kind, change.At, record, change.Position)
	if after != nil {
		e.Media, e.Data = "application/json", after
	}
	return e, subject, nil
}

func (b *batch) event(c *contract, kind string, at time.Time, subject string, position int64) *cloudEvent {
	id, err := b.x.keys.Index("event of "+b.dataset.Path()+" for "+c.Path(), kind+" "+strconv.FormatInt(position, 10)) // numbers would tell of changes that others see
	if err != nil {
		panic(err) // the ring has its keys
	}
	return &cloudEvent{Version: "1.0", ID: id, Source: "/api/v1/datasets/" + b.dataset.Path(), Type: kind, Subject: subject, Time: at.UTC(), Agreement: c.Path()}
}

// seen is a state of a record as JSON, as who follows sees it; nil where they don't.
func (b *batch) seen(c *contract, consents map[int64]bool, rec *registry.Record) ([]byte, int64, error) {
	if rec == nil {
		return nil, 0, nil
	}
	if c.condition != nil {
		facts := make(map[string]any, len(rec.Fields))
		for i, f := range rec.Fields {
			facts[f.Name] = rec.Values[i]
		}
		if yes, err := c.condition.Eval(facts, b.x.today()); err != nil || !yes {
			return nil, 0, nil // as in SQL, what can't be answered isn't so
		}
	}
	var subject person
	narrow := &registry.Record{Key: rec.Key, Fields: rec.Fields, Values: make([]any, len(c.fields))}
	for i, f := range c.fields {
		narrow.Values[i] = rec.Values[slices.IndexFunc(rec.Fields, func(of *catalog.Field) bool { return of.Name == f.Name })]
	}
	if c.subject != nil {
		subject.identifier, _ = rec.Values[slices.IndexFunc(rec.Fields, func(f *catalog.Field) bool { return f.Name == c.subject.Name })].(string)
		ok := false
		if subject.number, ok = b.x.number(b.dataset.Project, "person", subject.identifier); !ok {
			slog.Warn("feeds: a record is left out: it can't be said whom it is about", "dataset", b.dataset.Path(), "agreement", c.Path())
			return nil, 0, nil
		}
		if c.Spec.Asked() && !consents[subject.number] {
			return nil, 0, nil
		}
	}
	fields := make([]*shown, len(c.fields))
	for i := range c.fields {
		fields[i] = &c.fields[i]
	}
	out, err := b.x.show(c, fields, narrow, subject)
	if problem.Code(err) == "exchange.identifier" {
		slog.Warn("feeds: a record is left out: it can't be said whom it is about", "dataset", b.dataset.Path(), "agreement", c.Path())
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	text, err := out.FieldsJSON()
	return text, subject.number, err
}

// receipt writes the receipt of events that are about to go out.
func (b *batch) receipt(ctx context.Context, c *contract, events int64, about *roaring.Bitmap) (int64, error) {
	fields := make([]*shown, len(c.fields))
	for i := range c.fields {
		fields[i] = &c.fields[i]
	}
	public := b.x.receipt(c, Request{Purpose: c.Spec.Purpose}, fields)
	public.Kind, public.Records, public.People = "event", events, int64(about.GetCardinality())
	private, err := b.x.private(&identity.Principal{Kind: identity.Service, Account: c.Project, Project: c.Project}, "")
	if err != nil {
		return 0, err
	}
	entry := ledger.Entry{}
	switch {
	case public.People == 1:
		private.Subject = int64(about.Minimum())
		entry.Subject = private.Subject
	case public.People > 1:
		entry.Subjects = about
	}
	entry.Public, entry.Private = public, private
	return b.x.log.Append(ctx, entry)
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
