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

// Reaches reports whether a value by itself is somebody's mobile phone or e-mail address.
func Reaches(v string) bool {
	return len(v) >= 6 && len(v) < 255 && (mobileForm.MatchString(v) || emailForm.MatchString(v))
}

var (
	// Attributes of a person by which, together, somebody can be told from others (quasi-identifiers).
	traitHeader = regexp.MustCompile(`성별|^sex$|gender|연령|나이|^age|agegroup|출생|생년|birth|국적|nationality|직업|직종|occupation|학력|education|혼인|결혼|marital|가구원수|세대원수|householdsize|소득|income|장애|disab|보훈|수급`)
	placeHeader = regexp.MustCompile(`자치구|시군구|행정동|법정동|^구$|^동$|구명|동명|거주지|주소지|우편번호|district|neighbou?rhood|postcode|residence`)
	// What counts or sums others: a record with it is a group, not a person.
	measureHeader = regexp.MustCompile(`수$|수\(|건수|인원|인구|명수|합계|총계|^계$|소계|평균|비율|율$|율\(|지수|금액|count|total|population|average|mean|rate|ratio|number|persons|people`)
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
	case measureHeader.MatchString(label) && !regexp.MustCompile(`가구원수|세대원수|householdsize`).MatchString(label):
		return Measure
	case traitHeader.MatchString(label):
		return OwnTrait
	case placeHeader.MatchString(label):
		return PlaceTrait
	}
	return NoTrait
}
