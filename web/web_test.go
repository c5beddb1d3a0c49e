package web_test

import (
	"context"
	"fmt"
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
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/ledger"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/outlet"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
	"github.com/maru-city/maru/source"
	"github.com/maru-city/maru/web"
	"github.com/maru-city/maru/web/console"
)

// now is the tests' present.
var now = time.Date(2026, 11, 24, 9, 30, 0, 0, manifest.Seoul)

// place is a catalog with the registry of its records and the exchange.
type place struct {
	doors *outlet.Store
	*catalog.Catalog
	db       *db.DB
	registry *registry.Registry
	exchange *exchange.Exchange
	ring     *keys.Ring
	log      *ledger.Log
	people   []int64 // whom the resident register knows; some stand there often
	sources  *source.Reader
	services *service.Services
	cases    *casework.Store
}

// StartImport implements registry.Work: at once.
func (c *place) StartImport(id int64) {
	if err := c.registry.Run(context.Background(), id, c.Snapshot().Dataset); err != nil {
		panic(err)
	}
}

// StartSource implements registry.Work: at once.
func (c *place) StartSource(ctx context.Context, project, dataset string) error {
	_, _, err := c.registry.ReadSource(ctx, c.sources, c.Snapshot().Dataset, project, dataset)
	return err
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
	ring, err := keys.Open(t.TempDir(), "test/log", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := registry.Open(t.Context(), d, files, ring, clock)
	if err != nil {
		t.Fatal(err)
	}
	log, err := ledger.Open(t.Context(), d, ring.Signer(), ring.Verifier(), clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = log.Close() })
	doors, err := outlet.OpenKeys(t.Context(), d, clock)
	if err != nil {
		t.Fatal(err)
	}
	p := &place{doors: doors, db: d, registry: r, ring: ring, log: log}
	p.exchange, err = exchange.Open(t.Context(), exchange.Options{DB: d, Registry: r, Log: log, Keys: ring, Now: clock, Catalog: func() *catalog.Snapshot { return p.Snapshot() }, Refresh: func(ctx context.Context) error { return p.Catalog.Refresh(ctx) }})
	if err != nil {
		t.Fatal(err)
	}
	if p.Catalog, err = catalog.Open(t.Context(), d, clock, r, p.exchange, service.Follower{}); err != nil {
		t.Fatal(err)
	}
	p.services = service.New(p.Snapshot)
	p.cases, err = casework.Open(t.Context(), casework.Options{DB: d, Keys: ring, Files: files, Catalog: p.Catalog, Services: p.services, Reader: p.exchange, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// apply makes files the next revision.
func apply(t testing.TB, c *place, files map[string]string, message string) {
	t.Helper()
	p, err := c.Plan(t.Context(), catalog.Request{Files: files, Who: identity.Itself("governance-officer")})
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

// settled is the demo city with a few hundred people. Its agreements wait for approval.
func settled(t testing.TB) *place {
	t.Helper()
	c := empty(t)
	apply(t, c, city.Manifests(), "시연용 도시")
	people := city.People(1, 300, now).Identified(func(project, kind string, number int64) string {
		id, err := c.exchange.Pseudonym(project, kind, number)
		if err != nil {
			t.Fatal(err)
		}
		if project == "resident-registry" && kind == "person" {
			c.people = append(c.people, number)
		}
		return id
	})
	for _, data := range people.Datasets() {
		project, name, _ := strings.Cut(data.Dataset, "/")
		if _, err := c.registry.Load(t.Context(), registry.By{Actor: "demo", Via: "demo"}, c.Snapshot().Dataset(project, name), "seed 1", data.Columns, data.Rows); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// demo is the demo city with a second revision that changes a dataset, some imports, an agreement that holds and reads by it.
func demo(t testing.TB) *place {
	t.Helper()
	c := settled(t)
	apply(t, c, changed(t, city.Manifests()), "공중화장실의 설명을 고치고 변기 수를 비울 수 있게 한다")
	const columns = "facility_no,name,district,address,latitude,longitude,opening_hours,stalls,accessible\n"
	c.finish(t, c.upload(t, "toilets.csv", columns+"T9901,하늘 화장실,11110,하늘길 1,37.5,127.0,00:00~24:00,3,true\nT9902,바람 화장실,99999,바람길 2,37.5,127.0,늘,-1,true\n"))
	c.finish(t, c.upload(t, "parks.csv", "공원명,면적\n하늘공원,1200\n"))
	c.approve(t, "residents")
	for range 3 {
		c.read(t, "residents", haneul)
	}
	return c
}

// Those who take part. haneul is the first of the demo's people.
var (
	keeper  = identity.Itself("test")
	haneul  = citizen(1)
	minjun  = citizen(17) // whose child was born three weeks ago
	steward = &identity.Principal{Kind: identity.Official, Account: "register-steward", Name: "주민등록 데이터 관리자", Agency: "administration", Roles: []identity.Role{identity.Steward}}
	incomes = &identity.Principal{Kind: identity.Official, Account: "income-steward", Name: "소득 데이터 관리자", Agency: "finance", Roles: []identity.Role{identity.Steward}}
	privacy = &identity.Principal{Kind: identity.Official, Account: "privacy-officer", Name: "개인정보 보호책임자", Agency: "planning", Roles: []identity.Role{identity.Privacy}}
	author  = &identity.Principal{Kind: identity.Official, Account: "housing-author", Name: "주택정책과 작성자", Agency: "housing-policy", Roles: []identity.Role{identity.Author}}
	housing = &identity.Principal{Kind: identity.Service, Account: "housing-app", Name: "청년 주거 지원 시스템", Project: "youth-housing"}

	welfare    = &identity.Principal{Kind: identity.Official, Account: "welfare-caseworker", Name: "복지실 담당자", Agency: "welfare", Roles: []identity.Role{identity.Caseworker}}
	caseworker = &identity.Principal{Kind: identity.Official, Account: "housing-caseworker", Name: "주택정책과 담당자", Agency: "housing-policy", Roles: []identity.Role{identity.Caseworker}}
)

func citizen(number int64) *identity.Principal {
	return &identity.Principal{Kind: identity.Citizen, Account: fmt.Sprint("citizen-", number), Name: "김하늘", Person: fmt.Sprint(number)}
}

// approve makes an agreement of the housing office active.
func (c *place) approve(t testing.TB, agreement string) {
	t.Helper()
	c.approveOf(t, "youth-housing", agreement)
}

func (c *place) approveOf(t testing.TB, project, agreement string) {
	t.Helper()
	for _, who := range []*identity.Principal{steward, incomes, privacy} {
		s, _, err := c.exchange.Agreement(t.Context(), project, agreement)
		if err != nil {
			t.Fatal(err)
		}
		if s.Waits == nil || !c.exchange.Mine(who, s.Waits) {
			continue
		}
		if _, err := c.exchange.Act(t.Context(), who, project, agreement, exchange.Approve, "확인했습니다", ""); err != nil {
			t.Fatal(err)
		}
	}
}

// read reads of a citizen by an agreement of the housing office.
func (c *place) read(t testing.TB, agreement string, who *identity.Principal) {
	t.Helper()
	id, err := c.exchange.Pseudonym("youth-housing", "person", exchange.Person(who.Person))
	if err != nil {
		t.Fatal(err)
	}
	records, _, err := c.exchange.One(t.Context(), housing, exchange.Request{Agreement: agreement, Purpose: "eligibility", Subject: id})
	if err != nil || len(records) != 1 {
		t.Fatalf("%d records: %v", len(records), err)
	}
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

// handler is the pages over a catalog and records, for somebody.
func handler(c *place, r console.Records, who *identity.Principal) http.Handler {
	return handlerWith(c, r, c.exchange, who)
}

func handlerWith(c *place, r console.Records, x web.Exchange, who *identity.Principal) http.Handler {
	return identity.As(who, web.New(web.Options{
		Demo: true, City: lang.T("하늘시", "Haneul City"), Version: "test", Catalog: c, Records: r, Work: c, Exchange: x, Requests: c.doors, Services: c.services, Cases: c.cases, Now: func() time.Time { return now },
	}))
}

// serve starts a server of the pages; with records, these in place of the registry's own.
func serve(t testing.TB, c *place, r ...console.Records) *httptest.Server {
	t.Helper()
	return serveTo(t, c, keeper, r...)
}

// serveTo starts a server of the pages for somebody.
func serveTo(t testing.TB, c *place, who *identity.Principal, r ...console.Records) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(handler(c, append(r, c.registry)[0], who))
	t.Cleanup(s.Close)
	return s
}

// servers starts a server of the pages for an official and one for a citizen, and tells the address of the one whose page a path is.
func servers(t testing.TB, c *place) func(path string) string {
	t.Helper()
	official, citizen := serve(t, c).URL, serveTo(t, c, haneul).URL
	return func(path string) string {
		if strings.HasPrefix(path, "/my") {
			return citizen
		}
		return official
	}
}

// client doesn't follow redirects.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
