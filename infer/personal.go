package infer

import (
	"regexp"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// finding is what a column tells about people.
type finding struct {
	what  string // "resident-number", "name", …
	class manifest.Class
	sure  float64
	why   lang.Text
	only  bool // personal only together with what names the person
}

// people is what a table tells about people as a whole.
type people struct {
	found      map[*column]*finding
	about      bool // its records are about persons
	facilities bool // … about places, whose heads and phones appear in it
	subject    *column
}

// A test for one kind of personal data: by the header, by the values, or both. The first that holds is taken.
var personalTests = []struct {
	what    string
	class   manifest.Class
	header  *regexp.Regexp // nil: the values alone tell
	not     *regexp.Regexp // headers that it can't be
	shape   shape          // 0: the header alone tells
	atLeast float64        // share of the values that have the shape
	sure    float64
	why     lang.Text
}{
	{"foreigner-number", manifest.Unique, nil, corporation, shapeForeigner, 0.5, 0.95, lang.T("외국인등록번호 형식입니다", "the form of a foreigner's registration number")},
	{"resident-number", manifest.Unique, residentHeader, corporation, shapeResident, 0.2, 0.99, lang.T("열 이름과 값이 주민등록번호입니다", "header and values are resident registration numbers")},
	{"resident-number", manifest.Unique, nil, corporation, shapeDashed, 0.5, 0.95, lang.T("생년월일과 성별 자리가 맞는 주민등록번호 형식입니다", "the form of resident registration numbers, with real dates and a digit for sex")},
	{"resident-number", manifest.Unique, nil, corporation, shapeResident, 0.8, 0.9, lang.T("생년월일과 성별 자리가 맞는 주민등록번호 형식입니다", "the form of resident registration numbers, with real dates and a digit for sex")},
	{"passport", manifest.Unique, nil, nil, shapePassport, 0.7, 0.85, lang.T("여권번호 형식입니다", "the form of passport numbers")},
	{"driving-licence", manifest.Unique, nil, nil, shapeLicence, 0.7, 0.9, lang.T("운전면허번호 형식입니다", "the form of driving licence numbers")},
	{"card", manifest.Personal, nil, nil, shapeCard, 0.7, 0.9, lang.T("카드번호입니다 (검증번호가 맞습니다)", "card numbers: their check digits are right")},
	{"account", manifest.Personal, regexp.MustCompile(`계좌번호|계좌|accountno|bankaccount`), nil, 0, 0, 0.85, lang.T("열 이름이 계좌입니다", "the header names an account")},
	{"identity", manifest.Personal, nil, nil, shapeIdentity, 0.7, 0.8, lang.T("연계정보(CI/DI) 형식입니다", "the form of CI or DI, an identity provider's identifier")},
	{"email", manifest.Personal, nil, nil, shapeEmail, 0.5, 0.9, lang.T("전자우편 주소입니다", "e-mail addresses")},
	{"mobile", manifest.Personal, nil, nil, shapeMobile, 0.5, 0.95, lang.T("휴대전화 번호입니다", "mobile phone numbers")},
	{"plate", manifest.Personal, nil, nil, shapePlate, 0.5, 0.9, lang.T("자동차 등록번호입니다", "vehicle plates")},
	{"birth-date", manifest.Personal, birthHeader, nil, 0, 0, 0.9, lang.T("생년월일이나 출생연도입니다", "days or years of birth")},
	{"name", manifest.Personal, nameHeader, organisation, shapeName, 0.4, 0.97, lang.T("열 이름과 값이 사람 이름입니다", "header and values are names of people")},
	{"home", manifest.Personal, nil, nil, shapeHome, 0.5, 0.7, lang.T("동·호까지 있는 주소입니다", "addresses with building and door")},
	{"sex", manifest.Personal, regexp.MustCompile(`^성별|^gender$|^sex$|성별코드$`), nil, 0, 0, 0.7, lang.T("성별입니다", "sex")},
	{"sensitive", manifest.Sensitive, sensitiveHeader, regexp.MustCompile(`시설|수$|율$|기관|주차|화장실|편의|유형|분류`), 0, 0, 0.6, lang.T("열 이름이 민감정보(개인정보보호법 제23조)를 가리킵니다", "the header names sensitive data (Personal Information Protection Act, Art. 23)")},
}

var (
	corporation     = regexp.MustCompile(`법인`)
	residentHeader  = regexp.MustCompile(`주민등록번호|주민번호|외국인등록번호|^rrn|rrno|jumin`)
	birthHeader     = regexp.MustCompile(`생년|출생일|출생연도|생일|birthdate|birthday|birthyear|dateofbirth|^birth$|^dob$|brdt`)
	nameHeader      = regexp.MustCompile(`성명|성함|^이름|시설장|원장|관장|센터장|소장명|대표자|담당자|책임자|소유자|신청인|신청자|수급자|세대주|보호자|계약자|작성자|등록자|기장명|회원명|고객명|환자명|예금주|^name$|personname|fullname|ownername|flnm`)
	organisation    = regexp.MustCompile(`시설명|업소명|기관명|상호|단체명|법인명|부서`)
	sensitiveHeader = regexp.MustCompile(`장애|질병|병명|진단|종교|정당|노동조합|전과|범죄경력|건강상태|혈액형|disability|disease|diagnosis|religion`)
	facilityHeader  = regexp.MustCompile(`시설|업소|사업장|상호|기관|도서관|병원|쉼터|대여소|공원|학교|어린이집|점포|경로당|facility|shop|store|hospital`)
	personalNumber  = regexp.MustCompile(`회원번호|회원id|개인id|대상자id|주민id|개인식별|personid|memberid|userid|^person$|이용자번호|고객번호|수급자번호`)
	headOfPlace     = regexp.MustCompile(`시설장|원장|관장|센터장|소장|대표|담당|책임|관리자`)
)

// findPeople looks at every column, then at what they tell together.
func findPeople(columns []*column) *people {
	p := &people{found: map[*column]*finding{}}
	for _, c := range columns {
		if f := personal(c); f != nil {
			p.found[c] = f
		}
		if facilityHeader.MatchString(fold(c.label())) {
			p.facilities = true
		}
	}
	has := map[string]*column{}
	for _, c := range columns {
		if f := p.found[c]; f != nil && has[f.what] == nil {
			has[f.what] = c
		}
	}
	p.chooseSubject(columns, has)
	p.weigh(columns, has)
	return p
}

// personal is what one column tells by itself, or nil.
func personal(c *column) *finding {
	if c.filled == 0 {
		return nil
	}
	label := fold(c.label())
	for _, t := range personalTests {
		if t.header != nil && !t.header.MatchString(label) || t.not != nil && t.not.MatchString(label) {
			continue
		}
		if t.shape != 0 && !c.is(t.shape, t.atLeast) || t.what == "birth-date" && !c.days() {
			continue
		}
		return &finding{what: t.what, class: t.class, sure: t.sure, why: t.why}
	}
	return namesByContent(c)
}

// days reports whether the values are days, months or years.
func (c *column) days() bool {
	return c.share(max(c.parsed[manifest.Date], c.shapes[shapeYear], c.shapes[shapeMonth], c.lengths[6])) > 0.5
}

// namesByContent finds names of people where the header doesn't say so: nearly all values have the form of a name,
// they differ, and the five surnames of half of the people (domain: 김, 이 and 박 are 45 %) are as frequent as they are in a crowd.
func namesByContent(c *column) *finding {
	if len(c.distinct) < 20 || !c.is(shapeName, 0.85) || !c.is(shapeCommonName, 0.35) || c.share(len(c.distinct)) < 0.05 && !c.many {
		return nil
	}
	return &finding{what: "name", class: manifest.Personal, sure: 0.8, why: lang.T("값이 사람 이름으로 보입니다", "its values look like names of people")}
}

// chooseSubject finds the field that says whose data a record is, where records are about persons.
func (p *people) chooseSubject(columns []*column, has map[string]*column) {
	var number *column
	for _, c := range columns {
		if number == nil && personalNumber.MatchString(fold(c.label())) {
			number = c
		}
	}
	name := has["name"]
	if name != nil && headOfPlace.MatchString(fold(name.label())) {
		name = nil
	}
	bySelf := has["resident-number"] != nil || has["foreigner-number"] != nil || has["passport"] != nil || has["driving-licence"] != nil
	p.about = bySelf || number != nil || name != nil && (has["birth-date"] != nil || has["mobile"] != nil || has["sex"] != nil || !p.facilities)
	if !p.about {
		return
	}
	for _, c := range []*column{number, has["resident-number"], has["foreigner-number"], has["passport"], has["driving-licence"], has["identity"], name} {
		if c != nil {
			p.subject = c
			return
		}
	}
}

// weigh lowers and raises what columns tell by themselves, now that it is known what the table is about.
func (p *people) weigh(columns []*column, has map[string]*column) {
	for _, c := range columns {
		f := p.found[c]
		if f == nil {
			if p.about && c.shapes[shapeAddress]*2 > c.filled && c.filled > 0 {
				p.found[c] = &finding{what: "home", class: manifest.Personal, sure: 0.8, why: lang.T("사람에 관한 표의 주소입니다", "an address in a table about people")}
			}
			continue
		}
		switch f.what {
		case "resident-number", "foreigner-number":
			if c.shapes[shapeChecked]*2 > c.shapes[shapeResident] {
				f.sure = 0.99
			}
		case "birth-date", "sex":
			if !p.about {
				f.only, f.sure = true, 0.7
				f.why = lang.F("%s. 이용 기록과 결합하면 누구인지 알 수 있어 개인정보입니다", "%s: personal, because joined with what was done it tells who it was", f.why)
			}
		case "name":
			if headOfPlace.MatchString(fold(c.label())) {
				f.why = lang.F("%s. 시설이나 기관의 대표라도 살아 있는 개인입니다", "%s: the head of a place is a living person too", f.why)
			}
		case "home":
			if !p.about && p.facilities {
				delete(p.found, c)
			}
		case "sensitive":
			if !p.about {
				delete(p.found, c)
			}
		}
	}
}

// embeddedDoubts says which personal data stands inside longer text.
func (c *column) embeddedDoubts(f *finding) (out []Doubt) {
	for _, e := range []struct {
		shape shape
		name  lang.Text
	}{
		{shapeResident, lang.T("주민등록번호", "resident registration numbers")},
		{shapeMobile, lang.T("휴대전화 번호", "mobile phone numbers")},
		{shapeEmail, lang.T("전자우편 주소", "e-mail addresses")},
	} {
		n := c.embedded[e.shape]
		if n > 0 && (f == nil || f.class != manifest.Unique) && c.shapes[e.shape]*2 < c.filled {
			out = append(out, doubt("embedded", lang.F("본문 %s개에 %s 형식의 값이 들어 있습니다. 공개하기 전에 가리십시오", "%s texts contain what looks like %s: mask them before anything is opened", grouped(n), e.name)))
		}
	}
	if n := c.shapes[shapeMobile]; n > 0 && f == nil {
		out = append(out, doubt("some-mobile", lang.F("%s개 값 가운데 %s개가 휴대전화입니다. 개인 번호라면 class: personal로 지정하십시오", "%[2]s of %[1]s values are mobile phones: class: personal if they are persons'", grouped(c.filled), grouped(n))))
	}
	return out
}
