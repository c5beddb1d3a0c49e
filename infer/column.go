package infer

import (
	"hash/maphash"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/maru-city/maru/manifest"
)

// Limits of what is kept of one column.
const (
	maxDistinct = 1_000 // distinct values kept as text
	maxKept     = 200   // bytes of a value that is kept as text
	maxLooked   = 4_096 // bytes of a value that are looked at for personal data
	maxExamples = 3
)

// column is what was seen of one column.
type column struct {
	at     int
	header string // as the file writes it
	title  string // the longer name the file gives it, or the header

	rows, filled int
	distinct     map[string]int // value → how often, while there are few
	many         bool           // there were more than maxDistinct values, or long ones

	parsed   map[manifest.Type]int      // values each type reads
	refused  map[manifest.Type][]string // some that it doesn't, none of them personal by its looks
	empties  map[string]int             // texts that mean "no value" in offices' tables
	lengths  map[int]int                // lengths of the values that are digits only
	shapes   map[shape]int
	embedded map[shape]int // personal data inside longer text

	zeroLed, wholeFloats, floatCodes, grouped, plainDates int
	longest                                               int // characters
	low, high                                             float64
	looked                                                int // long values searched for personal data
}

func newColumn(at int, header, title string) *column {
	return &column{
		at: at, header: header, title: title, low: math.Inf(1), high: math.Inf(-1),
		distinct: map[string]int{}, parsed: map[manifest.Type]int{}, refused: map[manifest.Type][]string{},
		empties: map[string]int{}, lengths: map[int]int{}, shapes: map[shape]int{}, embedded: map[shape]int{},
	}
}

// seed makes the hashes of one process comparable with each other.
var seed = maphash.MakeSeed()

func hash(s string) uint64 { return maphash.String(seed, s) }

// add takes one cell in and returns the hash of its value, 0 when it is empty.
func (c *column) add(cell string) uint64 {
	c.rows++
	v := strings.TrimSpace(cell)
	if v == "" {
		return 0
	}
	c.filled++
	if n, ok := c.distinct[v]; ok {
		c.distinct[v] = n + 1 // looked at once, when all is read
	} else if len(v) <= maxKept && len(c.distinct) < maxDistinct {
		c.distinct[strings.Clone(v)] = 1
	} else {
		c.many = true
		c.look(v, 1)
	}
	return hash(v)
}

// finish looks at the values that were kept as text.
func (c *column) finish() {
	for _, v := range sortedKeys(c.distinct) {
		c.look(v, c.distinct[v])
	}
}

// look counts what a value that stands n times is.
func (c *column) look(v string, n int) {
	c.longest = max(c.longest, utf8.RuneCountInString(v))
	if emptyTexts[v] != 0 {
		c.empties[v] += n
	}
	looks := shapeOf(v)
	for _, s := range shapes {
		if looks&s != 0 {
			c.shapes[s] += n
		}
	}
	c.lookNumber(v, n)
	for _, t := range triedTypes {
		if c.reads(t, v) {
			c.parsed[t] += n
		} else if len(c.refused[t]) < maxExamples && emptyTexts[v] == 0 && looks&anyPersonal == 0 {
			if example := strings.Clone(shortened(v)); !slices.Contains(c.refused[t], example) {
				c.refused[t] = append(c.refused[t], example)
			}
		}
	}
	if len(v) > 20 && c.looked < 20_000 {
		c.looked++
		for s := range embeddedIn(v[:min(len(v), maxLooked)]) {
			c.embedded[s] += n
		}
	}
}

// triedTypes are the types a column is tried for; everything is a string.
var triedTypes = []manifest.Type{manifest.Int, manifest.Double, manifest.Bool, manifest.Date, manifest.Datetime, manifest.Geometry}

// reads reports whether t reads v, without trying what v's first letter rules out. Digits without separators are a day
// only in a plausible year, or in 9999, which means for ever: 1111010100 is a code of a neighbourhood, not a day of 1111.
func (c *column) reads(t manifest.Type, v string) bool {
	first := v[0]
	digit := first >= '0' && first <= '9'
	switch t {
	case manifest.Geometry:
		if first != '{' {
			return false
		}
	case manifest.Bool:
		if len(v) > 9 {
			return false
		}
	case manifest.Date, manifest.Datetime:
		if !digit || len(v) < 8 || (allDigits(v) && (v < "19" || v >= "21") && !strings.HasPrefix(v, "9999")) {
			return false
		}
	default:
		if !digit && first != '-' && first != '+' && first != '.' {
			return false
		}
	}
	_, ok := t.Parse(v)
	return ok
}

func (c *column) lookNumber(v string, n int) {
	if allDigits(v) {
		c.lengths[len(v)] += n
		if len(v) > 1 && v[0] == '0' {
			c.zeroLed += n
		}
		if len(v) == 8 {
			c.plainDates += n
		}
	}
	if first := v[0]; len(v) > 40 || (first > '9' || first < '+') {
		return
	}
	if strings.Contains(v, ",") {
		c.grouped += n
	}
	if whole, fraction, found := strings.Cut(v, "."); found && whole != "" && fraction != "" && strings.Trim(fraction, "0") == "" && allDigits(whole) {
		c.wholeFloats += n
		if len(whole) >= 5 {
			c.floatCodes += n
		}
	}
	if f, err := strconv.ParseFloat(strings.ReplaceAll(v, ",", ""), 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
		c.low, c.high = min(c.low, f), max(c.high, f)
	}
}

// share is how much of the filled cells n is.
func (c *column) share(n int) float64 {
	if c.filled == 0 {
		return 0
	}
	return float64(n) / float64(c.filled)
}

// is reports whether at least that share of the filled cells has a shape.
func (c *column) is(s shape, atLeast float64) bool {
	return c.shapes[s] > 0 && c.share(c.shapes[s]) >= atLeast
}

// label is what people call the column: its longer name where it has one, and its header.
func (c *column) label() string {
	if c.title != "" && c.title != c.header {
		return c.title + " " + c.header
	}
	return c.header
}

// emptyTexts are texts that offices write where there is no value. Those of 1 never mean anything else; those of 2 are
// words that can be an answer ("휴관일: 없음"), so they are read as empty only where no text column has them.
var emptyTexts = map[string]int{
	"-": 1, "--": 1, "―": 1, "–": 1, ".": 1, "…": 1, "NA": 1, "N/A": 1, "n/a": 1, "NaN": 1, "nan": 1, "NULL": 1, "null": 1, "None": 1, "#N/A": 1, `\N`: 1, "(NULL)": 1, "(null)": 1,
	"없음": 2, "해당없음": 2, "해당 없음": 2, "미상": 2, "불명": 2, "미정": 2, "내용없음": 2, "미입력": 2, "X": 2, "x": 2, "*": 2, "?": 2,
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// shortened is a value as a comment can show it: one line, at most 30 characters.
func shortened(v string) string {
	v = strings.Join(strings.Fields(strings.ToValidUTF8(v, "?")), " ")
	if r := []rune(v); len(r) > 30 {
		return string(r[:29]) + "…"
	}
	return v
}
