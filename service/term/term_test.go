package term_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service/term"
)

// seoul has the holidays of 2026 and 2027 that the cases are about.
var seoul = term.NewCalendar("seoul", &manifest.Calendar{Years: []int{2026, 2027}, Holidays: []manifest.Holiday{
	{Date: "2026-03-01", Name: "3·1절"},
	{Date: "2026-03-02", Name: "대체공휴일"},
	{Date: "2026-05-01", Name: "노동절"},
	{Date: "2026-09-24", Name: "추석 전날"},
	{Date: "2026-09-25", Name: "추석"},
	{Date: "2026-09-26", Name: "추석 다음 날"},
	{Date: "2026-12-25", Name: "기독탄신일"},
	{Date: "2027-01-01", Name: "새해 첫날"},
}})

func at(t testing.TB, text string) time.Time {
	t.Helper()
	out, err := time.ParseInLocation("2006-01-02 15:04:05", text, clock.Seoul)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDue(t *testing.T) {
	type pause struct{ from, to string }
	for _, c := range []struct {
		name, term, began string
		pauses            []pause
		extended          []term.Term
		want              string
	}{
		{"시행령 19: at once is three working hours", "at once", "2026-11-30 11:00:00", nil, nil, "2026-11-30 15:00:00"},
		{"시행령 19: over a weekend", "at once", "2026-11-27 16:30:00", nil, nil, "2026-11-30 10:30:00"},
		{"시행령 19: received at night", "at once", "2026-11-30 22:00:00", nil, nil, "2026-12-01 12:00:00"},
		{"법 19①: five days are forty hours, without the holidays between", "5 working days", "2026-09-23 10:00:00", nil, nil, "2026-10-02 10:00:00"},
		{"법 19①: from its very instant", "1 working day", "2026-11-30 17:30:30", nil, nil, "2026-12-01 17:30:30"},
		{"법 19②: six days, the first one counted", "6 working days", "2026-11-30 15:00:00", nil, nil, "2026-12-07 23:59:59"},
		{"법 19②: received on a Saturday, Monday is the first", "6 working days", "2026-11-28 10:00:00", nil, nil, "2026-12-07 23:59:59"},
		{"법 19②: fourteen days", "14 working days", "2026-11-30 09:00:00", nil, nil, "2026-12-17 23:59:59"},
		{"법 19②: over the end of the year", "14 working days", "2026-12-14 09:00:00", nil, nil, "2027-01-04 23:59:59"},
		{"법 19③, 민법 161: two weeks that end on a Sunday", "2 weeks", "2026-11-30 09:00:00", nil, nil, "2026-12-14 23:59:59"},
		{"법 19③, 민법 160②: a month ends the day before its like", "1 month", "2026-11-05 20:00:00", nil, nil, "2026-12-04 23:59:59"},
		{"법 19③, 민법 160③: there is no 31 February, and its end is off until Tuesday", "1 month", "2026-01-31 09:00:00", nil, nil, "2026-03-03 23:59:59"},
		{"시행령 20: days of a supplement after the one on which it was asked for", "14 working days", "2026-11-30 09:00:00", []pause{{"2026-12-02 10:00:00", "2026-12-07 15:00:00"}}, nil, "2026-12-22 23:59:59"},
		{"시행령 20: supplied on the same day", "14 working days", "2026-11-30 09:00:00", []pause{{"2026-12-02 10:00:00", "2026-12-02 15:00:00"}}, nil, "2026-12-17 23:59:59"},
		{"시행령 20: hours of a supplement", "at once", "2026-11-30 09:00:00", []pause{{"2026-11-30 10:00:00", "2026-11-30 14:00:00"}}, nil, "2026-11-30 16:00:00"},
		{"시행령 20: two supplements within one piece of working time", "at once", "2026-11-30 09:00:00", []pause{{"2026-11-30 09:30:00", "2026-11-30 10:00:00"}, {"2026-11-30 11:00:00", "2026-11-30 11:30:00"}}, nil, "2026-11-30 14:00:00"},
		{"시행령 20: a month and four days of supplement", "1 month", "2026-11-05 20:00:00", []pause{{"2026-11-10 09:00:00", "2026-11-14 09:00:00"}}, nil, "2026-12-08 23:59:59"},
		{"시행령 21①: extended by its whole term", "14 working days", "2026-11-30 09:00:00", nil, []term.Term{{N: 14, Unit: term.Days}}, "2027-01-08 23:59:59"},
		{"시행령 21①: twice", "6 working days", "2026-11-30 09:00:00", nil, []term.Term{{N: 1, Unit: term.Days}, {N: 2, Unit: term.Days}}, "2026-12-10 23:59:59"},
		{"시행령 21①: five days of hours by a day", "5 working days", "2026-11-30 09:00:00", nil, []term.Term{{N: 1, Unit: term.Days}}, "2026-12-07 18:00:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			long, ok := term.Parse(c.term)
			if !ok {
				t.Fatalf("%q is no term", c.term)
			}
			clock := term.Clock{Term: long, Began: at(t, c.began), Extended: c.extended}
			for _, p := range c.pauses {
				clock.Pauses = append(clock.Pauses, term.Pause{From: at(t, p.from), To: at(t, p.to)})
			}
			got, err := clock.Due(seoul)
			if err != nil || !got.Equal(at(t, c.want)) {
				t.Errorf("%s %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestPeriodsOfTheCivilAct(t *testing.T) {
	for _, c := range []struct {
		name, from string
		days       int
		want       string
	}{
		{"법 35①, 민법 157: sixty days without the first", "2026-07-20 13:00:00", 60, "2026-09-18 23:59:59"},
		{"민법 161: they end on a holiday", "2026-07-26 13:00:00", 60, "2026-09-28 23:59:59"},
		{"시행령 24③: ten days", "2026-11-30 18:30:00", 10, "2026-12-10 23:59:59"},
	} {
		if got, err := seoul.Days(at(t, c.from), c.days); err != nil || !got.Equal(at(t, c.want)) {
			t.Errorf("%s: %s %v, want %s", c.name, got, err, c.want)
		}
	}
}

func TestAYearThatIsntInTheCalendarIsAnError(t *testing.T) {
	for _, text := range []string{"14 working days", "5 working days", "1 month"} {
		long, _ := term.Parse(text)
		_, err := term.Clock{Term: long, Began: at(t, "2027-12-29 10:00:00")}.Due(seoul)
		if problem.Code(err) != "calendar.missing" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestExtensionsStayWithinTheTerm(t *testing.T) {
	c := term.Clock{Term: term.Term{N: 14, Unit: term.Days}}
	for _, bad := range []term.Term{{N: 15, Unit: term.Days}, {N: 0, Unit: term.Days}, {N: 1, Unit: term.Weeks}} {
		if _, err := c.Extend(bad); problem.Code(err) != "clock.extend" {
			t.Errorf("by %s: %v", bad, err)
		}
	}
	for range 2 {
		var err error
		if c, err = c.Extend(term.Term{N: 14, Unit: term.Days}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Extend(term.Term{N: 1, Unit: term.Days}); problem.Code(err) != "clock.extended" {
		t.Error("a third time:", err)
	}
}

func TestTermsAreReadAsTheyAreWritten(t *testing.T) {
	for _, text := range []string{"4 hours", "1 hour", "14 working days", "1 working day", "2 weeks", "1 month"} {
		if got, ok := term.Parse(text); !ok || got.String() != text {
			t.Errorf("%q is read as %q, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "soon", "0 weeks", "-1 weeks", "1 year", "1000 weeks", "2  weeks"} {
		if got, ok := term.Parse(text); ok {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

// Time that doesn't count moves the end onward, never back; working hours are all there between beginning and end.
func TestPausesMoveTheEndOnward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		began := time.Date(2026, 1, 1, 0, 0, 0, 0, clock.Seoul).Add(time.Duration(rapid.IntRange(0, 300*24*60).Draw(t, "minute")) * time.Minute)
		long := term.Term{N: rapid.IntRange(1, 40).Draw(t, "n"), Unit: rapid.SampledFrom([]term.Unit{term.Hours, term.Days, term.Weeks}).Draw(t, "unit")}
		if long.Unit == term.Weeks {
			long.N = 1 + long.N%5
		}
		c := term.Clock{Term: long, Began: began}
		last := began
		for i := range rapid.IntRange(0, 3).Draw(t, "pauses") {
			from := last.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, fmt.Sprint("from", i))) * time.Minute)
			last = from.Add(time.Duration(rapid.IntRange(1, 8000).Draw(t, fmt.Sprint("for", i))) * time.Minute)
			before, err := c.Due(seoul)
			if err != nil {
				t.Fatal(err)
			}
			c.Pauses = append(c.Pauses, term.Pause{From: from, To: last})
			after, err := c.Due(seoul)
			if err != nil {
				t.Fatal(err)
			}
			if after.Before(before) || from.After(before) && !after.Equal(before) {
				t.Fatalf("%+v: due %s before the pause, %s with it", c, before, after)
			}
		}
		if long.Unit != term.Hours {
			return
		}
		due, err := c.Due(seoul)
		if err != nil {
			t.Fatal(err)
		}
		sum, err := seoul.Worked(began, due)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Pauses {
			to := p.To
			if to.After(due) {
				to = due
			}
			off, err := seoul.Worked(p.From, to)
			if err != nil {
				t.Fatal(err)
			}
			sum -= off
		}
		if sum != time.Duration(long.N)*time.Hour {
			t.Fatalf("%+v: %s of working time until %s", c, sum, due)
		}
	})
}
