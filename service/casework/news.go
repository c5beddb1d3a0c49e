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
)

// News is something that was done to a citizen's case by an office, or came by itself.
type News struct {
	At      time.Time `json:"at"`
	Case    string    `json:"case"`
	Service lang.Text `json:"service" doc:"What the service is called"`
	What    lang.Text `json:"what"`
}

// maxNews is how many are told at once, the newest ones.
const maxNews = 50

// News are what happened to a citizen's cases since they last said that they have seen it, the newest first; for who never did, of the last 30 days. What they did themselves is none. Codes: auth.needed, auth.refused.
func (s *Store) News(ctx context.Context, who *identity.Principal) (out []News, err error) {
	if who.Kind != identity.Citizen || who.Person == "" {
		return nil, who.Refused()
	}
	now := s.Catalog.Snapshot()
	own := []any{"apply", "paper"}
	for _, a := range actions {
		if a.by == citizen {
			own = append(own, a.name)
		}
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		since := stored(s.Now().AddDate(0, 0, -progressDays))
		if err := tx.QueryRow(ctx, "SELECT at FROM news_seen WHERE person = ?", who.Person).Scan(&since); err != nil && !db.NoRows(err) {
			return fmt.Errorf("read what is new: %w", err)
		}
		args := append([]any{who.Person, false, since}, own...)
		rows, err := tx.Query(ctx, "SELECT c.id, c.project, c.service, e.at, e.action FROM case_event e JOIN service_case c ON c.id = e.case_id WHERE c.person = ? AND e.internal = ? AND e.at > ? AND (e.actor <> '' OR e.action NOT IN ("+
			db.Marks(len(own))+")) ORDER BY e.at DESC, e.id DESC LIMIT ?", append(args, maxNews)...)
		if err != nil {
			return fmt.Errorf("read what is new: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var n News
			var project, name, at, action string
			if err := rows.Scan(&n.Case, &project, &name, &at, &action); err != nil {
				return fmt.Errorf("read what is new: %w", err)
			}
			if n.At, err = time.Parse(manifest.DatetimeLayout, at); err != nil {
				return err
			}
			n.Service, n.What = now.Title(manifest.Key{Kind: "Service", Project: project, Name: name}), stepTitle(action)
			out = append(out, n)
		}
		return rows.Err()
	})
	return slices.Clip(out), err
}

// Seen notes that a citizen has seen what is new, up to the newest that was shown to them.
func (s *Store) Seen(ctx context.Context, who *identity.Principal, until time.Time) error {
	if who.Kind != identity.Citizen || who.Person == "" {
		return who.Refused()
	}
	if until.After(s.Now()) {
		until = s.Now()
	}
	err := s.DB.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, "INSERT INTO news_seen (person, at) VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET at = excluded.at WHERE news_seen.at < excluded.at", who.Person, stored(until))
		return err
	})
	if err != nil {
		return fmt.Errorf("note what was seen: %w", err)
	}
	return nil
}
