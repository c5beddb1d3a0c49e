package registry

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/source"
)

// silo is a database that isn't ours.
type silo struct {
	*sql.DB
	gate *dbtest.Gate
}

func openSilo(t *testing.T) *silo {
	t.Helper()
	address := dbtest.Postgres(t)
	d, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return &silo{d, dbtest.Through(t, address)}
}

func (s *silo) do(t testing.TB, query string, args ...any) {
	t.Helper()
	if _, err := s.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// sources is a reader of sources that reaches this machine, and the folder of the project trial's.
func sources(t *testing.T) (*source.Reader, string) {
	t.Helper()
	folder := t.TempDir()
	own := filepath.Join(folder, "trial")
	if err := os.Mkdir(own, 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return &source.Reader{Folder: root, Net: fetch.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}), Secret: source.Secrets(root)}, own
}

const siloTable = `
CREATE SCHEMA old;
CREATE TABLE old."Resident" (
  no bigint PRIMARY KEY, "성명" text NOT NULL, born date, paid numeric(12,2), member boolean, tags text[], secret_note text,
  moved timestamp, upd_dt timestamptz NOT NULL DEFAULT now()
);
INSERT INTO old."Resident" (no, "성명", born, paid, member, tags, moved, secret_note, upd_dt)
SELECT n, '주민 ' || n, date '1950-01-01' + n, n * 1.5, n % 2 = 0, ARRAY['a', n::text], timestamp '2026-11-01 09:30', 'not for others', timestamptz '2026-11-24 00:00+00' - n * interval '1 hour'
FROM generate_series(1, 1000) n`

func residentsFrom(address, more string) string {
	return `kind: Dataset
name: residents
title: 주민
key: [no]
fields:
  no:     {type: int}
  name:   {type: string, required: true}
  born:   {type: date}
  paid:   {type: double}
  member: {type: bool}
  tags:   {type: string}
  moved:  {type: datetime}
source:
  database: ` + address + `
  table: old.Resident
  map: {성명: name}
` + more
}

// read reads the source of the only dataset, and says what became of it.
func (r *room) read(t testing.TB, from *source.Reader) (*Import, bool) {
	t.Helper()
	d := r.catalog.Snapshot().Datasets()[0]
	i, again, err := r.ReadSource(t.Context(), from, r.catalog.Snapshot().Dataset, d.Project, d.Name)
	if err != nil {
		t.Fatal(err)
	}
	return i, again
}

func (r *room) counted(t testing.TB, d *catalog.Dataset) int64 {
	t.Helper()
	counts, err := r.Counts(t.Context(), []*catalog.Dataset{d})
	if err != nil {
		t.Fatal(err)
	}
	return counts[d.Path()]
}

