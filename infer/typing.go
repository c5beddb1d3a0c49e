package infer

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// typing is the type a column gets.
type typing struct {
	kind    manifest.Type
	pattern string
	refused int      // values the type doesn't read: their rows will be rejected
	empty   []string // texts that must be read as no value, for the type to hold
	doubts  []Doubt
}

// A type is taken although some values don't fit it when they are few among many: at most one in fifty of fifty or more.
const (
	enoughValues  = 50
	refusedOneIn  = 50
	monthPattern  = `[0-9]{4}(0[1-9]|1[0-2])`
	generousSpare = 5 // a text field is at least a fifth longer than the longest value seen
)

// typed decides what type a column is, by the types that read its values, from the narrowest to the widest.
func (c *column) typed() typing {
	if c.filled == 0 {
		return typing{kind: manifest.String, doubts: []Doubt{doubt("empty", lang.T("값이 하나도 없습니다", "it has no values"))}}
	}
	real := c.filled - c.emptyCount()
	if real == 0 {
		return typing{kind: manifest.String, doubts: []Doubt{doubt("empty", lang.F("값이 모두 빈 값을 뜻하는 문자입니다 (%s)", "all its values are texts for no value (%s)", listed(c.emptyList())))}}
	}
	if t, ok := c.code(real); ok {
		return t
	}
	for _, t := range []manifest.Type{manifest.Bool, manifest.Date, manifest.Int, manifest.Double, manifest.Datetime, manifest.Geometry} {
		n := c.parsed[t]
		refused := real - n
		if n == 0 || refused < 0 || !c.means(t) {
			continue
		}
		if refused == 0 || (real >= enoughValues && refused*refusedOneIn <= real) {
			return c.taken(t, refused)
		}
	}
	return c.text(real)
}

// taken is the type t, with doubts about what it refuses.
func (c *column) taken(t manifest.Type, refused int) typing {
	out := typing{kind: t, refused: refused, empty: c.emptyList()}
	if refused > 0 {
		d := doubt("refused", lang.F("값 %s개가 %s 유형이 아니어서 그 행을 제외합니다", "%s values are no %s: their rows will be rejected", grouped(refused), string(t)))
		d.Examples = c.refused[t]
		out.doubts = append(out.doubts, d)
	}
	if t == manifest.Int && c.floatCodes*2 > c.filled && codeHeader(c.label()) {
		out.doubts = append(out.doubts, doubt("float-codes", lang.T("코드가 소수(1144010500.0 형식)로 적혀 있어 정수로 읽습니다. 원본에서 문자로 내보내면 type: string으로 두십시오",
			"its codes are written as floats (like 1144010500.0), so they are read as whole numbers; make it type: string once the source writes text")))
	}
	if t == manifest.Int && c.lengths[13]*2 > c.filled && dayHeader.MatchString(fold(c.label())) {
		out.doubts = append(out.doubts, doubt("epoch", lang.T("1970년부터 센 밀리초로 적은 일시로 보입니다. 원본에서 일시로 내보내면 type: datetime으로 두십시오",
			"it looks like moments in milliseconds since 1970; make it type: datetime once the source writes moments")))
	}
	return out
}

// means reports whether a column that t reads is meant so: 0 and 1 are numbers unless the name asks yes or no, and a
// bare eight-digit number is a day only where enough of them are.
func (c *column) means(t manifest.Type) bool {
	switch t {
	case manifest.Bool:
		if c.parsed[manifest.Int] > 0 {
			return yesNo.MatchString(fold(c.label())) && len(c.distinct) <= 2+len(c.empties)
		}
		low := map[string]bool{}
		for v := range c.distinct {
			low[strings.ToLower(v)] = true
		}
		return low["y"] || low["n"] || low["true"] || low["예"] || low["아니오"] || low["아니요"] || low["yes"] || low["no"] || (low["t"] && low["f"])
	case manifest.Date:
		if c.plainDates*2 > c.filled && !dayHeader.MatchString(fold(c.label())) {
			return len(c.distinct) >= 3 && !codeHeader(c.label())
		}
	case manifest.Datetime: // longer bare numbers are instants only where the name says so
		if c.lengths[10]+c.lengths[12]+c.lengths[14] > c.filled/2 {
			return dayHeader.MatchString(fold(c.label()))
		}
	}
	return true
}

// code recognises numbers that are names: with leading zeros, months, and what the header calls a code or a number.
func (c *column) code(real int) (typing, bool) {
	digits := 0
	for _, n := range c.lengths {
		digits += n
	}
	if digits*2 < real {
		return typing{}, false
	}
	if c.shapes[shapeMonth] == real && (monthHeader.MatchString(fold(c.label())) || len(c.distinct) >= 3 && !codeHeader(c.label())) {
		return typing{kind: manifest.String, pattern: monthPattern, doubts: []Doubt{doubt("month", lang.T("연월(YYYYMM)입니다. 날짜가 아니라 문자로 둡니다", "months written YYYYMM: text, not days"))}}, true
	}
	dates := c.parsed[manifest.Date] == real && c.means(manifest.Date)
	switch {
	case dates:
		return typing{}, false
	case c.zeroLed > 0:
		t := c.text(real)
		t.doubts = append(t.doubts, doubt("zero-led", lang.F("값 %s개가 0으로 시작하므로 숫자가 아니라 문자로 둡니다", "%s values begin with 0: text, not numbers", grouped(c.zeroLed))))
		return c.lostZeros(t), true
	case codeHeader(c.label()) && c.wholeFloats == 0 && c.parsed[manifest.Double]-digits == 0:
		return c.lostZeros(c.text(real)), true
	}
	return typing{}, false
}

