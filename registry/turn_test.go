package registry

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const turnDataset = "kind: Dataset\nname: residents\ntitle: 주민\nkey: [no]\nfields:\n  no: {type: int}\n  v: {type: string, length: 6}\nsource:\n  "

// numbered are records from 1 to n.
func numbered(n int) string {
	var b strings.Builder
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `,{"no":%d,"v":"v%d"}`, i, i)
	}
	return "[" + b.String()[1:] + "]"
}

// TestAcceptingWhileTheSourceIsRead has the source right again and read slowly when somebody accepts what it was before: in the end its records are here.
func TestAcceptingWhileTheSourceIsRead(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		var text atomic.Value
		var gate atomic.Pointer[chan struct{}]
		reading := make(chan struct{}, 10)
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			body := text.Load().(string)
			if wait := gate.Load(); wait != nil {
				fmt.Fprint(w, body[:10])
				w.(http.Flusher).Flush()
				reading <- struct{}{}
				<-*wait
				body = body[10:]
			}
			fmt.Fprint(w, body)
		}))
		defer server.Close()
		from, _ := sources(t)
		d := r.apply(t, turnDataset+"http: "+server.URL+"/x\n")
		text.Store(numbered(100))
		r.read(t, from)
		text.Store(numbered(40))
		held, _ := r.read(t, from)
		if held == nil || held.State != Held {
			t.Fatalf("%+v isn't held", held)
		}
		text.Store(numbered(100))
		wait := make(chan struct{})
		gate.Store(&wait)
		done := make(chan bool)
		go func() { _, again := r.read(t, from); done <- again }()
		<-reading
		if err := r.Accept(t.Context(), held.ID); err != nil {
			t.Fatal(err)
		}
		if _, again, err := r.ReadSource(t.Context(), from, r.catalog.Snapshot().Dataset, "trial", "residents"); err != nil || !again {
			t.Errorf("it is read beside what was accepted: %v", err)
		}
		if err := r.Run(t.Context(), held.ID, r.catalog.Snapshot().Dataset); err != nil {
			t.Fatal(err)
		}
		close(wait)
		if again := <-done; !again {
			t.Error("what was read before is taken")
		}
		gate.Store(nil)
		r.read(t, from)
		if n := r.counted(t, d); n != 100 {
			t.Errorf("%d records, the source has 100", n)
		}
		if s, err := r.SourceState(t.Context(), d); err != nil || s.Failed > 0 {
			t.Errorf("%+v %v", s, err)
		}
	})
}

// TestAcceptingWhatIsSuperseded lets somebody accept a held import at any moment while the source, which is right again, is read: once both have ended and it is read again, all its records are here.
func TestAcceptingWhatIsSuperseded(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		d := r.apply(t, turnDataset+"file: x.json\n")
		put := func(n int) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(folder, "x.json"), []byte(numbered(n)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for round := range 6 {
			put(2000)
			r.read(t, from)
			put(500 + round)
			held, _ := r.read(t, from)
			if held == nil || held.State != Held {
				t.Fatalf("%+v isn't held", held)
			}
			put(2001 + round)
			done := make(chan struct{})
			go func() { defer close(done); r.read(t, from) }()
			time.Sleep(time.Duration(round) * 5 * time.Millisecond)
			if err := r.Accept(t.Context(), held.ID); err == nil {
				if err := r.Run(context.WithoutCancel(t.Context()), held.ID, r.catalog.Snapshot().Dataset); err != nil {
					t.Fatal(err)
				}
				if i, err := r.Import(t.Context(), held.ID); err != nil || i.State != Done {
					t.Errorf("what was accepted is %s: %v %v", i.State, i.Reason, err)
				}
			}
			<-done
			r.read(t, from)
			if n := r.counted(t, d); n != int64(2001+round) {
				t.Errorf("round %d: %d records", round, n)
			}
		}
	})
}

// TestRejectedRowsOfASourceAreKnown has a row that doesn't fit: the source is in trouble until it does, though everything else is here.
func TestRejectedRowsOfASourceAreKnown(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		d := r.apply(t, turnDataset+"file: x.json\n")
		for n, c := range []struct {
			text     string
			rejected int64
		}{{numbered(3), 0}, {strings.Replace(numbered(3), `"v2"`, `"much too long"`, 1), 1}, {strings.Replace(numbered(3), `"v2"`, `"much too long"`, 1), 1}, {numbered(3), 0}} {
			if err := os.WriteFile(filepath.Join(folder, "x.json"), []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			r.read(t, from)
			s, err := r.SourceState(t.Context(), d)
			troubled, err2 := r.Troubled(t.Context())
			if err != nil || err2 != nil || s.Rejected != c.rejected || (len(troubled) > 0) != (c.rejected > 0) {
				t.Errorf("%d: %d rejected, troubled %v, %v %v", n, s.Rejected, troubled, err, err2)
			}
		}
	})
}
