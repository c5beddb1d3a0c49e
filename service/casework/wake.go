package casework

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/manifest"
)

// What is told when its time has come.
const (
	toldLapsed   = "lapsed"       // the time for a supplement is over
	toldOverdue  = "overdue"      // it should have been decided
	toldStep     = "step-overdue" // a step should have been done
	toldProgress = "progress"     // it has been under way for 30 days, or for 30 more (민원처리법 시행령 제23조)
)

// progressDays is how often citizens are told how far it is.
const progressDays = 30

// awaken sets when something is to be told next.
func (c *Case) awaken() {
	c.wake = time.Time{}
	if c.Done {
		return
	}
	soonest := func(at time.Time) {
		if !at.IsZero() && (c.wake.IsZero() || at.Before(c.wake)) {
			c.wake = at
		}
	}
	if c.State == Supplement && c.body.Told[toldLapsed] == "" {
		soonest(c.body.Asked.Until)
	}
	if c.body.Told[toldOverdue] != stored(c.Due) {
		soonest(c.Due)
	}
	for i := range c.body.Steps {
		if s := &c.body.Steps[i]; !s.Told {
			soonest(s.Due)
		}
	}
	soonest(c.progress())
}

// progress is when the citizen is told next how far it is.
func (c *Case) progress() time.Time {
	last := c.Received
	if told := c.body.Told[toldProgress]; told != "" {
		if at, err := time.Parse(manifest.DatetimeLayout, told); err == nil {
			last = at
		}
	}
	return last.AddDate(0, 0, progressDays)
}

// Wake tells what is to be told by now, each thing once, also what came due while nobody was awake; and counts open terms anew where the calendar has changed. One case's trouble doesn't stop another's: it is logged
// and tried again the next time. It returns how many cases it touched.
func (s *Store) Wake(ctx context.Context) (n int, err error) {
	if _, err := s.closeDraws(ctx); err != nil {
		slog.Error("casework: a draw can't be closed yet", "error", err)
	}
	now := s.Now().UTC()
	var due []string
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT id FROM service_case WHERE wake <> '' AND wake <= ? ORDER BY wake LIMIT 1000", stored(now))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			due = append(due, id)
		}
		return rows.Err()
	})
	if err != nil {
		return 0, fmt.Errorf("look for what is due: %w", err)
	}
	for _, id := range due {
		if err := s.wakeOne(ctx, id, now); err != nil {
			if ctx.Err() != nil {
				return n, ctx.Err()
			}
			slog.Error("casework: what is due of a case can't be told yet", "case", id, "error", err)
			continue
		}
		n++
	}
	return n, nil
}

// wakeOne tells what is due of a case.
func (s *Store) wakeOne(ctx context.Context, id string, now time.Time) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		c, err := s.one(ctx, tx, id)
		if err != nil {
			return err
		}
		if c.wake.IsZero() || c.wake.After(now) {
			return nil // another node was quicker
		}
		if c.body.Told == nil {
			c.body.Told = map[string]string{}
		}
		tell := func(what, value string, internal bool) error {
			c.body.Told[what] = value
			return s.event(ctx, tx, c, CaseStep{Action: what, Internal: internal})
		}
		var errs []error
		if c.State == Supplement && c.body.Told[toldLapsed] == "" && !c.body.Asked.Until.After(now) {
			errs = append(errs, tell(toldLapsed, stored(now), false))
		}
		if !c.Due.IsZero() && !c.Due.After(now) && c.body.Told[toldOverdue] != stored(c.Due) {
			errs = append(errs, tell(toldOverdue, stored(c.Due), true))
		}
		for i := range c.body.Steps {
			if step := &c.body.Steps[i]; !step.Told && !step.Due.IsZero() && !step.Due.After(now) {
				step.Told = true
				errs = append(errs, s.event(ctx, tx, c, CaseStep{Action: toldStep, Internal: true, Note: step.Title.Ko}))
			}
		}
		if !c.progress().After(now) {
			errs = append(errs, tell(toldProgress, stored(now), false))
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
		c.awaken()
		return s.update(ctx, tx, c)
	})
}

// Recount counts the terms of open cases anew by the calendar as it is now, and says in the history of each whose due time moved. It returns how many did.
func (s *Store) Recount(ctx context.Context) (moved int, err error) {
	after := ""
	for {
		var list []*Case
		err := s.DB.Read(ctx, func(tx *db.Tx) error {
			list, err = s.cases(ctx, tx, "done = ? AND id > ? ORDER BY id LIMIT 500", false, after)
			return err
		})
		if err != nil || len(list) == 0 {
			return moved, err
		}
		after = list[len(list)-1].ID
		for _, c := range list {
			one, err := s.ServiceOf(ctx, c)
			if err != nil {
				slog.Error("casework: the service of a case can't be read", "case", c.ID, "error", err)
				continue
			}
			cal, why := calendar(s.Catalog.Snapshot(), one.Spec.Process)
			before, uncounted := c.Due, c.body.Uncounted
			if c.count(cal, why); c.Due.Equal(before) && c.body.Uncounted == uncounted {
				continue
			}
			c.awaken()
			err = s.DB.Write(ctx, func(tx *db.Tx) error {
				if err := s.update(ctx, tx, c); err != nil {
					return err
				}
				return s.event(ctx, tx, c, CaseStep{Action: "calendar", Note: strings.TrimSpace(stored(before) + " → " + stored(c.Due))})
			})
			if err != nil { // somebody did something to it meanwhile, which counted it anew too
				slog.Warn("casework: a due time can't be counted anew yet", "case", c.ID, "error", err)
				continue
			}
			moved++
		}
	}
}
