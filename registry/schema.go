package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// create makes the table of a dataset that had none.
func (r *Registry) create(ctx context.Context, tx *db.Tx, d *catalog.Dataset) error {
	var id int64
	if err := tx.QueryRow(ctx, "INSERT INTO dataset_table (project, dataset, shaped, built, keyed) VALUES (?, ?, ?, ?, ?) RETURNING id", d.Project, d.Name, d.Revision, d.Revision, d.Revision).Scan(&id); err != nil {
		return fmt.Errorf("number the table of %s: %w", d.Path(), err)
	}
	t := r.tableOf(d, id, d.Revision)
	if _, err := tx.Exec(ctx, t.definition(tx.Dialect())); err != nil {
		return fmt.Errorf("make the table of %s: %w", d.Path(), err)
	}
	return t.indexes(ctx, tx)
}

// definition is the statement that makes the table.
func (t *table) definition(dialect db.Dialect) string {
	columns := []string{db.Quote(changeColumn) + " " + sqlType(manifest.Int, dialect) + " NOT NULL"}
	if len(t.Spec.Key) == 0 {
		columns = append(columns, db.Quote(idColumn)+" "+sqlType(manifest.String, dialect)+" NOT NULL")
	}
	for i := range t.Fields {
		columns = append(columns, t.column(&t.Fields[i], dialect))
	}
	columns = append(columns, "CONSTRAINT "+t.called("key")+" PRIMARY KEY ("+db.Quotes(t.key)+")")
	statement := "CREATE TABLE " + t.name + " (\n  " + strings.Join(columns, ",\n  ") + "\n)"
	if dialect == db.SQLite {
		statement += " STRICT"
	}
	return statement
}

// indexes makes the indexes of the sets that the manifest names. A search index ends with the key, so that a filtered list is in the
// order of its pages.
func (t *table) indexes(ctx context.Context, tx *db.Tx) error {
	for i, set := range t.Spec.Unique {
		if err := t.index(ctx, tx, "CREATE UNIQUE INDEX ", t.called(fmt.Sprintf("u%d", i)), set); err != nil {
			return err
		}
	}
	return t.listIndexes(ctx, tx)
}

// listIndexes makes the indexes that aren't there of those that only lists need.
func (t *table) listIndexes(ctx context.Context, tx *db.Tx) error {
	for i, set := range indexed(t.Spec) {
		columns := slices.Clone(set)
		for _, k := range t.key {
			if !slices.Contains(columns, k) {
				columns = append(columns, k)
			}
		}
		if err := t.index(ctx, tx, "CREATE INDEX IF NOT EXISTS ", t.called(fmt.Sprintf("i%d", i)), columns); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) index(ctx context.Context, tx *db.Tx, statement, name string, columns []string) error {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = t.comparable(c)
		if tx.Dialect() == db.Postgres {
			list[i] += " NULLS FIRST" // as SQLite orders
		}
	}
	if _, err := tx.Exec(ctx, statement+name+" ON "+t.name+" ("+strings.Join(list, ", ")+")"); err != nil {
		return fmt.Errorf("index %s of %s: %w", strings.Join(columns, ", "), t.Path(), err)
	}
	return nil
}

// rows counts the records of a dataset.
func (t *table) rows(ctx context.Context, tx *db.Tx) (n int64, err error) {
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+t.name).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the records of %s: %w", t.Path(), err)
	}
	return n, nil
}

// createStep says that a table is made.
func createStep(d *catalog.Dataset) catalog.Step {
	return catalog.Step{Of: d.Key(), Text: lang.F("표를 만듭니다 (항목 %d개)", "make its table (%d fields)", len(d.Fields))}
}