// lostZeros doubts a code whose usual length is a digit more than what many values have.
func (c *column) lostZeros(t typing) typing {
	label, total := fold(c.label()), 0
	for _, n := range c.lengths {
		total += n
	}
	if want := fixedLength(label); want > 0 && c.lengths[want-1] > 0 {
		t.doubts = append(t.doubts, doubt("lost-zero", lang.F("값 %s개 가운데 %s개가 %d자리입니다. 맨 앞의 0이 빠졌을 수 있습니다", "%[2]s of %[1]s values have %[3]d digits: a leading zero may be lost",
			grouped(c.filled), grouped(c.lengths[want-1]), want-1)))
	}
	if zip := strings.Contains(label, "우편번호") || strings.Contains(label, "zip") || strings.Contains(label, "postcode"); zip && c.lengths[6]+c.filled-total > 0 {
		t.doubts = append(t.doubts, doubt("mixed-codes", lang.F("값 %s개가 2015년 이전의 여섯 자리 우편번호이거나 다른 형식입니다", "%s values are six-digit postcodes from before 2015, or of another form", grouped(c.lengths[6]+c.filled-total))))
	}
	return t
}

// fixedLength is how long codes are that a header names, where their length is fixed by law or standard; else 0.
func fixedLength(label string) int {
	for _, f := range []struct {
		word   string
		length int
	}{{"우편번호", 5}, {"zipcode", 5}, {"postcode", 5}, {"사업자등록번호", 10}, {"사업자번호", 10}, {"주민등록번호", 13}} {
		if strings.Contains(label, f.word) {
			return f.length
		}
	}
	return 0
}

// text is the type of last resort, with a doubt when the column was nearly another.
func (c *column) text(real int) typing {
	t := typing{kind: manifest.String}
	near, n := manifest.String, 0
	for _, k := range []manifest.Type{manifest.Int, manifest.Double, manifest.Date, manifest.Datetime} {
		if c.parsed[k] > n && c.means(k) {
			near, n = k, c.parsed[k]
		}
	}
	if n*2 > real && n < real && !codeHeader(c.label()) {
		d := doubt("mixed", lang.F("값 %s개 가운데 %s개만 %s 유형이어서 문자로 둡니다", "only %[2]s of %[1]s values are %[3]s, so it stays text", grouped(real), grouped(n), string(near)))
		d.Examples = c.refused[near]
		t.doubts = append(t.doubts, d)
	}
	if c.shapes[shapeRange]*2 > real {
		t.doubts = append(t.doubts, doubt("range", lang.T("두 날짜를 ~로 이은 기간입니다. 시작일과 종료일 두 항목으로 나누면 날짜로 찾을 수 있습니다", "a period of two days joined by ~; as two fields, a start and an end, it can be searched by date")))
	}
	return t
}

// length is how long a text field may become: at least a fifth more than the longest value, rounded up; 0 is no limit.
func (c *column) length() int {
	need := c.longest + (c.longest+generousSpare-1)/generousSpare
	for _, n := range []int{10, 20, 50, 100, 200, 500, 1_000, 2_000, 4_000, 10_000} {
		if need <= n {
			return n
		}
	}
	return 0
}

func (c *column) emptyList() []string { return slices.Sorted(maps.Keys(c.empties)) }

// emptyCount is how many values are texts for "no value" that no type but text reads.
func (c *column) emptyCount() (n int) {
	for _, times := range c.empties {
		n += times
	}
	return n
}

var (
	yesNo       = regexp.MustCompile(`여부|유무|가능|(?:^|_)yn$|^is|^has`)
	dayHeader   = regexp.MustCompile(`일자|날짜|일시|일$|기간|시간|시각|date|day|ymd|dt$|time`)
	monthHeader = regexp.MustCompile(`년월|연월|기준월|^ym$|yyyymm|month`)
	codeWords   = regexp.MustCompile(`코드|우편번호|전화|연락처|팩스|휴대폰|핸드폰|계좌|카드번호|주민등록|등록번호|고유번호|번호(?:$|[^가-힣])|code|(?:^|_)(?:id|cd|no|zip|tel|phone|fax)(?:$|_)`)
)

// codeHeader reports whether a header names a code or a number that isn't counted with.
func codeHeader(label string) bool {
	label = strings.ToLower(label)
	return codeWords.MatchString(label) || codeWords.MatchString(snake(label))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// mostFrequent lists the values of a column by how often they stand, the most frequent first.
func (c *column) mostFrequent() []string {
	return slices.SortedFunc(maps.Keys(c.distinct), func(a, b string) int {
		return cmp.Or(c.distinct[b]-c.distinct[a], strings.Compare(a, b))
	})
}
