package registry

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/source"
)

func published(address string) string { return residentsFrom(address, "  publication: city\n") }

// carryOver runs replication until the test, or what it returns, ends it.
func (r *room) carryOver(t testing.TB, from *source.Reader) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.NewReplicas(from, r.catalog.Snapshot, "here").Run(ctx)
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

// within waits until something holds.
func within(t testing.TB, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", limit, what)
		}
	}
}

// same compares a dataset with the table it comes from, row for row.
func (r *room) same(t testing.TB, old *silo, d *catalog.Dataset) string {
	t.Helper()
	rows, err := old.QueryContext(t.Context(), `SELECT no, "성명", born::text, paid::text, member, tags::text, to_char(moved - interval '9 hours', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') FROM old."Resident" ORDER BY no`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	want := map[string]string{}
	for rows.Next() {
		var no int64
		var name string
		var born, tags, moved sql.NullString
		var paid sql.NullFloat64
		var member sql.NullBool
		if err := rows.Scan(&no, &name, &born, &paid, &member, &tags, &moved); err != nil {
			t.Fatal(err)
		}
		text := func(valid bool, v any) string {
			if !valid {
				return "<nil>"
			}
			return fmt.Sprint(v)
		}
		want[fmt.Sprint(no)] = fmt.Sprint(no, "|", name, "|", text(born.Valid, born.String), "|", text(paid.Valid, paid.Float64), "|", text(member.Valid, member.Bool), "|", text(tags.Valid, tags.String), "|", text(moved.Valid, moved.String))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	n := 0
	wrong := ""
	err = r.Stream(t.Context(), d, Query{}, func(rec *Record) error {
		n++
		v := rec.Values
		if got := fmt.Sprint(v[0], "|", v[1], "|", v[2], "|", v[3], "|", v[4], "|", v[5], "|", v[6]); got != want[rec.Key] {
			wrong = fmt.Sprintf("record %s is %s, there %s", rec.Key, got, want[rec.Key])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n != len(want) && wrong == "" {
		wrong = fmt.Sprintf("%d records, %d rows", n, len(want))
	}
	return wrong
}

func TestChangesAreCarriedOverAsTheyAreMade(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, from, d, stop := r.carried(t, "")
		old.do(t, `ALTER TABLE old."Resident" ALTER COLUMN tags SET STORAGE EXTERNAL`)
		long := strings.Repeat("긴값", 3000)
		old.do(t, `UPDATE old."Resident" SET tags = ARRAY[$1::text] WHERE no = 5`, long)
		old.do(t, `UPDATE old."Resident" SET member = false, moved = '2026-11-27 23:59:59.5' WHERE no = 5`) // the long value isn't sent again
		old.do(t, `UPDATE old."Resident" SET no = 5005 WHERE no = 5`)
		old.do(t, `DELETE FROM old."Resident" WHERE no IN (7, 8)`)
		old.do(t, `INSERT INTO old."Resident" (no, "성명") VALUES (8, '다시'), (3000, '온 사람')`)
		within(t, 10*time.Second, "the changes", func() bool { return r.same(t, old, d) == "" })
		if rec, err := r.Get(t.Context(), d, "5005"); err != nil || rec.Values[5] != "{"+long+"}" {
			t.Errorf("the long value: %v", err)
		}
		stop()
		old.do(t, `UPDATE old."Resident" SET "성명" = '그 사이' WHERE no BETWEEN 100 AND 200`) // nobody listens
		old.do(t, `DELETE FROM old."Resident" WHERE no = 201`)
		r.carryOver(t, from)
		within(t, 10*time.Second, "what changed meanwhile", func() bool { return r.same(t, old, d) == "" })
		all, err := r.Imports(t.Context(), d, 10)
		if err != nil || len(all) != 2 || all[0].File != "replication" || all[0].Deleted < 3 || all[0].Deleted > 4 || all[0].Rejected != 0 {
			t.Errorf("imports: %+v %v", all, err)
		}
	})
}

func TestAWriterThatNeverStopsIsFollowedThroughCuts(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old := openSilo(t)
		old.do(t, siloTable)
		old.do(t, `CREATE PUBLICATION city FOR TABLE old."Resident"`)
		from, _ := sources(t)
		d := r.apply(t, published(old.gate.Address))
		ctx, cancel := context.WithCancel(t.Context())
		wrote := make(chan error, 1)
		go func() {
			random := rand.New(rand.NewPCG(1, 2))
			for n := 0; ctx.Err() == nil; n++ {
				tx, err := old.BeginTx(context.Background(), nil)
				if err != nil {
					wrote <- err
					return
				}
				for range 1 + random.IntN(20) {
					no := 1 + random.IntN(1500)
					switch random.IntN(200) {
					case 0:
						_, err = tx.Exec(`DELETE FROM old."Resident" WHERE no = $1`, no)
					default:
						_, err = tx.Exec(`INSERT INTO old."Resident" (no, "성명", paid) VALUES ($1, $2, $3) ON CONFLICT (no) DO UPDATE SET "성명" = excluded."성명", paid = excluded.paid`, no, fmt.Sprint("주민 ", n), float64(n)/4)
					}
					if err != nil {
						wrote <- err
						return
					}
				}
				if random.IntN(10) == 0 {
					err = tx.Rollback()
				} else {
					err = tx.Commit()
				}
				if err != nil {
					wrote <- err
					return
				}
			}
			wrote <- nil
		}()
		for range 2 {
			stop := r.carryOver(t, from)
			time.Sleep(time.Second)
			old.gate.Shut()
			time.Sleep(200 * time.Millisecond)
			old.gate.Open()
			time.Sleep(time.Second)
			stop()
		}
		cancel()
		if err := <-wrote; err != nil {
			t.Fatal(err)
		}
		r.carryOver(t, from)
		wrong := ""
		t.Cleanup(func() {
			if t.Failed() {
				state, err := r.SourceState(context.WithoutCancel(t.Context()), d)
				t.Logf("%s; the source: %+v %v", wrong, state, err)
			}
		})
		within(t, 30*time.Second, "equal, row for row", func() bool { wrong = r.same(t, old, d); return wrong == "" })
	})
}

func TestWhatIsDeletedThereByAccidentStaysHere(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, _, d, _ := r.carried(t, "")
		old.do(t, `DELETE FROM old."Resident" WHERE no > 400`)
		var held *Import
		within(t, 20*time.Second, "it is held", func() bool {
			all, err := r.Imports(t.Context(), d, 10)
			if err != nil {
				t.Fatal(err)
			}
			held = all[0]
			return held.State == Held
		})
		if n := r.counted(t, d); n != 1000 {
			t.Errorf("%d records", n)
		}
		within(t, 5*time.Second, "no slot is kept there meanwhile", func() bool {
			var n int
			if err := old.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n == 0
		})
		old.do(t, `TRUNCATE old."Resident"`)
		if s, err := r.SourceState(t.Context(), d); err != nil || s.Failed == 0 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

// A program that deletes rows and writes them again, one by one, loses nothing; one that puts others in their place does.
func TestWhatComesBackThereIsntGone(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, _, d, _ := r.carried(t, "")
		for from := 1; from < 300; from += 90 {
			old.do(t, `DELETE FROM old."Resident" WHERE no >= $1 AND no < $1 + 90`, from)
			within(t, 10*time.Second, "they are gone", func() bool { return r.counted(t, d) == 910 })
			old.do(t, `INSERT INTO old."Resident" (no, "성명") SELECT n, '다시 ' || n FROM generate_series($1::int, $1 + 89) n`, from)
			within(t, 10*time.Second, "they are back", func() bool { return r.same(t, old, d) == "" })
		}
		for from := 1; from <= 101; from += 50 {
			old.do(t, `UPDATE old."Resident" SET no = no + 5000 WHERE no >= $1 AND no < $1 + 50`, from)
		}
		within(t, 20*time.Second, "it is told", func() bool {
			s, err := r.SourceState(t.Context(), d)
			return err == nil && s.Code == "source.gone"
		})
	})
}

