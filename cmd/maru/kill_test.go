package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/service/casework"
)

// TestAnImportThatIsKilledLosesAndRepeatsNothing kills the server again and again while it imports. What it starts anew goes on by itself.
func TestAnImportThatIsKilledLosesAndRepeatsNothing(t *testing.T) {
	const rows = 200_000
	data, file := t.TempDir(), filepath.Join(t.TempDir(), "many.csv")
	var b strings.Builder
	b.WriteString("id,name,n\n")
	for i := range rows {
		n := fmt.Sprint(i)
		if i%10_000 == 7 {
			n = "x"
		}
		fmt.Fprintf(&b, "%d,이름 %d,%s\n", i, i, n)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, data)
	c := p.client(t)
	applied(t, c, map[string]string{"p.yaml": "kind: Project\nname: p\ntitle: 사업\n---\nkind: Dataset\nname: many\ntitle: 많음\nkey: [id]\nfields:\n  id: {type: int}\n  name: {type: string}\n  n: {type: int}\n"})
	at := listed{Project: "p", Name: "many"}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	go func() { // it is cut off
		_, _ = (&uploading{client: c, out: os.Stderr, file: f}).run(t.Context(), at, false)
	}()
	kills := 0
	for _, after := range []time.Duration{60, 150, 250, 350, 300, 250} {
		time.Sleep(after * time.Millisecond)
		_ = p.Process.Kill()
		_ = p.Wait()
		kills++
		p = startProcess(t, data)
		c = p.client(t)
		var page pageAnswer[importState]
		if err := c.get(t.Context(), "/datasets/p/many/imports", nil, &page); err != nil {
			t.Fatal(err)
		}
		if len(page.Items) == 1 && page.Items[0].State == "done" {
			break
		}
	}
	s := imported(t, c, at, file) // the same command again: it goes on, or finds all there
	var all pageAnswer[importState]
	if err := c.get(t.Context(), "/datasets/p/many/imports", nil, &all); err != nil {
		t.Fatal(err)
	}
	var loaded int64
	for _, i := range all.Items {
		loaded += i.Loaded
	}
	if s.Rows != rows || s.Rejected != rows/10_000 || loaded != rows-rows/10_000 || len(all.Items) > 2 {
		t.Errorf("after %d kills: %+v, %d loaded in all by %d imports", kills, s, loaded, len(all.Items))
	}
	var profile struct{ Rows int64 }
	if err := c.get(t.Context(), "/datasets/p/many/profile", nil, &profile); err != nil || profile.Rows != loaded {
		t.Errorf("%d records: %v", profile.Rows, err)
	}
	var one pageAnswer[map[string]any]
	if err := c.get(t.Context(), "/datasets/p/many/records", url.Values{"filter": {"id == 199999"}}, &one); err != nil || len(one.Items) != 1 {
		t.Errorf("%v %v", one, err)
	}
	t.Logf("%d kills, %d imports", kills, len(all.Items))
}

