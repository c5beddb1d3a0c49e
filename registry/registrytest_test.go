package registry

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// room is a registry and a catalog on one database.
type room struct {
	*Registry
	catalog *catalog.Catalog
	clock   *clock.Fake
	db      *db.DB
}

// onBoth runs a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, test func(t *testing.T, r *room)) {
	t.Run("sqlite", func(t *testing.T) { test(t, openRoom(t, filepath.Join(t.TempDir(), "maru.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, openRoom(t, dbtest.Postgres(t))) })
}

func openRoom(t testing.TB, address string) *room {
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
	ring, err := keys.Open(t.TempDir(), "test/log", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Open(t.Context(), d, files, ring, fake.Now)
	if err != nil {
		t.Fatal(err)
	}
	c, err := catalog.Open(t.Context(), d, fake.Now, r)
	if err != nil {
		t.Fatal(err)
	}
	return &room{Registry: r, catalog: c, clock: fake, db: d}
}

// apply applies one document with a project around it, and returns its dataset.
func (r *room) apply(t testing.TB, dataset string) *catalog.Dataset {
	t.Helper()
	p, err := r.catalog.Plan(t.Context(), catalog.Request{Who: identity.Itself("test"), Files: map[string]string{
		"project.yaml": "kind: Project\nname: trial\ntitle: {ko: 시험, en: Trial}\n",
		"dataset.yaml": dataset,
	}})
	if err != nil {
		t.Fatal(err)
	}
	if manifest.HasErrors(p.Findings) {
		t.Fatalf("%+v", p.Findings)
	}
	if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), "trial"); err != nil {
		t.Fatal(err)
	}
	return r.catalog.Snapshot().Datasets()[0]
}

const libraries = `
kind: Dataset
name: libraries
title: {ko: 도서관, en: Libraries}
key: [code]
unique: [[name, district]]
index: [[district]]
fields:
  code:     {type: string, title: {ko: 번호}, pattern: "[A-Z][0-9]+", class: public}
  name:     {type: string, title: {ko: 이름}, required: true, length: 20, class: public}
  district: {type: string, title: {ko: 자치구}, class: public, codes: {"11110": 종로구, "11140": 중구}}
  seats:    {type: int, title: {ko: 좌석수}, min: 0, class: public}
  rating:   {type: double, title: {ko: 평점}, class: public}
  open:     {type: bool, title: {ko: 개관}, class: public}
  since:    {type: date, title: {ko: 개관일}, class: public}
  seen:     {type: datetime, title: {ko: 확인일시}, class: public}
  place:    {type: geometry, title: {ko: 위치}, class: public}
`

type catalogField = catalog.Field

var emptyDataset = &catalog.Dataset{Spec: &manifest.Dataset{}}

func text(t testing.TB, r *Record) string {
	t.Helper()
	out, err := r.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// dataset is a dataset by project/name.
func (r *room) dataset(t testing.TB, path string) *catalog.Dataset {
	t.Helper()
	project, name, _ := strings.Cut(path, "/")
	d := r.catalog.Snapshot().Dataset(project, name)
	if d == nil {
		t.Fatalf("there is no dataset %s", path)
	}
	return d
}
