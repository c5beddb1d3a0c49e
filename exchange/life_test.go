package exchange_test

import (
	"crypto/rand"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Those who may not, or not alone.
var (
	everything = official("everything", "hall", identity.Steward, identity.Privacy)
	asker      = official("clerk", "hall", identity.Author, identity.Steward, identity.Privacy) // who applied the agreements, with all rights
	risen      = official("privacy", "hall", identity.Steward, identity.Privacy)                // the officer, who has become steward too
	homely     = official("housing-steward", "homes", identity.Steward)
	caseworker = official("caseworker", "records", identity.Caseworker)
	governor   = official("governor", "hall", identity.Governance)
	admin      = official("admin", "hall", identity.Administrator)
	nobody     = &identity.Principal{}
)

// step is what somebody does to an agreement, and how it then stands; or the code with which it is refused.
type step struct {
	who    *identity.Principal
	action string
	note   string
	want   string // a state, or a code
}

func TestTheLifeOfAnAgreement(t *testing.T) {
	const (
		approve, refuse, suspend, resume, revoke = exchange.Approve, exchange.Refuse, exchange.Suspend, exchange.Resume, exchange.Revoke
		state, note, approver, forbidden         = "agreement.state", "agreement.note", "agreement.approver", "auth.refused"
	)
	towns := map[string]*town{"sqlite": found(t, filepath.Join(t.TempDir(), "maru.db")), "postgres": found(t, dbtest.Postgres(t))}
	approved := []step{{steward, approve, "", "requested"}, {officer, approve, "확인", "active"}}
	then := func(more ...step) []step { return append(approved[:2:2], more...) }
	for _, c := range []struct {
		name, agreement string
		steps           []step
		read            string // the code of a read after it
	}{
		{"nothing is read before anybody approved", "people", nil, "agreement.requested"},
		{"of what is about persons the steward's approval isn't enough", "people", approved[:1], "agreement.requested"},
		{"nor is the privacy officer's", "people", []step{{officer, approve, "", "requested"}, {officer, approve, "", approver}}, "agreement.requested"},
		{"both, in either order, make it hold", "people", []step{{officer, approve, "", "requested"}, {steward, approve, "", "active"}}, ""},
		{"of what isn't about persons the steward's is", "shelters", []step{{officer, approve, "", approver}, {steward, approve, "", "active"}, {officer, approve, "", state}}, ""},
		{"one person can't be both", "people", []step{{everything, approve, "", "requested"}, {everything, approve, "", approver}, {officer, approve, "", "active"}}, ""},
		{"nor the other way round", "people", []step{{officer, approve, "", "requested"}, {everything, approve, "", "active"}}, ""},
		{"nor who came to be both between", "people", []step{{officer, approve, "", "requested"}, {risen, approve, "", approver}}, "agreement.requested"},
		{"a steward doesn't approve twice", "people", []step{{steward, approve, "", "requested"}, {steward, approve, "", approver}}, "agreement.requested"},
		{"who asked for it doesn't approve it", "people", []step{{asker, approve, "", approver}, {steward, approve, "", "requested"}, {asker, approve, "", approver}}, "agreement.requested"},
		{"the wrong ones don't", "people", []step{
			{homely, approve, "", forbidden},
			{clerk, approve, "", forbidden},
			{caseworker, approve, "", forbidden},
			{governor, approve, "", forbidden},
			{admin, approve, "", forbidden},
			{program, approve, "", forbidden},
			{citizen(1), approve, "", forbidden},
			{nobody, approve, "", "auth.needed"},
			{homely, refuse, "왜냐하면", forbidden},
		}, "agreement.requested"},
		{"a refusal needs a reason", "people", []step{{steward, refuse, " ", note}, {steward, refuse, "항목이 너무 많습니다", "refused"}, {steward, approve, "", state}}, "agreement.refused"},
		{"the privacy officer refuses too, after the steward approved", "people", []step{{steward, approve, "", "requested"}, {officer, refuse, "근거가 없습니다", "refused"}}, "agreement.refused"},
		{"a suspension stops reads and can be lifted", "people", then(
			step{steward, suspend, "", note}, step{steward, suspend, "사고 조사", "suspended"}, step{steward, suspend, "또", state}, step{steward, resume, "", "active"}, step{steward, resume, "", state}), ""},
		{"while it is suspended nothing is read", "people", then(step{officer, suspend, "사고 조사", "suspended"}), "agreement.suspended"},
		{"the consumer doesn't suspend nor resume", "people", then(step{clerk, suspend, "그냥", forbidden}, step{steward, suspend, "사고", "suspended"}, step{clerk, resume, "", forbidden}, step{homely, resume, "", forbidden}), "agreement.suspended"},
		{"a revocation is the end", "people", then(step{steward, revoke, "", note}, step{steward, revoke, "더 필요 없음", "revoked"}, step{steward, resume, "", state}, step{officer, approve, "", state}), "agreement.revoked"},
		{"also of what is suspended", "people", then(step{steward, suspend, "사고", "suspended"}, step{officer, revoke, "끝", "revoked"}), "agreement.revoked"},
		{"the consumer gives it back", "people", then(step{clerk, revoke, "더 필요 없음", "revoked"}), "agreement.revoked"},
		{"a request is taken back", "people", []step{{clerk, revoke, "잘못 신청함", "revoked"}, {steward, approve, "", state}}, "agreement.revoked"},
		{"others don't revoke", "people", then(step{caseworker, revoke, "그냥", forbidden}, step{governor, revoke, "그냥", forbidden}, step{program, revoke, "그냥", forbidden}), ""},
		{"what can't be done before it holds", "people", []step{{steward, suspend, "왜", state}, {steward, resume, "", state}, {citizen(1), suspend, "왜", forbidden}}, "agreement.requested"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, town := range towns {
				t.Run(name, func(t *testing.T) { town.live(t, c.agreement, c.steps, c.read) })
			}
		})
	}
}

