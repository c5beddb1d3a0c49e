package casework

import (
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/term"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Sealer seals what is stored.
type Sealer interface {
	Seal(about, value string) (string, error)
	Unseal(about, sealed string) (string, error)
	Index(about, value string) (string, error)
	SealBytes(about string, value []byte) ([]byte, error)
	UnsealBytes(about string, sealed []byte) ([]byte, error)
}

// Catalog is the catalog now and as its revisions made it.
type Catalog interface {
	Snapshot() *catalog.Snapshot
	At(ctx context.Context, revision int64) (*catalog.Snapshot, error)
}

// Options are what a store is made of.
type Options struct {
	DB       *db.DB
	Keys     Sealer
	Files    blob.Store
	Catalog  Catalog
	Services *service.Services
	Reader   service.Reader
	Now      func() time.Time
}

// Store keeps applications and cases. It is safe for concurrent use.
type Store struct {
	Options
	then    revisions
	lately  lately
	sealing chan struct{} // has room for as many files as may be sealed at once
	sending sending
}

// Open opens the store in its database.
func Open(ctx context.Context, o Options) (*Store, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return &Store{Options: o, sealing: make(chan struct{}, maxAtOnce), sending: sending{by: map[string]int{}}}, o.DB.Migrate(ctx, "casework", dir)
}

// columns of a case, in the order in which scan takes them.
const columns = "id, application, person, project, service, agency, state, done, assignee, received, due, wake, version, revision, body, once_key, entry, step_due"

// cases reads cases.
func (s *Store) cases(ctx context.Context, tx *db.Tx, where string, args ...any) (out []*Case, err error) {
	rows, err := tx.Query(ctx, "SELECT "+columns+" FROM service_case WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read cases: %w", err)
	}
	defer rows.Close()
	now := s.Catalog.Snapshot()
	for rows.Next() {
		c := &Case{}
		var received, due, wake, sealed, stepDue string
		if err := rows.Scan(&c.ID, &c.Application, &c.person, &c.Project, &c.Service, &c.Agency, &c.State, &c.Done, &c.Assignee, &received, &due, &wake, &c.Version, &c.Revision, &sealed, &c.onceKey, &c.entry, &stepDue); err != nil {
			return nil, fmt.Errorf("read cases: %w", err)
		}
		for _, x := range []struct {
			text string
			into *time.Time
		}{{received, &c.Received}, {due, &c.Due}, {wake, &c.wake}} {
			if x.text == "" {
				continue
			}
			if *x.into, err = time.Parse(manifest.DatetimeLayout, x.text); err != nil {
				return nil, fmt.Errorf("times of case %s: %w", c.ID, err)
			}
		}
		open, err := s.Keys.Unseal(c.about(), sealed)
		if err != nil {
			return nil, fmt.Errorf("open case %s: %w", c.ID, err)
		}
		if err := json.Unmarshal([]byte(open), &c.body); err != nil {
			return nil, fmt.Errorf("read case %s: %w", c.ID, err)
		}
		c.Title = now.Title(manifest.Key{Kind: "Service", Project: c.Project, Name: c.Service})
		out = append(out, c)
	}
	return out, rows.Err()
}

// about is what the body is sealed as.
func (c *Case) about() string { return "case " + c.ID }

// one reads a case of an id, or the problem that there is none.
func (s *Store) one(ctx context.Context, tx *db.Tx, id string) (*Case, error) {
	list, err := s.cases(ctx, tx, "id = ?", id)
	if err == nil && len(list) == 0 {
		err = unknown(id)
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

// unknown is what those are told too who may not see it.
func unknown(id string) error {
	return problem.New("case.unknown", 404, lang.F("없는 신청입니다: %s", "there is no case %s", id)).Hinting(lang.T("번호를 확인해 주십시오", "check the number"))
}

// stored is a time as it is stored: "" where there is none.
func stored(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return manifest.FormatDatetime(t)
}

func (s *Store) sealed(c *Case) (string, error) {
	text, err := json.Marshal(c.body)
	if err != nil {
		return "", fmt.Errorf("write case %s: %w", c.ID, err)
	}
	return s.Keys.Seal(c.about(), string(text))
}

func (s *Store) insert(ctx context.Context, tx *db.Tx, c *Case) error {
	text, err := s.sealed(c)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO service_case ("+columns+") VALUES ("+db.Marks(18)+")",
		c.ID, c.Application, c.person, c.Project, c.Service, c.Agency, c.State, c.Done, c.Assignee, stored(c.Received), stored(c.Due), stored(c.wake), c.Version, c.Revision, text, c.onceKey, c.entry, stored(c.stepDue()))
	if err != nil {
		return fmt.Errorf("keep case %s: %w", c.ID, err)
	}
	return s.index(ctx, tx, c)
}

// update writes the next version of a case, unless somebody was quicker: case.moved.
func (s *Store) update(ctx context.Context, tx *db.Tx, c *Case) error {
	text, err := s.sealed(c)
	if err != nil {
		return err
	}
	n, err := tx.Exec(ctx, "UPDATE service_case SET agency = ?, state = ?, done = ?, assignee = ?, due = ?, wake = ?, step_due = ?, version = version + 1, body = ? WHERE id = ? AND version = ?",
		c.Agency, c.State, c.Done, c.Assignee, stored(c.Due), stored(c.wake), stored(c.stepDue()), text, c.ID, c.Version)
	if err != nil {
		return fmt.Errorf("keep case %s: %w", c.ID, err)
	}
	if n != 1 {
		return moved()
	}
	c.Version++
	return s.index(ctx, tx, c)
}

func moved() error {
	return problem.New("case.moved", 409, lang.T("그사이에 다른 처리가 있었습니다", "somebody has done something to it meanwhile")).Hinting(lang.T("다시 열어 확인한 뒤 처리해 주십시오", "look at it again first"))
}

// event adds a step to a case's history.
func (s *Store) event(ctx context.Context, tx *db.Tx, c *Case, e CaseStep) error {
	text, err := s.Keys.Seal(c.about(), e.Note)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO case_event (case_id, at, actor, name, office, action, state, internal, note) VALUES ("+db.Marks(9)+")",
		c.ID, manifest.FormatDatetime(s.Now()), e.Actor, e.Name, e.Office, e.Action, c.State, e.Internal, text)
	if err != nil {
		return fmt.Errorf("keep a step of case %s: %w", c.ID, err)
	}
	return nil
}

