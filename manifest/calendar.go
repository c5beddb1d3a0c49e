package manifest

import (
	"slices"
	"time"
)

// Calendar says which days are worked in the city: the law's clock counts by it. A year that isn't in it is an error, never a guess.
type Calendar struct {
	Title    Text      `yaml:"title" need:"yes" ko:"업무일력 이름" en:"Name of the calendar"`
	Years    []int     `yaml:"years" need:"yes" ko:"공휴일이 빠짐없이 들어 있는 해" en:"The years whose holidays are all here"`
	Hours    []string  `yaml:"hours" ko:"근무시간, 하루 8시간 (쓰지 않으면 09:00-12:00, 13:00-18:00)" en:"Working hours, eight a day (09:00-12:00, 13:00-18:00 where nothing is said)"`
	Holidays []Holiday `yaml:"holidays" need:"yes" ko:"공휴일. 토요일과 일요일은 쓰지 않아도 쉽니다" en:"The holidays; Saturdays and Sundays are off anyway"`
	Source   string    `yaml:"source" ko:"근거" en:"Where it is published"`
}

// Holiday is a day on which nobody works.
type Holiday struct {
	Date Day    `yaml:"date" need:"yes" ko:"날짜" en:"The day"`
	Name string `yaml:"name" need:"yes" ko:"공휴일 이름" en:"What it is called"`
}

// Span is a part of each working day, in time since its midnight.
type Span struct{ From, To time.Duration }

// worked is how much of a working day is worked (민원처리법 제19조제1항).
const worked = 8 * time.Hour

// Spans are the hours of a working day, in order.
func (c *Calendar) Spans() []Span {
	if len(c.Hours) == 0 {
		return []Span{{9 * time.Hour, 12 * time.Hour}, {13 * time.Hour, 18 * time.Hour}}
	}
	out := make([]Span, 0, len(c.Hours))
	for _, text := range c.Hours {
		if s, ok := parseSpan(text); ok {
			out = append(out, s)
		}
	}
	return out
}

// parseSpan reads 09:00-12:00.
func parseSpan(text string) (s Span, ok bool) {
	if len(text) != len("09:00-12:00") || text[5] != '-' {
		return s, false
	}
	from, err := time.Parse("15:04", text[:5])
	to, err2 := time.Parse("15:04", text[6:])
	if err != nil || err2 != nil || !from.Before(to) {
		return s, false
	}
	midnight, _ := time.Parse("15:04", "00:00") // it can be read
	return Span{from.Sub(midnight), to.Sub(midnight)}, true
}

// Titled is the calendar's name.
func (c *Calendar) Titled() Text { return c.Title }

func (c *Calendar) check(k *checker) {
	total, last := time.Duration(0), time.Duration(0)
	for i, text := range c.Hours {
		s, ok := parseSpan(text)
		if !ok || s.From < last {
			k.fault("hours."+itoa(i), "calendar.hours", Textf("근무시간으로 읽을 수 없습니다: %q", "%q are no working hours", text), T("09:00-12:00처럼, 이른 것부터 쓰십시오", "write them as 09:00-12:00, the earlier ones first"))
			return
		}
		total, last = total+s.To-s.From, s.To
	}
	if len(c.Hours) > 0 && total != worked {
		k.fault("hours", "calendar.hours", Textf("근무시간이 하루 8시간이 아닙니다: %s", "the working hours of a day are %s, not eight", total.String()), T("민원의 처리기간은 하루를 8시간으로 계산합니다 (민원처리법 제19조)", "terms count eight hours a day (민원처리법 제19조)"))
	}
	seen := map[Day]bool{}
	for i, h := range c.Holidays {
		at := "holidays." + itoa(i) + ".date"
		switch t, err := time.Parse(DateLayout, string(h.Date)); {
		case err != nil:
			continue // said already
		case seen[h.Date]:
			k.fault(at, "manifest.twice", Textf("같은 날이 두 번 나옵니다: %s", "%s stands twice", string(h.Date)), Text{})
		case !slices.Contains(c.Years, t.Year()):
			k.fault(at, "calendar.year", Textf("years에 없는 해의 공휴일입니다: %s", "%s isn't in one of the years", string(h.Date)), T("그해의 공휴일을 모두 넣고 years에 더하십시오", "put all holidays of that year in, and the year in years"))
		}
		seen[h.Date] = true
	}
}

func (c *Calendar) references(*Resource) []Reference { return nil }
