package outlet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/outlet"
	"github.com/maru-city/maru/registry"
)

const parks = `
kind: Agency
name: green
title: {ko: 푸른도시과, en: Green city}
level: bureau
---
kind: Agency
name: water
title: {ko: 물순환과, en: Water}
level: bureau
---
kind: Project
name: parks
title: {ko: 공원 안내, en: Parks}
owner: green
---
kind: Dataset
name: city-parks
title: {ko: 시립 공원, en: City parks}
about: {ko: 시가 관리하는 공원의 위치, en: Where the city's parks are}
key: [no]
licence: KOGL-1
fields:
  no:     {type: int, class: public, title: {ko: 번호}}
  name:   {type: string, class: public, title: {ko: 공원명}}
  area:   {type: double, class: public, title: {ko: 면적}}
  opened: {type: date, class: public, title: {ko: 개원일}}
  lit:    {type: bool, class: public, title: {ko: 조명}}
source: {openapi: "https://open.city.example/KEY/json/SearchParkInfoService/{from}/{to}/", map: {P_IDX: no, P_PARK: name}, schedule: 0 3 * * *}
---
kind: Dataset
name: rangers
title: {ko: 관리원, en: Rangers}
key: [no]
fields:
  no:   {type: int, class: public}
  name: {type: string, class: personal}
---
kind: Project
name: streams
title: {ko: 하천, en: Streams}
owner: water
---
kind: Dataset
name: gauges
title: {ko: 수위계, en: Gauges}
key: [no]
fields:
  no: {type: int, class: public}
`

// city is a server with the outlets of a small catalog.
type city struct {
	*httptest.Server
	keys    *outlet.Store
	catalog *catalog.Catalog
	clock   *clock.Fake
}

func onBoth(t *testing.T, test func(t *testing.T, c *city)) {
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, filepath.Join(t.TempDir(), "maru.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, open(t, dbtest.Postgres(t))) })
}

func open(t *testing.T, address string) *city {
	t.Helper()
	d, err := db.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	files, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { files.Close() })
	fake := clock.NewFake(time.Date(2026, 11, 24, 9, 0, 0, 0, clock.Seoul))
	now := fake.Now
	ring, err := keys.Open(t.TempDir(), "test/log", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Open(t.Context(), d, files, ring, now)
	if err != nil {
		t.Fatal(err)
	}
	c := &city{clock: fake}
	if c.catalog, err = catalog.Open(t.Context(), d, now, r); err != nil {
		t.Fatal(err)
	}
	c.apply(t, map[string]string{"parks/project.yaml": strings.Split(parks, "---\nkind: Project\nname: streams")[0], "streams/project.yaml": "kind: Project\nname: streams" + strings.Split(parks, "kind: Project\nname: streams")[1]})
	fake.Advance(time.Hour) // the records come later
	rows := func(yield func([]any) bool) {
		for i := range int64(2500) {
			var area any
			if i%2 == 0 {
				area = float64(i) * 1.5
			}
			if !yield([]any{i + 1, fmt.Sprintf("공원 <%d> & \"숲\"", i+1), area, "2020-05-05", i%3 == 0}) {
				return
			}
		}
	}
	if _, err := r.Load(t.Context(), registry.By{Actor: "test", Via: "test"}, c.catalog.Snapshot().Dataset("parks", "city-parks"), "test", []string{"no", "name", "area", "opened", "lit"}, rows); err != nil {
		t.Fatal(err)
	}
	if c.keys, err = outlet.OpenKeys(t.Context(), d, now); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	c.Server = httptest.NewServer(mux)
	t.Cleanup(c.Close)
	outlet.New(outlet.Options{Catalog: c.catalog.Snapshot, Dated: func(ctx context.Context, n int64) (map[string]catalog.Dates, error) {
		return c.catalog.Dates(ctx, "Dataset", n)
	}, Records: r, Keys: c.keys, Base: c.URL, City: lang.T("하늘시", "Haneul City")}).Routes(mux.Handle)
	return c
}

func (c *city) apply(t *testing.T, files map[string]string) {
	t.Helper()
	p, err := c.catalog.Plan(t.Context(), catalog.Request{Who: identity.Itself("test"), Files: files, AllowLoss: true})
	if err != nil {
		t.Fatal(err)
	}
	if manifest.HasErrors(p.Findings) {
		t.Fatalf("%+v", p.Findings)
	}
	if _, err := c.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), ""); err != nil {
		t.Fatal(err)
	}
}

