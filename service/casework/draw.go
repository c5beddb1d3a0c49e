package casework

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// Draw is how those are chosen who get a service of which there isn't enough. Anyone can repeat it: each applicant is given a random line when they apply; the list of all lines is fixed and published when the window closes; the value that decides becomes known to everybody only after that, and which
// one it will be was said before. The order is that of SHA-256(value + ":" + line), in hexadecimal. What the manifest says later changes nothing of a list that is fixed, and what is in one isn't drawn again.
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
	Entries []string     `json:"entries" doc:"The lines of those who applied: sorted, and in the order of the draw once it is drawn"`
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

// newEntry is a line that stands for a case in a list: it says nothing of it.
func newEntry() string {
	line := make([]byte, 16)
	_, _ = rand.Read(line) // it never fails
	return hex.EncodeToString(line)
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

// draws are the windows of a service whose applications are drawn, in order.
func draws(one *service.Service) []manifest.Window {
	return slices.DeleteFunc(one.Spec.AllWindows(), func(w manifest.Window) bool { return w.Choose != manifest.Drawn })
}

// drawnOn is the window of a day whose applications are drawn, or nil.
func drawnOn(one *service.Service, day manifest.Day) *manifest.Window {
	if w := one.Spec.WindowOn(day); w != nil && w.Choose == manifest.Drawn {
		return w
	}
	return nil
}

// inWindow is the condition by which cases were received in a window, with its values.
func inWindow(one *service.Service, from, to manifest.Day) (where string, args []any) {
	begin, err := time.ParseInLocation(manifest.DateLayout, string(from), manifest.Seoul)
	end, wrong := time.ParseInLocation(manifest.DateLayout, string(to), manifest.Seoul)
	if err != nil || wrong != nil {
		return "1 = 0", nil // it was checked at plan time
	}
	return "project = ? AND service = ? AND received >= ? AND received < ?", []any{one.Project, one.Name, stored(begin), stored(end.AddDate(0, 0, 1))}
}

// listed says that the list of those among whom it is drawn is fixed already.
func (s *Store) listed(ctx context.Context, tx *db.Tx, one *service.Service) error {
	w := drawnOn(one, service.Today(s.Now()))
	if w == nil {
		return nil
	}
	if err := tx.Lock(ctx, "quota "+one.Path()); err != nil {
		return err
	}
	d, err := s.draw(ctx, tx, one, w.From, w.To)
	if d == nil || err != nil {
		return err
	}
	return problem.New("application.closed", 409, lang.F("추첨할 명단이 확정되어 더 신청하실 수 없습니다: %s", "the list for the draw of %s is fixed: no more applications are taken", one.Spec.Title))
}

// full says that as many as there are places for have applied, of a service that is given to who comes first.
func (s *Store) full(ctx context.Context, tx *db.Tx, one *service.Service) error {
	w := one.Spec.WindowOn(service.Today(s.Now()))
	if w == nil || w.Choose != manifest.FirstCome {
		return nil
	}
	if err := tx.Lock(ctx, "quota "+one.Path()); err != nil {
		return err
	}
	where, args := inWindow(one, w.From, w.To)
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
	type closing struct {
		one *service.Service
		w   manifest.Window
	}
	var list []closing
	for _, one := range s.Services.List() {
		for _, w := range draws(one) {
			if w.To < service.Today(s.Now()) {
				list = append(list, closing{one, w})
			}
		}
	}
	for _, c := range list {
		one, w := c.one, c.w
		err := s.DB.Write(ctx, func(tx *db.Tx) error {
			if err := tx.Lock(ctx, "quota "+one.Path()); err != nil {
				return err
			}
			known, err := s.draw(ctx, tx, one, w.From, w.To)
			if known != nil || err != nil {
				return err
			}
			source, err := json.Marshal(w.Seed)
			if err != nil {
				return err
			}
			where, args := inWindow(one, w.From, w.To)
			rows, err := tx.Query(ctx, "SELECT entry FROM service_case WHERE "+where+" AND entry <> '' AND state NOT IN (?, ?)", append(args, Withdrawn, Returned)...)
			if err != nil {
				return err
			}
			defer rows.Close()
			var entries []string
			for rows.Next() {
				var entry string
				if err := rows.Scan(&entry); err != nil {
					return err
				}
				entries = append(entries, entry)
			}
			if err := rows.Err(); err != nil {
				return err
			}
			slices.Sort(entries)
			n++
			_, err = tx.Exec(ctx, "INSERT INTO draw (project, service, since, until, quota, source, closed, entries, seed, drawn, actor) VALUES ("+db.Marks(11)+") ON CONFLICT DO NOTHING",
				one.Project, one.Name, string(w.From), string(w.To), w.Quota, string(source), stored(s.Now()), strings.Join(entries, "\n"), "", "", "")
			return err
		})
		if err != nil {
			return n, fmt.Errorf("close the draw of %s: %w", one.Path(), err)
		}
	}
	return n, nil
}

// draw reads the draw of a service's window, or of one that shares days with it, or nil where it hasn't closed.
func (s *Store) draw(ctx context.Context, tx *db.Tx, one *service.Service, from, to manifest.Day) (*Draw, error) {
	d := &Draw{Project: one.Project, Service: one.Name}
	var closed, entries, drawn, source string
	err := tx.QueryRow(ctx, "SELECT since, until, quota, source, closed, entries, seed, drawn FROM draw WHERE project = ? AND service = ? AND since <= ? AND until >= ? ORDER BY since LIMIT 1", one.Project, one.Name, string(to), string(from)).
		Scan(&d.From, &d.To, &d.Quota, &source, &closed, &entries, &d.Seed, &drawn)
	if db.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the draw of %s: %w", one.Path(), err)
	}
	if err := json.Unmarshal([]byte(source), &d.Source); err != nil {
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

// Draw is the draw of a service that closed last, for everybody. Codes: service.unknown; draw.none (nothing is drawn), draw.open (no window has closed).
func (s *Store) Draw(ctx context.Context, project, name string) (*Draw, error) {
	all, err := s.drawsOf(ctx, project, name)
	if err != nil {
		return nil, err
	}
	return all[len(all)-1], nil
}

// drawsOf are the draws of a service whose windows have closed, in order: one at least, or the problem says why.
func (s *Store) drawsOf(ctx context.Context, project, name string) (out []*Draw, err error) {
	one, err := s.Services.Find(project, name)
	if err != nil {
		return nil, err
	}
	windows := draws(one)
	if len(windows) == 0 {
		return nil, problem.New("draw.none", 404, lang.F("추첨하지 않는 서비스입니다: %s", "nothing is drawn for %s", one.Spec.Title))
	}
	read := func() error {
		out = nil
		return s.DB.Read(ctx, func(tx *db.Tx) error {
			for _, w := range windows {
				d, err := s.draw(ctx, tx, one, w.From, w.To)
				if err != nil {
					return err
				}
				if d != nil && (len(out) == 0 || out[len(out)-1].From != d.From) {
					out = append(out, d)
				}
			}
			return nil
		})
	}
	if err := read(); err != nil {
		return nil, err
	}
	if n := len(slices.DeleteFunc(slices.Clone(windows), func(w manifest.Window) bool { return w.To >= service.Today(s.Now()) })); len(out) < n { // it closes each minute; who asks in between needn't wait
		if _, err := s.closeDraws(ctx); err != nil {
			return nil, err
		}
		if err := read(); err != nil {
			return nil, err
		}
	}
	if len(out) == 0 {
		return nil, problem.New("draw.open", 409, lang.F("아직 신청 기간이 끝나지 않았습니다 (%s까지)", "applications are taken until %s", string(windows[0].To)))
	}
	return out, nil
}

// maxSeed is how long the value that decides a draw may be, in characters.
const maxSeed = 200

// thousands are commas within a number.
var thousands = regexp.MustCompile(`([0-9]),([0-9]{3}\b)`)

// plainSeed writes a value in the one way in which it decides: its numbers in their order of size, without zeros in front, with a space between them. It is "" where that can't be said: whoever knows the list could choose among spellings.
func plainSeed(text string) string {
	text = norm.NFKC.String(text)
	if utf8.RuneCountInString(text) > maxSeed {
		return ""
	}
	for was := ""; was != text; {
		was, text = text, thousands.ReplaceAllString(text, "$1$2")
	}
	var numbers []string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' || r == '\r' }) {
		if strings.Trim(part, "0123456789.") != "" {
			return ""
		}
		if part = strings.TrimLeft(part, "0"); part == "" || part[0] == '.' {
			part = "0" + part
		}
		numbers = append(numbers, part)
	}
	slices.SortFunc(numbers, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return strings.Join(numbers, " ")
}

// Decide draws: with the value that was said beforehand, once. Codes: those of [Store.Draw]; auth.refused, draw.seed, draw.done.
func (s *Store) Decide(ctx context.Context, who *identity.Principal, project, name, seed string) (*Draw, error) {
	all, err := s.drawsOf(ctx, project, name)
	if err != nil {
		return nil, err
	}
	d := all[len(all)-1]
	for _, one := range all { // the one that has waited longest
		if one.Seed == "" {
			d = one
			break
		}
	}
	if !s.mayDraw(who, project) {
		return nil, who.Refused()
	}
	if seed = plainSeed(seed); seed == "" {
		return nil, wrong("seed", "draw.seed", lang.F("추첨에 쓸 값을 숫자로, %d자 이내로 적어 주십시오. 여럿이면 띄어 쓰십시오", "write the value that decides it in digits, at most %d characters, several with spaces between them", maxSeed))
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
		if len(draws(one)) == 0 || !s.mayDraw(who, one.Project) {
			continue
		}
		all, err := s.drawsOf(ctx, one.Project, one.Name)
		if problem.Code(err) == "draw.open" {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, d := range all {
			if d.Seed == "" {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// drawn is what the draw of a service means for a case; nil where nothing is drawn, or it hasn't closed.
func (s *Store) drawn(ctx context.Context, tx *db.Tx, now *catalog.Snapshot, one *service.Service, c *Case) (*DrawResult, error) {
	if c.entry == "" {
		return nil, nil
	}
	day := service.Today(c.Received)
	d, err := s.draw(ctx, tx, one, day, day)
	if err != nil {
		return nil, err
	}
	out := &DrawResult{Entry: c.entry}
	if w := drawnOn(one, day); w != nil {
		out.Quota = w.Quota
	}
	if d == nil {
		return out, nil
	}
	if out.Of, out.Quota = len(d.Entries), d.Quota; d.Seed == "" {
		return out, nil
	}
	out.Done, out.Rank = true, slices.Index(d.Entries, out.Entry)+1
	if out.Rank == 0 {
		return out, nil
	}
	if out.Won = out.Rank <= d.Quota; out.Won {
		return out, nil
	}
	where, args := inWindow(one, d.From, d.To)
	rows, err := tx.Query(ctx, "SELECT entry FROM service_case WHERE "+where+" AND state IN (?, ?, ?, ?)", append(args, Withdrawn, Returned, Refused, Dismissed)...)
	if err != nil {
		return nil, fmt.Errorf("read who dropped out of the draw of %s: %w", one.Path(), err)
	}
	defer rows.Close()
	gone := map[string]bool{}
	for rows.Next() {
		var entry string
		if err := rows.Scan(&entry); err != nil {
			return nil, err
		}
		gone[entry] = true
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
	if d.entry == "" {
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