// history is a case's steps, the oldest first.
func (s *Store) history(ctx context.Context, tx *db.Tx, c *Case, internal bool) (out []CaseStep, err error) {
	rows, err := tx.Query(ctx, "SELECT id, at, actor, name, office, action, state, internal, note FROM case_event WHERE case_id = ? ORDER BY id", c.ID)
	if err != nil {
		return nil, fmt.Errorf("read the steps of case %s: %w", c.ID, err)
	}
	defer rows.Close()
	for rows.Next() {
		var e CaseStep
		var at, note string
		if err := rows.Scan(&e.ID, &at, &e.Actor, &e.Name, &e.Office, &e.Action, &e.State, &e.Internal, &note); err != nil {
			return nil, fmt.Errorf("read the steps of case %s: %w", c.ID, err)
		}
		if e.Internal && !internal {
			continue
		}
		if e.At, err = time.Parse(manifest.DatetimeLayout, at); err != nil {
			return nil, err
		}
		if e.Note, err = s.Keys.Unseal(c.about(), note); err != nil {
			return nil, err
		}
		e.Title = stepTitle(e.Action)
		if !internal {
			e.Actor = ""
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// steps that aren't actions of anybody.
var stepTitles = map[string]lang.Text{
	"apply": lang.T("신청", "Applied"), "assign": lang.T("담당자 배정", "Assigned"), "paper": lang.T("서류를 냄", "A paper was handed in"), toldLapsed: lang.T("보완 기한이 지남", "The time for the supplement is over"), toldOverdue: lang.T("처리기한이 지남", "Overdue"), toldStep: lang.T("단계의 기한이 지남", "A step is overdue"),
	toldProgress: lang.T("처리 상황 안내", "How far it is"), "calendar": lang.T("업무일력이 바뀌어 처리기한이 바뀜", "The calendar changed, and the due date with it"),
}

func stepTitle(name string) lang.Text {
	if a := find(name); a != nil {
		return a.title
	}
	return stepTitles[name]
}

// calendar is the one by which a service's terms count: what its process names, or the only one. Without one it says why.
func calendar(now *catalog.Snapshot, p *manifest.Process) (*term.Calendar, string) {
	all := now.List("Calendar")
	if p != nil && p.Calendar != "" {
		if r := now.Get(manifest.Key{Kind: "Calendar", Name: p.Calendar}); r != nil {
			return term.NewCalendar(r.Name, r.Spec.(*manifest.Calendar)), ""
		}
	} else if len(all) == 1 {
		return term.NewCalendar(all[0].Name, all[0].Spec.(*manifest.Calendar)), ""
	}
	return nil, "calendar.missing"
}

// process is how the service says that its cases are dealt with.
func (d *deed) process() manifest.Process { return processOf(d.service) }

func processOf(one *service.Service) manifest.Process {
	if one == nil || one.Spec.Process == nil {
		return manifest.Process{Template: manifest.Register}
	}
	return *one.Spec.Process
}

// mayDecide reports whether somebody works on the cases of an office.
func (s *Store) mayDecide(who *identity.Principal, c *Case) bool {
	place := identity.Place{Owners: s.Catalog.Snapshot().Chain(c.Agency)}
	return who.May(identity.DecideCases, place)
}

// isTheirs reports whether a case is about a citizen who is signed in.
func isTheirs(who *identity.Principal, c *Case) bool {
	return who.Kind == identity.Citizen && who.Person != "" && who.Person == c.person
}
