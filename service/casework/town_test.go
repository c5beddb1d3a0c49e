package casework_test

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
)

// noTables follows the catalog in place of the registry: cases need no tables of datasets.
type noTables struct{}

func (noTables) Plan(context.Context, *db.Tx, *catalog.Snapshot, *catalog.Snapshot, *identity.Principal, bool) ([]catalog.Step, []manifest.Finding, error) {
	return nil, nil, nil
}

func (noTables) Apply(context.Context, *db.Tx, *catalog.Snapshot, *catalog.Snapshot, *identity.Principal, bool) error {
	return nil
}

// town is a store with the demo city's catalog and some people.
type town struct {
	*casework.Store
	catalog *catalog.Catalog
	clock   *clock.Fake
	files   *blob.Folder
	folder  string                      // of files
	people  map[string]map[string]any   // by the city's number: what the registers say
	each    map[string][]map[string]any // records of the agreements that have several about somebody, by project/name
	reads   int
	revoked bool
}

// About implements [service.Reader] with what the test's people have.
func (c *town) About(_ context.Context, who *identity.Principal, project, name string, fields []string) ([]*registry.Record, int64, error) {
	c.reads++
	if c.revoked {
		return nil, 0, problem.New("agreement.revoked", 403, lang.T("협약이 해지되었습니다", "the agreement has been revoked"))
	}
	a := c.catalog.Snapshot().Get(manifest.Key{Kind: "Agreement", Project: project, Name: name}).Spec.(*manifest.Agreement)
	to := a.Provider(project)
	d := c.catalog.Snapshot().Dataset(to.Project, to.Name)
	all, several := c.each[project+"/"+name]
	if !several {
		all = []map[string]any{c.people[who.Person]}
	}
	out := []*registry.Record{}
	for _, one := range all {
		r := &registry.Record{}
		for _, f := range fields {
			r.Fields, r.Values = append(r.Fields, d.Field(f)), append(r.Values, one[f])
		}
		out = append(out, r)
	}
	return out, int64(c.reads), nil
}

// moving is one more project, of another bureau, whose service asks for the rent too.
const moving = `
kind: Project
name: moving
title: {ko: 이사 지원, en: Moving support}
owner: welfare
---
kind: Service
name: moving-grant
title: {ko: 이사비 지원, en: Moving grant}
life_events: [leaving-home]
facts:
  rent: {ask: {ko: "월세가 얼마입니까?", en: How much is the rent?}, term: monthly-rent}
  children: {ask: {ko: "자녀가 몇 명입니까?", en: How many children do you have?}, type: int}
eligible:
  - when: rent <= 1000000 || children > 0
    why: {ko: "월세가 100만 원 이하이거나 자녀가 있어야 합니다 ({rent|won})", en: "Rent of at most a million won, or children ({rent|won})"}
    law: 서울특별시 주거 기본 조례
benefit: {amount: "400000", unit: KRW}
documents:
  - {name: {ko: 임대차계약서, en: Lease contract}, upload: true}
  - {name: {ko: 이사 영수증, en: Receipt of the mover}, upload: true}
process: {due: 5 working days, template: two-step-approval}
---
kind: Service
name: rent-of-the-district
title: {ko: 자치구 월세 지원, en: Rent support of the district}
excludes: [youth-housing/youth-rent]
once: person
window: {from: 2026-11-01, to: 2026-12-31}
facts:
  rent: {ask: {ko: "월세가 얼마입니까?", en: How much is the rent?}, term: monthly-rent}
eligible:
  - when: rent > 0
    why: {ko: "월세를 내야 합니다", en: Paying rent}
process: {due: 5 working days}
---
kind: Service
name: birth-gift
title: {ko: 출생 축하금, en: Birth gift}
once: child
once_by: child
facts:
  child: {ask: {ko: "출생신고 번호가 무엇입니까?", en: What is the number of the birth?}, type: string}
eligible:
  - when: child != ""
    why: {ko: "자녀가 있어야 합니다", en: A child}
process: {due: 5 working days}
`

func onBoth(t *testing.T, test func(*testing.T, *town)) {
	for name, address := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "maru.db") },
		"postgres": func(t *testing.T) string { return dbtest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t, address(t))) })
	}
}

func open(t *testing.T, address string) *town {
	t.Helper()
	d, err := db.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	c := &town{clock: clock.NewFake(at(t, "2026-11-30 10:00")), people: map[string]map[string]any{
		"1": {"birth_date": "1999-05-01", "household_size": int64(1), "monthly_income": int64(3_100_000)},
		"2": {"birth_date": "1970-05-01", "household_size": int64(1), "monthly_income": int64(3_100_000)},
	}}
	if c.catalog, err = catalog.Open(t.Context(), d, c.clock.Now, noTables{}, service.Follower{}); err != nil {
		t.Fatal(err)
	}
	files := maps.Clone(city.Manifests())
	files["moving.yaml"] = moving
	c.apply(t, files)
	ring, err := keys.Open(t.TempDir(), "test", nil)
	if err != nil {
		t.Fatal(err)
	}
	c.folder = t.TempDir()
	if c.files, err = blob.OpenFolder(c.folder); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.files.Close() })
	c.Store, err = casework.Open(t.Context(), casework.Options{DB: d, Keys: ring, Files: c.files, Catalog: c.catalog, Services: service.New(c.catalog.Snapshot), Reader: c, Now: c.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *town) apply(t *testing.T, files map[string]string) {
	t.Helper()
	p, err := c.catalog.Plan(t.Context(), catalog.Request{Files: files, Who: identity.Itself("test")})
	if err == nil && manifest.HasErrors(p.Findings) {
		t.Fatal(p.Findings)
	}
	if err == nil {
		_, err = c.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), "")
	}
	if err != nil {
		t.Fatal(err)
	}
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	out, err := time.ParseInLocation("2006-01-02 15:04", text, clock.Seoul)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func citizen(number string) *identity.Principal {
	return &identity.Principal{Kind: identity.Citizen, Account: "citizen-" + number, Person: number}
}

func caseworker(name, agency string) *identity.Principal {
	return &identity.Principal{Kind: identity.Official, Account: name, Name: name, Agency: agency, Roles: []identity.Role{identity.Caseworker}}
}

var (
	housing = caseworker("housing-caseworker", "housing-policy")
	second  = caseworker("housing-second", "housing-policy")
	welfare = caseworker("welfare-caseworker", "welfare")
)

const (
	rent  = "youth-housing/youth-rent"
	grant = "moving/moving-grant"
)

// do does an action to the present version of a case.
func (c *town) do(t *testing.T, who *identity.Principal, id, action string, in casework.ActionInput) *casework.File {
	t.Helper()
	d, err := c.try(t, who, id, action, in)
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	return d
}

func (c *town) try(t *testing.T, who *identity.Principal, id, action string, in casework.ActionInput) (*casework.File, error) {
	t.Helper()
	if in.Version == 0 {
		seen, err := c.Get(t.Context(), who, id)
		if err != nil {
			return nil, err
		}
		in.Version = seen.Version
	}
	return c.Act(t.Context(), who, id, action, in)
}

func (c *town) submit(t *testing.T, who *identity.Principal, services []string, answers registry.Values) *casework.Application {
	t.Helper()
	a, err := c.Submit(t.Context(), who, casework.Submission{Services: services, Answers: answers})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// said is what somebody says, as it comes over HTTP.
func said(t testing.TB, values map[string]any) (out registry.Values) {
	t.Helper()
	text, err := json.Marshal(values)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