// get is an answer, which must have a status.
func (c *city) get(t *testing.T, path string, status int) (string, http.Header) {
	t.Helper()
	res, err := http.Get(c.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != status {
		t.Fatalf("%s: %d %v %s", path, res.StatusCode, err, text)
	}
	return string(text), res.Header
}

type row = map[string]string

// cityAnswer is an answer of the city's address form in JSON.
type cityAnswer struct {
	Total  int `json:"list_total_count"`
	Result struct{ CODE, MESSAGE string }
	Row    []row
}

func (c *city) asked(t *testing.T, path string) (string, cityAnswer) {
	t.Helper()
	text, _ := c.get(t, path, http.StatusOK)
	var all map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatalf("%s: %v %s", path, err, text)
	}
	var a cityAnswer
	for name, body := range all {
		into := any(&a)
		if name == "RESULT" {
			into = &a.Result
		}
		if err := json.Unmarshal(body, into); err != nil {
			t.Fatalf("%s: %v %s", path, err, text)
		}
	}
	return a.Result.CODE, a
}

func (c *city) key(t *testing.T) string {
	t.Helper()
	key, err := c.keys.Make(t.Context(), &identity.Principal{Kind: identity.Citizen, Account: "haneul"})
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestTheCitysAddressFormAnswersAsItsClientsKnowIt(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		key := c.key(t)
		for path, want := range map[string]string{
			key + "/json/SearchParkInfoService/1/5/":           "INFO-000",
			key + "/json/searchparkinfoservice/1/5":            "INFO-000",
			key + "/json/city-parks/1/1000/":                   "INFO-000",
			key + "/json/parks.city-parks/2500/2501/":          "INFO-000",
			"sample/json/city-parks/1/5/":                      "INFO-000",
			"sample/json/city-parks/1/6/":                      "ERROR-335",
			"sample/json/city-parks/6/6/":                      "ERROR-335",
			"nokey/json/city-parks/1/5/":                       "INFO-100",
			key + "/json/city-parks/2501/2600/":                "INFO-200",
			key + "/json/city-parks/1/":                        "ERROR-300",
			key + "/json":                                      "ERROR-300",
			key + "/json/nothing/1/5/":                         "ERROR-310",
			key + "/json/rangers/1/5/":                         "ERROR-310", // a field of it isn't public
			key + "/json/city-parks/0/5/":                      "ERROR-331",
			key + "/json/city-parks/-1/5/":                     "ERROR-331",
			key + "/json/city-parks/1/0/":                      "ERROR-332",
			key + "/json/city-parks/a/5/":                      "ERROR-333",
			key + "/json/city-parks/1/5.5/":                    "ERROR-333",
			key + "/json/city-parks/5/1/":                      "ERROR-334",
			key + "/json/city-parks/1/1001/":                   "ERROR-336",
			key + "/json/city-parks/1/5/7/":                    "INFO-000",
			key + "/json/city-parks/1/5/abc/":                  "INFO-200", // no number is that
			key + "/json/city-parks/1/5/%20/%20/3/":            "INFO-000",
			key + "/json/city-parks/1/5/1/2/3/4/5/6/7/":        "ERROR-300",
			key + "/json/city-parks/1/5/%20/x%22%20%7C%7C%201": "INFO-200",
		} {
			if got, _ := c.asked(t, "/openapi/"+path); got != want {
				t.Errorf("%s: %s instead of %s", path, got, want)
			}
		}
		if text, _ := c.get(t, "/openapi/"+key+"/yaml/city-parks/1/5/", http.StatusOK); !strings.Contains(text, "<CODE>ERROR-301</CODE>") {
			t.Errorf("another type: %s", text)
		}
		_, a := c.asked(t, "/openapi/"+key+"/json/SearchParkInfoService/3/3/")
		if fmt.Sprint(a.Row) != `[map[AREA:3 LIT:false OPENED:2020-05-05 P_IDX:3 P_PARK:공원 <3> & "숲"]]` || a.Total != 2500 {
			t.Errorf("%d %v", a.Total, a.Row)
		}
		if _, a := c.asked(t, "/openapi/"+key+"/json/city-parks/2/2/"); a.Row[0]["AREA"] != "" {
			t.Errorf("an empty value: %v", a.Row)
		}
		if _, a := c.asked(t, "/openapi/"+key+"/json/city-parks/1/5/%20/%20/%20/2020-05-05/true/"); a.Total != 834 {
			t.Errorf("%d are lit", a.Total)
		}
		// as clients loop
		seen := map[string]bool{}
		for from := 1; ; from += 1000 {
			code, a := c.asked(t, fmt.Sprintf("/openapi/%s/json/SearchParkInfoService/%d/%d/", key, from, from+999))
			if code == "INFO-200" {
				break
			}
			for _, r := range a.Row {
				seen[r["P_IDX"]] = true
			}
		}
		if len(seen) != 2500 {
			t.Errorf("a loop sees %d of 2500", len(seen))
		}
	})
}