// live takes the steps with an agreement that is like one of the town's, and reads by it.
func (c *town) live(t *testing.T, like string, steps []step, code string) {
	name := like + "-" + strings.ToLower(rand.Text()[:8])
	c.files["housing/"+name+".yaml"] = strings.Replace(agreements[like], "name: "+like, "name: "+name, 1)
	c.apply(t, clerk)
	for i, s := range steps {
		listed := slices.Contains(c.Actions(s.who, c.standing(t, name).Shown()), s.action)
		got, err := c.Act(t.Context(), s.who, "housing", name, s.action, s.note, "")
		if err != nil {
			refused(t, err, s.want, s.action)
		} else if string(got.Shown().State) != s.want {
			t.Fatalf("step %d, %s by %s: %s, not %s", i+1, s.action, s.who.Account, got.Shown().State, s.want)
		}
		if possible := err == nil || s.want == "agreement.note"; possible != listed {
			t.Errorf("step %d, %s by %s: the console shows it %v, and it can be done %v", i+1, s.action, s.who.Account, listed, possible)
		}
	}
	q := exchange.Request{}
	if like == "people" {
		q.Subject = c.person(t, "housing", 1)
	}
	before := c.size(t)
	records, _, err := c.read(t, name, q)
	refused(t, err, code, "a read")
	if left := len(records) > 0; left != (code == "") || (c.size(t) > before) != left {
		t.Errorf("%d records left, %d entries", len(records), c.size(t)-before)
	}
}

func TestWhatThereIsntCantBeActedOn(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		_, err := c.Act(t.Context(), steward, "housing", "peoples", exchange.Approve, "", "")
		refused(t, err, "agreement.unknown", "no such agreement")
		_, err = c.Act(t.Context(), citizen(1), "housing", "peoples", exchange.Approve, "", "")
		refused(t, err, "auth.refused", "a citizen who tries which there are")
		_, err = c.Act(t.Context(), steward, "housing", "people", "bless", "", "")
		refused(t, err, "agreement.action", "no such action")
	})
}

