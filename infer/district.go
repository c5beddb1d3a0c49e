package infer

import (
	"strings"

	"github.com/maru-city/maru/manifest"
)

// district is one of Seoul's 25 with its codes in three systems, which share numbers: 11110 is 종로구 for the
// administration and 노원구 for the statistics office.
type district struct {
	name, english       string
	admin, stat, office string // Ministry of the Interior; Statistics Korea; institution code
}

var districts = []district{
	{"종로구", "Jongno-gu", "11110", "11010", "3000000"},
	{"중구", "Jung-gu", "11140", "11020", "3010000"},
	{"용산구", "Yongsan-gu", "11170", "11030", "3020000"},
	{"성동구", "Seongdong-gu", "11200", "11040", "3030000"},
	{"광진구", "Gwangjin-gu", "11215", "11050", "3040000"},
	{"동대문구", "Dongdaemun-gu", "11230", "11060", "3050000"},
	{"중랑구", "Jungnang-gu", "11260", "11070", "3060000"},
	{"성북구", "Seongbuk-gu", "11290", "11080", "3070000"},
	{"강북구", "Gangbuk-gu", "11305", "11090", "3080000"},
	{"도봉구", "Dobong-gu", "11320", "11100", "3090000"},
	{"노원구", "Nowon-gu", "11350", "11110", "3100000"},
	{"은평구", "Eunpyeong-gu", "11380", "11120", "3110000"},
	{"서대문구", "Seodaemun-gu", "11410", "11130", "3120000"},
	{"마포구", "Mapo-gu", "11440", "11140", "3130000"},
	{"양천구", "Yangcheon-gu", "11470", "11150", "3140000"},
	{"강서구", "Gangseo-gu", "11500", "11160", "3150000"},
	{"구로구", "Guro-gu", "11530", "11170", "3160000"},
	{"금천구", "Geumcheon-gu", "11545", "11180", "3170000"},
	{"영등포구", "Yeongdeungpo-gu", "11560", "11190", "3180000"},
	{"동작구", "Dongjak-gu", "11590", "11200", "3190000"},
	{"관악구", "Gwanak-gu", "11620", "11210", "3200000"},
	{"서초구", "Seocho-gu", "11650", "11220", "3210000"},
	{"강남구", "Gangnam-gu", "11680", "11230", "3220000"},
	{"송파구", "Songpa-gu", "11710", "11240", "3230000"},
	{"강동구", "Gangdong-gu", "11740", "11250", "3240000"},
}

// System names a code system of places.
type System string

// The code systems of districts and neighbourhoods.
const (
	Administration System = "mois"        // Ministry of the Interior and Safety, 5 digits; 10 for neighbourhoods
	Statistics     System = "kostat"      // Statistics Korea, 5 digits; 7 or 8 for neighbourhoods
	Institution    System = "institution" // institution code of the administrative standard codes, 7 digits
)

// places is what was found of codes in one column.
type places struct {
	system      System
	alike       map[System]int // values that could be of the system
	byNames     map[System]int // rows whose code and name of the district agree in the system
	namesIn     *column        // where the names stand
	names       bool           // the column holds names of districts
	short       bool           // three digits behind the province's two
	floor       string         // "district", "legal-dong", "neighbourhood"
	sure        float64
	undecidable bool // every value means a district in both systems
}

var (
	districtNames = map[string]int{}
	districtCodes = map[System]map[string]int{Administration: {}, Statistics: {}, Institution: {}}
)

func init() {
	for i, d := range districts {
		districtNames[d.name], districtNames[strings.ToLower(d.english)] = i, i
		districtCodes[Administration][d.admin] = i
		districtCodes[Statistics][d.stat] = i
		districtCodes[Institution][d.office] = i
	}
}

// districtOf reads the district a code means in a system, and how deep the code goes.
func districtOf(code string, s System) (i int, ok bool) {
	code = digitsOf(code)
	switch n := len(code); {
	case s == Institution:
	case n == 3:
		code = "11" + code
	case n == 10 && s == Administration, (n == 7 || n == 8) && s == Statistics:
		code = code[:5]
	case n != 5:
		return 0, false
	}
	i, ok = districtCodes[s][code]
	return i, ok
}

