package casework

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service/term"
)

// How many cases a page has.
const (
	DefaultLimit = 50
	MaxLimit     = 200
)

// Queue says which cases an office looks at.
type Queue struct {
	State  State  // of one state only
	Mine   bool   // only those that who asks has taken, or somebody who is away and for whom they stand in
	Done   bool   // those that are done, instead of those that aren't
	Late   bool   // only those that are overdue, or a step of which is
	Asked  bool   // those of other offices on which their opinion is asked for, instead of their own
	Text   string // of the number, or of what the service is called, whatever its spacing
	Limit  int
	Cursor string
}

// Queue lists the cases of the offices that somebody works for, what is due first in front; next is the cursor of the next page, "" at the end.
func (s *Store) Queue(ctx context.Context, who *identity.Principal, q Queue) (out []*Case, next string, err error) {
	offices := s.offices(who)
	if len(offices) == 0 {
		return nil, "", who.Refused()
	}
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	if q.Limit < 1 || q.Limit > MaxLimit {
		return nil, "", problem.New("list.limit", 400, lang.F("limit에는 1–%d 범위의 값을 쓰십시오", "limit is 1 to %d", MaxLimit))
	}
	where, args := "agency IN ("+db.Marks(len(offices))+") AND done = ?", make([]any, 0, len(offices)+8)
	if q.Asked {
		where = "id IN (SELECT case_id FROM case_opinion WHERE agency IN (" + db.Marks(len(offices)) + ")) AND done = ?"
	}
	for _, a := range offices {
		args = append(args, a)
	}
	args = append(args, q.Done)
	if q.State != "" {
		where, args = where+" AND state = ?", append(args, q.State)
	}
	if q.Mine {
		var accounts []any
		if err := s.DB.Read(ctx, func(tx *db.Tx) error {
			accounts, err = s.covered(ctx, tx, who)
			return err
		}); err != nil {
			return nil, "", err
		}
		where, args = where+" AND assignee IN ("+db.Marks(len(accounts))+")", append(args, accounts...)
	}
	if q.Text = strings.TrimSpace(q.Text); q.Text != "" {
		found, more := s.found(q.Text)
		where, args = where+" AND "+found, append(args, more...)
	}
	if now := stored(s.Now()); q.Late {
		where, args = where+" AND (due <> '' AND due <= ? OR step_due <> '' AND step_due <= ?)", append(args, now, now)
	}
	const late = "CASE WHEN due = '' THEN '~' ELSE due END" // what isn't due comes behind
	if q.Cursor != "" {
		raw, err := base64.RawURLEncoding.DecodeString(q.Cursor)
		due, id, ok := strings.Cut(string(raw), " ")
		if err != nil || !ok {
			return nil, "", problem.New("list.cursor", 400, lang.T("cursor를 읽을 수 없습니다", "the cursor can't be read")).Hinting(lang.T("받은 next를 그대로 보내십시오", "send the next that came with the list"))
		}
		where, args = where+" AND ("+late+" > ? OR "+late+" = ? AND id > ?)", append(args, due, due, id)
	}
	args = append(args, q.Limit+1)
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		out, err = s.cases(ctx, tx, where+" ORDER BY "+late+", id LIMIT ?", args...)
		return err
	})
	if len(out) > q.Limit {
		out = out[:q.Limit]
		last := out[q.Limit-1]
		due := stored(last.Due)
		if due == "" {
			due = "~"
		}
		next = base64.RawURLEncoding.EncodeToString([]byte(due + " " + last.ID))
	}
	return out, next, err
}

// found is the condition of cases that somebody looks for: by digits of the number, or by what their service is called in either language.
func (s *Store) found(text string) (where string, args []any) {
	if digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text); digits != "" && strings.Trim(text, "0123456789- ") == "" {
		return "replace(id, '-', '') LIKE ?", []any{"%" + digits + "%"}
	}
	plain := func(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), "")) }
	want := plain(text)
	where = "(1 = 0"
	now := s.Catalog.Snapshot()
	for _, r := range now.List("Service") {
		if title := now.Title(r.Key); len(args) < 400 && (strings.Contains(plain(title.Ko), want) || strings.Contains(plain(title.En), want)) {
			where, args = where+" OR project = ? AND service = ?", append(args, r.Project, r.Name)
		}
	}
	return where + ")", args
}

// offices are those whose cases somebody works on.
func (s *Store) offices(who *identity.Principal) (out []string) {
	now := s.Catalog.Snapshot()
	for _, r := range now.List("Agency") {
		if who.May(identity.DecideCases, identity.Place{Owners: now.Chain(r.Name)}) {
			out = append(out, r.Name)
		}
	}
	return out
}

// Left is how much working time is left until a case is due, negative where it is overdue; not where nothing is due.
func (s *Store) Left(c *Case) (time.Duration, bool) {
	if c.Due.IsZero() {
		return 0, false
	}
	now := s.Catalog.Snapshot()
	var p *manifest.Process
	if one := s.Services.Service(c.Project, c.Service); one != nil {
		p = one.Spec.Process
	}
	cal, _ := calendar(now, p)
	if cal == nil {
		return 0, false
	}
	left, err := term.Left(cal, s.Now(), c.Due)
	return left, err == nil
}

// Mine lists a citizen's cases, the newest first.
func (s *Store) Mine(ctx context.Context, who *identity.Principal) (out []*Case, err error) {
	if who.Kind != identity.Citizen || who.Person == "" {
		return nil, who.Refused()
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		out, err = s.cases(ctx, tx, "person = ? ORDER BY received DESC, id LIMIT 500", who.Person)
		return err
	})
	for _, c := range out {
		c.Assignee = ""
	}
	return out, err
}

// unknownAction says that there is no such action, and which there are.
func unknownAction(name string) lang.Text {
	names := make([]string, len(actions))
	for i, a := range actions {
		names[i] = a.name
	}
	if near := manifest.Nearest(name, names); near != "" {
		return lang.F("없는 처리입니다: %[1]s. 비슷한 이름: %[2]s", "there is no action %[1]s; did you mean %[2]s?", name, near)
	}
	slices.Sort(names)
	return lang.F("없는 처리입니다: %[1]s (%[2]s)", "there is no action %[1]s (%[2]s)", name, strings.Join(names, ", "))
}
