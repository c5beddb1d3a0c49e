package casework

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// revisions are services as former revisions made them: a case keeps the rule that it was applied for by.
type revisions struct {
	mu sync.Mutex
	by map[string]*service.Service // by revision and path
}

// maxRevisions is how many services of former revisions are kept ready.
const maxRevisions = 500

// as is a service as a revision made it.
func (s *Store) as(ctx context.Context, revision int64, project, name string) (*service.Service, error) {
	if s.Catalog.Snapshot().Revision == revision {
		if one := s.Services.Service(project, name); one != nil {
			return one, nil
		}
	}
	key := fmt.Sprintf("%d %s/%s", revision, project, name)
	s.then.mu.Lock()
	one := s.then.by[key]
	s.then.mu.Unlock()
	if one != nil {
		return one, nil
	}
	at, err := s.Catalog.At(ctx, revision)
	if err != nil {
		return nil, err
	}
	r := at.Get(manifest.Key{Kind: "Service", Project: project, Name: name})
	if r == nil {
		return nil, fmt.Errorf("revision %d has no service %s/%s", revision, project, name)
	}
	one, findings := service.Compile(at, r)
	if one == nil {
		return nil, fmt.Errorf("service %s/%s of revision %d can't be made ready: %v", project, name, revision, findings)
	}
	s.then.mu.Lock()
	defer s.then.mu.Unlock()
	if s.then.by == nil || len(s.then.by) >= maxRevisions {
		s.then.by = map[string]*service.Service{}
	}
	s.then.by[key] = one
	return one, nil
}

// Reproduction is a verdict made again.
type Reproduction struct {
	Same     bool             `json:"same" doc:"The verdict is the same, to the letter"`
	Revision int64            `json:"revision" doc:"Of the catalog: the rule and the parameters"`
	AsOf     manifest.Day     `json:"as_of"`
	Rule     string           `json:"rule" doc:"The service's manifest as it was then"`
	Kept     *service.Verdict `json:"kept"`
	Again    *service.Verdict `json:"again"`
}

// Reproduce makes the verdict of a case again: by the rule of its revision, the parameters of its day and its facts. Whoever may see the case may.
func (s *Store) Reproduce(ctx context.Context, who *identity.Principal, id string) (*Reproduction, error) {
	c, err := s.visible(ctx, who, id)
	if err != nil {
		return nil, err
	}
	one, err := s.as(ctx, c.Revision, c.Project, c.Service)
	if err != nil {
		return nil, err
	}
	out := &Reproduction{Revision: c.Revision, AsOf: c.body.AsOf, Rule: one.Text, Kept: c.body.Verdict, Again: one.Check(c.body.known(), c.body.AsOf)}
	if d := c.body.Decision; d != nil {
		out.Kept = d.Verdict
	}
	kept, err := json.Marshal(out.Kept)
	if err != nil {
		return nil, err
	}
	again, err := json.Marshal(out.Again)
	out.Same = bytes.Equal(kept, again)
	return out, err
}

// visible is a case that somebody may see: a citizen theirs, an official those of their office, and those on which its opinion is asked for.
func (s *Store) visible(ctx context.Context, who *identity.Principal, id string) (c *Case, err error) {
	if !who.SignedIn() {
		return nil, who.Refused()
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		c, err = s.one(ctx, tx, id)
		return err
	})
	if err == nil && !isTheirs(who, c) && !s.mayDecide(who, c) && !s.advises(who, c) {
		err = unknown(id)
	}
	return c, err
}

// refusedState is the problem that an action can't be done now.
func refusedState(a *action, c *Case) error {
	return problem.New("case.state", 409, lang.F("지금은 할 수 없습니다: %[1]s (%[2]s)", "“%[1]s” can't be done now (%[2]s)", a.title, c.State.Title())).Hinting(lang.T("지금 하실 수 있는 일은 actions에 있습니다", "what can be done now is in actions"))
}
