package mask

import (
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// firstLetters shows the first letter of each word: 김** for 김하늘, J*** D** for John Doe.
var firstLetters = Mask{
	Name: "first-letters", About: lang.T("첫 글자만", "the first letters only"), Of: []manifest.Type{manifest.String},
	Apply: plain(func(v any) any {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		words := strings.Fields(s)
		for i, w := range words {
			letters := []rune(w)
			words[i] = string(letters[0]) + strings.Repeat("*", min(len(letters)-1, 3))
		}
		return strings.Join(words, " ")
	}),
}
