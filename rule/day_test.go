package rule_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/maru-city/maru/manifest"
)

// TestWithinIsWhatItSays compares within with its definition: d isn't after today, and d and n units, on the last day of a shorter month where
// the day is missing (민법 160), reach today. It is computed from today backwards, once for all records.
func TestWithinIsWhatItSays(t *testing.T) {
	e := env(t, false)
	counts := map[bool]int{}
	rapid.Check(t, func(rt *rapid.T) {
		first := time.Date(2023, 12, 1, 0, 0, 0, 0, time.UTC)
		d := first.AddDate(0, 0, rapid.IntRange(0, 900).Draw(rt, "d"))
		unit := rapid.SampledFrom([]string{"day", "month", "year"}).Draw(rt, "unit")
		n := rapid.IntRange(0, 3).Draw(rt, "n")
		end := d.AddDate(0, 0, n)
		if unit != "day" {
			end = shifted(d, n*map[string]int{"month": 1, "year": 12}[unit])
		}
		today := end.AddDate(0, 0, rapid.IntRange(-3, 3).Draw(rt, "near the end"))
		want := !d.After(today) && !end.Before(today)
		r := compile(t, e, fmt.Sprintf("within(birth_date, %d, %q)", n, unit))
		got, err := r.Eval(person(map[string]any{"birth_date": d.Format(manifest.DateLayout)}), manifest.Day(today.Format(manifest.DateLayout)))
		if err != nil || got != want {
			rt.Fatalf("%s from %s on %s is %v, %v", r, d.Format(manifest.DateLayout), today.Format(manifest.DateLayout), got, err)
		}
		counts[want]++
	})
	if counts[true] == 0 || counts[false] == 0 {
		t.Errorf("only one answer: %v", counts)
	}
}

// shifted is the same day months on, or the last one that the month has.
func shifted(d time.Time, months int) time.Time {
	want := time.Month((int(d.Month())-1+months)%12 + 1)
	for day := d.Day(); ; day-- {
		if s := time.Date(d.Year(), d.Month()+time.Month(months), day, 0, 0, 0, 0, time.UTC); s.Month() == want {
			return s
		}
	}
}
