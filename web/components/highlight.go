package components

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/a-h/templ"
)

// piece is a run of a manifest's text with the class it is shown in.
type piece struct{ class, text string }

// yamlParts tells the parts of a line of YAML apart, well enough to read by: comment, key, text in quotes, number or word of the language.
var yamlParts = regexp.MustCompile(`(?m)(?P<comment>(?:^|\s)#.*$)|(?P<key>^\s*(?:- )?[A-Za-z_가-힣][^:#{}\[\],"'\n]*:(?:\s|$)|[A-Za-z_][A-Za-z0-9_]*:\s)|(?P<string>"(?:[^"\\\n]|\\.)*"|'[^'\n]*')|(?P<number>\b-?\d[\d_]*(?:\.\d+)?\b|\b(?:true|false|null)\b)|(?P<rule>^---$)`)

// yamlClasses are the classes of yamlParts' groups.
var yamlClasses = []string{"", "y-comment", "y-key", "y-string", "y-number", "y-rule"}

// highlight cuts text into pieces. Put together they are the text again, whatever it holds.
func highlight(text string) []piece {
	var out []piece
	at := 0
	for _, m := range yamlParts.FindAllStringSubmatchIndex(text, -1) {
		if m[0] > at {
			out = append(out, piece{"", text[at:m[0]]})
		}
		class := ""
		for g := 1; g < len(yamlClasses); g++ {
			if m[2*g] >= 0 {
				class = yamlClasses[g]
			}
		}
		out = append(out, piece{class, text[m[0]:m[1]]})
		at = m[1]
	}
	if at < len(text) {
		out = append(out, piece{"", text[at:]})
	}
	return out
}

// listing writes text with its pieces in spans. It is written here and not in a template, for in a <pre> all white space counts.
func listing(id, label, text string) templ.Component {
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		var b strings.Builder
		fmt.Fprintf(&b, `<pre tabindex="0" role="region" aria-label="%s"><code id="%s" lang="ko">`, templ.EscapeString(label), templ.EscapeString(id))
		for _, p := range highlight(text) {
			if p.class == "" {
				b.WriteString(templ.EscapeString(p.text))
				continue
			}
			b.WriteString(`<span class="` + p.class + `">` + templ.EscapeString(p.text) + `</span>`)
		}
		b.WriteString("</code></pre>")
		_, err := io.WriteString(w, b.String())
		return err
	})
}
