package casework

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// Colleague is a caseworker as the office's distribution of work knows them: whether they are given cases, and who stands in while they are away.
type Colleague struct {
	Account string       `json:"account"`
	Name    string       `json:"name"`
	Agency  string       `json:"agency"`
	Takes   bool         `json:"takes" doc:"Cases that come are given to them, where the service's process says so"`
	Away    manifest.Day `json:"away,omitempty" doc:"The first day of an absence"`
	Back    manifest.Day `json:"back,omitempty" doc:"Its last day"`
	Cover   string       `json:"cover,omitempty" doc:"The account of who stands in"`

	given string // when they were given a case last
}

// Absent reports whether somebody is away on a day.
func (c *Colleague) Absent(day manifest.Day) bool {
	return c.Away != "" && c.Away <= day && day <= c.Back
}

// colleagues are those of an office that have said something of themselves, in the order of their accounts.
func (s *Store) colleagues(ctx context.Context, tx *db.Tx, where string, args ...any) (out []*Colleague, err error) {
	rows, err := tx.Query(ctx, "SELECT account, name, agency, takes, away, back, cover, given FROM colleague WHERE "+where+" ORDER BY account", args...)
	if err != nil {
		return nil, fmt.Errorf("read who works in an office: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		c := &Colleague{}
		if err := rows.Scan(&c.Account, &c.Name, &c.Agency, &c.Takes, &c.Away, &c.Back, &c.Cover, &c.given); err != nil {
			return nil, fmt.Errorf("read who works in an office: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// maxAbsence is how long an absence may be, in days.
const maxAbsence = 400

// Colleagues are who asks, and the others of their office. Codes: auth.needed, auth.refused.
func (s *Store) Colleagues(ctx context.Context, who *identity.Principal) (me *Colleague, others []*Colleague, err error) {
	if !s.works(who) {
		return nil, nil, who.Refused()
	}
	me = &Colleague{Account: who.Actor(), Name: who.Name, Agency: who.Agency}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		others, err = s.colleagues(ctx, tx, "agency = ?", who.Agency)
		return err
	})
	for i, c := range others {
		if c.Account == me.Account {
			me, others = c, slices.Delete(others, i, i+1)
			break
		}
	}
	return me, others, err
}

// works reports whether somebody works on the cases of their own office.
func (s *Store) works(who *identity.Principal) bool {
	return who.Agency != "" && who.May(identity.DecideCases, identity.Place{Owners: s.Catalog.Snapshot().Chain(who.Agency)})
}

// SetColleague says of who asks whether they are given cases, and when they are away. Who stands in has to be of the same office, and to be given cases too. Codes: auth.needed, auth.refused, colleague.absence, colleague.cover.
func (s *Store) SetColleague(ctx context.Context, who *identity.Principal, in Colleague) (*Colleague, error) {
	me, others, err := s.Colleagues(ctx, who)
	if err != nil {
		return nil, err
	}
	me.Takes, me.Away, me.Back, me.Cover, me.Name = in.Takes, in.Away, in.Back, in.Cover, who.Name
	if me.Away == "" && me.Back == "" {
		me.Cover = ""
	} else {
		from, err := time.Parse(manifest.DateLayout, string(me.Away))
		to, err2 := time.Parse(manifest.DateLayout, string(me.Back))
		if err != nil || err2 != nil || to.Before(from) || to.Sub(from) > maxAbsence*24*time.Hour {
			return nil, wrong("away", "colleague.absence", lang.F("부재 기간의 첫날과 마지막 날을 적어 주십시오 (최대 %d일)", "an absence has a first and a last day, at most %d days apart", maxAbsence))
		}
		if me.Cover != "" && !slices.ContainsFunc(others, func(c *Colleague) bool { return c.Account == me.Cover && c.Takes }) {
			return nil, wrong("cover", "colleague.cover", lang.T("대신 처리할 사람은 배정을 받는 같은 기관의 담당자여야 합니다", "who stands in has to be of the same office, and to be given cases too"))
		}
	}
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO colleague (account, name, agency, takes, away, back, cover, given) VALUES (?, ?, ?, ?, ?, ?, ?, '')
			ON CONFLICT (account) DO UPDATE SET name = excluded.name, agency = excluded.agency, takes = excluded.takes, away = excluded.away, back = excluded.back, cover = excluded.cover`,
			me.Account, me.Name, me.Agency, me.Takes, string(me.Away), string(me.Back), me.Cover)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keep who works in an office: %w", err)
	}
	return me, nil
}

// assign gives a case to whoever of its office has the fewest that aren't done, and was given one the longest ago: where the process says so, and somebody is there. Who is away is passed over for who stands in.
func (s *Store) assign(ctx context.Context, tx *db.Tx, one *service.Service, c *Case) error {
	if p := one.Spec.Process; p == nil || p.Assign != manifest.AssignLeast {
		return nil
	}
	if err := tx.Lock(ctx, "work of "+c.Agency); err != nil {
		return err
	}
	all, err := s.colleagues(ctx, tx, "agency = ?", c.Agency)
	if err != nil {
		return err
	}
	load := map[string]int{}
	rows, err := tx.Query(ctx, "SELECT assignee, count(*) FROM service_case WHERE agency = ? AND done = ? AND assignee <> '' GROUP BY assignee", c.Agency, false)
	if err != nil {
		return fmt.Errorf("count what everybody has: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var account string
		var n int
		if err := rows.Scan(&account, &n); err != nil {
			return fmt.Errorf("count what everybody has: %w", err)
		}
		load[account] = n
	}
	if err := rows.Err(); err != nil {
		return err
	}
	today := service.Today(s.Now())
	byAccount := map[string]*Colleague{}
	for _, one := range all {
		byAccount[one.Account] = one
	}
	var best *Colleague
	for _, one := range all {
		if one.Absent(today) {
			one = byAccount[one.Cover]
		}
		if one == nil || !one.Takes || one.Absent(today) {
			continue
		}
		if best == nil || load[one.Account] < load[best.Account] || load[one.Account] == load[best.Account] && one.given < best.given {
			best = one
		}
	}
	if best == nil {
		return nil
	}
	c.Assignee = best.Account
	if _, err := tx.Exec(ctx, "UPDATE colleague SET given = ? WHERE account = ?", stored(s.Now()), best.Account); err != nil {
		return fmt.Errorf("note who was given a case: %w", err)
	}
	return nil
}

// covered are the accounts whose cases somebody deals with now: their own, and those of colleagues who are away and for whom they stand in.
func (s *Store) covered(ctx context.Context, tx *db.Tx, who *identity.Principal) ([]any, error) {
	out := []any{who.Actor()}
	all, err := s.colleagues(ctx, tx, "cover = ?", who.Actor())
	for _, c := range all {
		if c.Absent(service.Today(s.Now())) {
			out = append(out, c.Account)
		}
	}
	return out, err
}
