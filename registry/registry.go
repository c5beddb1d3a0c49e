package registry

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Registry keeps the records of all datasets in one database. It is safe for concurrent use.
type Registry struct {
	db    *db.DB
	files blob.Store // what is dropped, and what imports read
	keys  Sealer
	now   func() time.Time

	filters    filters
	counts     sync.Map // table → counted
	keysAtOnce int      // see maxKeysAtOnce; less in tests

	delays sync.Map // number of an import → lang.Text: why it waits to be tried again
}

// Open opens the registry in a database. keys seal the values of class unique.
func Open(ctx context.Context, d *db.DB, files blob.Store, keys Sealer, now func() time.Time) (*Registry, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(ctx, "registry", dir); err != nil {
		return nil, err
	}
	return &Registry{db: d, files: files, keys: keys, now: now, keysAtOnce: maxKeysAtOnce}, nil
}

// table is the physical table of a dataset.
type table struct {
	*catalog.Dataset
	id       int64
	built    int64    // the revision that made the physical table, which names it
	shaped   int64    // the revision that gave it its shape
	keyed    int64    // the revision that made its key what it is, or 0; see migration 2
	followed bool     // changes are kept for those who follow
	name     string   // quoted
	key      []string // the columns that identify a record: the key fields, or idColumn
	keyAt    []int    // where the key fields stand among the fields; none for idColumn
	sealer   Sealer
}

// The columns a table has beside its fields. Fields can't start with an underscore.
const (
	changeColumn = "_change"
	idColumn     = "_id" // of datasets without key fields
)

// tableOf is the table of a dataset that a revision made. A table that is made anew has another name, so that no statement that
// a connection has prepared for the former one is used for it.
func (r *Registry) tableOf(d *catalog.Dataset, id, built int64) *table {
	t := &table{Dataset: d, id: id, built: built, key: d.Spec.Key, sealer: r.keys}
	t.name = t.called(fmt.Sprintf("%.40s", fieldForm(d.Name)))
	for _, k := range t.key {
		t.keyAt = append(t.keyAt, slices.IndexFunc(d.Fields, func(f catalog.Field) bool { return f.Name == k }))
	}
	if len(t.key) == 0 {
		t.key = []string{idColumn}
	}
	return t
}

// called is the quoted name of the table, or of something that belongs to it.
func (t *table) called(what string) string {
	return db.Quote(fmt.Sprintf("d%d_%d_%s", t.id, t.built, what))
}

// fieldForm writes a resource's name as one that tables bear.
func fieldForm(name string) string {
	out := []byte(name)
	for i, c := range out {
		if c == '-' {
			out[i] = '_'
		}
	}
	return string(out)
}

// table finds the table of a dataset and checks that the dataset is of the shape the table has now.
func (r *Registry) table(ctx context.Context, tx *db.Tx, d *catalog.Dataset) (*table, error) {
	var id, built, shaped, keyed int64
	var followed bool
	err := tx.QueryRow(ctx, "SELECT id, built, shaped, keyed, followed FROM dataset_table WHERE project = ? AND dataset = ?", d.Project, d.Name).Scan(&id, &built, &shaped, &keyed, &followed)
	if db.NoRows(err) || (err == nil && shaped > d.Revision) {
		return nil, problem.New("catalog.moved", 409, lang.F("데이터셋의 정의가 방금 바뀌었습니다: %s", "the definition of the dataset %s has just changed", d.Path())).
			Hinting(lang.T("다시 시도하십시오", "try again"))
	}
	if err != nil {
		return nil, fmt.Errorf("find the table of %s: %w", d.Path(), err)
	}
	t := r.tableOf(d, id, built)
	t.shaped, t.keyed, t.followed = shaped, keyed, followed
	return t, nil
}

// column is the SQL of a field's column.
func (t *table) column(f *catalog.Field, dialect db.Dialect) string {
	typ := f.Type
	if sealed(f) {
		typ = manifest.String
	}
	s := db.Quote(f.Name) + " " + sqlType(typ, dialect)
	if f.KeyPart {
		s += " NOT NULL"
	}
	return s
}

// sqlType is the type of a column. Dates and datetimes are ISO text on both databases, so that they compare and print alike.
func sqlType(t manifest.Type, dialect db.Dialect) string {
	types := map[manifest.Type][2]string{
		manifest.Int:    {"INTEGER", "BIGINT"},
		manifest.Double: {"REAL", "DOUBLE PRECISION"},
		manifest.Bool:   {"INTEGER", "BOOLEAN"},
	}
	pair, ok := types[t]
	switch {
	case !ok && dialect == db.Postgres:
		return `TEXT COLLATE "C"`
	case !ok:
		return "TEXT"
	case dialect == db.Postgres:
		return pair[1]
	}
	return pair[0]
}
