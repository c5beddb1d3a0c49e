package search

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/blevesearch/bleve/v2"
	"github.com/blevesearch/bleve/v2/analysis/analyzer/custom"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/whitespace"
	"github.com/blevesearch/bleve/v2/mapping"
	"github.com/blevesearch/bleve/v2/search/query"
	"github.com/ikawaha/kagome/v2/tokenizer"
)

// MaxQuery is how long a query may be, in characters: what stands behind is left out.
const MaxQuery = 100

// maxWords is how many words of a query count.
const maxWords = 12

// Document is something that can be found.
type Document struct {
	ID     string
	Titles []string // what it is called, in all languages
	Texts  []string // what else it says
}

// Hit is a document that was found.
type Hit struct {
	ID    string
	Score float64
}

// Found is what came of a search.
type Found struct {
	Hits []Hit
	// Instead is what was searched for where nothing was found for what was written: a slip of the pen was taken back.
	Instead string
}

// Index finds documents. It is immutable to its users and safe for concurrent use: once the dictionary is loaded it is made anew by itself.
type Index struct {
	documents []Document

	mu   sync.Mutex
	made *made
}

// made is an index as it was made with the dictionary, or without. It isn't changed any more.
type made struct {
	by     *tokenizer.Tokenizer
	index  bleve.Index       // in memory: it goes when nobody uses it any more
	vocab  map[string][]rune // words and whole titles, with their letters
	known  []string          // the same, sorted
	titles []string          // whole ones, in Korean
}

// The fields of a document in the index.
const (
	titleWords = "title"
	textWords  = "text"
	titlePairs = "pairs"
)

// New makes an index of documents, in memory.
func New(documents []Document) *Index { return &Index{documents: documents} }

// plain is the analysis of what has been taken apart already.
const plain = "plain"

func newMapping() (*mapping.IndexMappingImpl, error) {
	m := bleve.NewIndexMapping()
	if err := m.AddCustomAnalyzer(plain, map[string]any{"type": custom.Name, "tokenizer": whitespace.Name}); err != nil {
		return nil, err
	}
	m.DefaultAnalyzer = plain
	m.ScoringModel = "bm25"
	return m, nil
}

// ready is the index, made anew once the dictionary is there.
func (x *Index) ready() (*made, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := dictionaryOnce.loaded()
	if x.made != nil && t == x.made.by {
		return x.made, nil
	}
	m, err := newMapping()
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	index, err := bleve.NewMemOnly(m)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	batch, vocab := index.NewBatch(), map[string][]rune{}
	var titles []string
	for _, d := range x.documents {
		var title, text, two []string
		for _, one := range d.Titles {
			title = append(title, words(t, one)...)
			two = append(two, pairs(one)...)
			if whole := strings.Join(runs(one), ""); isHangul(whole) {
				vocab[whole], titles = jamo(whole), append(titles, whole)
			}
		}
		for _, one := range d.Texts {
			text = append(text, words(t, one)...)
		}
		for _, w := range append(slices.Clone(title), text...) {
			vocab[w] = jamo(w)
		}
		if err := batch.Index(d.ID, map[string]any{titleWords: strings.Join(title, " "), textWords: strings.Join(text, " "), titlePairs: strings.Join(two, " ")}); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
	}
	if err := index.Batch(batch); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	x.made = &made{t, index, vocab, slices.Sorted(maps.Keys(vocab)), titles}
	return x.made, nil
}

// Search finds at most so many documents, the best first. What is written matters little in its spacing and its endings; where nothing is found, slips of the pen and a keyboard that was set to English are taken back.
func (x *Index) Search(text string, limit int) (Found, error) {
	dictionaryOnce.load()
	if r := []rune(text); len(r) > MaxQuery {
		text = string(r[:MaxQuery])
	}
	m, err := x.ready()
	if err != nil {
		return Found{}, err
	}
	var hits []Hit
	meant, changed := m.title(text)
	if !changed {
		if hits, err = m.find(text, limit); err != nil || len(hits) > 0 {
			return Found{Hits: hits}, err
		}
		meant, changed = m.meant(text)
	}
	if !changed {
		return Found{}, nil
	}
	if hits, err = m.find(meant, limit); err != nil || len(hits) == 0 {
		return Found{}, err
	}
	return Found{Hits: hits, Instead: meant}, nil
}

