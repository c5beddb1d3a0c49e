package search

import (
	"strings"
	"sync"
	"unicode"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
	dictionary "github.com/ikawaha/kagome-dict-ko"
	"github.com/ikawaha/kagome/v2/tokenizer"
	"golang.org/x/text/unicode/norm"
)

// korean takes Korean text apart by a dictionary of mecab-ko's. It takes about a second and 70 MB to load, so it is loaded when somebody first searches, and until then words are found by pairs of syllables.
type korean struct {
	once  sync.Once
	ready chan struct{} // closed when it is loaded
	by    *tokenizer.Tokenizer
}

var dictionaryOnce = &korean{ready: make(chan struct{})}

// load begins to load the dictionary.
func (k *korean) load() {
	k.once.Do(func() {
		go func() {
			if t, err := tokenizer.New(dictionary.DictShrink(), tokenizer.OmitBosEos()); err == nil { // it is compiled in: nothing can be wrong with it
				k.by = t
				close(k.ready)
			}
		}()
	})
}

// loaded is the tokenizer, or nil as long as it isn't there.
func (k *korean) loaded() *tokenizer.Tokenizer {
	select {
	case <-k.ready:
		return k.by
	default:
		return nil
	}
}

// meaning are the parts of speech that say what a text is about: nouns, verbs, adjectives, foreign words.
var meaning = map[string]bool{"NNG": true, "NNP": true, "NNB": true, "NR": true, "VV": true, "VA": true, "XR": true, "SL": true, "SH": true, "SN": true, "MAG": true}

// common are words that so many texts have that they tell nothing.
var common = map[string]bool{"하": true, "되": true, "있": true, "없": true, "받": true, "수": true, "것": true, "때": true, "등": true, "분": true, "the": true, "a": true, "of": true, "for": true, "and": true, "to": true, "in": true, "is": true, "that": true, "who": true}

// runs cuts text into words of one script each, in small letters, composed (NFC).
func runs(text string) (out []string) {
	var b strings.Builder
	last := rune(0)
	flush := func() {
		if b.Len() > 0 {
			out = append(out, b.String())
			b.Reset()
		}
	}
	for _, r := range norm.NFC.String(strings.ToLower(text)) {
		class := rune(0)
		switch {
		case unicode.Is(unicode.Hangul, r):
			class = 'h'
		case unicode.IsLetter(r):
			class = 'l'
		case unicode.IsDigit(r):
			class = 'd'
		}
		if class != last {
			flush()
		}
		if last = class; class != 0 {
			b.WriteRune(r)
		}
	}
	flush()
	return out
}

func isHangul(word string) bool {
	for _, r := range word {
		return unicode.Is(unicode.Hangul, r)
	}
	return false
}

// words are those of a text that tell what it is about: Korean ones by the dictionary t, or as they stand without one; English ones by their stems (Porter).
func words(t *tokenizer.Tokenizer, text string) (out []string) {
	for _, run := range runs(text) {
		switch {
		case !isHangul(run):
			if !common[run] {
				env := snowballstem.NewEnv(run)
				english.Stem(env)
				out = append(out, env.Current())
			}
		case t == nil:
			out = append(out, run)
		default:
			out = append(out, taken(t.Analyze(run, tokenizer.Search), run)...)
		}
	}
	return out
}

// taken are the parts of a word that tell. A word that falls apart into single syllables isn't one that the dictionary knows: 월새 isn't 월 and 새.
func taken(parts []tokenizer.Token, word string) (out []string) {
	long, short := false, 0
	for _, token := range parts {
		pos := token.POS()
		if len(pos) == 0 {
			continue
		}
		first := strings.SplitN(pos[0], "+", 2)[0]
		if one := len([]rune(token.Surface)) == 1; !one && meaning[first] {
			long = true
		} else if one && !strings.ContainsAny(first[:1], "JEXV") {
			short++
		}
		if meaning[first] && !common[token.Surface] {
			out = append(out, token.Surface)
		}
	}
	if short > 1 && !long {
		return []string{word}
	}
	return out
}

// pairs are the pairs of syllables that stand side by side in a text, whatever its spacing; one syllable alone is itself.
func pairs(text string) (out []string) {
	var syllables []rune
	flush := func() {
		for i := range syllables {
			if i > 0 {
				out = append(out, string(syllables[i-1:i+1]))
			}
		}
		if len(syllables) == 1 {
			out = append(out, string(syllables))
		}
		syllables = syllables[:0]
	}
	for _, run := range runs(text) {
		if isHangul(run) {
			syllables = append(syllables, []rune(run)...)
			continue
		}
		flush()
	}
	flush()
	return out
}

// jamo are the letters of Korean text, as they are typed.
func jamo(text string) []rune { return []rune(norm.NFD.String(text)) }

// distance is how many letters have to be put in, left out, changed or exchanged with their neighbour to make one text of the other (optimal string alignment); more than most is most+1.
func distance(a, b []rune, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	before, last, now := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		now[0] = i
		least := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			now[j] = min(last[j]+1, now[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				now[j] = min(now[j], before[j-2]+1)
			}
			least = min(least, now[j])
		}
		if least > most {
			return most + 1
		}
		before, last, now = last, now, before
	}
	return last[len(b)]
}

// The keys of a Korean keyboard (KS X 5002), in the order of Unicode's leading consonants, vowels and trailing consonants.
var (
	leads  = strings.Fields("r R s e E f a q Q t T d w W c z x v g")
	vowels = strings.Fields("k o i O j p u P h hk ho hl y n nj np nl b m ml l")
	tails  = strings.Fields("r R rt s sw sg e f fr fa fq ft fx fv fg a q qt t T d w c z x v g")
)

// typed is what somebody meant who wrote Korean with the keyboard set to English: dnjftp is 월세. ok is false where that makes no syllables.
func typed(keys string) (text string, ok bool) {
	at := func(list []string, s string) int {
		for i, k := range list {
			if k == s {
				return i
			}
		}
		return -1
	}
	longest := func(list []string, s string) (index, size int) {
		for size = min(2, len(s)); size > 0; size-- {
			if i := at(list, s[:size]); i >= 0 {
				return i, size
			}
		}
		return -1, 0
	}
	var b strings.Builder
	for rest := keys; rest != ""; {
		lead := at(leads, rest[:1])
		if lead < 0 || len(rest) < 2 {
			return "", false
		}
		vowel, n := longest(vowels, rest[1:])
		if vowel < 0 {
			return "", false
		}
		rest = rest[1+n:]
		tail := -1
		for size := min(2, len(rest)); size > 0; size-- { // a consonant belongs to what follows where a vowel does
			i := at(tails, rest[:size])
			follows := size < len(rest) && at(leads, rest[size:size+1]) < 0
			if i >= 0 && !follows {
				tail, rest = i, rest[size:]
				break
			}
		}
		b.WriteRune(rune(0xAC00 + (lead*21+vowel)*28 + tail + 1))
	}
	return b.String(), b.Len() > 0
}
