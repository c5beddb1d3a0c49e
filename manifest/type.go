package manifest

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Type is the type of a field's values.
//
// In Go a value is nil, a string, an int64, a float64 or a bool. A date is the string YYYY-MM-DD (a day, no
// zone); a datetime is the string of [DatetimeLayout] in UTC, so that its order as text is its order in time; a
// geometry is the text of a GeoJSON geometry (RFC 7946).
type Type string

// The types a field can have.
const (
	String   Type = "string"
	Int      Type = "int"    // 64 bits: counts and whole won
	Double   Type = "double" // ratios, measurements, coordinates
	Bool     Type = "bool"
	Date     Type = "date"
	Datetime Type = "datetime"
	Geometry Type = "geometry"
)

// Types lists all types.
var Types = []Type{String, Int, Double, Bool, Date, Datetime, Geometry}

// Layouts of stored days and instants.
const (
	DateLayout     = "2006-01-02"
	DatetimeLayout = "2006-01-02T15:04:05.000Z"
)

// Seoul is the zone of every date-and-time that is written without one.
var Seoul = time.FixedZone("KST", 9*60*60)

// Valid reports whether t is one of [Types].
func (t Type) Valid() bool { return slices.Contains(Types, t) }

// Parse reads a value of type t from text as Korean offices write it, and reports whether it could.
//
// Spaces around it are dropped. Empty text is nil for every type. Numbers may have thousands commas ("1,234"); an
// int may be written as a float without a fraction ("1991.0"). Dates may be 2026-11-24, 2026.11.24., 2026. 11. 24,
// 2026/11/24, 20261124 or 2026년 11월 24일, also with a time behind them that is midnight; datetimes the same with a
// time (hh:mm, hh:mm:ss, hhmmss), in Seoul unless they carry a zone. Bools are true/false, Y/N, 예/아니오, 1/0.
//
// Infer uses the same function to decide what a column is, so an import never refuses what infer promised.
func (t Type) Parse(text string) (any, bool) {
	s := strings.TrimSpace(text)
	if s == "" {
		return nil, true
	}
	switch t {
	case String:
		return s, utf8.ValidString(s)
	case Int:
		return parseInt(s)
	case Double:
		return parseDouble(s)
	case Bool:
		v, ok := bools[strings.ToLower(s)]
		return v, ok
	case Date:
		return parseDate(s)
	case Datetime:
		return parseDatetime(s)
	case Geometry:
		return s, validGeometry(s)
	}
	return nil, false
}

var bools = map[string]bool{
	"true": true, "y": true, "yes": true, "예": true, "1": true, "t": true,
	"false": false, "n": false, "no": false, "아니오": false, "아니요": false, "0": false, "f": false,
}

func parseInt(s string) (any, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	s, ok := ungroup(s)
	if !ok {
		return nil, false
	}
	if whole, fraction, found := strings.Cut(s, "."); found && strings.Trim(fraction, "0") == "" && whole != "" {
		s = whole
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

func parseDouble(s string) (any, bool) {
	if c := s[0]; c != '-' && c != '+' && c != '.' && (c < '0' || c > '9') {
		return nil, false // "Inf", "NaN", "0x1p-2" are not numbers here
	}
	s, ok := ungroup(s)
	if !ok || strings.ContainsAny(s, "xXpP_iInN") {
		return nil, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, false
	}
	return f, true
}

// ungroup takes thousands commas out, if they stand where thousands are.
func ungroup(s string) (string, bool) {
	if !strings.Contains(s, ",") {
		return s, true
	}
	whole, fraction, hasFraction := strings.Cut(s, ".")
	if strings.Contains(fraction, ",") {
		return s, false
	}
	groups := strings.Split(strings.TrimLeft(whole, "+-"), ",")
	for i, g := range groups {
		if len(g) != 3 && (i > 0 || len(g) == 0 || len(g) > 3) {
			return s, false
		}
	}
	out := strings.ReplaceAll(whole, ",", "")
	if hasFraction {
		out += "." + fraction
	}
	return out, true
}

// parseDate reads one of the forms of [Type.Parse]; a time of midnight behind it is dropped.
func parseDate(s string) (any, bool) {
	day, rest, ok := cutDay(s)
	if !ok {
		return nil, false
	}
	switch strings.TrimSpace(rest) {
	case "", "00:00", "00:00:00", "00:00:00.0", "00:00:00.000", "T00:00:00", "T00:00:00Z":
		return day, true
	}
	return nil, false
}

func parseDatetime(s string) (any, bool) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return datetimeOf(t)
	}
	day, rest, ok := cutDay(s)
	if !ok {
		return nil, false
	}
	rest = strings.TrimSpace(strings.TrimPrefix(rest, "T"))
	if rest == "" {
		rest = "00:00:00"
	}
	for _, layout := range []string{"15:04:05", "15:04", "15:04:05.999999999", "150405", "1504", "15"} {
		if t, err := time.ParseInLocation(DateLayout+" "+layout, day.(string)+" "+rest, Seoul); err == nil {
			return datetimeOf(t)
		}
	}
	return nil, false
}

// datetimeOf is an instant as a value. One whose year in UTC doesn't have four digits has none: its text wouldn't sort.
func datetimeOf(t time.Time) (any, bool) {
	if y := t.UTC().Year(); y < 0 || y > 9999 {
		return nil, false
	}
	return FormatDatetime(t), true
}

// FormatDatetime writes t as a datetime value: UTC, milliseconds, fixed width.
func FormatDatetime(t time.Time) string { return t.UTC().Format(DatetimeLayout) }

// cutDay takes a day off the front of s and returns it as YYYY-MM-DD.
func cutDay(s string) (day any, rest string, ok bool) {
	year, s, n := cutNumber(s)
	if n >= 8 { // 20261124 and 20261124153000 are one number
		digits := strconv.Itoa(year)
		if n != len(digits) || (n != 8 && n != 10 && n != 12 && n != 14) {
			return nil, "", false
		}
		y, _ := strconv.Atoi(digits[:4])
		m, _ := strconv.Atoi(digits[4:6])
		d, _ := strconv.Atoi(digits[6:8])
		if n > 8 && s != "" {
			return nil, "", false
		}
		day, ok = civil(y, m, d)
		return day, digits[8:] + s, ok
	}
	if n != 4 || s == "" {
		return nil, "", false
	}
	for _, sep := range [][3]string{{"-", "-", ""}, {".", ".", "."}, {"/", "/", ""}, {"년", "월", "일"}} {
		if !strings.HasPrefix(s, sep[0]) {
			continue
		}
		month, r, n := cutNumber(strings.TrimLeft(s[len(sep[0]):], " "))
		if n == 0 || n > 2 || !strings.HasPrefix(r, sep[1]) {
			return nil, "", false
		}
		dayOfMonth, r, n := cutNumber(strings.TrimLeft(r[len(sep[1]):], " "))
		if n == 0 || n > 2 {
			return nil, "", false
		}
		day, ok = civil(year, month, dayOfMonth)
		return day, strings.TrimPrefix(r, sep[2]), ok
	}
	return nil, "", false
}

func cutNumber(s string) (n int, rest string, digits int) {
	for digits < len(s) && digits < 15 && s[digits] >= '0' && s[digits] <= '9' {
		n = n*10 + int(s[digits]-'0')
		digits++
	}
	return n, s[digits:], digits
}

func civil(y, m, d int) (any, bool) {
	if y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 {
		return nil, false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	if t.Day() != d {
		return nil, false
	}
	return t.Format(DateLayout), true
}
