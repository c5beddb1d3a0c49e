package infer

import (
	"regexp"
	"strings"

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

// Identifies reports whether a value of a field by itself identifies a person as nothing else does: a resident's or foreigner's registration number with a right date, whose check digit is
// right or which is written with its dash. Numbers of corporations look alike, so a field that is called after them has none.
func Identifies(name, v string) bool {
	if len(v) < 13 || corporation.MatchString(name) {
		return false
	}
	if len(v) == 13 || len(v) == 14 {
		if s := residentShape(v, digitsOf(v)); s&(shapeChecked|shapeDashed) != 0 && s&shapeResident != 0 {
			return true
		}
	}
	return len(v) > 14 && strings.Contains(v, "-") && embeddedIn(v[:min(len(v), maxLooked)])[shapeResident]
}

// Reaches reports whether a value is somebody's mobile phone or e-mail address, or a text with one. Addresses of offices (go.kr) aren't somebody's.
func Reaches(v string) bool {
	if len(v) < 6 {
		return false
	}
	v = v[:min(len(v), maxLooked)]
	if mobileForm.MatchString(v) || strings.Contains(v, "01") && mobileWithin.MatchString(v) {
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

var (
	mobileWithin = regexp.MustCompile(`(?:^|[^0-9])01[016789][-. ][0-9]{3,4}[-. ][0-9]{4}(?:[^0-9]|$)`)
	emailWithin  = regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}`)
)

var (
	// Attributes of a person by which, together, somebody can be told from others (quasi-identifiers).
	traitHeader = regexp.MustCompile(`성별|^sex$|gender|연령|나이|^age|agegroup|출생|생년|birth|국적|nationality|직업|직종|occupation|학력|education|혼인|결혼|marital|가구원수|세대원수|householdsize|소득|income|장애|disab|보훈|수급`)
	placeHeader = regexp.MustCompile(`자치구|시군구|행정동|법정동|^구$|^동$|구명|동명|거주지|주소지|우편번호|district|neighbou?rhood|postcode|residence`)
	// What counts persons or cases, or sums them: a record with it, where it isn't one, is of a group. What a person has several of, such as children or visits, isn't.
	measureHeader = regexp.MustCompile(`건수|인원|인구|명수|(?:이용|방문|신청|수급|환|사망|부상|참가|참여|가입|구직|실업|취업|종사|응답)자수|회원수|학생수|수강생수|출생아수|승객수|가구수|세대수|합계|총계|^계$|소계|평균|population|headcount|persons|people`)
	rateHeader    = regexp.MustCompile(`비율|비중|률$|율$`)
	ownRate       = regexp.MustCompile(`이율|이자|금리|감면|할인|기여|부담|지원율|보조율|보장률|출석률|장애율`) // what one person may have
)

// Trait says what a column named so tells of a person, where records are about persons.
type Trait int

// What a column can tell.
const (
	NoTrait Trait = iota
	OwnTrait
	PlaceTrait
	Measure // of groups
)

// TraitOf reads it off a column's name, as people read it.
func TraitOf(name string) Trait {
	label := fold(name)
	switch {
	case measureHeader.MatchString(label), rateHeader.MatchString(label) && !ownRate.MatchString(label):
		return Measure
	case traitHeader.MatchString(label):
		return OwnTrait
	case placeHeader.MatchString(label):
		return PlaceTrait
	}
	return NoTrait
}
