package outlet

import (
	"sync"
	"time"

	"github.com/maru-city/maru/manifest"
)

// maxCalls is how often a key may be used in a day, on one node: one request each tenth of a second all day long.
const maxCalls = 864_000

// quota counts the uses of keys of a day.
type quota struct {
	mu   sync.Mutex
	day  string
	used map[string]int // by key; all of them are known
}

// take counts one use, and reports whether it may be.
func (q *quota) take(key string, now time.Time) bool {
	day := now.In(manifest.Seoul).Format(manifest.DateLayout)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.day != day {
		q.day, q.used = day, map[string]int{}
	}
	if q.used[key] >= maxCalls {
		return false
	}
	q.used[key]++
	return true
}