// A long value that comes with a row that is refused isn't sent again with the next change: then it isn't known, and the record doesn't keep the one before for it.
func TestALongValueOfARefusedRowIsntTakenForTheOneBefore(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, _, d, _ := r.carried(t, "")
		old.do(t, `ALTER TABLE old."Resident" ALTER COLUMN tags SET STORAGE EXTERNAL, ALTER COLUMN "성명" DROP NOT NULL`)
		first, second := strings.Repeat("가", 6000), strings.Repeat("나", 6000)
		old.do(t, `UPDATE old."Resident" SET tags = ARRAY[$1::text] WHERE no = 5`, first)
		old.do(t, `UPDATE old."Resident" SET tags = ARRAY[$1::text], "성명" = NULL WHERE no = 5`, second) // the name is required
		old.do(t, `UPDATE old."Resident" SET "성명" = '고침' WHERE no = 5`)
		refused := func(n int64) {
			t.Helper()
			within(t, 10*time.Second, "it is refused", func() bool {
				all, err := r.Imports(t.Context(), d, 10)
				return err == nil && all[0].Rejected == n
			})
		}
		refused(2)
		old.do(t, `UPDATE old."Resident" SET "성명" = '또 고침' WHERE no = 5`) // in another batch
		refused(3)
		if rec, err := r.Get(t.Context(), d, "5"); err != nil || rec.Values[1] == "고침" || rec.Values[1] == "또 고침" {
			t.Errorf("%v %v", rec.Values[1], err)
		}
		old.do(t, `UPDATE old."Resident" SET tags = ARRAY['짧은 값'] WHERE no = 5`) // now all of it is known
		within(t, 10*time.Second, "then it goes on", func() bool { return r.same(t, old, d) == "" })
		old.do(t, `UPDATE old."Resident" SET "성명" = '끝' WHERE no = 5`)
		within(t, 10*time.Second, "and on", func() bool { return r.same(t, old, d) == "" })
	})
}

