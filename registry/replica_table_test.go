package registry

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
)

// itemsFrom is a dataset whose fields are v, w and grade, as texts, and the key no.
func itemsFrom(address string) string {
	return "kind: Dataset\nname: items\ntitle: 물품\nkey: [no]\nfields:\n  no: {type: int}\n  v: {type: string}\n  w: {type: string}\n  grade: {type: string}\nsource:\n  database: " + address + "\n  table: old.items\n  publication: city\n"
}

const itemsTable = `CREATE SCHEMA old; CREATE TABLE old.items (no int PRIMARY KEY, v text, w text); INSERT INTO old.items SELECT n, 'v' || n, 'w' || n FROM generate_series(1, 40) n; CREATE PUBLICATION city FOR TABLE old.items`

// asThere reports whether the items are those of the table, value for value.
func (r *room) asThere(t testing.TB, old *silo, d *catalog.Dataset) bool {
	t.Helper()
	var there sql.NullString // a column that isn't there is null
	if err := old.QueryRowContext(t.Context(), "SELECT string_agg(concat_ws('|', no, coalesce(j ->> 'v', '-'), coalesce(j ->> 'w', '-'), coalesce(j ->> 'grade', '-')), E'\n' ORDER BY no) FROM old.items i, to_jsonb(i) j").Scan(&there); err != nil {
		t.Fatal(err)
	}
	var here []string
	err := r.Stream(t.Context(), d, Query{}, func(rec *Record) error {
		var values []string
		for _, v := range rec.Values {
			if v == nil {
				v = "-"
			}
			values = append(values, fmt.Sprint(v))
		}
		here = append(here, strings.Join(values, "|"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(here, "\n") == there.String
}

// What is done to a table's shape changes its rows without a word: they are read anew. What others see while somebody listens, and while nobody does, is the same in the end.
func TestATableOfAnotherShapeIsReadWhole(t *testing.T) {
	const touch = "UPDATE old.items SET v = 'touched' WHERE no = 3"
	for _, c := range []struct {
		what      string
		listening bool
		do        []string
	}{
		{"a column with a default", true, []string{"ALTER TABLE old.items ADD COLUMN grade text DEFAULT 'A'", touch}},
		{"another type", true, []string{"ALTER TABLE old.items ALTER COLUMN v TYPE varchar(50) USING upper(v)", touch}},
		{"a column in place of another", true, []string{"ALTER TABLE old.items DROP COLUMN v; ALTER TABLE old.items ADD COLUMN v text DEFAULT 'fresh'", touch}},
		{"another name for a while", true, []string{"ALTER TABLE old.items RENAME TO elsewhere", "UPDATE old.elsewhere SET v = 'elsewhere' WHERE no = 4", "ALTER TABLE old.elsewhere RENAME TO items", touch}},
		{"rows written anew", false, []string{"ALTER TABLE old.items ALTER COLUMN v TYPE text USING upper(v)"}},
		{"names that change places for a while", false, []string{
			"ALTER TABLE old.items RENAME v TO x; ALTER TABLE old.items RENAME w TO v; ALTER TABLE old.items RENAME x TO w", touch,
			"ALTER TABLE old.items RENAME v TO x; ALTER TABLE old.items RENAME w TO v; ALTER TABLE old.items RENAME x TO w",
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
			old := openSilo(t)
			old.do(t, itemsTable)
			from, _ := sources(t)
			d := r.apply(t, itemsFrom(old.gate.Address))
			stop := r.carryOver(t, from)
			within(t, 20*time.Second, "all is read", func() bool { return r.counted(t, d) == 40 })
			old.do(t, "UPDATE old.items SET v = 'first' WHERE no = 1")
			within(t, 10*time.Second, "a change", func() bool { return r.asThere(t, old, d) })
			if !c.listening {
				stop()
			}
			for _, statement := range c.do {
				old.do(t, statement)
			}
			if !c.listening {
				r.carryOver(t, from)
			}
			within(t, 20*time.Second, c.what, func() bool { return r.asThere(t, old, d) })
		})
	}
}

// A table that isn't published for a while changes without a word.
func TestATableThatWasntPublishedForAWhileIsReadWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old := openSilo(t)
		old.do(t, itemsTable)
		from, _ := sources(t)
		d := r.apply(t, itemsFrom(old.gate.Address))
		r.carryOver(t, from)
		within(t, 20*time.Second, "all is read", func() bool { return r.counted(t, d) == 40 })
		old.do(t, "UPDATE old.items SET v = 'first' WHERE no = 1")
		within(t, 10*time.Second, "a change", func() bool { return r.asThere(t, old, d) })
		for _, statement := range []string{"ALTER PUBLICATION city DROP TABLE old.items", "INSERT INTO old.items VALUES (41, 'unheard')", "DELETE FROM old.items WHERE no = 5", "ALTER PUBLICATION city ADD TABLE old.items", "UPDATE old.items SET v = 'heard' WHERE no = 2"} {
			old.do(t, statement)
		}
		within(t, 40*time.Second, "what wasn't published", func() bool { return r.asThere(t, old, d) })
	})
}

// A partition that was out of its table for a while as well.
func TestAPartitionThatWasOutForAWhileIsReadWhole(t *testing.T) {
	r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
	old := openSilo(t)
	old.do(t, `CREATE SCHEMA old; CREATE TABLE old.items (no int PRIMARY KEY, v text, w text) PARTITION BY RANGE (no); CREATE TABLE old.p PARTITION OF old.items FOR VALUES FROM (0) TO (30); CREATE TABLE old.q PARTITION OF old.items DEFAULT;
		INSERT INTO old.items SELECT n, 'v' || n, 'w' || n FROM generate_series(1, 40) n; CREATE PUBLICATION city FOR TABLE old.items WITH (publish_via_partition_root)`)
	from, _ := sources(t)
	d := r.apply(t, itemsFrom(old.gate.Address))
	stop := r.carryOver(t, from)
	within(t, 20*time.Second, "all is read", func() bool { return r.counted(t, d) == 40 })
	old.do(t, "UPDATE old.items SET v = 'first' WHERE no IN (1, 39)")
	within(t, 10*time.Second, "a change", func() bool { return r.asThere(t, old, d) })
	stop()
	for _, statement := range []string{"ALTER TABLE old.items DETACH PARTITION old.p", "UPDATE old.p SET v = 'unheard' WHERE no = 7", "ALTER TABLE old.items ATTACH PARTITION old.p FOR VALUES FROM (0) TO (30)"} {
		old.do(t, statement)
	}
	r.carryOver(t, from)
	within(t, 20*time.Second, "what wasn't published", func() bool { return r.asThere(t, old, d) })
}

// What a row is read as at first and what its changes bring is one text, whatever its type, also where the type is a domain.
func TestChangesAreWrittenAsRowsAre(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old := openSilo(t)
		old.do(t, `CREATE SCHEMA old; CREATE DOMAIN old.yn AS boolean; CREATE DOMAIN old.moment AS timestamptz; CREATE DOMAIN old.noted AS old.moment; CREATE DOMAIN old.code AS char(5);
			CREATE TABLE old.items (k old.code PRIMARY KEY, yes old.yn, at old.noted, whole timestamptz, addr inet, six inet, net cidr, span tstzrange, many timestamptz[], n numeric, f float8, b bytea, j jsonb, i interval);
			INSERT INTO old.items VALUES ('a', true, '2026-01-01 10:00:00.1239+09', '2026-01-01 10:00+09', '10.0.0.1', '::1', '10.0.0.0/8', '[2024-01-05 10:00+09,)', '{2024-01-05 10:00+09}', 1.10, 0.1, '\x00ff', '{"a": 1}', '1 day 2 hours'),
				('b', false, 'infinity', '-infinity', '10.0.0.1/24', 'fe80::/10', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
			CREATE PUBLICATION city FOR TABLE old.items`)
		from, _ := sources(t)
		d := r.apply(t, "kind: Dataset\nname: items\ntitle: 물품\nkey: [k]\nfields:\n  k: {type: string}\n  yes: {type: bool}\n  at: {type: datetime}\n  whole: {type: string}\n  addr: {type: string}\n  six: {type: string}\n  net: {type: string}\n  span: {type: string}\n  many: {type: string}\n  n: {type: string}\n  f: {type: double}\n  b: {type: string}\n  j: {type: string}\n  i: {type: string}\nsource:\n  database: "+old.gate.Address+"\n  table: old.items\n  publication: city\n")
		r.carryOver(t, from)
		within(t, 20*time.Second, "all is read", func() bool { return r.counted(t, d) == 2 })
		old.do(t, `UPDATE old.items SET yes = yes; INSERT INTO old.items SELECT 'c', yes, at, whole, addr, six, net, span, many, n, f, b, j, i FROM old.items WHERE k = 'a'`)
		within(t, 20*time.Second, "the changes", func() bool { return r.counted(t, d) == 3 })
		all, err := r.Imports(t.Context(), d, 1)
		if err != nil || all[0].Unchanged != 2 || all[0].Loaded != 1 || all[0].Rejected != 0 {
			t.Errorf("%+v %v", all[0], err)
		}
		rec, err := r.Get(t.Context(), d, "c")
		if err != nil || rec.Values[1] != true || rec.Values[2] != "2026-01-01T01:00:00.123Z" || rec.Values[4] != "10.0.0.1/32" {
			t.Errorf("%v %v", rec, err)
		}
	})
}

