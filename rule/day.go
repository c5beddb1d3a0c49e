package rule

import (
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// maxSpan bounds the n of within(d, n, unit).
const maxSpan = 100_000

var (
	opToday = &operation{name: "today", result: tDate, build: buildToday, translate: translateToday}
	// opSince is the first day d for which within(d, n, unit) holds, from today, n and the unit.
	opSince  = &operation{name: "since", args: of(tDate, tInt, tString), result: tDate, id: "since", do: sinceValue, translate: translateSince}
	opWithin = operation{name: "within", args: of(tDate, tDate, tDate), result: tBool, id: "within", do: between}.inSQL("$1 BETWEEN $2 AND $3")
	// opAge is of a date and today. As the number YYYYMMDD, today less the day is ten thousand for each completed year.
	opAge = operation{name: "age", args: of(tDate, tDate), result: tInt, id: "age", do: age}.inEach(
		steps{"CAST(floor((CAST(replace($2, '-', '') AS INTEGER) - CAST(replace($1, '-', '') AS INTEGER)) / 10000.0) AS INTEGER)"},
		steps{"CAST(floor((CAST(replace($2, '-', '') AS integer) - CAST(replace($1, '-', '') AS integer)) / 10000.0) AS bigint)"})
)

// calendar are the operations on days that are written as they are; the checker knows the others.
var calendar = []*operation{
	operation{name: "year", form: function, args: of(tDate), result: tInt, id: "year", do: year}.inEach(
		steps{"CAST(substr($1, 1, 4) AS INTEGER)"}, steps{"CAST(substr($1, 1, 4) AS bigint)"}),
	operation{name: "days_between", form: function, args: of(tDate, tDate), result: tInt, id: "days_between", do: days}.inEach(
		steps{"CAST(julianday($2) - julianday($1) AS INTEGER)"}, steps{"CAST(CAST($2 AS date) - CAST($1 AS date) AS bigint)"}),
	operation{name: "months_between", form: function, args: of(tDate, tDate), result: tInt, id: "months_between", do: months}.inEach(
		steps{"(CAST(substr($2, 1, 4) AS INTEGER) - CAST(substr($1, 1, 4) AS INTEGER)) * 12" +
			" + CAST(substr($2, 6, 2) AS INTEGER) - CAST(substr($1, 6, 2) AS INTEGER)" +
			" - CASE WHEN substr($2, 9) < substr($1, 9) AND substr(date($2, '+1 day'), 9) <> '01' THEN 1 ELSE 0 END"},
		steps{"CAST((CAST(substr($2, 1, 4) AS integer) - CAST(substr($1, 1, 4) AS integer)) * 12" +
			" + CAST(substr($2, 6, 2) AS integer) - CAST(substr($1, 6, 2) AS integer)" +
			" - CASE WHEN substr($2, 9) < substr($1, 9) AND extract(day FROM CAST($2 AS date) + 1) <> 1 THEN 1 ELSE 0 END AS bigint)"}),
}

func textOf(v ref.Val) string { return string(v.(types.String)) }

// ymd is a day's parts; d has been checked.
func ymd(d string) (y, m, day int) {
	two := func(i int) int { return int(d[i]-'0')*10 + int(d[i+1]-'0') }
	return two(0)*100 + two(2), two(5), two(8)
}

// age is the completed years from a day to today, the day of birth counted (민법 158): someone born on 29 February turns a year
// older on 1 March of a common year.
func age(day, today ref.Val) ref.Val { return types.Int(yearsBetween(textOf(day), textOf(today))) }

func yearsBetween(day, today string) int64 {
	y, m, d := ymd(day)
	ty, tm, td := ymd(today)
	years := ty - y
	if tm < m || tm == m && td < d {
		years--
	}
	return int64(years)
}

// months is the completed months from a to b: the last day of a shorter month counts (민법 160).
func months(a, b ref.Val) ref.Val { return types.Int(monthsBetween(textOf(a), textOf(b))) }

func monthsBetween(a, b string) int64 {
	y, m, d := ymd(a)
	by, bm, bd := ymd(b)
	n := (by-y)*12 + bm - m
	if bd < d && bd != lastDay(by, bm) {
		n--
	}
	return int64(n)
}

// year is the year of a day, as in a notice that says "born 1986 to 2007".
func year(d ref.Val) ref.Val { return types.Int(yearOf(textOf(d))) }

func yearOf(d string) int64 { y, _, _ := ymd(d); return int64(y) }

// days is how many days lie from a to b: the first isn't counted (민법 157).
func days(a, b ref.Val) ref.Val { return types.Int(dayNumber(textOf(b)) - dayNumber(textOf(a))) }

func between(args ...ref.Val) ref.Val {
	d := textOf(args[0])
	return types.Bool(textOf(args[1]) <= d && d <= textOf(args[2]))
}

func lastDay(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

func sinceValue(args ...ref.Val) ref.Val {
	return types.String(since(textOf(args[0]), int(args[1].(types.Int)), textOf(args[2])))
}

// spans are the units of within: months, or days where there are none.
var spans = map[string]struct{ months, days int }{"day": {0, 1}, "month": {1, 0}, "year": {12, 0}}

// since is the first day from which n units reach today: d + n units ≥ today.
func since(today string, n int, unit string) string {
	y, m, d := ymd(today)
	span := spans[unit]
	if span.months == 0 {
		return written(time.Date(y, time.Month(m), d-n, 0, 0, 0, 0, time.UTC))
	}
	start := addMonths(y, m, d, -n*span.months)
	if again := addMonths(start.Year(), int(start.Month()), start.Day(), n*span.months); written(again) < today {
		start = start.AddDate(0, 0, 1)
	}
	return written(start)
}

// addMonths is the same day n months on, or the last day of a shorter month.
func addMonths(y, m, d, n int) time.Time {
	first := time.Date(y, time.Month(m+n), 1, 0, 0, 0, 0, time.UTC)
	return time.Date(first.Year(), first.Month(), min(d, lastDay(first.Year(), int(first.Month()))), 0, 0, 0, 0, time.UTC)
}

// written is a day as a value; those before the year 1 are its first.
func written(t time.Time) string {
	if t.Year() < 1 {
		return "0001-01-01"
	}
	return t.Format(manifest.DateLayout)
}

// asOfFault is what is wrong with an as-of date, or nil.
func asOfFault(day manifest.Day) error {
	if validDate(string(day)) {
		return nil
	}
	return unevaluable("rule.as_of", lang.F("기준일이 올바른 날짜가 아닙니다: %q", "the as-of date %q is no day", string(day))).
		Hinting(lang.T("YYYY-MM-DD로 쓰십시오", "write it as YYYY-MM-DD"))
}