// Tables whose changes don't all come, or don't say which record is gone, are refused before anything is read.
func TestTablesThatCantBeCarriedOverAreRefused(t *testing.T) {
	for what, c := range map[string]struct{ table, more string }{
		"doesn't have all changes": {siloTable + `; CREATE TABLE old.y2026 (PRIMARY KEY (no)) INHERITS (old."Resident"); CREATE PUBLICATION city FOR TABLE old."Resident"`, ""},
		"may be one record":        {siloTable + `; ALTER TABLE old."Resident" DROP CONSTRAINT "Resident_pkey"; ALTER TABLE old."Resident" REPLICA IDENTITY FULL; ALTER TABLE old."Resident" ADD CONSTRAINT later UNIQUE (no) DEFERRABLE INITIALLY DEFERRED; CREATE PUBLICATION city FOR TABLE old."Resident"`, ""},
		"a key that is computed":   {siloTable + `; ALTER TABLE old."Resident" REPLICA IDENTITY FULL; CREATE PUBLICATION city FOR TABLE old."Resident"`, "  set: {no: \"int(row['no']) + 1\"}\n"},
		"several rows":             {siloTable + `; ALTER TABLE old."Resident" DROP CONSTRAINT "Resident_pkey"; ALTER TABLE old."Resident" REPLICA IDENTITY FULL; CREATE PUBLICATION city FOR TABLE old."Resident"`, ""},
	} {
		r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
		old := openSilo(t)
		old.do(t, c.table)
		from, _ := sources(t)
		d := r.apply(t, residentsFrom(old.gate.Address, "  publication: city\n"+c.more))
		r.carryOver(t, from)
		within(t, 20*time.Second, what, func() bool {
			s, err := r.SourceState(t.Context(), d)
			return err == nil && s.Code == "source.replication" && strings.Contains(s.Reason.En, what)
		})
		if n := r.counted(t, d); n != 0 {
			t.Errorf("%s: %d records", what, n)
		}
	}
}

// Days, moments, truth values and numbers that are text in the table can be written in two ways: two rows would be one record, so its changes aren't carried over at all.
func TestAKeyThatIsTextAndMeansAnotherThingIsRefused(t *testing.T) {
	for _, typ := range []string{"date", "datetime", "bool", "int"} {
		r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
		old := openSilo(t)
		old.do(t, `CREATE SCHEMA old; CREATE TABLE old."Resident" (no text PRIMARY KEY, v int); CREATE PUBLICATION city FOR TABLE old."Resident"`)
		from, _ := sources(t)
		d := r.apply(t, "kind: Dataset\nname: residents\ntitle: 주민\nkey: [no]\nfields:\n  no: {type: "+typ+"}\n  v: {type: int}\nsource:\n  database: "+old.gate.Address+"\n  table: old.Resident\n  publication: city\n")
		r.carryOver(t, from)
		within(t, 20*time.Second, typ, func() bool {
			s, err := r.SourceState(t.Context(), d)
			return err == nil && s.Code == "source.replication" && strings.Contains(s.Reason.En, "is text in the table")
		})
	}
}

