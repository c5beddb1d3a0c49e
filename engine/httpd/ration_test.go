package httpd

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"
)

func TestAFormThatNeverComesToItsEndIsLeft(t *testing.T) {
	ended := make(chan error, 1)
	server := httptest.NewServer(timely(50*time.Millisecond, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	})))
	defer server.Close()
	for path, left := range map[string]bool{"/oidc/oauth/token": true, "/api/v1/imports/1/parts/0": false} {
		c, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na"); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if !left || err == nil {
				t.Errorf("%s: %v", path, err)
			}
		case <-time.After(500 * time.Millisecond):
			if left {
				t.Errorf("%s is still waited for", path)
			}
		}
		c.Close()
		if !left && <-ended == nil {
			t.Errorf("%s: half a body was taken for a whole one", path)
		}
	}
}

func TestAConnectionIsGoodForTheNextRequestAfterAForm(t *testing.T) {
	server := httptest.NewServer(timely(100*time.Millisecond, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})))
	defer server.Close()
	c, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for range 3 {
		if _, err := io.WriteString(c, "POST /auth/sign-out HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "a" {
			t.Fatal(string(body), err)
		}
		time.Sleep(150 * time.Millisecond)
	}
}

// What is only promised takes no room: it is taken from somebody who is known and has begun to send.
func TestLargeBodiesThatDontComeBlockNobody(t *testing.T) {
	l := &rationing{
		room: semaphore.NewWeighted(allBodies), held: map[string]int64{},
		caller: func(ctx context.Context) string { who, _ := ctx.Value(callerKey{}).(string); return who },
		most:   func(r *http.Request) (int64, bool) { return 10 << 20, strings.HasPrefix(r.URL.Path, "/api/") },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.ration(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n, _ := io.Copy(io.Discard, r.Body)
			fmt.Fprint(w, n)
		})).ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, r.Header.Get("Caller"))))
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	begin := func(method, path, caller string, declared int, sent int) net.Conn {
		t.Helper()
		c, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_, _ = fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: x\r\nCaller: %s\r\nContent-Length: %d\r\n\r\n%s", method, path, caller, declared, strings.Repeat("a", sent)) // refused, the rest isn't read
		return c
	}
	answer := func(c net.Conn) string {
		t.Helper()
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			return err.Error()
		}
		return strings.TrimSpace(strings.TrimPrefix(line, "HTTP/1.1 "))
	}
	for range 20 {
		begin(http.MethodPost, "/apply", "", 90_000_000, 10)
		begin(http.MethodPost, "/api/v1/papers", "haneul", 10<<20, 10)
		begin(http.MethodGet, "/api/v1/papers", "haneul", 90_000_000, 10)
	}
	for name, c := range map[string]net.Conn{
		"401": begin(http.MethodPost, "/apply", "", 2<<20, 1<<20+100), "413": begin(http.MethodPost, "/api/v1/papers", "haneul", 11<<20, 10), "200": begin(http.MethodPost, "/api/v1/papers", "minjun", 9<<20, 9<<20),
	} {
		if got := answer(c); !strings.HasPrefix(got, name) {
			t.Errorf("%s, want %s", got, name)
		}
	}
	for range 4 { // one caller has no more than half of the room
		begin(http.MethodPost, "/api/v1/papers", "haneul", 10<<20, 2<<20)
	}
	time.Sleep(200 * time.Millisecond)
	if got := answer(begin(http.MethodPost, "/api/v1/papers", "haneul", 10<<20, 1<<20+100)); !strings.HasPrefix(got, "503") {
		t.Errorf("a fifth of one caller: %s", got)
	}
	if got := answer(begin(http.MethodPost, "/api/v1/papers", "sunja", 10<<20, 10<<20)); !strings.HasPrefix(got, "200") {
		t.Errorf("another caller: %s", got)
	}
}

type callerKey struct{}
