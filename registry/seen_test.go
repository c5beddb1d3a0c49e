package registry

import (
	"context"
	"fmt"
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
)

const seenPeople = `
kind: Term
name: person
title: {ko: 개인식별자, en: Person}
type: string
length: 100
identifies: person
class: personal
---
kind: Dataset
name: people
title: {ko: 주민, en: People}
key: [no]
subject: person
fields:
  no:     {type: int, class: internal}
  person: {term: person, required: true}
  name:   {type: string, class: personal}
  floor:  {type: int, class: internal}
`

// keeper remembers what was seen, or says that it can't.
type keeper struct {
	mu     sync.Mutex
	seen   []string
	failed bool
}

func (k *keeper) keep(_ context.Context, who *identity.Principal, d *catalog.Dataset, s Seen) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failed {
		return problem.New("ledger.unavailable", 503, lang.T("기록할 수 없습니다", "no receipts"))
	}
	slices.Sort(s.Subjects)
	k.seen = append(k.seen, fmt.Sprint(who.Account, " ", d.Path(), " ", s.Fields, " ", s.Filter, " ", s.Records, " ", slices.Compact(s.Subjects)))
	return nil
}

func (k *keeper) take() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := strings.Join(k.seen, "; ")
	k.seen = nil
	return out
}

func TestWhatIsSeenOfPersonsIsKeptBeforeItLeaves(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		p := r.planAs(t, identity.Itself("test"), seenPeople)
		if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), ""); err != nil {
			t.Fatalf("%v %+v", err, p.Findings)
		}
		d := r.dataset(t, "trial/people")
		for i, name := range []string{"김하늘", "이바다", "박솔"} {
			if _, err := r.Create(t.Context(), clerk, d, values(t, fmt.Sprintf(`{"no": %d, "person": "p%d", "name": %q, "floor": %d}`, i+1, i+1, name, i))); err != nil {
				t.Fatal(err)
			}
		}
		k := &keeper{}
		s := httpd.New(httpd.Options{Title: "t", Version: "1"})
		r.Serve(s.API(), r.catalog.Snapshot, nil, k.keep)
		ask := func(who *identity.Principal, method, path, body string) (int, string) {
			t.Helper()
			req := httptest.NewRequestWithContext(t.Context(), method, "http://localhost/api/v1/datasets/trial/people/records"+path, strings.NewReader(body))
			if method != "GET" {
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("If-Match", "*")
			}
			w := httptest.NewRecorder()
			identity.As(who, s.Handler()).ServeHTTP(w, req)
			text, err := io.ReadAll(w.Result().Body)
			if err != nil {
				t.Fatal(err)
			}
			return w.Code, strings.TrimSpace(string(text))
		}
		steward, analyst := sightOfficial("records", identity.Steward), sightOfficial("records", identity.Analyst)

		const all = "[no person name floor]"
		for _, c := range []struct {
			method, path, body string
			answer, kept       string
		}{
			{"GET", "/1", "", `{"_key":"1","_version":1,"no":1,"person":"p1","name":"김하늘","floor":0}`, all + "  1 [p1]"},
			{"GET", "/9", "", "record.unknown", all + " 9 0 []"}, // that there is none says something too
			{"GET", "?limit=3", "", `"name":"이바다"`, all + "  3 [p1 p2 p3]"},
			{"GET", "?limit=1", "", `"next":`, all + "  1 [p1 p2]"}, // that there is a next one says something of that one
			{"GET", "?fields=name&filter=floor+%3D%3D+2", "", `{"items":[{"_key":"3","_version":3,"name":"박솔"}]}`, "[name floor] floor == 2 1 [p3]"},
			{"GET", "?fields=no&sort=-name&limit=3", "", `{"_key":"1","_version":1,"no":1}`, "[no name]  3 [p1 p2 p3]"},
			{"GET", "?filter=floor+%3D%3D+7", "", `{"items":[]}`, ""},
			{"GET", "?fields=no&filter=name+%3D%3D+%22none%22", "", `{"items":[]}`, `[no name] name == "none" 0 []`}, // that nobody is called so
			{"GET", "?as=csv&fields=name", "", "name\r\n김하늘\r\n이바다\r\n박솔", "[name]  3 [p1 p2 p3]"},
			{"GET", "?as=jsonl", "", `{"no":1,"person":"p1","name":"김하늘","floor":0}`, all + "  3 [p1 p2 p3]"},
			{"GET", "/2/history", "", `"name":"이바다"`, all + " 2 1 [p2]"},
			{"PATCH", "/1", `{"floor": 5}`, `{"_key":"1","_version":4,"no":1,"floor":5}`, ""}, // what is about persons isn't in the answer
			{"PATCH", "/1", `{"person": "p2"}`, "record.subject", ""},                         // or p1 would learn no more of who reads it
			{"PATCH", "/1", `{"person": null}`, "record.", ""},
			{"PUT", "/1", `{"person": "p1", "name": "김하늘"}`, `"no":1,"person":"p1","name":"김하늘","floor":null}`, ""},
		} {
			status, got := ask(steward, c.method, c.path, c.body)
			kept := k.take()
			if want := "somebody trial/people " + c.kept; !strings.Contains(got, c.answer) || kept != want && c.kept+kept != "" {
				t.Errorf("%s %s: %d %s; kept %q", c.method, c.path, status, got, kept)
			}
			if c.kept == "" {
				continue
			}
			k.failed = true
			if status, got := ask(steward, c.method, c.path, c.body); status != 503 || strings.Contains(got, "김하늘") || strings.Contains(got, "p2") || strings.Contains(got, "박솔") {
				t.Errorf("%s %s without a receipt: %d %s", c.method, c.path, status, got)
			}
			k.failed = false
		}
		for _, path := range []string{"/1", "", "?as=csv", "/1/history"} {
			if status, got := ask(analyst, "GET", path, ""); status != 200 || strings.Contains(got, "김하늘") || k.take() != "" {
				t.Errorf("who doesn't see persons, %s: %d %s", path, status, got)
			}
		}
		if status, got := ask(steward, "DELETE", "/1", ""); status != 204 {
			t.Error(status, got)
		}
		p = r.planAs(t, identity.Itself("test"), strings.NewReplacer("subject: person", "subject: who", "person: {term: person,", "who: {term: person, was: person,").Replace(seenPeople))
		if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), ""); err != nil {
			t.Fatalf("%v %+v", err, p.Findings)
		}
		if status, got := ask(steward, "GET", "/1/history", ""); status != 200 || !strings.Contains(got, "김하늘") || !strings.Contains(k.take(), "[p1]") {
			t.Error("the history of a record that had its subject under another name:", status, got)
		}
	})
}

