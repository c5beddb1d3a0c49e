package infer

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/maru-city/maru/manifest"
)

// identifier makes an English identifier of a header: its words from the dictionary, the longest first, and what no
// word is in Latin letters. It is empty for a header without letters and digits.
func identifier(header string) string {
	h := norm.NFC.String(strings.TrimSpace(header))
	if inside := latinInside.FindStringSubmatch(h); inside != nil && !hangul.MatchString(inside[1]) && hangul.MatchString(h) {
		h = inside[1] // 사건번호(ACCIDENT_NO) names itself
	}
	whole := withoutUnit(h)
	if fold(whole) == "" {
		whole = h
	}
	if !hangul.MatchString(whole) {
		return legal(snake(whole))
	}
	whole = hourOf.ReplaceAllString(whole, " hour_${1} ")
	whole = yearOfHeader.ReplaceAllString(whole, " year_${1} ")
	var parts []string
	for _, part := range strings.FieldsFunc(whole, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' }) {
		parts = append(parts, segments(part)...)
	}
	return legal(snake(strings.Join(parts, "_")))
}

var (
	latinInside  = regexp.MustCompile(`[(\[]([A-Za-z][A-Za-z0-9_]{5,})[)\]]`)
	hangul       = regexp.MustCompile(`[가-힣]`)
	hourOf       = regexp.MustCompile(`0?([0-9]{1,2})시대?`)
	yearOfHeader = regexp.MustCompile(`([0-9]{4})년도?`)
	notWord      = regexp.MustCompile(`[^a-z0-9]+`)
	camel        = regexp.MustCompile(`([a-z0-9])([A-Z])`)
)

// segments cuts a Korean compound into English words. What the dictionary lacks is romanised as one word.
func segments(s string) (out []string) {
	unknown := ""
	flush := func() {
		if unknown != "" {
			out, unknown = append(out, romanize(unknown)), ""
		}
	}
	for s != "" {
		word, english := longestWord(s)
		if word == "" {
			_, size := utf8.DecodeRuneInString(s)
			unknown, s = unknown+s[:size], s[size:]
			continue
		}
		flush()
		if english != "" {
			out = append(out, english)
		}
		s = s[len(word):]
	}
	flush()
	return out
}

// spelt reports whether a header's identifier has words that are only spelt as they sound.
func spelt(header string) bool {
	for s := withoutUnit(norm.NFC.String(header)); s != ""; {
		word, _ := longestWord(s)
		if word == "" {
			r, size := utf8.DecodeRuneInString(s)
			if r >= 0xAC00 && r <= 0xD7A3 {
				return latinInside.FindStringSubmatch(header) == nil
			}
			word = s[:size]
		}
		s = s[len(word):]
	}
	return false
}

// longestWord is the longest word of the dictionary that s begins with. Words of one syllable count only at the end, or
// before another known word: inside an unknown word they mean nothing.
func longestWord(s string) (word, english string) {
	for end := min(len(s), longestEntry); end > 0; end-- {
		if end < len(s) && !utf8.RuneStart(s[end]) {
			continue
		}
		if english, ok := words[s[:end]]; ok {
			return s[:end], english
		}
	}
	return "", ""
}

// snake writes a Latin name in small letters with underscores: adminCode and ADMIN CODE are admin_code.
func snake(s string) string {
	s = camel.ReplaceAllString(romanize(s), "${1}_${2}")
	return strings.Trim(notWord.ReplaceAllString(strings.ToLower(s), "_"), "_")
}

// legal makes an identifier that [manifest.ValidField] accepts.
func legal(s string) string {
	if s == "" {
		return ""
	}
	if s[0] >= '0' && s[0] <= '9' {
		s = "n" + s
	}
	return cut(s)
}

// cut shortens an identifier to the longest allowed, at a word's end where there is one.
func cut(s string) string {
	if len(s) <= manifest.MaxName {
		return s
	}
	s = s[:manifest.MaxName]
	if i := strings.LastIndexByte(s, '_'); i > manifest.MaxName/2 {
		s = s[:i]
	}
	return strings.Trim(s, "_")
}

// numbered makes a name differ from those taken, by a number behind it.
func numbered(name string, taken map[string]bool) string {
	out := name
	for i := 2; taken[out]; i++ {
		end := "_" + strconv.Itoa(i)
		out = strings.TrimRight(name[:min(len(name), manifest.MaxName-len(end))], "_") + end
	}
	taken[out] = true
	return out
}

// resourceName makes a dataset's name of a file's name.
func resourceName(file string) string {
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	base = strings.TrimSuffix(base, path.Ext(base))
	return strings.ReplaceAll(identifier(base), "_", "-")
}
