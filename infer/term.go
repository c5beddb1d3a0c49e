package infer

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// TermIndex finds standard terms by what a column is called.
type TermIndex interface {
	// Find returns the terms that a header may mean, the surest first, at most limit.
	Find(header string, limit int) []Match
	// Named returns the term of a name, or nil.
	Named(name string) *manifest.Term
}

// Match is a term with how sure it is, from 0 to 1, that a header means it.
type Match struct {
	Name string
	Term *manifest.Term
	Sure float64
}

// How sure the ways of matching are. From [sureEnough] on a draft cites the term by itself.
const (
	sureExact    = 1.0
	sureSynonym  = 0.95
	sureUnit     = 0.92 // the same without a unit or a text in parentheses
	sureStripped = 0.86 // the same without words that only say which (소재지, 전체 …)
	sureSimilar  = 0.78 // at most, for headers that share parts of words
	sureEnough   = 0.8
	worthSaying  = 0.55
)

// Index is a [TermIndex] over terms in memory. It is safe for concurrent use.
type Index struct {
	entries []manifest.Entry
	byName  map[string]int
	exact   map[string][]hit   // folded title, synonym, abbreviation, name
	bare    map[string][]int32 // folded title without words that only say which
	pairs   map[string][]int32 // pair of letters → entries whose title has it
	sizes   []int              // how many pairs a title has
}

type hit struct {
	entry int32
	sure  float64
}

// NewIndex indexes terms. Where two are called the same the earlier one wins: give the city's own before vocabularies'.
func NewIndex(entries []manifest.Entry) *Index {
	x := &Index{
		entries: entries, byName: make(map[string]int, len(entries)), exact: make(map[string][]hit, 3*len(entries)),
		bare: make(map[string][]int32, len(entries)), pairs: map[string][]int32{}, sizes: make([]int, len(entries)),
	}
	for i, e := range entries {
		if _, twice := x.byName[e.Name]; !twice {
			x.byName[e.Name] = i
		}
		at := int32(i)
		x.put(e.Term.Title.Ko, at, sureExact)
		x.put(e.Term.Title.En, at, sureSynonym)
		x.put(e.Name, at, sureSynonym)
		x.put(e.Term.Abbreviation, at, sureSynonym)
		for _, s := range e.Term.Synonyms {
			x.put(s, at, sureSynonym)
		}
		title := fold(e.Term.Title.In(lang.Ko))
		if b := bare(title); b != "" {
			x.bare[b] = append(x.bare[b], at)
		}
		for _, p := range letterPairs(title) {
			if list := x.pairs[p]; len(list) == 0 || list[len(list)-1] != at {
				x.pairs[p] = append(x.pairs[p], at)
				x.sizes[i]++
			}
		}
	}
	return x
}

func (x *Index) put(s string, entry int32, sure float64) {
	if key := fold(s); key != "" {
		x.exact[key] = append(x.exact[key], hit{entry, sure})
	}
}

// Named returns the term of a name, or nil.
func (x *Index) Named(name string) *manifest.Term {
	if i, ok := x.byName[name]; ok {
		return x.entries[i].Term
	}
	return nil
}

// Find returns the terms that a header may mean, the surest first, at most limit.
func (x *Index) Find(header string, limit int) []Match {
	best := map[int32]float64{}
	keep := func(entry int32, sure float64) {
		if sure > best[entry] {
			best[entry] = sure
		}
	}
	forms := headerForms(header)
	for i, form := range forms {
		less := 1.0
		if i > 0 {
			less = sureUnit
		}
		for _, h := range x.exact[form] {
			keep(h.entry, h.sure*less)
		}
		for _, entry := range x.bare[bare(form)] {
			keep(entry, sureStripped)
		}
	}
	if len(forms) > 0 && len(best) < limit {
		x.similar(forms[len(forms)-1], limit, keep)
	}
	order := slices.SortedFunc(maps.Keys(best), func(a, b int32) int {
		return cmp.Or(cmp.Compare(best[b], best[a]), cmp.Compare(a, b))
	})
	out := make([]Match, 0, limit)
	for _, i := range order[:min(limit, len(order))] {
		out = append(out, Match{Name: x.entries[i].Name, Term: x.entries[i].Term, Sure: best[i]})
	}
	return out
}

// similar keeps terms whose titles share pairs of letters with a header (Dice's coefficient). The end of a Korean
// compound is what it is about, so titles that end alike come before others.
func (x *Index) similar(form string, limit int, keep func(int32, float64)) {
	pairs := letterPairs(form)
	common := map[int32]int{}
	for _, p := range slices.Compact(slices.Sorted(slices.Values(pairs))) {
		for _, entry := range x.pairs[p] {
			common[entry]++
		}
	}
	ends := func(entry int32) bool {
		a, b := []rune(form), []rune(fold(x.entries[entry].Term.Title.In(lang.Ko)))
		return len(a) > 1 && len(b) > 1 && a[len(a)-1] == b[len(b)-1]
	}
	scores := make(map[int32]float64, len(common))
	for entry, n := range common {
		if n < 2 {
			continue
		}
		score := sureSimilar * 2 * float64(n) / float64(len(pairs)+x.sizes[entry])
		if !ends(entry) {
			score *= 0.7
		}
		if score >= worthSaying {
			scores[entry] = score
		}
	}
	order := slices.SortedFunc(maps.Keys(scores), func(a, b int32) int { return cmp.Or(cmp.Compare(scores[b], scores[a]), cmp.Compare(a, b)) })
	for _, entry := range order[:min(limit, len(order))] {
		keep(entry, scores[entry])
	}
}

