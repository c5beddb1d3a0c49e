package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// Revision is one step of the catalog.
type Revision struct {
	N       int64     `json:"revision"`
	At      time.Time `json:"at"`
	Author  string    `json:"author"`
	Message string    `json:"message"`
	Changes []Change  `json:"changes,omitempty"`
}

// Apply makes a plan the next revision: the documents and the tables that follow from them, in one transaction. A plan made for another
// revision than the present one is refused (catalog.moved), and so is one with an error finding (plan.refused), and one that changes a project
// whose documents who may not change (auth.refused).
func (c *Catalog) Apply(ctx context.Context, id string, who *identity.Principal, message string) (*Revision, error) {
	var next *Snapshot
	var rev *Revision
	err := c.db.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Lock(ctx, "catalog"); err != nil {
			return fmt.Errorf("lock the catalog: %w", err)
		}
		var base int64
		var body string
		err := tx.QueryRow(ctx, "SELECT base, body FROM plan WHERE id = ?", id).Scan(&base, &body)
		if db.NoRows(err) {
			return problem.New("plan.unknown", 404, lang.T("계획을 찾을 수 없습니다", "there is no such plan")).Hinting(lang.T("계획은 7일 뒤에 지워집니다. maru plan을 다시 실행하십시오", "plans are kept for seven days; plan again"))
		}
		if err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		var w work
		if err := json.Unmarshal([]byte(body), &w); err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		if w.Refused {
			return problem.New("plan.refused", 422, lang.T("오류가 있는 계획은 적용할 수 없습니다", "a plan with errors can't be applied")).Hinting(lang.T("오류를 고치고 maru plan을 다시 실행하십시오", "mend the errors and plan again"))
		}
		before := c.Snapshot()
		if newer, err := c.load(ctx, tx, before); err != nil {
			return err
		} else if newer != nil {
			before = newer
		}
		if before.Revision != base {
			return moved(base, before.Revision)
		}
		rev = &Revision{N: base + 1, At: c.now().UTC().Truncate(time.Millisecond), Author: who.Actor(), Message: message}
		next, err = c.put(ctx, tx, before, w, rev)
		if err != nil {
			return err
		}
		if err := allowed(who, before, next, w); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM plan WHERE id = ?", id); err != nil {
			return fmt.Errorf("forget the plan: %w", err)
		}
		for _, f := range c.followers {
			if err := f.Apply(ctx, tx, before, next, who, w.AllowLoss); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	c.refresh.Lock()
	defer c.refresh.Unlock()
	if c.Snapshot().Revision < next.Revision {
		c.current.Store(next)
	}
	return rev, nil
}

// allowed is nil where a principal may change all the projects whose documents a plan touches: as they are, and as they will be.
func allowed(who *identity.Principal, before, next *Snapshot, w work) error {
	if w.Rollback {
		return who.Need(identity.Rollback, identity.Place{})
	}
	homes := map[string]bool{}
	for _, d := range w.Put {
		homes[d.Home] = true
	}
	for _, key := range w.Remove {
		homes[before.Get(key).Home] = true
	}
	for project := range homes {
		for _, s := range []*Snapshot{before, next} {
			if s.Get(manifest.Key{Kind: "Project", Name: project}) == nil {
				continue
			}
			if who.May(identity.Change, s.Place(project)) {
				continue
			}
			p := problem.As(who.Refused())
			if who.SignedIn() {
				p = problem.New(p.Code, p.Status, lang.F("‘%s’ 사업의 선언문을 바꿀 권한이 없습니다", "you may not change the manifests of the project %s", project)).
					Hinting(lang.T("사업의 owner에 적힌 기관(또는 그 상위 기관)의 작성자가 적용할 수 있습니다", "an author of the agency in the project's owner, or of one above it, can apply it"))
			}
			return p
		}
	}
	return nil
}