func TestTheCitysAddressFormInXMLAndAsAWorkbook(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		for _, media := range []string{"xml", "xmlf"} {
			text, h := c.get(t, "/openapi/sample/"+media+"/SearchParkInfoService/1/2/", http.StatusOK)
			var doc struct {
				XMLName xml.Name
				Total   int    `xml:"list_total_count"`
				Code    string `xml:"RESULT>CODE"`
				Rows    []struct {
					Name string `xml:"P_PARK"`
				} `xml:"row"`
			}
			if err := xml.Unmarshal([]byte(text), &doc); err != nil || doc.XMLName.Local != "SearchParkInfoService" || doc.Total != 2500 || doc.Code != "INFO-000" || len(doc.Rows) != 2 || doc.Rows[0].Name != `공원 <1> & "숲"` {
				t.Errorf("%s: %+v %v", media, doc, err)
			}
			if (media == "xmlf") != strings.Contains(h.Get("Content-Disposition"), "attachment") {
				t.Errorf("%s: %v", media, h)
			}
		}
		text, _ := c.get(t, "/openapi/sample/xls/SearchParkInfoService/1/2/", http.StatusOK)
		f, err := excelize.OpenReader(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if rows, err := f.GetRows(f.GetSheetName(0)); err != nil || len(rows) != 3 || rows[0][1] != "P_PARK" || rows[1][0] != "1" {
			t.Errorf("%v %v", rows, err)
		}
	})
}

func TestAKeyIsGivenUp(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		key, owner := c.key(t), &identity.Principal{Kind: identity.Citizen, Account: "haneul"}
		if err := c.keys.GiveUp(t.Context(), &identity.Principal{Kind: identity.Citizen, Account: "other"}, key); problem.Code(err) != "open_key.unknown" {
			t.Errorf("another's: %v", err)
		}
		if code, _ := c.asked(t, "/openapi/"+key+"/json/city-parks/1/5/"); code != "INFO-000" {
			t.Error(code)
		}
		list, err := c.keys.Mine(t.Context(), owner)
		if err != nil || len(list) != 1 || !strings.HasSuffix(key, list[0].Ending) || list[0].Ending == "" || list[0].Made.IsZero() {
			t.Fatalf("%+v %v", list, err)
		}
		if list, err := c.keys.Mine(t.Context(), &identity.Principal{Kind: identity.Citizen, Account: "other"}); err != nil || len(list) != 0 {
			t.Errorf("another sees %v %v", list, err)
		}
		if err := c.keys.GiveUpID(t.Context(), &identity.Principal{Kind: identity.Citizen, Account: "other"}, list[0].ID); problem.Code(err) != "open_key.unknown" {
			t.Errorf("another's, by its id: %v", err)
		}
		if err := c.keys.GiveUpID(t.Context(), owner, list[0].ID); err != nil {
			t.Fatal(err)
		}
		if code, _ := c.asked(t, "/openapi/"+key+"/json/city-parks/1/5/"); code != "INFO-100" {
			t.Error(code)
		}
		for range 20 {
			c.key(t)
		}
		if _, err := c.keys.Make(t.Context(), owner); problem.Code(err) != "open_key.many" {
			t.Errorf("one more: %v", err)
		}
		if _, err := c.keys.Make(t.Context(), &identity.Principal{}); err == nil {
			t.Error("nobody makes a key")
		}
	})
}

// ckanAnswer is an answer of CKAN's action API.
type ckanAnswer struct {
	Success bool
	Result  any
	Error   map[string]any
}

