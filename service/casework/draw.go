package casework

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// Draw is how those are chosen who get a service of which there isn't enough. Anyone can repeat it: the list of who applied, hashed, is fixed and published when the window closes; the value that decides becomes known to everybody only after that, and which one it will
// be was said before. The order is that of SHA-256(value + ":" + entry), in hexadecimal.
type Draw struct {
	Project string       `json:"project"`
	Service string       `json:"service"`
	From    manifest.Day `json:"from" doc:"The first day of the window"`
	To      manifest.Day `json:"to"`
	Quota   int          `json:"quota"`
	Source  lang.Text    `json:"source" doc:"Which value decides, as it was said beforehand"`
	Closed  time.Time    `json:"closed" doc:"When the list was fixed"`
	List    string       `json:"list" doc:"SHA-256 of the entries, each with a line end"`
	Seed    string       `json:"seed,omitempty" doc:"The value, once it is known"`
	Drawn   time.Time    `json:"drawn,omitzero"`
	Entries []string     `json:"entries" doc:"SHA-256 of the numbers of applications in hexadecimal; sorted, and in the order of the draw once it is drawn"`
}

// DrawResult is what a draw means for a case.
type DrawResult struct {
	Entry string `json:"entry" doc:"As the published list has it"`
	Done  bool   `json:"done" doc:"It has been drawn"`
	Rank  int    `json:"rank,omitempty" doc:"From 1; absent as long as it isn't drawn"`
	Of    int    `json:"of"`
	Quota int    `json:"quota"`
	Won   bool   `json:"won" doc:"It is among those chosen, with those who moved up for others who dropped out"`
}

// entryOf is a case in the published list.
func entryOf(id string) string {
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// order sorts entries as a value has it.
func order(seed string, entries []string) []string {
	key := func(entry string) string {
		sum := sha256.Sum256([]byte(seed + ":" + entry))
		return hex.EncodeToString(sum[:])
	}
	out := slices.Clone(entries)
	slices.SortFunc(out, func(a, b string) int { return cmp.Compare(key(a), key(b)) })
	return out
}

// drawsOf is a service whose applications are drawn, or nil.
func drawsOf(one *service.Service) *manifest.Window {
	if one == nil || one.Spec.Window == nil || one.Spec.Window.Choose != manifest.Drawn {
		return nil
	}
	return one.Spec.Window
}

// inWindow is the condition by which cases were received in a window, with its values.
func inWindow(one *service.Service, w *manifest.Window) (where string, args []any) {
	begin, err := time.ParseInLocation(manifest.DateLayout, string(w.From), manifest.Seoul)
	end, wrong := time.ParseInLocation(manifest.DateLayout, string(w.To), manifest.Seoul)
	if err != nil || wrong != nil {
		return "1 = 0", nil // it was checked at plan time
	}
	return "project = ? AND service = ? AND received >= ? AND received < ?", []any{one.Project, one.Name, stored(begin), stored(end.AddDate(0, 0, 1))}
}

// full says that as many as there are places for have applied, of a service that is given to who comes first.
func (s *Store) full(ctx context.Context, tx *db.Tx, one *service.Service) error {
	w := one.Spec.Window
	if w == nil || w.Choose != manifest.FirstCome {
		return nil
	}
	if err := tx.Lock(ctx, "quota "+one.Path()); err != nil {
		return err
	}
	where, args := inWindow(one, w)
	var n int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM service_case WHERE "+where+" AND state NOT IN (?, ?, ?, ?)", append(args, Withdrawn, Returned, Refused, Dismissed)...).Scan(&n); err != nil {
		return fmt.Errorf("count applications for %s: %w", one.Path(), err)
	}
	if n >= w.Quota {
		return problem.New("application.full", 409, lang.F("신청이 마감되었습니다: %[1]s (%[2]d명)", "%[1]s is full (%[2]d)", one.Spec.Title, w.Quota))
	}
	return nil
}

