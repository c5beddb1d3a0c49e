package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/maru-city/maru/city"
)

// How many changes are carried over in the measure of replication, and how fast they are made.
const (
	replicaRows    = 10_000
	replicaSpeed   = 1000 // changes a second
	replicaSeconds = 20
)

// replicated changes rows of a table of a PostgreSQL server, of which a dataset is a replica, and takes the time until a subscriber of that dataset has each change.
func replicated(ctx context.Context, b *bench) (string, bool, error) {
	address := os.Getenv("MARU_BENCH_POSTGRES")
	if address == "" {
		return "not measured: MARU_BENCH_POSTGRES names no server", false, nil
	}
	old, err := sql.Open("pgx", address)
	if err != nil {
		return "", false, err
	}
	defer old.Close()
	done := context.WithoutCancel(ctx)
	clear := func() error {
		_, err := old.ExecContext(done, "DROP PUBLICATION IF EXISTS maru_bench; DROP TABLE IF EXISTS maru_bench")
		return err
	}
	if err := clear(); err != nil {
		return "", false, err
	}
	defer func() { _ = clear() }() // they are the bench's own
	if _, err := old.ExecContext(ctx, fmt.Sprintf("CREATE TABLE maru_bench AS SELECT n::int AS id, 0::bigint AS sent, 'name ' || n AS name FROM generate_series(1, %d) n; ALTER TABLE maru_bench ADD PRIMARY KEY (id); CREATE PUBLICATION maru_bench FOR TABLE maru_bench", replicaRows)); err != nil {
		return "", false, fmt.Errorf("make the table: %w", err)
	}
	settings := filepath.Join(b.dir, "fetch.yaml")
	if err := os.WriteFile(settings, []byte("fetch: [127.0.0.0/8]\n"), 0o600); err != nil {
		return "", false, err
	}
	g, err := b.signedIn(ctx, 1000, "--config", settings)
	if err != nil {
		return "", false, err
	}
	defer g.end()
	provider := "kind: Project\nname: bench-old\ntitle: bench\nowner: administration\n---\nkind: Dataset\nname: counters\ntitle: bench\nkey: [id]\nfields:\n  id: {type: int}\n  sent: {type: int}\n  name: {type: string}\nhistory: false\nsource: {database: \"" + address + "\", table: maru_bench, publication: maru_bench}\n"
	consumer := map[string]string{"youth-housing/bench.yaml": "kind: Agreement\nname: bench\ndataset: bench-old/counters\npurpose: bench\nbasis: 데이터기반행정법 제10조\nfields: [id, sent]\nsubject: many\nevents: true\nuntil: 2099-12-31\n"}
	for path, text := range city.Manifests() {
		if strings.HasPrefix(path, "youth-housing/") {
			consumer[path] = text
		}
	}
	for _, files := range []map[string]string{{"bench.yaml": provider}, consumer} {
		if err := b.apply(ctx, g.client(), files); err != nil {
			return "", false, err
		}
	}
	if _, err := g.ask(ctx, "register-steward", http.MethodPost, "/api/v1/agreements/youth-housing/bench/approve", map[string]string{"note": "bench"}); err != nil {
		return "", false, err
	}
	for n := ""; n != "1"; { // the slot is in use when all there was is here
		if err := old.QueryRowContext(ctx, "SELECT count(*) FROM pg_replication_slots WHERE active AND confirmed_flush_lsn IS NOT NULL AND database = current_database()").Scan(&n); err != nil {
			return "", false, err
		}
		time.Sleep(100 * time.Millisecond) // until it is asked again
	}
	late, err := listened(ctx, g, old)
	if err != nil {
		return "", false, err
	}
	slices.Sort(late)
	p99 := late[len(late)*99/100]
	return fmt.Sprintf("p50 %.0f ms, p99 %.0f ms, %d changes", ms(late[len(late)/2]), ms(p99), len(late)), p99 < 2*time.Second, nil
}

// listened makes changes at an even pace and hears them as a subscriber. It returns how late each was.
func listened(ctx context.Context, g *governed, old *sql.DB) ([]time.Duration, error) {
	text, err := g.ask(ctx, "housing-app", http.MethodGet, "/api/v1/feeds/youth-housing/bench", nil)
	if err != nil {
		return nil, err
	}
	var feed struct{ Server, Stream, Cursor string }
	if err := json.Unmarshal(text, &feed); err != nil {
		return nil, err
	}
	conn, err := nats.Connect("nats://"+feed.Server, nats.Token(g.tokens["housing-app"]))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	cursor, err := js.Consumer(ctx, feed.Stream, feed.Cursor)
	if err != nil {
		return nil, err
	}
	const all = replicaSpeed * replicaSeconds
	late := make(chan time.Duration, all)
	listening, err := cursor.Consume(func(m jetstream.Msg) {
		var e struct{ Data struct{ Sent int64 } }
		if json.Unmarshal(m.Data(), &e) == nil && m.Ack() == nil && e.Data.Sent > 0 {
			late <- time.Since(time.UnixMilli(e.Data.Sent))
		}
	})
	if err != nil {
		return nil, err
	}
	defer listening.Stop()
	began := time.Now()
	for i := range all {
		time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / replicaSpeed)))
		if _, err := old.ExecContext(ctx, "UPDATE maru_bench SET sent = $1 WHERE id = $2", time.Now().UnixMilli(), 1+i%replicaRows); err != nil {
			return nil, err
		}
	}
	made := time.Since(began)
	if made > replicaSeconds*time.Second*11/10 {
		return nil, fmt.Errorf("the server took %s for changes of %d s", made.Round(time.Millisecond), replicaSeconds)
	}
	out := make([]time.Duration, 0, all)
	for len(out) < all {
		select {
		case d := <-late:
			out = append(out, d)
		case <-time.After(10 * time.Second):
			return nil, fmt.Errorf("%d of %d changes came", len(out), all)
		}
	}
	return out, nil
}
