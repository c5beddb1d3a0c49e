package httpd

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/lang"
)

type requestKey struct{}

// RequestID is the number of the request that ctx belongs to, "" outside of one. It is in the header X-Request-Id of the answer and in every
// line of the log about it.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// requestID is what a caller's own number of a request may look like.
var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{8,64}$`)

// observe gives a request its number and language, and logs and measures its answer. A panic ends the request alone.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := r.Header.Get("X-Request-Id")
		if !requestID.MatchString(id) {
			id = rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		route := &route{}
		ctx := context.WithValue(context.WithValue(r.Context(), requestKey{}, id), routeKey{}, route)
		r = r.WithContext(lang.With(ctx, lang.Parse(r.Header.Get("Accept-Language"))))
		if strings.HasPrefix(r.URL.Path, "/api/") {
			w.Header().Add("Vary", "Accept-Language")
			w.Header().Set("Cache-Control", "no-store") // records may be about people
			w.Header().Set("X-Content-Type-Options", "nosniff")
		}
		rec := &recorder{ResponseWriter: w}
		s.metrics.running.Inc()
		defer func() {
			s.metrics.running.Dec()
			if p := recover(); p != nil {
				s.recovered(rec, r, p)
			}
			s.done(r, route.pattern, rec, time.Since(start))
		}()
		next.ServeHTTP(rec, r)
	})
}

// route is the pattern that matched a request: what comes between may hand on another request than it got.
type route struct{ pattern string }

type routeKey struct{}

// routed notes which pattern matched.
func routed(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at, ok := r.Context().Value(routeKey{}).(*route); ok {
			defer func() { at.pattern = r.Pattern }()
		}
		mux.ServeHTTP(w, r)
	})
}

// recovered answers for a handler that panicked. Where bytes have gone out already the connection is cut, so that nobody takes half an
// answer for a whole one.
func (s *Server) recovered(rec *recorder, r *http.Request, p any) {
	if p != http.ErrAbortHandler {
		s.log.ErrorContext(r.Context(), "http: panic", "request", RequestID(r.Context()), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
	if rec.status != 0 || p == http.ErrAbortHandler {
		rec.cut = true
		return
	}
	rec.Header().Del("Content-Encoding")
	Fail(rec, r, fmt.Errorf("panic: %v", p))
}

// done logs and measures a request. Both name the route that matched, never the path: paths have no end, and a record's key may be a person's.
func (s *Server) done(r *http.Request, route string, rec *recorder, took time.Duration) {
	status := rec.status
	if status == 0 {
		status = http.StatusOK
	}
	if _, path, ok := strings.Cut(route, " "); ok {
		route = path
	}
	s.metrics.observe(route, r.Method, status, took)
	level := slog.LevelInfo
	switch {
	case route == "/healthz" || route == "/readyz" || route == "/metrics" || strings.HasPrefix(route, "/assets/"):
		level = slog.LevelDebug
	case status >= 500 || rec.cut:
		level = slog.LevelWarn
	}
	s.log.Log(r.Context(), level, "http", "request", RequestID(r.Context()), "method", r.Method, "route", route,
		"status", status, "bytes", rec.bytes, "ms", took.Milliseconds())
	if rec.cut {
		panic(http.ErrAbortHandler) // net/http's way to cut a connection
	}
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	cut    bool
}

// WriteHeader remembers the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 && status >= 200 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Flush sends what is buffered.
func (r *recorder) Flush() { _ = http.NewResponseController(r.ResponseWriter).Flush() }
