package exchange_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/registry"
)

func TestAnActiveAgreementLetsReadJustWhatItSays(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "census", "numbers", "shelters")
		me := c.person(t, "housing", 1)
		if got, want := c.must(t, "people", 1), `{"person":"`+me+`","name":"김하늘","born":1999,"address":"서울특별시 종로구","district":"jongno","floor":3}`; got != want {
			t.Errorf("%s\nnot %s", got, want)
		}
		if got, want := c.must(t, "people", 3), `"name":"박솔","born":1950,"address":null,"district":"jung","floor":null}`; !strings.HasSuffix(got, want) {
			t.Errorf("%s\nnot %s", got, want)
		}
		if got, want := c.must(t, "numbers", 1), `{"number":"000001-1000000","name":"김**"}`; got != want {
			t.Errorf("%s\nnot %s", got, want)
		}
		for _, s := range []struct {
			agreement string
			q         exchange.Request
			want      string
		}{
			{"census", exchange.Request{}, `{"district":"jongno","floor":3,"born":"1998-12"} {"district":"jongno","floor":3,"born":"1999-03"} {"district":"jung","floor":-1,"born":"2001-02"} {"district":"jung","floor":null,"born":"1950-01"}`},
			{"census", exchange.Request{Filter: `district == "jung" && floor < 0`}, `{"district":"jung","floor":-1,"born":"2001-02"}`},
			{"census", exchange.Request{Fields: []string{"born", "born"}, Filter: "floor == 3"}, `{"born":"1998-12"} {"born":"1999-03"}`},
			{"census", exchange.Request{Subjects: []string{me, c.person(t, "housing", 4), me, c.person(t, "housing", 70_000), "x"}}, `{"district":"jongno","floor":3,"born":"1999-03"} {"district":"jung","floor":-1,"born":"2001-02"}`},
			{"census", exchange.Request{Subject: me, Filter: "floor > 3"}, ``},
			{"shelters", exchange.Request{}, `{"code":"S1","seats":0} {"code":"S2","seats":1000} {"code":"S3","seats":null}`},
			{"shelters", exchange.Request{Filter: `code > "S2"`}, `{"code":"S3","seats":null}`},
		} {
			records, receipt, err := c.read(t, s.agreement, s.q)
			got := texts(t, records)
			slices.Sort(got)
			if err != nil || strings.Join(got, " ") != s.want || receipt != c.size(t)-1 {
				t.Errorf("%s %+v: %v, receipt %d, %v\nnot %s", s.agreement, s.q, got, receipt, err, s.want)
			}
		}
	})
}

func TestEachProjectHasIdentifiersOfItsOwn(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "panel")
		for _, n := range []int64{1, 2} {
			if err := c.Consent(t.Context(), citizen(n), "housing/panel", true); err != nil {
				t.Fatal(err)
			}
		}
		records, _, err := c.read(t, "panel", exchange.Request{})
		if err != nil || len(records) != 2 {
			t.Fatal(records, err)
		}
		for _, r := range records {
			n := int64(1)
			if r.Values[2] == "이바다" {
				n = 2
			}
			if r.Values[0] != c.person(t, "housing", n) || r.Values[1] != c.called(t, "housing", "household", 1) {
				t.Errorf("%v isn't what housing calls %d", r.Values, n)
			}
			if r.Key != "" {
				t.Errorf("the provider's key left: %s", r.Key)
			}
		}
		for _, wrong := range []string{c.person(t, "register", 1), "1", "p1", "", c.called(t, "housing", "household", 1)} {
			records, _, err := c.read(t, "panel", exchange.Request{Subjects: []string{wrong}})
			if err != nil || len(records) != 0 {
				t.Errorf("by the identifier %q, which isn't its own: %d records, %v", wrong, len(records), err)
			}
		}
	})
}

