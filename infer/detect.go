package infer

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// Detector looks for personal data in the columns of a table, row by row. It is for one goroutine.
type Detector struct{ columns []*column }

// Personal is what a column tells about persons.
type Personal struct {
	Column int
	Class  manifest.Class // that it should have
	Why    lang.Text
}

// NewDetector looks at columns of these names, as people read them.
func NewDetector(names []string) *Detector {
	d := &Detector{}
	for i, name := range names {
		d.columns = append(d.columns, newColumn(i, name, name))
	}
	return d
}

// Add takes a row in: the text of each column.
func (d *Detector) Add(cells []string) {
	for i, c := range d.columns {
		if i < len(cells) {
			c.add(cells[i])
		}
	}
}

// Find says which columns look personal by themselves, by their names and values. It is called once, at the end.
func (d *Detector) Find() (out []Personal) {
	for _, c := range d.columns {
		c.finish()
	}
	p := findPeople(d.columns)
	for i, c := range d.columns {
		f := p.found[c]
		switch {
		case f != nil && !f.only:
			out = append(out, Personal{i, f.class, f.why})
		case c.embedded[shapeResident] > 0:
			out = append(out, Personal{i, manifest.Unique, lang.F("본문 %s개에 주민등록번호 형식의 값이 들어 있습니다", "%s texts contain what looks like resident registration numbers", grouped(c.embedded[shapeResident]))})
		}
	}
	return out
}

// Identifies reports whether a value of a field by itself identifies a person as nothing else does, or a text with such a value: a resident's or foreigner's registration number with a right date, that is
// written with its dash, or whose check digit is right, or where the field or the text says that it is one. Numbers of corporations look alike, so a field that is called after them has none; numbers of documents do, so there the check digit has to be right; and an address on the web has digits of all kinds.
func Identifies(name, v string) bool {
	if len(v) < 13 || corporation.MatchString(name) {
		return false
	}
	v = plainly(v)
	said := residentWord.MatchString(name) || residentWord.MatchString(v)
	if !said && strings.Contains(v, "://") {
		v = webAddress.ReplaceAllString(v, " ")
	}
	for _, m := range residentWithin.FindAllStringSubmatch(v, -1) {
		dashed, text := strings.Contains(m[2], "-"), m[1]+m[3]
		if dashed {
			text = m[1] + "-" + m[3]
		}
		s := residentShape(text, m[1]+m[3])
		if s&shapeResident != 0 && (said || s&shapeChecked != 0 || dashed && !documentWord.MatchString(name)) {
			return true
		}
	}
	return false
}

// NamesMoments reports whether a field's name says that it holds moments.
func NamesMoments(name string) bool { return momentWord.MatchString(strings.ToLower(name)) }

// Reaches reports whether a value is somebody's mobile phone or e-mail address, or a text with one. Addresses of offices (go.kr) aren't somebody's.
func Reaches(v string) bool {
	if len(v) < 6 {
		return false
	}
	v = plainly(v)
	if strings.ContainsRune(v, '1') && mobileWithin.MatchString(v) {
		return true
	}
	if strings.Contains(v, "@") {
		for _, address := range emailWithin.FindAllString(v, -1) {
			if !strings.HasSuffix(strings.ToLower(address), ".go.kr") {
				return true
			}
		}
	}
	return false
}

// plainly is a text with the letters, digits and dashes that it means: full-width ones, dashes of all lengths, what can't be seen.
func plainly(v string) string {
	if strings.IndexFunc(v, func(r rune) bool { return r >= utf8.RuneSelf && (r < 0xAC00 || r > 0xD7A3) }) < 0 {
		return v
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Pd, r) || r == 0x2212 || r == 'ㅡ' || r == 'ᅳ' || r == '·' || r == '・' || r == 'ㆍ' || r == 'ᆞ':
			return '-'
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.Is(unicode.Zs, r):
			return ' '
		}
		return r
	}, norm.NFKC.String(v))
}

