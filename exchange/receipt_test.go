package exchange_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
)

// receipts are the numbers of a citizen's receipts, the newest first.
func (c *town) receipts(t testing.TB, number int64) []int64 {
	t.Helper()
	list, err := c.Receipts(t.Context(), citizen(number), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	out := []int64{}
	for _, r := range list {
		out = append(out, r.ID)
	}
	return out
}

func TestACitizenFindsEachReadAboutHerAndNoOther(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "census", "shelters")
		read := func(q exchange.Request, agreement string) int64 {
			t.Helper()
			_, n, err := c.read(t, agreement, q)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		one, two, away, none := c.person(t, "housing", 1), c.person(t, "housing", 2), c.person(t, "housing", 4), c.person(t, "housing", 4_000)
		single := read(exchange.Request{Subject: one}, "people")
		named := read(exchange.Request{Subjects: []string{one, two}}, "census")
		bulk := read(exchange.Request{}, "census")
		jung := read(exchange.Request{Filter: `district == "jung"`}, "census")
		outside := read(exchange.Request{Subject: away}, "people")
		nowhere := read(exchange.Request{Subject: none}, "people")
		filtered := read(exchange.Request{Subject: one, Filter: "floor < 0"}, "people")
		read(exchange.Request{Subject: "who"}, "people")
		read(exchange.Request{}, "shelters")
		for number, want := range map[int64][]int64{
			1: {filtered, bulk, named, single}, 2: {bulk, named}, 3: {jung, bulk}, 70_000: {jung, bulk},
			4: {outside}, 4_000: {nowhere}, 5: {}, 65_536: {}, 70_001: {},
		} {
			if got := c.receipts(t, number); !slices.Equal(got, want) {
				t.Errorf("%d finds %v, not %v", number, got, want)
			}
		}
		if h := c.size(t); h != 9 {
			t.Errorf("%d entries of 9 reads", h)
		}
		page, err := c.Receipts(t.Context(), citizen(1), named, 1)
		if err != nil || len(page) != 1 || page[0].ID != single {
			t.Errorf("the next page: %v %v", page, err)
		}
		for _, who := range []*identity.Principal{nobody, program, officer, {Kind: identity.Citizen, Account: "x"}} {
			if _, err := c.Receipts(t.Context(), who, 0, 10); err == nil {
				t.Errorf("%s has receipts", who.Kind)
			}
		}
	})
}

func TestAReceiptSaysWhoReadWhatAndWhy(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "census")
		_, n, err := c.One(t.Context(), analyst, exchange.Request{Agreement: "housing/people", Purpose: "eligibility", Subject: c.person(t, "housing", 1), Fields: []string{"born", "name"}})
		if err != nil {
			t.Fatal(err)
		}
		list, err := c.Receipts(t.Context(), citizen(1), 0, 10)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		r := list[0]
		got := fmt.Sprint(r.ID == n, r.Kind, r.At.Format(time.RFC3339), r.Agreement, r.Version, r.Dataset, r.Consumer, r.Agency, r.Provider, r.Purpose, r.Basis, r.Fields, r.Masks, r.Consent, r.Records, r.People, r.Actor)
		if want := "true read 2026-11-24T00:00:00Z housing/people 1 register/people housing homes records eligibility 전자정부법 제36조 [born name] map[born:year] law 1 1 housing-analyst"; plain(got) != plain(want) {
			t.Errorf("%s\nnot %s", got, want)
		}
		for id := range c.size(t) {
			e, err := c.log.Entry(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			public, err := e.Public()
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"김하늘", c.person(t, "housing", 1), c.person(t, "register", 1), "housing-analyst", `"subject"`, "citizen"} {
				if strings.Contains(string(public), secret) {
					t.Errorf("what everyone sees has %s: %s", secret, public)
				}
			}
		}
	})
}

// plain is a text without its spaces.
func plain(s string) string { return strings.ReplaceAll(s, " ", "") }

func TestAProofIsForThoseItConcerns(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "census")
		if _, _, err := c.about(t, "people", 1); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.read(t, "census", exchange.Request{Filter: "floor == 3"}); err != nil { // 1 and 2
			t.Fatal(err)
		}
		other := &identity.Principal{Kind: identity.Service, Account: "x", Project: "register"}
		for _, s := range []struct {
			id    int64
			who   *identity.Principal
			whole bool
			code  string
		}{
			{0, citizen(1), true, ""},
			{0, citizen(2), false, "ledger.unknown"},
			{1, citizen(1), true, ""},
			{1, citizen(2), true, ""},
			{1, citizen(3), false, "ledger.unknown"},
			{0, officer, true, ""},
			{0, program, false, ""},
			{0, analyst, false, ""},
			{0, other, false, "ledger.unknown"},
			{0, steward, false, "ledger.unknown"},
			{0, nobody, false, "auth.needed"},
			{2, citizen(1), false, "ledger.unknown"},
			{-1, citizen(1), false, "ledger.unknown"},
		} {
			r, p, err := c.Prove(t.Context(), s.who, s.id)
			if strings.Contains(string(p.Private), "floor") {
				t.Errorf("%d: what was looked for is told to %s, also of others", s.id, s.who.Account)
			}
			refused(t, err, s.code, fmt.Sprint(s.id, s.who.Account))
			if err != nil {
				continue
			}
			if _, err := ledger.Check(p.Proof, p.Verifier); err != nil || p.Verifier != c.ring.Verifier() {
				t.Errorf("%d for %s: %v", s.id, s.who.Account, err)
			}
			if whole := p.Private != nil; whole != s.whole || (r.Actor != "") != s.whole {
				t.Errorf("%d for %s: with its private part: %v", s.id, s.who.Account, whole)
			}
			text, _ := json.Marshal(p)
			if s.id == 1 && s.who.Person == "1" && (strings.Contains(string(text), `"subject"`) || strings.Contains(string(text), c.person(t, "housing", 2))) {
				t.Errorf("a receipt of many says who the others are: %s", text)
			}
		}
	})
}