func TestAPartOfADownloadLeavesWhenItIsKept(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		p := r.planAs(t, identity.Itself("test"), seenPeople)
		if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), ""); err != nil {
			t.Fatal(err)
		}
		d := r.dataset(t, "trial/people")
		const n = seenRecords + 10
		_, err := r.Load(t.Context(), clerk, d, "test", []string{"no", "person", "name"}, func(yield func([]any) bool) {
			for i := range n {
				if !yield([]any{int64(i), fmt.Sprint("p", i), "이름"}) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		parts := 0
		a := &api{Registry: r.Registry, keep: func(_ context.Context, _ *identity.Principal, _ *catalog.Dataset, s Seen) error {
			if parts++; parts == 2 {
				return problem.New("ledger.unavailable", 503, lang.T("기록할 수 없습니다", "no receipts"))
			}
			if len(s.Subjects) != seenRecords {
				t.Errorf("%d subjects", len(s.Subjects))
			}
			return nil
		}}
		form, _ := FormNamed("csv")
		var out strings.Builder
		if err := a.pour(t.Context(), d, Query{}, form, &out); problem.Code(err) != "ledger.unavailable" || strings.Contains(out.String(), fmt.Sprint("p", n-1)) {
			t.Errorf("%v, %d bytes", err, out.Len())
		}
	})
}