func (c *city) action(t *testing.T, name string, args map[string]any, status int) ckanAnswer {
	t.Helper()
	q := url.Values{}
	for k, v := range args {
		text, ok := v.(string)
		if !ok {
			b, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			text = string(b)
		}
		q.Set(k, text)
	}
	body, err := json.Marshal(args)
	if err != nil {
		t.Fatal(err)
	}
	var out ckanAnswer
	var first string
	for _, base := range []string{"/ckan/api/3/action/", "/ckan/api/action/"} { // by both ways, under both addresses
		got, _ := c.get(t, base+name+"?"+q.Encode(), status)
		res, err := http.Post(c.URL+base+name, "application/json", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		posted, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != status {
			t.Fatalf("POST %s: %d %v %s", name, res.StatusCode, err, posted)
		}
		for _, text := range []string{got, string(posted)} {
			if first == "" {
				first = text
			}
			if text != first && name != "datastore_search" {
				t.Errorf("%s: %s instead of %s", name, text, first)
			}
		}
	}
	if err := json.Unmarshal([]byte(first), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func at(v any, path ...string) any {
	for _, p := range path {
		switch x := v.(type) {
		case map[string]any:
			v = x[p]
		case []any:
			n, err := strconv.Atoi(p)
			if err != nil || n >= len(x) {
				return nil
			}
			v = x[n]
		default:
			return nil
		}
	}
	return v
}

func TestCKANsReadActions(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		list := c.action(t, "package_list", nil, 200)
		if fmt.Sprint(list.Result) != "[parks_city-parks streams_gauges]" || !list.Success {
			t.Fatalf("%+v", list)
		}
		p := c.action(t, "package_show", map[string]any{"id": "parks_city-parks"}, 200).Result
		if at(p, "title") != "시립 공원" || at(p, "license_id") != "KOGL-1" || at(p, "organization", "name") != "green" || at(p, "resources", "0", "format") != "CSV" {
			t.Errorf("%v", p)
		}
		if again := c.action(t, "package_show", map[string]any{"id": at(p, "id")}, 200).Result; at(again, "name") != "parks_city-parks" {
			t.Errorf("by its id: %v", again)
		}
		for _, x := range []struct {
			args  map[string]any
			count float64
			first any
		}{
			{nil, 2, "parks_city-parks"},
			{map[string]any{"q": "*:*", "start": "1", "rows": "1"}, 2, "streams_gauges"},
			{map[string]any{"q": "시립공원"}, 1, "parks_city-parks"}, // spaces don't count
			{map[string]any{"q": "물순환과"}, 1, "streams_gauges"},
			{map[string]any{"q": "title:공원"}, 1, "parks_city-parks"},
			{map[string]any{"fq": "organization:water"}, 1, "streams_gauges"},
			{map[string]any{"fq": `+organization:"green" +license_id:KOGL-1`}, 1, "parks_city-parks"},
			{map[string]any{"fq": "-organization:green"}, 1, "streams_gauges"},
			{map[string]any{"sort": "name desc"}, 2, "streams_gauges"},
			{map[string]any{"q": "관리원"}, 0, nil}, // not open
		} {
			got := c.action(t, "package_search", x.args, 200).Result
			if at(got, "count") != x.count || at(got, "results", "0", "name") != x.first {
				t.Errorf("%v: %v, first %v", x.args, at(got, "count"), at(got, "results", "0", "name"))
			}
		}
		facets := c.action(t, "package_search", map[string]any{"facet.field": []string{"organization"}, "rows": 0}, 200).Result
		if fmt.Sprint(at(facets, "facets", "organization")) != "map[green:1 water:1]" || at(facets, "search_facets", "organization", "items", "0", "display_name") != "푸른도시과" {
			t.Errorf("%v", facets)
		}
		if got := c.action(t, "organization_show", map[string]any{"id": "green", "include_datasets": true}, 200).Result; at(got, "packages", "0", "name") != "parks_city-parks" || at(got, "package_count") != 1.0 {
			t.Errorf("%v", got)
		}
		for _, name := range []string{"organization_list", "group_list", "tag_list", "status_show"} {
			if !c.action(t, name, nil, 200).Success {
				t.Error(name)
			}
		}
		for _, x := range []struct {
			name   string
			args   map[string]any
			status int
			kind   string
		}{
			{"package_show", map[string]any{"id": "parks_rangers"}, 404, "Not Found Error"},
			{"package_show", nil, 409, "Validation Error"},
			{"package_search", map[string]any{"rows": "x"}, 409, "Validation Error"},
			{"resource_show", map[string]any{"id": "x"}, 404, "Not Found Error"},
			{"datastore_search_sql", map[string]any{"sql": "SELECT 1"}, 403, "Authorization Error"},
			{"package_create", nil, 400, "Bad Request"},
		} {
			if got := c.action(t, x.name, x.args, x.status); got.Success || got.Error["__type"] != x.kind {
				t.Errorf("%s %v: %+v", x.name, x.args, got)
			}
		}
	})
}

// What one may ask for at once is bounded: a search of megabytes takes no longer than another.
func TestASearchOfManyThingsTakesNoLonger(t *testing.T) {
	c := open(t, filepath.Join(t.TempDir(), "maru.db"))
	var many strings.Builder
	many.WriteString("kind: Project\nname: many\ntitle: 많음\nowner: green\n")
	for n := range 200 {
		fmt.Fprintf(&many, "---\nkind: Dataset\nname: d%d\ntitle: 자료 %d\nkey: [no]\nfields:\n  no: {type: int, class: public}\n", n, n)
	}
	c.apply(t, map[string]string{"many/project.yaml": many.String()})
	facets := make([]string, 100_000)
	for i := range facets {
		facets[i] = "tags"
	}
	for what, args := range map[string]map[string]any{
		"sort": {"sort": strings.Repeat("type,", 100_000)}, "facets": {"facet.field": facets}, "words": {"q": strings.Repeat("공 ", 100_000)},
	} {
		body, err := json.Marshal(args)
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		res, err := http.Post(c.URL+"/ckan/api/3/action/package_search", "application/json", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if res.Body.Close(); res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d", what, res.StatusCode)
		}
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s: %s", what, took)
		}
	}
}

