package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/keys"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/ledger"
)

// governed is a demo whose housing office may read the resident register without a limit: one person at a time, and all at once.
type governed struct {
	*child
	tokens   map[string]string
	http     http.Client
	subjects []string // the people, as the project bench knows them
}

const benchAgreements = `kind: Project
name: bench
title: bench
owner: housing-policy
---
kind: Agreement
name: one
dataset: resident-registry/residents
purpose: bench
basis: 전자정부법 제36조
fields: [person, birth_date, address, household_size]
masks: {address: district}
subject: one
until: 2099-12-31
---
kind: Agreement
name: all
dataset: resident-registry/residents
purpose: bench
basis: 전자정부법 제36조
fields: [person, birth_date, address, household_size]
masks: {address: district}
subject: many
until: 2099-12-31
---
kind: Dataset
name: copy
title: bench
key: [person]
history: false
fields:
  person:         {type: string, class: public, basis: made up for the bench}
  birth_date:     {type: string, class: public, basis: made up for the bench}
  address:        {type: string, class: public, basis: made up for the bench}
  household_size: {type: int, class: public, basis: made up for the bench}
`

// governed starts such a demo. A second one of as many residents goes on with what the first had.
func (b *bench) governed(ctx context.Context, residents int) (*governed, error) {
	g, err := b.signedIn(ctx, residents)
	if err != nil {
		return nil, err
	}
	people := filepath.Join(b.dir, fmt.Sprintf("people-%d.csv", residents))
	text, err := os.ReadFile(people)
	if os.IsNotExist(err) {
		if err = g.agree(ctx, b); err == nil {
			text, err = g.copy(ctx, people)
		}
	}
	if err != nil {
		g.end()
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if person, _, _ := strings.Cut(line, ","); person != "person" {
			g.subjects = append(g.subjects, person)
		}
	}
	return g, nil
}

// signedIn starts the demo, with what it had when it ended, and gets tokens of those who take part.
func (b *bench) signedIn(ctx context.Context, residents int, more ...string) (*governed, error) {
	s, err := b.start(ctx, append([]string{"demo", "--data", filepath.Join(b.dir, fmt.Sprintf("governed-%d", residents)), "--residents", fmt.Sprint(residents), "--events", "127.0.0.1:0"}, more...)...)
	if err != nil {
		return nil, err
	}
	g := &governed{child: s, tokens: map[string]string{}, http: http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512}, Timeout: 10 * time.Minute}}
	for _, who := range []string{"admin", "register-steward", "privacy-officer", "housing-caseworker", "housing-app", "haneul"} {
		if g.tokens[who], err = g.client().demoToken(ctx, who); err != nil {
			s.end()
			return nil, err
		}
	}
	return g, nil
}

func (g *governed) client() *client {
	return &client{server: g.address, reader: lang.En, token: g.tokens["admin"], http: http.Client{Timeout: time.Minute}}
}

// agree makes the agreements and approves them.
func (g *governed) agree(ctx context.Context, b *bench) error {
	if err := b.apply(ctx, g.client(), map[string]string{"bench.yaml": benchAgreements}); err != nil {
		return err
	}
	for _, agreement := range []string{"one", "all"} {
		for _, who := range []string{"register-steward", "privacy-officer"} {
			if _, err := g.ask(ctx, who, http.MethodPost, "/api/v1/agreements/bench/"+agreement+"/approve", map[string]string{"note": "bench"}); err != nil {
				return err
			}
		}
	}
	return nil
}

// copy reads all people into a file, and puts them into a dataset that is open to all: what is read of it needs no agreement and has no receipt.
func (g *governed) copy(ctx context.Context, path string) ([]byte, error) {
	text, err := g.ask(ctx, "housing-caseworker", http.MethodPost, "/api/v1/reads", map[string]any{"agreement": "bench/all", "purpose": "bench", "as": "csv"})
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	state, err := (&uploading{client: g.client(), out: io.Discard, file: f}).run(ctx, listed{Project: "bench", Name: "copy"}, false)
	if err == nil && (state.Loaded != state.Rows || state.Rows == 0) {
		err = fmt.Errorf("not all people came in: %+v", state)
	}
	return text, err
}

// ask asks as somebody and gives the answer's body.
func (g *governed) ask(ctx context.Context, who, method, path string, in any) ([]byte, error) {
	var out bytes.Buffer
	_, err := g.answer(ctx, who, method, path, in, &out)
	return out.Bytes(), err
}