// TestReadsThatAreKilledLoseNoReceipt kills the server again and again while it reads by an agreement. Whatever was read by anyone has a receipt, the tree verifies, and
// it goes on from the one that was verified before.
func TestReadsThatAreKilledLoseNoReceipt(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asMaru, "1")
	b := &bench{dir: t.TempDir(), say: io.Discard, self: self}
	g, err := b.governed(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	agreed := g
	var mu sync.Mutex
	acknowledged := map[int64]bool{} // receipts of reads whose records came
	var earlier []string
	for round, after := range []time.Duration{150, 40, 300, 90, 220} {
		var readers sync.WaitGroup
		for place := range 16 {
			readers.Go(func() {
				for i := place; ; i += 16 {
					subject := agreed.subjects[(i*7919)%len(agreed.subjects)]
					text, err := g.ask(t.Context(), "housing-caseworker", http.MethodPost, "/api/v1/reads", map[string]string{"agreement": "bench/one", "purpose": "bench", "subject": subject})
					if err != nil {
						return // it was killed
					}
					var answer struct{ Receipt int64 }
					if err := json.Unmarshal(text, &answer); err != nil {
						t.Errorf("%s: %v", text, err)
						return
					}
					mu.Lock()
					if acknowledged[answer.Receipt] {
						t.Errorf("receipt %d twice", answer.Receipt)
					}
					acknowledged[answer.Receipt] = true
					mu.Unlock()
				}
			})
		}
		time.Sleep(after * time.Millisecond)
		_ = g.Process.Kill()
		_ = g.Wait()
		readers.Wait()
		if g, err = b.signedIn(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(g.end)
		key, err := g.client().logFile(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		now, checkpoint, err := ledger.VerifyAll(t.Context(), g.client().logFile, strings.TrimSpace(string(key)), earlier, func(_, _ int64) {})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		earlier = append(earlier, checkpoint)
		for n := range acknowledged {
			if n >= now.Size {
				t.Errorf("round %d: the receipt %d of a read that came is lost: the log has %d", round, n, now.Size)
			}
		}
	}
	if len(acknowledged) < 100 {
		t.Errorf("only %d reads came", len(acknowledged))
	}
	t.Logf("%d reads", len(acknowledged))
}

// TestASubmissionThatIsKilledIsWholeOrNotThere kills the server again and again while an application for five services is handed in. Each is there with five cases or not at all, one that was acknowledged is there, and the same draft handed in again is the same one.
func TestASubmissionThatIsKilledIsWholeOrNotThere(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asMaru, "1")
	b := &bench{dir: t.TempDir(), say: io.Discard, self: self}
	g, err := b.offered(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.end() })
	in := map[string]any{"services": fiveServices, "answers": map[string]any{"household_income": 2_000_000, "monthly_rent": 450_000}}
	asked := func(g *governed, method, path string, in, out any) error {
		text, err := g.ask(t.Context(), "haneul", method, path, in)
		if err == nil {
			err = json.Unmarshal(text, out)
		}
		return err
	}
	submit := func(g *governed, draft string) (made casework.Application, err error) {
		return made, asked(g, http.MethodPost, "/api/v1/applications", map[string]string{"draft": draft}, &made)
	}
	killed, whole := 0, 0
	for round, after := range []time.Duration{2, 5, 8, 11, 14, 20, 30} {
		var draft casework.Draft
		if err := asked(g, http.MethodPost, "/api/v1/applications/drafts", in, &draft); err != nil {
			t.Fatal(err)
		}
		answered := make(chan casework.Application, 1)
		go func() {
			made, err := submit(g, draft.ID)
			if err != nil {
				made.ID = ""
			}
			answered <- made
		}()
		time.Sleep(after * time.Millisecond)
		_ = g.Process.Kill()
		_ = g.Wait()
		before := <-answered
		if g, err = b.signedIn(t.Context(), 1000); err != nil {
			t.Fatal(err)
		}
		there := mine(t, g)
		if len(there) != 0 && len(there) != 5 {
			t.Fatalf("round %d: %d cases of five", round, len(there))
		}
		if before.ID != "" && len(there) == 0 {
			t.Errorf("round %d: the application %s was acknowledged and isn't there", round, before.ID)
		}
		if len(there) == 5 {
			whole++
		} else {
			killed++
		}
		made, err := submit(g, draft.ID)
		if err != nil || len(made.Cases) != 5 || len(there) == 5 && there[0].Application != made.ID {
			t.Fatalf("round %d: the same again: %+v %v", round, made, err)
		}
		if there = mine(t, g); len(there) != 5 {
			t.Errorf("round %d: %d cases after the same again", round, len(there))
		}
		for _, c := range there {
			if _, err := g.ask(t.Context(), "haneul", http.MethodPost, "/api/v1/cases/"+c.ID+"/withdraw", map[string]int64{"version": c.Version}); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Logf("%d killed before, %d after they were there", killed, whole)
}

// mine are haneul's cases that aren't withdrawn.
func mine(t testing.TB, g *governed) (open []*casework.Case) {
	t.Helper()
	text, err := g.ask(t.Context(), "haneul", http.MethodGet, "/api/v1/me/applications", nil)
	var list struct{ Items []*casework.Case }
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list.Items {
		if c.State != casework.Withdrawn {
			open = append(open, c)
		}
	}
	return open
}
