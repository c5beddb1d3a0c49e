package exchange

import (
	"context"
	"fmt"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// State says how a version of an agreement stands.
type State string

// The states. Expired isn't stored: it follows from the last day.
const (
	Requested State = "requested"
	Active    State = "active"
	Suspended State = "suspended"
	Revoked   State = "revoked"
	Refused   State = "refused"
	Replaced  State = "replaced"
	Expired   State = "expired"
)

// live reports whether a version waits, holds, or will again.
func (s State) live() bool { return s == Requested || s == Active || s == Suspended }

// Version is what an agreement says, as it is or was to be approved.
type Version struct {
	Project  string // the consumer
	Name     string
	Version  int64
	Spec     *manifest.Agreement
	Dataset  string // project/name of the provider's
	Author   string
	At       time.Time
	Until    manifest.Day
	Personal bool   // a field, or one that its condition names, is personal or above: the privacy officer must approve it too
	Steward  string // who approved it for the provider
	Privacy  string // who approved it as privacy officer
	State    State
}

// Path is project/name.
func (v *Version) Path() string { return v.Project + "/" + v.Name }

// Stands is the state on a day: an active version whose last day is over has expired.
func (v *Version) Stands(today manifest.Day) State {
	if v.State == Active && v.Until < today {
		return Expired
	}
	return v.State
}

// Provider is the project that provides.
func (v *Version) Provider() string {
	project, _ := cut(v.Dataset)
	return project
}

func cut(path string) (project, name string) {
	for i := range len(path) {
		if path[i] == '/' {
			return path[:i], path[i+1:]
		}
	}
	return "", path
}

// Event is something that happened to an agreement.
type Event struct {
	Version int64
	At      time.Time
	Actor   string
	What    string // requested, approved by the steward …
	Note    string
}

const versionColumns = "project, name, version, body, dataset, author, at, until, personal, steward, privacy, state"

// versions reads versions. where is one of this package's own conditions.
func (x *Exchange) versions(ctx context.Context, tx *db.Tx, where string, args ...any) (out []*Version, err error) {
	rows, err := tx.Query(ctx, "SELECT "+versionColumns+" FROM agreement_version WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read agreements: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		v := &Version{}
		var body, at string
		if err := rows.Scan(&v.Project, &v.Name, &v.Version, &body, &v.Dataset, &v.Author, &at, &v.Until, &v.Personal, &v.Steward, &v.Privacy, &v.State); err != nil {
			return nil, fmt.Errorf("read agreements: %w", err)
		}
		if v.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, fmt.Errorf("read agreements: %w", err)
		}
		if v.Spec, err = x.spec(v, body); err != nil {
			return nil, fmt.Errorf("the agreement %s: %w", v.Path(), err)
		}
		if v.State.live() && !v.Personal {
			v.Personal = x.personalNow(v)
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// document is what a version said when it was read last.
type document struct {
	body string
	spec *manifest.Agreement
}

// spec is what a version says: its document is read again only where it has become another, for a title may.
func (x *Exchange) spec(v *Version, body string) (*manifest.Agreement, error) {
	key := versionKey{v.Path(), v.Version}
	if known, ok := x.specs.Load(key); ok && known.(document).body == body {
		return known.(document).spec, nil
	}
	spec, err := parse(body)
	if err == nil {
		x.specs.Store(key, document{body, spec})
	}
	return spec, err
}

// held reads the versions of an agreement, in their order, for a transaction that changes them: until its end nobody else does.
func (x *Exchange) held(ctx context.Context, tx *db.Tx, project, name string) ([]*Version, error) {
	if err := x.changes(ctx, tx); err != nil {
		return nil, err
	}
	return x.kept(ctx, tx, project, name)
}

// kept reads the versions of an agreement, in their order. Until the end of the transaction nobody changes them.
func (x *Exchange) kept(ctx context.Context, tx *db.Tx, project, name string) ([]*Version, error) {
	if !manifest.ValidName(project) || !manifest.ValidName(name) {
		return nil, nil
	}
	if err := tx.Lock(ctx, "agreement "+project+"/"+name); err != nil {
		return nil, fmt.Errorf("lock the agreement %s/%s: %w", project, name, err)
	}
	return x.named(ctx, tx, project, name)
}

// changes says to all nodes that the transaction changes an agreement, or who is cut off: what they know of them doesn't count any more when it is committed.
// It comes before locks, so that no two transactions wait for each other.
func (x *Exchange) changes(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.Exec(ctx, "UPDATE standing_change SET n = n + 1 WHERE one = 1"); err != nil {
		return fmt.Errorf("note that an agreement changes: %w", err)
	}
	return nil
}

// named reads the versions of an agreement, in their order. What can't be a name, PostgreSQL can't be asked for: it may be no text.
func (x *Exchange) named(ctx context.Context, tx *db.Tx, project, name string) ([]*Version, error) {
	if !manifest.ValidName(project) || !manifest.ValidName(name) {
		return nil, nil
	}
	return x.versions(ctx, tx, "project = ? AND name = ? ORDER BY version", project, name)
}

// personalNow reports whether a version reads fields about persons: some may have become so since it was filed.
func (x *Exchange) personalNow(v *Version) bool {
	project, name := cut(v.Dataset)
	d := x.catalog().Dataset(project, name)
	return d != nil && personal(v.Spec, d)
}

// parse reads the document of a version. It was right when it was filed.
func parse(body string) (*manifest.Agreement, error) {
	r, findings := manifest.ParseDocument("agreement.yaml", body)
	if r == nil {
		return nil, fmt.Errorf("it can't be read any more: %v", findings)
	}
	spec, ok := r.Spec.(*manifest.Agreement)
	if !ok {
		return nil, fmt.Errorf("it is a %s", r.Kind)
	}
	return spec, nil
}

// Standing is an agreement as people see it: the version that holds or held last, and the one that waits for approval, if there are.
type Standing struct {
	Holds *Version // active or suspended
	Waits *Version // requested
	Last  *Version // the newest, whatever its state
}

// Shown is the version to show first.
func (s Standing) Shown() *Version {
	switch {
	case s.Waits != nil:
		return s.Waits
	case s.Holds != nil:
		return s.Holds
	}
	return s.Last
}

// standings groups versions, which come in order of project, name and version.
func standings(all []*Version) (out []Standing) {
	for _, v := range all {
		if len(out) == 0 || out[len(out)-1].Last.Path() != v.Path() {
			out = append(out, Standing{})
		}
		s := &out[len(out)-1]
		s.Last = v
		switch v.State {
		case Requested:
			s.Waits = v
		case Active, Suspended:
			s.Holds = v
		}
	}
	return out
}

// Agreements lists all agreements, in order of project and name.
func (x *Exchange) Agreements(ctx context.Context) (out []Standing, err error) {
	err = x.db.Read(ctx, func(tx *db.Tx) error {
		all, err := x.versions(ctx, tx, "1 = 1 ORDER BY project, name, version")
		out = standings(all)
		return err
	})
	return out, err
}

// Readers lists the agreements by which a dataset (project/name) may be read today, in order of project and name.
func (x *Exchange) Readers(ctx context.Context, dataset string) (out []*Version, err error) {
	err = x.db.Read(ctx, func(tx *db.Tx) error {
		out, err = x.versions(ctx, tx, "dataset = ? AND state = 'active' AND until >= ? ORDER BY project, name", dataset, x.today())
		return err
	})
	return out, err
}

// Agreement finds one agreement with its events, the newest first.
func (x *Exchange) Agreement(ctx context.Context, project, name string) (s Standing, events []Event, err error) {
	err = x.db.Read(ctx, func(tx *db.Tx) error {
		all, err := x.named(ctx, tx, project, name)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return x.unknown(project, name)
		}
		s = standings(all)[0]
		events, err = eventsOf(ctx, tx, project, name)
		return err
	})
	return s, events, err
}

func eventsOf(ctx context.Context, tx *db.Tx, project, name string) (out []Event, err error) {
	rows, err := tx.Query(ctx, "SELECT version, at, actor, what, note FROM agreement_event WHERE project = ? AND name = ? ORDER BY id DESC LIMIT 1000", project, name)
	if err != nil {
		return nil, fmt.Errorf("read the events of an agreement: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e Event
		var at string
		if err := rows.Scan(&e.Version, &at, &e.Actor, &e.What, &e.Note); err != nil {
			return nil, fmt.Errorf("read the events of an agreement: %w", err)
		}
		if e.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, fmt.Errorf("read the events of an agreement: %w", err)
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// note writes an event.
func (x *Exchange) note(ctx context.Context, tx *db.Tx, v *Version, actor, what, note string) error {
	_, err := tx.Exec(ctx, "INSERT INTO agreement_event (project, name, version, at, actor, what, note) VALUES (?, ?, ?, ?, ?, ?, ?)",
		v.Project, v.Name, v.Version, x.now().UTC().Format(time.RFC3339Nano), actor, what, note)
	if err != nil {
		return fmt.Errorf("note what became of the agreement %s: %w", v.Path(), err)
	}
	return nil
}

// set makes a version's state another.
func (x *Exchange) set(ctx context.Context, tx *db.Tx, v *Version, state State) error {
	was := v.State
	v.State = state
	_, err := tx.Exec(ctx, "UPDATE agreement_version SET state = ?, steward = ?, privacy = ? WHERE project = ? AND name = ? AND version = ?", state, v.Steward, v.Privacy, v.Project, v.Name, v.Version)
	if err != nil {
		return fmt.Errorf("change the agreement %s: %w", v.Path(), err)
	}
	return x.follow(ctx, tx, v, was)
}

// titleOf is what an agreement is called: by its title, or by the dataset that it reads.
func titleOf(s *catalog.Snapshot, v *Version) lang.Text {
	if !v.Spec.Title.Empty() {
		return v.Spec.Title
	}
	project, name := cut(v.Dataset)
	if d := s.Dataset(project, name); d != nil {
		return d.Spec.Title
	}
	return lang.T(v.Name, v.Name)
}
