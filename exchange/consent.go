package exchange

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Consent is a person's yes to being read about by an agreement (전자정부법 제42조), until they take it back.
type Consent struct {
	Agreement string // project/name
	Given     time.Time
	Withdrawn time.Time // zero while it holds
}

func noConsent(c *contract) error {
	return problem.New("agreement.consent", 403, lang.T("본인이 이 열람에 동의하지 않았습니다", "this person hasn't consented to it")).
		Hinting(lang.F("본인이 포털의 ‘내 동의’ 화면에서 동의할 수 있습니다 (협약 %s)", "they can consent in the portal, under “My consents” (agreement %s)", c.Path()))
}

// consents are the people who have consented to an agreement; of those named, if any are.
func (x *Exchange) consents(ctx context.Context, tx *db.Tx, c *contract, named map[string]int64) (map[int64]bool, error) {
	query, args := "SELECT person FROM consent WHERE project = ? AND name = ? AND withdrawn = ''", []any{c.Project, c.Name}
	if len(named) > 0 {
		query += " AND person IN (" + db.Marks(len(named)) + ")"
		for _, n := range named {
			args = append(args, n)
		}
	}
	rows, err := tx.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}
	defer rows.Close()
	out := map[int64]bool{}
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("read consents: %w", err)
		}
		out[n] = true
	}
	return out, rows.Err()
}

// citizen is the number of who asks, who must be a citizen.
func citizen(who *identity.Principal) (int64, error) {
	if n := Person(who.Person); who.Kind == identity.Citizen && n > 0 {
		return n, nil
	}
	return 0, who.Refused()
}

// Consents lists a citizen's consents, the newest first.
func (x *Exchange) Consents(ctx context.Context, who *identity.Principal) (out []Consent, err error) {
	person, err := citizen(who)
	if err != nil {
		return nil, err
	}
	err = x.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT project, name, given, withdrawn FROM consent WHERE person = ? ORDER BY id DESC LIMIT 1000", person)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c Consent
			var project, name, given, withdrawn string
			if err := rows.Scan(&project, &name, &given, &withdrawn); err != nil {
				return err
			}
			c.Agreement = project + "/" + name
			if c.Given, err = time.Parse(time.RFC3339Nano, given); err != nil {
				return err
			}
			if withdrawn != "" {
				if c.Withdrawn, err = time.Parse(time.RFC3339Nano, withdrawn); err != nil {
					return err
				}
			}
			out = append(out, c)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}
	return out, nil
}

// Askable lists the active agreements that ask for consent.
func (x *Exchange) Askable(ctx context.Context) (out []*Version, err error) {
	err = x.db.Read(ctx, func(tx *db.Tx) error {
		all, err := x.versions(ctx, tx, "state = 'active' ORDER BY project, name")
		for _, v := range all {
			if v.Spec.Asked() && v.Stands(x.today()) == Active {
				out = append(out, v)
			}
		}
		return err
	})
	return out, err
}

// Consent gives or withdraws a citizen's consent to an agreement. What is so already stays.
func (x *Exchange) Consent(ctx context.Context, who *identity.Principal, agreement string, yes bool) error {
	person, err := citizen(who)
	if err != nil {
		return err
	}
	project, name := cut(agreement)
	unknown := problem.New("consent.unknown", 404, lang.F("동의를 받는 협약이 아닙니다: %s", "there is no agreement %s that asks for consent", agreement))
	if !manifest.ValidName(project) || !manifest.ValidName(name) {
		return unknown
	}
	now := x.now().UTC().Format(time.RFC3339Nano)
	return x.db.Write(ctx, func(tx *db.Tx) error {
		all, err := x.kept(ctx, tx, project, name) // nobody approves another text between what the person was shown and their yes
		if err != nil {
			return err
		}
		if !yes {
			n, err := tx.Exec(ctx, "UPDATE consent SET withdrawn = ? WHERE person = ? AND project = ? AND name = ? AND withdrawn = ''", now, person, project, name)
			if err != nil || n == 0 {
				return err
			}
			return x.seenAnew(ctx, tx, all)
		}
		if !slices.ContainsFunc(all, func(v *Version) bool { return v.State == Active && v.Spec.Asked() }) {
			return unknown
		}
		var there int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM consent WHERE person = ? AND project = ? AND name = ? AND withdrawn = ''", person, project, name).Scan(&there); err != nil || there > 0 {
			return err
		}
		if _, err = tx.Exec(ctx, "INSERT INTO consent (person, project, name, given) VALUES (?, ?, ?, ?)", person, project, name, now); err != nil {
			return err
		}
		return x.seenAnew(ctx, tx, all)
	})
}

// seenAnew has those who follow by an agreement told of a gap: others are seen by it now than were before, whose records haven't changed.
func (x *Exchange) seenAnew(ctx context.Context, tx *db.Tx, all []*Version) error {
	for _, v := range all {
		if v.State != Active || !v.Spec.Events {
			continue
		}
		if err := x.follow(ctx, tx, v, Active); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE standing_change SET n = n + 1 WHERE one = 1"); err != nil {
			return fmt.Errorf("note that others are seen by %s: %w", v.Path(), err)
		}
	}
	return nil
}

// noMore reports whether who consented to the one has consented to the other: it reads no other fields, records or persons, for no other purpose.
func noMore(next, old *manifest.Agreement) bool {
	for _, f := range next.Fields {
		if !slices.Contains(old.Fields, f) || next.Masks[f] != old.Masks[f] {
			return false
		}
	}
	x, y := *next, *old
	x.Fields, x.Masks, x.Until, x.Limit = nil, nil, "", ""
	y.Fields, y.Masks, y.Until, y.Limit = nil, nil, "", ""
	return same(&x, &y)
}

// endConsents takes back what was consented to by an agreement's former text: consent is to what the person was shown (개인정보 보호법 제15조 제2항).
func (x *Exchange) endConsents(ctx context.Context, tx *db.Tx, v *Version) error {
	_, err := tx.Exec(ctx, "UPDATE consent SET withdrawn = ? WHERE project = ? AND name = ? AND withdrawn = ''", x.now().UTC().Format(time.RFC3339Nano), v.Project, v.Name)
	if err != nil {
		return fmt.Errorf("end the consents to %s: %w", v.Path(), err)
	}
	return nil
}
