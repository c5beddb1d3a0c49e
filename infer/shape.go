package infer

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// shape is what one value looks like by itself; a value can have several.
type shape uint32

const (
	shapeResident  shape = 1 << iota // a resident registration number or a foreigner's, by its date and seventh digit
	shapeDashed                      // … written 000000-0000000
	shapeChecked                     // … whose check digit is right
	shapeForeigner                   // … whose seventh digit is a foreigner's
	shapeMobile                      // a mobile phone
	shapeOffice                      // a phone of a place: area codes, 1588, 070
	shapeEmail
	shapeName       // two to four syllables that begin with a surname, and no place's name
	shapeCommonName // … one of the five surnames that half of the people have
	shapeAddress    // a road or lot address
	shapeHome       // … with building and door (101동 1203호)
	shapePlate      // a vehicle's plate
	shapePassport
	shapeLicence // a driving licence
	shapeCard    // sixteen digits with a right check digit (ISO/IEC 7812)
	shapeBusiness
	shapeIdentity // CI or DI of an identity provider: 88 or 64 characters of base64
	shapeRange    // two days with ~ between
	shapeMonth    // YYYYMM
	shapeYear     // 1900 … 2030
	shapeURL
)

// shapes lists all of them, in the order of their bits.
var shapes = func() (all []shape) {
	for s := shapeResident; s <= shapeURL; s <<= 1 {
		all = append(all, s)
	}
	return all
}()

// anyPersonal are the shapes whose values are never shown.
const anyPersonal = shapeResident | shapeMobile | shapeEmail | shapeName | shapeHome | shapePlate | shapePassport | shapeLicence | shapeCard | shapeIdentity

var (
	residentForm = regexp.MustCompile(`^[0-9]{6}[- ]?[0-9][0-9*]{6}$`)
	mobileForm   = regexp.MustCompile(`^(?:\+?82[- ]?|0)1[016789][-.) ]*[0-9]{3,4}[-. ]*[0-9]{4}$`)
	officeForm   = regexp.MustCompile(`^\(?(?:0(?:2|[3-6][0-9]|70|80|50[0-9])[-.) ~]*[0-9]{3,4}[-. )]*[0-9]{4}|1[5689][0-9]{2}[- ]?[0-9]{4})(?:[ ,~/(].*)?$`)
	emailForm    = regexp.MustCompile(`^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}$`)
	plateForm    = regexp.MustCompile(`^(?:(?:서울|부산|대구|인천|광주|대전|울산|세종|경기|강원|충북|충남|전북|전남|경북|경남|제주) ?)?[0-9]{2,3} ?[가-힣] ?[0-9]{4}$`)
	passportForm = regexp.MustCompile(`^[MSRODG](?:[0-9]{8}|[0-9]{3}[A-Z][0-9]{4})$`)
	licenceForm  = regexp.MustCompile(`^(?:[0-9]{2}|[가-힣]{2})-[0-9]{2}-[0-9]{6}-[0-9]{2}$`)
	cardForm     = regexp.MustCompile(`^[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{4}$`)
	businessForm = regexp.MustCompile(`^[0-9]{3}-?[0-9]{2}-?[0-9]{5}$`)
	base64Form   = regexp.MustCompile(`^(?:[A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{64})$`)
	addressForm  = regexp.MustCompile(`(?:[가-힣]+(?:시|도|구|군) .*(?:[가-힣0-9]+(?:로|길) ?[0-9]|[가-힣0-9]+(?:동|리|가|읍|면)(?:$|[ ,(]))|^[가-힣0-9]+(?:로|길) [0-9]+)`)
	homeForm     = regexp.MustCompile(`[0-9]+동 ?[0-9]+호|[0-9]+층? ?[0-9]{3,4}호`)
	rangeForm    = regexp.MustCompile(`^[12][0-9]{3}[-./년 ]{1,2}[0-9]{1,2}.{0,5}?~ ?(?:[12][0-9]{3}[-./년 ]{1,2})?[0-9]{1,2}[-./월 ]{1,2}[0-9]{1,2}`)
	hangulShort  = regexp.MustCompile(`^[가-힣]{2,4}$`)
	placeEnd     = regexp.MustCompile(`(?:구|동|시|군|읍|면|리|로|길|역|도|국|과|팀|원|관|점|소|실)$`)
)

