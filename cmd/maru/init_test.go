package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// Every template is a project that can be applied as it is.
func TestTemplatesArePlannedWithoutAFinding(t *testing.T) {
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "maru.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	c, err := catalog.Open(t.Context(), d, time.Now, service.Follower{})
	if err != nil {
		t.Fatal(err)
	}
	all := city.Manifests()
	for _, name := range templateNames() {
		text, err := begun(name, startingPoint{Name: "new-" + name, Owner: "welfare"})
		if err != nil {
			t.Fatal(err)
		}
		all["new-"+name+"/project.yaml"] = string(text)
	}
	p, err := c.Plan(t.Context(), catalog.Request{Files: all, Who: identity.Itself("test")})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Findings {
		if strings.HasPrefix(f.Pos.File, "new-") {
			t.Errorf("%+v", f)
		}
	}
	if _, err := c.Apply(t.Context(), p.ID, identity.Itself("test"), ""); err != nil {
		t.Error(err)
	}
	one := service.New(c.Snapshot).Service("new-benefit", "benefit")
	if one == nil {
		t.Fatal("the benefit isn't there")
	}
	known := map[string]any{"birth_date": "2000-01-01", "household_size": int64(1), "income": int64(2_000_000)}
	if v := one.Check(known, manifest.Day("2026-11-28")); v.Outcome != service.Yes || v.Benefit.Amount != int64(300_000) {
		t.Errorf("%+v", v)
	}
}

func TestInitWritesNothingOver(t *testing.T) {
	t.Setenv("MARU_LANG", "en")
	command := func(t *testing.T, args ...string) (string, int) {
		var out strings.Builder
		code := run(t.Context(), args, &out, &out)
		return out.String(), code
	}
	dir := filepath.Join(t.TempDir(), "newborn-care")
	out, code := command(t, "init", dir, "--template", "benefit", "--owner", "women-family")
	if code != 0 || !strings.Contains(out, "newborn-care.yaml") {
		t.Fatalf("%d %s", code, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "newborn-care.yaml"))
	if err != nil || !strings.Contains(string(text), "name: newborn-care\n") || !strings.Contains(string(text), "owner: women-family ") {
		t.Errorf("%s %v", text, err)
	}
	if out, code := command(t, "init", dir, "--template", "benefit", "--owner", "welfare"); code != 1 || !strings.Contains(out, "already") {
		t.Errorf("%d %s", code, out)
	}
	if again, err := os.ReadFile(filepath.Join(dir, "newborn-care.yaml")); err != nil || string(again) != string(text) {
		t.Error("it was written over")
	}
	for _, x := range []struct {
		template string
		s        startingPoint
		want     string
	}{
		{"", startingPoint{"a", "b"}, "init.template"},
		{"benefits", startingPoint{"a", "b"}, "init.template"},
		{"../init", startingPoint{"a", "b"}, "init.template"},
		{"benefit", startingPoint{"New Born", "b"}, "init.name"},
		{"benefit", startingPoint{"a", ""}, "init.owner"},
		{"benefit", startingPoint{"a", "b\nkind: Agency"}, "init.owner"},
	} {
		if _, err := begun(x.template, x.s); problem.Code(err) != x.want {
			t.Errorf("%+v: %v, want %s", x, err, x.want)
		}
	}
}
