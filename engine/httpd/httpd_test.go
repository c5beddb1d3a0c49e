package httpd_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// safeBuffer is a log that a test reads while others write it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

type echoInput struct {
	Name  string `path:"name"`
	Limit int    `query:"limit" default:"1"`
	Form  string `query:"form" enum:"long,short"`
	Word  string `query:"word"`
	Body  struct {
		Size  int64  `json:"size" minimum:"1"`
		Shape string `json:"shape,omitempty" enum:"round,square"`
	}
}

type echoOutput struct {
	Body struct {
		Name string `json:"name"`
	}
}

// echo answers, or fails in the way its name says.
func echo(_ context.Context, in *echoInput) (*echoOutput, error) {
	switch in.Name {
	case "problem":
		p := problem.New("echo.refused", 409, lang.T("안 됩니다", "it can't be")).Hinting(lang.T("다시 하세요", "try again"))
		p.At = []problem.Detail{{Where: "size", Message: lang.T("큽니다", "too large")}}
		p.With = map[string]any{"version": 7}
		return nil, fmt.Errorf("around it: %w", p)
	case "internal":
		return nil, errors.New("the disk at /secret/place is on fire")
	case "panic":
		panic("the disk at /secret/place is on fire")
	}
	out := &echoOutput{}
	out.Body.Name = in.Name
	return out, nil
}

// newServer is a server with one operation and a few pages.
func newServer(t *testing.T) (*httpd.Server, *safeBuffer) {
	t.Helper()
	log := &safeBuffer{}
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(log, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	s := httpd.New(httpd.Options{Title: "Trial", Version: "1"})
	huma.Register(s.API(), huma.Operation{OperationID: "echo", Method: http.MethodPost, Path: "/api/v1/echo/{name}", MaxBodyBytes: 1000}, echo)
	s.Handle("GET /long", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, strings.Repeat("마루 ", 5000))
	}))
	s.Handle("GET /binary", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.apache.parquet")
		_, _ = w.Write(make([]byte, 50_000))
	}))
	s.Handle("GET /half", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		http.NewResponseController(w).Flush()
		panic("no more")
	}))
	return s, log
}

// ask sends a request to a handler. Header is names and values by turns.
func ask(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8700"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
			continue
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRequestsFromElsewhereAreRefused(t *testing.T) {
	s, _ := newServer(t)
	h := s.Handler()
	for _, x := range []struct {
		name, method string
		header       []string
		status       int
	}{
		{"a terminal", "GET", nil, 200},
		{"the name localhost", "GET", []string{"Host", "localhost:8700"}, 200},
		{"IPv6", "GET", []string{"Host", "[::1]:8700"}, 200},
		{"no port", "GET", []string{"Host", "localhost"}, 200},
		{"a page of ours", "POST", []string{"Origin", "http://127.0.0.1:8700", "Sec-Fetch-Site", "same-origin"}, 200},
		{"a link on another site", "GET", []string{"Sec-Fetch-Site", "cross-site"}, 200},
		{"a name that was made to lead here (DNS rebinding)", "GET", []string{"Host", "evil.example:8700"}, 403},
		{"a name that begins like ours", "GET", []string{"Host", "localhost.evil.example"}, 403},
		{"an address that begins like ours", "GET", []string{"Host", "127.0.0.1.evil.example"}, 403},
		{"another address of this machine", "GET", []string{"Host", "192.168.0.7:8700"}, 403},
		{"no host", "GET", []string{"Host", ""}, 403},
		{"a script of another site", "POST", []string{"Origin", "https://evil.example"}, 403},
		{"a script of another port", "POST", []string{"Origin", "http://127.0.0.1:9999"}, 403},
		{"a script of another site that reads", "GET", []string{"Origin", "https://evil.example"}, 200}, // as nobody: see below
		{"a sandboxed frame", "POST", []string{"Origin", "null"}, 403},
		{"a form of another site", "POST", []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a form of another port", "POST", []string{"Sec-Fetch-Site", "same-site"}, 403},
	} {
		path, body := "/healthz", ""
		if x.method == "POST" {
			path, body = "/api/v1/echo/x", `{"size":1}`
		}
		if w := ask(h, x.method, path, body, x.header...); w.Code != x.status {
			t.Errorf("%s: status %d, want %d: %s", x.name, w.Code, x.status, w.Body)
		}
	}
}

// What a page of another site reads it reads as nobody, and sees of it only what is open.
func TestAPageOfAnotherSiteReadsAsNobody(t *testing.T) {
	s, _ := newServer(t)
	who := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("Cookie")+r.Header.Get("Authorization"))
	})
	s.Handle("GET /openapi/", who)
	s.Handle("GET /my", who)
	for path, allowed := range map[string]string{"/openapi/sample": "*", "/my": ""} {
		w := ask(s.Handler(), "GET", path, "", "Origin", "https://elsewhere.example", "Cookie", "session=1", "Authorization", "Bearer x")
		if w.Body.String() != "" || w.Header().Get("Access-Control-Allow-Origin") != allowed || w.Header().Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %q %v", path, w.Body, w.Header())
		}
		if w := ask(s.Handler(), "GET", path, "", "Origin", "http://127.0.0.1:8700", "Cookie", "session=1"); w.Body.String() != "session=1" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s of our own page: %q %v", path, w.Body, w.Header())
		}
	}
}