func (g *governed) answer(ctx context.Context, who, method, path string, in any, out io.Writer) (int64, error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, g.address+path, body)
	if err != nil {
		return 0, err
	}
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+g.tokens[who])
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := g.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1000))
		return 0, fmt.Errorf("%s %s: %s: %s", method, path, res.Status, text)
	}
	return io.Copy(out, res.Body)
}

func (g *governed) readOne(ctx context.Context, i int) error {
	subject := g.subjects[(i*7919)%len(g.subjects)]
	_, err := g.answer(ctx, "housing-caseworker", http.MethodPost, "/api/v1/reads", map[string]string{"agreement": "bench/one", "purpose": "bench", "subject": subject}, io.Discard)
	return err
}

func (g *governed) getOne(ctx context.Context, i int) error {
	_, err := g.answer(ctx, "housing-caseworker", http.MethodGet, "/api/v1/datasets/bench/copy/records/"+g.subjects[(i*7919)%len(g.subjects)], nil, io.Discard)
	return err
}

func readP99(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.governed(ctx, 100_000)
	if err != nil {
		return "", false, err
	}
	defer g.end()
	const perSecond = 500
	took, errs := make([]time.Duration, 20*perSecond), make([]error, 20*perSecond)
	began := time.Now().Add(100 * time.Millisecond)
	var wait sync.WaitGroup
	for i := range took {
		due := began.Add(time.Duration(i) * time.Second / perSecond)
		wait.Go(func() {
			time.Sleep(time.Until(due))
			errs[i] = g.readOne(ctx, i)
			took[i] = time.Since(due)
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return "", false, err
		}
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(took[len(took)/2]), ms(p99)), p99 < 10*time.Millisecond, nil
}

// saturate does something over and over in 64 places, and tells how often a second.
func saturate(ctx context.Context, during time.Duration, do func(ctx context.Context, i int) error) (float64, error) {
	var n atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	for range 64 {
		group.Go(func() error {
			for time.Since(began) < during {
				if err := do(ctx, int(n.Add(1))); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(n.Load()) / time.Since(began).Seconds(), err
}

func readThroughput(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.governed(ctx, 100_000)
	if err != nil {
		return "", false, err
	}
	defer g.end()
	plain, err := saturate(ctx, 10*time.Second, g.getOne)
	if err != nil {
		return "", false, err
	}
	reads, err := saturate(ctx, 10*time.Second, g.readOne)
	return fmt.Sprintf("%.0f reads/s, %.0f %% of %.0f GETs/s", reads, 100*reads/plain, plain), reads >= 2000 && reads >= plain/2, err
}

// revokeFelt is how long after an agreement is revoked somebody still reads by it, while many do.
func revokeFelt(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.governed(ctx, 1000)
	if err != nil {
		return "", false, err
	}
	defer g.end()
	var last atomic.Int64 // when a read that was answered with data began, in ns
	var group errgroup.Group
	refused := errors.New("refused")
	for i := range 32 {
		group.Go(func() error {
			for began := time.Now(); ; began = time.Now() {
				err := g.readOne(ctx, i)
				switch {
				case err == nil:
					for was := last.Load(); was < began.UnixNano() && !last.CompareAndSwap(was, began.UnixNano()); was = last.Load() {
					}
				case strings.Contains(err.Error(), "agreement.revoked"):
					return refused
				default:
					return err
				}
			}
		})
	}
	time.Sleep(2 * time.Second)
	asked := time.Now()
	if _, err := g.ask(ctx, "privacy-officer", http.MethodPost, "/api/v1/agreements/bench/one/revoke", map[string]string{"note": "bench"}); err != nil {
		return "", false, err
	}
	answered := time.Now()
	if err := group.Wait(); !errors.Is(err, refused) {
		return "", false, err
	}
	felt := time.Unix(0, last.Load()).Sub(answered)
	return fmt.Sprintf("%.0f ms (the revocation took %.0f ms)", ms(max(felt, 0)), ms(answered.Sub(asked))), felt < time.Second, nil
}

func bulkRead(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.governed(ctx, 1_000_000)
	if err != nil {
		return "", false, err
	}
	defer g.end()
	once := func(who, method, path string, in any) (time.Duration, error) {
		began := time.Now()
		n, err := g.answer(ctx, who, method, path, in, io.Discard)
		if err == nil && n < 10_000_000 {
			err = fmt.Errorf("only %d bytes came", n)
		}
		return time.Since(began), err
	}
	var plain, read time.Duration
	for range 2 { // the second time counts
		if plain, err = once("housing-caseworker", http.MethodGet, "/api/v1/datasets/bench/copy/records?as=csv", nil); err != nil {
			return "", false, err
		}
		if read, err = once("housing-caseworker", http.MethodPost, "/api/v1/reads", map[string]string{"agreement": "bench/all", "purpose": "bench", "as": "csv"}); err != nil {
			return "", false, err
		}
	}
	ratio := read.Seconds() / plain.Seconds()
	return fmt.Sprintf("%.2f× (%.1f s, plain %.1f s)", ratio, read.Seconds(), plain.Seconds()), ratio <= 1.3, nil
}

// logged makes a log of n receipts of reads about people at random, about the person of a number every now and then, in the folder of a server.
func logged(ctx context.Context, folder string, n int, subject int64) error {
	d, err := db.Open(ctx, filepath.Join(folder, "maru.db"))
	if err != nil {
		return err
	}
	defer d.Close()
	ring, err := keys.Open(filepath.Join(folder, "keys"), "maru/log", nil)
	if err != nil {
		return err
	}
	log, err := ledger.Open(ctx, d, ring.Signer(), ring.Verifier(), time.Now)
	if err != nil {
		return err
	}
	defer log.Close()
	group, ctx := errgroup.WithContext(ctx)
	var at atomic.Int64
	for range 512 {
		group.Go(func() error {
			for i := at.Add(1); i <= int64(n); i = at.Add(1) {
				about := 1000 + rand.Int64N(9_000_000)
				if i%10_000 == 0 {
					about = int64(ring.Alias(uint32(subject)))
				}
				_, err := log.Append(ctx, ledger.Entry{
					Public: exchange.Public{
						Kind: "read", At: time.Now().UTC(), Agreement: "bench/one", Version: 1, Dataset: "resident-registry/residents", Revision: 2, Consumer: "bench", Agency: "housing-policy",
						Provider: "administration", Purpose: "bench", Basis: "전자정부법 제36조", Fields: []string{"person", "birth_date", "address", "household_size"}, Records: 1, People: 1,
					},
					Private: exchange.Private{Salt: fmt.Sprint(rand.Uint64()), Subject: about, Actor: "housing-caseworker"}, Subject: about,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

func verifyMillion(ctx context.Context, b *bench) (string, bool, error) {
	folder := filepath.Join(b.dir, "log")
	first, err := b.start(ctx, "serve", "--data", folder)
	if err != nil {
		return "", false, err
	}
	first.end()
	const n = 1_000_000
	began := time.Now()
	if err := logged(ctx, folder, n, 1); err != nil {
		return "", false, err
	}
	appended := time.Since(began)
	s, err := b.start(ctx, "serve", "--data", folder)
	if err != nil {
		return "", false, err
	}
	defer s.end()
	c, err := newClient(s.address, lang.En)
	if err != nil {
		return "", false, err
	}
	key, err := c.logFile(ctx, "key")
	if err != nil {
		return "", false, err
	}
	began = time.Now()
	now, _, err := ledger.VerifyAll(ctx, c.logFile, strings.TrimSpace(string(key)), nil, func(_, _ int64) {})
	took := time.Since(began)
	if err == nil && now.Size != n {
		err = fmt.Errorf("%d receipts", now.Size)
	}
	return fmt.Sprintf("%.1f s (appended in %.0f s)", took.Seconds(), appended.Seconds()), took < 10*time.Second, err
}

func receiptsPage(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.signedIn(ctx, 1000)
	if err != nil {
		return "", false, err
	}
	g.end()
	if err := logged(ctx, filepath.Join(b.dir, "governed-1000"), 10_000_000, 1); err != nil {
		return "", false, err
	}
	if g, err = b.signedIn(ctx, 1000); err != nil {
		return "", false, err
	}
	defer g.end()
	var took []time.Duration
	for range 200 {
		began := time.Now()
		text, err := g.ask(ctx, "haneul", http.MethodGet, "/my", nil)
		if err != nil {
			return "", false, err
		}
		if !bytes.Contains(text, []byte("/my/receipts/")) {
			return "", false, fmt.Errorf("the page has no receipts")
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	p99 := took[len(took)*99/100]
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(took[len(took)/2]), ms(p99)), p99 < 50*time.Millisecond, nil
}
