package city

import (
	"math"
	"math/rand/v2"
	"strconv"
)

// cityData is a dataset that doesn't depend on how many people there are.
type cityData struct {
	name    string
	columns []string
	rows    func(p *Population, yield func([]any) bool)
}

// wholeCity lists the datasets of places, measurements and codes.
var wholeCity = []cityData{
	{"city-standards/districts", columns("district district_statistics institution_code name name_en neighbourhoods population households share_older latitude longitude"), districtRows},
	{"city-standards/holidays", columns("day name weekday"), holidayRows},
	{"culture/culture-facilities", columns("facility_no name kind district address latitude longitude opening_hours closed_on opened_on seats"), cultureRows},
	{"culture/culture-events", columns("event_no title kind facility district starts_on ends_on audience free fee"), eventRows},
	{"learning/libraries", columns("facility_no name kind district address latitude longitude opening_hours closed_on seats books"), libraryRows},
	{"learning/learning-centres", columns("facility_no name district address latitude longitude capacity"), centreRows},
	{"learning/courses", columns("course_no title field facility district starts_on ends_on capacity fee audience"), courseRows},
	{"bike-share/bike-stations", columns("station_no name district latitude longitude docks opened_on"), stationRows},
	{"air-quality/air-daily", columns("measured_on monitor district no2 o3 co so2 pm10 pm25"), airRows},
	{"public-toilets/toilets", columns("facility_no name district address latitude longitude opening_hours stalls accessible"), toiletRows},
	{"cooling-shelters/shelters", columns("facility_no name kind district address latitude longitude capacity air_conditioners open_at_night open_on_holidays"), shelterRows},
	{"petitions-120/petition-counts", columns("month district kind received handled"), petitionRows},
	{"city-budget/budget-lines", columns("line year field programme department budget spent"), budgetRows},
}

func districtRows(_ *Population, yield func([]any) bool) {
	for _, d := range places() {
		if !yield([]any{d.code, d.statistics, d.institution, d.ko, d.en, d.neighbourhoods, int64(d.people) * 1000, int64(d.households) * 1000, d.older, d.latitude, d.longitude}) {
			return
		}
	}
}

func holidayRows(_ *Population, yield func([]any) bool) {
	for _, r := range table("holidays.csv") {
		if !yield([]any{r["date"], r["name_ko"], r["weekday"]}) {
			return
		}
	}
}

// site is a made-up facility: the n-th of a kind, in a district, with a name and a position within about a kilometre of the district's office.
type site struct {
	n, district         int
	district5           string
	name                string // without what kind of facility it is
	address             string
	latitude, longitude float64
	r                   *rand.Rand
}

// sites makes perDistrict facilities of a kind in each district. salt keeps the kinds apart; the names of one kind differ in a district.
func sites(p *Population, salt uint64, perDistrict int, yield func(site) bool) {
	r := rand.New(rand.NewPCG(p.seed, salt<<32))
	all := roots()
	for district, d := range places() {
		first := r.IntN(len(all))
		for i := range perDistrict {
			s := site{n: district*perDistrict + i + 1, district: district, district5: d.code, name: all[(first+i)%len(all)], address: placeAddress(district, r.Uint64()), r: r}
			if round := i / len(all); round > 0 {
				s.name += " 제" + strconv.Itoa(round+1)
			}
			s.latitude = math.Round((d.latitude+0.018*(r.Float64()-0.5))*1e5) / 1e5
			s.longitude = math.Round((d.longitude+0.022*(r.Float64()-0.5))*1e5) / 1e5
			if !yield(s) {
				return
			}
		}
	}
}

func between[T int | int64](r *rand.Rand, low, high T) T {
	return low + T(r.Int64N(int64(high-low+1)))
}

