package exchange_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
)

// lamps are about streets, until it is said that they are about who reported them.
const lamps = `
kind: Dataset
name: lamps
title: {ko: 가로등, en: Street lamps}
key: [code]
fields:
  code:     {type: string, title: {ko: 번호}, class: public}
  street:   {type: string, title: {ko: 길}, class: internal}
  reporter: {type: string, title: {ko: 신고자}, class: internal}
`

func TestAFieldThatBecomesPersonalNeedsThePrivacyOfficer(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.files["register/lamps.yaml"] = lamps
		c.apply(t, identity.Itself("setup"))
		c.files["housing/streets.yaml"] = agreement("streets", "\ndataset: register/lamps\nfields: [street]\nbasis: 통계법 제17조\n")
		c.apply(t, clerk)
		c.act(t, steward, "streets", exchange.Approve, "")
		if _, _, err := c.read(t, "streets", exchange.Request{}); err != nil {
			t.Fatal(err)
		}
		c.edit(t, "register/lamps.yaml", "{type: string, title: {ko: 신고자}, class: internal}", "{term: person}")
		c.change(t, identity.Itself("setup"), "register/lamps.yaml", "key: [code]", "key: [code]\nsubject: reporter")
		_, _, err := c.read(t, "streets", exchange.Request{})
		refused(t, err, "agreement.approval", "what only the steward approved")
		if _, err := c.Act(t.Context(), clerk, "housing", "streets", exchange.Renew, "", "2028-12-31"); err != nil {
			t.Fatal(err)
		}
		if s := c.act(t, steward, "streets", exchange.Approve, ""); s.Waits == nil {
			t.Error("the renewal of what has become personal holds without the privacy officer")
		}
		if s := c.act(t, officer, "streets", exchange.Approve, ""); s.Waits != nil || !s.Holds.Personal {
			t.Errorf("%+v", s.Shown())
		}
		if _, _, err := c.about(t, "streets", 1); err != nil {
			t.Error(err)
		}
	})
}

// Whoever names a person, or reads of all, reads about persons, whatever the fields are classed.
func TestRecordsAboutPersonsNeedThePrivacyOfficer(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.files["housing/streets.yaml"] = agreement("streets", "\ndataset: register/people\nfields: [district, floor]\nbasis: 통계법 제17조\n")
		c.apply(t, clerk)
		c.act(t, steward, "streets", exchange.Approve, "")
		_, _, err := c.about(t, "streets", 1)
		refused(t, err, "agreement.requested", "the district of somebody who is named, which only the steward approved")
		c.act(t, officer, "streets", exchange.Approve, "")
		c.must(t, "streets", 1)
	})
}

// That a record is there says of whom it is about what the condition says.
func TestAConditionOverWhatIsPersonalNeedsThePrivacyOfficer(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.files["housing/poor.yaml"] = agreement("poor", "\ndataset: register/people\nfields: [district]\nwhere: record.income < 1000\nbasis: 법\n")
		c.apply(t, clerk)
		c.act(t, steward, "poor", exchange.Approve, "")
		_, _, err := c.about(t, "poor", 2)
		refused(t, err, "agreement.requested", "whether somebody is poor, which only the steward approved")
		c.act(t, officer, "poor", exchange.Approve, "")
		if _, _, err := c.about(t, "poor", 2); err != nil {
			t.Error(err)
		}
	})
}

// The version that holds may be older than the document: the provider is told of what the document needs, not of what that version does.
func TestAVersionWhoseConditionNoLongerFitsSaysNothingOfTheDataset(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		c.change(t, clerk, "housing/people.yaml", "where: record.left_on == null\n", "")
		c.files["housing/census.yaml"] = agreement("census", "\ndataset: register/people\nbasis: 법\nfields: [district]\nsubject: many\n")
		c.apply(t, clerk)
		c.change(t, identity.Itself("setup"), "register/project.yaml", "  left_on:   {type: date, title: {ko: 전출일}, class: internal}\n", "")
		_, _, err := c.about(t, "people", 1)
		refused(t, err, "agreement.dataset", "a condition over a field that is gone")
		for _, hidden := range []string{"household", "income", "number"} {
			if strings.Contains(words(err), hidden) {
				t.Errorf("the refusal names %s: %s", hidden, words(err))
			}
		}
	})
}

// Else an approval that was under way would bring a document back to life.
func TestADocumentIsntRemovedWhileSomebodyActsOnIt(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		delete(c.files, "housing/people.yaml")
		p := c.plan(t)
		var acting, removed sync.WaitGroup
		begun, end := make(chan struct{}), make(chan struct{})
		acting.Go(func() {
			err := c.db.Write(t.Context(), func(tx *db.Tx) error {
				err := tx.Lock(t.Context(), "agreement housing/people")
				close(begun)
				<-end
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
		<-begun
		done := make(chan error, 1)
		removed.Go(func() {
			_, err := c.catalog.Apply(t.Context(), p.ID, clerk, "")
			done <- err
		})
		select {
		case err := <-done:
			t.Errorf("it was removed meanwhile: %v", err)
			done <- nil
		case <-time.After(300 * time.Millisecond):
		}
		close(end)
		acting.Wait()
		removed.Wait()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestApplyingAgainAsksForTheApprovalThatIsMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.files["register/lamps.yaml"] = lamps
		c.apply(t, identity.Itself("setup"))
		c.files["housing/streets.yaml"] = agreement("streets", "\ndataset: register/lamps\nfields: [street]\nbasis: 통계법 제17조\n")
		c.apply(t, clerk)
		c.act(t, steward, "streets", exchange.Approve, "")
		c.edit(t, "register/lamps.yaml", "{type: string, title: {ko: 신고자}, class: internal}", "{term: person}")
		c.change(t, identity.Itself("setup"), "register/lamps.yaml", "key: [code]", "key: [code]\nsubject: reporter")
		if p := c.change(t, clerk, "housing/streets.yaml", "en: Agreement}", "en: The streets}"); len(p.Changes) != 1 || len(p.Changes[0].Steps) != 1 {
			t.Errorf("the plan doesn't say that it asks for approval: %+v", p.Changes)
		}
		c.approve(t, "streets")
		if s := c.standing(t, "streets"); s.Holds.Version != 2 || s.Holds.Privacy == "" {
			t.Errorf("%+v", s.Holds)
		}
		if _, _, err := c.about(t, "streets", 1); err != nil {
			t.Error(err)
		}
	})
}