// closeDraws fixes and publishes the lists of draws whose windows have closed. It returns how many.
func (s *Store) closeDraws(ctx context.Context) (n int, err error) {
	for _, one := range s.Services.List() {
		w := drawsOf(one)
		if w == nil || service.Today(s.Now()) <= w.To {
			continue
		}
		err := s.DB.Write(ctx, func(tx *db.Tx) error {
			known, err := s.draw(ctx, tx, one)
			if known != nil || err != nil {
				return err
			}
			where, args := inWindow(one, w)
			rows, err := tx.Query(ctx, "SELECT id FROM service_case WHERE "+where+" AND state NOT IN (?, ?)", append(args, Withdrawn, Returned)...)
			if err != nil {
				return err
			}
			defer rows.Close()
			var entries []string
			for rows.Next() {
				var id string
				if err := rows.Scan(&id); err != nil {
					return err
				}
				entries = append(entries, entryOf(id))
			}
			if err := rows.Err(); err != nil {
				return err
			}
			slices.Sort(entries)
			n++
			_, err = tx.Exec(ctx, "INSERT INTO draw (project, service, since, quota, closed, entries, seed, drawn, actor) VALUES ("+db.Marks(9)+") ON CONFLICT DO NOTHING",
				one.Project, one.Name, string(w.From), w.Quota, stored(s.Now()), strings.Join(entries, "\n"), "", "", "")
			return err
		})
		if err != nil {
			return n, fmt.Errorf("close the draw of %s: %w", one.Path(), err)
		}
	}
	return n, nil
}

// draw reads the draw of a service's window, or nil where it hasn't closed.
func (s *Store) draw(ctx context.Context, tx *db.Tx, one *service.Service) (*Draw, error) {
	w := drawsOf(one)
	if w == nil {
		return nil, nil
	}
	d := &Draw{Project: one.Project, Service: one.Name, From: w.From, To: w.To, Source: w.Seed}
	var closed, entries, drawn string
	err := tx.QueryRow(ctx, "SELECT quota, closed, entries, seed, drawn FROM draw WHERE project = ? AND service = ? AND since = ?", one.Project, one.Name, string(w.From)).Scan(&d.Quota, &closed, &entries, &d.Seed, &drawn)
	if db.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the draw of %s: %w", one.Path(), err)
	}
	if d.Closed, err = time.Parse(manifest.DatetimeLayout, closed); err != nil {
		return nil, err
	}
	if d.Entries = strings.Fields(entries); d.Entries == nil {
		d.Entries = []string{}
	}
	sum := sha256.Sum256([]byte(strings.Join(append(slices.Clone(d.Entries), ""), "\n")))
	d.List = hex.EncodeToString(sum[:])
	if d.Seed != "" {
		if d.Drawn, err = time.Parse(manifest.DatetimeLayout, drawn); err != nil {
			return nil, err
		}
		d.Entries = order(d.Seed, d.Entries)
	}
	return d, nil
}

// Draw is the draw of a service's window, for everybody. Codes: service.unknown; draw.none (nothing is drawn), draw.open (the window hasn't closed).
func (s *Store) Draw(ctx context.Context, project, name string) (d *Draw, err error) {
	one, err := s.Services.Find(project, name)
	if err != nil {
		return nil, err
	}
	if drawsOf(one) == nil {
		return nil, problem.New("draw.none", 404, lang.F("추첨하지 않는 서비스입니다: %s", "nothing is drawn for %s", one.Spec.Title))
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		d, err = s.draw(ctx, tx, one)
		return err
	})
	if err == nil && d == nil && service.Today(s.Now()) > one.Spec.Window.To { // it closes each minute; who asks in between needn't wait
		if _, err = s.closeDraws(ctx); err == nil {
			err = s.DB.Read(ctx, func(tx *db.Tx) error {
				d, err = s.draw(ctx, tx, one)
				return err
			})
		}
	}
	if err == nil && d == nil {
		err = problem.New("draw.open", 409, lang.F("아직 신청 기간이 끝나지 않았습니다 (%s까지)", "applications are taken until %s", string(one.Spec.Window.To)))
	}
	return d, err
}

// maxSeed is how long the value that decides a draw may be, in characters.
const maxSeed = 200

