package service

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/rule"
)

// piece is a part of a reason: a text, or a value that is put in.
type piece struct {
	text   string
	value  *rule.Value
	format string
}

// formats are how values are written into reasons.
var formats = []string{"won", "number", "percent", "date"}

// pieces takes a reason apart: {expression|format} puts a value in, {{ and }} are braces.
func (c *compiler) pieces(env *rule.Env, text, at string) (out []piece) {
	plain := ""
	for text != "" {
		i := strings.IndexAny(text, "{}")
		if i < 0 {
			plain += text
			break
		}
		plain, text = plain+text[:i], text[i:]
		if strings.HasPrefix(text, "{{") || strings.HasPrefix(text, "}}") {
			plain, text = plain+text[:1], text[2:]
			continue
		}
		end := strings.IndexByte(text, '}')
		if text[0] == '}' || end < 0 {
			c.fault("service.reason", at, lang.T("이유의 중괄호가 맞지 않습니다", "the braces of the reason don't match"), lang.T("값은 {식|won}으로, 중괄호 자체는 {{, }}로 쓰십시오", "write a value as {expression|won}, a brace itself as {{ or }}"))
			return nil
		}
		inner := text[1:end]
		text = text[end+1:]
		format := ""
		if bar := strings.LastIndexByte(inner, '|'); bar >= 0 && slices.Contains(formats, strings.TrimSpace(inner[bar+1:])) {
			inner, format = inner[:bar], strings.TrimSpace(inner[bar+1:])
		}
		value, err := env.CompileValue(inner)
		if err != nil {
			c.wrong(at, err)
			continue
		}
		if plain != "" {
			out = append(out, piece{text: plain})
			plain = ""
		}
		out = append(out, piece{value: value, format: format})
	}
	if plain != "" {
		out = append(out, piece{text: plain})
	}
	return out
}

// unknownText stands in a reason for a value that isn't known.
var unknownText = lang.T("아직 모름", "not known yet")

// say writes a reason in one language.
func say(pieces []piece, l lang.Tag, known map[string]any, asOf manifest.Day) string {
	var b strings.Builder
	for _, p := range pieces {
		if p.value == nil {
			b.WriteString(p.text)
			continue
		}
		v, missing, err := p.value.Eval(known, asOf)
		switch {
		case err != nil, len(missing) > 0:
			b.WriteByte(0)
		default:
			b.WriteString(written(v, p.format, l))
		}
	}
	return strings.ReplaceAll(aside.ReplaceAllString(b.String(), ""), "\x00", unknownText.In(l))
}

// aside is what stands in parentheses with a value that isn't known: the reason says the same without it.
var aside = regexp.MustCompile(`\s*\([^()]*\x00[^()]*\)`)

// written writes a value for people.
func written(v any, format string, l lang.Tag) string {
	switch v := v.(type) {
	case int64:
		switch format {
		case "won":
			return lang.F("%d원", "KRW %d", v).In(l)
		case "percent":
			return lang.F("%[1]d%%", "%[1]d%%", v*100).In(l)
		}
		return lang.F("%[1]d", "%[1]d", v).In(l)
	case float64:
		if format == "percent" {
			return strconv.FormatFloat(v*100, 'f', -1, 64) + "%"
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		if v {
			return lang.T("예", "yes").In(l)
		}
		return lang.T("아니요", "no").In(l)
	case string:
		if t, err := manifest.Day(v).Time(); err == nil && format == "date" {
			return t.Format(map[lang.Tag]string{lang.Ko: "2006.01.02.", lang.En: "2 Jan 2006"}[l])
		}
		return v
	}
	return lang.T("없음", "none").In(l)
}
