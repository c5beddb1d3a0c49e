package registry

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/problem"
)

// everything is all that lies in the database and in the store, as text.
func (r *room) everything(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	err := r.db.Read(t.Context(), func(tx *db.Tx) error {
		names := "SELECT name FROM sqlite_master WHERE type IN ('table', 'index') AND sql LIKE 'CREATE TABLE%'"
		if tx.Dialect() == db.Postgres {
			names = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
		}
		rows, err := tx.Query(t.Context(), names)
		if err != nil {
			return err
		}
		var tables []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			tables = append(tables, name)
		}
		rows.Close()
		if len(tables) < 5 {
			t.Fatalf("only %v", tables)
		}
		for _, name := range tables {
			rows, err := tx.Query(t.Context(), "SELECT * FROM "+db.Quote(name))
			if err != nil {
				return err
			}
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			for rows.Next() {
				if err := rows.Scan(into...); err != nil {
					return err
				}
				for _, v := range values {
					fmt.Fprintf(&out, "%s|", v)
				}
				out.WriteString("\n")
			}
			rows.Close()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for info, err := range r.files.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := r.files.Open(t.Context(), info.Key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&out, f); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
	return out.String()
}

const personsHead = "kind: Dataset\nname: persons\ntitle: 사람\nkey: [no]\nunique: [[rrn]]\nfields:\n" +
	"  no: {type: int, title: 번호}\n" +
	"  name: {type: string, title: 이름, class: personal}\n"

const persons = personsHead + "  rrn: {type: string, title: 주민등록번호, class: unique, required: true, pattern: '[0-9]{6}-[0-9]{7}'}\n"

func TestUniqueIdentifiersNowhereLieInClear(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, persons)
		put := func(no int, rrn string) error {
			_, err := r.Create(t.Context(), clerk, d, Values{"no": fmt.Sprint(no), "name": "가", "rrn": rrn})
			return err
		}
		if err := put(1, "908101-1000001"); err != nil {
			t.Fatal(err)
		}
		if err := put(2, "908101-1000001"); problem.Code(err) != "record.duplicate" {
			t.Errorf("the same number twice: %v", err)
		}
		if err := put(2, "908101-1000002"); err != nil {
			t.Fatal(err)
		}
		const file = "no,name,rrn\n1,가,908101-1000001\n2,나,908101-1000002\n3,다,908101-1000001\n4,라,908101-10000\n5,마,908101-1000005\n"
		done := r.load(t, t.Context(), r.upload(t, d, file, false))
		if done.Tally != (Tally{Loaded: 1, Unchanged: 1, Changed: 1, Rejected: 2}) {
			t.Errorf("%+v", done.Tally)
		}
		r.load(t, t.Context(), r.upload(t, d, file+"6,바,908101-1000006\n7,사,90810-\n", true))
		var rejected bytes.Buffer
		if err := r.Rejected(t.Context(), done.ID, &rejected); err != nil || !strings.Contains(rejected.String(), "908101-10000\n") {
			t.Errorf("who imported gets the rows back: %q, %v", &rejected, err)
		}
		if _, err := r.Patch(t.Context(), clerk, d, "5", Match{Any: true}, Values{"rrn": "908101-1000055"}); err != nil {
			t.Fatal(err)
		}
		if err := r.Delete(t.Context(), clerk, d, "1", Match{Any: true}); err != nil {
			t.Fatal(err)
		}
		if got := r.rowsOf(t, d); !slices.Equal(got, []string{"2|나|908101-1000002", "5|마|908101-1000055"}) {
			t.Errorf("%v", got)
		}
		p, err := r.Profile(t.Context(), d)
		if err != nil || p.Fields[2].Distinct != 2 || len(p.Fields[2].Frequent) > 0 {
			t.Errorf("%+v, %v", p, err)
		}
		if _, err := r.Check(d, Query{Filter: `rrn == "908101-1000002"`}); err == nil {
			t.Error("a filter would compare what the database can't read")
		}
		// a sealed value moved to another record opens still, but not in another dataset; a changed one not at all
		err = r.db.Write(t.Context(), func(tx *db.Tx) error {
			tab, err := r.table(t.Context(), tx, d)
			if err != nil {
				return err
			}
			f := tab.Field("rrn")
			v, err := tab.stored(f, "908101-1000009", tx.Dialect())
			if err != nil {
				return err
			}
			tab.id++
			if _, err := tab.opened(f, v); err == nil {
				t.Error("it opens in another dataset")
			}
			tab.id--
			if _, err := tab.opened(f, v.(string)[:len(v.(string))-4]+"AAAA"); err == nil {
				t.Error("a changed one opens")
			}
			if _, err := tab.opened(f, "908101-1000009"); err == nil {
				t.Error("one in clear is taken for a sealed one")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if all := r.everything(t); strings.Contains(all, "908101-") || !strings.Contains(all, "나") {
			t.Error("a unique identifier lies in clear")
		}
		if codes := r.try(t, personsHead[:strings.Index(personsHead, "unique:")]+personsHead[strings.Index(personsHead, "fields:"):], true); codes != nil {
			t.Fatal(codes)
		}
		if all := r.everything(t); strings.Contains(all, "908101-") {
			t.Error("a unique identifier lies in the file of what was dropped")
		}
	})
}

func TestAFieldIsSealedWhenItBecomesAUniqueIdentifier(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, strings.Replace(persons, "class: unique", "class: personal", 1))
		if _, err := r.Create(t.Context(), clerk, d, Values{"no": "1", "name": "가", "rrn": "908101-1000001"}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Patch(t.Context(), clerk, d, "1", Match{Any: true}, Values{"rrn": "908101-1000002"}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.everything(t), "908101-1000001") {
			t.Fatal("the former state isn't in the history")
		}
		if codes := r.try(t, persons, false); codes != nil {
			t.Fatal(codes)
		}
		d = r.catalog.Snapshot().Datasets()[0]
		if strings.Contains(r.everything(t), "908101-") {
			t.Error("it lies in clear")
		}
		if got := r.rowsOf(t, d); !slices.Equal(got, []string{"1|가|908101-1000002"}) {
			t.Errorf("%v", got)
		}
		if codes := r.try(t, strings.Replace(persons, "class: unique", "class: personal", 1), false); codes != nil {
			t.Fatal(codes)
		}
		d = r.catalog.Snapshot().Datasets()[0]
		versions, err := r.History(t.Context(), d, "1")
		if err != nil || len(versions) != 2 || !strings.Contains(string(versions[1].Values), "908101-1000001") {
			t.Errorf("%+v, %v", versions, err)
		}
	})
}

func TestAUniqueIdentifierIsNoKey(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		for _, text := range []string{strings.Replace(persons, "key: [no]", "key: [rrn]", 1), strings.Replace(persons, "key: [no]\n", "", 1)} {
			if codes := r.try(t, text, false); !slices.Equal(codes, []string{"dataset.unique_key"}) {
				t.Errorf("%v", codes)
			}
		}
	})
}
