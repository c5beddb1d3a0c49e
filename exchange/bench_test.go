package exchange_test

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// benched is the demo city's resident register on SQLite, an agreement to read it without a limit, and who may.
type benched struct {
	*exchange.Exchange
	registry *registry.Registry
	dataset  *catalog.Dataset
	app      *identity.Principal
	numbers  []int64
}

func openBenched(b *testing.B, residents int, subject string) *benched {
	ctx, now := b.Context(), time.Now
	d, err := db.Open(ctx, filepath.Join(b.TempDir(), "maru.db"))
	must(b, err)
	b.Cleanup(func() { d.Close() })
	files, err := blob.OpenFolder(b.TempDir())
	must(b, err)
	b.Cleanup(func() { files.Close() })
	ring, err := keys.Open(b.TempDir(), "test/log", nil)
	must(b, err)
	r, err := registry.Open(ctx, d, files, ring, now)
	must(b, err)
	log, err := ledger.Open(ctx, d, ring.Signer(), ring.Verifier(), now)
	must(b, err)
	b.Cleanup(func() { log.Close() })
	var c *catalog.Catalog
	x, err := exchange.Open(ctx, exchange.Options{DB: d, Registry: r, Log: log, Keys: ring, Now: now, Catalog: func() *catalog.Snapshot { return c.Snapshot() }})
	must(b, err)
	c, err = catalog.Open(ctx, d, now, r, x)
	must(b, err)
	manifests := city.Manifests()
	for path, text := range manifests {
		manifests[path] = strings.ReplaceAll(text, "subject: one\nconsent: law\nuntil: 2027-12-31\nlimit: 600/min", "subject: "+subject+"\nconsent: law\nuntil: 2027-12-31")
	}
	p, err := c.Plan(ctx, catalog.Request{Files: manifests, Who: identity.Itself("test")})
	must(b, err)
	if manifest.HasErrors(p.Findings) {
		b.Fatal(p.Findings)
	}
	_, err = c.Apply(ctx, p.ID, identity.Itself("test"), "city")
	must(b, err)
	var numbers []int64
	people := city.People(1, residents, time.Now()).Identified(func(project, kind string, number int64) string {
		id, err := x.Pseudonym(project, kind, number)
		must(b, err)
		if project == "resident-registry" && kind == "person" && len(numbers) < 4000 {
			numbers = append(numbers, number)
		}
		return id
	})
	for _, data := range people.Datasets() {
		if data.Dataset == "resident-registry/residents" {
			_, err := r.Load(ctx, registry.By{Actor: "demo", Via: "demo"}, c.Snapshot().Dataset("resident-registry", "residents"), "seed", data.Columns, data.Rows)
			must(b, err)
		}
	}
	for _, who := range []*identity.Principal{
		{Kind: identity.Official, Account: "steward", Agency: "administration", Roles: []identity.Role{identity.Steward}},
		{Kind: identity.Official, Account: "privacy", Agency: "planning", Roles: []identity.Role{identity.Privacy}},
	} {
		_, err := x.Act(ctx, who, "youth-housing", "residents", exchange.Approve, "", "")
		must(b, err)
	}
	return &benched{x, r, c.Snapshot().Dataset("resident-registry", "residents"), &identity.Principal{Kind: identity.Service, Account: "housing-app", Project: "youth-housing"}, numbers}
}

// BenchmarkRead is a read of one person, from many places at once.
func BenchmarkRead(b *testing.B) {
	x := openBenched(b, 5000, "one")
	var i, found atomic.Int64
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id, err := x.Pseudonym("youth-housing", "person", x.numbers[i.Add(1)%int64(len(x.numbers))])
			must(b, err)
			records, _, err := x.One(context.Background(), x.app, exchange.Request{Agreement: "youth-housing/residents", Purpose: "eligibility", Subject: id})
			must(b, err)
			found.Add(int64(len(records)))
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "reads/s")
	if b.N > 1000 && found.Load() < int64(b.N)/2 {
		b.Fatalf("%d of %d found", found.Load(), b.N)
	}
}

// BenchmarkBulk is a read of all residents, and what the provider itself needs for the same fields.
func BenchmarkBulk(b *testing.B) {
	x := openBenched(b, 100_000, "many")
	form, _ := registry.FormNamed("csv")
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			must(b, x.registry.Download(b.Context(), x.dataset, registry.Query{Fields: []string{"person", "birth_date", "address", "household_size"}}, form, io.Discard))
		}
	})
	b.Run("governed", func(b *testing.B) {
		for b.Loop() {
			var out registry.Writer
			must(b, x.Read(b.Context(), x.app, exchange.Request{Agreement: "youth-housing/residents", Purpose: "eligibility"}, func(fields []*catalog.Field, p exchange.Part) error {
				if out == nil {
					out = form.NewWriter(io.Discard, fields)
				}
				for _, rec := range p.Records {
					if err := out.Write(rec); err != nil {
						return err
					}
				}
				return nil
			}))
			must(b, out.Close())
		}
	})
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		b.Fatal(err)
	}
}