func TestAnAgreementEndsWithItsLastDayInSeoul(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		c.clock.Set(time.Date(2027, 12, 31, 23, 59, 59, 0, clock.Seoul))
		c.must(t, "people", 1)
		c.clock.Advance(time.Second)
		_, _, err := c.about(t, "people", 1)
		refused(t, err, "agreement.expired", "the day after")
		s, _, err := c.Agreement(t.Context(), "housing", "people")
		if err != nil || s.Holds.Stands(c.Today()) != exchange.Expired {
			t.Errorf("it stands as %s, %v", s.Holds.Stands(c.Today()), err)
		}
		if all, err := c.Allowed(t.Context(), program); err != nil || len(all) != 0 {
			t.Errorf("it is still among those by which may be read: %v", err)
		}
		_, err = c.Act(t.Context(), steward, "housing", "people", exchange.Suspend, "끝난 협약", "")
		refused(t, err, "agreement.state", "an expired one was suspended")
		if got := c.Actions(clerk, s.Holds); len(got) != 2 || got[1] != exchange.Renew {
			t.Errorf("the consumer can't ask for more of it: %v", got)
		}
		_, err = c.Act(t.Context(), clerk, "housing", "people", exchange.Renew, "", "2028-12-31")
		if err != nil {
			t.Fatal(err)
		}
		c.approve(t, "people")
		c.must(t, "people", 1)
	})
}

func TestARenewalHoldsOnlyWhenApproved(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		renew := func(who *identity.Principal, until manifest.Day) error {
			_, err := c.Act(t.Context(), who, "housing", "people", exchange.Renew, "", until)
			return err
		}
		refused(t, renew(clerk, "2028-12-31"), "agreement.state", "before it holds")
		c.approve(t, "people")
		refused(t, renew(clerk, "2027-12-31"), "agreement.until", "no later than now")
		for _, wrong := range []manifest.Day{"", "later", "2028-02-30", "2028"} {
			refused(t, renew(clerk, wrong), "agreement.until", "no day")
		}
		refused(t, renew(steward, "2028-12-31"), "auth.refused", "the provider's steward")
		refused(t, renew(analyst, "2028-12-31"), "auth.refused", "an analyst")
		if err := renew(clerk, "2028-12-31"); err != nil {
			t.Fatal(err)
		}
		refused(t, renew(clerk, "2029-12-31"), "agreement.state", "while one waits")
		c.must(t, "people", 1)
		c.clock.Set(time.Date(2028, 1, 1, 9, 0, 0, 0, clock.Seoul))
		_, _, err := c.about(t, "people", 1)
		refused(t, err, "agreement.expired", "by a renewal that nobody approved")
		_, err = c.Act(t.Context(), asker, "housing", "people", exchange.Approve, "", "")
		refused(t, err, "agreement.approver", "by who asked for it")
		c.approve(t, "people")
		c.must(t, "people", 1)
		s, events, err := c.Agreement(t.Context(), "housing", "people")
		if err != nil || s.Holds.Version != 2 || s.Holds.Until != "2028-12-31" {
			t.Errorf("%+v %v", s.Holds, err)
		}
		if got, want := said(events), "active approved-privacy approved-steward renewal active approved-privacy approved-steward requested"; got != want {
			t.Errorf("its history is %s\nnot %s", got, want)
		}
	})
}

func TestWhatNoDatabaseKeepsIsRefusedBeforeItIsAsked(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		for _, bad := range []string{"\x00", "a\x00b", "\xff"} {
			_, _, err := c.Agreement(t.Context(), "housing", bad)
			refused(t, err, "agreement.unknown", "an agreement's name")
			_, err = c.Act(t.Context(), steward, bad, "people", exchange.Approve, "", "")
			refused(t, err, "agreement.unknown", "a project's name")
			_, err = c.Act(t.Context(), steward, "housing", "people", exchange.Refuse, "사고"+bad, "")
			refused(t, err, "agreement.note", "a note")
			_, _, err = c.read(t, bad, exchange.Request{})
			refused(t, err, "agreement.unknown", "what is read by")
			refused(t, c.Consent(t.Context(), citizen(1), "housing/"+bad, true), "consent.unknown", "what is consented to")
			refused(t, c.CutOff(t.Context(), officer, "homes", true, "사고"+bad), "agreement.note", "why an agency is cut off")
		}
	})
}
