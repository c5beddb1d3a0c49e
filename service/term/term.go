package term

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Unit is what a term counts.
type Unit string

// The units.
const (
	Hours  Unit = "hours" // working hours
	Days   Unit = "working days"
	Weeks  Unit = "weeks"
	Months Unit = "months"
)

// hoursOfDay is how many hours of work are a day's.
const hoursOfDay = 8

// Term is how long something may take.
type Term struct {
	N    int
	Unit Unit
}

// AtOnce is 즉시: within three working hours (민원처리법 시행령 제19조).
var AtOnce = Term{3, Hours}

// Parse reads a term as manifests have it: at once, 4 hours, 14 working days, 2 weeks, 1 month.
func Parse(text string) (Term, bool) {
	if text == "at once" {
		return AtOnce, true
	}
	number, unit, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	if err != nil || n < 1 || n > 999 {
		return Term{}, false
	}
	if n == 1 && !strings.HasSuffix(unit, "s") {
		unit += "s"
	}
	t := Term{n, Unit(unit)}
	return t, slices.Contains([]Unit{Hours, Days, Weeks, Months}, t.Unit)
}

// Text is the term in words.
func (t Term) Text() lang.Text {
	ko := map[Unit]string{Hours: "근무시간 %d시간", Days: "근무일 %d일", Weeks: "%d주", Months: "%d개월"}[t.Unit]
	en := fmt.Sprintf("%d %s", t.N, t.Unit)
	if t.Unit == Hours {
		en = fmt.Sprintf("%d working hours", t.N)
	}
	if t.N == 1 {
		en = strings.TrimSuffix(en, "s")
	}
	return lang.T(fmt.Sprintf(ko, t.N), en)
}

// String is the term as manifests have it.
func (t Term) String() string {
	if t.N == 1 {
		return "1 " + strings.TrimSuffix(string(t.Unit), "s")
	}
	return strconv.Itoa(t.N) + " " + string(t.Unit)
}

// counted is the term in the unit that the law counts it in: five days or less in hours, eight a day (민원처리법 제19조제1항).
func (t Term) counted() Term {
	if t.Unit == Days && t.N <= 5 {
		return Term{t.N * hoursOfDay, Hours}
	}
	return t
}

// Pause is time that doesn't count, from an instant to another.
type Pause struct{ From, To time.Time }

// Clock is a term under way.
type Clock struct {
	Term     Term
	Began    time.Time
	Pauses   []Pause // in order, none in another
	Extended []Term  // in the units of the term
}

// Due is the instant by which it must be done.
//
// Hours, and terms of five working days or less, count in working time from the instant at which it began (민원처리법 제19조제1항, 시행령 제19조). Six working days or more count in days with the first one
// (제19조제2항), to the end of the last; weeks and months by the Civil Act, the first day counted (제19조제3항, 민법 제159조–제161조), and an end on a day off is on the next working day. Of a pause, hours
// are the working time within it; days are those after the one on which it began, up to the one on which it ended (시행령 제20조, 민법 제157조).
//
// Its error is a problem with code calendar.missing.
func (c Clock) Due(cal *Calendar) (time.Time, error) {
	total := c.Term.counted()
	for _, more := range c.Extended {
		n := more.N
		if total.Unit == Hours && more.Unit == Days {
			n *= hoursOfDay
		}
		total.N += n
	}
	switch total.Unit {
	case Hours:
		return c.hours(cal, time.Duration(total.N)*time.Hour)
	case Days:
		return c.days(cal, total.N)
	}
	return c.calendar(cal, total)
}

// hours goes through working time until enough of it is spent.
func (c Clock) hours(cal *Calendar, left time.Duration) (time.Time, error) {
	for day := midnight(c.Began); ; day = day.AddDate(0, 0, 1) {
		pieces, err := cal.pieces(day)
		if err != nil {
			return time.Time{}, err
		}
		for _, p := range pieces {
			p.From = later(p.From, c.Began)
			for _, q := range without(p, c.Pauses) {
				if spent := q.To.Sub(q.From); spent < left {
					left -= spent
					continue
				}
				return q.From.Add(left), nil
			}
		}
	}
}

// paused reports whether a day doesn't count: it lies after the day on which a pause began, and not after the one on which it ended.
func (c Clock) paused(day time.Time) bool {
	return slices.ContainsFunc(c.Pauses, func(p Pause) bool { return day.After(midnight(p.From)) && !day.After(midnight(p.To)) })
}

// days counts working days, with the first.
func (c Clock) days(cal *Calendar, left int) (time.Time, error) {
	for day := midnight(c.Began); ; day = day.AddDate(0, 0, 1) {
		works, err := cal.Works(day)
		if err != nil {
			return time.Time{}, err
		}
		if works && !c.paused(day) {
			left--
		}
		if left == 0 {
			return end(day), nil
		}
	}
}

// calendar counts weeks or months, with the first day.
func (c Clock) calendar(cal *Calendar, total Term) (time.Time, error) {
	first := midnight(c.Began)
	last := first.AddDate(0, 0, 7*total.N-1)
	if total.Unit == Months {
		last = monthsOn(first, total.N)
	}
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		if c.paused(day) {
			last = last.AddDate(0, 0, 1)
		}
	}
	last, err := cal.onward(last)
	return end(last), err
}

// monthsOn is the last day of so many months from a day on: the one before its like, or the last of a month that has none (민법 제160조제2항·제3항).
func monthsOn(first time.Time, n int) time.Time {
	y, m, d := first.Date()
	month := time.Date(y, m+time.Month(n), 1, 0, 0, 0, 0, first.Location())
	if last := month.AddDate(0, 1, -1); d > last.Day() {
		return last
	}
	return month.AddDate(0, 0, d-2)
}

// Extend is the clock with an extension, or a problem: clock.extend where it is longer than the term or counted in another way (민원처리법 시행령 제21조제1항: within the term), clock.extended where there are two
// already.
func (c Clock) Extend(more Term) (Clock, error) {
	most := lang.F("처리기간(%s) 안에서 연장할 수 있습니다 (민원처리법 시행령 제21조)", "by at most its term, %s (민원처리법 시행령 제21조)", c.Term.Text())
	switch {
	case len(c.Extended) > 1:
		return c, problem.New("clock.extended", 409, lang.T("처리기간은 두 번까지 연장할 수 있습니다 (민원처리법 시행령 제21조)", "a term is extended twice at most (민원처리법 시행령 제21조)"))
	case more.N < 1 || more.Unit != c.Term.Unit || more.N > c.Term.N:
		return c, problem.New("clock.extend", 422, lang.F("이만큼 연장할 수 없습니다: %s", "it can't be extended by %s", more.Text())).Hinting(most)
	}
	c.Extended = append(slices.Clip(c.Extended), more)
	return c, nil
}

// Left is the working time between two instants as people say it: whole working days and hours, rounded down; negative where it is overdue.
func Left(cal *Calendar, now, due time.Time) (time.Duration, error) {
	if due.Before(now) {
		d, err := cal.Worked(due, now)
		return -d, err
	}
	return cal.Worked(now, due)
}
