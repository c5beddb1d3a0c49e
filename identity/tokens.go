package identity

import (
	"sync"
	"time"
)

// maxKnown is how many verified tokens are remembered.
const maxKnown = 10_000

// tokens remembers verified tokens until they expire: checking a signature takes longer than answering most requests.
type tokens struct {
	now func() time.Time
	mu  sync.RWMutex
	all map[[32]byte]verifiedToken
}

type verifiedToken struct {
	who    *Principal
	expiry time.Time
}

func (t *tokens) get(key [32]byte) *Principal {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if v, ok := t.all[key]; ok && t.now().Before(v.expiry) {
		return v.who
	}
	return nil
}

func (t *tokens) put(key [32]byte, who *Principal, expiry time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.all) >= maxKnown { // forget those that have expired, or else all: they are verified again
		for k, v := range t.all {
			if !t.now().Before(v.expiry) {
				delete(t.all, k)
			}
		}
		if len(t.all) >= maxKnown {
			t.all = nil
		}
	}
	if t.all == nil {
		t.all = map[[32]byte]verifiedToken{}
	}
	t.all[key] = verifiedToken{who, expiry}
}
