package exchange_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
)

func (c *town) consent(t testing.TB, number int64, agreement string, yes bool) {
	t.Helper()
	if err := c.Consent(t.Context(), citizen(number), agreement, yes); err != nil {
		t.Fatal(err)
	}
}

func TestConsentIsFeltByTheNextRead(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "incomes", "panel")
		other := c.node(t)
		without := func(when string) {
			t.Helper()
			before := c.size(t)
			for _, node := range []*town{c, other} {
				records, _, err := node.about(t, "incomes", 1)
				refused(t, err, "agreement.consent", when)
				if before++; len(records) > 0 || node.size(t) != before {
					t.Errorf("%s: something left, or there is no receipt that it was asked for", when)
				}
			}
		}
		without("before she was asked")
		c.consent(t, 2, "housing/incomes", true)
		without("when another has consented")
		c.consent(t, 1, "housing/panel", true)
		without("when she has consented to something else")
		c.consent(t, 1, "housing/incomes", true)
		c.must(t, "incomes", 1)
		other.must(t, "incomes", 1)
		c.clock.Advance(time.Hour)
		other.consent(t, 1, "housing/incomes", false)
		without("when she has taken it back")
		c.clock.Advance(time.Hour)
		c.consent(t, 1, "housing/incomes", true)
		c.consent(t, 1, "housing/incomes", true)
		c.must(t, "incomes", 1)
		all, err := c.Consents(t.Context(), citizen(1))
		if err != nil || len(all) != 3 || !all[0].Withdrawn.IsZero() || all[1].Withdrawn.Sub(all[1].Given) != time.Hour {
			t.Errorf("her consents: %+v %v", all, err)
		}
		if got := c.receipts(t, 1); len(got) != 11 {
			t.Errorf("%d receipts of three reads and eight that were refused", len(got))
		}
	})
}

func TestABulkReadIsOfThoseWhoConsented(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "panel")
		names := func(q exchange.Request) string {
			t.Helper()
			records, _, err := c.read(t, "panel", q)
			if err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, r := range records {
				out = append(out, r.Values[2].(string))
			}
			slices.Sort(out)
			return plain(join(out))
		}
		if got := names(exchange.Request{}); got != "" {
			t.Errorf("before anybody consented: %s", got)
		}
		c.consent(t, 1, "housing/panel", true)
		c.consent(t, 70_000, "housing/panel", true)
		if got := names(exchange.Request{}); got != "김하늘정달" {
			t.Errorf("read of %s", got)
		}
		both := []string{c.person(t, "housing", 1), c.person(t, "housing", 2)}
		_, _, err := c.read(t, "panel", exchange.Request{Subjects: both})
		refused(t, err, "agreement.consent", "two of whom one has consented")
		c.consent(t, 1, "housing/panel", false)
		if got := names(exchange.Request{}); got != "정달" {
			t.Errorf("read of %s", got)
		}
		if got := c.receipts(t, 2); len(got) != 1 {
			t.Errorf("who hasn't consented has %d receipts, not that of the read that was refused", len(got))
		}
		if got := c.receipts(t, 1); len(got) != 2 {
			t.Errorf("she has %d receipts of the one read that was of her and the one that was refused", len(got))
		}
	})
}

// A citizen must not learn by a consent, nor an office by a refusal, what they couldn't otherwise.
func TestConsentIsForWhatAsksForIt(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "incomes")
		give := func(who *identity.Principal, agreement string) error {
			return c.Consent(t.Context(), who, agreement, true)
		}
		refused(t, give(citizen(1), "housing/people"), "consent.unknown", "an agreement by law")
		refused(t, give(citizen(1), "housing/panel"), "consent.unknown", "one that doesn't hold")
		refused(t, give(citizen(1), "housing/none"), "consent.unknown", "one that there isn't")
		refused(t, give(citizen(1), "incomes"), "consent.unknown", "no project")
		refused(t, give(clerk, "housing/incomes"), "auth.refused", "an official")
		refused(t, give(nobody, "housing/incomes"), "auth.needed", "nobody")
		askable, err := c.Askable(t.Context())
		if err != nil || len(askable) != 1 || askable[0].Path() != "housing/incomes" {
			t.Errorf("%v %v", askable, err)
		}
		_, _, unknown := c.about(t, "incomes", 4_000)
		_, _, known := c.about(t, "incomes", 4)
		if words(unknown) != words(known) {
			t.Errorf("who has no record can be told from who hasn't consented: %v, %v", unknown, known)
		}
	})
}

// Consent is to what was shown to the person. It goes over to an agreement that reads no more, and to no other.
func TestConsentIsToWhatThePersonWasShown(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.files["housing/incomes.yaml"] = strings.ReplaceAll(agreements["incomes"], "[person, income]", "[person, income, floor]")
		c.apply(t, clerk)
		c.approve(t, "incomes")
		for _, s := range []struct {
			change, old, new string
			holds            bool
		}{
			{"more fields", "[person, income, floor]", "[person, income, floor, address]", false},
			{"fewer fields", "[person, income, floor, address]", "[person, income]", true},
			{"a later day", "until: 2027-12-31", "until: 2028-12-31", true},
			{"a mask", "consent: asked", "consent: asked\nmasks: {income: thousands}", false},
			{"no mask", "\nmasks: {income: thousands}", "", false},
			{"other records", "consent: asked", "consent: asked\nwhere: record.floor != 99", false},
			{"another basis", "제17조", "제15조", false},
		} {
			c.consent(t, 1, "housing/incomes", true)
			c.change(t, clerk, "housing/incomes.yaml", s.old, s.new)
			c.must(t, "incomes", 1) // by the version that holds
			c.approve(t, "incomes")
			if records, _, err := c.about(t, "incomes", 1); (err == nil) != s.holds {
				t.Errorf("%s: %v %v", s.change, texts(t, records), err)
			}
		}
		c.consent(t, 1, "housing/incomes", true)
		c.act(t, officer, "incomes", exchange.Revoke, "끝")
		c.change(t, clerk, "housing/incomes.yaml", "2028", "2029")
		c.approve(t, "incomes")
		_, _, err := c.about(t, "incomes", 1)
		refused(t, err, "agreement.consent", "after a revocation")
	})
}