func TestATableOfALegacyDatabaseIsFollowed(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old := openSilo(t)
		old.do(t, siloTable)
		from, _ := sources(t)
		d := r.apply(t, residentsFrom(old.gate.Address, "  since: upd_dt\n"))
		first, _ := r.read(t, from)
		if first.State != Done || first.Loaded != 1000 || first.Rejected != 0 || !first.Whole {
			t.Fatalf("the first read: %+v", first)
		}
		rec, err := r.Get(t.Context(), d, "3")
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(fmt.Sprintln(rec.Values...)); got != "3 주민 3 1950-01-04 4.5 false {a,3} 2026-11-01T00:30:00.000Z" {
			t.Errorf("a record is %s", got)
		}
		if i, _ := r.read(t, from); i != nil && i.Loaded+i.Changed != 0 {
			t.Errorf("with nothing new: %+v", i)
		}
		old.do(t, `UPDATE old."Resident" SET "성명" = '새 이름', upd_dt = '2026-11-24 00:01+00' WHERE no <= 7`)
		old.do(t, `INSERT INTO old."Resident" (no, "성명", upd_dt) VALUES (2000, '온 사람', '2026-11-24 00:02+00')`)
		old.do(t, `DELETE FROM old."Resident" WHERE no BETWEEN 951 AND 1000`) // its upd_dt tells nobody
		if i, _ := r.read(t, from); i.State != Done || i.Changed != 7 || i.Loaded != 1 || i.Whole || i.Rows > 8 {
			t.Errorf("what has come since: %+v", i)
		}
		if _, err := r.Create(t.Context(), By{Actor: "clerk", Via: "api"}, d, Values{"no": json.Number("9000"), "name": "창구에서"}); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(25 * time.Hour)
		if i, _ := r.read(t, from); i.State != Done || !i.Whole || i.Deleted != 50 || i.Unchanged != 951 {
			t.Errorf("all of it, a day later: %+v", i)
		}
		if n := r.counted(t, d); n != 952 { // and the clerk's
			t.Errorf("%d records", n)
		}
		if versions, err := r.History(t.Context(), d, "960"); err != nil || !versions[0].Deleted {
			t.Errorf("what is gone has no history: %v %v", versions, err)
		}
		old.do(t, `DELETE FROM old."Resident" WHERE no = 2000`) // so that what comes since is all there is
		old.do(t, `UPDATE old."Resident" SET upd_dt = '2026-11-25 00:00+00'`)
		if i, _ := r.read(t, from); i == nil || i.Unchanged+i.Changed != 950 {
			t.Errorf("most of it again: %+v", i)
		}
		r.clock.Advance(25 * time.Hour)
		if i, _ := r.read(t, from); i == nil || !i.Whole || i.Deleted != 1 {
			t.Errorf("the same rows, as all there is: %+v", i)
		}
		all, err := r.Imports(t.Context(), d, 10)
		if err != nil || len(all) > 6 {
			t.Errorf("%d imports: %v", len(all), err)
		}
	})
}

func TestASourceThatIsDownEmptyOrHalfChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old := openSilo(t)
		old.do(t, siloTable)
		from, _ := sources(t)
		d := r.apply(t, residentsFrom(old.gate.Address, ""))
		if i, _ := r.read(t, from); i.State != Done || i.Loaded != 1000 {
			t.Fatalf("%+v", i)
		}
		stays := func(what string, i *Import, state ImportState, reason string) {
			t.Helper()
			s, err := r.SourceState(t.Context(), d)
			if err != nil || i == nil || i.State != state || !strings.Contains(i.Reason.En, reason) || s.Failed == 0 || s.Reason != i.Reason || !s.Good.Before(r.clock.Now()) {
				t.Errorf("%s: %+v %+v %v", what, i, s, err)
			}
			if n := r.counted(t, d); n != 1000 {
				t.Errorf("%s: %d records are left", what, n)
			}
		}
		r.clock.Advance(time.Minute)
		old.gate.Shut()
		i, again := r.read(t, from)
		if stays("down", i, Failed, "can't be read"); !again {
			t.Error("it isn't tried again")
		}
		if i, again = r.read(t, from); i != nil || !again {
			t.Errorf("said twice: %+v %v", i, again)
		}
		old.gate.Open()
		if i, again = r.read(t, from); i != nil && (i.State != Done || i.Changed+i.Loaded+i.Deleted > 0) || again {
			t.Errorf("up again: %+v", i)
		}
		if s, err := r.SourceState(t.Context(), d); err != nil || s.Failed != 0 || !s.Good.Equal(r.clock.Now()) {
			t.Errorf("up again: %+v %v", s, err)
		}
		r.clock.Advance(time.Minute)
		old.do(t, `CREATE TABLE aside AS SELECT * FROM old."Resident"`)
		old.do(t, `DELETE FROM old."Resident"`)
		i, _ = r.read(t, from)
		stays("empty", i, Failed, "no rows at all")
		old.do(t, `INSERT INTO old."Resident" SELECT * FROM aside WHERE no % 2 = 0`)
		old.do(t, `UPDATE old."Resident" SET "성명" = '엉뚱한 이름'`)
		i, _ = r.read(t, from)
		stays("half", i, Held, "it lacks 500")
		if i, _ = r.read(t, from); i != nil {
			t.Errorf("the same half is another import: %+v", i)
		}
		old.do(t, `ALTER TABLE old."Resident" RENAME COLUMN "성명" TO name_ko`)
		i, _ = r.read(t, from)
		stays("another shape", i, Failed, "required field name")
		old.do(t, `ALTER TABLE old."Resident" RENAME COLUMN name_ko TO "성명"`)
		i, _ = r.read(t, from)
		stays("half again", i, Held, "it lacks 500")
		if err := r.Accept(t.Context(), i.ID); err != nil {
			t.Fatal(err)
		}
		if err := r.Run(t.Context(), i.ID, r.catalog.Snapshot().Dataset); err != nil {
			t.Fatal(err)
		}
		if i, err := r.Import(t.Context(), i.ID); err != nil || i.State != Done || i.Deleted != 500 || i.Changed != 500 {
			t.Errorf("accepted: %+v %v", i, err)
		}
		if n := r.counted(t, d); n != 500 {
			t.Errorf("accepted: %d records", n)
		}
		if s, err := r.SourceState(t.Context(), d); err != nil || s.Failed != 0 || !s.Good.Equal(r.clock.Now()) {
			t.Errorf("accepted: %+v %v", s, err)
		}
	})
}

