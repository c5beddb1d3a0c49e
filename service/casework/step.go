package casework

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/term"
)

// ProcessStep is a step of the process of a case, of the office's own or the opinion of another one (협의). The office's own come one after the other, opinions all at once from the beginning. Nothing is approved before all are there, but for opinions that are overdue.
type ProcessStep struct {
	Name   string    `json:"name"`
	Title  lang.Text `json:"title"`
	Agency string    `json:"agency,omitempty" doc:"Whose opinion it is; absent for a step of the office itself"`
	Term   string    `json:"term,omitempty"`
	Began  time.Time `json:"began,omitzero" doc:"Absent as long as another comes first"`
	Due    time.Time `json:"due,omitzero" doc:"Absent while the clock stands"`
	Done   time.Time `json:"done,omitzero"`
	By     string    `json:"by,omitempty" doc:"The account, for the offices"`
	Person string    `json:"person,omitempty"`
	Note   string    `json:"note,omitempty" doc:"For the offices"`
	Told   bool      `json:"told,omitempty" doc:"That it is overdue was said"`
}

// open reports whether a step waits to be done.
func (s *ProcessStep) open() bool { return !s.Began.IsZero() && s.Done.IsZero() }

// plan lays out the steps of a case that has just been received: those whose guard doesn't say no.
func (c *Case) plan(one *service.Service) {
	for i := range one.Steps {
		s := &one.Steps[i]
		if !s.Applies(c.body.known(), c.body.AsOf) {
			continue
		}
		c.body.Steps = append(c.body.Steps, ProcessStep{Name: s.Spec.Name, Title: s.Spec.Title, Agency: s.Spec.Agency, Term: s.Spec.Due})
	}
	c.proceed(c.Received)
}

// proceed begins what can begin: all opinions, and the first step of the office that isn't done.
func (c *Case) proceed(now time.Time) {
	first := true
	for i := range c.body.Steps {
		s := &c.body.Steps[i]
		switch {
		case s.Agency != "" && s.Began.IsZero():
			s.Began = now
		case s.Agency == "" && s.Done.IsZero():
			if first && s.Began.IsZero() {
				s.Began = now
			}
			first = false
		}
	}
}

// countSteps says when the steps are due, by a calendar: not while the clock of the case stands.
func (c *Case) countSteps(cal *term.Calendar) {
	for i := range c.body.Steps {
		s := &c.body.Steps[i]
		s.Due = time.Time{}
		t, ok := term.Parse(s.Term)
		if !ok || !s.open() || cal == nil || c.State != Received {
			continue
		}
		clock := term.Clock{Term: t, Began: s.Began}
		for _, p := range c.body.Clock.Pauses {
			if p.To.After(s.Began) {
				clock.Pauses = append(clock.Pauses, p)
			}
		}
		if due, err := clock.Due(cal); err == nil {
			s.Due = due.UTC()
		}
	}
}

// stepDue is when the next step is due.
func (c *Case) stepDue() (soonest time.Time) {
	for i := range c.body.Steps {
		if due := c.body.Steps[i].Due; !due.IsZero() && (soonest.IsZero() || due.Before(soonest)) {
			soonest = due
		}
	}
	return soonest
}

// awaited are the offices whose opinion isn't there yet.
func (c *Case) awaited() (out []string) {
	for i := range c.body.Steps {
		if s := &c.body.Steps[i]; s.Agency != "" && s.open() && !c.Done && !slices.Contains(out, s.Agency) {
			out = append(out, s.Agency)
		}
	}
	return out
}

// index keeps which offices' opinions are awaited, for their queues.
func (s *Store) index(ctx context.Context, tx *db.Tx, c *Case) error {
	if len(c.body.Steps) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, "DELETE FROM case_opinion WHERE case_id = ?", c.ID); err != nil {
		return fmt.Errorf("keep whose opinion on case %s is awaited: %w", c.ID, err)
	}
	for _, agency := range c.awaited() {
		if _, err := tx.Exec(ctx, "INSERT INTO case_opinion (case_id, agency) VALUES (?, ?)", c.ID, agency); err != nil {
			return fmt.Errorf("keep whose opinion on case %s is awaited: %w", c.ID, err)
		}
	}
	return nil
}

// advises reports whether somebody works for an office whose opinion on a case is asked for, as long as it isn't done with.
func (s *Store) advises(who *identity.Principal, c *Case) bool {
	now := s.Catalog.Snapshot()
	return !c.Done && slices.ContainsFunc(c.body.Steps, func(x ProcessStep) bool { return x.Agency != "" && advisesOn(now, who, &x) })
}

func advisesOn(now *catalog.Snapshot, who *identity.Principal, s *ProcessStep) bool {
	return who.May(identity.DecideCases, identity.Place{Owners: now.Chain(s.Agency)})
}

// step is the one of a name that waits to be done, of the office itself or of others.
func (d *deed) step(opinion bool) (*ProcessStep, error) {
	var names []string
	for i := range d.body.Steps {
		s := &d.body.Steps[i]
		if !s.open() || (s.Agency != "") != opinion || opinion && !advisesOn(d.catalog, d.who, s) {
			continue
		}
		if names = append(names, s.Name); s.Name == d.input.Step || d.input.Step == "" {
			return s, nil
		}
	}
	hint := lang.T("지금 할 수 있는 단계가 없습니다", "no step waits to be done")
	if near := manifest.Nearest(d.input.Step, names); near != "" {
		hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	return nil, problem.New("case.step", 422, lang.F("지금 할 수 있는 단계가 아닙니다: %s", "the step %s doesn't wait to be done", d.input.Step)).Hinting(hint)
}

// doStep records that a step is done, by the office or by the one whose opinion it is.
func doStep(opinion bool) func(*deed) error {
	return func(d *deed) error {
		s, err := d.step(opinion)
		if err != nil {
			return err
		}
		text, err := d.said()
		if err != nil {
			return err
		}
		s.Done, s.By, s.Person, s.Note, s.Due = d.now, d.who.Actor(), d.who.Name, text, time.Time{}
		d.note = s.Title.Ko + ": " + text
		d.proceed(d.now)
		return nil
	}
}

func hasStep(opinion bool) func(manifest.Process, *Case) bool {
	return func(_ manifest.Process, c *Case) bool {
		return slices.ContainsFunc(c.body.Steps, func(s ProcessStep) bool { return s.open() && (s.Agency != "") == opinion })
	}
}

// stepped says which steps have to be done before it is approved. An opinion that didn't come in time isn't waited for.
func (d *deed) stepped() error {
	p := problem.New("case.step", 409, lang.T("먼저 해야 할 단계가 있습니다", "some steps have to be done first"))
	for i := range d.body.Steps {
		s := &d.body.Steps[i]
		if !s.Done.IsZero() || s.Agency != "" && !s.Due.IsZero() && !s.Due.After(d.now) {
			continue
		}
		p.At = append(p.At, problem.Detail{Code: "case.step", Where: s.Name, Message: s.Title})
	}
	if len(p.At) == 0 {
		return nil
	}
	return p
}