var (
	parentheses = regexp.MustCompile(`[(\[（][^)\]）]*[)\]）]`)
	unitEnd     = regexp.MustCompile(`_(명|건|개|원|천원|백만원|천명당|명당|%|퍼센트|㎡|m2|km|대|호|회|세대|가구|권|점|석)$`)
	saysWhich   = regexp.MustCompile(`^(?:소재지|wgs84)|정보$`)
	wholeOf     = regexp.MustCompile(`전체주소$`)
	unitInside  = regexp.MustCompile(`^(?:㎡|m2|m²|m|km|㎞|cm|kg|g|t|톤|ppm|ppb|㎍/㎥|µg/m³|μg/㎥|%|퍼센트|℃|°c|db|lux|분|초|시간|일|년|개월|원|천원|만원|백만원|억원|명|천명|건|개|대|호|회|세대|가구|권|점|석|층|개소|단위.*)$`)
)

// headerForms lists the ways to read a header, the fullest first: as it is, without its unit, and what stands in
// parentheses ("사건번호(ACCIDENT_NO)" is both).
func headerForms(header string) (forms []string) {
	add := func(s string) {
		if f := fold(s); f != "" && !slices.Contains(forms, f) {
			forms = append(forms, f)
		}
	}
	add(header)
	add(unitEnd.ReplaceAllString(header, ""))
	for _, inside := range parentheses.FindAllString(header, 3) {
		if inside = strings.Trim(inside, "()[]（）"); len(inside) > 5 && asciiWord.MatchString(inside) {
			add(inside)
		}
	}
	add(withoutUnit(header))
	return forms
}

// withoutUnit takes a unit off a header, and Latin names in parentheses. Korean in parentheses stays: 주소(구) isn't 주소.
func withoutUnit(header string) string {
	return parentheses.ReplaceAllStringFunc(unitEnd.ReplaceAllString(header, ""), func(inside string) string {
		in := strings.ToLower(strings.Trim(inside, "()[]（） "))
		if unitInside.MatchString(in) || len(in) > 5 && asciiWord.MatchString(in) {
			return ""
		}
		return inside
	})
}

var asciiWord = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_ ]*$`)

// bare is a folded title without words that only say which one.
func bare(folded string) string {
	short := saysWhich.ReplaceAllString(wholeOf.ReplaceAllString(folded, "주소"), "")
	if utf8.RuneCountInString(short) < 2 {
		return folded
	}
	return short
}

// fold is a text as headers compare: NFC, small letters, no spaces and no punctuation.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFC.String(s))
}

// letterPairs are the neighbouring letters of a folded text, its ends marked.
func letterPairs(s string) []string {
	if s == "" || len(s) > 600 {
		return nil
	}
	s = "^" + s + "$"
	var out []string
	for i := range s {
		_, size := utf8.DecodeRuneInString(s[i:])
		if i+size == len(s) {
			break
		}
		_, next := utf8.DecodeRuneInString(s[i+size:])
		out = append(out, s[i:i+size+next])
	}
	return out
}

// fits reports whether a term can hold what a column holds, or says why not.
func (c *column) fits(t *manifest.Term, as typing) (why lang.Text, ok bool) {
	if c.filled == 0 {
		return lang.Text{}, true
	}
	if reason, ok := fitsType(t, as); !ok {
		return reason, false
	}
	if t.Length > 0 && c.longest > t.Length {
		return lang.F("값이 용어의 길이보다 깁니다 (값 %d자, 용어 %d자)", "values have up to %d characters, the term allows %d", c.longest, t.Length), false
	}
	if t.Min != nil && c.low < *t.Min || t.Max != nil && c.high > *t.Max {
		return lang.T("용어가 허용하는 범위를 벗어난 값이 있습니다", "there are values outside the term's range"), false
	}
	var form *regexp.Regexp
	if t.Pattern != "" {
		var err error
		if form, err = regexp.Compile("^(?:" + t.Pattern + ")$"); err != nil {
			return lang.T("용어의 형식을 읽을 수 없습니다", "the term's pattern can't be read"), false
		}
	}
	seen, wrong := 0, 0
	for v, n := range c.distinct {
		if slices.Contains(as.empty, v) {
			continue
		}
		seen += n
		_, coded := t.Codes.Name(v)
		if form != nil && !form.MatchString(v) || len(t.Codes) > 0 && !coded {
			wrong += n
		}
	}
	if wrong > 0 {
		return lang.F("확인한 값 %s개 가운데 %s개가 용어의 형식이나 코드와 다릅니다", "of %s values seen %s don't have the term's form or codes", grouped(seen), grouped(wrong)), false
	}
	return lang.Text{}, true
}

// fitsType reports whether a field of the term's type holds the column's values without loss.
func fitsType(t *manifest.Term, as typing) (lang.Text, bool) {
	wider := map[manifest.Type][]manifest.Type{
		manifest.Int:  {manifest.Double},
		manifest.Bool: {manifest.String},
	}
	if t.Type == as.kind || slices.Contains(wider[as.kind], t.Type) || (t.Type == manifest.String && as.kind != manifest.Geometry && as.kind != manifest.Double) {
		return lang.Text{}, true
	}
	return lang.F("값과 용어의 유형이 다릅니다 (값 %s, 용어 %s)", "the values are %s, the term is %s", string(as.kind), string(t.Type)), false
}

func percent(f float64) string { return fmt.Sprintf("%.0f%%", 100*f) }
