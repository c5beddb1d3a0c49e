package city

import (
	"math"
	"math/rand/v2"
)

// airDays is how many days back the air is measured; a station is off on one day in a hundred.
const airDays = 90

func airRows(p *Population, yield func([]any) bool) {
	r := rand.New(rand.NewPCG(p.seed, 9<<32))
	for d := p.asOf - airDays; d < p.asOf; d++ {
		_, month, _ := d.date()
		season := math.Cos(2 * math.Pi * float64(month-2) / 12) // dust in winter and spring, ozone in summer
		weather := math.Exp(0.35 * r.NormFloat64())
		for _, place := range places() {
			here := weather * math.Exp(0.12*r.NormFloat64())
			pm10 := (38 + 14*season) * here
			row := []any{
				d.String(), place.ko, place.code, ppm(0.024*here+0.004*season, 4), ppm((0.030-0.012*season)/math.Sqrt(here), 4), ppm(0.5*here, 2), ppm(0.003*here, 4),
				int64(pm10), int64(pm10 * (0.45 + 0.1*r.Float64())),
			}
			if r.Float64() < 0.01 {
				row = []any{d.String(), place.ko, place.code, nil, nil, nil, nil, nil, nil}
			}
			if !yield(row) {
				return
			}
		}
	}
}

// ppm rounds a concentration to so many decimals; it is never negative.
func ppm(v float64, decimals int) float64 {
	unit := math.Pow10(decimals)
	return math.Round(max(v, 0)*unit) / unit
}

var petitionKinds = [...]struct {
	code  string
	share float64 // of 1,000 people, a month (assumed)
}{{"parking", 9}, {"noise", 2.2}, {"waste", 2.8}, {"road", 2.4}, {"transit", 3.1}, {"welfare", 1.4}, {"housing", 1.1}, {"other", 4}}

func petitionRows(p *Population, yield func([]any) bool) {
	r := rand.New(rand.NewPCG(p.seed, 10<<32))
	for back := 12; back >= 1; back-- {
		y, m, _ := p.asOf.date()
		month := civil(y, m-back, 1).month()
		for _, place := range places() {
			for _, kind := range petitionKinds {
				received := int64(place.people * kind.share * math.Exp(0.15*r.NormFloat64()))
				handled := int64(float64(received) * (0.9 + 0.1*r.Float64()))
				if !yield([]any{month, place.code, kind.code, received, handled}) {
					return
				}
			}
		}
	}
}

var budgetFields = [...]struct {
	code, department string
	programmes       []string
}{
	{"welfare", "복지실", []string{"기초생활 급여", "어르신 일자리", "장애인 활동지원", "긴급복지 지원", "1인가구 돌봄"}},
	{"housing", "주택실", []string{"청년월세지원", "신혼부부 이자지원", "공공임대 공급", "반지하 주거 이전", "노후 주택 수리"}},
	{"transport", "교통실", []string{"시내버스 재정지원", "기후동행카드 운영", "보행로 정비", "공공자전거 운영", "장애인 콜택시"}},
	{"culture", "문화본부", []string{"공공도서관 지원", "청년문화패스", "문화시설 확충", "생활예술 지원", "문화재 보수"}},
	{"environment", "기후환경본부", []string{"대기질 측정망", "전기차 보급", "공원 조성", "자원회수시설 운영", "하천 정비"}},
	{"safety", "재난안전실", []string{"무더위쉼터 운영", "침수 예방", "도로 함몰 점검", "안전교육", "제설 대책"}},
	{"education", "평생교육국", []string{"평생학습관 운영", "서울런", "평생교육이용권", "학교 급식 지원", "문해 교육"}},
	{"administration", "디지털도시국", []string{"정보시스템 통합 운영", "데이터 표준 관리", "120 상담 운영", "공공 와이파이", "정보 격차 해소"}},
}

// budgetRows are made-up amounts: of past years nearly all is spent, of this year as much of it as has passed.
func budgetRows(p *Population, yield func([]any) bool) {
	r := rand.New(rand.NewPCG(p.seed, 11<<32))
	now, month, _ := p.asOf.date()
	for year := now - 2; year <= now; year++ {
		n := 0
		for _, field := range budgetFields {
			for _, programme := range field.programmes {
				n++
				budget := round(12e9*math.Exp(1.1*r.NormFloat64()), 10_000_000)
				part := 0.93 + 0.06*r.Float64()
				if year == now {
					part *= float64(month) / 12
				}
				line := numbered(numbered("B", year, 4)+"-", n, 4)
				if !yield([]any{line, int64(year), field.code, programme, field.department, budget, tens(float64(budget) * part)}) {
					return
				}
			}
		}
	}
}