func TestARowThatIsRejectedKeepsItsLastGoodState(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		write := func(text string) {
			if err := os.WriteFile(filepath.Join(folder, "parks.csv"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d := r.apply(t, "kind: Dataset\nname: parks\ntitle: 공원\nkey: [id]\nfields:\n  id: {type: int}\n  n: {type: int}\nsource: {file: parks.csv}\n")
		write("id,n\n1,1\n2,2\n3,3\n")
		r.read(t, from)
		write("id,n\n1,x\n2,20\n")
		if i, _ := r.read(t, from); i.Rejected != 1 || i.Changed != 1 || i.Deleted != 1 {
			t.Errorf("%+v", i)
		}
		if rec, err := r.Get(t.Context(), d, "1"); err != nil || rec.Values[1] != int64(1) {
			t.Errorf("%v %v", rec, err)
		}
		write("id,n\nx,1\n") // which of them is it?
		if i, _ := r.read(t, from); i.Rejected != 1 || i.Deleted != 0 || len(i.Notes) != 1 {
			t.Errorf("%+v", i)
		}
		if n := r.counted(t, d); n != 2 {
			t.Errorf("%d records", n)
		}
	})
}

// TestADatasetEqualsItsSourceHoweverOftenItIsCutOff lets somebody write to a legacy table all the time while the way to it is cut again and again.
func TestADatasetEqualsItsSourceHoweverOftenItIsCutOff(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old := openSilo(t)
		old.do(t, siloTable)
		from, _ := sources(t)
		d := r.apply(t, residentsFrom(old.gate.Address, "  since: upd_dt\n"))
		writing, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			for n := 0; writing.Err() == nil; n++ {
				switch rand.IntN(4) {
				case 0:
					old.do(t, `INSERT INTO old."Resident" (no, "성명", upd_dt) VALUES ($1, '온 사람', now()) ON CONFLICT DO NOTHING`, 5000+rand.IntN(100))
				case 1:
					old.do(t, `DELETE FROM old."Resident" WHERE no = $1`, 5000+rand.IntN(100))
				default:
					old.do(t, `UPDATE old."Resident" SET "성명" = $2, upd_dt = now() WHERE no = $1`, 1+rand.IntN(1000), fmt.Sprint("이름 ", n))
				}
			}
		}()
		for round := range 12 {
			cut := make(chan struct{})
			if round%3 == 1 {
				go func() {
					defer close(cut)
					old.gate.Shut()
					old.gate.Open()
				}()
			} else {
				close(cut)
			}
			r.read(t, from)
			<-cut
			r.clock.Advance(time.Minute)
		}
		stop()
		<-done
		r.clock.Advance(25 * time.Hour)
		if i, _ := r.read(t, from); i.State != Done || i.Rejected != 0 {
			t.Fatalf("at the end: %+v", i)
		}
		var want, got []string
		rows, err := old.QueryContext(t.Context(), `SELECT no || '|' || "성명" FROM old."Resident"`)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				t.Fatal(err)
			}
			want = append(want, s)
		}
		err = r.Stream(t.Context(), d, Query{Fields: []string{"no", "name"}}, func(rec *Record) error {
			got = append(got, fmt.Sprint(rec.Values[0], "|", rec.Values[1]))
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(want, got) {
			t.Errorf("%d rows, %d records", len(want), len(got))
		}
	})
}

