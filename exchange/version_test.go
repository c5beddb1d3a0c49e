package exchange_test

import (
	"strings"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

func rollback(to int64) catalog.Request {
	return catalog.Request{Rollback: &to, Who: identity.Itself("test"), AllowLoss: true}
}

// said is what happened, the newest first.
func said(events []exchange.Event) string {
	var out []string
	for _, e := range events {
		out = append(out, e.What)
	}
	return strings.Join(out, " ")
}

func (c *town) standing(t testing.TB, name string) exchange.Standing {
	t.Helper()
	s, _, err := c.Agreement(t.Context(), "housing", name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheOldVersionHoldsUntilTheNewOneIsApproved(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		p := c.change(t, clerk, "housing/people.yaml", "district, floor]", "district, floor, income]")
		if len(p.Changes) != 1 || len(p.Changes[0].Steps) != 1 {
			t.Errorf("the plan doesn't say that it asks for approval: %+v", p.Changes)
		}
		if got := c.must(t, "people", 1); strings.Contains(got, "income") {
			t.Fatalf("what nobody approved was read: %s", got)
		}
		_, _, err := c.read(t, "people", exchange.Request{Subject: c.person(t, "housing", 1), Fields: []string{"income"}})
		refused(t, err, "agreement.field", "a field of the version that waits")
		c.act(t, steward, "people", exchange.Approve, "")
		if got := c.must(t, "people", 1); strings.Contains(got, "income") {
			t.Fatalf("what one of two approved was read: %s", got)
		}
		c.act(t, officer, "people", exchange.Approve, "")
		if got := c.must(t, "people", 1); !strings.Contains(got, `"income":2499500`) {
			t.Errorf("what was approved isn't read: %s", got)
		}
		if s := c.standing(t, "people"); s.Holds.Version != 2 || s.Last != s.Holds || s.Waits != nil {
			t.Errorf("%+v", s)
		}
	})
}

func TestARefusedVersionLeavesTheOldOneAsItWas(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		c.change(t, clerk, "housing/people.yaml", "district, floor]", "district, floor, income]")
		c.act(t, steward, "people", exchange.Refuse, "소득은 안 됩니다")
		if got := c.must(t, "people", 1); strings.Contains(got, "income") {
			t.Error(got)
		}
		c.act(t, steward, "people", exchange.Suspend, "조사")
		_, _, err := c.about(t, "people", 1)
		refused(t, err, "agreement.suspended", "the old one is suspended")
	})
}

func TestOnlyTheLastOfSeveralRequestsCanBeApproved(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.act(t, steward, "people", exchange.Approve, "")
		c.change(t, clerk, "housing/people.yaml", "district, floor]", "district, floor, income]")
		if s := c.standing(t, "people"); s.Waits.Version != 2 || s.Waits.Steward != "" || s.Holds != nil {
			t.Errorf("an approval went over to another text: %+v", s.Waits)
		}
		if s := c.act(t, officer, "people", exchange.Approve, ""); s.Holds != nil {
			t.Error("a version holds that no steward approved")
		}
	})
}

func TestAnotherTitleNeedsNoApproval(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		p := c.change(t, clerk, "housing/people.yaml", "en: Agreement}", "en: The register}")
		if len(p.Changes) != 1 || len(p.Changes[0].Steps) != 0 {
			t.Errorf("%+v", p.Changes)
		}
		if s := c.standing(t, "people"); s.Waits != nil || s.Holds.Version != 1 || s.Holds.Spec.Title.En != "The register" {
			t.Errorf("%+v", s.Shown())
		}
		c.must(t, "people", 1)
	})
}

// What the refusals tell the consumer to do must be possible.
func TestWhatEndedCanBeAskedForAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.act(t, steward, "people", exchange.Refuse, "설명이 없습니다")
		p := c.change(t, clerk, "housing/people.yaml", "en: Agreement}", "en: The register}")
		if len(p.Changes) != 1 || len(p.Changes[0].Steps) != 1 {
			t.Errorf("the plan doesn't say that it asks for approval: %+v", p.Changes)
		}
		if s := c.standing(t, "people"); s.Waits == nil || s.Waits.Version != 2 {
			t.Errorf("it wasn't asked for again: %+v", s.Shown())
		}
		c.approve(t, "people")
		c.must(t, "people", 1)
	})
}

func TestADocumentThatIsRemovedRevokes(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "census")
		c.change(t, clerk, "housing/people.yaml", "district, floor]", "district]")
		text := c.files["housing/people.yaml"]
		delete(c.files, "housing/people.yaml")
		if p := c.apply(t, clerk); len(p.Changes) != 1 || len(p.Changes[0].Steps) != 1 {
			t.Errorf("the plan doesn't say that it revokes: %+v", p.Changes)
		}
		_, _, err := c.about(t, "people", 1)
		refused(t, err, "agreement.revoked", "a read")
		_, err = c.Act(t.Context(), steward, "housing", "people", exchange.Approve, "", "")
		refused(t, err, "agreement.state", "the version that waited")
		c.files["housing/people.yaml"] = text
		c.apply(t, clerk)
		_, _, err = c.about(t, "people", 1)
		refused(t, err, "agreement.requested", "a document that is there again")
		if s := c.standing(t, "people"); s.Last.Version != 3 || s.Holds != nil {
			t.Errorf("%+v", s.Last)
		}
		if _, _, err := c.read(t, "census", exchange.Request{}); err != nil {
			t.Errorf("another agreement ended with it: %v", err)
		}
	})
}

func TestARollbackBringsNoApprovalBack(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		then := c.catalog.Snapshot().Revision
		delete(c.files, "housing/people.yaml")
		c.apply(t, clerk)
		p, err := c.catalog.Plan(t.Context(), rollback(then))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.catalog.Apply(t.Context(), p.ID, admin, "back"); err != nil {
			t.Fatal(err)
		}
		_, _, err = c.about(t, "people", 1)
		refused(t, err, "agreement.requested", "after the rollback")
	})
}

func TestWhatWasRefusedOrRevokedIsAskedForAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		until := manifest.Day("2027-12-31")
		again := func(who *identity.Principal, until manifest.Day) error {
			_, err := c.Act(t.Context(), who, "housing", "people", exchange.Renew, "", until)
			return err
		}
		c.act(t, steward, "people", exchange.Refuse, "너무 많습니다")
		refused(t, again(clerk, "2026-11-23"), "agreement.until", "a day that is over")
		refused(t, again(steward, until), "auth.refused", "the steward")
		if err := again(clerk, until); err != nil {
			t.Fatal(err)
		}
		refused(t, again(clerk, until), "agreement.state", "twice")
		c.approve(t, "people")
		c.must(t, "people", 1)
		c.act(t, officer, "people", exchange.Revoke, "끝났습니다")
		_, _, err := c.about(t, "people", 1)
		refused(t, err, "agreement.revoked", "after it was revoked")
		if err := again(clerk, until); err != nil {
			t.Fatal(err)
		}
		c.approve(t, "people")
		c.must(t, "people", 1)
	})
}