// find asks the index: at least half of the words, or all pairs of syllables of a title.
func (m *made) find(text string, limit int) (out []Hit, err error) {
	ws := words(m.by, text)
	slices.Sort(ws)
	ws = slices.Compact(ws)
	ws = ws[:min(len(ws), maxWords)]
	match := func(word, field string, boost float64) query.Query {
		q := bleve.NewTermQuery(word)
		q.SetField(field)
		q.SetBoost(boost)
		return q
	}
	either := bleve.NewDisjunctionQuery()
	if len(ws) > 0 {
		half := bleve.NewDisjunctionQuery()
		for _, w := range ws {
			half.AddQuery(bleve.NewDisjunctionQuery(match(w, titleWords, 4), match(w, textWords, 1)))
		}
		half.SetMin(float64((len(ws) + 1) / 2))
		either.AddQuery(half)
	}
	if two := pairs(text); len(two) > 0 && len(two) <= 4*maxWords {
		all := bleve.NewConjunctionQuery()
		for _, p := range two {
			all.AddQuery(match(p, titlePairs, 3))
		}
		either.AddQuery(all)
	}
	if len(either.Disjuncts) == 0 {
		return nil, nil
	}
	res, err := m.index.Search(bleve.NewSearchRequestOptions(either, limit, 0, false))
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	for _, h := range res.Hits {
		out = append(out, Hit{h.ID, h.Score})
	}
	slices.SortStableFunc(out, func(a, b Hit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID))
	})
	return out, nil
}

// title is the whole title that a text is meant to be, but for a slip or two. A text that is a part of a title is none: who looks for 자전거 대여 has found 자전거 대여소.
func (m *made) title(text string) (string, bool) {
	whole := strings.Join(runs(text), "")
	if _, known := m.vocab[whole]; known || !isHangul(whole) || slices.ContainsFunc(m.titles, func(title string) bool { return strings.Contains(title, whole) }) {
		return "", false
	}
	letters := jamo(whole)
	best, least := "", 1+allowed(len(letters))
	for _, title := range m.titles {
		if d := distance(letters, m.vocab[title], allowed(len(letters))); d < least {
			best, least = title, d
		}
	}
	return best, best != ""
}

// meant puts words that are in no document right.
func (m *made) meant(text string) (string, bool) {
	var out []string
	changed := false
	for _, run := range strings.Fields(text) {
		word := strings.Join(runs(run), "")
		if word == "" {
			continue
		}
		if near := m.nearest(run, word); near != "" && near != word {
			changed = true
			word = near
		}
		out = append(out, word)
	}
	return strings.Join(out, " "), changed
}

// nearest is the word of the documents that a word is most like, "" where none is like it.
func (m *made) nearest(written, word string) string {
	if text, ok := typed(written); ok {
		for _, w := range words(m.by, text) {
			if _, known := m.vocab[w]; known {
				return text
			}
		}
	}
	letters := jamo(word)
	best, least := "", 1+allowed(len(letters))
	for _, known := range m.known {
		to := m.vocab[known]
		compare, n := letters, len([]rune(known))
		if n < 2 || isHangul(known) != isHangul(word) {
			continue
		}
		if isHangul(known) && len([]rune(word)) > n { // a particle hangs on behind
			compare = jamo(string([]rune(word)[:n]))
		}
		if d := distance(compare, to, allowed(min(len(compare), len(to)))); d <= allowed(min(len(compare), len(to))) && d < least {
			best, least = known, d
		}
	}
	return best
}

// allowed is how many slips are taken back in so many letters.
func allowed(letters int) int {
	switch {
	case letters < 4:
		return 0
	case letters < 10:
		return 1
	}
	return 2
}
