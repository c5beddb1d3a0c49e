package exchange

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// What can be done to an agreement.
const (
	Approve = "approve"
	Refuse  = "refuse"
	Suspend = "suspend"
	Resume  = "resume"
	Revoke  = "revoke"
	Renew   = "renew"
)

// actions say who may do what to a version in which state, and what becomes of it.
var actions = map[string]struct {
	of   []State
	note bool // a reason is needed
	do   func(x *Exchange, ctx context.Context, tx *db.Tx, v *Version, c command) error
}{
	Approve: {[]State{Requested}, false, (*Exchange).approve},
	Refuse:  {[]State{Requested}, true, (*Exchange).refuse},
	Suspend: {[]State{Active}, true, halting(Suspended, "suspended")},
	Resume:  {[]State{Suspended}, false, halting(Active, "resumed")},
	Revoke:  {[]State{Active, Suspended, Expired, Requested}, true, halting(Revoked, "revoked")},
	Renew:   {[]State{Active, Expired, Refused, Revoked}, false, (*Exchange).renew},
}

// command is what somebody does to an agreement.
type command struct {
	who   *identity.Principal
	note  string
	until manifest.Day // of a renewal
}

// maxNote is how long a note may be, in characters.
const maxNote = 2000

// Act does something to an agreement, and returns how it then stands. Every act is kept with who, when and why.
//
// Codes: agreement.unknown, agreement.state, agreement.note, agreement.approver, agreement.until, auth.refused.
func (x *Exchange) Act(ctx context.Context, who *identity.Principal, project, name, action, note string, until manifest.Day) (Standing, error) {
	a, known := actions[action]
	if !known {
		return Standing{}, problem.New("agreement.action", 404, lang.F("협약에는 없는 처리입니다: %s", "there is no such thing to do with an agreement: %s", action))
	}
	note = strings.TrimSpace(note)
	if !who.SignedIn() {
		return Standing{}, who.Refused()
	}
	err := x.db.Write(ctx, func(tx *db.Tx) error {
		all, err := x.held(ctx, tx, project, name)
		if err != nil {
			return err
		}
		if len(all) == 0 && x.concerned(who, project) {
			return x.unknown(project, name)
		}
		if len(all) == 0 {
			return who.Refused()
		}
		var v *Version
		for _, state := range a.of { // the newest of the first state it has
			for _, one := range all {
				if one.Stands(x.today()) == state {
					v = one
				}
			}
			if v != nil {
				break
			}
		}
		if v == nil {
			last := all[len(all)-1]
			if !x.concerned(who, project) {
				return who.Refused()
			}
			return problem.New("agreement.state", 409, lang.F("지금 ‘%[2]s’ 상태여서 처리할 수 없는 협약입니다: %[1]s", "the agreement %[1]s is %[2]s: it can't be done now", last.Path(), StateTitle(last.Stands(x.today()))))
		}
		c := command{who, note, until}
		if err := x.may(c.who, v, action); err != nil {
			return err
		}
		if err := checkNote(note, a.note); err != nil {
			return err
		}
		return a.do(x, ctx, tx, v, c)
	})
	if err != nil {
		return Standing{}, err
	}
	s, _, err := x.Agreement(ctx, project, name)
	return s, err
}

// concerned reports whether a principal may see a consumer's agreements, or is of it.
func (x *Exchange) concerned(who *identity.Principal, project string) bool {
	return who.May(identity.SeeAgreements, identity.Place{}) || who.May(identity.ReadGoverned, x.catalog().Place(project))
}

// roles are the parts that a principal can take in approving a version.
func (x *Exchange) roles(who *identity.Principal, v *Version) (steward, privacy bool) {
	return who.May(identity.ApproveSteward, x.catalog().Place(v.Provider())), who.May(identity.ApprovePrivacy, identity.Place{})
}

// Actions lists what a principal may do to a version now.
func (x *Exchange) Actions(who *identity.Principal, v *Version) (out []string) {
	state := v.Stands(x.today())
	for _, name := range []string{Approve, Refuse, Suspend, Resume, Revoke, Renew} {
		if slices.Contains(actions[name].of, state) && x.may(who, v, name) == nil && (name != Approve || x.Mine(who, v)) {
			out = append(out, name)
		}
	}
	return out
}

// Mine reports whether a version waits for an approval that is a principal's to give.
func (x *Exchange) Mine(who *identity.Principal, v *Version) bool {
	if v.State != Requested || who.Actor() == v.Author {
		return false
	}
	steward, privacy := x.roles(who, v)
	return steward && v.Steward == "" && v.Privacy != who.Actor() || privacy && v.Personal && v.Privacy == "" && v.Steward != who.Actor()
}

