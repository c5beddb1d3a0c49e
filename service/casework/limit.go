package casework

import (
	"context"
	"fmt"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// closed is the problem that a service takes no applications on a day, or nil.
func closed(one *service.Service, day manifest.Day) error {
	w := one.Spec.NearWindow(day)
	if w == nil || one.Spec.WindowOn(day) != nil {
		return nil
	}
	return problem.New("application.closed", 409, lang.F("지금은 신청을 받지 않습니다: %[1]s (신청 기간 %[2]s–%[3]s)", "%[1]s takes no applications now: it does from %[2]s to %[3]s", one.Spec.Title, string(w.From), string(w.To)))
}

// onceKey is an index of what a service is given once for beside the person; "" where that is the person.
func (s *Store) onceKey(one *service.Service, b *body) (string, error) {
	if one.Spec.OnceBy == "" {
		return "", nil
	}
	f := b.fact(one.Spec.OnceBy)
	if f == nil || f.Value == nil {
		return "", nil // a caseworker sees that it isn't known
	}
	return s.Keys.Index("once "+one.Path(), fmt.Sprint(f.Value))
}

// given is a case by which a service has been given already to whom it is given once, or nil. but is the case that asks.
func (s *Store) given(ctx context.Context, tx *db.Tx, one *service.Service, person, key, but string, now time.Time) (*Case, error) {
	if one.Spec.Once == "" {
		return nil, nil
	}
	where, args := "project = ? AND service = ? AND state IN (?, ?) AND id <> ?", []any{one.Project, one.Name, Approved, Paid, but}
	switch {
	case one.Spec.OnceBy == "":
		where, args = where+" AND person = ?", append(args, person)
	case key == "":
		return nil, nil
	default:
		where, args = where+" AND once_key = ?", append(args, key)
	}
	if one.Spec.Once == "year" {
		year := time.Date(now.In(manifest.Seoul).Year(), 1, 1, 0, 0, 0, 0, manifest.Seoul)
		where, args = where+" AND received >= ?", append(args, stored(year))
	}
	list, err := s.cases(ctx, tx, where+" ORDER BY received LIMIT 1", args...)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0], nil
}

// Conflict is what stands against giving a service.
type Conflict struct {
	Case    string    `json:"case"`
	Service string    `json:"service"`
	Title   lang.Text `json:"title"`
	State   State     `json:"state"`
	Once    bool      `json:"once,omitempty" doc:"It has been given once already; otherwise the two exclude each other"`
	Counts  bool      `json:"counts,omitempty" doc:"They may be had together, but one counts as income for the other"`
}

// conflicts are the person's other cases that stand against giving a service: of services that it excludes, approved or under way; and of the same one, where it is given once. Beside them are those that count as income for it, or it for them: these only have to be known.
func (s *Store) conflicts(ctx context.Context, tx *db.Tx, now *catalog.Snapshot, c *Case, one *service.Service) (out []Conflict, err error) {
	key, err := s.onceKey(one, &c.body)
	if err != nil {
		return nil, err
	}
	before, err := s.given(ctx, tx, one, c.person, key, c.ID, c.Received)
	if err != nil {
		return nil, err
	}
	if before != nil {
		out = append(out, Conflict{before.ID, before.Project + "/" + before.Service, before.Title, before.State, true, false})
	}
	others, err := s.cases(ctx, tx, "person = ? AND id <> ? AND (done = ? OR state IN (?, ?)) ORDER BY received DESC LIMIT 200", c.person, c.ID, false, Approved, Paid)
	if err != nil {
		return nil, err
	}
	for _, o := range others {
		switch other := s.Services.Service(o.Project, o.Service); {
		case other == nil:
		case service.Excluded(one, other):
			out = append(out, Conflict{o.ID, other.Path(), now.Title(other.Key), o.State, false, false})
		case service.Counted(one, other) || service.Counted(other, one):
			out = append(out, Conflict{o.ID, other.Path(), now.Title(other.Key), o.State, false, true})
		}
	}
	return out, nil
}
