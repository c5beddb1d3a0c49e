package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
