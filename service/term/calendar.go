package term

import (
	"slices"
	"time"

	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Calendar is a city's calendar made ready. It is immutable and safe for concurrent use.
type Calendar struct {
	name     string
	years    map[int]bool
	holidays map[string]string // by day, YYYY-MM-DD
	spans    []manifest.Span
}

// NewCalendar makes a calendar of its manifest, which has been checked.
func NewCalendar(name string, m *manifest.Calendar) *Calendar {
	c := &Calendar{name: name, years: map[int]bool{}, holidays: map[string]string{}, spans: m.Spans()}
	for _, y := range m.Years {
		c.years[y] = true
	}
	for _, h := range m.Holidays {
		c.holidays[string(h.Date)] = h.Name
	}
	return c
}

// Works reports whether a day is worked: no Saturday, no Sunday and no holiday. Its error is a problem with code calendar.missing: the calendar doesn't have the year.
func (c *Calendar) Works(day time.Time) (bool, error) {
	day = day.In(clock.Seoul)
	if !c.years[day.Year()] {
		return false, problem.New("calendar.missing", 409, lang.F("업무일력 %[1]s에 %[2]d년이 없습니다", "the calendar %[1]s doesn't have the year %[2]d", c.name, day.Year())).
			Hinting(lang.T("그해의 공휴일을 업무일력에 넣고 적용해 주십시오", "put that year's holidays into it and apply it"))
	}
	if w := day.Weekday(); w == time.Saturday || w == time.Sunday {
		return false, nil
	}
	_, off := c.holidays[day.Format(time.DateOnly)]
	return !off, nil
}

// midnight is the beginning of a day in Seoul. Days are added by [time.Time.AddDate]: Seoul had summer time.
func midnight(t time.Time) time.Time {
	y, m, d := t.In(clock.Seoul).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, clock.Seoul)
}

// end is the last instant of a day: a period ends with its last day (민법 제159조).
func end(day time.Time) time.Time { return midnight(day).AddDate(0, 0, 1).Add(-time.Second) }

// onward is a day or, where nobody works on it, the next one on which somebody does (민법 제161조).
func (c *Calendar) onward(day time.Time) (time.Time, error) {
	for {
		works, err := c.Works(day)
		if err != nil || works {
			return day, err
		}
		day = day.AddDate(0, 0, 1)
	}
}

// Days is when a period of days ends that is counted by the Civil Act: without the day on which it begins, with days off in it, to the end of its last day or, where that is a Saturday or a holiday, of
// the next working day (민법 제157조, 제159조, 제161조). Supplements (민원처리법 시행령 제24조제4항) and objections (민원처리법 제35조) count so.
func (c *Calendar) Days(from time.Time, n int) (time.Time, error) {
	last, err := c.onward(midnight(from).AddDate(0, 0, n))
	return end(last), err
}

// pieces are the working hours of a day as instants, in order.
func (c *Calendar) pieces(day time.Time) ([]Pause, error) {
	works, err := c.Works(day)
	if err != nil || !works {
		return nil, err
	}
	out := make([]Pause, len(c.spans))
	y, m, d := day.Date()
	for i, s := range c.spans {
		at := func(of time.Duration) time.Time {
			return time.Date(y, m, d, 0, 0, int(of/time.Second), 0, clock.Seoul)
		}
		out[i] = Pause{at(s.From), at(s.To)}
	}
	return out, nil
}

// Worked is how much working time lies between two instants, 0 where the second isn't the later one.
func (c *Calendar) Worked(from, to time.Time) (sum time.Duration, err error) {
	for day := midnight(from); day.Before(to); day = day.AddDate(0, 0, 1) {
		pieces, err := c.pieces(day)
		if err != nil {
			return 0, err
		}
		for _, p := range pieces {
			if a, b := later(p.From, from), earlier(p.To, to); a.Before(b) {
				sum += b.Sub(a)
			}
		}
	}
	return sum, nil
}

// WorkingDays lists nothing: it counts the working days after one day up to and including another.
func (c *Calendar) WorkingDays(after, until time.Time) (n int, err error) {
	last := midnight(until)
	for day := midnight(after).AddDate(0, 0, 1); !day.After(last); day = day.AddDate(0, 0, 1) {
		works, err := c.Works(day)
		if err != nil {
			return 0, err
		}
		if works {
			n++
		}
	}
	return n, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// without is a piece of time without pauses, which are in order: what is left of it.
func without(p Pause, pauses []Pause) (out []Pause) {
	for _, off := range pauses {
		if !off.From.Before(p.To) || !off.To.After(p.From) {
			continue
		}
		if p.From.Before(off.From) {
			out = append(out, Pause{p.From, off.From})
		}
		p.From = later(p.From, off.To)
	}
	if p.From.Before(p.To) {
		out = append(out, p)
	}
	return slices.Clip(out)
}
