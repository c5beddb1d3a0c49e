package exchange_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// town is a small city: its catalog, its records, its log and the exchange, on one database.
type town struct {
	*exchange.Exchange
	catalog  *catalog.Catalog
	registry *registry.Registry
	log      *ledger.Log
	ring     *keys.Ring
	clock    *clock.Fake
	db       *db.DB
	address  string
	keys     string // the folder of its keys
	files    map[string]string
}

// onBoth runs a test in a town on SQLite and in one on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, c *town)) {
	t.Run("sqlite", func(t *testing.T) { test(t, found(t, filepath.Join(t.TempDir(), "maru.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, found(t, dbtest.Postgres(t))) })
}

// found makes a town with its people, whose agreements all wait for approval.
func found(t testing.TB, address string) *town {
	t.Helper()
	c := open(t, address, t.TempDir(), clock.NewFake(time.Date(2026, 11, 24, 9, 0, 0, 0, clock.Seoul)))
	c.files = map[string]string{"standards/project.yaml": standards, "register/project.yaml": register, "housing/project.yaml": housing}
	c.apply(t, identity.Itself("setup"))
	for _, name := range slicesOfNames(agreements) {
		c.files["housing/"+name+".yaml"] = agreements[name]
	}
	c.apply(t, clerk)
	c.settle(t)
	return c
}

// open opens a node of a town.
func open(t testing.TB, address, folder string, now *clock.Fake) *town {
	t.Helper()
	c := &town{address: address, keys: folder, clock: now}
	var err error
	if c.db, err = db.Open(t.Context(), address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.db.Close() })
	files, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	if c.ring, err = keys.Open(folder, "town/log", nil); err != nil {
		t.Fatal(err)
	}
	if c.registry, err = registry.Open(t.Context(), c.db, files, c.ring, now.Now); err != nil {
		t.Fatal(err)
	}
	if c.log, err = ledger.Open(t.Context(), c.db, c.ring.Signer(), c.ring.Verifier(), now.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.log.Close() })
	c.Exchange, err = exchange.Open(t.Context(), exchange.Options{
		DB: c.db, Registry: c.registry, Log: c.log, Keys: c.ring, Now: now.Now, Catalog: func() *catalog.Snapshot { return c.catalog.Snapshot() }, Refresh: func(ctx context.Context) error { return c.catalog.Refresh(ctx) },
		Hooks: exchange.Hooks{Post: fetch.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}).Post, Secret: func(_, name string) (string, error) {
			if name == "missing" {
				return "", errors.New("it isn't there")
			}
			return "key of the town", nil
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.catalog, err = catalog.Open(t.Context(), c.db, now.Now, c.registry, c.Exchange); err != nil {
		t.Fatal(err)
	}
	return c
}

// node opens another node on the same database.
func (c *town) node(t testing.TB) *town {
	t.Helper()
	other := open(t, c.address, c.keys, c.clock)
	other.files = maps.Clone(c.files)
	return other
}

// apply makes the town's files the next revision.
func (c *town) apply(t testing.TB, who *identity.Principal) *catalog.Plan {
	t.Helper()
	p := c.plan(t)
	if manifest.HasErrors(p.Findings) {
		t.Fatalf("the manifests have errors: %v", p.Findings)
	}
	if _, err := c.catalog.Apply(t.Context(), p.ID, who, "test"); err != nil {
		t.Fatal(err)
	}
	return p
}

func (c *town) plan(t testing.TB) *catalog.Plan {
	t.Helper()
	p, err := c.catalog.Plan(t.Context(), catalog.Request{Files: c.files, Who: identity.Itself("test"), AllowLoss: true})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// change replaces a piece of a file, which must be there, and applies it.
func (c *town) change(t testing.TB, who *identity.Principal, file, old, new string) *catalog.Plan {
	t.Helper()
	c.edit(t, file, old, new)
	return c.apply(t, who)
}

func (c *town) edit(t testing.TB, file, old, new string) {
	t.Helper()
	if !strings.Contains(c.files[file], old) {
		t.Fatalf("there is no %q in %s", old, file)
	}
	c.files[file] = strings.ReplaceAll(c.files[file], old, new)
}

// person is what a project calls a person.
func (c *town) person(t testing.TB, project string, number int64) string {
	t.Helper()
	return c.called(t, project, "person", number)
}

func (c *town) called(t testing.TB, project, kind string, number int64) string {
	t.Helper()
	id, err := c.Pseudonym(project, kind, number)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// settle brings people and shelters into the registry.
func (c *town) settle(t testing.TB) {
	t.Helper()
	var rows [][]any
	for _, p := range people {
		row := []any{c.person(t, "register", p.number), c.called(t, "register", "household", p.household), p.name, p.born, p.address, p.district, p.floor, p.income, fmt.Sprintf("%06d-1000000", p.number), p.left}
		rows = append(rows, row)
	}
	c.load(t, "register/people", []string{"person", "household", "name", "born", "address", "district", "floor", "income", "number", "left_on"}, rows)
	c.load(t, "register/shelters", []string{"code", "name", "seats"}, [][]any{{"S1", "하늘쉼터", int64(20)}, {"S2", "솔쉼터", int64(1_499)}, {"S3", "강쉼터", nil}})
}

func (c *town) load(t testing.TB, path string, columns []string, rows [][]any) {
	t.Helper()
	project, name, _ := strings.Cut(path, "/")
	_, err := c.registry.Load(t.Context(), registry.By{Actor: "setup", Via: "test"}, c.catalog.Snapshot().Dataset(project, name), "test", columns, func(yield func([]any) bool) {
		for _, row := range rows {
			if !yield(row) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func otherRing(t testing.TB) *keys.Ring {
	t.Helper()
	ring, err := keys.Open(t.TempDir(), "town/log", nil)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}
