package exchange_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/bus"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// event is what a follower gets.
type event struct {
	ID, Type, Subject, Agreement, Receipt string
	Time                                  time.Time
	Data                                  map[string]any
}

func (e event) String() string {
	if e.Data == nil {
		return e.Type[strings.LastIndex(e.Type, ".")+1:]
	}
	text, _ := json.Marshal(e.Data)
	return e.Type[strings.LastIndex(e.Type, ".")+1:] + " " + string(text)
}

// post is a bus, and who follows it.
type post struct {
	exchange.Bus
	own    *bus.Bus
	folder string
	stop   func()
}

// post begins to deliver a town's events on a bus in a folder.
func (c *town) post(t testing.TB, folder string, through func(exchange.Bus) exchange.Bus) *post {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	p := &post{Bus: b, own: b, folder: folder}
	if through != nil {
		p.Bus = through(b)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = c.Deliver(ctx, p.Bus, "node")
	}()
	p.stop = sync.OnceFunc(func() {
		cancel()
		<-done
		_ = b.Close()
	})
	t.Cleanup(p.stop)
	return p
}

// heard waits for n events of an agreement that a follower of a name hasn't had, and shows that there are no more.
func (p *post) heard(t testing.TB, agreement, follower string, n int) (out []event) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var late *time.Timer
	if n == 0 {
		late = time.AfterFunc(700*time.Millisecond, cancel)
	}
	for ctx.Err() == nil { // a stream that the sender doesn't know yet it removes
		_ = p.own.Follow(ctx, exchange.StreamOf("housing", agreement), follower, func(int) time.Duration { return 0 }, func(_ context.Context, data []byte, _ int) error {
			var e event
			if err := json.Unmarshal(data, &e); err != nil {
				t.Error(err)
			}
			if out = append(out, e); len(out) == n {
				late = time.AfterFunc(300*time.Millisecond, cancel)
			}
			return nil
		})
	}
	if late == nil || len(out) != n {
		t.Fatalf("%d events instead of %d: %v", len(out), n, out)
	}
	return out
}

func heardAs(events []event) string {
	var b strings.Builder
	for _, e := range events {
		fmt.Fprintln(&b, e)
	}
	return b.String()
}

const movedIn = `kind: Agreement
name: moved
title: {ko: 전입, en: Moved in}
dataset: register/people
purpose: eligibility
basis: 전자정부법 제36조
fields: [person, district, born]
where: record.left_on == null
masks: {born: month}
subject: many
events: true
until: 2027-12-31
`

// following is a town in which an agreement with events holds.
func following(t *testing.T, c *town) {
	t.Helper()
	c.files["housing/moved.yaml"] = movedIn
	c.apply(t, clerk)
	c.approve(t, "moved")
}

func (c *town) create(t testing.TB, number int64, values registry.Values) string {
	t.Helper()
	values["person"], values["household"] = c.person(t, "register", number), c.called(t, "register", "household", 9)
	values["number"] = fmt.Sprintf("%06d-3000000", number)
	if values["name"] == nil {
		values["name"] = "새사람"
	}
	rec, err := c.registry.Create(t.Context(), registry.By{Actor: "clerk", Via: "api"}, c.catalog.Snapshot().Dataset("register", "people"), values)
	if err != nil {
		t.Fatal(err)
	}
	return rec.Key
}

func (c *town) patch(t testing.TB, key string, values registry.Values) {
	t.Helper()
	if _, err := c.registry.Patch(t.Context(), registry.By{Actor: "clerk", Via: "api"}, c.catalog.Snapshot().Dataset("register", "people"), key, registry.Match{Any: true}, values); err != nil {
		t.Fatal(err)
	}
}

func (c *town) remove(t testing.TB, key string) {
	t.Helper()
	if err := c.registry.Delete(t.Context(), registry.By{Actor: "clerk", Via: "api"}, c.catalog.Snapshot().Dataset("register", "people"), key, registry.Match{Any: true}); err != nil {
		t.Fatal(err)
	}
}

