package registry

import (
	"context"
	"fmt"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// sight is how much of a dataset's records a change tells who makes it. A plan costs nothing and leaves no receipt: where it told more than may be read, all could be
// read by planning.
type sight struct {
	looks   bool           // the records are looked at
	most    manifest.Class // of fields up to it counts are told; of others only that something is wrong
	privacy bool           // may take unique identifiers out of their seal
}

// planning is what a plan tells: nothing of the records of others' projects.
func planning(who *identity.Principal, place identity.Place) sight {
	v := applying(who, place)
	v.looks = who.May(identity.Change, place)
	return v
}

// applying is what is told when it is done: then the records must be looked at, whoever does it.
func applying(who *identity.Principal, place identity.Place) sight {
	_, most := readableBy(who, place)
	return sight{looks: true, most: most, privacy: who.May(identity.ApprovePrivacy, identity.Place{})}
}

// tells reports whether counts over fields are told: as they are classed before the change, and after it.
func (v sight) tells(fields ...*catalog.Field) bool {
	for _, f := range fields {
		if !v.most.AtLeast(f.Class) {
			return false
		}
	}
	return true
}

// open reports whether values of fields may stand in a message at all.
func open(fields ...*catalog.Field) bool {
	for _, f := range fields {
		if f.Class.AtLeast(manifest.Personal) {
			return false
		}
	}
	return true
}

// keyOpen reports whether a record's key may stand in a message. Where there is no key it is a hash of all values, of which some can be guessed.
func (t *table) keyOpen() bool {
	names := t.Spec.Key
	if len(names) == 0 {
		return !t.Class().AtLeast(manifest.Personal)
	}
	for _, name := range names {
		if f := t.Field(name); f == nil || !open(f) {
			return false
		}
	}
	return true
}

// exposes lists the fields of which others could read what who makes the change may not: whose class falls below personal, or from unique.
func (s *shape) exposes(v sight) (names []string) {
	for i, at := range s.from {
		if at < 0 {
			continue
		}
		old, now := s.before.Fields[at].Class, s.after.Fields[i].Class
		falls := old.AtLeast(manifest.Personal) && !now.AtLeast(manifest.Personal)
		if old == manifest.Unique && now != manifest.Unique && !v.privacy || old != manifest.Unique && falls && !v.most.AtLeast(old) {
			names = append(names, s.after.Fields[i].Name)
		}
	}
	return names
}

// keepsAny reports whether there are records, or former states of some.
func (t *table) keepsAny(ctx context.Context, tx *db.Tx) (any bool, err error) {
	err = tx.QueryRow(ctx, "SELECT (SELECT count(*) FROM (SELECT 1 FROM "+t.name+" LIMIT 1) AS r) + (SELECT count(*) FROM (SELECT 1 FROM former WHERE dataset_id = ? LIMIT 1) AS f) > 0", t.id).Scan(&any)
	if err != nil {
		return false, fmt.Errorf("look for records of %s: %w", t.Path(), err)
	}
	return any, nil
}

var (
	exposedText = func(names []string) lang.Text {
		return lang.F("읽을 권한이 없는 항목의 보호 등급을 낮출 수 없습니다: %s", "you may not lower the class of what you may not read: %s", strings.Join(names, ", "))
	}
	exposedHint = lang.T("개인정보를 읽을 수 있는 역할(데이터 관리자 등)도 있어야 하며, 고유식별정보는 개인정보 보호책임자여야 합니다", "it takes a role that reads personal data too, such as steward; for unique identifiers the privacy officer's")
)

// refuseExposed is the problem of a change that would expose what who makes it may not read; nil where it doesn't.
func (s *shape) refuseExposed(ctx context.Context, tx *db.Tx, t *table, v sight) error {
	names := s.exposes(v)
	if len(names) == 0 {
		return nil
	}
	if any, err := t.keepsAny(ctx, tx); err != nil || !any {
		return err
	}
	return problem.New("dataset.expose", 403, exposedText(names)).Hinting(exposedHint)
}
