package infer

import "strings"

// The letters of Revised Romanization (문화관광부 고시 제2000-8호), by position in a syllable. Changes of sound between
// syllables are left out: an identifier must be guessable from the writing.
var (
	initials = []string{"g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"}
	vowels   = []string{"a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu", "eu", "ui", "i"}
	finals   = []string{"", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t", "ng", "t", "t", "k", "t", "p", "t"}
)

// romanize writes Hangul syllables in Latin letters; other characters stay.
func romanize(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0xAC00 || r > 0xD7A3 {
			b.WriteRune(r)
			continue
		}
		i := int(r - 0xAC00)
		b.WriteString(initials[i/588])
		b.WriteString(vowels[i%588/28])
		b.WriteString(finals[i%28])
	}
	return b.String()
}
