package manifest

import (
	"testing"
	"time"
)

// A cron expression is of Seoul's days, unless it names another zone.
func TestAScheduleIsOfAZone(t *testing.T) {
	after := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC) // 09:00 in Seoul
	for text, want := range map[string]string{"0 6 * * *": "2026-11-28T21:00:00Z", "CRON_TZ=UTC 0 6 * * *": "2026-11-28T06:00:00Z", "CRON_TZ=America/New_York 0 6 * * *": "2026-11-28T11:00:00Z"} {
		s, err := ParseSchedule(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Next(after).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: %s instead of %s", text, got, want)
		}
	}
	if _, err := ParseSchedule("CRON_TZ=Nowhere/Town 0 6 * * *"); err == nil {
		t.Error("a zone that there is not")
	}
}