func oneOf[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// maybe is v with probability p, else nil.
func maybe(r *rand.Rand, p float64, v any) any {
	if r.Float64() < p {
		return v
	}
	return nil
}

const culturePerDistrict = 8

var cultureKinds = [...]struct{ code, ko string }{{"museum", "박물관"}, {"gallery", "미술관"}, {"hall", "아트홀"}, {"centre", "문화원"}}

func cultureRows(p *Population, yield func([]any) bool) {
	sites(p, 1, culturePerDistrict, func(s site) bool {
		kind := cultureKinds[s.n%len(cultureKinds)]
		seats := any(nil)
		if kind.code == "hall" || kind.code == "centre" {
			seats = between(s.r, int64(8), 90) * 10
		}
		return yield([]any{
			numbered("CF-", s.n, 5), s.name + " " + kind.ko, kind.code, s.district5, s.address, s.latitude, s.longitude,
			maybe(s.r, 0.95, oneOf(s.r, "10:00–18:00", "10:00–19:00", "09:00–18:00", "11:00–20:00")), maybe(s.r, 0.9, oneOf(s.r, "월요일", "월요일·설날·추석", "일요일", "연중무휴")),
			maybe(s.r, 0.9, civil(between(s.r, 1985, 2024), between(s.r, 1, 12), between(s.r, 1, 28)).String()), seats,
		})
	})
}

var eventKinds = [...]struct{ code, ko string }{
	{"concert", "음악회"}, {"exhibition", "기획전"}, {"play", "연극"}, {"dance", "국악 한마당"}, {"education", "체험 교실"}, {"festival", "마을 축제"},
}

func eventRows(p *Population, yield func([]any) bool) {
	sites(p, 2, 24, func(s site) bool {
		kind := eventKinds[s.r.IntN(len(eventKinds))]
		from := p.asOf + day(between(s.r, -200, 90))
		until := from
		if kind.code == "exhibition" {
			until += day(between(s.r, 14, 90))
		} else if kind.code == "festival" {
			until += day(between(s.r, 1, 3))
		}
		fee := int64(0)
		if free := s.r.Float64() < 0.45; !free {
			fee = between(s.r, int64(1), 12) * 5000
		}
		facility := s.district*culturePerDistrict + s.r.IntN(culturePerDistrict) + 1
		return yield([]any{
			numbered("EV-", s.n, 6), s.name + " " + kind.ko, kind.code, numbered("CF-", facility, 5), s.district5, from.String(), until.String(),
			oneOf(s.r, "anyone", "anyone", "anyone", "children", "youth", "older", "family"), fee == 0, fee,
		})
	})
}

func libraryRows(p *Population, yield func([]any) bool) {
	sites(p, 3, 8, func(s site) bool {
		kind, ko, seats, books := "public", "도서관", between(s.r, int64(80), 600), between(s.r, int64(20), 180)*1000
		switch s.n % 4 {
		case 1, 2:
			kind, ko, seats, books = "small", "작은도서관", between(s.r, int64(10), 60), between(s.r, int64(15), 120)*100
		case 3:
			kind, ko, seats, books = "children", "어린이도서관", between(s.r, int64(30), 150), between(s.r, int64(10), 60)*1000
		}
		return yield([]any{
			numbered("LB-", s.n, 5), s.name + " " + ko, kind, s.district5, s.address, s.latitude, s.longitude,
			oneOf(s.r, "09:00–22:00", "09:00–18:00", "10:00–18:00"), maybe(s.r, 0.93, oneOf(s.r, "월요일", "금요일", "둘째·넷째 월요일")), seats, books,
		})
	})
}

const centresPerDistrict = 3

func centreRows(p *Population, yield func([]any) bool) {
	sites(p, 4, centresPerDistrict, func(s site) bool {
		return yield([]any{numbered("LC-", s.n, 5), s.name + " 평생학습관", s.district5, s.address, s.latitude, s.longitude, between(s.r, int64(6), 40) * 10})
	})
}

var courses = [...]struct{ field, title string }{
	{"humanities", "한 권으로 읽는 고전"},
	{"humanities", "동네 역사 걷기"},
	{"digital", "스마트폰 첫걸음"},
	{"digital", "인공지능과 일하기"},
	{"digital", "영상 만들기"},
	{"job", "요양보호사 준비반"},
	{"job", "작은 가게 장부 쓰기"},
	{"arts", "수채화 시작하기"},
	{"arts", "합창 교실"},
	{"arts", "우리 춤 배우기"},
	{"language", "생활 영어"},
	{"language", "여행 일본어"},
	{"civic", "주민참여예산 학교"},
	{"civic", "기후 시민 교실"},
	{"literacy", "한글 배움터"},
}

func courseRows(p *Population, yield func([]any) bool) {
	sites(p, 5, 30, func(s site) bool {
		c := courses[s.r.IntN(len(courses))]
		from := p.asOf + day(between(s.r, -150, 80))
		fee := int64(0)
		if c.field != "literacy" && c.field != "civic" {
			fee = between(s.r, int64(0), 8) * 10_000
		}
		centre := s.district*centresPerDistrict + s.r.IntN(centresPerDistrict) + 1
		return yield([]any{
			numbered("CO-", s.n, 6), c.title, c.field, numbered("LC-", centre, 5), s.district5, from.String(), (from + day(7*between(s.r, 3, 14))).String(),
			between(s.r, int64(2), 8) * 5, fee, oneOf(s.r, "anyone", "anyone", "anyone", "older"),
		})
	})
}

func stationRows(p *Population, yield func([]any) bool) {
	sites(p, 6, 40, func(s site) bool {
		return yield([]any{
			numbered("", 100+s.n, 3), s.name + oneOf(s.r, "역 ", "공원 ", "시장 ", "사거리 ", "초등학교 ") + oneOf(s.r, "앞", "옆", "건너편", "입구"), s.district5,
			s.latitude, s.longitude, between(s.r, int64(6), 30), civil(between(s.r, 2015, 2025), between(s.r, 1, 12), between(s.r, 1, 28)).String(),
		})
	})
}

func toiletRows(p *Population, yield func([]any) bool) {
	sites(p, 7, 30, func(s site) bool {
		return yield([]any{
			numbered("TO-", s.n, 5), s.name + oneOf(s.r, "공원 화장실", "시장 화장실", "어린이공원 화장실", "산책로 화장실"), s.district5, s.address, s.latitude, s.longitude,
			oneOf(s.r, "00:00–24:00", "06:00–22:00", "05:00–24:00"), between(s.r, int64(2), 16), s.r.Float64() < 0.7,
		})
	})
}

var shelterKinds = [...]struct{ code, ko string }{{"senior", "경로당"}, {"senior", "경로당"}, {"senior", "경로당"}, {"office", "동주민센터"}, {"welfare", "복지관"}, {"library", "작은도서관"}}

func shelterRows(p *Population, yield func([]any) bool) {
	sites(p, 8, 40, func(s site) bool {
		kind := shelterKinds[s.n%len(shelterKinds)]
		return yield([]any{
			numbered("CS-", s.n, 5), s.name + " " + kind.ko, kind.code, s.district5, s.address, s.latitude, s.longitude,
			between(s.r, int64(2), 20) * 5, between(s.r, int64(1), 6), s.r.Float64() < 0.2, s.r.Float64() < 0.35,
		})
	})
}
