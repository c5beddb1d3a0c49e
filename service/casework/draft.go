package casework

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
)

// draftLife is how long an application that isn't handed in is kept since it was last written to, and maxDrafts how many one citizen may have.
const (
	draftLife = 30 * 24 * time.Hour
	maxDrafts = 20
)

// Draft is an application that somebody is still filling in. It is one for the same services: who begins again goes on.
type Draft struct {
	ID       string          `json:"id"`
	Services []string        `json:"services" doc:"project/name of each"`
	Answers  registry.Values `json:"answers" doc:"By the names of questions"`
	Papers   []*Paper        `json:"papers"`
	Until    time.Time       `json:"until" doc:"When it is deleted, unless it is written to before"`

	person string
}

// about is what a draft's answers are sealed as.
func (d *Draft) about() string { return "draft " + d.ID }

// newID is one that can't be guessed, also as the name of a file.
func newID() string { return strings.ToLower(rand.Text()) }

// Begin begins an application, or goes on with the one for the same services that isn't handed in yet. Nothing is read about anybody.
//
// Codes: auth.needed, auth.refused; application.services, application.closed, service.unknown; draft.many.
func (s *Store) Begin(ctx context.Context, who *identity.Principal, services []string) (d *Draft, err error) {
	if who.Kind != identity.Citizen || who.Person == "" {
		return nil, who.Refused()
	}
	list, err := s.applied(services)
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(list))
	for i, one := range list {
		paths[i] = one.Path()
	}
	key := strings.Join(paths, " ")
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "applications of "+who.Person); err != nil {
			return err
		}
		all, err := s.drafts(ctx, tx, "person = ?", who.Person)
		if err != nil {
			return err
		}
		for _, one := range all {
			if strings.Join(one.Services, " ") == key {
				d = one
				return s.keepDraft(ctx, tx, d)
			}
		}
		if len(all) >= maxDrafts {
			return problem.New("draft.many", 409, lang.F("작성 중인 신청이 %d건 있습니다", "you have %d applications that aren't handed in", len(all))).Hinting(lang.T("제출하거나 지운 뒤에 새로 시작해 주십시오", "hand some in or delete them first"))
		}
		d = &Draft{ID: newID(), Services: paths, Answers: registry.Values{}, Papers: []*Paper{}, person: who.Person}
		if _, err := tx.Exec(ctx, "INSERT INTO draft (id, person, services, until, body) VALUES (?, ?, ?, '', '')", d.ID, d.person, key); err != nil {
			return fmt.Errorf("keep a draft: %w", err)
		}
		return s.keepDraft(ctx, tx, d)
	})
	return d, err
}

// Draft is a draft of somebody's. Codes: auth.needed, auth.refused, draft.unknown.
func (s *Store) Draft(ctx context.Context, who *identity.Principal, id string) (d *Draft, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		d, err = s.draft(ctx, tx, who, id)
		return err
	})
	return d, err
}

// Drafts lists somebody's drafts, the last written to in front.
func (s *Store) Drafts(ctx context.Context, who *identity.Principal) (list []*Draft, err error) {
	if who.Kind != identity.Citizen || who.Person == "" {
		return nil, who.Refused()
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		list, err = s.drafts(ctx, tx, "person = ? ORDER BY until DESC, id", who.Person)
		return err
	})
	return list, err
}

// Save keeps what is answered so far, in place of what was. Codes: those of [Store.Draft]; service.facts and those of its values.
func (s *Store) Save(ctx context.Context, who *identity.Principal, id string, answers registry.Values) (d *Draft, err error) {
	err = s.change(ctx, who, id, func(_ *db.Tx, one *Draft) error {
		d = one
		services, err := s.named(d.Services)
		if err != nil {
			return err
		}
		names := merged(services)
		if err := answerable(services, names, answers); err != nil {
			return err
		}
		for i, one := range services {
			if _, err := one.Known(given(one, names[i], answers)); err != nil {
				return err
			}
		}
		d.Answers = answers
		return nil
	})
	return d, err
}

// Discard deletes a draft and its papers.
func (s *Store) Discard(ctx context.Context, who *identity.Principal, id string) error {
	var d *Draft
	err := s.DB.Write(ctx, func(tx *db.Tx) (err error) {
		if err := tx.Lock(ctx, "applications of "+who.Person); err != nil {
			return err
		}
		if d, err = s.draft(ctx, tx, who, id); err != nil {
			return err
		}
		return s.dropDraft(ctx, tx, d, true)
	})
	if err != nil {
		return err
	}
	return s.dropFiles(ctx, d.Papers)
}

// change does something to a draft of somebody's, who has it to themselves meanwhile, and keeps it.
func (s *Store) change(ctx context.Context, who *identity.Principal, id string, do func(*db.Tx, *Draft) error) error {
	return s.DB.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "applications of "+who.Person); err != nil {
			return err
		}
		d, err := s.draft(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if err := do(tx, d); err != nil {
			return err
		}
		return s.keepDraft(ctx, tx, d)
	})
}