// A row that is no record holds up nobody else's changes, however long it is there.
func TestARowWithBlanksAroundItsKeyHoldsUpNoOther(t *testing.T) {
	r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
	old := openSilo(t)
	old.do(t, `CREATE SCHEMA old; CREATE TABLE old.items (k text PRIMARY KEY, v int); INSERT INTO old.items SELECT 'k' || n, n FROM generate_series(1, 9) n; CREATE PUBLICATION city FOR TABLE old.items`)
	from, _ := sources(t)
	d := r.apply(t, "kind: Dataset\nname: items\ntitle: 물품\nkey: [k]\nfields:\n  k: {type: string}\n  v: {type: int}\nsource:\n  database: "+old.gate.Address+"\n  table: old.items\n  publication: city\n")
	stop := r.carryOver(t, from)
	within(t, 20*time.Second, "all is read", func() bool { return r.counted(t, d) == 9 })
	old.do(t, `INSERT INTO old.items VALUES ('k5 ', 776), ('k5　', 777), ('', 778), (U&'\00a0', 779)`)
	refused := func() bool {
		all, err := r.Imports(t.Context(), d, 1)
		return err == nil && all[0].Rejected == 4
	}
	within(t, 20*time.Second, "they are refused", refused)
	stop()
	old.do(t, `UPDATE old.items SET v = 66 WHERE k = 'k6'; DELETE FROM old.items WHERE k = ''`)
	r.carryOver(t, from) // and looks again how the table is
	within(t, 20*time.Second, "another row's change", func() bool {
		rec, err := r.Get(t.Context(), d, "k6")
		return err == nil && rec.Values[1] == int64(66)
	})
	within(t, 5*time.Second, "all is well", func() bool {
		s, err := r.SourceState(t.Context(), d)
		return err == nil && s.Failed == 0
	})
	if rec, err := r.Get(t.Context(), d, "k5"); err != nil || rec.Values[1] != int64(5) || r.counted(t, d) != 9 {
		t.Errorf("%v %v", rec, err)
	}
}

