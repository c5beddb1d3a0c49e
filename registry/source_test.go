package registry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// city is a server with an open API of n rows, and what else sources may be.
func cityServer(t *testing.T, n int) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/api/key/json/parks/{from}/{to}/", func(w http.ResponseWriter, r *http.Request) {
		from, err := strconv.Atoi(r.PathValue("from"))
		to, err2 := strconv.Atoi(r.PathValue("to"))
		if err != nil || err2 != nil || to-from >= 1000 {
			fmt.Fprint(w, `{"RESULT": {"CODE": "ERROR-336", "MESSAGE": "데이터요청은 한번에 최대 1000건을 넘을 수 없습니다."}}`)
			return
		}
		var rows []string
		for i := from; i <= min(to, n); i++ {
			rows = append(rows, fmt.Sprintf("{\"ID\": %d,\n\"NAME\": \"공원 %[1]d\"}", i))
		}
		fmt.Fprintf(w, `{"parks": {"list_total_count": %d, "RESULT": {"CODE": "INFO-000", "MESSAGE": "정상 처리되었습니다"}, "row": [%s]}}`, n, strings.Join(rows, ","))
	})
	mux.HandleFunc("/wrong/{from}/{to}/", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"RESULT": {"CODE": "INFO-100", "MESSAGE": "인증키가 유효하지 않습니다."}}`)
	})
	mux.HandleFunc("/list", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data": {"items": [{"id": 1, "name": "가"}, {"id": 2, "name": "나"}]}}`)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func TestSourcesAreRead(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		server := cityServer(t, 2345)
		from, folder := sources(t)
		if err := os.WriteFile(filepath.Join(folder, "parks.csv"), []byte("id,name\n1,가\nx,나\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for i, c := range []struct {
			source string
			state  ImportState
			tally  Tally
			reason string
		}{
			{"{file: parks.csv}", Done, Tally{Loaded: 1, Rejected: 1}, ""},
			{"{file: nothing.csv}", Failed, Tally{}, "nothing.csv"},
			{"{http: \"" + server.URL + "/list\", items: data.items}", Done, Tally{Loaded: 1, Unchanged: 1}, ""},
			{"{http: \"" + server.URL + "/nowhere\"}", Failed, Tally{}, "404"},
			{"{openapi: \"" + server.URL + "/api/key/json/parks/{from}/{to}/\", map: {ID: id, NAME: name}}", Done, Tally{Loaded: 2343, Changed: 2}, ""},
			{"{openapi: \"" + server.URL + "/wrong/{from}/{to}/\"}", Failed, Tally{}, "INFO-100"},
		} {
			d := r.apply(t, "kind: Dataset\nname: parks\ntitle: 공원\nkey: [id]\nfields:\n  id: {type: int}\n  name: {type: string}\nsource: "+c.source+"\n")
			got, _, err := r.ReadSource(t.Context(), from, r.catalog.Snapshot().Dataset, d.Project, d.Name)
			if err != nil {
				t.Fatalf("%d: %v", i, err)
			}
			if got.State != c.state || got.Tally != c.tally || !strings.Contains(got.Reason.In("en"), c.reason) || strings.Contains(got.Reason.In("en"), "/key/") {
				t.Errorf("%s: %+v", c.source, got)
			}
		}
		d := r.catalog.Snapshot().Datasets()[0]
		if all, err := r.Imports(t.Context(), d, 100); err != nil || len(all) != 6 {
			t.Errorf("a source that can't be read stands among the imports: %d %v", len(all), err)
		}
		if got, _, err := r.ReadSource(t.Context(), from, r.catalog.Snapshot().Dataset, "trial", "gone"); got != nil || err != nil {
			t.Errorf("a source that has gone: %+v %v", got, err)
		}
	})
}

func TestRowsAreComputedAndChosen(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		d := r.apply(t, `kind: Dataset
name: people
title: 사람
key: [no]
fields:
  no:    {type: int}
  name:  {type: string, required: true}
  won:   {type: int}
source:
  file: people.csv
  where: row['상태'] != '폐업'
  set:
    name: row['성'] + row['이름']
    won: int(row['천원'].replace(',', '')) * 1000
`)
		put := func(text string) *Import {
			t.Helper()
			if err := os.WriteFile(filepath.Join(folder, "people.csv"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			i, _ := r.read(t, from)
			return i
		}
		i := put("no,성,이름,상태,천원\n1,김,하늘,영업,\"1,234\"\n2,이,바다,폐업,1\n3,박,산,영업,많음\n4,최,강,영업,5\n")
		if i.State != Done || i.Loaded != 2 || i.Rejected != 1 || len(i.Notes) != 0 {
			t.Fatalf("%+v", i)
		}
		rec, err := r.Get(t.Context(), d, "1")
		if err != nil || fmt.Sprint(rec.Values) != "[1 김하늘 1234000]" {
			t.Errorf("%v %v", rec, err)
		}
		if i = put("no,성,이름,상태,천원\n1,김,하늘,폐업,1\n4,최,강,영업,5\n"); i.State != Done || i.Deleted != 1 || i.Unchanged != 1 {
			t.Errorf("what isn't taken any more is gone: %+v", i)
		}
	})
}

func TestAFileWithoutAColumnThatItHadEmptiesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		d := r.apply(t, "kind: Dataset\nname: people\ntitle: 사람\nkey: [no]\nfields:\n  no: {type: int}\n  name: {type: string}\nsource: {file: people.csv}\n")
		put := func(text string) *Import {
			t.Helper()
			if err := os.WriteFile(filepath.Join(folder, "people.csv"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			i, _ := r.read(t, from)
			return i
		}
		if i := put("no,name\n1,가\n"); i.State != Done {
			t.Fatalf("%+v", i)
		}
		if i := put("no,nm\n1,나\n"); i.State != Failed || !strings.Contains(i.Reason.En, "columns for name") {
			t.Errorf("%+v", i)
		}
		if rec, err := r.Get(t.Context(), d, "1"); err != nil || rec.Values[1] != "가" {
			t.Errorf("%v %v", rec, err)
		}
		if i := put("no,name\n1,다\n"); i.State != Done || i.Changed != 1 {
			t.Errorf("%+v", i)
		}
	})
}