// put writes a revision and returns the snapshot it leads to.
func (c *Catalog) put(ctx context.Context, tx *db.Tx, before *Snapshot, w work, rev *Revision) (*Snapshot, error) {
	if _, err := tx.Exec(ctx, "INSERT INTO revision (n, at, author, message) VALUES (?, ?, ?, ?)", rev.N, rev.At.Format(time.RFC3339Nano), rev.Author, rev.Message); err != nil {
		return nil, fmt.Errorf("write the revision: %w", err)
	}
	var resources []*manifest.Resource
	for _, d := range w.Put {
		r, err := reread(d.Key, d.Home, d.File, d.Text)
		if err != nil {
			return nil, err
		}
		r.Tables = d.Tables
		resources = append(resources, r)
		tables, err := c.putTables(ctx, tx, d.Tables)
		if err != nil {
			return nil, err
		}
		op := addOp
		if before.Get(d.Key) != nil {
			op = changeOp
		}
		if err := c.putVersion(ctx, tx, rev.N, op, d, tables); err != nil {
			return nil, err
		}
	}
	for _, key := range w.Remove {
		old := before.Get(key)
		if err := c.putVersion(ctx, tx, rev.N, removeOp, document{Key: key, Home: old.Home, File: old.File, Text: old.Text}, ""); err != nil {
			return nil, err
		}
	}
	return before.derive(rev.N, rev.At, resources, w.Remove), nil
}

func (c *Catalog) putTables(ctx context.Context, tx *db.Tx, tables map[string]string) (string, error) {
	if len(tables) == 0 {
		return "", nil
	}
	hashes := map[string]string{}
	for name, text := range tables {
		hash, err := c.putText(ctx, tx, text)
		if err != nil {
			return "", err
		}
		hashes[name] = hash
	}
	list, err := json.Marshal(hashes)
	return string(list), err
}

func (c *Catalog) putText(ctx context.Context, tx *db.Tx, text string) (string, error) {
	hash := hashOf(text)
	if _, err := tx.Exec(ctx, "INSERT INTO catalog_text (hash, body) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING", hash, text); err != nil {
		return "", fmt.Errorf("write a document: %w", err)
	}
	return hash, nil
}

func (c *Catalog) putVersion(ctx context.Context, tx *db.Tx, revision int64, op string, d document, tables string) error {
	hash, err := c.putText(ctx, tx, d.Text)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "INSERT INTO resource_version (kind, project, name, revision, op, home, file, text_hash, tables) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		d.Key.Kind, d.Key.Project, d.Key.Name, revision, op, d.Home, d.File, hash, tables)
	if err != nil {
		return fmt.Errorf("write %s: %w", d.Key, err)
	}
	return nil
}

// Revisions lists revisions, the newest first, from the one before a number on (0: from the newest).
func (c *Catalog) Revisions(ctx context.Context, before int64, limit int) (out []Revision, err error) {
	if before <= 0 {
		before = 1 << 62
	}
	err = c.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT n, at, author, message FROM revision WHERE n < ? ORDER BY n DESC LIMIT ?", before, limit)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			r, err := scanRevision(rows)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return rows.Err()
	})
	return out, err
}

func scanRevision(row interface{ Scan(...any) error }) (r Revision, err error) {
	var at string
	if err := row.Scan(&r.N, &at, &r.Author, &r.Message); err != nil {
		return r, err
	}
	r.At, err = time.Parse(time.RFC3339Nano, at)
	return r, err
}

// Revision returns one revision with its changes and their differences.
func (c *Catalog) Revision(ctx context.Context, n int64) (*Revision, error) {
	var rev Revision
	err := c.db.Read(ctx, func(tx *db.Tx) (err error) {
		rev, err = scanRevision(tx.QueryRow(ctx, "SELECT n, at, author, message FROM revision WHERE n = ?", n))
		if db.NoRows(err) {
			return problem.New("revision.unknown", 404, lang.F("없는 개정입니다: %v", "there is no revision %v", n)).Hinting(lang.T("maru history로 개정을 확인하십시오", "maru history lists the revisions"))
		}
		if err != nil {
			return err
		}
		rev.Changes, err = c.changes(ctx, tx, "v.revision = ?", n)
		return err
	})
	if err != nil {
		return nil, err
	}
	p := Plan{Changes: rev.Changes}
	p.sort()
	return &rev, nil
}

// Version is what one revision did to a resource.
type Version struct {
	Revision
	Change
	Text string // the document as it was applied
}

