package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/maru-city/maru/service/casework"
)

// TestTheDemoHasCasesInAllStates looks at the queue of the demo's housing office as its caseworker does, and works every verdict of it out once more.
func TestTheDemoHasCasesInAllStates(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asMaru, "1")
	b := &bench{dir: t.TempDir(), say: io.Discard, self: self}
	g, err := b.signedIn(t.Context(), 10_000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.end() })
	asked := func(path string, out any) {
		t.Helper()
		text, err := g.ask(t.Context(), "housing-caseworker", http.MethodGet, path, nil)
		if err == nil {
			err = json.Unmarshal(text, out)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	want := []casework.State{casework.Received, casework.Supplement, casework.Proposed, casework.Approved, casework.Paid, casework.Refused, casework.Objected, casework.Dismissed, casework.Returned, casework.Withdrawn}
	var missing []casework.State
	var all []*casework.Case
	for range 300 { // they are made while the server runs already
		all = nil
		for _, path := range []string{"/api/v1/cases?limit=200", "/api/v1/cases?done=true&limit=200"} {
			var list struct{ Items []*casework.Case }
			asked(path, &list)
			all = append(all, list.Items...)
		}
		missing = slices.DeleteFunc(slices.Clone(want), func(s casework.State) bool {
			return slices.ContainsFunc(all, func(c *casework.Case) bool { return c.State == s })
		})
		if len(missing) == 0 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if len(missing) > 0 {
		t.Errorf("the demo has no case that is %q, of %d", missing, len(all))
	}
	for _, c := range all {
		var again casework.Reproduction
		asked("/api/v1/cases/"+c.ID+"/reproduction", &again)
		if !again.Same {
			t.Errorf("%s comes out another way", c.ID)
		}
	}
}
