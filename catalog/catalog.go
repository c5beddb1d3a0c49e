package catalog

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Catalog is the open catalog. It is safe for concurrent use, also by several nodes on one database.
type Catalog struct {
	db        *db.DB
	now       func() time.Time
	followers []Follower
	current   atomic.Pointer[Snapshot]
	refresh   sync.Mutex    // one refresh at a time
	planning  chan struct{} // places for plans that are being made
}

// Follower is what follows the catalog in the same transaction: the registry's tables, the exchange's agreements.
type Follower interface {
	// Plan says what going from one snapshot to the next does, and what stands against it, as far as who asks may know.
	Plan(ctx context.Context, tx *db.Tx, before, after *Snapshot, who *identity.Principal, allowLoss bool) ([]Step, []manifest.Finding, error)
	// Apply does it. What goes is first written to a file.
	Apply(ctx context.Context, tx *db.Tx, before, after *Snapshot, who *identity.Principal, allowLoss bool) error
}

// Step is one thing that follows from applying a plan.
type Step struct {
	Of    manifest.Key  `json:"-"` // the resource it follows from
	Text  manifest.Text `json:"text"`
	Loses int64         `json:"loses,omitempty"` // rows whose values go
}

// Open opens the catalog in a database and reads its present state. now tells the time of revisions.
func Open(ctx context.Context, d *db.DB, now func() time.Time, followers ...Follower) (*Catalog, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx, "catalog", files); err != nil {
		return nil, err
	}
	c := &Catalog{db: d, now: now, followers: followers, planning: make(chan struct{}, 2)}
	c.current.Store((&Snapshot{}).derive(0, time.Time{}, nil, nil))
	return c, c.Refresh(ctx)
}

// Snapshot is the catalog as it is now.
func (c *Catalog) Snapshot() *Snapshot { return c.current.Load() }

// Watch keeps the snapshot up to date with revisions that other nodes make, until ctx ends.
func (c *Catalog) Watch(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := c.Refresh(ctx); err != nil && ctx.Err() == nil {
				slog.Error("catalog: refresh", "error", err)
			}
		}
	}
}

// Refresh reads the revisions that are newer than the snapshot.
func (c *Catalog) Refresh(ctx context.Context) error {
	c.refresh.Lock()
	defer c.refresh.Unlock()
	return c.db.Read(ctx, func(tx *db.Tx) error {
		next, err := c.load(ctx, tx, c.Snapshot())
		if err == nil && next != nil {
			c.current.Store(next)
		}
		return err
	})
}

// load reads what is newer than from; nil if nothing is.
func (c *Catalog) load(ctx context.Context, tx *db.Tx, from *Snapshot) (*Snapshot, error) {
	var n int64
	var at string
	err := tx.QueryRow(ctx, "SELECT n, at FROM revision ORDER BY n DESC LIMIT 1").Scan(&n, &at)
	if db.NoRows(err) || (err == nil && n == from.Revision) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the newest revision: %w", err)
	}
	put, removed, err := c.state(ctx, tx, from.Revision, n)
	if err != nil {
		return nil, err
	}
	when, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return nil, fmt.Errorf("time of revision %d: %w", n, err)
	}
	return from.derive(n, when, put, removed), nil
}

// At is the catalog as a revision made it, or a problem with code revision.unknown.
func (c *Catalog) At(ctx context.Context, n int64) (*Snapshot, error) {
	if now := c.Snapshot(); n == now.Revision {
		return now, nil
	}
	rev, err := c.Revision(ctx, n)
	if err != nil {
		return nil, err
	}
	var out *Snapshot
	err = c.db.Read(ctx, func(tx *db.Tx) error {
		put, _, err := c.state(ctx, tx, 0, n)
		if err == nil {
			out = (&Snapshot{}).derive(n, rev.At, put, nil)
		}
		return err
	})
	return out, err
}

// state reads the newest version of each resource that revisions after from, up to and with to, touched.
func (c *Catalog) state(ctx context.Context, tx *db.Tx, from, to int64) (put []*manifest.Resource, removed []manifest.Key, err error) {
	rows, err := tx.Query(ctx, `
		SELECT v.kind, v.project, v.name, v.op, v.home, v.file, v.tables, t.body
		FROM (SELECT kind, project, name, max(revision) AS revision FROM resource_version WHERE revision > ? AND revision <= ? GROUP BY kind, project, name) newest
		JOIN resource_version v ON v.kind = newest.kind AND v.project = newest.project AND v.name = newest.name AND v.revision = newest.revision
		JOIN catalog_text t ON t.hash = v.text_hash`, from, to)
	if err != nil {
		return nil, nil, fmt.Errorf("read the catalog: %w", err)
	}
	defer rows.Close()
	tables := map[*manifest.Resource]map[string]string{}
	for rows.Next() {
		var key manifest.Key
		var op, home, file, tableList, text string
		if err := rows.Scan(&key.Kind, &key.Project, &key.Name, &op, &home, &file, &tableList, &text); err != nil {
			return nil, nil, fmt.Errorf("read the catalog: %w", err)
		}
		if op == removeOp {
			removed = append(removed, key)
			continue
		}
		r, err := reread(key, home, file, text)
		if err != nil {
			return nil, nil, err
		}
		if tableList != "" {
			hashes := map[string]string{}
			if err := json.Unmarshal([]byte(tableList), &hashes); err != nil {
				return nil, nil, fmt.Errorf("tables of %s: %w", key, err)
			}
			tables[r] = hashes
		}
		put = append(put, r)
	}
	if err := rows.Err(); err != nil {
		return nil, nil, fmt.Errorf("read the catalog: %w", err)
	}
	for r, hashes := range tables {
		r.Tables = map[string]string{}
		for name, hash := range hashes {
			var body string
			if err := tx.QueryRow(ctx, "SELECT body FROM catalog_text WHERE hash = ?", hash).Scan(&body); err != nil {
				return nil, nil, fmt.Errorf("table %s of %s: %w", name, r.Key, err)
			}
			r.Tables[name] = body
		}
	}
	return put, removed, nil
}

// reread reads a document that was applied before. It was right then; what a newer Maru finds wrong with it is an error of ours.
func reread(key manifest.Key, home, file, text string) (*manifest.Resource, error) {
	r, findings := manifest.ParseDocument(file, text)
	if r == nil {
		return nil, fmt.Errorf("the catalog holds a %s that can't be read any more: %v", key, findings)
	}
	if len(findings) > 0 {
		slog.Warn("catalog: an applied document has findings", "resource", key.String(), "findings", len(findings))
	}
	r.Key, r.Home = key, home
	return r, nil
}

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
