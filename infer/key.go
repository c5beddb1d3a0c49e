package infer

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// keying is the key of a table, with what is to be said of it.
type keying struct {
	columns []*column
	doubts  []Doubt
}

const (
	maxKeyLength = 100 // characters of a key field's value: longer ones are prose
	pairsFrom    = 12  // columns that are tried in pairs
)

var (
	keyNumber = regexp.MustCompile(`번호|코드|아이디|일련|순번|연번|시리얼|(?:^|_)(?:id|no|code|cd|seq|key|serial|number|num)(?:$|_)|관리번호|키$|(?:id|code|cd|no)$`)
	keyName   = regexp.MustCompile(`명$|명칭|이름|name`)
	keyTime   = regexp.MustCompile(`시점|연도|년도|년월|연월|일자|날짜|일시|시간|기준|date|year|month|ym|time`)
	keyPlace  = regexp.MustCompile(`행정구역|지역|구역|시도|시군구|자치구|측정소|대여소|역명|구분|district|region|station`)
	notKey    = regexp.MustCompile(`위도|경도|좌표|주소|비고|설명|내용|홈페이지|url|이미지|금액|수량|면적|전화|건수|인원|latitude|longitude`)
)

// findKey looks for the fields that identify a row among those kept in the matrix: one column, else two. Whole rows that
// repeat are one record and don't count against a key.
func findKey(columns []*column, fields map[*column]*field, p *people, m *matrix, whole bool) keying {
	if m.rows < 2 {
		return keying{doubts: []Doubt{doubt("key", lang.T("행이 적어 식별 항목을 고를 수 없습니다", "there are too few rows to tell a key"))}}
	}
	candidates := keyCandidates(columns, fields, p)
	near := Doubt{}
	for _, c := range candidates {
		repeats, empty := m.uniqueness(c.at)
		switch {
		case empty > 0:
		case repeats == 0:
			return found(whole, m, c)
		case near.Code == "" && keyRank(c) < 2 && repeats*200 <= m.rows:
			near = doubt("near-key", lang.F("‘%s’ 항목은 %s개 행만 겹칩니다. 그 행들이 잘못된 것이라면 식별 항목으로 쓸 수 있습니다", "%s repeats in only %s rows: it could be the key if those are wrong", fields[c].name, grouped(repeats)))
		}
	}
	if pair := findPair(candidates, m); pair != nil {
		k := found(whole, m, pair...)
		k.doubts = append(k.doubts, near.some()...)
		return k
	}
	return keying{doubts: append(near.some(), doubt("key", lang.T("행을 하나로 구분할 수 있는 항목이 없어 값 전체로 레코드를 구분합니다. 값이 바뀌면 다른 레코드가 됩니다",
		"no field identifies a row, so all values together are the key: a changed value makes another record")))}
}

// ownKey is the key that the table itself says it has.
func ownKey(in Input, columns []*column, fields map[*column]*field) (k keying) {
	for _, name := range in.Key {
		i := slices.IndexFunc(columns, func(c *column) bool { return c.header == name })
		if i < 0 || fields[columns[i]] == nil {
			return keying{}
		}
		k.columns = append(k.columns, columns[i])
	}
	return k
}

func found(whole bool, m *matrix, columns ...*column) keying {
	k := keying{columns: columns}
	if !whole || m.cut {
		k.doubts = []Doubt{doubt("sampled-key", lang.F("읽은 %s개 행에서만 겹치지 않는 것을 확인했습니다", "seen to be unique in the %s rows that were read, not in all", grouped(m.rows)))}
	}
	return k
}

// keyCandidates are the columns that could be in a key, the likeliest first: codes and numbers, then names, then others;
// from left to right. Personal data comes last and only where it is a unique number of a person.
func keyCandidates(columns []*column, fields map[*column]*field, p *people) []*column {
	var out []*column
	for _, c := range columns {
		f := fields[c]
		if f == nil || f.kind == manifest.Double || f.kind == manifest.Geometry || f.kind == manifest.Bool || f.refused > 0 {
			continue
		}
		if c.longest > maxKeyLength || c.shapes[shapeURL]*2 > c.filled || (notKey.MatchString(fold(c.label())) && keyRank(c) > 0) {
			continue
		}
		if found := p.found[c]; found != nil && found.class != manifest.Unique {
			continue
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b *column) int {
		return cmp.Or(cmp.Compare(personalRank(p, a), personalRank(p, b)), cmp.Compare(keyRank(a), keyRank(b)), cmp.Compare(a.at, b.at))
	})
	return out
}

func personalRank(p *people, c *column) int {
	if p.found[c] != nil {
		return 1
	}
	return 0
}

// keyRank orders columns by how likely their header names a key.
func keyRank(c *column) int {
	label := strings.ToLower(snake(c.header) + " " + fold(c.title))
	folded := fold(c.label())
	switch {
	case regexpAny(keyNumber, label, folded) && !strings.Contains(folded, "전화") && !strings.Contains(folded, "우편"):
		return 0
	case keyName.MatchString(folded):
		return 1
	case keyTime.MatchString(folded) || keyPlace.MatchString(folded):
		return 2
	}
	return 3
}

func regexpAny(form *regexp.Regexp, texts ...string) bool {
	return slices.ContainsFunc(texts, form.MatchString)
}

// findPair looks for two of the likeliest columns that together identify a row, times and places before others, or nil.
// Counts and other columns that differ from row to row by chance are not tried: two of them are nearly always unique.
func findPair(candidates []*column, m *matrix) []*column {
	var tried []*column
	for _, c := range candidates {
		if _, empty := m.uniqueness(c.at); empty == 0 && keyRank(c) < 3 && len(tried) < pairsFrom {
			tried = append(tried, c)
		}
	}
	type pair struct{ a, b *column }
	var pairs []pair
	for i, a := range tried {
		for _, b := range tried[i+1:] {
			if a.at > b.at {
				a, b = b, a
			}
			pairs = append(pairs, pair{a, b})
		}
	}
	rank := func(p pair) int {
		if r := keyRank(p.a) + keyRank(p.b); keyTime.MatchString(fold(p.a.label())) != keyTime.MatchString(fold(p.b.label())) {
			return r - 3 // a time and something else is how measurements are told apart
		} else {
			return r
		}
	}
	slices.SortStableFunc(pairs, func(x, y pair) int { return cmp.Compare(rank(x), rank(y)) })
	for _, p := range pairs {
		if repeats, empty := m.uniqueness(p.a.at, p.b.at); repeats == 0 && empty == 0 {
			return []*column{p.a, p.b}
		}
	}
	return nil
}