func (s *Store) draft(ctx context.Context, tx *db.Tx, who *identity.Principal, id string) (*Draft, error) {
	if who.Kind != identity.Citizen || who.Person == "" {
		return nil, who.Refused()
	}
	list, err := s.drafts(ctx, tx, "id = ? AND person = ?", id, who.Person)
	if err == nil && len(list) == 0 {
		err = problem.New("draft.unknown", 404, lang.F("작성 중인 신청이 없습니다: %s", "there is no draft %s", id)).Hinting(lang.T("이미 제출하셨거나, 30일 동안 쓰지 않아 지워졌습니다", "it was handed in, or deleted after 30 days without use"))
	}
	if err != nil {
		return nil, err
	}
	return list[0], nil
}

func (s *Store) drafts(ctx context.Context, tx *db.Tx, where string, args ...any) (out []*Draft, err error) {
	rows, err := tx.Query(ctx, "SELECT id, person, services, until, body FROM draft WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read drafts: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		d := &Draft{}
		var services, until, sealed string
		if err := rows.Scan(&d.ID, &d.person, &services, &until, &sealed); err != nil {
			return nil, fmt.Errorf("read drafts: %w", err)
		}
		d.Services = strings.Fields(services)
		if d.Until, err = time.Parse(manifest.DatetimeLayout, until); err != nil {
			return nil, err
		}
		open, err := s.Keys.Unseal(d.about(), sealed)
		if err == nil {
			err = json.Unmarshal([]byte(open), &d.Answers)
		}
		if err != nil {
			return nil, fmt.Errorf("open draft %s: %w", d.ID, err)
		}
		out = append(out, d)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, d := range out {
		if d.Papers, err = s.papers(ctx, tx, "draft = ?", d.ID); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// keepDraft writes a draft's answers, and until when it is kept.
func (s *Store) keepDraft(ctx context.Context, tx *db.Tx, d *Draft) error {
	d.Until = s.Now().UTC().Truncate(1e6).Add(draftLife)
	text, err := json.Marshal(d.Answers)
	if err != nil {
		return err
	}
	sealed, err := s.Keys.Seal(d.about(), string(text))
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE draft SET until = ?, body = ? WHERE id = ?", stored(d.Until), sealed, d.ID); err != nil {
		return fmt.Errorf("keep draft %s: %w", d.ID, err)
	}
	return nil
}

// dropDraft deletes a draft, and that it had papers where they go with it.
func (s *Store) dropDraft(ctx context.Context, tx *db.Tx, d *Draft, papers bool) error {
	if _, err := tx.Exec(ctx, "DELETE FROM draft WHERE id = ?", d.ID); err != nil {
		return fmt.Errorf("delete draft %s: %w", d.ID, err)
	}
	if !papers {
		return nil
	}
	if _, err := tx.Exec(ctx, "DELETE FROM paper WHERE draft = ?", d.ID); err != nil {
		return fmt.Errorf("delete the papers of draft %s: %w", d.ID, err)
	}
	return nil
}

// Expire deletes the drafts that nobody has written to for 30 days, and files that belong to nothing: those of an upload that was killed. It returns how many drafts.
func (s *Store) Expire(ctx context.Context) (n int, err error) {
	var old []*Draft
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		old, err = s.drafts(ctx, tx, "until <= ? ORDER BY until LIMIT 500", stored(s.Now()))
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, d := range old {
		err := s.DB.Write(ctx, func(tx *db.Tx) error {
			if err := tx.Lock(ctx, "applications of "+d.person); err != nil {
				return err
			}
			now, err := s.drafts(ctx, tx, "id = ? AND until <= ?", d.ID, stored(s.Now())) // they may have written to it meanwhile
			if err != nil || len(now) == 0 {
				d.Papers = nil
				return err
			}
			d, n = now[0], n+1
			return s.dropDraft(ctx, tx, d, true)
		})
		if err == nil {
			err = s.dropFiles(ctx, d.Papers)
		}
		if err != nil {
			slog.Error("casework: a draft can't be deleted yet", "draft", d.ID, "error", err)
		}
	}
	return n, s.dropStrays(ctx)
}

// applied are services that can be applied for now, by their paths.
func (s *Store) applied(paths []string) ([]*service.Service, error) {
	list, err := s.named(paths)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 || len(list) > maxServices {
		return nil, problem.New("application.services", 422, lang.F("신청하실 서비스를 1–%d개 골라 주십시오", "choose 1 to %d services", maxServices))
	}
	for _, one := range list {
		if err := closed(one, service.Today(s.Now())); err != nil {
			return nil, err
		}
		if !s.Services.Offered(one) {
			return nil, problem.New("application.closed", 409, lang.F("지금은 신청을 받지 않습니다: %s", "%s takes no applications now", one.Spec.Title))
		}
	}
	return list, nil
}