// shapeOf says what a value looks like. v is trimmed and not empty.
func shapeOf(v string) (s shape) {
	if len(v) > maxLooked {
		return 0
	}
	switch first := v[0]; {
	case first >= '0' && first <= '9' || first == '(' || first == '+':
		s = shapeOfDigits(v)
	case first >= 0xEA && first <= 0xED: // Hangul syllables in UTF-8
		s = shapeOfHangul(v)
	case strings.HasPrefix(v, "http://") || strings.HasPrefix(v, "https://") || strings.HasPrefix(v, "www."):
		return shapeURL
	case passportForm.MatchString(v):
		s = shapePassport
	}
	if len(v) <= 254 && strings.IndexByte(v, '@') > 0 && emailForm.MatchString(v) {
		s |= shapeEmail
	}
	if (len(v) == 88 || len(v) == 64) && base64Form.MatchString(v) && strings.ContainsAny(v, "+/=ABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		s |= shapeIdentity
	}
	return s
}

func shapeOfDigits(v string) (s shape) {
	digits := digitsOf(v)
	switch n := len(digits); {
	case n == 4 && len(v) <= 6 && digits >= "1900" && digits <= "2030":
		return shapeYear // 1993 and 1993.0 alike
	case n == 6 && len(v) == 6 && digits >= "190001" && digits < "210000" && digits[4:] >= "01" && digits[4:] <= "12":
		return shapeMonth
	case n < 6:
		return 0
	}
	s |= residentShape(v, digits)
	for _, form := range []struct {
		shape shape
		ok    bool
	}{
		{shapeMobile, len(v) <= 20 && mobileForm.MatchString(v)},
		{shapeOffice, len(v) <= 60 && officeForm.MatchString(v)},
		{shapePlate, len(v) <= 24 && len(digits) <= 7 && len(v) > len(digits) && plateForm.MatchString(v)},
		{shapeLicence, len(v) >= 15 && len(v) <= 17 && licenceForm.MatchString(v)},
		{shapeCard, len(digits) == 16 && cardForm.MatchString(v) && luhn(digits)},
		{shapeBusiness, len(digits) == 10 && businessForm.MatchString(v) && businessCheck(digits)},
		{shapeRange, len(v) >= 12 && strings.IndexByte(v, '~') > 0 && rangeForm.MatchString(v)},
	} {
		if form.ok {
			s |= form.shape
		}
	}
	return s
}

func shapeOfHangul(v string) (s shape) {
	if hangulShort.MatchString(v) {
		surname, size := utf8.DecodeRuneInString(v)
		if (strings.ContainsRune(surnames, surname) && !placeEnd.MatchString(v)) || (len(v) > 6 && strings.Contains(doubleSurnames, v[:6])) {
			s |= shapeName
			if strings.Contains(commonSurnames, v[:size]) {
				s |= shapeCommonName
			}
		}
		return s
	}
	if plateForm.MatchString(v) {
		return shapePlate
	}
	if licenceForm.MatchString(v) {
		return shapeLicence
	}
	if len(v) > 12 && len(v) < 400 && strings.Contains(v, " ") && addressForm.MatchString(v) {
		s |= shapeAddress
		if homeForm.MatchString(v) {
			s |= shapeHome
		}
	}
	return s
}

