package casework

import (
	"context"
	"slices"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// Act does an action to a case for somebody, and returns the case as it is then: without what is in it, where it went to another office.
//
// Codes: auth.needed; case.unknown, case.action, auth.refused, case.state, case.moved; those of the action: case.reason, case.days, case.clause, case.ground, case.agency, case.against_rule,
// case.same_person, case.asked_twice, case.more_time, case.objection_late, clock.extend, clock.extended, clock.consent, clock.none, calendar.missing, service.facts.
func (s *Store) Act(ctx context.Context, who *identity.Principal, id, name string, in ActionInput) (*File, error) {
	seen, err := s.visible(ctx, who, id)
	if err != nil {
		return nil, err
	}
	a := find(name)
	if a == nil {
		p := problem.New("case.action", 404, unknownAction(name))
		return nil, p
	}
	if !s.may(who, seen, a.by) {
		return nil, who.Refused()
	}
	one, err := s.as(ctx, seen.Revision, seen.Project, seen.Service)
	if err != nil {
		return nil, err
	}
	now := s.Catalog.Snapshot()
	var c *Case
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "applications of "+seen.person); err != nil { // of two that exclude each other one is approved
			return err
		}
		if c, err = s.one(ctx, tx, id); err != nil {
			return err
		}
		if c.Version != in.Version {
			return moved()
		}
		if !s.may(who, c, a.by) {
			return unknown(id)
		}
		if !a.open(processOf(one), c) {
			return refusedState(a, c)
		}
		cal, why := calendar(now, one.Spec.Process)
		d := &deed{Case: c, input: in, who: who, now: s.Now().UTC().Truncate(1e6), service: one, current: s.Services.Service(seen.Project, seen.Service), cal: cal, catalog: now}
		if d.conflicts, err = s.conflicts(ctx, tx, now, c, one); err != nil {
			return err
		}
		if d.papers, err = s.papers(ctx, tx, "case_id = ?", id); err != nil {
			return err
		}
		if d.draw, err = s.drawn(ctx, tx, now, one, c); err != nil {
			return err
		}
		if err := a.do(d); err != nil {
			return err
		}
		c.settled(processOf(one))
		c.count(cal, why)
		c.awaken()
		if c.Agency != seen.Agency { // it went to another office, which has people of its own
			if err := s.assign(ctx, tx, one, c); err != nil {
				return err
			}
		}
		e := CaseStep{Action: a.name, Internal: a.internal || c.State == Proposed && a.by == office, Note: d.note} // what isn't confirmed yet is nobody's outside
		if a.by != citizen {
			e.Actor, e.Name, e.Office = who.Actor(), who.Name, who.Agency
		}
		if err := s.update(ctx, tx, c); err != nil {
			return err
		}
		return s.event(ctx, tx, c, e)
	})
	if err != nil {
		return nil, err
	}
	d, err := s.Get(ctx, who, id)
	if problem.Code(err) == "case.unknown" { // it is another office's now
		c.body = body{}
		return &File{Case: c, StateTitle: c.State.Title(), Office: now.Title(manifest.Key{Kind: "Agency", Name: c.Agency}), Facts: []ShownFact{}, History: []CaseStep{}, Actions: []Action{}, Papers: []*Paper{}, Needed: []Needed{}}, nil
	}
	return d, err
}

// may reports whether somebody is a party to a case.
func (s *Store) may(who *identity.Principal, c *Case, as party) bool {
	switch as {
	case citizen:
		return isTheirs(who, c)
	case office:
		return s.mayDecide(who, c)
	}
	return s.advises(who, c)
}

// settled says whether anything is waited for.
func (c *Case) settled(p manifest.Process) {
	c.Done = slices.Contains([]State{Paid, Refused, Dismissed, Returned, Withdrawn}, c.State) || c.State == Approved && !pays(p, c)
}

// Get is a case as somebody may see it who may.
func (s *Store) Get(ctx context.Context, who *identity.Principal, id string) (*File, error) {
	c, err := s.visible(ctx, who, id)
	if err != nil {
		return nil, err
	}
	mine := isTheirs(who, c)
	one, err := s.as(ctx, c.Revision, c.Project, c.Service)
	if err != nil {
		return nil, err
	}
	now := s.Catalog.Snapshot()
	out := &File{
		Case: c, StateTitle: c.State.Title(), Office: now.Title(manifest.Key{Kind: "Agency", Name: c.Agency}), AsOf: c.body.AsOf, Verdict: c.body.Verdict, Uncounted: c.body.Uncounted,
		Asked: c.body.Asked, Decision: c.body.Decision, Objection: c.body.Objection, Actions: []Action{}, Facts: s.shown(one, c.body.Facts), Mine: mine, Needed: c.needed(one),
	}
	decides := s.mayDecide(who, c)
	out.Steps = slices.Clone(c.body.Steps)
	for i := range out.Steps { // who did it, and what was found, is the offices' own
		if step := &out.Steps[i]; !decides && (mine || step.Agency == "" || !advisesOn(now, who, step)) {
			step.By, step.Person, step.Note = "", "", ""
		}
	}
	if c.body.Clock.Term.N > 0 {
		out.Term = c.body.Clock.Term.Text()
	}
	if mine {
		c.Assignee = ""          // accounts are the office's own
		if c.State == Proposed { // what isn't decided yet is nobody's outside
			out.Decision = nil
		}
		if out.Decision != nil {
			out.Decision.By = ""
		}
	}
	for i := range actions {
		a := &actions[i]
		if s.may(who, c, a.by) && a.open(processOf(one), c) {
			out.Actions = append(out.Actions, Action{Name: a.name, Title: a.title, Says: a.says, Needs: append([]string{}, a.needs...)})
		}
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		if decides {
			if out.Conflicts, err = s.conflicts(ctx, tx, now, c, one); err != nil {
				return err
			}
		}
		if out.Papers, err = s.papers(ctx, tx, "case_id = ?", c.ID); err != nil {
			return err
		}
		if out.Draw, err = s.drawn(ctx, tx, now, one, c); err != nil {
			return err
		}
		out.History, err = s.history(ctx, tx, c, decides)
		return err
	})
	if !decides {
		out.Papers = slices.DeleteFunc(out.Papers, func(p *Paper) bool { return p.Internal && (mine || p.By != who.Actor()) })
	}
	if mine {
		for _, p := range out.Papers {
			p.By = ""
		}
	}
	return out, err
}

// ServiceOf is the service of a case as it was applied for.
func (s *Store) ServiceOf(ctx context.Context, c *Case) (*service.Service, error) {
	return s.as(ctx, c.Revision, c.Project, c.Service)
}
