package ledger

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	random "math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/mod/sumdb/note"

	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
	"github.com/maru-city/maru/engine/problem"
)

const origin = "maru.example/log"

// hall is a log on a database.
type hall struct {
	*Log
	db     *db.DB
	clock  *clock.Fake
	signer note.Signer
}

func onBoth(t *testing.T, test func(t *testing.T, h *hall)) {
	for name, address := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return filepath.Join(t.TempDir(), "maru.db") },
		"postgres": func(t *testing.T) string { return dbtest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d, err := db.Open(t.Context(), address(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { d.Close() })
			test(t, newHall(t, d))
		})
	}
}

func newHall(t testing.TB, d *db.DB) *hall {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	h := &hall{db: d, clock: clock.NewFake(time.Date(2026, 11, 25, 9, 0, 0, 0, clock.Seoul))}
	if h.signer, err = note.NewSigner(secret); err != nil {
		t.Fatal(err)
	}
	if h.Log, err = Open(t.Context(), d, h.signer, public, h.clock.Now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

type said struct {
	What string `json:"what"`
}

type about struct {
	Salt    string `json:"salt"`
	Subject int64  `json:"subject,omitempty"`
}

func (h *hall) add(t testing.TB, what string, subject int64, many ...uint32) int64 {
	t.Helper()
	e := Entry{Public: said{what}, Private: about{what, subject}, Subject: subject}
	if len(many) > 0 {
		e.Subjects = roaring.BitmapOf(many...)
	}
	n, err := h.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEntriesAreProvenAtEverySize(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		var checkpoints []string
		for i := range 600 { // over two tiles and a tile of the second level
			if n := h.add(t, fmt.Sprint(i), int64(i%7)); n != int64(i) {
				t.Fatalf("entry %d has number %d", i, n)
			}
			if i%50 == 0 || i > 509 && i < 515 {
				head, err := h.Head(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				checkpoints = append(checkpoints, head.Checkpoint)
				for _, n := range []int64{0, int64(i / 2), int64(i)} {
					p, err := h.Prove(t.Context(), n)
					if err != nil {
						t.Fatal(err)
					}
					if tree, err := Check(p, h.Verifier()); err != nil || tree.Size != int64(i+1) {
						t.Fatalf("entry %d of %d: %v", n, i+1, err)
					}
				}
			}
		}
		checkConsistency(t, h, checkpoints)
		if _, err := h.Audit(t.Context(), nil); err != nil {
			t.Error(err)
		}
		again, err := Open(t.Context(), h.db, h.signer, h.Verifier(), h.clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer again.Close()
		if n, err := again.Append(t.Context(), Entry{Public: said{"x"}, Private: about{}}); n != 600 || err != nil {
			t.Error("a second node:", n, err)
		}
		if n := h.add(t, "y", 0); n != 601 {
			t.Errorf("the first node after it: %d", n)
		}
		if _, err := h.Audit(t.Context(), nil); err != nil {
			t.Error(err)
		}
	})
}

func TestAProofOfSomethingElseIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		for i := range 20 {
			h.add(t, fmt.Sprint(i), 3, 1, 70_000)
		}
		good, err := h.Prove(t.Context(), 5)
		if err != nil {
			t.Fatal(err)
		}
		_, other, err := note.GenerateKey(rand.Reader, origin)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Check(good, h.Verifier()); err != nil {
			t.Fatal(err)
		}
		if _, err := Check(good, other); err == nil {
			t.Error("another log's key")
		}
		for name, change := range map[string]func(p *Proof){
			"another entry":   func(p *Proof) { p.Entry = json.RawMessage(strings.Replace(string(p.Entry), "5", "6", 1)) },
			"another number":  func(p *Proof) { p.N = 6 },
			"another path":    func(p *Proof) { p.Inclusion[0][3] ^= 1 },
			"a shorter path":  func(p *Proof) { p.Inclusion = p.Inclusion[1:] },
			"another size":    func(p *Proof) { p.Checkpoint = strings.Replace(p.Checkpoint, "\n20\n", "\n21\n", 1) },
			"another reader":  func(p *Proof) { p.Private = json.RawMessage(`{"salt":"5","subject":4}`) },
			"fewer subjects":  func(p *Proof) { p.Blocks = p.Blocks[:1] },
			"no signature":    func(p *Proof) { p.Checkpoint = p.Checkpoint[:strings.Index(p.Checkpoint, "\n\n")+2] },
			"another's paper": func(p *Proof) { p.Private = json.RawMessage(`{}`) },
		} {
			p, err := h.Prove(t.Context(), 5)
			if err != nil {
				t.Fatal(err)
			}
			change(&p)
			if _, err := Check(p, h.Verifier()); err == nil {
				t.Errorf("%s is taken", name)
			}
		}
	})
}