// residentShape knows a resident registration number by its form, its date and its seventh digit (1–4 citizens, 5–8
// foreigners, 9 and 0 born in the 1800s). A wrong check digit refuses none: since October 2020 the last six are random.
// The end may be masked with asterisks.
func residentShape(v, digits string) (s shape) {
	if len(digits) < 7 || !residentForm.MatchString(v) {
		return 0
	}
	century := map[byte]string{'9': "18", '0': "18", '1': "19", '2': "19", '5': "19", '6': "19", '3': "20", '4': "20", '7': "20", '8': "20"}[digits[6]]
	if _, err := time.Parse("20060102", century+digits[:6]); err != nil {
		return 0
	}
	s = shapeResident
	if digits[6] >= '5' && digits[6] <= '8' {
		s |= shapeForeigner
	}
	if v[6] == '-' {
		s |= shapeDashed
	}
	if len(digits) == 13 && residentCheck(digits) {
		s |= shapeChecked
	}
	return s
}

// residentCheck verifies the check digit of numbers issued before October 2020. Foreigners' numbers add two.
func residentCheck(digits string) bool {
	sum := weighted(digits[:12], []int{2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5})
	check := (11 - sum%11) % 10
	if digits[6] >= '5' && digits[6] <= '8' {
		check = (13 - sum%11) % 10
	}
	return check == int(digits[12]-'0')
}

// businessCheck verifies the check digit of a business registration number.
func businessCheck(digits string) bool {
	sum := weighted(digits[:9], []int{1, 3, 7, 1, 3, 7, 1, 3, 5}) + int(digits[8]-'0')*5/10
	return (10-sum%10)%10 == int(digits[9]-'0')
}

func weighted(digits string, weights []int) (sum int) {
	for i, w := range weights {
		sum += int(digits[i]-'0') * w
	}
	return sum
}

// luhn verifies a card number (ISO/IEC 7812-1, annex B).
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0 && strings.Trim(digits, "0") != ""
}

func digitsOf(v string) string {
	if allDigits(v) {
		return v
	}
	if f, frac, found := strings.Cut(v, "."); found && allDigits(f) && strings.Trim(frac, "0") == "" {
		return f
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, v[:min(len(v), 64)])
}

var embeddedForms = map[shape]*regexp.Regexp{
	shapeResident: regexp.MustCompile(`(?:^|[^0-9-])([0-9]{6}-[1-8][0-9]{6})(?:[^0-9-]|$)`),
	shapeMobile:   regexp.MustCompile(`(?:^|[^0-9-])(01[016789][-. ][0-9]{3,4}[-. ][0-9]{4})(?:[^0-9-]|$)`),
	shapeEmail:    regexp.MustCompile(`([A-Za-z0-9._%+-]+@[A-Za-z0-9-]+\.[A-Za-z.]{2,})`),
}

// embeddedIn finds personal data inside longer text.
func embeddedIn(v string) map[shape]bool {
	dash, at := strings.ContainsAny(v, "-."), strings.IndexByte(v, '@') > 0
	if !dash && !at {
		return nil
	}
	var found map[shape]bool
	for s, form := range embeddedForms {
		if (s == shapeEmail) != at && (s == shapeEmail || !dash) {
			continue
		}
		if s == shapeMobile && !strings.Contains(v, "01") || s == shapeResident && !strings.Contains(v, "-") {
			continue
		}
		if m := form.FindStringSubmatch(v); m != nil && (s != shapeResident || residentShape(m[1], digitsOf(m[1])) != 0) {
			if found == nil {
				found = map[shape]bool{}
			}
			found[s] = true
		}
	}
	return found
}

// yearOf reads a year written as 1993 or 1993.0, or 0.
func yearOf(v string) int {
	n, _ := strconv.Atoi(digitsOf(v))
	return n
}

// The surnames of Statistics Korea's census that almost everyone has.
const (
	surnames       = "김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진나지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국어은편용예경봉사부라복목형피두감음빈동온호범좌팽승간상시갈단견당화창옹순빙가"
	commonSurnames = "김이박최정"
	doubleSurnames = "남궁 황보 제갈 선우 사공 독고 서문 동방"
)
