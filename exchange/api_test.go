package exchange_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	arrows "github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
)

// serve serves a town's API, and returns how to ask it as somebody.
func (c *town) serve(t *testing.T) func(who *identity.Principal, method, path, body string) (*http.Response, string) {
	t.Helper()
	s := httpd.New(httpd.Options{Title: "t", Version: "1", Log: slog.New(slog.DiscardHandler)})
	c.Serve(s.API(), nil, "")
	var who *identity.Principal
	handler := s.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { identity.As(who, handler).ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	return func(as *identity.Principal, method, path, body string) (*http.Response, string) {
		t.Helper()
		who = as
		req, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/api/v1"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept-Language", "en")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(text)
	}
}

func TestReadsOverHTTPInEachForm(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "shelters")
		ask := c.serve(t)
		one := c.person(t, "housing", 1)
		for _, s := range []struct{ body, media, want string }{
			{`{"agreement":"people","purpose":"eligibility","subject":"` + one + `","fields":["name","born"]}`, "application/json", `{"records":[{"name":"김하늘","born":1999}],"receipt":0}` + "\n"},
			{`{"agreement":"housing/shelters","purpose":"eligibility"}`, "application/json", `{"receipt":1,"records":[{"code":"S1","seats":0},{"code":"S2","seats":1000},{"code":"S3","seats":null}]}` + "\n"},
			{`{"agreement":"shelters","purpose":"eligibility","as":"jsonl"}`, "application/x-ndjson", `{"code":"S1","seats":0}` + "\n" + `{"code":"S2","seats":1000}` + "\n" + `{"code":"S3","seats":null}` + "\n"},
			{`{"agreement":"shelters","purpose":"eligibility","as":"csv"}`, "text/csv; charset=utf-8", "code,seats\r\nS1,0\r\nS2,1000\r\nS3,\r\n"},
			{`{"agreement":"people","purpose":"eligibility","subject":"` + one + `","as":"csv","fields":["born"]}`, "text/csv; charset=utf-8", "born\r\n1999\r\n"},
			{`{"agreement":"shelters","purpose":"eligibility","as":"csv","filter":"code == \"none\""}`, "text/csv; charset=utf-8", "code,seats\r\n"},
			{`{"agreement":"shelters","purpose":"eligibility","as":"json","filter":"code == \"none\""}`, "application/json", `{"receipt":6,"records":[]}` + "\n"},
		} {
			size := c.size(t)
			res, body := ask(program, "POST", "/reads", s.body)
			if res.StatusCode != 200 || body != s.want || res.Header.Get("Content-Type") != s.media || res.Header.Get(exchange.ReceiptHeader) != fmt.Sprint(size) {
				t.Errorf("%s: %s %s\n%s", s.body, res.Status, res.Header, body)
			}
		}
		for form, read := range map[string]func(testing.TB, string) string{"parquet": parquet, "arrow.stream": arrow} {
			as, _, _ := strings.Cut(form, ".")
			res, body := ask(program, "POST", "/reads", `{"agreement":"shelters","purpose":"eligibility","as":"`+as+`"}`)
			if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/vnd.apache."+form {
				t.Fatal(form, res.Status, res.Header)
			}
			if got := read(t, body); got != "code,seats: S1,0 S2,1000 S3,(null)" {
				t.Error(form, got)
			}
		}
	})
}

// parquet is a file of two columns as text.
func parquet(t testing.TB, body string) string {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	a, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := a.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	return twoColumns(table)
}