// Keys that differ in blanks are two rows there and would be one record here: the second row never becomes it, and doesn't take it away.
func TestARowWhoseKeyReadsLikeAnothersIsNoRecord(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old := openSilo(t)
		old.do(t, `CREATE SCHEMA old; CREATE TABLE old."Resident" (no text PRIMARY KEY, v int); INSERT INTO old."Resident" SELECT 'k' || n, n FROM generate_series(1, 9) n; CREATE PUBLICATION city FOR TABLE old."Resident"`)
		from, _ := sources(t)
		d := r.apply(t, "kind: Dataset\nname: residents\ntitle: 주민\nkey: [no]\nfields:\n  no: {type: string}\n  v: {type: int}\nsource:\n  database: "+old.gate.Address+"\n  table: old.Resident\n  publication: city\n")
		r.carryOver(t, from)
		within(t, 20*time.Second, "all is read", func() bool { return r.counted(t, d) == 9 })
		old.do(t, `INSERT INTO old."Resident" VALUES ('k5 ', 777); DELETE FROM old."Resident" WHERE no = 'k5 '; UPDATE old."Resident" SET v = 66 WHERE no = 'k6'`)
		within(t, 20*time.Second, "the last change is here", func() bool {
			rec, err := r.Get(t.Context(), d, "k6")
			return err == nil && rec.Values[1] == int64(66)
		})
		rec, err := r.Get(t.Context(), d, "k5")
		all, err2 := r.Imports(t.Context(), d, 1)
		if err != nil || err2 != nil || rec.Values[1] != int64(5) || all[0].Rejected != 1 {
			t.Errorf("%v %v %v %v", rec, err, all, err2)
		}
	})
}

// A server that takes connections and never answers holds up nobody else.
func TestASlotThatCantBeDroppedHoldsUpNothing(t *testing.T) {
	r := openRoom(t, filepath.Join(t.TempDir(), "maru.db"))
	pit, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pit.Close() })
	taken := make(chan net.Conn, 100) // never answered
	go func() {
		for {
			c, err := pit.Accept()
			if err != nil {
				return
			}
			taken <- c
		}
	}()
	err = r.db.Write(t.Context(), func(tx *db.Tx) error {
		_, err := tx.Exec(t.Context(), "INSERT INTO replica (slot, project, dataset, source, spec) VALUES ('maru_x', 'trial', 'former', ?, 'was')", `{"Database": "postgres://a@`+pit.Addr().String()+`/x", "Table": "t", "Publication": "p"}`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	from, _ := sources(t)
	r.carryOver(t, from)
	select {
	case c := <-taken:
		t.Cleanup(func() { c.Close() })
	case <-time.After(20 * time.Second):
		t.Fatal("nobody tries to drop the slot")
	}
	old := openSilo(t)
	old.do(t, siloTable)
	old.do(t, `CREATE PUBLICATION city FOR TABLE old."Resident"`)
	d := r.apply(t, published(old.gate.Address))
	within(t, 8*time.Second, "all is read", func() bool { return r.counted(t, d) == 1000 })
}

func TestAColumnThatIsGoneThereEmptiesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, _, d, _ := r.carried(t, "")
		old.do(t, `ALTER TABLE old."Resident" RENAME COLUMN paid TO paid_won; UPDATE old."Resident" SET "성명" = '다른 이름' WHERE no < 10`)
		within(t, 10*time.Second, "it is told", func() bool {
			s, err := r.SourceState(t.Context(), d)
			return err == nil && s.Code == "source.columns" && strings.Contains(s.Reason.En, "columns for paid")
		})
		if rec, err := r.Get(t.Context(), d, "3"); err != nil || rec.Values[3] != 4.5 {
			t.Errorf("%v %v", rec, err)
		}
		old.do(t, `ALTER TABLE old."Resident" RENAME COLUMN paid_won TO paid; UPDATE old."Resident" SET "성명" = '또 다른 이름' WHERE no < 10`)
		within(t, 40*time.Second, "then it goes on", func() bool { return r.same(t, old, d) == "" })
	})
}

func TestASlotGoesWithItsDataset(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, _, _, _ := r.carried(t, "")
		slots := func() (n int) {
			if err := old.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()").Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if slots() != 1 {
			t.Fatal("there is no slot")
		}
		r.apply(t, residentsFrom(old.gate.Address, ""))
		within(t, 10*time.Second, "the slot is gone", func() bool { return slots() == 0 })
	})
}

func TestWhyChangesCantBeHadIsSaid(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old := openSilo(t)
		old.do(t, siloTable)
		from, _ := sources(t)
		d := r.apply(t, published(old.gate.Address))
		r.carryOver(t, from)
		said := func(what string) {
			t.Helper()
			within(t, 30*time.Second, what, func() bool {
				s, err := r.SourceState(t.Context(), d)
				return err == nil && strings.Contains(s.Reason.En, what)
			})
		}
		said("CREATE PUBLICATION city FOR TABLE old.Resident")
		old.do(t, `CREATE PUBLICATION city FOR TABLE old."Resident"`)
		within(t, 40*time.Second, "then it goes on", func() bool { return r.counted(t, d) == 1000 })
	})
}