func TestErrorsAreProblemsInTheReadersLanguage(t *testing.T) {
	s, _ := newServer(t)
	h := s.Handler()
	for _, x := range []struct {
		name, method, path, body string
		status                   int
		code, ko, en             string
	}{
		{"a problem", "POST", "/api/v1/echo/problem", `{"size":1}`, 409, "echo.refused", "안 됩니다", "it can't be"},
		{"a missing field", "POST", "/api/v1/echo/x", `{}`, 422, "request.invalid", "필요한 항목이 없습니다: size", "expected required property size"},
		{"an unknown field", "POST", "/api/v1/echo/x", `{"size":1,"sizes":2}`, 422, "request.invalid", "알 수 없는 항목", "unexpected property"},
		{"a wrong value", "POST", "/api/v1/echo/x", `{"size":0}`, 422, "request.invalid", "이 수보다 작을 수 없습니다: 1", "expected number"},
		{"no JSON", "POST", "/api/v1/echo/x", `{`, 400, "request.invalid", "형식에 맞지 않습니다", "isn't of the right form"},
		{"no body", "POST", "/api/v1/echo/x", ``, 400, "request.invalid", "본문이 필요합니다", "request body is required"},
		{"too much", "POST", "/api/v1/echo/x", `{"size":1` + strings.Repeat(" ", 2000) + `}`, 413, "request.large", "너무 큽니다", "too large"},
		{"an unknown parameter", "POST", "/api/v1/echo/x?sice=1", `{"size":1}`, 422, "request.invalid", "알 수 없는 질의 항목", "unknown query parameter"},
		{"a parameter given twice", "POST", "/api/v1/echo/x?limit=1&limit=2", `{"size":1}`, 422, "request.invalid", "값을 하나만", "expected one value"},
		{"an empty number", "POST", "/api/v1/echo/x?limit=", `{"size":1}`, 422, "request.invalid", "정수여야", "expected integer"},
		{"an empty word of a list", "POST", "/api/v1/echo/x?form=", `{"size":1}`, 422, "request.invalid", "이 가운데 하나여야", "to be one of"},
		{"a field in another case", "POST", "/api/v1/echo/x", `{"size":1,"Shape":"round"}`, 422, "request.invalid", "알 수 없는 항목", "unexpected property"},
		{"a fraction", "POST", "/api/v1/echo/x", `{"size":1.5}`, 422, "request.invalid", "정수여야 합니다", "expected integer"},
		{"a number that is too large", "POST", "/api/v1/echo/x", `{"size":1e30}`, 422, "request.invalid", "64비트 정수여야 합니다: size", "expected integer of 64 bits in size"},
		{"an address with NUL", "POST", "/api/v1/echo/%00", `{"size":1}`, 400, "request.invalid", "쓸 수 없는 문자", "no text"},
		{"an address that isn't UTF-8", "POST", "/api/v1/echo/%ff", `{"size":1}`, 400, "request.invalid", "쓸 수 없는 문자", "no text"},
		{"a parameter that isn't UTF-8", "POST", "/api/v1/echo/x?word=%ed%a0%80", `{"size":1}`, 400, "request.invalid", "쓸 수 없는 문자", "no text"},
		{"an unknown address", "GET", "/api/v1/nope", ``, 404, "request.path", "없는 주소입니다", "no address"},
		{"a wrong method", "DELETE", "/api/v1/echo/x", ``, 405, "request.method", "DELETE", "can't be used"},
		{"an internal error", "POST", "/api/v1/echo/internal", `{"size":1}`, 500, "internal", "문제가 발생했습니다", "went wrong"},
		{"a panic", "POST", "/api/v1/echo/panic", `{"size":1}`, 500, "internal", "문제가 발생했습니다", "went wrong"},
	} {
		for language, want := range map[string]string{"ko": x.ko, "en": x.en} {
			w := ask(h, x.method, x.path, x.body, "Accept-Language", language)
			var p struct {
				Code   string
				Status int
			}
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != x.status || p.Status != x.status || p.Code != x.code || !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s (%s): status %d, %v: %s", x.name, language, w.Code, err, w.Body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("%s: Content-Type %q", x.name, got)
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%s tells what is nobody's business: %s", x.name, w.Body)
			}
		}
	}
}

