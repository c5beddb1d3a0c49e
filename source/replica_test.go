package source

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// openPublished is a database all of whose tables are published, and how one with the key k is asked for, whose field has a type.
func openPublished(t *testing.T) (*silo, func(table string, of manifest.Type) Request) {
	t.Helper()
	r, folder := reader(t)
	secret(t, folder, password)
	address := dbtest.Postgres(t)
	d, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	s, gate := &silo{DB: d, reader: r}, dbtest.Through(t, address)
	s.do(t, "CREATE PUBLICATION city FOR ALL TABLES")
	return s, func(table string, of manifest.Type) Request {
		return Request{
			Project: "trial", Source: &manifest.Source{Database: gate.Address, Table: table, Publication: "city", Secret: "old"},
			Key:   func([]string) []string { return []string{"k"} },
			Types: func([]string) map[string]manifest.Type { return map[string]manifest.Type{"k": of} },
		}
	}
}

// Two rows that would be one record: where one goes, the record would. So a table that may have such rows isn't carried over.
func TestATableWhoseRowsMayBeOneRecordIsRefused(t *testing.T) {
	s, asked := openPublished(t)
	s.do(t, "CREATE DOMAIN fine AS timestamptz", "CREATE DOMAIN plain AS timestamp(3)", "CREATE DOMAIN plainer AS plain", "CREATE DOMAIN code AS char(4)", "CREATE TYPE yes AS ENUM ('y', 'yes')")
	const text, finer, decimals, other = "is text in the table", "finer than a millisecond", "has decimals", "may be the same"
	for i, c := range []struct {
		column string
		field  manifest.Type
		says   string // or nothing: it is taken
	}{
		{"timestamp", manifest.Datetime, finer},
		{"timestamp(6)", manifest.Datetime, finer},
		{"timestamptz", manifest.Datetime, finer},
		{"timestamptz(4)", manifest.Datetime, finer},
		{"fine", manifest.Datetime, finer},
		{"timestamp(3)", manifest.Datetime, ""},
		{"timestamptz(0)", manifest.Datetime, ""},
		{"plain", manifest.Datetime, ""},
		{"plainer", manifest.Datetime, ""},
		{"date", manifest.Datetime, ""},
		{"timestamptz", manifest.String, finer},
		{"timestamp", manifest.String, ""},
		{"bigint", manifest.Datetime, other},
		{"text", manifest.Int, text},
		{"char(4)", manifest.Int, text},
		{"code", manifest.Int, text},
		{"varchar(9)", manifest.Double, text},
		{"char(4)", manifest.String, ""},
		{"numeric(5,1)", manifest.Int, decimals},
		{"numeric(5,0)", manifest.Int, ""},
		{"numeric(5)", manifest.Int, ""},
		{"numeric", manifest.Int, ""},
		{"bigint", manifest.Int, ""},
		{"bigint", manifest.Double, other},
		{"numeric", manifest.Double, other},
		{"numeric(20,2)", manifest.Double, other},
		{"numeric(12,2)", manifest.Double, ""},
		{"float8", manifest.Double, ""},
		{"yes", manifest.Bool, other},
		{"boolean", manifest.Bool, ""},
		{"int", manifest.Date, ""},
	} {
		table := fmt.Sprintf("t%d", i)
		s.do(t, "CREATE TABLE "+table+" (k "+c.column+" PRIMARY KEY, v text)")
		_, err := s.reader.Published(t.Context(), asked(table, c.field))
		if c.says == "" && err != nil || c.says != "" && (problem.Code(err) != "source.replication" || !strings.Contains(problem.As(err).In("en"), c.says)) {
			t.Errorf("%s in %s: %v", c.column, c.field, err)
		}
	}
	s.do(t, "CREATE TABLE two (k timestamptz PRIMARY KEY, n int NOT NULL UNIQUE)") // another index tells its rows apart
	q := asked("two", manifest.Datetime)
	q.Key = func([]string) []string { return []string{"k", "n"} }
	if seen, err := s.reader.Published(t.Context(), q); err != nil || fmt.Sprint(seen.Key) != "[n]" {
		t.Errorf("%+v %v", seen, err)
	}
}

