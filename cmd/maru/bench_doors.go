package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/outlet"
)

// How much is measured at the doors.
const (
	doorPackages = 60_000
	doorFeeds    = 50
	doorChanges  = 100_000
	doorRows     = 1_000_000
)

func cityForm(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.signedIn(ctx, 1000)
	if err != nil {
		return "", false, err
	}
	defer g.end()
	text, err := g.ask(ctx, "haneul", http.MethodPost, "/api/v1/me/open-keys", nil)
	if err != nil {
		return "", false, err
	}
	var made struct{ Key string }
	if err := json.Unmarshal(text, &made); err != nil {
		return "", false, err
	}
	speed, err := saturate(ctx, 10*time.Second, func(ctx context.Context, i int) error {
		from := 1 + i*37%600
		_, err := g.answer(ctx, "", http.MethodGet, fmt.Sprintf("/openapi/%s/json/toilets/%d/%d/", made.Key, from, from+99), nil, io.Discard)
		return err
	})
	return fmt.Sprintf("%.0f requests/s", speed), speed >= 2000, err
}

// packageSearches searches 60,000 open datasets, titled like those of the city's catalogue. They are in a catalog without tables: to make those takes minutes, and a search doesn't
// look at them.
func packageSearches(ctx context.Context, b *bench) (string, bool, error) {
	d, err := db.Open(ctx, filepath.Join(b.dir, "packages.db"))
	if err != nil {
		return "", false, err
	}
	defer d.Close()
	c, err := catalog.Open(ctx, d, time.Now)
	if err != nil {
		return "", false, err
	}
	words := strings.Fields("도서관 공원 화장실 주차장 어린이집 하천 대기질 소음 따릉이 버스 지하철 문화행사 체육시설 복지관 경로당 병원 약국 예산 계약 인구 가구 주택 월세 청년 임산부 장애인 상수도 전력 가로수 안심")
	const folder, each = doorPackages / 2, 500 // a plan has at most 50,000 documents
	for first := 0; first < doorPackages; first += folder {
		files := map[string]string{"project.yaml": fmt.Sprintf("kind: Project\nname: packages-%d\ntitle: 사업\n", first)}
		for from := first; from < first+folder; from += each {
			var text strings.Builder
			for i := from; i < from+each; i++ {
				fmt.Fprintf(&text, "---\nkind: Dataset\nname: d%d\ntitle: %s %s 현황 %d\nkey: [id]\nfields:\n  id: {type: int, class: public}\n", i, words[i%len(words)], words[i/7%len(words)], i)
			}
			files[fmt.Sprintf("d%d.yaml", from)] = text.String()
		}
		p, err := c.Plan(ctx, catalog.Request{Who: identity.Itself("bench"), Files: files})
		if err == nil {
			_, err = c.Apply(ctx, p.ID, identity.Itself("bench"), "")
		}
		if err != nil {
			return "", false, err
		}
	}
	mux := http.NewServeMux()
	outlet.New(outlet.Options{Catalog: c.Snapshot, Dated: func(ctx context.Context, n int64) (map[string]catalog.Dates, error) {
		return c.Dates(ctx, "Dataset", n)
	}}).Routes(mux.Handle)
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", false, err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	defer server.Close()
	go func() { _ = server.Serve(l) }() // it ends when it is closed
	took := make([]time.Duration, 0, 500)
	for i := range cap(took) {
		q := url.Values{"q": {words[i%len(words)] + " " + words[i*3%len(words)]}, "rows": {"20"}, "facet.field": {`["organization","tags"]`}}
		began := time.Now()
		res, err := http.Get("http://" + l.Addr().String() + "/ckan/api/3/action/package_search?" + q.Encode())
		if err != nil {
			return "", false, err
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			return "", false, fmt.Errorf("a search: %s %w", res.Status, err)
		}
		if i > 0 { // the first one makes the shelf
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(took[len(took)/2]), ms(p99)), p99 < 50*time.Millisecond, nil
}

// eventsOut imports records into a dataset that 50 follow, each a part of it, and waits until all have had theirs.
func eventsOut(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.signedIn(ctx, 1000)
	if err != nil {
		return "", false, err
	}
	defer g.end()
	provider := "kind: Project\nname: bench-feed\ntitle: bench\nowner: administration\n---\nkind: Dataset\nname: readings\ntitle: bench\nkey: [no]\nfields:\n  no: {type: int, class: internal}\n  zone: {type: int, class: internal, required: true}\n  value: {type: int, class: internal}\n"
	consumer := "kind: Project\nname: bench-hear\ntitle: bench\nowner: housing-policy\n"
	for i := range doorFeeds {
		consumer += fmt.Sprintf("---\nkind: Agreement\nname: a%d\ndataset: bench-feed/readings\npurpose: bench\nbasis: 데이터기반행정법 제10조\nfields: [no, zone, value]\nwhere: record.zone == %d\nsubject: many\nevents: true\nuntil: 2099-12-31\n", i, i)
	}
	for _, text := range []string{provider, consumer} {
		if err := b.apply(ctx, g.client(), map[string]string{"bench.yaml": text}); err != nil {
			return "", false, err
		}
	}
	for i := range doorFeeds {
		if _, err := g.ask(ctx, "register-steward", http.MethodPost, fmt.Sprintf("/api/v1/agreements/bench-hear/a%d/approve", i), map[string]string{"note": "bench"}); err != nil {
			return "", false, err
		}
	}
	path := filepath.Join(b.dir, "readings.csv")
	var rows strings.Builder
	rows.WriteString("no,zone,value\n")
	for i := range doorChanges {
		fmt.Fprintf(&rows, "%d,%d,%d\n", i, i*31%doorFeeds, i%1000)
	}
	if err := os.WriteFile(path, []byte(rows.String()), 0o600); err != nil {
		return "", false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", false, err
	}
	defer f.Close()
	began := time.Now()
	if _, err := (&uploading{client: g.client(), out: io.Discard, file: f}).run(ctx, listed{Project: "bench-feed", Name: "readings"}, false); err != nil {
		return "", false, err
	}
	imported := time.Since(began)
	for i := 0; i < doorFeeds; {
		text, err := g.ask(ctx, "admin", http.MethodGet, fmt.Sprintf("/api/v1/feeds/bench-hear/a%d", i), nil)
		if err != nil {
			return "", false, err
		}
		var stands struct{ Waiting bool }
		if err := json.Unmarshal(text, &stands); err != nil {
			return "", false, err
		}
		if !stands.Waiting {
			i++
			continue
		}
		time.Sleep(20 * time.Millisecond) // until it is asked again
	}
	all := time.Since(began)
	speed := doorChanges / all.Seconds()
	return fmt.Sprintf("%.0f events/s (all had them after %.1f s, the import took %.1f s)", speed, all.Seconds(), imported.Seconds()), speed >= 5000, nil
}

// sourceLoads reads a table of a PostgreSQL server that MARU_BENCH_POSTGRES names: postgres://user@host:port/database, without a password.
func sourceLoads(ctx context.Context, b *bench) (string, bool, error) {
	address := os.Getenv("MARU_BENCH_POSTGRES")
	if address == "" {
		return "not measured: MARU_BENCH_POSTGRES names no server", false, nil
	}
	old, err := sql.Open("pgx", address)
	if err != nil {
		return "", false, err
	}
	defer old.Close()
	for _, statement := range []string{
		"DROP TABLE IF EXISTS maru_bench",
		"CREATE TABLE maru_bench AS SELECT n AS id, 'name ' || n AS name, (n % 25)::text AS district, n * 1.5 AS amount, date '2020-01-01' + (n % 2000)::int AS day, n % 2 = 0 AS flag, now() AS changed FROM generate_series(1, " + fmt.Sprint(doorRows) + ") n",
	} {
		if _, err := old.ExecContext(ctx, statement); err != nil {
			return "", false, fmt.Errorf("make the table: %w", err)
		}
	}
	defer func() { _, _ = old.ExecContext(context.WithoutCancel(ctx), "DROP TABLE maru_bench") }() // it is the bench's own
	settings := filepath.Join(b.dir, "fetch.yaml")
	if err := os.WriteFile(settings, []byte("fetch: [127.0.0.0/8]\n"), 0o600); err != nil {
		return "", false, err
	}
	dir, err := os.MkdirTemp(b.dir, "source-*")
	if err != nil {
		return "", false, err
	}
	s, err := b.start(ctx, "serve", "--data", dir, "--config", settings)
	if err != nil {
		return "", false, err
	}
	defer s.end()
	g := &governed{child: s, tokens: map[string]string{}, http: http.Client{Timeout: time.Minute}}
	began := time.Now()
	if err := b.apply(ctx, g.client(), map[string]string{"bench.yaml": "kind: Project\nname: bench\ntitle: bench\n---\nkind: Dataset\nname: old\ntitle: bench\nkey: [id]\nfields:\n  id: {type: int}\n  name: {type: string}\n  district: {type: string}\n  amount: {type: double}\n  day: {type: date}\n  flag: {type: bool}\n  changed: {type: datetime}\nsource: {database: \"" + address + "\", table: maru_bench, since: changed, schedule: every 1h}\n"}); err != nil {
		return "", false, err
	}
	for {
		var list struct{ Items []importState }
		if err := g.client().get(ctx, "/datasets/bench/old/imports", nil, &list); err != nil {
			return "", false, err
		}
		if len(list.Items) > 0 && list.Items[0].State == "failed" {
			return "", false, fmt.Errorf("the source can't be read: %+v", list.Items[0])
		}
		if len(list.Items) > 0 && list.Items[0].State == "done" {
			speed := float64(list.Items[0].Rows) / time.Since(began).Seconds()
			return fmt.Sprintf("%.0f rows/s (%d rows)", speed, list.Items[0].Rows), speed >= 50_000, nil
		}
		time.Sleep(50 * time.Millisecond) // until it is asked again
	}
}