func TestEachRefusalSaysWhy(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "incomes", "census", "shelters")
		one, two := c.person(t, "housing", 1), c.person(t, "housing", 2)
		many := make([]string, exchange.MaxSubjects+1)
		for i := range many {
			many[i] = fmt.Sprint(i)
		}
		for _, s := range []struct {
			name, code string
			who        *identity.Principal
			q          exchange.Request
		}{
			{"nobody", "auth.needed", nobody, exchange.Request{Agreement: "housing/people", Subject: one}},
			{"a citizen", "auth.refused", citizen(1), exchange.Request{Agreement: "housing/people", Subject: one}},
			{"an author", "auth.refused", clerk, exchange.Request{Agreement: "housing/people", Subject: one}},
			{"an analyst of another agency", "auth.refused", official("x", "records", identity.Analyst), exchange.Request{Agreement: "housing/people", Subject: one}},
			{"another project's program", "auth.refused", &identity.Principal{Kind: identity.Service, Account: "x", Project: "register"}, exchange.Request{Agreement: "housing/people", Subject: one}},
			{"a program of no project", "auth.refused", &identity.Principal{Kind: identity.Service, Account: "x"}, exchange.Request{Agreement: "people", Subject: one}},
			{"another's agreement that there isn't", "auth.refused", program, exchange.Request{Agreement: "register/people", Subject: one}},
			{"no such agreement", "agreement.unknown", program, exchange.Request{Agreement: "peoples", Subject: one}},
			{"no agreement named", "agreement.unknown", program, exchange.Request{Subject: one}},
			{"not approved", "agreement.requested", program, exchange.Request{Agreement: "rare", Subject: one}},
			{"another purpose", "agreement.purpose", program, exchange.Request{Agreement: "people", Subject: one, Purpose: "marketing"}},
			{"no purpose", "agreement.purpose", program, exchange.Request{Agreement: "people", Subject: one, Purpose: "-"}},
			{"all where one is allowed", "agreement.subject", program, exchange.Request{Agreement: "people"}},
			{"two where one is allowed", "agreement.subject", program, exchange.Request{Agreement: "people", Subjects: []string{one, two}}},
			{"two in two places", "agreement.subject", program, exchange.Request{Agreement: "people", Subject: one, Subjects: []string{two}}},
			{"none named where one is allowed", "agreement.subject", program, exchange.Request{Agreement: "people", Subjects: []string{}}},
			{"too many", "agreement.subject", program, exchange.Request{Agreement: "census", Subjects: many}},
			{"a person where there are none", "agreement.subject", program, exchange.Request{Agreement: "shelters", Subject: one}},
			{"a field that isn't in it", "agreement.field", program, exchange.Request{Agreement: "people", Subject: one, Fields: []string{"name", "income"}}},
			{"no consent", "agreement.consent", program, exchange.Request{Agreement: "incomes", Subject: one}},
			{"a filter that isn't one", "rule.syntax", program, exchange.Request{Agreement: "census", Filter: "floor =="}},
			{"a filter that says neither yes nor no", "rule.type", program, exchange.Request{Agreement: "census", Filter: "floor"}},
		} {
			if s.q.Purpose == "" {
				s.q.Purpose = "eligibility"
			}
			before := c.size(t)
			err := c.Read(t.Context(), s.who, s.q, func([]*catalog.Field, exchange.Part) error {
				t.Errorf("%s: something left", s.name)
				return nil
			})
			refused(t, err, s.code, s.name)
			if s.code == "agreement.consent" {
				before++ // it was about somebody
			}
			if c.size(t) != before {
				t.Errorf("%s: %d receipts of what was refused", s.name, c.size(t)-before)
			}
		}
		if _, _, err := c.One(t.Context(), analyst, exchange.Request{Agreement: "housing/people", Purpose: "eligibility", Subject: one}); err != nil {
			t.Errorf("an analyst of the consumer's agency: %v", err)
		}
		if _, _, err := c.One(t.Context(), official("x", "hall", identity.Caseworker), exchange.Request{Agreement: "housing/people", Purpose: "eligibility", Subject: one}); err != nil {
			t.Errorf("a caseworker of the agency above: %v", err)
		}
	})
}

func TestAnAgencyThatIsCutOffNeitherReadsNorIsRead(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		refused(t, c.CutOff(t.Context(), steward, "homes", true, "사고"), "auth.refused", "a steward")
		refused(t, c.CutOff(t.Context(), officer, "homes", true, " "), "agreement.note", "without a reason")
		refused(t, c.CutOff(t.Context(), officer, "nowhere", true, "사고"), "agency.unknown", "no such agency")
		for _, agency := range []string{"homes", "records", "hall"} { // the consumer's, the provider's, the one above both
			if err := c.CutOff(t.Context(), officer, agency, true, "사고"); err != nil {
				t.Fatal(err)
			}
			_, _, err := c.about(t, "people", 1)
			refused(t, err, "agency.cut_off", agency)
			if err := c.CutOff(t.Context(), officer, agency, false, ""); err != nil {
				t.Fatal(err)
			}
			c.must(t, "people", 1)
			events, err := c.CutOffs(t.Context(), agency)
			if err != nil || len(events) != 2 || events[0].Off || !events[1].Off || events[1].Note != "사고" || events[1].Actor != officer.Actor() {
				t.Errorf("%s: %+v %v", agency, events, err)
			}
		}
	})
}