func TestCKANsDatastore(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		p := c.action(t, "package_show", map[string]any{"id": "parks_city-parks"}, 200).Result
		id, _ := at(p, "resources", "0", "id").(string)
		search := func(args map[string]any) any {
			args["resource_id"] = id
			return c.action(t, "datastore_search", args, 200).Result
		}
		all := search(map[string]any{"limit": 2})
		if at(all, "total") != 2500.0 || at(all, "fields", "1", "id") != "no" || at(all, "fields", "1", "type") != "int8" || at(all, "records", "0", "name") != `공원 <1> & "숲"` || at(all, "records", "1", "area") != nil {
			t.Errorf("%v", all)
		}
		for _, x := range []struct {
			args  map[string]any
			total float64
			first any
		}{
			{map[string]any{"filters": map[string]any{"no": 7}}, 1, 7.0},
			{map[string]any{"filters": map[string]any{"no": []any{7, 9}, "lit": true}}, 1, 7.0},
			{map[string]any{"filters": map[string]any{"opened": "2020-05-05"}, "offset": 10, "limit": 1}, 2500, 11.0},
			{map[string]any{"q": "<25>"}, 1, 25.0},
			{map[string]any{"sort": "no desc", "limit": 1}, 2500, 2500.0},
			{map[string]any{"filters": map[string]any{"name": `" || true || "`}}, 0, nil},
		} {
			if got := search(x.args); at(got, "total") != x.total || at(got, "records", "0", "no") != x.first {
				t.Errorf("%v: %v %v", x.args, at(got, "total"), at(got, "records", "0"))
			}
		}
		if got := search(map[string]any{"fields": "no", "limit": 1, "records_format": "lists"}); fmt.Sprint(at(got, "records")) != "[[1]]" { // _id only where it is asked for
			t.Errorf("%v", at(got, "records"))
		}
		var pages []float64
		for offset := 0; ; offset += 700 {
			got, _ := at(search(map[string]any{"offset": offset, "limit": 700, "fields": []string{"no"}}), "records").([]any)
			for _, r := range got {
				n, _ := at(r, "no").(float64)
				pages = append(pages, n)
			}
			if len(got) < 700 {
				break
			}
		}
		slices.Sort(pages)
		if pages = slices.Compact(pages); len(pages) != 2500 {
			t.Errorf("pages have %d of 2500", len(pages))
		}
		for _, args := range []map[string]any{{"resource_id": id, "filters": map[string]any{"nope": 1}}, {"resource_id": id, "sort": "nope"}, {"resource_id": id, "fields": "nope"}, {"resource_id": id, "limit": "-1"}, {"resource_id": id, "filters": "["}} {
			if got := c.action(t, "datastore_search", args, 409); got.Error["__type"] != "Validation Error" {
				t.Errorf("%v: %+v", args, got)
			}
		}
	})
}