// Decide draws: with the value that was said beforehand, once. Codes: those of [Store.Draw]; auth.refused, draw.seed, draw.done.
func (s *Store) Decide(ctx context.Context, who *identity.Principal, project, name, seed string) (*Draw, error) {
	d, err := s.Draw(ctx, project, name)
	if err != nil {
		return nil, err
	}
	if !s.mayDraw(who, project) {
		return nil, who.Refused()
	}
	if seed = strings.Join(strings.Fields(seed), " "); seed == "" || utf8.RuneCountInString(seed) > maxSeed {
		return nil, wrong("seed", "draw.seed", lang.F("추첨에 쓸 값을 %d자 이내로 적어 주십시오", "write the value that decides it, in at most %d characters", maxSeed))
	}
	err = s.DB.Write(ctx, func(tx *db.Tx) error {
		n, err := tx.Exec(ctx, "UPDATE draw SET seed = ?, drawn = ?, actor = ? WHERE project = ? AND service = ? AND since = ? AND seed = ''", seed, stored(s.Now()), who.Actor(), project, name, string(d.From))
		if err == nil && n != 1 {
			err = problem.New("draw.done", 409, lang.T("이미 추첨했습니다", "it has been drawn already"))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Draw(ctx, project, name)
}

// mayDraw reports whether somebody decides the cases of a project's owner.
func (s *Store) mayDraw(who *identity.Principal, project string) bool {
	now := s.Catalog.Snapshot()
	owners := now.Place(project).Owners
	return len(owners) > 0 && who.May(identity.DecideCases, identity.Place{Owners: now.Chain(owners[0])})
}

// Draws are the draws of the offices that somebody works for, which have closed and aren't drawn yet.
func (s *Store) Draws(ctx context.Context, who *identity.Principal) (out []*Draw, err error) {
	for _, one := range s.Services.List() {
		if drawsOf(one) == nil || !s.mayDraw(who, one.Project) {
			continue
		}
		d, err := s.Draw(ctx, one.Project, one.Name)
		if problem.Code(err) == "draw.open" {
			continue
		}
		if err != nil {
			return nil, err
		}
		if d.Seed == "" {
			out = append(out, d)
		}
	}
	return out, nil
}

// drawn is what the draw of a service means for a case; nil where nothing is drawn, or it hasn't closed.
func (s *Store) drawn(ctx context.Context, tx *db.Tx, now *catalog.Snapshot, one *service.Service, c *Case) (*DrawResult, error) {
	w := drawsOf(one)
	if w == nil {
		return nil, nil
	}
	d, err := s.draw(ctx, tx, one)
	if d == nil || err != nil {
		return nil, err
	}
	out := &DrawResult{Entry: entryOf(c.ID), Of: len(d.Entries), Quota: d.Quota}
	if d.Seed == "" {
		return out, nil
	}
	out.Done, out.Rank = true, slices.Index(d.Entries, out.Entry)+1
	if out.Rank == 0 {
		return out, nil
	}
	if out.Won = out.Rank <= d.Quota; out.Won {
		return out, nil
	}
	where, args := inWindow(one, w)
	rows, err := tx.Query(ctx, "SELECT id FROM service_case WHERE "+where+" AND state IN (?, ?, ?, ?)", append(args, Withdrawn, Returned, Refused, Dismissed)...)
	if err != nil {
		return nil, fmt.Errorf("read who dropped out of the draw of %s: %w", one.Path(), err)
	}
	defer rows.Close()
	gone := map[string]bool{}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		gone[entryOf(id)] = true
	}
	ahead := 0
	for _, entry := range d.Entries[:out.Rank-1] {
		if !gone[entry] {
			ahead++
		}
	}
	out.Won = ahead < d.Quota
	return out, rows.Err()
}

// chosen says why a case can't be approved: it is to be drawn first, or wasn't chosen.
func (d *deed) chosen() error {
	if drawsOf(d.service) == nil {
		return nil
	}
	switch {
	case d.draw == nil || !d.draw.Done:
		return problem.New("case.draw", 409, lang.T("추첨한 뒤에 승인하실 수 있습니다", "it is drawn first"))
	case !d.draw.Won:
		return problem.New("case.draw", 409, lang.F("추첨에서 선정되지 않았습니다 (%[1]d번째, 선정 %[2]d명)", "it wasn't chosen by the draw: rank %[1]d, for %[2]d", d.draw.Rank, d.draw.Quota))
	}
	return nil
}
