package clock

import (
	"sync"
	"time"
	_ "time/tzdata" // a bare container has no zones of its own
)

// Seoul is the zone of the city's clock.
var Seoul = load("Asia/Seoul")

func load(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil { // can't be: the zones are in the program
		panic(err)
	}
	return zone
}

// Clock says what time it is.
type Clock interface {
	Now() time.Time
}

// Real is the machine's clock.
type Real struct{}

// Now is the time now, in UTC and without the monotonic part, as it will be read back from a database or a file.
func (Real) Now() time.Time { return time.Now().UTC().Round(0) }

// Today is the day in Seoul by a clock, as YYYY-MM-DD.
func Today(c Clock) string { return c.Now().In(Seoul).Format(time.DateOnly) }

// Fake is a clock that stands still until it is told to move. It is safe for concurrent use.
type Fake struct {
	mu  sync.Mutex
	now time.Time
}

// NewFake returns a clock that stands at t.
func NewFake(t time.Time) *Fake {
	f := &Fake{}
	f.Set(t)
	return f
}

// Now is the time at which the clock stands, in UTC.
func (f *Fake) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// Set moves the clock to t, also back.
func (f *Fake) Set(t time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = t.UTC().Round(0)
}

// Advance moves the clock by d and returns the new time.
func (f *Fake) Advance(d time.Duration) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	return f.now
}
