package web_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web"
	"github.com/maru-city/maru/web/console"
)

// now is the tests' present.
var now = time.Date(2026, 11, 24, 9, 30, 0, 0, manifest.Seoul)

// place is a catalog with the registry of its records.
type place struct {
	*catalog.Catalog
	registry *registry.Registry
}

// empty opens a catalog that holds nothing.
func empty(t testing.TB) *place {
	t.Helper()
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "maru.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	files, err := blob.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = files.Close() })
	clock := func() time.Time { return now }
	r, err := registry.Open(t.Context(), d, files, clock)
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Open(t.Context(), d, clock, r)
	if err != nil {
		t.Fatal(err)
	}
	return &place{c, r}
}

// apply makes files the next revision.
func apply(t testing.TB, c *place, files map[string]string, message string) {
	t.Helper()
	p, err := c.Plan(t.Context(), catalog.Request{Files: files, Author: "governance-officer"})
	if err != nil {
		t.Fatal(err)
	}
	if manifest.HasErrors(p.Findings) {
		t.Fatalf("the manifests have errors: %v", p.Findings)
	}
	if _, err := c.Apply(t.Context(), p.ID, identity.Itself("test"), message); err != nil {
		t.Fatal(err)
	}
}

// demo is the demo city with a few hundred people, a second revision that changes a dataset, and some imports.
func demo(t testing.TB) *place {
	t.Helper()
	c := empty(t)
	files := city.Manifests()
	apply(t, c, files, "시연용 도시")
	for _, data := range city.People(1, 300, now).Datasets() {
		project, name, _ := strings.Cut(data.Dataset, "/")
		if _, err := c.registry.Load(t.Context(), registry.By{Actor: "demo", Via: "demo"}, c.Snapshot().Dataset(project, name), "seed 1", data.Columns, data.Rows); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, c, changed(t, files), "공중화장실의 설명을 고치고 변기 수를 비울 수 있게 한다")
	const columns = "facility_no,name,district,address,latitude,longitude,opening_hours,stalls,accessible\n"
	c.finish(t, c.upload(t, "toilets.csv", columns+"T9901,하늘 화장실,11110,하늘길 1,37.5,127.0,00:00~24:00,3,true\nT9902,바람 화장실,99999,바람길 2,37.5,127.0,늘,-1,true\n"))
	c.finish(t, c.upload(t, "parks.csv", "공원명,면적\n하늘공원,1200\n"))
	return c
}

// upload brings a file for the toilets in, as far as body goes; what is missing to size is yet to come.
func (c *place) upload(t testing.TB, file, body string, size ...int64) *registry.Import {
	t.Helper()
	u := registry.Upload{File: file, Size: int64(len(body)), Fingerprint: file}
	if len(size) > 0 {
		u.Size = size[0]
	}
	i, err := c.registry.Begin(t.Context(), registry.By{Actor: "register-steward", Via: "import"}, c.Snapshot().Dataset("public-toilets", "toilets"), u)
	if err != nil {
		t.Fatal(err)
	}
	if i, err = c.registry.Receive(t.Context(), i.ID, i.Received, strings.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	return i
}

// finish runs an import whose file is here.
func (c *place) finish(t testing.TB, i *registry.Import) {
	t.Helper()
	if err := c.registry.Run(t.Context(), i.ID, c.Snapshot().Dataset); err != nil {
		t.Fatal(err)
	}
}

// handler is the pages over a catalog and records.
func handler(c *place, r console.Records) http.Handler {
	return web.New(web.Options{Demo: true, City: lang.T("하늘시", "Haneul City"), Version: "test", Catalog: c, Records: r, Now: func() time.Time { return now }})
}

// serve starts a server of the pages; with records, these in place of the registry's own.
func serve(t testing.TB, c *place, r ...console.Records) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler(c, append(r, c.registry)[0]))
	t.Cleanup(s.Close)
	return s
}

// client doesn't follow redirects.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