func TestWhoFollowsHearsWhatTheAgreementLetsThemAndNoMore(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung"}) // before there is an agreement
		following(t, c)
		receipts := c.size(t)
		key := c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "jung", "income": json.Number("3000000")})
		c.patch(t, key, registry.Values{"income": json.Number("9000000"), "name": "다른이름"}) // nothing that they see
		c.patch(t, key, registry.Values{"district": "mapo"})
		c.patch(t, key, registry.Values{"left_on": "2026-11-30"})
		c.patch(t, key, registry.Values{"district": "guro"}) // of somebody who has left
		c.patch(t, key, registry.Values{"left_on": nil})
		c.remove(t, key)
		got := p.heard(t, "moved", "test", 5)
		her := c.person(t, "housing", 501)
		want := fmt.Sprintf(`created {"born":"1990-05","district":"jung","person":%[1]q}
updated {"born":"1990-05","district":"mapo","person":%[1]q}
deleted
created {"born":"1990-05","district":"guro","person":%[1]q}
deleted
`, her)
		if heardAs(got) != want {
			t.Errorf("heard\n%s", heardAs(got))
		}
		ids := map[string]bool{}
		for _, e := range got {
			ids[e.ID] = true
			if e.Subject != got[0].Subject || e.Agreement != "housing/moved" || e.Time.IsZero() || strings.Contains(e.Subject+e.ID, "501") {
				t.Errorf("%+v", e)
			}
		}
		if len(ids) != 5 {
			t.Error("two events have one ID")
		}
		if c.size(t) == receipts {
			t.Error("there is no receipt")
		}
		list, err := c.Receipts(t.Context(), citizen(501), 0, 10)
		if err != nil || len(list) == 0 || list[0].Kind != "event" || !strings.Contains(list[0].Sentence(c.catalog.Snapshot()).Ko, "바뀐 내용을") {
			t.Errorf("what she finds: %+v %v", list, err)
		}
		if list, err := c.Receipts(t.Context(), citizen(500), 0, 10); err != nil || len(list) != 0 {
			t.Errorf("who was there before: %+v %v", list, err)
		}
	})
}

func TestAFeedStopsAndGoesOnWithItsAgreement(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		following(t, c)
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 1)
		c.act(t, officer, "moved", exchange.Suspend, "조사")
		c.create(t, 502, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 0)
		c.act(t, officer, "moved", exchange.Resume, "")
		p.heard(t, "moved", "test", 1)
		if err := c.CutOff(t.Context(), officer, "homes", true, "사고"); err != nil {
			t.Fatal(err)
		}
		c.create(t, 503, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 0)
		if err := c.CutOff(t.Context(), officer, "homes", false, ""); err != nil {
			t.Fatal(err)
		}
		p.heard(t, "moved", "test", 1)
		c.act(t, officer, "moved", exchange.Revoke, "끝")
		until(t, "its stream goes", func() bool {
			list, err := p.own.Streams(t.Context())
			return err == nil && len(list) == 0
		})
		if r, err := c.Follows(t.Context(), program); err != nil || len(r.Streams) != 0 {
			t.Errorf("it may still read %v %v", r, err)
		}
	})
}

func until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never happens: " + what)
		}
	}
}

// failing lets messages through and then says once that it failed: as if the process had been killed between.
type failing struct {
	exchange.Bus
	mu    sync.Mutex
	times int
}

func (f *failing) Publish(ctx context.Context, stream string, messages []bus.Message) error {
	if err := f.Bus.Publish(ctx, stream, messages); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.times--; f.times >= 0 {
		return errors.New("cut off")
	}
	return nil
}

func TestEventsGoOutOnceInEffectHoweverItIsCutOff(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		folder := t.TempDir()
		p := c.post(t, folder, func(b exchange.Bus) exchange.Bus { return &failing{Bus: b, times: 2} })
		following(t, c)
		for i := range int64(5) {
			c.create(t, 501+i, registry.Values{"born": "1990-05-06", "district": "jung"})
		}
		p.heard(t, "moved", "test", 5)
		p.stop()
		for i := range int64(5) { // while nobody sends
			c.create(t, 601+i, registry.Values{"born": "1990-05-06", "district": "jung"})
		}
		p = c.post(t, folder, nil)
		p.heard(t, "moved", "test", 5)
		p.stop()
		if err := os.RemoveAll(filepath.Join(folder, "jetstream")); err != nil { // what wasn't on the disk yet when the power went: all of it
			t.Fatal(err)
		}
		p = c.post(t, folder, nil)
		ids := map[string]bool{}
		for _, e := range p.heard(t, "moved", "anew", 10) {
			ids[e.ID] = true
		}
		if len(ids) != 10 {
			t.Errorf("%d IDs", len(ids))
		}
	})
}

// idle is the bus of a node that doesn't send: it only looks who may still read.
type idle struct{ exchange.Bus }

func (idle) Check(context.Context) {}

