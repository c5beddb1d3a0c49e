package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/infer"
	"github.com/maru-city/maru/tabular"
)

// measures are the figures, in the order in which they are taken.
var measures = []measure{
	{"demo-first", "<5 s", "`maru demo` from an empty folder until it says where to look, all 100,000 people in", false, demoFirst},
	{"demo-again", "<5 s", "the same folder again", false, demoAgain},
	{"demo-memory", "<300 MB", "VmHWM of the first start", false, demoMemory},
	{"import", "≥150,000 rows/s", "`maru import` of 1,000,000 rows of ten columns (116 MB) into SQLite, history off, an index, upload included", false, importOff},
	{"import-history", "≥60,000 rows/s", "the same with history on", false, importOn},
	{"infer", "<3 s", "`maru infer` of the same file; it looks at all of the first 200,000 rows and one in ten behind, and says so", false, inferMillion},
	{"list-p99", "<20 ms", "GET records filtered by an indexed field, 100 a page, over 1,000,000 records, 300 requests a second for 20 s, timed from when each was due", false, listP99},
	{"apply-10000", "—", "the first apply of 10,000 resources, 9,999 of them datasets", false, applyMany},
	{"plan-10000", "<1 s", "a plan of one changed document against that catalog", false, planMany},
	{"read-p99", "<10 ms", "POST /reads of one person each of 100,000, with its durable receipt, 500 a second for 20 s, timed from when each was due, SQLite", false, readP99},
	{"read-throughput", "≥2,000 reads/s, ≥50 % of GETs", "the same from 64 places at once for 10 s, beside GET of one record with the same fields of a dataset that is open to all", false, readThroughput},
	{"bulk", "≤1.3×", "POST /reads of all 1,000,000 residents as CSV, identifiers translated, in parts with a receipt each, beside a download of the same records from a dataset that is open to all: no agreement, no receipt", false, bulkRead},
	{"revoke", "<1 s", "how long after the answer to a revocation a read begins that is let through, of 32 at once", false, revokeFelt},
	{"verify-million", "<10 s", "`maru verify` of a log of 1,000,000 receipts over HTTP: every entry hashed, the tree built anew", false, verifyMillion},
	{"source-load", "≥50,000 rows/s", "the first read of a table of 1,000,000 rows of seven columns in PostgreSQL on the same machine, from apply to the end of the import", false, sourceLoads},
	{"replication", "p99 <2 s", "1,000 changes a second for 20 s to rows of a PostgreSQL table on the same machine: until a subscriber of the dataset that is its replica has each as an event, by logical replication, the registry, a receipt and the bus", false, replicated},
	{"events", "≥5,000 events/s", "100,000 records imported into a dataset that 50 follow, each one in 50 of them by a condition: until the last has its events on the bus, receipts and import included", false, eventsOut},
	{"city-form", "≥2,000 requests/s", "/openapi/KEY/json/… of 100 rows each from 64 places at once for 10 s", false, cityForm},
	{"package-search", "<50 ms", "CKAN's package_search with two words and facets over 60,000 open datasets, in a catalog without tables", false, packageSearches},
	{"check-500", "<2 ms, 50 services <0.3 ms", "one person of whom all is known against 500 services of four clauses each, and against 50, in the process, on one core, without reasons; the goal is the median’s", false, check500},
	{"wizard", "<30 ms", "the page of a check after an answer, by somebody who isn't signed in, 500 times one after the other", false, wizard},
	{"submission", "p99 <100 ms", "POST /applications for five services, their facts read by an agreement with a receipt, one after the other", false, submissions},
	{"applications", "50/s, none lost", "50 applications a second for a minute, each by another person with their facts read by an agreement, in the process; then each person's cases counted", false, applications},
	{"receipts-page", "<50 ms", "the page /my of somebody who stands in one of 10,000 of 10,000,000 receipts", true, receiptsPage},
	{"import-5gb", "<200 MB", "VmHWM of a server after it has imported a CSV of 5 GB, history off", true, importHuge},
}

