package clock_test

import (
	"testing"
	"time"

	"github.com/maru-city/maru/engine/clock"
)

func TestTodayIsTheDayInSeoul(t *testing.T) {
	for _, c := range []struct{ utc, day string }{
		{"2026-11-23T14:59:59Z", "2026-11-23"},
		{"2026-11-23T15:00:00Z", "2026-11-24"}, // midnight in Seoul
		{"2026-12-31T15:00:00Z", "2027-01-01"},
		{"1988-07-01T14:30:00Z", "1988-07-02"}, // summer time, ten hours ahead
	} {
		at, err := time.Parse(time.RFC3339, c.utc)
		if err != nil {
			t.Fatal(err)
		}
		if got := clock.Today(clock.NewFake(at)); got != c.day {
			t.Errorf("at %s the day in Seoul is %s, want %s", c.utc, got, c.day)
		}
	}
}

func TestFakeMovesOnlyWhenTold(t *testing.T) {
	start := time.Date(2026, 11, 23, 9, 0, 0, 0, clock.Seoul)
	f := clock.NewFake(start)
	if !f.Now().Equal(start) || f.Now().Location() != time.UTC {
		t.Fatalf("stands at %s, want %s in UTC", f.Now(), start)
	}
	if got := f.Advance(90 * time.Minute); !got.Equal(start.Add(90*time.Minute)) || !f.Now().Equal(got) {
		t.Errorf("advanced to %s and stands at %s", got, f.Now())
	}
	f.Set(start.AddDate(-1, 0, 0))
	if !f.Now().Equal(start.AddDate(-1, 0, 0)) {
		t.Errorf("doesn't go back: %s", f.Now())
	}
}

func TestRealReadsBackEqual(t *testing.T) {
	var c clock.Clock = clock.Real{}
	before := time.Now()
	now := c.Now()
	if now.Before(before.Round(0)) || now.After(time.Now().Round(0)) {
		t.Errorf("%s isn't now", now)
	}
	back, err := time.Parse(time.RFC3339Nano, now.Format(time.RFC3339Nano))
	if err != nil || back != now { // == on purpose: zone and monotonic part count too
		t.Errorf("%#v was read back as %#v, %v", now, back, err)
	}
}