func TestOneNodeSends(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		following(t, c)
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 1) // so this node is the one that sends
		other := c.node(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := other.Deliver(ctx, idle{}, "other"); err != nil { // it would panic
			t.Error(err)
		}
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 1)
	})
}

func TestWhoWasAwayTooLongIsToldOfTheGap(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		following(t, c)
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 1)
		c.act(t, officer, "moved", exchange.Suspend, "조사")
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "jung"})
		c.files["housing/other.yaml"] = strings.Replace(strings.Replace(movedIn, "name: moved", "name: other", 1), "전입", "다른 전입", 1)
		c.apply(t, clerk)
		c.approve(t, "other")
		c.clock.Advance(bus.Kept + 24*time.Hour)
		c.create(t, 502, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "other", "test", 1)
		c.clock.Advance(2 * time.Minute)
		c.create(t, 503, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "other", "test", 1)
		c.act(t, officer, "moved", exchange.Resume, "")
		got := p.heard(t, "moved", "test", 3)
		if got[0].Type != "city.maru.feed.gap" || got[1].Data["district"] != "jung" {
			t.Errorf("heard %s", heardAs(got))
		}
	})
}

// TestWhatAFollowerHasIsWhatAReadShows keeps a copy by events only, while records change at random, and compares it with a read at the end.
func TestWhatAFollowerHasIsWhatAReadShows(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		following(t, c)
		random := rand.New(rand.NewPCG(7, 7))
		keys := map[int64]string{}
		districts := []any{"jung", "mapo", "guro"}
		for range 150 {
			n := int64(700 + random.IntN(12))
			switch key, there := keys[n], random.IntN(3); {
			case key == "":
				keys[n] = c.create(t, n, registry.Values{"born": "1990-05-06", "district": districts[random.IntN(3)]})
			case there == 0:
				c.remove(t, key)
				delete(keys, n)
			default:
				left := []any{nil, "2026-11-30"}[random.IntN(2)]
				c.patch(t, key, registry.Values{"district": districts[random.IntN(3)], "left_on": left, "floor": json.Number(fmt.Sprint(random.IntN(9)))})
			}
		}
		before := map[any]bool{} // who was there before the agreement
		for _, p := range people {
			before[c.person(t, "housing", p.number)] = true
		}
		copied := map[string]string{}
		until(t, "the copy is what a read shows", func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			_ = p.own.Follow(ctx, exchange.StreamOf("housing", "moved"), "copy", func(int) time.Duration { return 0 }, func(_ context.Context, data []byte, _ int) error {
				var e event
				if err := json.Unmarshal(data, &e); err != nil {
					t.Error(err)
				}
				if e.Data == nil {
					delete(copied, e.Subject)
				} else {
					text, _ := json.Marshal(e.Data)
					copied[e.Subject] = string(text)
				}
				return nil
			})
			var want, got []string
			records, _, err := c.read(t, "moved", exchange.Request{Filter: ""})
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range records {
				text, err := r.FieldsJSON()
				if err != nil {
					t.Fatal(err)
				}
				var values map[string]any
				if err := json.Unmarshal(text, &values); err != nil {
					t.Fatal(err)
				}
				if before[values["person"]] {
					continue
				}
				sorted, _ := json.Marshal(values)
				want = append(want, string(sorted))
			}
			for _, text := range copied {
				got = append(got, text)
			}
			slices.Sort(want)
			slices.Sort(got)
			return slices.Equal(want, got)
		})
	})
}

func TestOnlyAProjectsOwnServiceFollows(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		following(t, c)
		if r, err := c.Follows(t.Context(), program); err != nil || fmt.Sprint(r.Streams) != "[events_housing_moved]" {
			t.Errorf("%v %v", r, err)
		}
		other := &identity.Principal{Kind: identity.Service, Account: "other", Project: "register"}
		if r, err := c.Follows(t.Context(), other); err != nil || len(r.Streams) != 0 {
			t.Errorf("%v %v", r, err)
		}
		for _, who := range []*identity.Principal{citizen(1), steward, clerk, {}} {
			if _, err := c.Follows(t.Context(), who); err == nil {
				t.Errorf("%+v follows", who)
			}
		}
	})
}