// Versions lists what revisions did to a resource, the newest first, at most limit.
func (c *Catalog) Versions(ctx context.Context, key manifest.Key, limit int) (out []Version, err error) {
	err = c.db.Read(ctx, func(tx *db.Tx) error {
		changes, err := c.versions(ctx, tx, "v.kind = ? AND v.project = ? AND v.name = ?", key.Kind, key.Project, key.Name)
		if err != nil {
			return err
		}
		slices.Reverse(changes)
		out = changes[:min(limit, len(changes))]
		return nil
	})
	return out, err
}

// Dates are when a resource was first applied, and when it last changed.
type Dates struct{ Made, Changed time.Time }

// Dates says so of all resources of a kind that a project has, by project/name, as of a revision.
func (c *Catalog) Dates(ctx context.Context, kind string, upTo int64) (map[string]Dates, error) {
	out := map[string]Dates{}
	err := c.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, `SELECT v.project, v.name, a.at, b.at FROM (SELECT project, name, min(revision) AS lo, max(revision) AS hi FROM resource_version WHERE kind = ? AND revision <= ? GROUP BY project, name) v
			JOIN revision a ON a.n = v.lo JOIN revision b ON b.n = v.hi`, kind, upTo)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var project, name, made, changed string
			if err := rows.Scan(&project, &name, &made, &changed); err != nil {
				return err
			}
			var d Dates
			if d.Made, err = time.Parse(time.RFC3339Nano, made); err != nil {
				return err
			}
			if d.Changed, err = time.Parse(time.RFC3339Nano, changed); err != nil {
				return err
			}
			out[project+"/"+name] = d
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("look when resources were applied: %w", err)
	}
	return out, nil
}

func (c *Catalog) changes(ctx context.Context, tx *db.Tx, where string, args ...any) (out []Change, err error) {
	versions, err := c.versions(ctx, tx, where, args...)
	for _, v := range versions {
		out = append(out, v.Change)
	}
	return out, err
}

// versions reads what revisions did, each compared with the version before it. where is one of this file's own conditions.
func (c *Catalog) versions(ctx context.Context, tx *db.Tx, where string, args ...any) (out []Version, err error) {
	rows, err := tx.Query(ctx, `
		SELECT v.kind, v.project, v.name, v.op, v.home, v.file, t.body, v.tables, coalesce(bt.body, ''), coalesce(b.tables, ''), coalesce(b.op, ''), r.n, r.at, r.author, r.message
		FROM resource_version v
		JOIN catalog_text t ON t.hash = v.text_hash
		JOIN revision r ON r.n = v.revision
		LEFT JOIN resource_version b ON b.kind = v.kind AND b.project = v.project AND b.name = v.name AND b.revision =
			(SELECT max(x.revision) FROM resource_version x WHERE x.kind = v.kind AND x.project = v.project AND x.name = v.name AND x.revision < v.revision)
		LEFT JOIN catalog_text bt ON bt.hash = b.text_hash
		WHERE `+where+` ORDER BY v.revision, v.kind, v.project, v.name`, args...)
	if err != nil {
		return nil, fmt.Errorf("read versions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var d document
		var op, tables, oldText, oldTables, oldOp, at string
		var v Version
		if err := rows.Scan(&d.Key.Kind, &d.Key.Project, &d.Key.Name, &op, &d.Home, &d.File, &d.Text, &tables, &oldText, &oldTables, &oldOp, &v.N, &at, &v.Author, &v.Message); err != nil {
			return nil, fmt.Errorf("read versions: %w", err)
		}
		if v.At, err = time.Parse(time.RFC3339Nano, at); err != nil {
			return nil, fmt.Errorf("read versions: %w", err)
		}
		now, err := reread(d.Key, d.Home, d.File, d.Text)
		if err != nil {
			return nil, err
		}
		var old *manifest.Resource
		if op == changeOp && oldText != "" && oldOp != removeOp {
			if old, err = reread(d.Key, d.Home, d.File, oldText); err != nil {
				return nil, err
			}
		}
		v.Change, v.Text = changeOf(old, now), d.Text
		v.Op = op
		if op == changeOp && tables != oldTables {
			v.Differences = append(v.Differences, manifest.Difference{Path: "file", Before: oldTables, After: tables})
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
