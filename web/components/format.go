package components

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// Number writes a whole number with thousands commas: 1,234,567.
func Number[N ~int | ~int32 | ~int64](n N) string { return group(strconv.FormatInt(int64(n), 10)) }

// Decimal writes a number in its shortest form, with thousands commas.
func Decimal(x float64) string {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return strconv.FormatFloat(x, 'g', -1, 64)
	}
	whole, fraction, found := strings.Cut(strconv.FormatFloat(x, 'f', -1, 64), ".")
	if !found {
		return group(whole)
	}
	return group(whole) + "." + fraction
}

func group(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// Won writes a sum of whole won: 1,234,567원, ₩1,234,567.
func Won(ctx context.Context, n int64) string {
	if lang.From(ctx) == lang.En {
		return "₩" + Number(n)
	}
	return Number(n) + "원"
}

// WonShort writes a large sum as people say it: 12.3억원, ₩1.23bn.
func WonShort(ctx context.Context, n int64) string {
	steps := []struct {
		of   float64
		name string
	}{{1e12, "조원"}, {1e8, "억원"}, {1e4, "만원"}}
	before := ""
	if lang.From(ctx) == lang.En {
		before = "₩"
		steps = []struct {
			of   float64
			name string
		}{{1e12, "tn"}, {1e9, "bn"}, {1e6, "m"}}
	}
	for _, s := range steps {
		if x := float64(n) / s.of; math.Abs(x) >= 1 {
			return before + Decimal(math.Round(x*10)/10) + s.name
		}
	}
	return Won(ctx, n)
}

// units are the units of manifests that people say in words of their language; others, such as m² and ppm, stand as they are.
var units = map[string]lang.Text{
	"KRW": lang.T("원", "won"), "ratio": lang.T("비율", "ratio"), "째": lang.T("번째", "in order"), "세": lang.T("세", "years"),
	"명": lang.T("명", "people"), "세대": lang.T("세대", "households"), "건": lang.T("건", "cases"), "개": lang.T("개", "items"),
	"대": lang.T("대", "units"), "권": lang.T("권", "books"), "석": lang.T("석", "seats"),
	"시간": lang.T("시간", "hours"), "days": lang.T("일", "days"), "years": lang.T("년", "years"),
	"hour": lang.T("시간", "hour"), "day": lang.T("일", "day"), "30 days": lang.T("30일", "30 days"), "month": lang.T("월", "month"),
	"season": lang.T("계절", "season"), "year": lang.T("년", "year"),
}

// Unit writes a unit, or one per another, in the reader's language: 원/월, won/month.
func Unit(ctx context.Context, unit string) string {
	parts := strings.Split(unit, "/")
	for i, part := range parts {
		if x, ok := units[part]; ok {
			parts[i] = In(ctx, x)
		}
	}
	return strings.Join(parts, "/")
}

// Amount writes a number with its unit: 월 1,234,567원, ₩1,234,567/month, 9년, 37.5 ppm. No unit, or 1, is none.
func Amount(ctx context.Context, x float64, unit string) string {
	sum, per, periodic := strings.Cut(unit, "/")
	switch {
	case unit == "" || unit == "1":
		return Decimal(x)
	case unit == "%":
		return Decimal(x) + "%"
	case sum == "KRW" && lang.From(ctx) == lang.En && periodic:
		return "₩" + Decimal(x) + "/" + per
	case sum == "KRW" && lang.From(ctx) == lang.En:
		return "₩" + Decimal(x)
	case lang.From(ctx) == lang.Ko:
		return often(per) + amount(ctx, x, sum)
	}
	return Decimal(x) + " " + Unit(ctx, unit)
}

// amount writes a number in Korean with a unit that is per nothing: 1,234,567원, 9년, 4%, 37.5 ppm.
func amount(ctx context.Context, x float64, unit string) string {
	name := Unit(ctx, unit)
	switch first, _ := utf8.DecodeRuneInString(name); {
	case unit == "ratio":
		return Decimal(math.Round(x*1e8)/1e6) + "%"
	case unicode.Is(unicode.Hangul, first) || unit == "°":
		return Decimal(x) + name
	}
	return Decimal(x) + " " + name
}

// often is what stands before an amount in Korean that is per something: 월 10만원, 시간당 1만원.
func often(per string) string {
	switch per {
	case "":
		return ""
	case "month":
		return "월 "
	case "year":
		return "연 "
	case "day":
		return "하루 "
	}
	if x, ok := units[per]; ok {
		per = x.Ko
	}
	return per + "당 "
}

// Percent writes a share of a whole: 12.3 %. Nothing of nothing is empty.
func Percent(part, whole int64) string {
	if whole == 0 {
		return ""
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 1, 64) + "%"
}

// Bytes writes a size: 1.2 MB.
func Bytes(n int64) string {
	const step = 1000
	if n < step {
		return Number(n) + " B"
	}
	x, unit := float64(n), 0
	for x >= step && unit < 4 {
		x, unit = x/step, unit+1
	}
	return strconv.FormatFloat(x, 'f', 1, 64) + " " + []string{"B", "kB", "MB", "GB", "TB"}[unit]
}

var weekdays = [7]string{"일", "월", "화", "수", "목", "금", "토"}

// Day writes a day in Seoul: 2026.11.23.(월), 23 Nov 2026 (Mon).
func Day(ctx context.Context, t time.Time) string {
	t = t.In(manifest.Seoul)
	if lang.From(ctx) == lang.En {
		return t.Format("2 Jan 2006 (Mon)")
	}
	return t.Format("2006.01.02.") + "(" + weekdays[t.Weekday()] + ")"
}

// Moment writes an instant in Seoul's time: 2026.11.23.(월) 14:05.
func Moment(ctx context.Context, t time.Time) string {
	return Day(ctx, t) + " " + t.In(manifest.Seoul).Format("15:04")
}

// DayText writes a day that is written YYYY-MM-DD; other text stays as it is.
func DayText(ctx context.Context, s string) string {
	t, err := time.ParseInLocation(manifest.DateLayout, s, manifest.Seoul)
	if err != nil {
		return s
	}
	return Day(ctx, t)
}

// Value writes a value of a record for reading: numbers grouped, days and instants as people write them.
func Value(ctx context.Context, t manifest.Type, v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case int64:
		return Number(x)
	case float64:
		return Decimal(x)
	case bool:
		if x {
			return Say(ctx, "예", "yes")
		}
		return Say(ctx, "아니요", "no")
	case string:
		switch t {
		case manifest.Date:
			return DayText(ctx, x)
		case manifest.Datetime:
			if at, err := time.Parse(manifest.DatetimeLayout, x); err == nil {
				return Moment(ctx, at)
			}
		}
		return x
	}
	return ""
}

// Masked stands for a value that is there but isn't shown here.
const Masked = "●●●"
