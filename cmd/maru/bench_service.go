package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
)

// benchService is the youth rent support once more, under a number.
func benchService(n int, born, size string) string {
	return fmt.Sprintf(`kind: Service
name: rent-%d
title: bench
facts:
  birth_date:       {%s}
  household_size:   {%s}
  household_income: {ask: bench, term: insurance-income}
  monthly_rent:     {ask: bench, term: monthly-rent}
params: {cap: 200_000, income_ratio: 1.5}
eligible:
  - {when: age(birth_date) >= 0 && age(birth_date) <= 139, why: "{age(birth_date)}"}
  - {when: household_size >= 1, why: "{household_size}"}
  - {when: household_income <= won(params.income_ratio * median_income(household_size)), why: "{household_income|won}"}
  - {when: monthly_rent > 0, why: "{monthly_rent|won}"}
benefit: {amount: "min(monthly_rent, params.cap)", unit: KRW/month, months: 12}
process: {due: 14 working days, template: review-and-pay}
`, n, born, size)
}

// check500 looks at 500 services, and at 50, for one person, on one core.
func check500(ctx context.Context, b *bench) (string, bool, error) {
	d, err := db.Open(ctx, filepath.Join(b.dir, "services.db"))
	if err != nil {
		return "", false, err
	}
	defer d.Close()
	c, err := catalog.Open(ctx, d, time.Now)
	if err != nil {
		return "", false, err
	}
	files := map[string]string{"bench/project.yaml": "kind: Project\nname: bench\ntitle: bench\nowner: housing-policy\n"}
	for name, text := range city.Manifests() {
		if strings.HasPrefix(name, "city-standards/") {
			files[name] = text
		}
	}
	for i := range 500 {
		files[fmt.Sprintf("bench/%d.yaml", i)] = benchService(i, "ask: bench, term: birth-date", "ask: bench, term: household-size")
	}
	p, err := c.Plan(ctx, catalog.Request{Who: identity.Itself("bench"), Files: files})
	if err == nil {
		_, err = c.Apply(ctx, p.ID, identity.Itself("bench"), "")
	}
	if err != nil {
		return "", false, err
	}
	list := service.New(c.Snapshot).List()
	if len(list) != 500 {
		return "", false, fmt.Errorf("%d services, not 500", len(list))
	}
	known := map[string]any{"birth_date": "1999-05-01", "household_size": int64(1), "household_income": int64(3_100_000), "monthly_rent": int64(450_000)}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	round := func(some []*service.Service) (string, time.Duration, error) {
		took := make([]time.Duration, 1000)
		runtime.GC() // what the catalog left behind isn't the services'
		for i := range took {
			began := time.Now()
			for _, one := range some {
				if one.Outcome(known, "2026-11-28") != service.Yes {
					return "", 0, fmt.Errorf("%s says no", one.Path())
				}
			}
			took[i] = time.Since(began)
		}
		slices.Sort(took)
		p50, p99 := took[len(took)/2], took[len(took)*99/100]
		return fmt.Sprintf("p50 %.2f ms, p99 %.2f ms", ms(p50), ms(p99)), p50, nil
	}
	textAll, all, err := round(list)
	if err != nil {
		return "", false, err
	}
	textFew, few, err := round(list[:50])
	return fmt.Sprintf("500: %s; 50: %s", textAll, textFew), all < 2*time.Millisecond && few < 300*time.Microsecond, err
}

// offered starts a demo with five services whose facts come by an approved agreement.
func (b *bench) offered(ctx context.Context, residents int) (*governed, error) {
	g, err := b.governed(ctx, residents)
	if err != nil {
		return nil, err
	}
	files := map[string]string{"bench.yaml": benchAgreements}
	for i := range 5 {
		files["bench.yaml"] += "---\n" + benchService(i, "from: one", "from: one")
	}
	if err := b.apply(ctx, g.client(), files); err != nil {
		g.end()
		return nil, err
	}
	return g, nil
}

// fiveServices are what is applied for.
var fiveServices = []string{"bench/rent-0", "bench/rent-1", "bench/rent-2", "bench/rent-3", "bench/rent-4"}