// carried is a town whose residents are carried over.
func (r *room) carried(t *testing.T, more string) (*silo, *source.Reader, *catalog.Dataset, func()) {
	t.Helper()
	old := openSilo(t)
	old.do(t, siloTable)
	old.do(t, `CREATE PUBLICATION city FOR TABLE old."Resident"`)
	if more != "" {
		old.do(t, `ALTER TABLE old."Resident" REPLICA IDENTITY FULL`)
	}
	from, _ := sources(t)
	d := r.apply(t, published(old.gate.Address)+more)
	stop := r.carryOver(t, from)
	within(t, 20*time.Second, "all is read", func() bool { n := r.counted(t, d); return n == 1000 || more != "" && n > 400 })
	return old, from, d, stop
}

func TestAnotherTableOfTheNameIsReadWhole(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, from, d, stop := r.carried(t, "")
		stop()
		old.do(t, `CREATE TABLE old.next (LIKE old."Resident" INCLUDING ALL); INSERT INTO old.next SELECT * FROM old."Resident"; UPDATE old.next SET "성명" = '새 표' WHERE no < 50;
			ALTER TABLE old."Resident" RENAME TO former; ALTER TABLE old.next RENAME TO "Resident"; ALTER PUBLICATION city SET TABLE old."Resident"`)
		r.carryOver(t, from)
		within(t, 20*time.Second, "the other table", func() bool { return r.same(t, old, d) == "" })
	})
}

func TestWhatWasThereAtFirstIsntTakenForWhatIsThere(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, _, d, _ := r.carried(t, "")
		old.do(t, `CREATE TABLE old.backup AS SELECT * FROM old."Resident"`)
		old.do(t, `UPDATE old."Resident" SET "성명" = '바뀐 이름' WHERE no = 3; INSERT INTO old."Resident" (no, "성명") VALUES (5000, '온 사람')`)
		within(t, 10*time.Second, "the changes", func() bool { return r.same(t, old, d) == "" })
		old.do(t, `TRUNCATE old."Resident"`)
		old.do(t, `INSERT INTO old."Resident" SELECT * FROM old.backup`)
		within(t, 30*time.Second, "as it was at first", func() bool { return r.same(t, old, d) == "" })
	})
}

func TestTheGuardOutlivesACut(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, from, d, stop := r.carried(t, "")
		old.do(t, `DELETE FROM old."Resident" WHERE no <= 80`)
		within(t, 10*time.Second, "less than a tenth goes", func() bool { return r.counted(t, d) == 920 })
		stop()
		old.do(t, `DELETE FROM old."Resident" WHERE no <= 160`)
		r.carryOver(t, from)
		within(t, 20*time.Second, "it is held", func() bool {
			all, err := r.Imports(t.Context(), d, 1)
			return err == nil && all[0].State == Held
		})
		if n := r.counted(t, d); n != 920 {
			t.Errorf("%d records", n)
		}
	})
}

func TestReadingAllAgainIsntLostOnABusyTable(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, _, d, _ := r.carried(t, "")
		slot := func() string {
			rep, err := r.replica(t.Context(), d)
			if err != nil || rep == nil {
				return ""
			}
			return rep.slot
		}
		first := slot()
		if err := r.Again(t.Context(), d); err != nil {
			t.Fatal(err)
		}
		old.do(t, `UPDATE old."Resident" SET "성명" = '바뀐 이름' WHERE no = 3`)
		within(t, 15*time.Second, "another slot", func() bool { now := slot(); return now != "" && now != first })
		within(t, 10*time.Second, "the change", func() bool { return r.same(t, old, d) == "" })
	})
}

func TestRowsThatExpressionsCantJudgeAreRejected(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		old, _, d, _ := r.carried(t, "  where: int(row['no']) <= 500 && row['secret_note'] != 'wrong' && int(row['secret_note'].replace('not for others', '1')) > 0\n")
		if n := r.counted(t, d); n != 500 {
			t.Fatalf("%d records", n)
		}
		old.do(t, `INSERT INTO old."Resident" (no, "성명", secret_note) VALUES (0, '판단할 수 없음', 'text')`)
		old.do(t, `UPDATE old."Resident" SET secret_note = 'wrong' WHERE no = 1; UPDATE old."Resident" SET "성명" = '이름' WHERE no = 2`)
		within(t, 10*time.Second, "what isn't taken any more is gone", func() bool { _, err := r.Get(t.Context(), d, "1"); return isUnknown(err) })
		if _, err := r.Get(t.Context(), d, "0"); !isUnknown(err) {
			t.Errorf("what can't be judged: %v", err)
		}
		all, err := r.Imports(t.Context(), d, 1)
		if err != nil || all[0].Rejected != 1 {
			t.Errorf("%+v %v", all[0], err)
		}
	})
}
