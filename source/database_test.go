package source

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// silo is somebody's database with a table, and how a source reads it.
type silo struct {
	*sql.DB
	reader *Reader
	source manifest.Source
}

const password = "pass'word \"한글"

func reader(t *testing.T) (*Reader, string) {
	t.Helper()
	folder := t.TempDir()
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return &Reader{Folder: root, Net: fetch.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}), Secret: Secrets(root)}, folder
}

func secret(t *testing.T, folder, value string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(folder, "trial"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "trial", "old"), []byte(value+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *silo) do(t testing.TB, statements ...string) {
	t.Helper()
	for _, q := range statements {
		if _, err := s.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// onEach runs a test on each database that can be a source.
func onEach(t *testing.T, test func(t *testing.T, s *silo, folder string)) {
	t.Run("sqlite", func(t *testing.T) {
		r, folder := reader(t)
		secret(t, folder, password)
		d, err := sql.Open("sqlite", filepath.Join(folder, "trial", "old.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		s := &silo{d, r, manifest.Source{Database: "sqlite://old.db", Table: "items"}}
		s.do(t, `CREATE TABLE items ("no" INTEGER PRIMARY KEY, "이름" TEXT, "select" TEXT, n NUMERIC, ok BOOLEAN, born DATE, at DATETIME, secret TEXT)`,
			`INSERT INTO items VALUES (1, '가', 'a', 1.50, 1, '2026-11-01', '2026-11-01 09:30:00', 'x'), (2, NULL, 'b,"c"
d', NULL, 0, NULL, '2026-11-02 00:00:00', 'x')`)
		test(t, s, folder)
	})
	t.Run("postgres", func(t *testing.T) {
		r, folder := reader(t)
		address := dbtest.Postgres(t)
		d, err := sql.Open("pgx", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { d.Close() })
		s := &silo{d, r, manifest.Source{Database: dbtest.Through(t, address).Address, Table: "public.items", Secret: "old"}}
		secret(t, folder, password)
		s.do(t, `CREATE TABLE items ("no" int PRIMARY KEY, "이름" text, "select" text, n numeric(9,2), ok boolean, born date, at timestamp, secret text)`,
			`INSERT INTO items VALUES (1, '가', 'a', 1.50, true, '2026-11-01', '2026-11-01 09:30:00', 'x'), (2, NULL, E'b,"c"\nd', NULL, false, NULL, '2026-11-02 00:00:00', 'x')`,
			`COMMENT ON TABLE items IS '물품'`, `COMMENT ON COLUMN items.n IS '수량'`)
		test(t, s, folder)
	})
	t.Run("mariadb", func(t *testing.T) {
		r, folder := reader(t)
		address, d := dbtest.MariaDB(t)
		s := &silo{d, r, manifest.Source{Database: "mysql://maru@" + address + "/old", Table: "items", Secret: "old"}}
		secret(t, folder, password)
		d.SetMaxOpenConns(1)
		s.do(t, "DROP DATABASE IF EXISTS old", "CREATE DATABASE old", "USE old", "CREATE OR REPLACE USER maru IDENTIFIED BY '"+strings.ReplaceAll(password, "'", "''")+"'", "GRANT SELECT ON old.* TO maru",
			"CREATE TABLE items (`no` int PRIMARY KEY, `이름` varchar(10), `select` text, n decimal(9,2) COMMENT '수량', ok boolean, born date, at datetime, secret text) DEFAULT CHARSET euckr COMMENT '물품'",
			"INSERT INTO items VALUES (1, '가', 'a', 1.50, true, '2026-11-01', '2026-11-01 09:30:00', 'x'), (2, NULL, 'b,\"c\"\nd', NULL, false, NULL, '2026-11-02 00:00:00', 'x')")
		test(t, s, folder)
	})
}

func (s *silo) copy(t testing.TB, since string, wanted ...string) (string, Copied, error) {
	t.Helper()
	var b bytes.Buffer
	q := Request{Project: "trial", Source: &s.source, Since: since}
	if wanted != nil {
		q.Wanted = func([]string) []string { return wanted }
	}
	c, err := s.reader.Copy(t.Context(), q, &b)
	return b.String(), c, err
}

func TestATableIsReadAsTextThatAnImportReads(t *testing.T) {
	onEach(t, func(t *testing.T, s *silo, _ string) {
		got, c, err := s.copy(t, "", "no", "이름", "select", "n", "ok", "born", "at")
		if err != nil || c.Rows != 2 || c.File != "source.csv" {
			t.Fatal(c, err)
		}
		for _, same := range [][2]string{{"1.50", "1.5"}, {",true,", ",1,"}, {",false,", ",0,"}, {"2026-11-01T00:30:00.000Z", "2026-11-01 09:30:00"}, {"2026-11-01T15:00:00.000Z", "2026-11-02 00:00:00"}} {
			got = strings.ReplaceAll(got, same[0], same[1]) // each in its own way; an import reads the same
		}
		if want := "no,이름,select,n,ok,born,at\n1,가,a,1.5,1,2026-11-01,2026-11-01 09:30:00\n2,,\"b,\"\"c\"\"\nd\",,0,,2026-11-02 00:00:00\n"; got != want {
			t.Errorf("got\n%s", got)
		}
	})
}

func TestWhatHasComeSinceIsRead(t *testing.T) {
	onEach(t, func(t *testing.T, s *silo, _ string) {
		for _, by := range []string{"at", "no"} {
			s.source.Since = by
			_, first, err := s.copy(t, "")
			if err != nil || first.Rows != 2 || first.Next == "" {
				t.Fatal(first, err)
			}
			s.do(t, `INSERT INTO items (no, at) VALUES (5000, '2026-11-03 00:00:00')`)
			got, c, err := s.copy(t, first.Next, "no")
			if err != nil {
				t.Fatal(err)
			}
			if by == "at" && got != "no\n2\n5000\n" || by == "no" && c.Rows != 3 || c.Next == first.Next {
				t.Errorf("since %s: %s %+v", first.Next, got, c)
			}
			if got, c, err = s.copy(t, c.Next, "no"); err != nil || got != "no\n5000\n" {
				t.Errorf("since %s: %s %v", c.Next, got, err)
			}
			s.do(t, `DELETE FROM items WHERE no = 5000`)
		}
	})
}

func TestATimeFarAheadDoesntMoveThePosition(t *testing.T) {
	onEach(t, func(t *testing.T, s *silo, _ string) {
		if strings.HasPrefix(s.source.Database, "sqlite") {
			return // its times are text, which nobody can tell from another
		}
		s.source.Since = "at"
		s.do(t, `INSERT INTO items (no, at) VALUES (7000, '2099-01-01 00:00:00')`)
		_, first, err := s.copy(t, "")
		if err != nil {
			t.Fatal(err)
		}
		s.do(t, `INSERT INTO items (no, at) VALUES (7001, '2026-11-02 00:00:01')`)
		if got, _, err := s.copy(t, first.Next, "no"); err != nil || !strings.Contains(got, "7001") {
			t.Errorf("what came since %s: %s %v", first.Next, got, err)
		}
	})
}

func TestADatabaseSaysWhatATableIs(t *testing.T) {
	onEach(t, func(t *testing.T, s *silo, _ string) {
		d, err := s.reader.Describe(t.Context(), "trial", &s.source)
		if err != nil || !slices.Equal(d.Key, []string{"no"}) {
			t.Fatal(d, err)
		}
		if !strings.HasPrefix(s.source.Database, "sqlite") && (d.Title != "물품" || fmt.Sprint(d.Titles) != "map[n:수량]") {
			t.Errorf("%+v", d)
		}
	})
}

func TestWhatIsWrongWithADatabaseIsSaid(t *testing.T) {
	onEach(t, func(t *testing.T, s *silo, folder string) {
		for _, c := range []struct {
			change func(*manifest.Source)
			code   string
		}{
			{func(m *manifest.Source) { m.Table = "nothing" }, "source.table"},
			{func(m *manifest.Source) { m.Table = `items" WHERE 1=0 --` }, "source.table"},
			{func(m *manifest.Source) { m.Since = "nothing" }, "source.since"},
			{func(m *manifest.Source) { m.Secret = "other" }, "source.secret"},
			{func(m *manifest.Source) { m.Database = "sqlite://../old.db" }, "source.file"},
			{func(m *manifest.Source) { m.Database = "postgres://maru@127.0.0.1:1/x" }, "source.database"},
			{func(m *manifest.Source) { m.Database = "mysql://maru@127.0.0.1:1/x" }, "source.database"},
		} {
			before := s.source
			c.change(&s.source)
			if _, _, err := s.copy(t, ""); problem.Code(err) != c.code {
				t.Errorf("%+v: %v", s.source, err)
			}
			s.source = before
		}
		if strings.HasPrefix(s.source.Database, "sqlite") {
			s.source.Table = "item"
			if _, _, err := s.copy(t, ""); err == nil || !strings.Contains(problem.As(err).Hint.En, "did you mean items?") {
				t.Errorf("the nearest table: %v", err)
			}
			s.source.Table = "items"
		}
		if strings.HasPrefix(s.source.Database, "mysql") {
			secret(t, folder, "wrong-password")
			_, _, err := s.copy(t, "")
			if problem.Code(err) != "source.database" || strings.Contains(problem.As(err).In("en"), "wrong-password") || !strings.Contains(problem.As(err).In("en"), "doesn't let us in") {
				t.Errorf("a wrong password: %v", err)
			}
		}
		s.reader.Net = fetch.New(nil)
		if u, _ := url.Parse(s.source.Database); u.Scheme != "sqlite" {
			if _, _, err := s.copy(t, ""); problem.Code(err) != "fetch.private" {
				t.Errorf("an inside address: %v", err)
			}
		}
	})
}

func TestALinkOutOfTheFolderIsNoSource(t *testing.T) {
	r, folder := reader(t)
	outside := filepath.Join(t.TempDir(), "outside.db")
	if err := os.WriteFile(outside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, "in.db")); err != nil {
		t.Fatal(err)
	}
	_, err := r.Copy(t.Context(), Request{Source: &manifest.Source{Database: "sqlite://in.db", Table: "x"}}, &bytes.Buffer{})
	if problem.Code(err) != "source.file" {
		t.Error(err)
	}
}

// TestAProjectReadsNoOthersFiles asks for a file of another project by its name, by a way up and by a link.
func TestAProjectReadsNoOthersFiles(t *testing.T) {
	r, folder := reader(t)
	for _, name := range []string{"trial", "other"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "other", "people.csv"), []byte("no\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join("..", "other", "people.csv"), filepath.Join(folder, "trial", "link.csv")); err != nil {
		t.Fatal(err)
	}
	for _, from := range []manifest.Source{
		{File: "people.csv"},
		{File: "other/people.csv"},
		{File: "../other/people.csv"},
		{File: "link.csv"},
		{Folder: "other"},
		{Folder: "../other"},
		{Database: "sqlite://link.csv", Table: "x"},
		{Database: "sqlite://other/people.csv", Table: "x"},
	} {
		var got bytes.Buffer
		if _, err := r.Copy(t.Context(), Request{Project: "trial", Source: &from}, &got); problem.Code(err) != "source.file" || got.Len() > 0 {
			t.Errorf("%+v: %q, %v", from, got.String(), err)
		}
	}
	for project, want := range map[string]string{"other": "", "third": "source.file"} {
		if _, err := r.Copy(t.Context(), Request{Project: project, Source: &manifest.Source{File: "people.csv"}}, &bytes.Buffer{}); problem.Code(err) != want {
			t.Errorf("%s: %v", project, err)
		}
	}
}

// SQLite opens a file by its path: where others may put another in its place, it isn't read.
func TestADatabaseInAFolderOfOthersIsntRead(t *testing.T) {
	r, folder := reader(t)
	for _, name := range []string{"trial/own", "trial/shared/in"} {
		at := filepath.Join(folder, name)
		if err := os.MkdirAll(at, 0o700); err != nil {
			t.Fatal(err)
		}
		d, err := sql.Open("sqlite", filepath.Join(at, "x.db"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.ExecContext(t.Context(), "CREATE TABLE x (n int)"); err != nil {
			t.Fatal(err)
		}
		d.Close()
	}
	if err := os.Chmod(filepath.Join(folder, "trial/shared"), 0o770); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"own/x.db": "", "shared/in/x.db": "source.file"} {
		if _, err := r.Copy(t.Context(), Request{Project: "trial", Source: &manifest.Source{Database: "sqlite://" + name, Table: "x"}}, &bytes.Buffer{}); problem.Code(err) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAReadThatIsGivenUpEnds(t *testing.T) {
	onEach(t, func(t *testing.T, s *silo, _ string) {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		if _, err := s.reader.Copy(ctx, Request{Project: "trial", Source: &s.source}, &bytes.Buffer{}); err == nil || problem.As(err) != nil {
			t.Errorf("%v", err)
		}
	})
}

func TestWhatAPublicationLacksIsSaid(t *testing.T) {
	r, folder := reader(t)
	secret(t, folder, password)
	address := dbtest.Postgres(t)
	d, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	s := &silo{DB: d}
	s.do(t, `CREATE TABLE items (no int PRIMARY KEY, n int, twice int GENERATED ALWAYS AS (n * 2) STORED)`)
	q := Request{Project: "trial", Source: &manifest.Source{Database: dbtest.Through(t, address).Address, Table: "items", Publication: "city", Secret: "old"}, Wanted: func([]string) []string { return []string{"no", "n"} }}
	for _, c := range []struct{ do, says string }{
		{`CREATE PUBLICATION other FOR TABLE items`, "doesn't have the table"},
		{`CREATE PUBLICATION city FOR TABLE items WHERE (n > 3)`, "doesn't have all changes"},
		{`ALTER PUBLICATION city SET TABLE items (no, n)`, "doesn't have all changes"},
		{`ALTER PUBLICATION city SET TABLE items; ALTER PUBLICATION city SET (publish = 'insert')`, "doesn't have all changes"},
		{`ALTER PUBLICATION city SET (publish = 'insert, update, delete, truncate')`, ""},
	} {
		s.do(t, c.do)
		slot, err := r.OpenSlot(t.Context(), q, "trial")
		if c.says == "" {
			if err != nil {
				t.Fatal(err)
			}
			slot.Close()
			if err := r.DropSlot(t.Context(), "trial", q.Source, "trial"); err != nil {
				t.Error(err)
			}
			if err := r.DropSlot(t.Context(), "trial", q.Source, "trial"); err != nil {
				t.Errorf("one that is gone: %v", err)
			}
			continue
		}
		if problem.Code(err) != "source.replication" || !strings.Contains(problem.As(err).In("en"), c.says) {
			t.Errorf("%s: %v", c.do, err)
		}
	}
	q.Wanted = func(all []string) []string { return all }
	if _, err := r.OpenSlot(t.Context(), q, "trial"); problem.Code(err) != "source.replication" || !strings.Contains(problem.As(err).In("en"), "twice") {
		t.Errorf("a column that is computed: %v", err)
	}
}