// arrow is an IPC stream of two columns as text.
func arrow(t testing.TB, body string) string {
	t.Helper()
	r, err := ipc.NewReader(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	var all []arrows.RecordBatch
	for r.Next() {
		batch := r.RecordBatch()
		batch.Retain()
		all = append(all, batch)
	}
	if r.Err() != nil {
		t.Fatal(r.Err())
	}
	table := array.NewTableFromRecords(r.Schema(), all)
	defer table.Release()
	return twoColumns(table)
}

func twoColumns(table arrows.Table) string {
	out := table.Schema().Field(0).Name + "," + table.Schema().Field(1).Name + ":"
	x, y := table.Column(0).Data().Chunk(0), table.Column(1).Data().Chunk(0)
	for i := range x.Len() {
		out += " " + x.ValueStr(i) + "," + y.ValueStr(i)
	}
	return out
}

func TestRefusalsOverHTTPHaveTheirStatusAndNoData(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "rare", "incomes")
		ask := c.serve(t)
		one, away := c.person(t, "housing", 1), c.person(t, "housing", 4)
		ask(program, "POST", "/reads", `{"agreement":"rare","purpose":"eligibility","subject":"`+one+`"}`)
		ask(program, "POST", "/reads", `{"agreement":"rare","purpose":"eligibility","subject":"`+one+`"}`)
		for _, form := range []string{"json", "csv", "parquet", "jsonl", "arrow"} {
			for _, s := range []struct {
				who           *identity.Principal
				agreement, by string
				status        int
				code          string
			}{
				{nobody, "housing/people", one, 401, "auth.needed"},
				{citizen(1), "housing/people", one, 403, "auth.refused"},
				{program, "peoples", one, 404, "agreement.unknown"},
				{program, "census", one, 403, "agreement.requested"},
				{program, "rare", one, 429, "agreement.rate"},
				{program, "incomes", one, 403, "agreement.consent"},
			} {
				res, body := ask(s.who, "POST", "/reads", `{"agreement":"`+s.agreement+`","purpose":"eligibility","subject":"`+s.by+`","as":"`+form+`"}`)
				if res.StatusCode != s.status || !strings.Contains(body, s.code) || strings.Contains(body, "김하늘") || res.Header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("%s as %s: %s %s %s", s.agreement, form, res.Status, res.Header.Get("Content-Type"), body)
				}
			}
		}
		said := func(subject string) string {
			res, body := ask(program, "POST", "/reads", `{"agreement":"people","purpose":"eligibility","subject":"`+subject+`"}`)
			var p map[string]any
			if err := json.Unmarshal([]byte(body), &p); err != nil || p["code"] != "agreement.nobody" || p["receipt"] == nil {
				t.Errorf("%s %s", res.Status, body)
			}
			delete(p, "receipt")
			delete(p, "instance")
			return fmt.Sprint(res.StatusCode, p)
		}
		if out, none := said(away), said(c.person(t, "housing", 4_000)); out != none {
			t.Errorf("who is outside the rows can be told from nobody:\n%s\n%s", out, none)
		}
	})
}

func TestACitizensReceiptsOverHTTP(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		ask := c.serve(t)
		for range 5 {
			c.must(t, "people", 1)
		}
		var ids []int64
		path := "/me/receipts?limit=2"
		for range 3 {
			_, body := ask(citizen(1), "GET", path, "")
			var page struct {
				Items []struct {
					ID       int64
					Sentence string
				}
				Next string
			}
			if err := json.Unmarshal([]byte(body), &page); err != nil {
				t.Fatal(err)
			}
			for _, r := range page.Items {
				ids = append(ids, r.ID)
				if !strings.Contains(r.Sentence, "Housing office") || strings.Contains(r.Sentence, "%!") {
					t.Error(r.Sentence)
				}
			}
			path = "/me/receipts?limit=2&cursor=" + page.Next
		}
		if !slices.Equal(ids, []int64{4, 3, 2, 1, 0}) {
			t.Errorf("paged through %v", ids)
		}
		if res, body := ask(citizen(2), "GET", "/receipts/0", ""); res.StatusCode != 404 {
			t.Error(res.Status, body)
		}
		if res, body := ask(citizen(1), "GET", "/me?for=housing", ""); res.StatusCode != 200 || !strings.Contains(body, c.person(t, "housing", 1)) || strings.Contains(body, `"person"`) {
			t.Error(res.Status, body)
		}
		if res, _ := ask(citizen(1), "GET", "/agreements", ""); res.StatusCode != 403 {
			t.Error("a citizen lists agreements:", res.Status)
		}
		there, _ := ask(citizen(1), "GET", "/agreements/housing/people", "")
		not, _ := ask(citizen(1), "GET", "/agreements/housing/none", "")
		if there.StatusCode != 403 || not.StatusCode != 403 {
			t.Error("a citizen learns which agreements there are:", there.Status, not.Status)
		}
	})
}

func TestOnlyAdministratorsRotateKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "rare")
		before, ring, ask := c.must(t, "rare", 1), c.ring, c.serve(t)
		for _, who := range []*identity.Principal{nobody, citizen(1), clerk, steward, officer, program} {
			if res, _ := ask(who, http.MethodPost, "/keys/rotate", ""); res.StatusCode != http.StatusForbidden && res.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s: %d", who.Account, res.StatusCode)
			}
		}
		one, err := ring.Seal("x", "y")
		if err != nil {
			t.Fatal(err)
		}
		if res, body := ask(official("root", "hall", identity.Administrator), http.MethodPost, "/keys/rotate", ""); res.StatusCode >= 300 {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
		two, err := ring.Seal("x", "y")
		if err != nil || one[:6] == two[:6] {
			t.Errorf("the key is the former one: %v", err)
		}
		if after := c.must(t, "rare", 1); before == "" || after != before {
			t.Errorf("what was sealed before reads as %s, not %s", after, before)
		}
	})
}
