package exchange_test

import (
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/registry"
)

// act does something to an agreement of the housing project.
func (c *town) act(t testing.TB, who *identity.Principal, agreement, action, note string) exchange.Standing {
	t.Helper()
	s, err := c.Act(t.Context(), who, "housing", agreement, action, note, "")
	if err != nil {
		t.Fatalf("%s of %s by %s: %v", action, agreement, who.Account, err)
	}
	return s
}

// approve makes agreements of the housing project active.
func (c *town) approve(t testing.TB, agreements ...string) {
	t.Helper()
	for _, name := range agreements {
		s := c.act(t, steward, name, exchange.Approve, "")
		if s.Waits != nil {
			s = c.act(t, officer, name, exchange.Approve, "")
		}
		if s.Holds == nil || s.Holds.State != exchange.Active || s.Waits != nil {
			t.Fatalf("%s isn't active: %+v", name, s.Shown())
		}
	}
}

// read reads by an agreement of the housing project, as its program.
func (c *town) read(t testing.TB, agreement string, q exchange.Request) ([]*registry.Record, int64, error) {
	t.Helper()
	q.Agreement = agreement
	if q.Purpose == "" {
		q.Purpose = "eligibility"
	}
	return c.One(t.Context(), program, q)
}

// about reads of one person.
func (c *town) about(t testing.TB, agreement string, number int64) ([]*registry.Record, int64, error) {
	t.Helper()
	return c.read(t, agreement, exchange.Request{Subject: c.person(t, "housing", number)})
}

// must is a read that gives one record, as JSON.
func (c *town) must(t testing.TB, agreement string, number int64) string {
	t.Helper()
	records, _, err := c.about(t, agreement, number)
	if err != nil || len(records) != 1 {
		t.Fatalf("%s of %d: %d records, %v", agreement, number, len(records), err)
	}
	return texts(t, records)[0]
}

func texts(t testing.TB, records []*registry.Record) []string {
	t.Helper()
	out := make([]string, len(records))
	for i, r := range records {
		text, err := r.FieldsJSON()
		if err != nil {
			t.Fatal(err)
		}
		out[i] = string(text)
	}
	return out
}

// refused checks that an error is a problem with a code.
func refused(t testing.TB, err error, code, what string) {
	t.Helper()
	if problem.Code(err) != code {
		t.Errorf("%s: %v, not %s", what, err, code)
	}
}

// size is how many entries the log has.
func (c *town) size(t testing.TB) int64 {
	t.Helper()
	h, err := c.log.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h.Size
}
