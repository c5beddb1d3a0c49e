package exchange_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
)

func join(s []string) string { return strings.Join(s, " ") }

func TestARevocationIsFeltByTheNextReadOnAnotherNode(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		other := c.node(t)
		c.approve(t, "people", "census")
		if got := other.must(t, "people", 1); !strings.Contains(got, "김하늘") {
			t.Fatal(got)
		}
		c.act(t, officer, "people", exchange.Suspend, "조사")
		_, _, err := other.about(t, "people", 1)
		refused(t, err, "agreement.suspended", "on another node")
		other.act(t, officer, "people", exchange.Resume, "")
		c.must(t, "people", 1)
		other.act(t, officer, "people", exchange.Revoke, "끝")
		_, _, err = c.about(t, "people", 1)
		refused(t, err, "agreement.revoked", "on the first node")
		if err := c.CutOff(t.Context(), officer, "homes", true, "사고"); err != nil {
			t.Fatal(err)
		}
		_, _, err = other.read(t, "census", exchange.Request{})
		refused(t, err, "agency.cut_off", "on another node")
	})
}

// Whose agency lies below which is the catalog's: a node that hasn't read the newest revision yet catches up before it reads.
func TestACutOffIsFeltOnANodeThatIsBehindTheCatalog(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		other := c.node(t)
		other.must(t, "people", 1)
		c.files["standards/second.yaml"] = "kind: Agency\nname: second\ntitle: {ko: 둘째, en: Second}\nparent: hall\nlevel: bureau\n"
		c.change(t, identity.Itself("setup"), "standards/project.yaml", "title: {ko: 주거과, en: Housing office}\nparent: hall", "title: {ko: 주거과, en: Housing office}\nparent: second")
		if err := c.CutOff(t.Context(), officer, "second", true, "사고"); err != nil {
			t.Fatal(err)
		}
		_, _, err := other.about(t, "people", 1)
		refused(t, err, "agency.cut_off", "on a node that is behind")
	})
}

// A node whose catalog is older than the database must not read by what it remembers.
func TestANodeThatIsBehindReadsByTheVersionThatHolds(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "census")
		other := c.node(t)
		other.must(t, "people", 1)
		c.edit(t, "housing/people.yaml", "name, born, address, district, floor]", "name, address, district]")
		c.edit(t, "housing/people.yaml", "address: district, born: year", "address: hidden")
		c.apply(t, clerk)
		c.approve(t, "people")
		if got := other.must(t, "people", 1); strings.Contains(got, "born") || !strings.Contains(got, `"address":true`) {
			t.Errorf("it reads by the version before: %s", got)
		}
		delete(c.files, "housing/census.yaml")
		c.apply(t, clerk)
		_, _, err := other.read(t, "census", exchange.Request{})
		refused(t, err, "agreement.revoked", "a document that another node removed")
	})
}

func TestARevocationBetweenReadsOfManyAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		nodes := []*town{c, c.node(t)}
		subject := c.person(t, "housing", 1)
		revoked := make(chan struct{})
		var all sync.WaitGroup
		for i := range 8 {
			node := nodes[i%2]
			all.Go(func() {
				for {
					after := false
					select {
					case <-revoked:
						after = true
					default:
					}
					err := node.Read(t.Context(), program, exchange.Request{Agreement: "people", Purpose: "eligibility", Subject: subject}, func([]*catalog.Field, exchange.Part) error {
						if after {
							t.Error("a read that began after the revocation was answered")
						}
						return nil
					})
					if code := problem.Code(err); err != nil && code != "agreement.revoked" {
						t.Error(err)
					}
					if after || err != nil {
						return
					}
				}
			})
		}
		c.act(t, officer, "people", exchange.Revoke, "끝")
		close(revoked)
		all.Wait()
		if got := int64(len(c.receipts(t, 1))); got != min(c.size(t), 100) {
			t.Errorf("%d receipts of %d entries", got, c.size(t))
		}
	})
}

func TestApprovalsOfManyAtOnceAddUp(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		var all sync.WaitGroup
		for _, node := range []*town{c, c.node(t)} {
			for _, who := range []*identity.Principal{steward, officer, everything} {
				all.Go(func() {
					_, err := node.Act(t.Context(), who, "housing", "people", exchange.Approve, "", "")
					if code := problem.Code(err); err != nil && code != "agreement.approver" && code != "agreement.state" {
						t.Error(err)
					}
				})
			}
		}
		all.Wait()
		s, events, err := c.Agreement(t.Context(), "housing", "people")
		if err != nil || s.Holds == nil || s.Holds.Steward == s.Holds.Privacy || len(events) != 4 || events[0].What != "active" {
			t.Errorf("%+v %s %v", s.Shown(), said(events), err)
		}
	})
}

func TestOtherKeysThanThoseOfTheDatabaseAreRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		other := *c
		ring := otherRing(t)
		_, err := exchange.Open(t.Context(), exchange.Options{DB: other.db, Registry: other.registry, Log: other.log, Keys: ring, Now: other.clock.Now, Catalog: other.catalog.Snapshot})
		refused(t, err, "keys.other", "another folder of keys")
	})
}