func TestAnyChangeIsFoundAndTheFirstBadEntryNamed(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		for i := range 700 {
			h.add(t, fmt.Sprint(i), int64(i%5+1), uint32(i), 70_000)
		}
		for name, change := range map[string]struct {
			sql   string
			entry float64
		}{
			"a letter of an entry":  {"UPDATE log_entry SET body = replace(body, '\"what\":\"300\"', '\"what\":\"399\"') WHERE n = 300", 300},
			"who read":              {"UPDATE log_entry SET private = replace(private, '\"salt\":\"301\"', '\"salt\":\"300\"') WHERE n = 301", 301},
			"whom it was about":     {"UPDATE log_entry SET subject = 99 WHERE n = 302", 302},
			"one of many":           {"UPDATE log_subjects SET bits = (SELECT bits FROM log_subjects WHERE n = 9 AND block = 0) WHERE n = 303 AND block = 0", 303},
			"that it was many":      {"DELETE FROM log_subjects WHERE n = 304 AND block = 1", 304},
			"one more of many":      {"INSERT INTO log_subjects (block, n, bits) SELECT 7, 305, bits FROM log_subjects WHERE n = 9 AND block = 0", 305},
			"an entry removed":      {"DELETE FROM log_entry WHERE n = 306", 306},
			"the last removed":      {"DELETE FROM log_entry WHERE n = 699", 699},
			"two exchanged":         {"UPDATE log_entry SET body = (SELECT b.body FROM log_entry b WHERE b.n = 309), private = (SELECT b.private FROM log_entry b WHERE b.n = 309) WHERE n = 308", 308},
			"one put behind":        {"INSERT INTO log_entry (n, body, private, subject) SELECT 700, body, private, subject FROM log_entry WHERE n = 1", 700},
			"an entry and its leaf": {"UPDATE log_tile SET hashes = (SELECT t.hashes FROM log_tile t WHERE t.level = 0 AND t.n = 0) WHERE level = 0 AND n = 1", 256},
			"a tile above":          {"UPDATE log_tile SET hashes = (SELECT t.hashes FROM log_tile t WHERE t.level = 0 AND t.n = 0) WHERE level = 1", 0},
			"the checkpoint":        {"UPDATE log_head SET checkpoint = replace(checkpoint, '700', '701')", -1},
		} {
			undo := errors.New("undo")
			err := h.db.Write(t.Context(), func(tx *db.Tx) error {
				n, err := tx.Exec(t.Context(), change.sql)
				if err != nil || n == 0 {
					t.Fatalf("%s: %d %v", name, n, err)
				}
				head, err := head(t.Context(), tx)
				if err != nil {
					return err
				}
				if _, err := h.auditIn(t.Context(), tx, head, nil); problem.Code(err) != "ledger.tampered" {
					t.Errorf("%s isn't found: %v", name, err)
				} else if got := problem.As(err).With["entry"]; fmt.Sprint(got) != fmt.Sprint(change.entry) {
					t.Errorf("%s: entry %v is named", name, got)
				}
				return undo
			})
			if !errors.Is(err, undo) {
				t.Fatal(err)
			}
		}
		if _, err := h.Audit(t.Context(), nil); err != nil {
			t.Error("after all was undone:", err)
		}
	})
}

func TestASubjectsEntriesAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		want := map[int64][]int64{}
		for i := range 300 {
			switch i % 3 {
			case 0:
				want[int64(i%4+1)] = append(want[int64(i%4+1)], h.add(t, "one", int64(i%4+1)))
			case 1:
				n := h.add(t, "many", 0, 1, 70_000, 4_000_000_000)
				for _, s := range []int64{1, 70_000, 4_000_000_000} {
					want[s] = append(want[s], n)
				}
			default:
				h.add(t, "nobody", 0)
			}
		}
		for subject, all := range want {
			var got []int64
			for before := int64(0); ; {
				page, err := h.About(t.Context(), subject, before, 7)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range page {
					got = append(got, s.N)
					if yes, err := h.Concerns(t.Context(), s.N, subject); !yes || err != nil {
						t.Error(s.N, yes, err)
					}
				}
				if len(page) < 7 {
					break
				}
				before = page[6].N
			}
			if len(got) != len(all) {
				t.Fatalf("subject %d: %d of %d", subject, len(got), len(all))
			}
			for i := range got {
				if got[i] != all[len(all)-1-i] {
					t.Fatalf("subject %d: %v", subject, got)
				}
			}
		}
		if page, err := h.About(t.Context(), 9, 0, 10); err != nil || len(page) > 0 {
			t.Error(page, err)
		}
		for _, s := range []int64{0, 9, 69_999} {
			if yes, _ := h.Concerns(t.Context(), 1, s); yes {
				t.Errorf("entry 1 concerns %d", s)
			}
		}
	})
}

func TestManyAppendAtOnceAndNothingIsLost(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		const workers, each = 40, 25
		var all sync.WaitGroup
		var mu sync.Mutex
		seen := map[int64]string{}
		for w := range workers {
			all.Go(func() {
				for i := range each {
					what := fmt.Sprintf("%d-%d", w, i)
					n, err := h.Append(t.Context(), Entry{Public: said{what}, Private: about{}})
					if err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					if other, twice := seen[n]; twice {
						t.Errorf("%d is %s and %s", n, other, what)
					}
					seen[n] = what
					mu.Unlock()
				}
			})
		}
		all.Wait()
		for n, what := range seen {
			s, err := h.Entry(t.Context(), n)
			if err != nil || !strings.Contains(string(s.Body), what) {
				t.Fatalf("%d: %s, not %s: %v", n, s.Body, what, err)
			}
		}
		if tree, err := h.Audit(t.Context(), nil); err != nil || tree.Size != workers*each {
			t.Error(tree, err)
		}
	})
}

func TestARateHoldsOverNodesAndSlidesOn(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		other, err := Open(t.Context(), h.db, h.signer, h.Verifier(), h.clock.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		h.clock.Set(time.Date(2026, 11, 25, 9, 0, 0, 0, clock.Seoul))
		rate := &Rate{Name: "a", Most: 10, In: time.Minute}
		add := func(l *Log) error {
			_, err := l.Append(t.Context(), Entry{Public: said{"x"}, Private: about{}, Rate: rate})
			return err
		}
		for i := range 10 {
			if err := add([]*Log{h.Log, other}[i%2]); err != nil {
				t.Fatal(i, err)
			}
		}
		err = add(other)
		if problem.Code(err) != "ledger.rate" || problem.As(err).With["retry_after"] != 62 {
			t.Errorf("the eleventh: %v", err)
		}
		if _, err := h.Append(t.Context(), Entry{Public: said{"x"}, Private: about{}, Rate: &Rate{Name: "b", Most: 1, In: time.Minute}}); err != nil {
			t.Error("another's:", err)
		}
		h.clock.Advance(60 * time.Second)
		refused := add(h.Log)
		h.clock.Advance(time.Second) // the slot that they lie in is over
		if ok := add(h.Log); refused == nil || ok != nil {
			t.Errorf("after a minute: %v, after a second more: %v", refused, ok)
		}
	})
}