func demoFirst(ctx context.Context, b *bench) (string, bool, error) {
	c, err := b.start(ctx, "demo", "--data", filepath.Join(b.dir, "demo"))
	if err != nil {
		return "", false, err
	}
	defer c.end()
	b.demoMB, err = c.peakMB()
	return fmt.Sprintf("%.1f s", c.ready.Seconds()), c.ready < 5*time.Second, err
}

func demoAgain(ctx context.Context, b *bench) (string, bool, error) {
	c, err := b.start(ctx, "demo", "--data", filepath.Join(b.dir, "demo"))
	if err != nil {
		return "", false, err
	}
	defer c.end()
	return fmt.Sprintf("%.2f s", c.ready.Seconds()), c.ready < 5*time.Second, nil
}

func demoMemory(ctx context.Context, b *bench) (string, bool, error) {
	if b.demoMB == 0 {
		if _, _, err := demoFirst(ctx, b); err != nil {
			return "", false, err
		}
	}
	return fmt.Sprintf("%d MB", b.demoMB), b.demoMB < 300, nil
}

// million is the file that several measures share.
func (b *bench) million() (path string, rows int64, err error) {
	const n = 1_000_000
	path = filepath.Join(b.dir, fmt.Sprintf("ten-%d-%d.csv", n, 0))
	if _, err := os.Stat(path); err == nil {
		return path, n, nil
	}
	return b.tenColumns(n, 0)
}

// dataset applies a dataset of ten columns at a server.
func (b *bench) dataset(ctx context.Context, c *client, history bool) error {
	return b.apply(ctx, c, map[string]string{"bench.yaml": "kind: Project\nname: bench\ntitle: bench\n---\n" + ten("ten", history)})
}

func (b *bench) apply(ctx context.Context, c *client, files map[string]string) error {
	p, err := c.plan(ctx, nil, planRequest{Files: files})
	if err != nil {
		return err
	}
	return c.call(ctx, http.MethodPost, "/plans/"+p.ID+"/apply", map[string]string{}, &json.RawMessage{})
}