func TestTheNewestFileOfAFolderCounts(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		from.Now = r.clock.Now
		if err := os.Mkdir(filepath.Join(folder, "register"), 0o700); err != nil {
			t.Fatal(err)
		}
		drop := func(name, text string) {
			at := filepath.Join(folder, "register", name)
			if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(at, r.clock.Now(), r.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}
		const document = "kind: Dataset\nname: parks\ntitle: 공원\nkey: [id]\nfields:\n  id: {type: int}\n  n: {type: int}\nsource: {folder: register}\n"
		d := r.apply(t, document)
		if i, again := r.read(t, from); i != nil || again {
			t.Errorf("an empty folder: %+v", i)
		}
		drop("monday-1.csv", "id,n\n1,1\n2,2\n3,3\n")
		if i, _ := r.read(t, from); i != nil {
			t.Errorf("a file that may be on its way: %+v", i)
		}
		r.clock.Advance(time.Minute)
		if i, _ := r.read(t, from); i == nil || i.Loaded != 3 || i.File != "monday-1.csv" {
			t.Errorf("the first Monday: %+v", i)
		}
		good := r.clock.Now()
		r.clock.Advance(7 * 24 * time.Hour)
		drop("~$monday-2.csv", "a lock")
		drop("monday-2.csv", "이름,개수\n가,1\n")
		r.clock.Advance(time.Minute)
		for range 2 {
			i, _ := r.read(t, from)
			s, err := r.SourceState(t.Context(), d)
			if err != nil || s.Failed != 1 || !s.Good.Equal(good) || !strings.Contains(s.Reason.En, "don't fit") || i != nil && i.State != Failed {
				t.Errorf("a bad Monday: %+v %+v %v", i, s, err)
			}
		}
		drop("monday-2-mended.csv", "id,n\n1,1\n2,20\n4,4\n")
		r.clock.Advance(time.Minute)
		if i, _ := r.read(t, from); i == nil || i.Loaded != 1 || i.Changed != 1 || i.Deleted != 1 || i.Unchanged != 1 {
			t.Errorf("mended: %+v", i)
		}
		if list, err := r.Troubled(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("still in trouble: %v %v", list, err)
		}
		r.apply(t, strings.Replace(document, "folder: register", "folder: register, append: true", 1))
		drop("a.csv", "id,n\n5,5\n")
		r.clock.Advance(time.Second)
		drop("b.csv", "id,n\n6,6\n")
		r.clock.Advance(time.Minute)
		var names []string
		for range 8 {
			if i, _ := r.read(t, from); i != nil {
				names = append(names, fmt.Sprint(i.File, " ", i.State))
			}
		}
		if got := strings.Join(names, ", "); got != "monday-1.csv done, monday-2.csv failed" {
			t.Errorf("files that add are read from the first one on, and a bad one holds the others up: %s", got)
		}
		if err := os.Remove(filepath.Join(folder, "register", "monday-2.csv")); err != nil {
			t.Fatal(err)
		}
		names = nil
		for range 8 {
			if i, _ := r.read(t, from); i != nil {
				names = append(names, i.File)
			}
		}
		if got := strings.Join(names, ", "); got != "monday-2-mended.csv, a.csv, b.csv" || r.counted(t, d) != 6 {
			t.Errorf("files that add: %s, %d records", got, r.counted(t, d))
		}
	})
}

