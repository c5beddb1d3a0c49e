package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web"
	"github.com/maru-city/maru/web/console"
)

// now is the tests' present.
var now = time.Date(2026, 11, 24, 9, 30, 0, 0, manifest.Seoul)

// tables is a registry without tables: these tests are about pages.
type tables struct{}

func (tables) Plan(context.Context, *db.Tx, *catalog.Snapshot, *catalog.Snapshot, bool) ([]catalog.Step, []manifest.Finding, error) {
	return nil, nil, nil
}

func (tables) Apply(context.Context, *db.Tx, *catalog.Snapshot, *catalog.Snapshot, bool) error {
	return nil
}

// empty opens a catalog that holds nothing.
func empty(t testing.TB) *catalog.Catalog {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "maru.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	c, err := catalog.Open(t.Context(), d, func() time.Time { return now }, tables{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// apply makes files the next revision.
func apply(t testing.TB, c *catalog.Catalog, files map[string]string, message string) {
	t.Helper()
	p, err := c.Plan(t.Context(), catalog.Request{Files: files, Author: "governance-officer"})
	if err != nil {
		t.Fatal(err)
	}
	if manifest.HasErrors(p.Findings) {
		t.Fatalf("the manifests have errors: %v", p.Findings)
	}
	if _, err := c.Apply(t.Context(), p.ID, message); err != nil {
		t.Fatal(err)
	}
}

// demo is the demo city's catalog, with a second revision that changes a dataset.
func demo(t testing.TB) *catalog.Catalog {
	t.Helper()
	c := empty(t)
	files := city.Manifests()
	apply(t, c, files, "시연용 도시")
	apply(t, c, changed(t, files), "공중화장실의 설명을 고치고 변기 수를 비울 수 있게 한다")
	return c
}

// records holds what a test says its datasets hold.
type records struct {
	counts  map[string]int64
	rows    func(d *catalog.Dataset, field string, i int) any
	imports []console.Import
	asked   map[string]bool // fields whose values were read
}

func (r *records) Counts(_ context.Context, list []*catalog.Dataset) (map[string]int64, error) {
	out := map[string]int64{}
	for _, d := range list {
		out[d.Path()] = r.counts[d.Path()]
	}
	return out, nil
}

func (r *records) Sample(_ context.Context, d *catalog.Dataset, fields []string, limit int) ([][]any, error) {
	var out [][]any
	for i := range min(limit, int(r.counts[d.Path()])) {
		var row []any
		for _, f := range fields {
			r.asked[f] = true
			row = append(row, r.rows(d, f, i))
		}
		out = append(out, row)
	}
	return out, nil
}

func (r *records) Profile(_ context.Context, d *catalog.Dataset) (*console.Profile, error) {
	n := r.counts[d.Path()]
	if n == 0 {
		return nil, nil
	}
	p := &console.Profile{At: now, Rows: n}
	for _, f := range d.Fields {
		first, last := r.rows(d, f.Name, 0), r.rows(d, f.Name, 1)
		p.Fields = append(p.Fields, console.FieldProfile{
			Name: f.Name, Empty: n / 20, Distinct: n / 3, Min: first, Max: last,
			Frequent: []console.Frequent{{Value: first, Count: n / 4}, {Value: last, Count: n / 8}},
		})
	}
	return p, nil
}

func (r *records) Imports(context.Context, *catalog.Dataset, int) ([]console.Import, error) {
	return r.imports, nil
}

// filled has records in every dataset: plain values of each field's type.
func filled(c *catalog.Catalog) *records {
	r := &records{counts: map[string]int64{}, asked: map[string]bool{}, rows: func(d *catalog.Dataset, field string, i int) any {
		f := d.Field(field)
		if len(f.Codes) > 0 && f.Type == manifest.String {
			return f.Codes[i%len(f.Codes)].Code
		}
		switch f.Type {
		case manifest.Int:
			return int64(1_234_567 * (i + 1))
		case manifest.Double:
			return 37.5 + float64(i)
		case manifest.Bool:
			return i%2 == 0
		case manifest.Date:
			return "2026-11-2" + string(rune('0'+i%10))
		case manifest.Datetime:
			return manifest.FormatDatetime(now.Add(time.Duration(i) * time.Hour))
		}
		return "값 " + string(rune('1'+i%9)) // what a personal field would show if it were read
	}}
	for i, d := range c.Snapshot().Datasets() {
		r.counts[d.Path()] = int64(1000 * (i + 1))
	}
	r.imports = []console.Import{
		{Started: now, By: "register-steward", File: "toilets.csv", State: console.Running, Loaded: 40_000, Rejected: 3, Done: 4_200_000, Size: 10_000_000},
		{ID: 7, Started: now.Add(-time.Hour), Ended: now, By: "register-steward", File: "toilets.csv", State: console.Done, Loaded: 5_027, Unchanged: 0, Rejected: 19},
		{Started: now.Add(-2 * time.Hour), Ended: now, File: "toilets.xlsx", State: console.Failed, Reason: lang.T("파일이 중간에서 끊겼습니다", "The file ends in the middle")},
	}
	return r
}

// handler is the pages over a catalog and records.
func handler(c *catalog.Catalog, r console.Records) http.Handler {
	return web.New(web.Options{Demo: true, City: lang.T("하늘시", "Haneul City"), Version: "test", Catalog: c, Records: r, Now: func() time.Time { return now }})
}

// serve starts a server of the pages.
func serve(t testing.TB, c *catalog.Catalog, r console.Records) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler(c, r))
	t.Cleanup(s.Close)
	return s
}

// client doesn't follow redirects.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