// receiver takes webhooks: it fails some, and checks the signatures of all.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	fails    int
	got      []event
	attempts int
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attempts++
	at := req.Header.Get("Webhook-Timestamp")
	if err != nil || req.Header.Get("Webhook-Signature") != exchange.Sign("key of the town", req.Header.Get("Webhook-Id"), at, body) || !strings.HasPrefix(req.Header.Get("Content-Type"), "application/cloudevents+json") {
		http.Error(w, "not genuine", http.StatusForbidden)
		return
	}
	if r.fails--; r.fails >= 0 {
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	r.got = append(r.got, e)
}

func (r *receiver) heard() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func TestAWebhookGetsSignedEventsInOrderUntilItTakesThem(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		r := &receiver{fails: 1}
		r.Server = httptest.NewServer(r)
		t.Cleanup(r.Close)
		p := c.post(t, t.TempDir(), nil)
		c.files["housing/moved.yaml"] = movedIn + "webhook: " + r.URL + "/in\nsecret: hook\n"
		c.apply(t, clerk)
		c.approve(t, "moved")
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "jung"})
		c.create(t, 502, registry.Values{"born": "1990-05-06", "district": "mapo"})
		until(t, "both come", func() bool { return len(r.heard()) == 2 })
		if got := r.heard(); got[0].Data["district"] != "jung" || got[1].Data["district"] != "mapo" {
			t.Errorf("heard %v", got)
		}
		until(t, "it stands well", func() bool {
			s, err := c.Feed(t.Context(), "housing", "moved")
			if err != nil || s == nil {
				t.Fatal(s, err)
			}
			return s.Failed == 0 && !s.Waiting && !s.At.IsZero()
		})
		c.act(t, officer, "moved", exchange.Suspend, "조사")
		r.mu.Lock()
		r.fails = 1000
		r.mu.Unlock()
		c.act(t, officer, "moved", exchange.Resume, "")
		c.create(t, 503, registry.Values{"born": "1990-05-06", "district": "guro"})
		until(t, "it is said that it fails", func() bool {
			s, err := c.Feed(t.Context(), "housing", "moved")
			return err == nil && s.Failed > 0 && strings.Contains(s.Reason.En, "500")
		})
		c.act(t, officer, "moved", exchange.Revoke, "끝")
		until(t, "the feed is gone", func() bool {
			s, err := c.Feed(t.Context(), "housing", "moved")
			list, _ := p.own.Streams(t.Context())
			return err == nil && s == nil && len(list) == 0
		})
	})
}

// full is a bus on which one stream can't be made.
type full struct {
	exchange.Bus
	stream string
}

func (f *full) Cursor(ctx context.Context, stream, name string, from time.Time) error {
	if stream == f.stream {
		return errors.New("insufficient storage")
	}
	return f.Bus.Cursor(ctx, stream, name, from)
}

func TestAStreamThatCantBeMadeHoldsUpNobodyElse(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.files["housing/another.yaml"] = strings.Replace(movedIn, "name: moved", "name: another", 1)
		p := c.post(t, t.TempDir(), func(b exchange.Bus) exchange.Bus {
			return &full{Bus: b, stream: exchange.StreamOf("housing", "another")}
		})
		following(t, c)
		c.approve(t, "another")
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 1)
		if s, err := c.Feed(t.Context(), "housing", "another"); err != nil || !s.Waiting {
			t.Errorf("what the other one is to hear: %+v %v", s, err)
		}
	})
}

func TestARecordThatIsTooLongForAnEventDoesntStopTheFeed(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		c.files["register/project.yaml"] = strings.Replace(c.files["register/project.yaml"], "  left_on:", "  shape: {type: geometry, title: {ko: 도형}, class: personal}\n  left_on:", 1)
		c.files["housing/moved.yaml"] = strings.Replace(strings.Replace(movedIn, "[person, district, born]", "[person, shape]", 1), "masks: {born: month}\n", "", 1)
		for name := range agreements {
			delete(c.files, "housing/"+name+".yaml")
		}
		c.apply(t, identity.Itself("setup"))
		c.approve(t, "moved")
		var line strings.Builder
		for i := range 300_000 {
			fmt.Fprintf(&line, ",[127.%06d,37.5]", i)
		}
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "jung", "shape": `{"type":"LineString","coordinates":[[126.9,37.5]` + line.String() + `]}`})
		c.create(t, 502, registry.Values{"born": "1990-05-06", "district": "jung", "shape": `{"type":"Point","coordinates":[127,37.5]}`})
		got := p.heard(t, "moved", "test", 2)
		if got[0].Data != nil || got[1].Data == nil {
			t.Errorf("heard %v", got)
		}
	})
}

