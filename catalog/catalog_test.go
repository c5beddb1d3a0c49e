package catalog_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// noTables is a registry that holds no data: what the catalog does by itself shows without one.
type noTables struct{}

func (noTables) Plan(context.Context, *db.Tx, *catalog.Snapshot, *catalog.Snapshot, *identity.Principal, bool) ([]catalog.Step, []manifest.Finding, error) {
	return nil, nil, nil
}

func (noTables) Apply(context.Context, *db.Tx, *catalog.Snapshot, *catalog.Snapshot, *identity.Principal, bool) error {
	return nil
}

// onBoth runs a test on both databases.
func onBoth(t *testing.T, test func(t *testing.T, c, other *catalog.Catalog)) {
	for name, address := range map[string]func(t *testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "maru.db") },
		"postgres": func(t *testing.T) string { return dbtest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			at := address(t)
			test(t, open(t, at), open(t, at))
		})
	}
}

func open(t *testing.T, address string) *catalog.Catalog {
	d, err := db.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	c, err := catalog.Open(t.Context(), d, time.Now, noTables{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func plan(t *testing.T, c *catalog.Catalog, files map[string]string) *catalog.Plan {
	t.Helper()
	p, err := c.Plan(t.Context(), catalog.Request{Files: files, Who: identity.Itself("tester")})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func apply(t *testing.T, c *catalog.Catalog, files map[string]string) *catalog.Revision {
	t.Helper()
	p := plan(t, c, files)
	if manifest.HasErrors(p.Findings) {
		t.Fatalf("findings: %v", p.Findings)
	}
	r, err := c.Apply(t.Context(), p.ID, identity.Itself("test"), "test")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ops(p *catalog.Plan) string {
	var out []string
	for _, c := range p.Changes {
		out = append(out, c.Op+" "+c.Key.String())
	}
	return strings.Join(out, "; ")
}

const (
	projectDoc = "kind: Project\nname: p\ntitle: 사업\n"
	termDoc    = "kind: Term\nname: size\ntitle: 크기\ntype: int\n"
	dataDoc    = "kind: Dataset\nname: d\ntitle: 자료\nkey: [id]\nfields:\n  id: {type: string}\n  size: {term: size}\n"
)

func TestPlanSaysWhatAFolderChanges(t *testing.T) {
	onBoth(t, func(t *testing.T, c, other *catalog.Catalog) {
		files := map[string]string{"a.yaml": projectDoc + "---\n" + termDoc + "---\n" + dataDoc}
		if got := ops(plan(t, c, files)); got != "add Project p; add Term size; add Dataset p/d" {
			t.Errorf("first plan: %s", got)
		}
		if r := apply(t, c, files); r.N != 1 {
			t.Errorf("revision %d", r.N)
		}
		if got := ops(plan(t, c, files)); got != "" {
			t.Errorf("nothing changed, yet: %s", got)
		}
		files["a.yaml"] = projectDoc + "---\n" + strings.Replace(termDoc, "크기", "규모", 1) + "---\n" + dataDoc
		p := plan(t, c, files)
		if got := ops(p); got != "change Term size" || len(p.Changes[0].Differences) != 1 || p.Changes[0].Differences[0].After != "규모" {
			t.Errorf("changed plan: %s %+v", got, p.Changes)
		}
		if err := other.Refresh(t.Context()); err != nil || other.Snapshot().Dataset("p", "d") == nil {
			t.Errorf("the other node doesn't see revision 1: %v", err)
		}
		if f := other.Snapshot().Dataset("p", "d").Field("size"); f.Type != manifest.Int || f.Title.Ko != "크기" {
			t.Errorf("field not completed by its term: %+v", f)
		}
	})
}

func TestAPlanAppliesOnlyToItsRevision(t *testing.T) {
	onBoth(t, func(t *testing.T, c, other *catalog.Catalog) {
		stale := plan(t, other, map[string]string{"a.yaml": projectDoc})
		apply(t, c, map[string]string{"b.yaml": "kind: Project\nname: q\ntitle: 다른 사업\n"})
		if _, err := other.Apply(t.Context(), stale.ID, identity.Itself("test"), ""); problem.Code(err) != "catalog.moved" {
			t.Errorf("stale plan: %v", err)
		}
	})
}

func TestWhatIsUsedCantBeRemoved(t *testing.T) {
	onBoth(t, func(t *testing.T, c, _ *catalog.Catalog) {
		apply(t, c, map[string]string{"a.yaml": projectDoc + "---\n" + termDoc})
		apply(t, c, map[string]string{"b.yaml": strings.Replace(projectDoc, "name: p", "name: q", 1) + "---\n" + dataDoc})
		p := plan(t, c, map[string]string{"a.yaml": projectDoc})
		if len(p.Findings) == 0 || p.Findings[0].Code != "catalog.used" {
			t.Errorf("findings: %v", p.Findings)
		}
		if _, err := c.Apply(t.Context(), p.ID, identity.Itself("test"), ""); problem.Code(err) != "plan.refused" {
			t.Errorf("applied all the same: %v", err)
		}
	})
}

func TestReferencesThatLeadNowhereNameTheNearest(t *testing.T) {
	onBoth(t, func(t *testing.T, c, _ *catalog.Catalog) {
		p := plan(t, c, map[string]string{"a.yaml": projectDoc + "---\n" + termDoc + "---\n" + strings.Replace(dataDoc, "term: size", "term: sise", 1)})
		if len(p.Findings) != 1 || p.Findings[0].Code != "catalog.reference" || !strings.Contains(p.Findings[0].Hint.En, "size") || p.Findings[0].Pos.Line != 16 {
			t.Errorf("findings: %v", p.Findings)
		}
	})
}

func TestRollbackIsANewRevision(t *testing.T) {
	onBoth(t, func(t *testing.T, c, _ *catalog.Catalog) {
		apply(t, c, map[string]string{"a.yaml": projectDoc + "---\n" + termDoc})
		apply(t, c, map[string]string{"a.yaml": projectDoc})
		one := int64(1)
		p, err := c.Plan(t.Context(), catalog.Request{Rollback: &one, Who: identity.Itself("tester")})
		if err != nil || ops(p) != "add Term size" {
			t.Fatalf("plan: %v %v", p, err)
		}
		if _, err := c.Apply(t.Context(), p.ID, identity.Itself("test"), "back"); err != nil {
			t.Fatal(err)
		}
		if s := c.Snapshot(); s.Revision != 3 || s.Term("size") == nil {
			t.Errorf("revision %d", s.Revision)
		}
		versions, err := c.Versions(t.Context(), manifest.Key{Kind: "Term", Name: "size"}, 10)
		if err != nil || len(versions) != 3 || versions[1].Op != "remove" {
			t.Errorf("versions: %+v %v", versions, err)
		}
	})
}