// The hard promise: whatever stands in the log's way, nothing leaves that has no receipt.
func TestWithoutAReceiptNothingLeaves(t *testing.T) {
	for name, breaks := range map[string]func(t *testing.T, c *town){
		"the log is closed": func(t *testing.T, c *town) {
			if err := c.log.Close(); err != nil {
				t.Fatal(err)
			}
		},
		"the log can't be written": func(t *testing.T, c *town) {
			if _, err := c.db.Pool().ExecContext(t.Context(), "ALTER TABLE log_entry RENAME TO log_entry_away"); err != nil {
				t.Fatal(err)
			}
		},
		"the checkpoint can't be written": func(t *testing.T, c *town) {
			if _, err := c.db.Pool().ExecContext(t.Context(), "ALTER TABLE log_head RENAME COLUMN checkpoint TO checkpoint_away"); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, c *town) {
				c.approve(t, "people", "census")
				c.must(t, "people", 1)
				breaks(t, c)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				for _, q := range []exchange.Request{
					{Agreement: "people", Subject: c.person(t, "housing", 1)}, {Agreement: "people", Subject: c.person(t, "housing", 4)}, {Agreement: "census"},
				} {
					q.Purpose = "eligibility"
					err := c.Read(ctx, program, q, func([]*catalog.Field, exchange.Part) error {
						t.Errorf("%+v: something left without a receipt", q)
						return nil
					})
					refused(t, err, "ledger.unavailable", fmt.Sprintf("%+v", q))
					if errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%+v: it waited for a log that there isn't", q)
					}
				}
			})
		})
	}
}

func TestTheReceiptIsDurableBeforeTheRecordsLeave(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "census")
		other := c.node(t)
		err := c.Read(t.Context(), program, exchange.Request{Agreement: "census", Purpose: "eligibility"}, func(_ []*catalog.Field, p exchange.Part) error {
			if e, err := other.log.Entry(t.Context(), p.Receipt); err != nil || !strings.Contains(string(e.Body), `"agreement":"housing/census"`) {
				t.Errorf("the records leave and another node doesn't see their receipt: %v", err)
			}
			if got := other.receipts(t, 3); !slices.Equal(got, []int64{p.Receipt}) {
				t.Errorf("she doesn't find it: %v", got)
			}
			return problem.New("test.stop", 400, problem.Full().Detail)
		})
		refused(t, err, "test.stop", "what the receiver says")
		if got := c.receipts(t, 3); len(got) != 1 {
			t.Errorf("a receiver that goes away has %d receipts", len(got))
		}
	})
}

func TestAReceiptIsReadableAfterWhatItIsOfIsGone(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		c.must(t, "people", 1)
		for name := range agreements {
			delete(c.files, "housing/"+name+".yaml")
		}
		c.apply(t, clerk)
		c.files["register/project.yaml"] = register[:strings.Index(register, "---")]
		c.apply(t, identity.Itself("setup"))
		list, err := c.Receipts(t.Context(), citizen(1), 0, 10)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		s := c.catalog.Snapshot()
		for _, tag := range []lang.Tag{lang.Ko, lang.En} {
			if text := list[0].Sentence(s).In(tag); !strings.Contains(text, "2026") || strings.Contains(text, "%!") || strings.Contains(text, "“”") || strings.Contains(text, "‘’") {
				t.Error(text)
			}
		}
		if _, p, err := c.Prove(t.Context(), citizen(1), list[0].ID); err != nil || p.Private == nil {
			t.Error(err)
		}
	})
}

// What an agreement is for stands on the citizen's page: it becomes another only when that is approved, and what was read before stays as it was said.
func TestAReceiptSaysWhyInTheWordsOfTheVersionThatItWasReadBy(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		why := func() (out []string) {
			t.Helper()
			list, err := c.Receipts(t.Context(), citizen(1), 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range list {
				out = append(out, r.Why().Ko)
			}
			return out
		}
		c.change(t, clerk, "housing/people.yaml", "purpose:", "about: 자격을 확인합니다\npurpose:")
		c.approve(t, "people")
		c.must(t, "people", 1)
		c.change(t, clerk, "housing/people.yaml", "자격을 확인합니다", "아무 일도 아닙니다")
		c.must(t, "people", 1)
		if s := c.standing(t, "people"); s.Waits == nil {
			t.Error("an agreement says that it is for something else, and nobody has to approve it")
		}
		c.approve(t, "people")
		c.must(t, "people", 1)
		if got := join(why()); got != "아무 일도 아닙니다 자격을 확인합니다 자격을 확인합니다" {
			t.Error(got)
		}
	})
}

func TestAReceiptDoesntHoldTheCitysNumberOfWhomItIsAbout(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "census")
		c.must(t, "people", 70_000)
		if _, _, err := c.read(t, "census", exchange.Request{}); err != nil {
			t.Fatal(err)
		}
		ids := c.receipts(t, 70_000)
		if len(ids) != 2 {
			t.Fatal(ids)
		}
		for _, id := range ids {
			_, proof, err := c.Prove(t.Context(), citizen(70_000), id)
			if err != nil {
				t.Fatal(err)
			}
			if known, err := c.log.Concerns(t.Context(), id, 70_000); err != nil || known {
				t.Errorf("the log finds her by the city's number: %v", err)
			}
			if strings.Contains(string(proof.Private), `"subject":70000`) {
				t.Errorf("%s", proof.Private)
			}
		}
	})
}