func TestWhatWasLostIsSentAgainButNothingFromBeforeTheAgreement(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		folder := t.TempDir()
		p := c.post(t, folder, nil)
		following(t, c)
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 1)
		c.files["housing/later.yaml"] = strings.Replace(movedIn, "name: moved", "name: later", 1)
		c.apply(t, clerk)
		c.approve(t, "later")
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "mapo"})
		p.heard(t, "later", "test", 1)
		p.heard(t, "moved", "test", 1)
		p.stop()
		if err := os.RemoveAll(filepath.Join(folder, "jetstream")); err != nil {
			t.Fatal(err)
		}
		p = c.post(t, folder, nil)
		p.heard(t, "moved", "anew", 2)
		if got := p.heard(t, "later", "anew", 1); got[0].Data["district"] != "mapo" {
			t.Errorf("the later one hears %s", heardAs(got))
		}
		p.stop()
		p = c.post(t, folder, nil) // nothing was lost since
		p.heard(t, "later", "anew", 0)
	})
}

func TestAnotherVersionBeginsWithAGap(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		following(t, c)
		c.act(t, officer, "moved", exchange.Suspend, "조사")
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung", "income": json.Number("777")}) // nobody agreed that its income be told
		c.edit(t, "housing/moved.yaml", "[person, district, born]", "[person, district, born, income]")
		c.apply(t, clerk)
		c.approve(t, "moved")
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "mapo", "income": json.Number("5")})
		got := p.heard(t, "moved", "test", 2)
		if got[0].Type != "city.maru.feed.gap" || fmt.Sprint(got[1].Data["income"]) != "5" {
			t.Errorf("heard %s", heardAs(got))
		}
	})
}

func TestAnotherShapeOfTheDatasetIsAGap(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		following(t, c)
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 1)
		c.change(t, identity.Itself("setup"), "register/project.yaml", "  left_on:", "  more: {type: string, title: {ko: 더}, class: personal}\n  left_on:")
		if got := p.heard(t, "moved", "test", 1); got[0].Type != "city.maru.feed.gap" {
			t.Errorf("heard %s", heardAs(got))
		}
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "mapo"})
		p.heard(t, "moved", "test", 1)
	})
}

// What nobody follows isn't kept.
func TestChangesArentKeptForNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		kept := func() (n int) {
			err := c.db.Read(t.Context(), func(tx *db.Tx) error {
				return tx.QueryRow(t.Context(), "SELECT count(*) FROM outbox").Scan(&n)
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung"})
		if kept() != 0 {
			t.Error("before anybody follows")
		}
		following(t, c)
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 1)
		c.act(t, officer, "moved", exchange.Suspend, "조사")
		c.create(t, 502, registry.Values{"born": "1990-05-06", "district": "jung"})
		if kept() != 2 {
			t.Errorf("%d changes are kept for one who is suspended", kept())
		}
		c.clock.Advance(bus.Kept + time.Hour)
		c.act(t, officer, "moved", exchange.Resume, "")
		p.heard(t, "moved", "test", 1) // that it was away too long
		c.act(t, officer, "moved", exchange.Revoke, "끝")
		c.create(t, 503, registry.Values{"born": "1990-05-06", "district": "jung"})
		if kept() != 0 {
			t.Errorf("%d changes are kept for nobody", kept())
		}
	})
}

func TestAClientOfAnotherNodesBusIsCutOffToo(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.post(t, t.TempDir(), nil)
		following(t, c)
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung"})
		other := c.node(t)
		b, err := bus.Open(t.Context(), bus.Options{Folder: t.TempDir(), Listen: "127.0.0.1:0", Allow: func(ctx context.Context, _ string) (bus.Reader, error) { return other.Follows(ctx, program) }})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = b.Close() })
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = other.Deliver(ctx, b, "other")
		}()
		t.Cleanup(func() { cancel(); <-done })
		conn, err := nats.Connect(b.Address(), nats.Token("x"), nats.NoReconnect())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		c.act(t, officer, "moved", exchange.Revoke, "끝")
		until(t, "it is cut off", conn.IsClosed)
	})
}