// Today is the day in Seoul by which agreements end.
func (x *Exchange) Today() manifest.Day { return x.today() }

// may is nil where a principal may do something to a version.
func (x *Exchange) may(who *identity.Principal, v *Version, action string) error {
	consumer, provider := x.catalog().Place(v.Project), x.catalog().Place(v.Provider())
	allowed := false
	switch action {
	case Approve, Refuse:
		steward, privacy := x.roles(who, v)
		allowed = steward || privacy
	case Renew:
		allowed = who.May(identity.Renew, consumer) && x.catalog().Get(manifest.Key{Kind: "Agreement", Project: v.Project, Name: v.Name}) != nil
	case Revoke:
		allowed = who.May(identity.Halt, provider) || who.May(identity.Halt, consumer)
	default:
		allowed = who.May(identity.Halt, provider)
	}
	if !allowed {
		return who.Refused()
	}
	return nil
}

// approve notes an approval. The version holds once all have approved: the steward, and the privacy officer where a field is about persons. They are
// different people, and none of them asked for it.
func (x *Exchange) approve(ctx context.Context, tx *db.Tx, v *Version, c command) error {
	actor := c.who.Actor()
	if actor == v.Author {
		return problem.New("agreement.approver", 403, lang.T("신청한 사람은 승인할 수 없습니다", "who asked for it can't approve it"))
	}
	steward, privacy := x.roles(c.who, v)
	what := ""
	switch {
	case steward && v.Steward == "" && v.Privacy != actor:
		v.Steward, what = actor, "approved-steward"
	case privacy && v.Personal && v.Privacy == "" && v.Steward != actor:
		v.Privacy, what = actor, "approved-privacy"
	default:
		return problem.New("agreement.approver", 409, lang.T("맡으신 승인은 이미 끝났거나 필요하지 않습니다", "the approval that is yours is given already, or isn't needed"))
	}
	if err := x.set(ctx, tx, v, Requested); err != nil {
		return err
	}
	if err := x.note(ctx, tx, v, actor, what, c.note); err != nil {
		return err
	}
	if v.Steward == "" || v.Personal && v.Privacy == "" {
		return nil
	}
	before, err := x.versions(ctx, tx, "project = ? AND name = ? AND state IN ('active', 'suspended')", v.Project, v.Name)
	if err != nil {
		return err
	}
	for _, old := range before {
		if err := x.set(ctx, tx, old, Replaced); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(before, func(old *Version) bool { return noMore(v.Spec, old.Spec) }) {
		if err := x.endConsents(ctx, tx, v); err != nil {
			return err
		}
	}
	if err := x.set(ctx, tx, v, Active); err != nil {
		return err
	}
	return x.note(ctx, tx, v, actor, "active", "")
}

func (x *Exchange) refuse(ctx context.Context, tx *db.Tx, v *Version, c command) error {
	if err := x.set(ctx, tx, v, Refused); err != nil {
		return err
	}
	return x.note(ctx, tx, v, c.who.Actor(), "refused", c.note)
}

func halting(to State, what string) func(*Exchange, context.Context, *db.Tx, *Version, command) error {
	return func(x *Exchange, ctx context.Context, tx *db.Tx, v *Version, c command) error {
		if err := x.set(ctx, tx, v, to); err != nil {
			return err
		}
		return x.note(ctx, tx, v, c.who.Actor(), what, c.note)
	}
}

// renew asks for the same with a later last day, or once more after it was refused or revoked. What holds, holds meanwhile.
func (x *Exchange) renew(ctx context.Context, tx *db.Tx, v *Version, c command) error {
	if state := v.Stands(x.today()); (state == Refused || state == Revoked) && c.until.Valid() && c.until < x.today() {
		return problem.New("agreement.until", 422, lang.T("새 마지막 날(until)은 오늘이나 그 뒤의 날짜로 정해 주십시오", "the new last day (until) must be today or later"))
	} else if !c.until.Valid() || state != Refused && state != Revoked && (c.until <= v.Until || c.until < x.today()) {
		return problem.New("agreement.until", 422, lang.F("새 마지막 날(until)은 오늘이나 그 뒤이고 지금의 마지막 날(%s)보다 늦은 날짜로 정해 주십시오", "the new last day (until) must be today or later, and after the present last day, %s", string(v.Until)))
	}
	waiting, err := x.versions(ctx, tx, "project = ? AND name = ? AND state = 'requested'", v.Project, v.Name)
	if err != nil {
		return err
	}
	if len(waiting) > 0 {
		return problem.New("agreement.state", 409, lang.T("승인을 기다리는 변경이 이미 있습니다", "a change is waiting for approval already"))
	}
	var body string
	var newest int64
	if err := tx.QueryRow(ctx, "SELECT body FROM agreement_version WHERE project = ? AND name = ? AND version = ?", v.Project, v.Name, v.Version).Scan(&body); err != nil {
		return err
	}
	if err := tx.QueryRow(ctx, "SELECT max(version) FROM agreement_version WHERE project = ? AND name = ?", v.Project, v.Name).Scan(&newest); err != nil {
		return err
	}
	next := *v
	next.Version, next.Until, next.State, next.Author, next.At, next.Steward, next.Privacy = newest+1, c.until, Requested, c.who.Actor(), x.now().UTC(), "", ""
	return x.insert(ctx, tx, &next, body, "renewal", c.note)
}

// checkNote refuses notes that are too long, or not there where they are needed, or no text that a database keeps.
func checkNote(note string, needed bool) error {
	if needed && note == "" || utf8.RuneCountInString(note) > maxNote {
		return problem.New("agreement.note", 422, lang.F("이유를 %d자 안으로 적어 주십시오", "give a reason of at most %d characters", maxNote))
	}
	if strings.ContainsRune(note, 0) || !utf8.ValidString(note) {
		return problem.New("agreement.note", 422, lang.T("이유에 쓸 수 없는 문자가 있습니다", "the reason holds characters that can't be kept"))
	}
	return nil
}

// CutOff stops all reads of an agency's projects at once, or lets them go on.
func (x *Exchange) CutOff(ctx context.Context, who *identity.Principal, agency string, off bool, note string) error {
	if err := who.Need(identity.CutOff, identity.Place{}); err != nil {
		return err
	}
	if x.catalog().Get(manifest.Key{Kind: "Agency", Name: agency}) == nil {
		return problem.New("agency.unknown", 404, lang.F("없는 기관입니다: %s", "there is no agency %s", agency))
	}
	note = strings.TrimSpace(note)
	if err := checkNote(note, off); err != nil {
		return err
	}
	return x.db.Write(ctx, func(tx *db.Tx) error {
		if err := x.changes(ctx, tx); err != nil {
			return err
		}
		at := x.now().UTC().Format(time.RFC3339Nano)
		var n int64
		var err error
		if off {
			n, err = tx.Exec(ctx, "INSERT INTO cut_off (agency, at, actor, note) VALUES (?, ?, ?, ?) ON CONFLICT (agency) DO NOTHING", agency, at, who.Actor(), note)
		} else {
			n, err = tx.Exec(ctx, "DELETE FROM cut_off WHERE agency = ?", agency)
		}
		if err != nil || n == 0 { // it was so already
			return err
		}
		_, err = tx.Exec(ctx, "INSERT INTO cut_off_event (agency, at, actor, off, note) VALUES (?, ?, ?, ?, ?)", agency, at, who.Actor(), off, note)
		return err
	})
}

// CutOffEvent is that an agency was cut off, or connected again.
type CutOffEvent struct {
	At    time.Time
	Actor string
	Off   bool
	Note  string
}

// CutOffs lists when an agency was cut off and connected again, the newest first: it is cut off where the first says so.
func (x *Exchange) CutOffs(ctx context.Context, agency string) (out []CutOffEvent, err error) {
	err = x.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT at, actor, off, note FROM cut_off_event WHERE agency = ? ORDER BY id DESC LIMIT 100", agency)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var e CutOffEvent
			var at string
			if err := rows.Scan(&at, &e.Actor, &e.Off, &e.Note); err != nil {
				return err
			}
			if e.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
				return err
			}
			out = append(out, e)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read when %s was cut off: %w", agency, err)
	}
	return out, nil
}

// StateTitle is what a state is called.
func StateTitle(s State) lang.Text { return stateTitles[s] }

var stateTitles = map[State]lang.Text{
	Requested: lang.T("승인 대기", "waiting for approval"), Active: lang.T("이용 중", "active"), Suspended: lang.T("정지", "suspended"), Revoked: lang.T("철회", "revoked"),
	Refused: lang.T("거부", "refused"), Replaced: lang.T("교체됨", "replaced"), Expired: lang.T("기간 종료", "expired"),
}