// A harvester fetches what has changed: what is applied elsewhere changes no dataset's dates. A page's links lead to the next.
func TestDatesAreADatasetsOwnAndLinksLeadOn(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		dates := func(handle string) string {
			p := c.action(t, "package_show", map[string]any{"id": handle}, 200).Result
			return fmt.Sprint(at(p, "metadata_created"), " ", at(p, "metadata_modified"))
		}
		before := dates("streams_gauges")
		c.clock.Advance(time.Hour)
		c.apply(t, map[string]string{"more/project.yaml": "kind: Project\nname: more\ntitle: 더\nowner: green\n---\nkind: Dataset\nname: d\ntitle: 자료\nkey: [no]\nfields:\n  no: {type: int, class: public}\n"})
		if now := dates("streams_gauges"); now != before {
			t.Errorf("%s, then %s", before, now)
		}
		if now := dates("more_d"); now <= before || strings.Fields(now)[0] != strings.Fields(now)[1] {
			t.Errorf("the new one's: %s", now)
		}
		next, _ := at(c.action(t, "datastore_search", map[string]any{"resource_id": at(c.action(t, "package_show", map[string]any{"id": "parks_city-parks"}, 200).Result, "resources", "0", "id"), "limit": 2, "fields": "no"}, 200).Result, "_links", "next").(string)
		text, _ := c.get(t, next, http.StatusOK)
		if !strings.Contains(text, `"no":3`) && !strings.Contains(text, `"no": 3`) {
			t.Errorf("%s: %s", next, text)
		}
	})
}

func TestTheShelfFollowsTheCatalog(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		c.apply(t, map[string]string{"streams/project.yaml": "kind: Project\nname: streams\ntitle: {ko: 하천}\nowner: water\n---\nkind: Dataset\nname: gauges\ntitle: {ko: 수위계}\nkey: [no]\nfields:\n  no: {type: int, class: internal}\n"})
		if list := c.action(t, "package_list", nil, 200); fmt.Sprint(list.Result) != "[parks_city-parks]" {
			t.Errorf("what isn't open any more: %v", list.Result)
		}
	})
}

func TestAPackageSaysWhenItsRecordsChanged(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		got := c.action(t, "package_show", map[string]any{"id": "parks_city-parks"}, 200)
		one, _ := got.Result.(map[string]any)
		created, _ := one["metadata_created"].(string)
		if modified, _ := one["metadata_modified"].(string); created == "" || modified <= created {
			t.Errorf("created %s, modified %s", created, modified)
		}
	})
}

func TestADatasetIsDescribedForMachines(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		for file, wants := range map[string][]string{
			"datapackage.json": {`"primaryKey": [`, `"type": "integer"`, `/api/v1/datasets/parks/city-parks/records?as=csv`, `"name": "KOGL-1"`},
			"croissant.json":   {`"conformsTo": "http://mlcommons.org/croissant/1.0"`, `"dataType": "sc:Date"`, `"isLiveDataset": true`},
			"dcat.jsonld":      {`dcat:Dataset`, `authority/frequency/DAILY`},
		} {
			text, h := c.get(t, "/data/parks/city-parks/"+file, 200)
			if !json.Valid([]byte(text)) || !strings.Contains(h.Get("Content-Type"), "json") {
				t.Errorf("%s: %s", file, text)
			}
			for _, want := range wants {
				if !strings.Contains(text, want) {
					t.Errorf("%s lacks %s: %s", file, want, text)
				}
			}
			c.get(t, "/data/parks/rangers/"+file, 404) // not open
		}
	})
}

func TestTheCatalogueIsDCAT(t *testing.T) {
	onBoth(t, func(t *testing.T, c *city) {
		text, h := c.get(t, "/catalog.jsonld", 200)
		var doc struct {
			Context map[string]any   `json:"@context"`
			Graph   []map[string]any `json:"@graph"`
		}
		if err := json.Unmarshal([]byte(text), &doc); err != nil || !strings.HasPrefix(h.Get("Content-Type"), "application/ld+json") {
			t.Fatal(err, h)
		}
		kinds := map[any]int{}
		for _, node := range doc.Graph {
			kinds[node["@type"]]++
		}
		if kinds["dcat:Catalog"] != 1 || kinds["dcat:Dataset"] != 2 || kinds["dcat:Distribution"] != 8 || kinds["foaf:Agent"] != 3 || strings.Contains(text, "관리원") {
			t.Errorf("%v", kinds)
		}
	})
}
