package registry

import (
	"strings"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/manifest"
)

func TestAValueIsHeldAgainstItsField(t *testing.T) {
	low, high := 0.0, 10.0
	text := manifest.Field{Name: "f", Type: manifest.String}
	number := manifest.Field{Name: "f", Type: manifest.Int, Min: &low, Max: &high}
	cases := []struct {
		name  string
		field catalog.Field
		value any
		code  string
	}{
		{"empty where it may be", catalog.Field{Field: text}, nil, ""},
		{"empty where it may not", catalog.Field{Field: manifest.Field{Name: "f", Type: manifest.String, Required: true}}, nil, "record.required"},
		{"length counts characters, not bytes", catalog.Field{Field: manifest.Field{Name: "f", Type: manifest.String, Length: 3}}, "도서관", ""},
		{"too long", catalog.Field{Field: manifest.Field{Name: "f", Type: manifest.String, Length: 3}}, strings.Repeat("가", 4), "record.length"},
		{"a pattern is for the whole value", catalog.Field{Field: text, Patterns: []string{"[0-9]{5}"}}, "123456", "record.pattern"},
		{"an alternative is for the whole value", catalog.Field{Field: text, Patterns: []string{"a|b"}}, "ab", "record.pattern"},
		{"every pattern counts", catalog.Field{Field: text, Patterns: []string{"[0-9]+", "1.*"}}, "23", "record.pattern"},
		{"NUL", catalog.Field{Field: text}, "a\x00", "record.text"},
		{"lowest", catalog.Field{Field: number}, int64(0), ""},
		{"below", catalog.Field{Field: number}, int64(-1), "record.min"},
		{"above", catalog.Field{Field: number}, int64(11), "record.max"},
		{"a code", catalog.Field{Field: manifest.Field{Name: "f", Type: manifest.Int, Codes: manifest.OrderedTexts{{Code: "1"}}}}, int64(1), ""},
		{"no code", catalog.Field{Field: manifest.Field{Name: "f", Type: manifest.String, Codes: manifest.OrderedTexts{{Code: "01"}}}}, "1", "record.code"},
	}
	for _, c := range cases {
		got := ""
		if d := check(&c.field, c.value); d != nil {
			got = d.Code
		}
		if got != c.code {
			t.Errorf("%s: %q, not %q", c.name, got, c.code)
		}
	}
}