var (
	mobileWithin   = regexp.MustCompile(`(?:^|[^0-9])\(?(?:(?:\+|00)?82\)?[-. ]?(?:\(0\))?[-. ]?0?|0)1[016789]` + `(?:[^0-9A-Za-z가-힣]{0,3}[0-9]){7,8}(?:[^0-9]|$)`)
	residentWithin = regexp.MustCompile(`(?:^|[^0-9])(?:19|20)?([0-9]{6})(\s?[-./_~:()\s]{0,2}\s?)([1-8][0-9]{6})(?:[^0-9]|$)`)
	webAddress     = regexp.MustCompile(`[a-z]+://\S+`)
	momentWord     = regexp.MustCompile(`시각|시간|일시|time|epoch|stamp|(?:^|[_ ])(?:ms|ts)(?:$|[_ ])`)
	documentWord   = regexp.MustCompile(`접수|관리|문서|허가|고시|공고|일련|계약|영수`)
	residentWord   = regexp.MustCompile(`주민|외국인등록|생년|resident`)
	emailWithin    = regexp.MustCompile(`[A-Za-z0-9._%+-]+ ?@ ?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)
)

var (
	// Attributes of a person by which, together, somebody can be told from others (quasi-identifiers).
	traitHeader = regexp.MustCompile(`성별|^sex|gender|^dob$|혈액형|종교|직장|급여|월급|연봉|재산|학년|연령|나이|^age|agegroup|출생|생년|birth|국적|nationality|직업|직종(?:[^업]|$)|occupation|학력|education|혼인|결혼|marital|가구원수|세대원수|householdsize|소득|income|장애|disab|보훈|수급`)
	placeHeader = regexp.MustCompile(`자치구|시군구|행정동|법정동|^구$|^동$|구명|동명|거주지|주소지|우편번호|읍면동|행정구역|district|neighbou?rhood|postcode|residence`)
	// What counts persons: a record with it, where it isn't one, is of a group. What a person has several of, such as children, relatives or visits, isn't.
	personsHeader = regexp.MustCompile(`인구|(?:이용|방문|신청|수급|환|사망|부상|참가|참여|가입|구직|실업|취업|종사|응답|근로|확진|감염|완치|접종|입원|대상|졸업|입학|합격|채용|고용|남|여)자수|(?:종업|직|사|교|조합)원수|회원수|학생수|수강생수|출생아수|승객수|가구수|세대수|population`)
	// What counts or sums anything: a person may have it too, so that it is of groups only where the table is laid out by the traits themselves.
	sumHeader  = regexp.MustCompile(`인원|명수|headcount|persons|people|건수|합계|총계|^계$|소계|평균`)
	rateHeader = regexp.MustCompile(`비율|비중|률$|율$|[천만]명당`)
	ownRate    = regexp.MustCompile(`이율|이자|금리|감면|할인|기여|부담|지원율|보조율|보장률|출석률|장애율`) // what one person may have
)

// Trait says what a column named so tells of a person, where records are about persons.
type Trait int

// What a column can tell.
const (
	NoTrait Trait = iota
	OwnTrait
	PlaceTrait
	Sum     // of groups, where the table is laid out by its traits
	Measure // of groups
)

// ofPlaces is what is said of facilities, not of persons.
var ofPlaces = regexp.MustCompile(`장애인(?:용|화장실|주차|편의|전용|접근|시설|석|콜)`)

// TraitOf reads it off a column's name, as people read it.
func TraitOf(name string) Trait {
	label := fold(name)
	switch {
	case personsHeader.MatchString(label) && !sumHeader.MatchString(label):
		return Measure
	case sumHeader.MatchString(label), rateHeader.MatchString(label) && !ownRate.MatchString(label):
		return Sum
	case traitHeader.MatchString(label) && !ofPlaces.MatchString(label):
		return OwnTrait
	case placeHeader.MatchString(label):
		return PlaceTrait
	}
	return NoTrait
}

// Tells reports whether a column's name says that it is an attribute of a person, whatever else it says.
func Tells(name string) bool {
	return traitHeader.MatchString(fold(name)) && !ofPlaces.MatchString(fold(name))
}