func TestReadsOverTheRateAreRefusedOnAllNodes(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "rare", "people")
		c.clock.Set(time.Date(2026, 11, 24, 10, 0, 0, 0, clock.Seoul))
		c.must(t, "rare", 1)
		other := c.node(t)
		if records, _, err := other.about(t, "rare", 4_000); err != nil || len(records) != 0 {
			t.Fatal(records, err) // who isn't found counts too
		}
		before := c.size(t)
		for _, node := range []*town{c, other} {
			records, _, err := node.about(t, "rare", 1)
			refused(t, err, "agreement.rate", "the third")
			if len(records) > 0 || node.size(t) != before {
				t.Error("it left all the same")
			}
		}
		c.must(t, "people", 1) // another agreement's rate is its own
		c.clock.Advance(2 * time.Minute)
		c.must(t, "rare", 1)
	})
}

func TestWhoIsOutsideTheRowsLooksLikeNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "census")
		seen := func(agreement, subject, filter string) string {
			var fields []string
			var records []*registry.Record
			err := c.Read(t.Context(), program, exchange.Request{Agreement: agreement, Purpose: "eligibility", Subject: subject, Filter: filter}, func(f []*catalog.Field, p exchange.Part) error {
				for _, one := range f {
					fields = append(fields, one.Name)
				}
				records = append(records, p.Records...)
				return nil
			})
			return fmt.Sprint(fields, len(records), err)
		}
		for _, agreement := range []string{"people", "census"} {
			for _, filter := range []string{"", "floor == 1", "floor != 1", "1 / floor == 1.0 || true", "floor - 9223372036854775807 < -5", "won(floor, 0) > 0"} {
				away, none, garbage := seen(agreement, c.person(t, "housing", 4), filter), seen(agreement, c.person(t, "housing", 4_000), filter), seen(agreement, "who", filter)
				if away != none || away != garbage {
					t.Errorf("%s, %s: who has moved away can be told from nobody:\n%s\n%s\n%s", agreement, filter, away, none, garbage)
				}
			}
		}
	})
}

func TestARecordOfWhichItCantBeSaidWhomItIsAboutDoesntLeave(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "census", "people")
		c.load(t, "register/people", []string{"person", "household", "name", "born", "district", "number"}, [][]any{
			{"someone", c.called(t, "register", "household", 5), "누구", "1990-01-01", "jung", "900101-1000000"},
			{c.person(t, "register", 5), "somewhere", "한길", "1990-01-01", "jung", "900101-1000001"},
		})
		before := c.size(t)
		err := c.Read(t.Context(), program, exchange.Request{Agreement: "census", Purpose: "eligibility"}, func([]*catalog.Field, exchange.Part) error {
			t.Error("it left")
			return nil
		})
		refused(t, err, "exchange.identifier", "a read of all")
		if strings.Contains(words(err), "someone") || c.size(t) != before {
			t.Errorf("%s, %d entries", words(err), c.size(t)-before)
		}
		c.must(t, "people", 5) // its household isn't asked for
		c.must(t, "people", 1)
	})
}

// TestACitizenReadsAboutThemselves reads for who is signed in, by an agreement of the project whose service they ask for: only about them, with a receipt that they find.
func TestACitizenReadsAboutThemselves(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		records, receipt, err := c.About(t.Context(), citizen(1), "housing", "people", []string{"born", "district"})
		if err != nil || len(records) != 1 || fmt.Sprint(records[0].Values) != "[1999 jongno]" {
			t.Fatal(records, err)
		}
		list, err := c.Receipts(t.Context(), citizen(1), 0, 10)
		if err != nil || len(list) == 0 || list[0].ID != receipt || list[0].Consumer != "housing" {
			t.Errorf("%+v %v", list, err)
		}
		if rec, _, err := c.About(t.Context(), citizen(999_999), "housing", "people", []string{"born"}); err != nil || len(rec) > 0 {
			t.Errorf("nobody: %v %v", rec, err)
		}
		for _, who := range []*identity.Principal{officer, clerk, {}} {
			if _, _, err := c.About(t.Context(), who, "housing", "people", []string{"born"}); err == nil {
				t.Errorf("%s reads about themselves", who.Account)
			}
		}
		if _, _, err := c.About(t.Context(), citizen(1), "housing", "people", []string{"number"}); err == nil {
			t.Error("a field that isn't the agreement's is read")
		}
		if _, _, err := c.About(t.Context(), citizen(1), "housing", "panel", nil); problem.Code(err) == "" {
			t.Error("an agreement that doesn't hold lets read")
		}
	})
}
