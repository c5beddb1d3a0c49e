package registry

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

func TestTheDemoCityHasATableForEachDataset(t *testing.T) {
	for name, address := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(t.TempDir(), "maru.db") },
		"postgres": func() string { return dbtest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d, err := db.Open(t.Context(), address())
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			files, err := blob.OpenFolder(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			ring, err := keys.Open(t.TempDir(), "test/log", nil)
			if err != nil {
				t.Fatal(err)
			}
			r, err := Open(t.Context(), d, files, ring, time.Now)
			if err != nil {
				t.Fatal(err)
			}
			c, err := catalog.Open(t.Context(), d, time.Now, r)
			if err != nil {
				t.Fatal(err)
			}
			p, err := c.Plan(t.Context(), catalog.Request{Files: city.Manifests(), Who: identity.Itself("test")})
			if err != nil || manifest.HasErrors(p.Findings) {
				t.Fatal(err, p)
			}
			if _, err := c.Apply(t.Context(), p.ID, identity.Itself("test"), "city"); err != nil {
				t.Fatal(err)
			}
			if len(c.Snapshot().Datasets()) == 0 {
				t.Fatal("no datasets")
			}
			for _, ds := range c.Snapshot().Datasets() {
				err := d.Read(t.Context(), func(tx *db.Tx) error {
					table, err := r.table(t.Context(), tx, ds)
					if err != nil {
						return err
					}
					n, err := table.rows(t.Context(), tx)
					if n != 0 {
						t.Errorf("%s has %d records", ds.Path(), n)
					}
					return err
				})
				if err != nil {
					t.Errorf("%s: %v", ds.Path(), err)
				}
			}
		})
	}
}
