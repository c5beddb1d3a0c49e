package infer

import (
	"slices"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// likenessColumns is how many columns are compared in pairs.
const likenessColumns = 80

// likenessDoubts finds columns that say the same: by their values, or by headers that differ only in words that say
// which one.
func likenessDoubts(columns []*column, fields map[*column]*field, m *matrix) {
	var kept []*column
	for _, c := range columns {
		if fields[c] != nil && len(kept) < likenessColumns {
			kept = append(kept, c)
		}
	}
	said := map[*column]bool{}
	for i, a := range kept {
		for _, b := range kept[i+1:] {
			if said[b] || a.filled == 0 || b.filled == 0 {
				continue
			}
			share, both := m.alike(a.at, b.at)
			same := share >= 0.95 && both >= 20 && len(b.distinct) > 2
			named := alikeHeaders(a.header, b.header) && fields[a].kind == fields[b].kind && (share >= 0.3 || bare(fold(a.header)) == bare(fold(b.header)))
			switch {
			case same:
				fields[b].say(doubt("same", lang.F("‘%s’ 항목과 값이 같습니다 (%s). 하나만 두어도 됩니다", "has the same values as %s in %s of the rows: one of them may do", fields[a].name, percent(share))))
			case named && both > 0 && share > 0:
				fields[b].say(doubt("same", lang.F("‘%s’ 항목과 같은 뜻으로 보입니다 (값이 같은 비율 %s)", "seems to mean the same as %s (%s of the values agree)", fields[a].name, percent(share))))
			default:
				continue
			}
			said[b] = true
		}
	}
}

// alikeHeaders reports whether one header is the other with a word more that only says which one (위도 and WGS84위도,
// 휴관일 and 휴관일정보, 구1 and 구2).
func alikeHeaders(a, b string) bool {
	a, b = fold(a), fold(b)
	if len(a) > len(b) {
		a, b = b, a
	}
	if a == b || bare(a) == bare(b) && bare(a) != "" {
		return true
	}
	return len([]rune(a)) >= 2 && strings.TrimRight(a, "0123456789") == strings.TrimRight(b, "0123456789") && strings.TrimRight(a, "0123456789") != ""
}

// districtDoubts says of columns of districts' codes and names what they are.
func districtDoubts(columns []*column, fields map[*column]*field, found map[*column]*places) []Doubt {
	var names []string
	for _, c := range columns {
		f, p := fields[c], found[c]
		if f == nil || p == nil {
			continue
		}
		if p.names {
			names = append(names, f.name)
			if !placeHint(c.label()) && !strings.HasSuffix(fold(c.label()), "구") {
				f.say(doubt("district-names", lang.T("값이 자치구 이름입니다", "its values are names of districts")))
			}
			continue
		}
		f.say(p.doubt(fields))
	}
	if len(names) > 1 {
		return []Doubt{doubt("districts", lang.F("모두 자치구를 나타내는 항목입니다: %s. 하나만 두고 나머지는 지우는 것이 좋습니다", "%s all say the district: better keep one", strings.Join(names, ", ")))}
	}
	return nil
}

var systemNames = map[System]lang.Text{
	Administration: lang.T("행정안전부 행정구역 코드", "codes of the administration (Ministry of the Interior)"),
	Statistics:     lang.T("통계청 코드", "codes of the statistics office"),
	Institution:    lang.T("행정표준 기관코드", "institution codes"),
}

var floorNames = map[string]lang.Text{
	"district": lang.T("자치구", "districts"), "legal-dong": lang.T("법정동", "legal dongs"), "neighbourhood": lang.T("행정동", "neighbourhoods"),
}

func (p *places) doubt(fields map[*column]*field) Doubt {
	what := systemNames[p.system]
	if p.undecidable {
		return doubt("district-codes", lang.T("행정안전부로도 통계청으로도 자치구인 코드뿐입니다 (11110은 종로구이거나 노원구). 자료를 만든 기관에 확인하십시오",
			"every code means a district in both systems (11110 is Jongno or Nowon): ask who made it"))
	}
	if p.namesIn != nil && fields[p.namesIn] != nil && p.sure > 0.95 {
		return doubt("district-codes", lang.F("%s(%s)입니다. ‘%s’ 항목의 이름과 %s개 행에서 일치합니다 (확신도 %.2f)", "%s of %s: they agree with the names in %s in %s rows (sure %.2f)",
			what, floorNames[p.floor], fields[p.namesIn].name, grouped(p.byNames[p.system]), p.sure))
	}
	return doubt("district-codes", lang.F("짐작되는 코드 체계: %s(%s). 확인한 값 가운데 %s개가 이 체계의 코드입니다 (확신도 %.2f)", "%s of %s, it seems: %s of the values seen are codes of that system (sure %.2f)", what, floorNames[p.floor], grouped(p.alike[p.system]), p.sure))
}

// fewValuesDoubts lists the values of text fields that have few: they could be a code list, once a person says that
// there are no others.
func fewValuesDoubts(list []*field, found map[*column]*places) {
	for _, f := range list {
		c := f.column
		if f.kind != manifest.String || f.class != "" || c.many || len(c.distinct) < 2 || len(c.distinct) > 8 || c.filled < enoughValues || found[c] != nil || (f.term != nil && len(f.term.Term.Codes) > 0) {
			continue
		}
		values := slices.DeleteFunc(c.mostFrequent(), func(v string) bool { return slices.Contains(f.empty, v) })
		if len(values) > 1 && shapeOf(values[0])&anyPersonal == 0 && c.longest <= 30 {
			f.say(doubt("few-values", lang.F("값이 %d가지뿐입니다 (%s). 더 없다면 codes로 적을 수 있습니다", "it has only %d values (%s): if there are no others, they can be written as codes", len(values), listed(values))))
		}
	}
}

// totalsDoubt looks for rows that sum up others.
func totalsDoubt(columns []*column, fields map[*column]*field) []Doubt {
	for i, c := range columns {
		if i >= 5 || fields[c] == nil || fields[c].kind != manifest.String {
			continue
		}
		for _, total := range []string{"합계", "총계", "소계", "총합계", "Total", "계"} {
			if n := c.distinct[total]; n > 0 && n*3 < c.filled && (total != "계" || i == 0) {
				return []Doubt{doubt("totals", lang.F("‘%s’ 항목이 %q 값인 행이 %s개 있습니다. 더할 때 두 번 세지 않도록 제외하십시오", "%[3]s rows have %[2]q in %[1]s: leave them out of sums", fields[c].name, total, grouped(n)))}
			}
		}
	}
	return nil
}
