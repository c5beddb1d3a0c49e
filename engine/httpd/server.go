package httpd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// How long the server waits. There is no limit on a whole request or answer: both may be large and slow; how bodies are read, ration says.
const (
	readHeader = 10 * time.Second
	idle       = 2 * time.Minute
	stopWithin = 20 * time.Second // for what is under way when the server ends
	maxHeader  = 64 << 10         // bytes
)

// Options is what a server is made from.
type Options struct {
	Title   string // of the API
	Version string
	Ready   func(context.Context) error     // nil when the server can do its work
	Log     *slog.Logger                    // nil: the default one
	Host    string                          // the name by which it is reached beside loopback's, such as maru.city.example; "" for none
	Who     func(http.Handler) http.Handler // finds who asks, for every request; nil: nobody is asked
	Caller  func(context.Context) string    // tells apart who asks, "" for somebody who isn't known; nil: all are one
	Folder  string                          // for large bodies while they are handled; "": the system's
}

// Server is the platform's HTTP server. Mount everything before it serves.
type Server struct {
	mux     *http.ServeMux
	api     huma.API
	log     *slog.Logger
	metrics *metrics
	ready   func(context.Context) error
	host    string
	who     func(http.Handler) http.Handler
	caller  func(context.Context) string
	folder  string
}

// New makes a server with the operations and pages of its own.
func New(o Options) *Server {
	s := &Server{mux: http.NewServeMux(), log: o.Log, metrics: newMetrics(), ready: o.Ready, host: o.Host, who: o.Who, caller: o.Caller, folder: o.Folder}
	if s.who == nil {
		s.who = func(next http.Handler) http.Handler { return next }
	}
	if s.caller == nil {
		s.caller = func(context.Context) string { return everybody }
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	s.api = humago.New(s.mux, describe(o.Title, o.Version))
	s.mux.Handle("GET /metrics", s.metrics.handler())
	s.mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok\n") })
	s.mux.HandleFunc("GET /readyz", s.readiness)
	s.mux.HandleFunc("/api/", s.nowhere)
	return s
}

// API is where operations are registered, each with its whole path.
func (s *Server) API() huma.API { return s.api }

// Handle mounts a handler at a pattern of [http.ServeMux].
func (s *Server) Handle(pattern string, h http.Handler) { s.mux.Handle(pattern, h) }

// Metrics is where other packages register what they measure.
func (s *Server) Metrics() prometheus.Registerer { return s.metrics.registry }

// Handler is everything the server serves, behind its gates.
func (s *Server) Handler() http.Handler {
	compress, err := gzhttp.NewWrapper(gzhttp.CompressionLevel(gzip.BestSpeed), gzhttp.EnableZstd(false), gzhttp.ContentTypeFilter(isText))
	if err != nil { // only options that contradict each other
		panic(err)
	}
	bodies, err := newRationing(s.caller, s.largest(), s.folder)
	if err != nil { // only a key of a wrong length
		panic(err)
	}
	return s.observe(s.guard(s.who(bodies.ration(compress(routed(s.mux))))))
}

// largest says how large a body the operation takes that a request is for.
func (s *Server) largest() func(*http.Request) (int64, bool) {
	most := map[string]int64{}
	for path, item := range s.api.OpenAPI().Paths {
		for _, op := range []*huma.Operation{item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				most[op.Method+" "+path] = op.MaxBodyBytes
			}
		}
	}
	return func(r *http.Request) (int64, bool) {
		_, pattern := s.mux.Handler(r)
		n, ok := most[pattern]
		return n, ok
	}
}

// isText reports whether answers of a type get smaller by compression. What a handler has compressed itself is left alone.
func isText(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	return strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "yaml") || strings.HasSuffix(kind, "jsonl") || strings.HasSuffix(kind, "ndjson")
}

// Listen opens a TCP address for [Server.Serve]. Where anywhere is false only a loopback address is opened; any other is a problem with code
// listen.loopback.
func Listen(ctx context.Context, address string, anywhere bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, problem.New("listen.address", 400, lang.F("요청을 받을 주소가 올바르지 않습니다: %q", "%q isn't an address to listen on", address)).
			Hinting(lang.T("127.0.0.1:8700처럼 쓰십시오", "write it as 127.0.0.1:8700"))
	}
	if !anywhere && !loopback(host) {
		return nil, problem.New("listen.loopback", 400, lang.F("이 주소에서는 요청을 받을 수 없습니다: %s. 로그인을 맡을 시스템과 암호화(TLS)가 정해지지 않았으면 이 컴퓨터에서 보낸 요청만 받습니다", "it can't listen on %s: without an identity provider and TLS only requests from this machine are taken", address)).
			Hinting(lang.T("--issuer에 로그인을 맡을 OpenID Connect 주소를, --url에 https:// 주소를 쓰거나, --listen 127.0.0.1:8700을 쓰십시오", "name an OpenID Connect provider with --issuer and an https:// address with --url, or use --listen 127.0.0.1:8700"))
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, problem.New("listen.failed", 500, lang.F("이 주소에서 요청을 받을 수 없습니다: %s (%s)", "it can't listen on %s: %s", address, err.Error())).
			Hinting(lang.T("다른 프로그램이 쓰는 주소라면 --listen으로 다른 포트를 지정하십시오", "if another program uses the address, give another port with --listen"))
	}
	return l, nil
}

// loopback reports whether a host, without port, can only be this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() && a.Zone() == ""
}

// Serve serves on l until ctx ends. Then it takes no new requests and gives those under way 20 seconds.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler: s.Handler(), ReadHeaderTimeout: readHeader, IdleTimeout: idle, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err := server.Shutdown(ending)
	if errors.Is(err, context.DeadlineExceeded) {
		s.log.Warn("http: requests were cut off at the end", "after", stopWithin)
		return server.Close()
	}
	return err
}

func (s *Server) readiness(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if s.ready == nil {
		answer(w, http.StatusOK, "ok\n")
		return
	}
	if err := s.ready(ctx); err != nil {
		s.log.WarnContext(ctx, "http: not ready", "error", err)
		answer(w, http.StatusServiceUnavailable, "not ready\n")
		return
	}
	answer(w, http.StatusOK, "ok\n")
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the client went away: nobody to tell
}