func TestWhatTheDescriptionLetsBeSentIsTaken(t *testing.T) {
	s, _ := newServer(t)
	for _, body := range []string{`{"size":5.0}`, `{"size":5e0}`, `{"size":9007199254740993.0}`, `{"size":1,"shape":null}`, `{"size":1,"shape":"round"}`} {
		if w := ask(s.Handler(), "POST", "/api/v1/echo/x?word=", body); w.Code != 200 {
			t.Errorf("%s: status %d: %s", body, w.Code, w.Body)
		}
	}
	shape := s.API().OpenAPI().Components.Schemas.Map()["EchoInputBody"].Properties["shape"]
	if text, err := json.Marshal(shape); err != nil || string(text) != `{"enum":["round","square",null],"type":["string","null"]}` {
		t.Errorf("%s %v", text, err)
	}
}

func TestOperationsAreDescribedWithWhatTheServerAnswersForThem(t *testing.T) {
	s, _ := newServer(t)
	var statuses []string
	for status := range s.API().OpenAPI().Paths["/api/v1/echo/{name}"].Post.Responses {
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	if got := strings.Join(statuses, " "); got != "200 400 403 408 413 415 422 431 500 503 507" {
		t.Errorf("%s", got)
	}
}

func TestAProblemKeepsItsPlacesAndMembers(t *testing.T) {
	s, _ := newServer(t)
	w := ask(s.Handler(), "POST", "/api/v1/echo/problem", `{"size":1}`, "Accept-Language", "en")
	const want = `{"title":"Conflict","status":409,"code":"echo.refused","detail":"it can't be","hint":"try again","errors":[{"where":"size","message":"too large"}],"version":7}`
	if got := strings.TrimSpace(w.Body.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAnInternalErrorIsLoggedUnderTheNumberThatIsShown(t *testing.T) {
	s, log := newServer(t)
	for _, path := range []string{"/api/v1/echo/internal", "/api/v1/echo/panic"} {
		w := ask(s.Handler(), "POST", path, `{"size":1}`)
		var p struct{ ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || len(p.ID) < 8 || p.ID != w.Header().Get("X-Request-Id") {
			t.Fatalf("%s: %s", path, w.Body)
		}
		if !regexp.MustCompile(`level=ERROR.*` + p.ID + `.*secret`).MatchString(log.String()) {
			t.Errorf("%s: the log doesn't say what happened: %s", path, log)
		}
	}
}

func TestARequestKeepsTheNumberItCameWith(t *testing.T) {
	s, log := newServer(t)
	h := s.Handler()
	if w := ask(h, "GET", "/long", "", "X-Request-Id", "gateway-0001"); w.Header().Get("X-Request-Id") != "gateway-0001" || !strings.Contains(log.String(), "request=gateway-0001") {
		t.Errorf("number %q; log %s", w.Header().Get("X-Request-Id"), log)
	}
	if w := ask(h, "GET", "/long", "", "X-Request-Id", "a\" level=ERROR"); w.Header().Get("X-Request-Id") == "a\" level=ERROR" {
		t.Error("a number that writes into the log is taken")
	}
}

func TestTheLogNamesNobodyWhoseKeyIsInAnAddress(t *testing.T) {
	s, log := newServer(t)
	ask(s.Handler(), "POST", "/api/v1/echo/900101-1000000?x=900101-1000000", `{"size":1}`)
	if !strings.Contains(log.String(), "route=/api/v1/echo/{name}") || strings.Contains(log.String(), "900101") {
		t.Errorf("log: %s", log)
	}
}

func TestMetricsNameRoutesNotPaths(t *testing.T) {
	s, _ := newServer(t)
	h := s.Handler()
	for i := range 50 {
		ask(h, "POST", fmt.Sprintf("/api/v1/echo/name-%d", i), `{"size":1}`)
		ask(h, fmt.Sprintf("METHOD%d", i), fmt.Sprintf("/api/v1/nowhere/%d", i), "")
	}
	body := ask(h, "GET", "/metrics", "").Body.String()
	if !strings.Contains(body, `maru_http_request_duration_seconds_count{method="POST",route="/api/v1/echo/{name}",status="200"} 50`) {
		t.Error("the requests of a route aren't counted together")
	}
	if !strings.Contains(body, `{method="other",route="/api/",status="405"} 50`) && !strings.Contains(body, `{method="other",route="/api/",status="404"} 50`) {
		t.Error("unknown methods and addresses aren't counted together")
	}
	if strings.Contains(body, "name-1") || strings.Contains(body, "METHOD1") || strings.Contains(body, "nowhere") {
		t.Error("a path or a method of the client's is a label")
	}
}

func TestTextIsCompressedForThoseWhoTakeIt(t *testing.T) {
	s, _ := newServer(t)
	h := s.Handler()
	w := ask(h, "GET", "/long", "", "Accept-Encoding", "gzip")
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatalf("encoding %q", w.Header().Get("Content-Encoding"))
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(z); err != nil || string(text) != strings.Repeat("마루 ", 5000) {
		t.Errorf("another text came out: %v", err)
	}
	if w := ask(h, "GET", "/long", ""); w.Header().Get("Content-Encoding") != "" {
		t.Error("compressed for one who doesn't take it")
	}
	if w := ask(h, "GET", "/binary", "", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Error("what is no text was compressed")
	}
}

func TestHalfAnAnswerIsNeverTakenForAWholeOne(t *testing.T) {
	s, _ := newServer(t)
	server := httptest.NewServer(s.Handler())
	defer server.Close()
	res, err := http.Get(server.URL + "/half")
	if err == nil {
		defer res.Body.Close()
		_, err = io.ReadAll(res.Body)
	}
	if err == nil {
		t.Error("the client saw no error")
	}
}

func TestReadinessFollowsWhatTheServerNeeds(t *testing.T) {
	var broken error
	s := httpd.New(httpd.Options{Ready: func(context.Context) error { return broken }, Log: slog.New(slog.DiscardHandler)})
	h := s.Handler()
	if w := ask(h, "GET", "/readyz", ""); w.Code != 200 {
		t.Errorf("ready: status %d", w.Code)
	}
	broken = errors.New("the database at db.secret is away")
	if w := ask(h, "GET", "/readyz", ""); w.Code != 503 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("not ready: status %d, %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/healthz", ""); w.Code != 200 {
		t.Errorf("alive all the same: status %d", w.Code)
	}
}

func TestOnlyThisMachineIsListenedTo(t *testing.T) {
	for address, code := range map[string]string{
		"127.0.0.1:0": "", "localhost:0": "", "127.8.9.10:0": "",
		"0.0.0.0:0": "listen.loopback", ":0": "listen.loopback", "[::]:0": "listen.loopback", "192.168.0.7:0": "listen.loopback", "example.com:0": "listen.loopback",
		"8700": "listen.address", "": "listen.address",
	} {
		l, err := httpd.Listen(t.Context(), address, false)
		if err == nil {
			l.Close()
		}
		if problem.Code(err) != code || (code == "" && err != nil) {
			t.Errorf("%q: %v, want code %q", address, err, code)
		}
	}
	l, err := httpd.Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := httpd.Listen(t.Context(), l.Addr().String(), false); problem.Code(err) != "listen.failed" {
		t.Errorf("an address in use: %v", err)
	}
}

func TestAServerThatEndsFinishesWhatIsUnderWay(t *testing.T) {
	s, _ := newServer(t)
	began, finish := make(chan struct{}), make(chan struct{})
	s.Handle("GET /slow", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-finish
		_, _ = io.WriteString(w, "done")
	}))
	l, err := httpd.Listen(t.Context(), "127.0.0.1:0", false)
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	answer := make(chan string, 1)
	go func() {
		res, err := http.Get("http://" + l.Addr().String() + "/slow")
		if err != nil {
			answer <- err.Error()
			return
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		answer <- string(body)
	}()
	<-began
	end()
	select {
	case err := <-ended:
		t.Fatalf("it ended with a request under way: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(finish)
	if got := <-answer; got != "done" {
		t.Errorf("the request was answered %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLargeBodiesWaitForEachOther(t *testing.T) {
	s, _ := newServer(t)
	var now, most atomic.Int64
	began, finish := make(chan struct{}, 10), make(chan struct{})
	s.Handle("POST /large", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		began <- struct{}{}
		<-finish
		now.Add(-1)
	}))
	h := s.Handler()
	var all sync.WaitGroup
	large := strings.Repeat("a", 12<<20)
	for range 10 {
		all.Go(func() {
			r := httptest.NewRequest("POST", "/large", strings.NewReader(large))
			r.Host = "localhost"
			h.ServeHTTP(httptest.NewRecorder(), r)
		})
	}
	for range 10 {
		<-began
		if w := ask(h, "POST", "/api/v1/echo/x", `{"size":1}`); w.Code != 200 {
			t.Errorf("a small request beside them: status %d", w.Code)
		}
		finish <- struct{}{}
	}
	all.Wait()
	if most.Load() > 80/12 {
		t.Errorf("%d requests of 12 MiB were handled at once", most.Load())
	}
}