// Without a key a record is all of a row: only what tells rows apart there must be one value here, and others may be written as they like.
func TestOfRowsWithoutAKeyOnlyWhatTellsThemApartIsStrict(t *testing.T) {
	r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
	old := openSilo(t)
	old.do(t, `CREATE SCHEMA old; CREATE TABLE old.items (no int PRIMARY KEY, name text, at timestamp); ALTER TABLE old.items REPLICA IDENTITY FULL; INSERT INTO old.items SELECT n, 'name ', '2026-01-01 10:00:00.0001' FROM generate_series(1, 9) n; CREATE PUBLICATION city FOR TABLE old.items`)
	from, _ := sources(t)
	d := r.apply(t, "kind: Dataset\nname: items\ntitle: 물품\nfields:\n  no: {type: int}\n  name: {type: string}\n  at: {type: datetime}\nsource:\n  database: "+old.gate.Address+"\n  table: old.items\n  publication: city\n")
	r.carryOver(t, from)
	within(t, 20*time.Second, "all is read", func() bool { return r.counted(t, d) == 9 })
	old.do(t, `INSERT INTO old.items VALUES (10, ' name', now()); DELETE FROM old.items WHERE no = 3; UPDATE old.items SET name = 'other ' WHERE no IN (4, 5)`)
	within(t, 20*time.Second, "the changes", func() bool {
		all, err := r.Imports(t.Context(), d, 1)
		return err == nil && all[0].Rows == 4 && all[0].Rejected == 0 && all[0].Deleted == 3 && r.counted(t, d) == 9
	})
}