// spread is p50 and p99 of times, sorted here.
func spread(took []time.Duration) (text string, p99 time.Duration) {
	slices.Sort(took)
	p99 = took[len(took)*99/100]
	return fmt.Sprintf("p50 %.1f ms, p99 %.1f ms", ms(took[len(took)/2]), ms(p99)), p99
}

// submissions hands in applications that open five cases each, one after the other, and takes them back in between.
func submissions(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.offered(ctx, 100_000)
	if err != nil {
		return "", false, err
	}
	defer g.end()
	in := map[string]any{"services": fiveServices, "answers": map[string]any{"household_income": 2_000_000, "monthly_rent": 450_000}}
	took := make([]time.Duration, 90) // one may apply a hundred times a day
	for i := range took {
		began := time.Now()
		text, err := g.ask(ctx, "haneul", http.MethodPost, "/api/v1/applications", in)
		took[i] = time.Since(began)
		if err != nil {
			return "", false, err
		}
		var made casework.Application
		if err := json.Unmarshal(text, &made); err != nil || len(made.Cases) != 5 {
			return "", false, fmt.Errorf("%d cases: %w", len(made.Cases), err)
		}
		for _, c := range made.Cases {
			if _, err := g.ask(ctx, "haneul", http.MethodPost, "/api/v1/cases/"+c.ID+"/withdraw", map[string]int64{"version": c.Version}); err != nil {
				return "", false, err
			}
		}
	}
	text, p99 := spread(took)
	return text, p99 < 100*time.Millisecond, nil
}

// applications hands in 50 applications a second for a minute, each by somebody else, and counts what is there then.
func applications(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.offered(ctx, 100_000)
	if err != nil {
		return "", false, err
	}
	g.end()
	data := filepath.Join(b.dir, "governed-100000")
	s, err := open(ctx, config{Data: data, Database: filepath.Join(data, "maru.db"), Keys: filepath.Join(data, "keys"), Log: "maru/log", Demo: true, seed: 1, residents: 100_000}, "127.0.0.1:0")
	if err != nil {
		return "", false, err
	}
	defer s.Close()
	const perSecond, seconds = 50, 60
	took, errs := make([]time.Duration, perSecond*seconds), make([]error, perSecond*seconds)
	person := func(i int) *identity.Principal {
		return &identity.Principal{Kind: identity.Citizen, Account: "bench", Person: strconv.Itoa(1000 + i)}
	}
	answers := registry.Values{"household_size": "1", "birth_date": "1999-05-01", "household_income": "1000000", "monthly_rent": "450000"}
	began := time.Now().Add(100 * time.Millisecond)
	var wait sync.WaitGroup
	for i := range took {
		due := began.Add(time.Duration(i) * time.Second / perSecond)
		wait.Go(func() {
			time.Sleep(time.Until(due))
			_, errs[i] = s.cases.Submit(ctx, person(i), casework.Submission{Services: fiveServices[:1], Answers: answers, Once: "bench"})
			took[i] = time.Since(due)
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return "", false, err
		}
	}
	there := 0
	for i := range took {
		list, err := s.cases.Mine(ctx, person(i))
		if err != nil {
			return "", false, err
		}
		there += len(list)
	}
	text, _ := spread(took)
	return fmt.Sprintf("%d of %d there, %s", there, len(took), text), there == len(took), nil
}

// wizard answers questions of a check as somebody who isn't signed in.
func wizard(ctx context.Context, b *bench) (string, bool, error) {
	g, err := b.offered(ctx, 100_000)
	if err != nil {
		return "", false, err
	}
	defer g.end()
	form := url.Values{"known.birth_date": {"1999-05-01"}, "known.household_size": {"1"}, "ask": {"household_income"}, "answer": {"2000000"}}
	took := make([]time.Duration, 500)
	for i := range took {
		began := time.Now()
		res, err := http.PostForm(g.address+"/services/bench/rent-0/check", form)
		if err != nil {
			return "", false, err
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if took[i] = time.Since(began); err != nil || res.StatusCode != http.StatusOK {
			return "", false, fmt.Errorf("%s: %w", res.Status, err)
		}
	}
	text, p99 := spread(took)
	return text, p99 < 30*time.Millisecond, nil
}
