package casework

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/registry"
)

// How long what was read about a citizen is remembered while they fill in a form, and of how many reads.
const (
	gatheredLife = 10 * time.Minute
	maxGathered  = 20_000
)

// lately is what was read lately about citizens, in memory only.
type lately struct {
	mu sync.Mutex
	by map[string]remembered
}

type remembered struct {
	reading
	at time.Time
}

// remembering reads about a citizen, and doesn't read again what it has just read for the same agreement. What can't be had isn't remembered: they may consent meanwhile.
type remembering Store

// About implements [service.Reader].
func (s *remembering) About(ctx context.Context, who *identity.Principal, project, name string, fields []string) ([]*registry.Record, int64, error) {
	key := who.Person + " " + project + "/" + name + " " + strings.Join(fields, " ")
	now := s.Now()
	s.lately.mu.Lock()
	known, ok := s.lately.by[key]
	s.lately.mu.Unlock()
	if ok && now.Sub(known.at) < gatheredLife {
		return known.records, known.receipt, nil
	}
	records, receipt, err := s.Reader.About(ctx, who, project, name, fields)
	if err != nil {
		return nil, receipt, err
	}
	s.lately.mu.Lock()
	defer s.lately.mu.Unlock()
	if s.lately.by == nil || len(s.lately.by) >= maxGathered {
		s.lately.by = map[string]remembered{}
	}
	for old, r := range s.lately.by { // a few of them, so that none stays for long
		if now.Sub(r.at) >= gatheredLife {
			delete(s.lately.by, old)
		} else {
			break
		}
	}
	s.lately.by[key] = remembered{reading{records, receipt, nil}, now}
	return records, receipt, nil
}