func TestWhatWasReadInADayIsntForgottenByALimitOfAMinute(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		add := func(most int64, in time.Duration) string {
			_, err := h.Append(t.Context(), Entry{Public: said{"x"}, Private: about{}, Rate: &Rate{Name: "a", Most: most, In: in}})
			return problem.Code(err)
		}
		for range 10 {
			if code := add(10, 24*time.Hour); code != "" {
				t.Fatal(code)
			}
		}
		h.clock.Advance(2 * time.Minute)
		if code := add(10, time.Minute); code != "" {
			t.Error("by another limit it is another count:", code)
		}
		h.clock.Advance(2 * time.Minute)
		if code := add(10, 24*time.Hour); code != "ledger.rate" {
			t.Error("the day's count is gone")
		}
		h.clock.Advance(30 * time.Hour)
		if code := add(10, 24*time.Hour); code != "" {
			t.Error(code)
		}
		h.clock.Advance(-29 * time.Hour) // a clock that jumps there and back
		if code := add(10, 24*time.Hour); code != "ledger.rate" {
			t.Error("after the clock jumped the count is gone:", code)
		}
	})
}

// However reads come, no span of the rate's time has more than the most; and nobody is refused who would still be refused a sixtieth of it later only for that.
func TestNoSpanOfTimeHasMoreThanTheRate(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		const most = 7
		dice := random.New(random.NewPCG(1, 2))
		var at []time.Time
		within := func(now time.Time, span time.Duration) (n int) {
			for _, one := range at {
				if one.After(now.Add(-span)) {
					n++
				}
			}
			return n
		}
		for range 400 {
			h.clock.Advance(time.Duration(dice.IntN(12_000)) * time.Millisecond)
			now := h.clock.Now()
			_, err := h.Append(t.Context(), Entry{Public: said{"x"}, Private: about{}, Rate: &Rate{Name: "a", Most: most, In: time.Minute}})
			if err == nil {
				at = append(at, now)
			}
			if n := within(now, time.Minute); n > most {
				t.Fatalf("%d in a minute", n)
			}
			if err != nil && (problem.Code(err) != "ledger.rate" || within(now, 62*time.Second) < most) {
				t.Fatalf("refused with %d in the last 62 s: %v", within(now, 62*time.Second), err)
			}
		}
		if len(at) < 100 || len(at) > 395 {
			t.Errorf("%d of 400", len(at))
		}
	})
}

func TestALogOfAnotherKeyIsntWrittenOn(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		h.add(t, "x", 0)
		secret, public, err := note.GenerateKey(rand.Reader, origin)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := note.NewSigner(secret)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), h.db, signer, public, h.clock.Now); problem.Code(err) != "ledger.key" {
			t.Error(err)
		}
	})
}

func TestWhatCantBeStoredIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		h.add(t, "x", 0)
		if _, err := h.Append(t.Context(), Entry{Public: said{strings.Repeat("x", 70_000)}, Private: about{}}); err == nil {
			t.Error("an entry longer than a bundle takes")
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := h.Append(gone, Entry{Public: said{"y"}, Private: about{}}); err != nil && problem.Code(err) != "ledger.unavailable" {
			t.Error(err)
		}
		h.db.Close()
		if _, err := h.Append(t.Context(), Entry{Public: said{"z"}, Private: about{}}); problem.Code(err) != "ledger.unavailable" {
			t.Error("without a database:", err)
		}
	})
}

func TestAClosedLogRefusesAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		var all sync.WaitGroup
		for range 64 {
			all.Go(func() {
				for {
					n, err := h.Append(context.Background(), Entry{Public: said{"x"}, Private: about{}})
					if err == nil {
						if _, err := h.Entry(context.Background(), n); err != nil {
							t.Error("acknowledged, and not there:", err)
						}
						continue
					}
					if problem.Code(err) != "ledger.unavailable" {
						t.Error(err)
					}
					return
				}
			})
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		all.Wait() // whoever waited for a log that is no more would wait for ever
	})
}

// fill appends entries until there are size.
func fill(t testing.TB, h *hall, size int) {
	t.Helper()
	head, err := h.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	next := make(chan int)
	for range 256 {
		all.Go(func() {
			for i := range next {
				if _, err := h.Append(t.Context(), Entry{Public: said{fmt.Sprint(i)}, Private: about{Salt: "s"}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := int(head.Size); i < size; i++ {
		next <- i
	}
	close(next)
	all.Wait()
}
