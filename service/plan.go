package service

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Services are the services of the catalog, made ready. It is safe for concurrent use.
type Services struct {
	catalog func() *catalog.Snapshot
	shelf   atomic.Pointer[shelf]
}

// shelf is the services of a revision.
type shelf struct {
	revision int64
	snapshot *catalog.Snapshot
	services map[string]*Service // by project/name; those that can't be made ready aren't there
	list     []*Service
}

// New makes the services of a catalog.
func New(now func() *catalog.Snapshot) *Services { return &Services{catalog: now} }

// at is the shelf of the catalog as it is now. What hasn't changed isn't made again.
func (s *Services) at() *shelf {
	now := s.catalog()
	known := s.shelf.Load()
	if known != nil && known.revision == now.Revision {
		return known
	}
	made := &shelf{revision: now.Revision, services: map[string]*Service{}}
	for _, r := range now.List("Service") {
		one := known.still(now, r)
		if one == nil {
			var findings []manifest.Finding
			if one, findings = Compile(now, r); len(findings) > 0 {
				continue
			}
		}
		made.services[one.Path()] = one
		if offered(now, one.Project) {
			made.list = append(made.list, one)
		}
	}
	made.snapshot = now
	s.shelf.Store(made)
	return made
}

// offered reports whether a project's services are for citizens: not as long as it is an idea, and not any more when it is retired.
func offered(s *catalog.Snapshot, project string) bool {
	r := s.Get(manifest.Key{Kind: "Project", Name: project})
	if r == nil {
		return false
	}
	p, ok := r.Spec.(*manifest.Project)
	return ok && p.Lifecycle != "idea" && p.Lifecycle != "retired"
}

// Offered reports whether a service is offered to citizens now.
func (s *Services) Offered(one *Service) bool { return offered(s.catalog(), one.Project) }

// still is a service that nothing has changed since the shelf was made, or nil.
func (s *shelf) still(now *catalog.Snapshot, r *manifest.Resource) *Service {
	if s == nil || !unchanged(s.snapshot, now, r) {
		return nil
	}
	return s.services[r.Project+"/"+r.Name]
}

// unchanged reports whether a service and all that it is made from is the same in two snapshots.
func unchanged(before, after *catalog.Snapshot, r *manifest.Resource) bool {
	for _, kind := range []string{"Term", "Vocabulary", "Parameter", "Calendar"} {
		if !slices.Equal(before.List(kind), after.List(kind)) {
			return false
		}
	}
	same := func(key manifest.Key) bool { return before.Get(key) == after.Get(key) }
	if !same(r.Key) {
		return false
	}
	for _, f := range r.Spec.(*manifest.Service).Facts {
		if f.From == "" {
			continue
		}
		key := f.Agreement(r.Project)
		if !same(key) {
			return false
		}
		if a := after.Get(key); a != nil && !same(a.Spec.(*manifest.Agreement).Provider(a.Project)) {
			return false
		}
	}
	return true
}

// Service returns a service, or nil.
func (s *Services) Service(project, name string) *Service { return s.at().services[project+"/"+name] }

// List lists the services that are offered, in order of project and name.
func (s *Services) List() []*Service { return s.at().list }

// Follower looks at services in plans. It implements [catalog.Follower].
type Follower struct {
	// Sample is the made-up people on whom clauses are tried; nil where there are none.
	Sample func() *Sample
}

// Plan says what is wrong with services: by themselves, and by the agreements, datasets, terms and parameters that they name.
func (f Follower) Plan(_ context.Context, _ *db.Tx, before, after *catalog.Snapshot, _ *identity.Principal, _ bool) (_ []catalog.Step, findings []manifest.Finding, _ error) {
	for _, r := range after.List("Service") {
		if !unchanged(before, after, r) {
			findings = append(findings, trial(after, r, f.Sample)...)
		}
	}
	return nil, findings, nil
}

// Apply does nothing: services have no tables.
func (Follower) Apply(context.Context, *db.Tx, *catalog.Snapshot, *catalog.Snapshot, *identity.Principal, bool) error {
	return nil
}
