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
)

type callerKey struct{}

// rationed is a server that says how long bodies are, and of whom it takes them. An operation of the API takes 10 MiB.
func rationed(t *testing.T, change func(*rationing)) string {
	t.Helper()
	l, err := newRationing(
		func(ctx context.Context) string { who, _ := ctx.Value(callerKey{}).(string); return who },
		func(r *http.Request) (int64, bool) { return 10 << 20, strings.HasPrefix(r.URL.Path, "/api/") }, t.TempDir(),
	)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(l)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.ration(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text, err := io.ReadAll(r.Body)
			if err != nil || strings.Trim(string(text), string(text[:1])) != "" && text[0] == 'a' {
				t.Errorf("the body isn't what was sent: %v", err)
			}
			fmt.Fprint(w, len(text))
		})).ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, r.Header.Get("Caller"))))
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return strings.TrimPrefix(server.URL, "http://")
}

// begin sends the head of a request, and the beginning of its body; a declared length of -1 is none.
func begin(t *testing.T, address, path, caller string, declared int, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	length := fmt.Sprintf("Content-Length: %d", declared)
	if declared < 0 {
		length, text = "Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(text), text)
	}
	_, _ = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nCaller: %s\r\n%s\r\n\r\n%s", path, caller, length, text) // refused, the rest isn't read
	return c
}

func status(c net.Conn) string {
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "HTTP/1.1 "))
}

func letters(n int) string { return strings.Repeat("a", n) }

// Whoever sends slowly holds nothing that others wait for.
func TestBodiesThatDontComeBlockNobody(t *testing.T) {
	address := rationed(t, nil)
	for range callerBodies {
		for _, who := range []string{"haneul", "minjun", "jiho"} {
			begin(t, address, "/api/v1/papers", who, 10<<20, letters(2<<20))
		}
		begin(t, address, "/apply", "", 60<<10, "a")
	}
	time.Sleep(300 * time.Millisecond)
	if got := status(begin(t, address, "/api/v1/papers", "haneul", 10<<20, letters(100))); !strings.HasPrefix(got, "503") {
		t.Errorf("one more of the same caller: %s", got)
	}
	for _, size := range []int{10 << 20, 100_000, 10} {
		if got := status(begin(t, address, "/api/v1/papers", "sunja", size, letters(size))); !strings.HasPrefix(got, "200") {
			t.Errorf("another caller's of %d: %s", size, got)
		}
	}
}

func TestBodiesHaveBounds(t *testing.T) {
	address := rationed(t, nil)
	objects := func(n int) string { return "[" + strings.Repeat(`{"":0},`, n/3) + "0]" }
	commas := `{"a":"` + strings.Repeat(`,\"[`, 100_000) + `"}`
	for _, c := range []struct {
		what, path, caller, want string
		declared                 int
		text                     string
	}{
		{"nobody's that is declared large", "/apply", "", "401", 1 << 20, ""},
		{"nobody's that becomes large", "/apply", "", "413", -1, letters(70_000)},
		{"larger than the operation takes", "/api/v1/papers", "haneul", "413", 11 << 20, ""},
		{"larger, and not said", "/api/v1/papers", "haneul", "413", -1, letters(11 << 20)},
		{"larger than anything else", "/apply", "haneul", "413", 13 << 20, ""},
		{"many values", "/api/v1/papers", "haneul", "413", -2, objects(mostValues + 10)},
		{"many values of nobody", "/api/v1/check", "", "413", -2, objects(strangersValues + 10)},
		{"as many as may be", "/api/v1/papers", "haneul", "200", -2, objects(mostValues - 10)},
		{"commas in a text are no values", "/api/v1/papers", "haneul", "200", -2, commas},
	} {
		if c.declared == -2 {
			c.declared = len(c.text)
		}
		if got := status(begin(t, address, c.path, c.caller, c.declared, c.text)); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

func TestABodyThatNeverComesToItsEndIsLeft(t *testing.T) {
	address := rationed(t, func(l *rationing) { l.patience = 100 * time.Millisecond })
	for what, c := range map[string]net.Conn{
		"small": begin(t, address, "/oidc/oauth/token", "", 10, "a"), "large": begin(t, address, "/api/v1/imports/1/parts/0", "haneul", 1<<20, letters(100_000)),
	} {
		if got := status(c); !strings.HasPrefix(got, "408") {
			t.Errorf("%s: %s", what, got)
		}
	}
}

// What is received may be handled for longer than it took to come, and the connection is good for the next request.
func TestAConnectionIsGoodForTheNextRequestAfterABody(t *testing.T) {
	address := rationed(t, func(l *rationing) { l.patience = 100 * time.Millisecond })
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for _, size := range []int{1, 100_000, 1} {
		if _, err := io.WriteString(c, fmt.Sprintf("POST /auth/sign-out HTTP/1.1\r\nHost: x\r\nCaller: x\r\nContent-Length: %d\r\n\r\n%s", size, letters(size))); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != fmt.Sprint(size) {
			t.Fatal(string(body), err)
		}
		time.Sleep(150 * time.Millisecond)
	}
}