func TestWhatIsGoneIsFoundInAFileOfMoreKeysThanAreHeld(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		d := r.apply(t, "kind: Dataset\nname: parks\ntitle: 공원\nkey: [id]\nfields:\n  id: {type: int}\nsource: {file: parks.csv}\n")
		write := func(from, to int) {
			var b strings.Builder
			b.WriteString("id\n")
			for i := from; i < to; i++ {
				fmt.Fprintln(&b, i)
			}
			if err := os.WriteFile(filepath.Join(folder, "parks.csv"), []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r.keysAtOnce = 100
		write(0, 3000)
		r.read(t, from)
		write(200, 3100)
		if i, _ := r.read(t, from); i.Deleted != 200 || i.Loaded != 100 || i.Unchanged != 2800 {
			t.Errorf("%+v", i)
		}
		if n := r.counted(t, d); n != 2900 {
			t.Errorf("%d records", n)
		}
	})
}

// What was held waits no longer when the source is as it was: nobody can take it by mistake then.
func TestWhatIsHeldGoesWhenTheSourceIsRightAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		from.Now = r.clock.Now
		all, few := "id,n\n", "id,n\n"
		for i := range 100 {
			all += fmt.Sprintf("%[1]d,%[1]d\n", i)
			if i < 10 {
				few = all
			}
		}
		write := func(name, text string) {
			at := filepath.Join(folder, name)
			if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(at, r.clock.Now(), r.clock.Now()); err != nil {
				t.Fatal(err)
			}
			r.clock.Advance(time.Minute)
		}
		for _, c := range []struct {
			source string
			begin  func(text string)
			mend   func()
		}{
			{"file: parks.csv", func(text string) { write("parks.csv", text) }, func() { write("parks.csv", all) }},
			{"folder: register", func(text string) {
				write("register/"+map[bool]string{true: "a.csv", false: "b.csv"}[text == all], text)
			}, func() { _ = os.Remove(filepath.Join(folder, "register", "b.csv")) }},
		} {
			d := r.apply(t, "kind: Dataset\nname: parks\ntitle: 공원\nkey: [id]\nfields:\n  id: {type: int}\n  n: {type: int}\nsource: {"+c.source+"}\n")
			c.begin(all)
			r.read(t, from)
			c.begin(few)
			held, _ := r.read(t, from)
			if held == nil || held.State != Held {
				t.Fatalf("%s: %+v", c.source, held)
			}
			c.mend()
			if i, _ := r.read(t, from); i != nil {
				t.Errorf("%s: right again: %+v", c.source, i)
			}
			if s, err := r.SourceState(t.Context(), d); err != nil || s.Failed != 0 || !s.Reason.Empty() {
				t.Errorf("%s: right again: %+v %v", c.source, s, err)
			}
			if err := r.Accept(t.Context(), held.ID); problem.Code(err) != "import.state" {
				t.Errorf("%s: what the source hasn't any more is taken: %v", c.source, err)
			}
			if n := r.counted(t, d); n != 100 {
				t.Errorf("%s: %d records", c.source, n)
			}
			c.begin(few) // again, and now somebody means it
			if held, _ = r.read(t, from); held == nil || held.State != Held {
				t.Fatalf("%s: %+v", c.source, held)
			}
			if err := r.Accept(t.Context(), held.ID); err != nil {
				t.Fatal(err)
			}
			if err := r.Run(t.Context(), held.ID, r.catalog.Snapshot().Dataset); err != nil {
				t.Fatal(err)
			}
			c.begin(all) // and what there was before is new then
			if i, _ := r.read(t, from); i == nil || i.State != Done || i.Loaded != 90 {
				t.Errorf("%s: all of it again: %+v", c.source, i)
			}
		}
	})
}
