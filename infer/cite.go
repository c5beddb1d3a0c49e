package infer

import (
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// triedTerms is how many terms a header is compared with.
const triedTerms = 8

// cite gives the field the term that its header means, where that is sure and the values agree; else it says which term
// it might be, or why the obvious one can't be.
func (f *field) cite(index TermIndex, p *people, where *places) {
	c := f.column
	if f.title = plain(c.title); f.title == "" {
		f.title = plain(c.header)
	}
	if f.title == "" {
		f.title = "?"
	}
	if index == nil || f.kind == manifest.Geometry {
		return
	}
	var why Doubt
	var perhaps *Match
	for _, m := range f.matches(index, p, where) {
		reason, ok := c.fits(m.Term, f.typing)
		switch {
		case ok && m.Sure >= sureEnough:
			f.take(m)
			return
		case ok && perhaps == nil:
			perhaps = &m
		case !ok && why.Code == "" && m.Sure >= sureEnough:
			why = doubt("no-term", lang.F("쓰지 않은 용어: %s(%s) — %s", "the term %s (%s) isn't cited: %s", m.Name, m.Term.Title, reason))
		}
	}
	f.say(why.some()...)
	if perhaps != nil {
		f.say(doubt("perhaps", lang.F("관련 있어 보이는 용어: %s (%s, 확신도 %.2f)", "perhaps %s (%s, %.2f)", perhaps.Name, perhaps.Term.Title, perhaps.Sure)))
	}
}

// take cites a term. Empty texts and refused values stay as they were found: the term's type reads the same values.
func (f *field) take(m Match) {
	f.term = &m
	if f.kind != m.Term.Type {
		f.kind = m.Term.Type
	}
}

// matches lists the terms the field may be: what its values say it is comes before what its header says. Terms of personal
// data are less likely where the values aren't, and the other way round.
func (f *field) matches(index TermIndex, p *people, where *places) (out []Match) {
	c := f.column
	byValue := ""
	if where != nil {
		byValue = where.term()
		if where.names {
			byValue = "district-name"
		}
	}
	if t := index.Named(byValue); byValue != "" && t != nil {
		sure := 0.9
		if !where.names {
			sure = where.sure
		}
		out = append(out, Match{Name: byValue, Term: t, Sure: sure})
	}
	seen := map[string]bool{byValue: true}
	for _, header := range []string{c.header, c.title} {
		if header == "" {
			continue
		}
		for _, m := range index.Find(header, triedTerms) {
			if !seen[m.Name] {
				seen[m.Name] = true
				out = append(out, m)
			}
		}
	}
	for i := range out {
		if out[i].Name == byValue {
			continue
		}
		personal := p.found[c] != nil
		system := where != nil && !where.names && districtSystem[out[i].Name] != "" && where.system != districtSystem[out[i].Name]
		if system || out[i].Term.Class.AtLeast(manifest.Personal) && !personal {
			out[i].Sure -= 0.3 // it needs a person to say so
		}
	}
	stableBySure(out)
	return out
}

// districtSystem says which code system the city's own terms are of.
var districtSystem = map[string]System{"district": Administration, "district-statistics": Statistics, "institution-code": Institution}

func stableBySure(m []Match) {
	for i := 1; i < len(m); i++ {
		for j := i; j > 0 && m[j].Sure > m[j-1].Sure; j-- {
			m[j], m[j-1] = m[j-1], m[j]
		}
	}
}

// named is the field's name before it is made to differ from others.
func (f *field) named() string {
	if f.term != nil {
		if name := strings.ReplaceAll(f.term.Name, "-", "_"); manifest.ValidField(name) {
			return name
		}
	}
	header := f.column.header
	if strings.HasPrefix(header, "column ") && f.column.title != "" {
		header = f.column.title
	}
	name := identifier(header)
	if !manifest.ValidField(name) {
		return "column"
	}
	if spelt(header) {
		f.say(doubt("name", lang.T("이름에 사전에 없는 말이 있어 소리대로 적었습니다. 뜻이 보이는 이름으로 고치십시오", "a word of its name isn't in the dictionary and was spelt as it sounds: better give it a name that says what it means")))
	}
	return name
}

// classify proposes the class of a field that tells about people, and says how sure and why.
func (f *field) classify(p *people) {
	found := p.found[f.column]
	f.say(f.column.embeddedDoubts(found)...)
	if found == nil {
		return
	}
	f.class = found.class
	code := "personal"
	if found.only {
		code = "personal-joined"
	}
	f.say(doubt(code, lang.F("%s (확신도 %.2f)", "%s (sure %.2f)", found.why, found.sure)))
}