// Keys that read like others are looked for where the changes begin, with the blanks that an import takes off.
func TestKeysThatReadLikeOthersAreRefusedAtTheBeginning(t *testing.T) {
	s, asked := openPublished(t)
	for i, c := range []struct {
		column, key string
		field       manifest.Type
		plain       bool
	}{
		{"text", "k5 ", manifest.String, false},
		{"text", "k5\u3000", manifest.String, false},
		{"text", "\u00a0k5", manifest.String, false},
		{"text", "k5\u0085", manifest.String, false},
		{"text", "k5\u2009", manifest.String, false},
		{"text", "\v", manifest.String, false},
		{"text", "가 나\u200b", manifest.String, true},
		{"text", "Р", manifest.String, true},
		{"text", "\u3000", manifest.String, false},
		{"char(9)", "k5", manifest.String, true},
		{"numeric", "7.0", manifest.Int, false},
		{"numeric", "7", manifest.Int, true},
		{"numeric", "-70", manifest.Int, true},
		{"numeric(5,0)", "0", manifest.Int, true},
		{"numeric", "7.5", manifest.Int, true},
		{"varbit", "0101", manifest.Int, false},
		{"float8", "-0", manifest.Int, false},
		{"int", "7", manifest.Int, true},
	} {
		table := fmt.Sprintf("t%d", i)
		s.do(t, "CREATE TABLE "+table+" (k "+c.column+" PRIMARY KEY)")
		if _, err := s.Exec("INSERT INTO "+table+" SELECT ($1::text)::"+c.column, c.key); err != nil {
			t.Fatal(err)
		}
		q := asked(table, c.field)
		slot, err := s.reader.OpenSlot(t.Context(), q, table)
		if c.plain != (err == nil) || err != nil && (problem.Code(err) != "source.replication" || !strings.Contains(problem.As(err).In("en"), "blanks around their key")) {
			t.Errorf("%q in %s: %v", c.key, c.column, err)
		}
		if err == nil {
			slot.Close()
		}
		if err := s.reader.DropSlot(t.Context(), "trial", q.Source, table); err != nil {
			t.Error(err)
		}
	}
}

// The server of somebody else isn't read through each time it is looked whether all is as it was.
func TestALookAtHowATableIsPublishedReadsNoRows(t *testing.T) {
	s, asked := openPublished(t)
	s.do(t, "CREATE TABLE items (k text PRIMARY KEY)", "INSERT INTO items SELECT 'k' || n FROM generate_series(1, 5000) n")
	read := func() (n int64) {
		t.Helper()
		time.Sleep(200 * time.Millisecond) // until the server has counted
		if err := s.QueryRow("SELECT seq_scan + coalesce(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'items'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := read()
	first, err := s.reader.Published(t.Context(), asked("items", manifest.String))
	if err != nil {
		t.Fatal(err)
	}
	if n := read(); n != before {
		t.Errorf("%d scans", n-before)
	}
	s.do(t, "ANALYZE items", "INSERT INTO items VALUES ('more')", "UPDATE items SET k = 'other' WHERE k = 'more'", "VACUUM items")
	if again, err := s.reader.Published(t.Context(), asked("items", manifest.String)); err != nil || again.Print != first.Print {
		t.Errorf("it isn't as it was: %v", err)
	}
}

// What may have let changes by is seen, also when all is again as it was.
func TestATableThatWasElsewhereMeanwhileIsAnother(t *testing.T) {
	s, asked := openPublished(t)
	s.do(t, "CREATE SCHEMA a", "CREATE SCHEMA b", "CREATE TYPE mood AS ENUM ('sad')", "CREATE TABLE a.items (k int PRIMARY KEY, v text, m mood)",
		"CREATE TABLE a.parted (k int PRIMARY KEY, v text) PARTITION BY RANGE (k)", "CREATE TABLE a.first PARTITION OF a.parted FOR VALUES FROM (0) TO (100)",
		"CREATE PUBLICATION whole FOR TABLES IN SCHEMA a", "CREATE PUBLICATION one FOR TABLE a.items, a.parted WITH (publish_via_partition_root)")
	look := func(table, publication string) string {
		t.Helper()
		q := asked("a."+table, manifest.Int)
		q.Source.Publication = publication
		seen, err := s.reader.Published(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		return seen.Print
	}
	for _, c := range []struct{ table, publication, do string }{
		{"items", "one", "ALTER PUBLICATION one DROP TABLE a.items; ALTER PUBLICATION one ADD TABLE a.items"},
		{"items", "one", "ALTER PUBLICATION one SET (publish = 'insert'); ALTER PUBLICATION one SET (publish = 'insert, update, delete, truncate')"},
		{"items", "one", "DROP PUBLICATION one; CREATE PUBLICATION one FOR TABLE a.items, a.parted WITH (publish_via_partition_root)"},
		{"items", "whole", "ALTER TABLE a.items SET SCHEMA b; ALTER TABLE b.items SET SCHEMA a"},
		{"items", "city", "ALTER TABLE a.items ALTER COLUMN v TYPE text USING upper(v)"},
		{"items", "city", "ALTER TABLE a.items DROP COLUMN v; ALTER TABLE a.items ADD COLUMN v text DEFAULT 'x'"},
		{"items", "city", "ALTER TABLE a.items DROP CONSTRAINT items_pkey; ALTER TABLE a.items ADD PRIMARY KEY (k)"},
		{"items", "city", "ALTER TYPE mood RENAME VALUE 'sad' TO 'glad'"},
		{"items", "city", "DROP TABLE a.items; CREATE TABLE a.items (k int PRIMARY KEY, v text, m mood)"},
		{"parted", "one", "ALTER TABLE a.parted DETACH PARTITION a.first; ALTER TABLE a.parted ATTACH PARTITION a.first FOR VALUES FROM (0) TO (100)"},
		{"parted", "one", "TRUNCATE a.first"},
	} {
		before := look(c.table, c.publication)
		for _, statement := range strings.Split(c.do, "; ") { // each in a transaction of its own
			s.do(t, statement)
		}
		if look(c.table, c.publication) == before {
			t.Errorf("not seen: %s", c.do)
		}
	}
}
