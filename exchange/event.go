package exchange

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/bus"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/registry"
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
		var began int64
		err = tx.QueryRow(ctx, "SELECT began FROM feed WHERE project = ? AND name = ?", f.project, f.name).Scan(&began)
		if db.NoRows(err) || err == nil && began != f.began {
			continue // another version holds since the feeds were looked at: it has its own beginning
		}
		if err != nil {
			return fmt.Errorf("look at the feed of %s/%s: %w", f.project, f.name, err)
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
	to := f.position
	if b.gapped(f) {
		to = max(f.began, b.forgotten)
		events = append(events, b.event(c, gap, b.x.now(), "", to))
	}
	for _, change := range b.changes {
		if change.Position <= to {
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
			messages[i] = bus.Message{ID: e.ID, Data: text}
		}
		if f.position < f.began { // what was sent by another version, or of those who had consented, isn't for who reads now
			if err := b.purge(ctx, f, messages); err != nil {
				return err
			}
		}
		if err := b.bus.Publish(ctx, StreamOf(f.project, f.name), messages); err != nil {
			return err
		}
		f.last = messages[len(messages)-1].ID
	}
	f.position = to
	return b.note(ctx, f)
}

// gapped reports whether who follows must read all again: changes were forgotten before they had them, or another version holds.
func (b *batch) gapped(f *feed) bool { return f.position < max(f.began, b.forgotten) }

// purge empties a feed's stream of what was sent before its beginning, unless what is to be sent is there already.
func (b *batch) purge(ctx context.Context, f *feed, messages []bus.Message) error {
	stream := StreamOf(f.project, f.name)
	last, _, err := b.bus.Last(ctx, stream)
	if err != nil || slices.ContainsFunc(messages, func(m bus.Message) bool { return m.ID == last }) {
		return err
	}
	return b.bus.Purge(ctx, stream)
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

// eventID is the same whenever an event goes out. Numbers would tell of changes that others see.
func (x *Exchange) eventID(dataset, agreement, kind string, position int64) string {
	id, err := x.keys.Index("event of "+dataset+" for "+agreement, kind+" "+strconv.FormatInt(position, 10))
	if err != nil {
		panic(err) // the ring has its keys
	}
	return id
}

func (b *batch) event(c *contract, kind string, at time.Time, subject string, position int64) *cloudEvent {
	return &cloudEvent{Version: "1.0", ID: b.x.eventID(b.dataset.Path(), c.Path(), kind, position), Source: "/api/v1/datasets/" + b.dataset.Path(), Type: kind, Subject: subject, Time: at.UTC(), Agreement: c.Path()}
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
	out, err := b.x.show(c, c.all(), narrow, subject)
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
	public := b.x.receipt(c, Request{Purpose: c.Spec.Purpose}, c.all())
	public.Kind, public.Records = "event", events
	private, err := b.x.private(&identity.Principal{Kind: identity.Service, Account: c.Project, Project: c.Project}, "")
	if err != nil {
		return 0, err
	}
	return b.x.log.Append(ctx, entry(public, private, about))
}
