package httpd

import (
	"context"
	"net/http"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Bodies are read whole into memory, and what is made of them takes several times as much. So only so many bytes of them are taken at once;
// the others wait.
const (
	smallBody   = 1 << 20  // bytes: not counted
	unknownBody = 8 << 20  // what a body of unknown length counts for
	allBodies   = 80 << 20 // more than the largest that an operation takes
	waitForRoom = 30 * time.Second
)

// timely bounds the reading of bodies that no operation of the API reads: forms, and what the embedded provider is sent. Else each that never comes to its end
// keeps a connection.
func timely(within time.Duration, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 && !strings.HasPrefix(r.URL.Path, "/api/") {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(within)) // a writer that has none is no connection
		}
		next.ServeHTTP(w, r)
	})
}

// ration makes requests with large bodies wait for each other.
func ration(next http.Handler) http.Handler {
	room := semaphore.NewWeighted(allBodies)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		weight := r.ContentLength
		if weight < 0 {
			weight = unknownBody
		}
		if weight <= smallBody {
			next.ServeHTTP(w, r)
			return
		}
		weight = min(weight, allBodies) // what is larger is refused by its operation
		ctx, cancel := context.WithTimeout(r.Context(), waitForRoom)
		defer cancel()
		if err := room.Acquire(ctx, weight); err != nil {
			w.Header().Set("Retry-After", "10")
			Fail(w, r, problem.New("server.busy", http.StatusServiceUnavailable, lang.T("큰 요청을 이미 여럿 처리하고 있습니다", "several large requests are being handled already")).
				Hinting(lang.T("잠시 뒤에 다시 보내십시오", "send it again in a moment")))
			return
		}
		defer room.Release(weight)
		next.ServeHTTP(w, r)
	})
}