// findPlaces looks at every column for codes and names of districts. Values of few distinct columns are enough: the
// kept ones stand for all.
func findPlaces(columns []*column, m *matrix) map[*column]*places {
	found := map[*column]*places{}
	var named []*column
	for _, c := range columns {
		total, names, alike := 0, 0, map[System]int{}
		lengths := map[int]int{}
		for v, n := range c.distinct {
			total += n
			if _, ok := districtNames[strings.ToLower(v)]; ok {
				names += n
			}
			for s := range districtCodes {
				if _, ok := districtOf(v, s); ok {
					alike[s] += n
					lengths[len(digitsOf(v))] += n
				}
			}
		}
		if total == 0 {
			continue
		}
		if names*10 >= total*8 {
			named = append(named, c)
			found[c] = &places{names: true}
			continue
		}
		if p := placesOf(c, total, alike, lengths); p != nil {
			found[c] = p
		}
	}
	for c, p := range found {
		if !p.names {
			p.askNames(c, named, m)
			p.decide()
		}
	}
	return found
}

// placesOf is what the codes alone say, or nil when too few of them are codes of a district.
func placesOf(c *column, total int, alike map[System]int, lengths map[int]int) *places {
	best := 0
	for _, n := range alike {
		best = max(best, n)
	}
	if best*10 < total*8 || c.parsed[manifest.Date]*2 > c.filled {
		return nil
	}
	p := &places{alike: alike, floor: "district"}
	p.short = lengths[3] > 0
	if p.short && (len(c.distinct) < 5 || !placeHint(c.label())) {
		return nil // any count below a thousand has three digits
	}
	switch {
	case lengths[10] > 0:
		p.floor = neighbourhoodKind(c)
	case lengths[7] > 0 && alike[Institution] < best, lengths[8] > 0:
		p.floor = "neighbourhood"
	}
	if len(c.distinct) < 3 && !placeHint(c.label()) {
		return nil
	}
	return p
}

// neighbourhoodKind tells the ten digits of law (법정동: its third part below 500, two digits of a village behind) from
// those of offices (행정동: from 500 on).
func neighbourhoodKind(c *column) string {
	law, office := 0, 0
	for v := range c.distinct {
		if d := digitsOf(v); len(d) == 10 && d[5:8] != "000" {
			if d[5] < '5' {
				law++
			} else {
				office++
			}
		}
	}
	switch {
	case law > office:
		return "legal-dong"
	case office > 0:
		return "neighbourhood"
	}
	return "district"
}

func placeHint(label string) bool {
	return containsAny(fold(label), "구코드", "시군구", "자치구", "행정", "법정", "지역", "sigungu", "sgg", "gu", "adm", "dong", "emd", "district", "region", "code")
}

// askNames counts the rows whose code and name of a district agree, in each system.
func (p *places) askNames(c *column, named []*column, m *matrix) {
	codes := map[uint64]string{}
	for v := range c.distinct {
		codes[hash(v)] = v
	}
	names := map[uint64]int{}
	for _, d := range districts {
		names[hash(d.name)], names[hash(d.english)] = districtNames[d.name], districtNames[d.name]
	}
	for _, n := range named {
		agree, rows := map[System]int{}, 0
		for r := range m.rows {
			code, isCode := codes[m.at(r, c.at)]
			name, isName := names[m.at(r, n.at)]
			if !isCode || !isName {
				continue
			}
			rows++
			for _, s := range []System{Administration, Statistics, Institution} {
				if i, ok := districtOf(code, s); ok && i == name {
					agree[s]++
				}
			}
		}
		if rows > 0 && (p.namesIn == nil || most(agree) > most(p.byNames)) {
			p.byNames, p.namesIn = agree, n
		}
	}
}

func most(counts map[System]int) (n int) {
	for _, m := range counts {
		n = max(n, m)
	}
	return n
}

// decide chooses the system: by the names where there are some, else by which codes occur.
func (p *places) decide() {
	counts := p.alike
	p.sure = 0.9
	if p.namesIn != nil && most(p.byNames) > 0 {
		counts, p.sure = p.byNames, 0.99
	}
	best, second := System(""), 0
	for _, s := range []System{Administration, Statistics, Institution} {
		if best == "" || counts[s] > counts[best] {
			best = s
		}
	}
	for s, n := range counts {
		if s != best {
			second = max(second, n)
		}
	}
	p.system = best
	if second == counts[best] {
		p.undecidable, p.sure = true, 0.5
	}
}

// term is the name of the city's term for codes of districts in the system, or "" where codes go deeper.
func (p *places) term() string {
	if p.names || p.undecidable || p.short {
		return ""
	}
	switch {
	case p.system == Institution:
		return "institution-code"
	case p.floor == "district" && p.system == Administration:
		return "district"
	case p.floor == "district" && p.system == Statistics:
		return "district-statistics"
	case p.floor == "neighbourhood" && p.system == Administration:
		return "neighbourhood"
	case p.floor == "legal-dong":
		return "legal-dong"
	}
	return ""
}
