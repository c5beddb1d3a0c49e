package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/maru-city/maru/engine/bus"
)

// town says who may read what by their token.
type town struct {
	mu  sync.Mutex
	may map[string]bus.Reader
}

func (w *town) allow(_ context.Context, token string) (bus.Reader, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.may[token]
	if !ok {
		return r, errors.New("unknown")
	}
	return r, nil
}

func open(t *testing.T, folder string, w *town) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Folder: folder, Listen: "127.0.0.1:0", Allow: w.allow})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func connect(t *testing.T, b *bus.Bus, token string) (*nats.Conn, jetstream.JetStream) {
	t.Helper()
	c, err := nats.Connect(b.Address(), nats.Token(token), nats.NoReconnect())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	js, err := jetstream.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return c, js
}

func publish(t *testing.T, b *bus.Bus, stream string, from, to int) {
	t.Helper()
	var list []bus.Message
	for i := from; i < to; i++ {
		list = append(list, bus.Message{ID: fmt.Sprint(stream, i), Data: []byte(fmt.Sprint(i))})
	}
	if err := b.Publish(t.Context(), stream, list); err != nil {
		t.Fatal(err)
	}
}

// next reads n messages by a cursor.
func next(t *testing.T, js jetstream.JetStream, stream, cursor string, n int) (out []string) {
	t.Helper()
	c, err := js.Consumer(t.Context(), stream, cursor)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Fetch(n, jetstream.FetchMaxWait(2*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	for m := range got.Messages() {
		out = append(out, string(m.Data()))
		if err := m.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestAFollowerGoesOnWhereItWas(t *testing.T) {
	folder, w := t.TempDir(), &town{may: map[string]bus.Reader{"a": {Name: "housing", Streams: []string{"events_a"}}}}
	b := open(t, folder, w)
	publish(t, b, "events_a", 0, 3)
	if err := b.Cursor(t.Context(), "events_a", "main", time.Time{}); err != nil {
		t.Fatal(err)
	}
	_, js := connect(t, b, "a")
	if got := fmt.Sprint(next(t, js, "events_a", "main", 2)); got != "[0 1]" {
		t.Error(got)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, folder, w)
	publish(t, b, "events_a", 1, 5) // some once more
	_, js = connect(t, b, "a")
	if got := fmt.Sprint(next(t, js, "events_a", "main", 3)); got != "[2 3 4]" {
		t.Error(got)
	}
	if err := b.Cursor(t.Context(), "events_a", "main", time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(next(t, js, "events_a", "main", 5)); got != "[0 1 2 3 4]" {
		t.Error(got)
	}
}

func TestAClientReadsItsOwnStreamsAndDoesNothingElse(t *testing.T) {
	w := &town{may: map[string]bus.Reader{"a": {Name: "housing", Streams: []string{"events_a"}}, "b": {Name: "welfare", Streams: []string{"events_b"}}}}
	b := open(t, t.TempDir(), w)
	for _, s := range []string{"events_a", "events_b"} {
		publish(t, b, s, 0, 2)
		if err := b.Cursor(t.Context(), s, "main", time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := nats.Connect(b.Address(), nats.Token("x")); err == nil {
		t.Error("an unknown token is let in")
	}
	if _, err := nats.Connect(b.Address()); err == nil {
		t.Error("nobody is let in")
	}
	conn, js := connect(t, b, "b")
	short, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	if _, err := js.Consumer(short, "events_a", "main"); err == nil {
		t.Error("it looks at another's cursor")
	}
	if _, err := js.CreateStream(short, jetstream.StreamConfig{Name: "mine", Subjects: []string{"mine.>"}}); err == nil {
		t.Error("it makes a stream")
	}
	if _, err := js.CreateOrUpdateConsumer(short, "events_b", jetstream.ConsumerConfig{Durable: "other", DeliverSubject: "events_a.k0"}); err == nil {
		t.Error("it makes a consumer")
	}
	if _, err := js.Publish(short, "events_a.k0", []byte("false")); err == nil {
		t.Error("it publishes")
	}
	if sub, err := conn.SubscribeSync(">"); err == nil {
		if _, err := sub.NextMsg(100 * time.Millisecond); err == nil {
			t.Error("it hears everything")
		}
	}
	if err := conn.PublishRequest("$JS.API.CONSUMER.MSG.NEXT.events_b.main", "events_a.k0", []byte(`{"batch": 2}`)); err != nil { // what is sent to it would be another's event
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	publish(t, b, "events_b", 2, 4)
	_, js = connect(t, b, "a")
	if got := fmt.Sprint(next(t, js, "events_a", "main", 3)); got != "[0 1]" {
		t.Errorf("another's stream has %s", got)
	}
}

func TestWhoMayNoLongerReadIsCutOff(t *testing.T) {
	w := &town{may: map[string]bus.Reader{"a": {Name: "housing", Streams: []string{"events_a"}}, "b": {Name: "welfare", Streams: []string{"events_b"}}}}
	b := open(t, t.TempDir(), w)
	publish(t, b, "events_a", 0, 1)
	if err := b.Cursor(t.Context(), "events_a", "main", time.Time{}); err != nil {
		t.Fatal(err)
	}
	conn, _ := connect(t, b, "a")
	other, _ := connect(t, b, "b")
	b.Check(t.Context())
	if conn.IsClosed() {
		t.Fatal("cut off for nothing")
	}
	closed := make(chan struct{})
	conn.SetClosedHandler(func(*nats.Conn) { close(closed) })
	w.mu.Lock()
	w.may["a"] = bus.Reader{Name: "housing"}
	w.mu.Unlock()
	b.Check(t.Context())
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Fatal("it is still connected")
	}
	if other.IsClosed() {
		t.Error("the other one is cut off too")
	}
	_, js := connect(t, b, "a")
	short, stop := context.WithTimeout(t.Context(), time.Second)
	defer stop()
	if _, err := js.Consumer(short, "events_a", "main"); err == nil {
		t.Error("it reads on")
	}
}

func TestWhatIsTakenIsBehindAndWhatIsntComesAgain(t *testing.T) {
	b := open(t, t.TempDir(), &town{})
	publish(t, b, "events_a", 0, 3)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var got []string
	err := b.Follow(ctx, "events_a", "webhook", func(int) time.Duration { return time.Millisecond }, func(_ context.Context, data []byte, attempt int) error {
		got = append(got, fmt.Sprint(string(data), "/", attempt))
		if string(data) == "1" && attempt < 3 {
			return errors.New("not now")
		}
		if string(data) == "2" {
			stop()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || fmt.Sprint(got) != "[0/1 1/1 1/2 1/3 2/1]" {
		t.Errorf("%v %v", got, err)
	}
}
