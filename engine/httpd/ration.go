package httpd

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Bodies are read whole into memory, and what is made of them takes several times as much. So only so many bytes of large ones are taken at once; the others wait. A large one is taken from somebody who is known, has sent its first part already, and isn't larger than its operation takes;
// nobody has more than half of the room for more than one of them.
const (
	smallBody   = 1 << 20  // bytes: not counted
	otherBody   = 12 << 20 // what a body counts for at most that no operation of the API reads
	unknownBody = 8 << 20  // what a body of unknown length counts for
	allBodies   = 80 << 20 // more than the largest that an operation takes
	waitForRoom = 30 * time.Second
	firstPart   = 30 * time.Second // within which the first part has to come
	uploadTimes = 5                // how much longer the reading of a form with files may take
)

// timely bounds the reading of bodies that no operation of the API reads: forms, and what the embedded provider is sent. Else each that never comes to its end
// keeps a connection.
func timely(within time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && !strings.HasPrefix(r.URL.Path, "/api/") {
			within := within
			if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
				within *= uploadTimes
			}
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(within)) // a writer that has none is no connection
		}
		next.ServeHTTP(w, r)
	})
}

// everybody is who asks where nobody tells them apart.
const everybody = "everybody"

// rationing is the room for large bodies.
type rationing struct {
	room   *semaphore.Weighted
	caller func(context.Context) string      // "" for somebody who isn't known
	most   func(*http.Request) (int64, bool) // what the operation takes; false: no operation of the API

	mu   sync.Mutex
	held map[string]int64 // by caller
}

// ration makes requests with large bodies wait for each other.
func (l *rationing) ration(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			r.Body = http.NoBody // nothing reads it
		} else if r.ContentLength < 0 || r.ContentLength > smallBody {
			weight, err := l.take(w, r)
			if err != nil {
				w.Header().Set("Connection", "close") // what is left of the body isn't read
				if p := problem.As(err); p != nil && p.Status == http.StatusServiceUnavailable {
					w.Header().Set("Retry-After", "10")
				}
				Fail(w, r, err)
				return
			}
			defer l.give(r, weight)
		}
		next.ServeHTTP(w, r)
	})
}

// take reads the first part of a large body, and takes room for all of it.
func (l *rationing) take(w http.ResponseWriter, r *http.Request) (weight int64, err error) {
	weight, most := r.ContentLength, int64(otherBody)
	if n, api := l.most(r); api {
		if most = n; weight > most {
			return 0, problem.New("request.large", http.StatusRequestEntityTooLarge, lang.T("요청이 너무 큽니다", "the request is too large"))
		}
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(firstPart)) // the operation sets its own behind it
	}
	first := make([]byte, smallBody)
	n, err := io.ReadFull(r.Body, first)
	r.Body = whole{io.MultiReader(bytes.NewReader(first[:n]), r.Body), r.Body}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, nil // it was small, or ends too early, which whoever reads it says
	}
	if err != nil {
		return 0, problem.New("request.timeout", http.StatusRequestTimeout, lang.T("요청이 끝까지 오지 않았습니다", "the request didn't come to its end"))
	}
	caller := l.caller(r.Context())
	if caller == "" {
		return 0, problem.New("auth.needed", http.StatusUnauthorized, lang.T("큰 자료를 보내시려면 로그인해 주십시오", "sign in to send something large"))
	}
	if weight < 0 {
		weight = unknownBody
	}
	weight = min(weight, most, allBodies)
	busy := problem.New("server.busy", http.StatusServiceUnavailable, lang.T("큰 요청을 이미 여럿 처리하고 있습니다", "several large requests are being handled already")).
		Hinting(lang.T("잠시 뒤에 다시 보내십시오", "send it again in a moment"))
	l.mu.Lock()
	if had := l.held[caller]; had > 0 && had+weight > allBodies/2 && caller != everybody {
		l.mu.Unlock()
		return 0, busy
	}
	l.held[caller] += weight
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), waitForRoom)
	defer cancel()
	if err := l.room.Acquire(ctx, weight); err != nil {
		l.drop(caller, weight)
		return 0, busy
	}
	return weight, nil
}

// give gives the room back.
func (l *rationing) give(r *http.Request, weight int64) {
	if weight > 0 {
		l.room.Release(weight)
		l.drop(l.caller(r.Context()), weight)
	}
}

func (l *rationing) drop(caller string, weight int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[caller] -= weight; l.held[caller] <= 0 {
		delete(l.held, caller)
	}
}

// whole is a body whose first part was read already.
type whole struct {
	io.Reader
	io.Closer
}
