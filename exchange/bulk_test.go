package exchange_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
)

// crowd brings n more people in, from number 100,000 on.
func (c *town) crowd(t testing.TB, n int) {
	t.Helper()
	rows := make([][]any, n)
	home := c.called(t, "register", "household", 9)
	for i := range rows {
		number := int64(100_000 + i)
		rows[i] = []any{c.person(t, "register", number), home, fmt.Sprint("사람", i), "1990-01-01", "jung", int64(i), fmt.Sprintf("%06d-2000000", i)}
	}
	c.load(t, "register/people", []string{"person", "household", "name", "born", "district", "floor", "number"}, rows)
}

// TestRecordsGoInNoOrder shows that two projects which read the same people can't tell by the order which of their identifiers are the same person's.
func TestRecordsGoInNoOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "census")
		c.crowd(t, 200)
		read := func() (out []any) {
			records, _, err := c.read(t, "census", exchange.Request{Fields: []string{"floor"}})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				out = append(out, r.Values[0])
			}
			return out
		}
		if a, b := read(), read(); slices.Equal(a, b) || len(a) != len(b) {
			t.Error("two reads are in the same order")
		}
	})
}

func TestABulkReadLeavesInPartsEachWithItsReceipt(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.files["housing/census.yaml"] = agreements["census"] + "limit: 1/min\n"
		c.apply(t, clerk)
		c.approve(t, "census")
		c.crowd(t, 50_010)
		var parts []exchange.Part
		floors := map[any]int64{} // of the crowd → the receipt they left with
		err := c.Read(t.Context(), program, exchange.Request{Agreement: "census", Purpose: "eligibility", Fields: []string{"floor", "district"}}, func(_ []*catalog.Field, p exchange.Part) error {
			if head := c.size(t); p.Receipt != head-1 {
				t.Errorf("part %d leaves with receipt %d of %d", len(parts)+1, p.Receipt, head)
			}
			for _, r := range p.Records {
				floors[r.Values[0]] = p.Receipt
			}
			parts = append(parts, p)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(parts) != 2 || len(parts[0].Records) != 50_000 || len(parts[1].Records) != 14 {
			t.Fatalf("%d parts", len(parts))
		}
		for _, i := range []int64{10, 999, 50_009} {
			if got := c.receipts(t, 100_000+i); !slices.Equal(got, []int64{floors[i]}) {
				t.Errorf("she left with receipt %d and finds %v", floors[i], got)
			}
		}
		list, err := c.Receipts(t.Context(), citizen(100_010), 0, 10)
		if err != nil || list[0].Part == 0 || list[0].Read == "" || list[0].People < 14 {
			t.Errorf("%+v %v", list, err)
		}
		_, p, err := c.Prove(t.Context(), citizen(100_010), list[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.Check(p.Proof, p.Verifier); err != nil {
			t.Error(err)
		}
		_, _, err = c.read(t, "census", exchange.Request{})
		refused(t, err, "agreement.rate", "the second read of the minute")
	})
}

// A receiver that fails, or a log that ends, after the first part: what has left has receipts, and nothing more leaves.
func TestABulkReadThatEndsEarlyHasLeftNothingWithoutAReceipt(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "census")
		c.crowd(t, 50_010)
		if records, receipt, err := c.read(t, "census", exchange.Request{Fields: []string{"district"}}); err != nil || len(records) != 50_014 || receipt != 0 {
			t.Errorf("%d records of 50014 at once, receipt %d: %v", len(records), receipt, err)
		}
		gone, left := errors.New("gone"), 0
		q := exchange.Request{Agreement: "census", Purpose: "eligibility"}
		err := c.Read(t.Context(), program, q, func([]*catalog.Field, exchange.Part) error { left++; return gone })
		if !errors.Is(err, gone) || left != 1 || c.size(t) != 3 {
			t.Errorf("%v after %d parts, %d receipts", err, left, c.size(t))
		}
		left = 0
		err = c.Read(t.Context(), program, q, func([]*catalog.Field, exchange.Part) error {
			left++
			return c.log.Close()
		})
		if problem.Code(err) != "ledger.unavailable" || left != 1 || c.size(t) != 4 {
			t.Errorf("%v after %d parts, %d receipts", err, left, c.size(t))
		}
	})
}

func TestABulkReadEndsWhereItsAgreementDoes(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "census")
		c.crowd(t, 50_010)
		other := c.node(t)
		for code, end := range map[string]func(){
			"agreement.suspended": func() { other.act(t, officer, "census", exchange.Suspend, "조사") },
			"agreement.replaced": func() {
				other.files["housing/census.yaml"] = agreements["census"] + "limit: 9/min\n"
				other.apply(t, clerk)
				other.approve(t, "census")
			},
		} {
			left := 0
			err := c.Read(t.Context(), program, exchange.Request{Agreement: "census", Purpose: "eligibility", Fields: []string{"district"}}, func([]*catalog.Field, exchange.Part) error {
				left++
				end()
				return nil
			})
			refused(t, err, code, "the second part of a bulk read")
			if left != 1 {
				t.Errorf("%s: %d parts left", code, left)
			}
			if code == "agreement.suspended" {
				other.act(t, officer, "census", exchange.Resume, "")
			}
		}
	})
}

// ending ends the log when the first of an answer is written.
type ending struct {
	http.ResponseWriter
	log *ledger.Log
}

func (e ending) Write(p []byte) (int, error) {
	_ = e.log.Close()
	return e.ResponseWriter.Write(p)
}

func (e ending) Unwrap() http.ResponseWriter { return e.ResponseWriter }

func TestAnAnswerThatLacksItsEndCantBeTakenForAWholeOne(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "census")
		c.crowd(t, 50_010)
		s := httpd.New(httpd.Options{Title: "t", Version: "1", Log: slog.New(slog.DiscardHandler)})
		c.Serve(s.API(), nil, "")
		next := identity.As(program, s.Handler())
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(ending{w, c.log}, r) }))
		defer server.Close()
		server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
		for i, status := range []int{200, 503} { // the first ends the log
			req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/api/v1/reads", strings.NewReader(`{"agreement":"census","purpose":"eligibility","as":"csv"}`))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/json")
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if lacks := err != nil; lacks != (status == 200) || res.StatusCode != status {
				t.Errorf("%d: %s, %d bytes, %v", i, res.Status, len(body), err)
			}
		}
	})
}