// load imports a file at a server of its own and tells rows a second.
func (b *bench) load(ctx context.Context, path string, history bool, after func(*child, *client) error) (float64, error) {
	dir, err := os.MkdirTemp(b.dir, "serve-*")
	if err != nil {
		return 0, err
	}
	s, err := b.start(ctx, "serve", "--data", dir)
	if err != nil {
		return 0, err
	}
	defer s.end()
	c, err := newClient(s.address, lang.En)
	if err != nil {
		return 0, err
	}
	if err := b.dataset(ctx, c, history); err != nil {
		return 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	began := time.Now()
	state, err := (&uploading{client: c, out: io.Discard, file: f}).run(ctx, listed{Project: "bench", Name: "ten"}, false)
	if err != nil {
		return 0, err
	}
	if state.Loaded != state.Rows || state.Rows == 0 {
		return 0, fmt.Errorf("not all rows came in: %+v", state)
	}
	speed := float64(state.Rows) / time.Since(began).Seconds()
	if after != nil {
		err = after(s, c)
	}
	return speed, err
}

func (b *bench) importSpeed(ctx context.Context, history bool, goal float64) (string, bool, error) {
	path, _, err := b.million()
	if err != nil {
		return "", false, err
	}
	speed, err := b.load(ctx, path, history, nil)
	return fmt.Sprintf("%.0f rows/s", speed), speed >= goal, err
}

func importOff(ctx context.Context, b *bench) (string, bool, error) {
	return b.importSpeed(ctx, false, 150_000)
}

func importOn(ctx context.Context, b *bench) (string, bool, error) {
	return b.importSpeed(ctx, true, 60_000)
}

func inferMillion(_ context.Context, b *bench) (string, bool, error) {
	path, _, err := b.million()
	if err != nil {
		return "", false, err
	}
	began := time.Now()
	if _, err := draftFile(path, tabular.Options{}, infer.Options{}); err != nil {
		return "", false, err
	}
	took := time.Since(began)
	return fmt.Sprintf("%.1f s", took.Seconds()), took < 3*time.Second, nil
}

func listP99(ctx context.Context, b *bench) (result string, met bool, err error) {
	path, _, err := b.million()
	if err != nil {
		return "", false, err
	}
	_, err = b.load(ctx, path, false, func(s *child, _ *client) error {
		took, err := openLoop(ctx, s.address, 300, 20*time.Second)
		if err != nil {
			return err
		}
		slices.Sort(took)
		p99 := took[len(took)*99/100]
		result, met = fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(took[len(took)/2]), ms(p99)), p99 < 20*time.Millisecond
		return nil
	})
	return result, met, err
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// openLoop asks at even times, whether answers come or not, and measures each from when it was due.
func openLoop(ctx context.Context, server string, perSecond int, during time.Duration) ([]time.Duration, error) {
	client := http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}, Timeout: 30 * time.Second}
	n := int(during.Seconds()) * perSecond
	took, errs := make([]time.Duration, n), make([]error, n)
	began := time.Now().Add(100 * time.Millisecond)
	var wait sync.WaitGroup
	for i := range n {
		due := began.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		wait.Go(func() {
			time.Sleep(time.Until(due))
			filter := fmt.Sprintf("district == %q", fmt.Sprint(11110+30*(i%25)))
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/datasets/bench/ten/records?limit=100&filter="+url.QueryEscape(filter), nil)
			if err != nil {
				errs[i] = err
				return
			}
			res, err := client.Do(req)
			if err != nil {
				errs[i] = err
				return
			}
			defer res.Body.Close()
			if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
				errs[i] = fmt.Errorf("%s: %w", res.Status, err)
			}
			took[i] = time.Since(due)
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return took, nil
}

// many are the manifests of a large catalog.
func many(changed bool) map[string]string {
	files := map[string]string{"p.yaml": "kind: Project\nname: bench\ntitle: bench\n"}
	for i := range 9_999 {
		title := "자료"
		if changed && i == 5_000 {
			title = "바뀐 자료"
		}
		files[fmt.Sprintf("d%d.yaml", i)] = fmt.Sprintf("kind: Dataset\nname: d%d\ntitle: %s\nkey: [id]\nfields:\n  id: {type: int}\n  name: {type: string}\n", i, title)
	}
	return files
}

func (b *bench) manyServer(ctx context.Context) error {
	if b.manyAt != nil {
		return nil
	}
	s, err := b.start(ctx, "serve", "--data", filepath.Join(b.dir, "many"))
	if err != nil {
		return err
	}
	defer s.end()
	c, err := newClient(s.address, lang.En)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := b.apply(ctx, c, many(false)); err != nil {
		return err
	}
	applied := time.Since(began)
	b.manyAt = &[2]time.Duration{applied}
	began = time.Now()
	p, err := c.plan(ctx, nil, planRequest{Files: many(true)})
	if err != nil {
		return err
	}
	if len(p.Changes) != 1 {
		return fmt.Errorf("%d changes", len(p.Changes))
	}
	b.manyAt[1] = time.Since(began)
	return nil
}

func applyMany(ctx context.Context, b *bench) (string, bool, error) {
	if err := b.manyServer(ctx); err != nil {
		return "", false, err
	}
	return fmt.Sprintf("%.1f s", b.manyAt[0].Seconds()), true, nil
}

func planMany(ctx context.Context, b *bench) (string, bool, error) {
	if err := b.manyServer(ctx); err != nil {
		return "", false, err
	}
	return fmt.Sprintf("%.2f s", b.manyAt[1].Seconds()), b.manyAt[1] < time.Second, nil
}

func importHuge(ctx context.Context, b *bench) (result string, met bool, err error) {
	path, _, err := b.tenColumns(0, 5<<30)
	if err != nil {
		return "", false, err
	}
	defer os.Remove(path)
	speed, err := b.load(ctx, path, false, func(s *child, _ *client) error {
		mb, err := s.peakMB()
		result, met = fmt.Sprintf("%d MB", mb), mb < 200
		return err
	})
	return fmt.Sprintf("%s (%.0f rows/s)", result, speed), met, err
}