// Who consents, or takes it back, changes what a read shows though no record changes: who follows is told to read again.
func TestConsentIsAGapForWhoFollows(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		c.files["housing/moved.yaml"] = strings.Replace(movedIn, "subject: many", "subject: many\nconsent: asked", 1)
		c.apply(t, clerk)
		c.approve(t, "moved")
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung"})
		p.heard(t, "moved", "test", 0) // nobody asked them yet
		for _, yes := range []bool{true, false} {
			c.consent(t, 500, "housing/moved", yes)
			if got := p.heard(t, "moved", "test", 1); got[0].Type != "city.maru.feed.gap" {
				t.Errorf("consent %v: heard %s", yes, heardAs(got))
			}
		}
		c.consent(t, 500, "housing/moved", false) // which changes nothing
		p.heard(t, "moved", "test", 0)
		c.consent(t, 501, "housing/moved", true)
		p.heard(t, "moved", "test", 1)
		c.create(t, 501, registry.Values{"born": "1990-05-06", "district": "mapo"})
		if got := p.heard(t, "moved", "test", 1); got[0].Data["district"] != "mapo" {
			t.Errorf("with consent: heard %s", heardAs(got))
		}
	})
}

// By a condition that asks for today others are seen on the next day, though no record changes; by another condition they aren't.
func TestANewDayIsAGapForWhoFollowsByIt(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		c.files["housing/moved.yaml"] = strings.Replace(movedIn, "record.left_on == null", "record.left_on == null && age(record.born) >= 36", 1)
		c.files["housing/all.yaml"] = strings.Replace(movedIn, "name: moved", "name: all", 1)
		c.apply(t, clerk)
		c.approve(t, "moved")
		c.approve(t, "all")
		day := c.clock.Now().In(clock.Seoul)
		born := time.Date(day.Year()-36, day.Month(), day.Day(), 0, 0, 0, 0, time.UTC).AddDate(0, 0, 1) // 36 tomorrow
		c.create(t, 500, registry.Values{"born": born.Format(time.DateOnly), "district": "jung"})
		p.heard(t, "all", "test", 1)
		p.heard(t, "moved", "test", 0)
		c.act(t, officer, "moved", exchange.Suspend, "점검")
		c.clock.Advance(24 * time.Hour)
		p.heard(t, "all", "test", 0)
		c.act(t, officer, "moved", exchange.Resume, "")
		if got := p.heard(t, "moved", "test", 1); got[0].Type != "city.maru.feed.gap" {
			t.Errorf("heard %s", heardAs(got))
		}
		c.clock.Advance(24 * time.Hour)
		if got := p.heard(t, "moved", "test", 1); got[0].Type != "city.maru.feed.gap" {
			t.Errorf("heard %s", heardAs(got))
		}
		p.heard(t, "all", "test", 0)
	})
}

// What was sent by a wider version isn't there for who reads by a narrower one.
func TestANarrowerVersionLeavesNothingOfTheWider(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		p := c.post(t, t.TempDir(), nil)
		c.files["housing/moved.yaml"] = strings.Replace(movedIn, "[person, district, born]", "[person, district, born, income]", 1)
		c.apply(t, clerk)
		c.approve(t, "moved")
		c.create(t, 500, registry.Values{"born": "1990-05-06", "district": "jung", "income": json.Number("777")})
		p.heard(t, "moved", "first", 1)
		c.edit(t, "housing/moved.yaml", "[person, district, born, income]", "[person, district, born]")
		c.apply(t, clerk)
		c.approve(t, "moved")
		p.heard(t, "moved", "first", 1)
		for _, e := range p.heard(t, "moved", "another", 1) {
			if e.Type != "city.maru.feed.gap" || e.Data["income"] != nil {
				t.Errorf("a new cursor hears %s", heardAs([]event{e}))
			}
		}
	})
}

// A key that isn't on the server is said when the agreement is planned, to those whose agreement it is.
func TestAPlanSaysThatTheKeyOfAWebhookIsMissing(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		for _, x := range []struct {
			secret string
			who    *identity.Principal
			want   bool
		}{{"missing", identity.Itself("author"), true}, {"hook", identity.Itself("author"), false}, {"missing", &identity.Principal{Kind: identity.Official, Account: "officer", Agency: "elsewhere", Roles: []identity.Role{identity.Governance}}, false}} {
			files := maps.Clone(c.files)
			files["housing/moved.yaml"] = movedIn + "webhook: https://example.org/in\nsecret: " + x.secret + "\n"
			p, err := c.catalog.Plan(t.Context(), catalog.Request{Files: files, Who: x.who})
			if err != nil {
				t.Fatal(err)
			}
			if got := slices.ContainsFunc(p.Findings, func(f manifest.Finding) bool { return f.Code == "agreement.secret" }); got != x.want {
				t.Errorf("%s for %s: %v", x.secret, x.who.Account, p.Findings)
			}
		}
	})
}
