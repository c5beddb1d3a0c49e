package rule_test

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

// columnTypes are the columns of each dialect, as the registry makes them.
var columnTypes = map[rule.Dialect]map[manifest.Type]string{
	rule.SQLite: {
		manifest.String: "TEXT", manifest.Int: "INTEGER", manifest.Double: "REAL", manifest.Bool: "INTEGER",
		manifest.Date: "TEXT", manifest.Datetime: "TEXT", manifest.Geometry: "TEXT",
	},
	rule.Postgres: {
		manifest.String: `text COLLATE "C"`, manifest.Int: "bigint", manifest.Double: "double precision", manifest.Bool: "boolean",
		manifest.Date: `text COLLATE "C"`, manifest.Datetime: `text COLLATE "C"`, manifest.Geometry: `text COLLATE "C"`,
	},
}

// database is a table of records in one of the databases.
type database struct {
	*sql.DB
	dialect rule.Dialect
}

// both runs a test on SQLite and on PostgreSQL.
func both(t *testing.T, records []map[string]any, test func(t *testing.T, d database)) {
	t.Run("sqlite", func(t *testing.T) {
		pool, err := sql.Open("sqlite", ":memory:")
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		pool.SetMaxOpenConns(1) // each connection has its own memory
		test(t, load(t, database{pool, rule.SQLite}, records))
	})
	t.Run("postgres", func(t *testing.T) {
		pool, err := sql.Open("pgx", dbtest.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		test(t, load(t, database{pool, rule.Postgres}, records))
	})
}

func quoted(name string) string { return `"` + name + `"` }

// column is a field that is always known.
func column(name string) rule.Column {
	if name == "children" {
		return rule.Column{Rows: `children AS _l WHERE _l._n = records._n`, Item: func(item string) string { return "_l." + quoted(item) }}
	}
	return rule.Column{Text: "records." + quoted(name)}
}

// perhaps is a field that a record may not have.
func perhaps(name string) rule.Column {
	c := column(name)
	c.Known = "records." + quoted("has_"+name) + " = 1"
	return c
}

// load makes the table and puts the records in, numbered from 0.
func load(t *testing.T, d database, records []map[string]any) database {
	t.Helper()
	var columns, names, marks []string
	for _, f := range plain() {
		columns = append(columns, quoted(f.Name)+" "+columnTypes[d.dialect][f.Type], quoted("has_"+f.Name)+" bigint")
		names, marks = append(names, quoted(f.Name), quoted("has_"+f.Name)), append(marks, "?", "?")
	}
	d.exec(t, "CREATE TABLE records (_n bigint, has_children bigint, "+strings.Join(columns, ", ")+")")
	columns = nil
	for _, f := range items {
		columns = append(columns, quoted(f.Name)+" "+columnTypes[d.dialect][f.Type])
	}
	d.exec(t, "CREATE TABLE children (_n bigint, "+strings.Join(columns, ", ")+")")
	stored := func(v any) any {
		if b, ok := v.(bool); ok && d.dialect == rule.SQLite {
			return map[bool]int64{true: 1}[b]
		}
		return v
	}
	for n, r := range records {
		children, there := r["children"].([]map[string]any)
		args := []any{int64(n), map[bool]int64{true: 1}[there]}
		for _, f := range plain() {
			v, there := r[f.Name]
			args = append(args, stored(v), map[bool]int64{true: 1}[there])
		}
		for _, c := range children {
			of := []any{int64(n)}
			for _, f := range items {
				of = append(of, stored(c[f.Name]))
			}
			d.exec(t, "INSERT INTO children VALUES (?"+strings.Repeat(", ?", len(items))+")", of...)
		}
		d.exec(t, "INSERT INTO records (_n, has_children, "+strings.Join(names, ", ")+") VALUES (?, ?, "+strings.Join(marks, ", ")+")", args...)
	}
	return d
}

func (d database) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := d.Exec(db.Dialect(d.dialect).Placeholders(query), args...); err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
}

// answers are what a rule's condition is for each record.
func (d database) answers(r *rule.Rule, records int) ([]sql.NullBool, string, error) {
	return d.ask(r, records, column)
}

func (d database) ask(r *rule.Rule, records int, column func(string) rule.Column) ([]sql.NullBool, string, error) {
	text, args, err := r.SQL(d.dialect, asOf, column)
	if err != nil {
		return nil, text, err
	}
	rows, err := d.Query(db.Dialect(d.dialect).Placeholders("SELECT _n, "+text+" FROM records"), args...)
	if err != nil {
		return nil, text, err
	}
	defer rows.Close()
	out, seen := make([]sql.NullBool, records), 0
	for rows.Next() {
		var n int
		var yes sql.NullBool
		if err := rows.Scan(&n, &yes); err != nil {
			return nil, text, err
		}
		out[n] = yes
		seen++
	}
	if seen != records {
		return nil, text, sql.ErrNoRows
	}
	return out, text, rows.Err()
}

// values are what an expression is for each record, nil where it is NULL.
func (d database) values(r *rule.Rule, typ manifest.Type, records int) ([]any, string, error) {
	text, args, err := r.SQL(d.dialect, asOf, column)
	if err != nil {
		return nil, text, err
	}
	rows, err := d.Query(db.Dialect(d.dialect).Placeholders("SELECT _n, "+text+" FROM records"), args...)
	if err != nil {
		return nil, text, err
	}
	defer rows.Close()
	out := make([]any, records)
	for rows.Next() {
		var n int
		var v any
		if err := rows.Scan(&n, &v); err != nil {
			return nil, text, err
		}
		if v != nil && fmt.Sprintf("%T", v) != goTypes[typ] {
			return nil, text, fmt.Errorf("a %s is a %T in Go", typ, v)
		}
		out[n] = v
	}
	return out, text, rows.Err()
}

// goTypes are the types in which drivers give values.
var goTypes = map[manifest.Type]string{manifest.String: "string", manifest.Int: "int64", manifest.Double: "float64"}
