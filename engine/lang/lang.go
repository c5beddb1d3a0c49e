// Package lang carries the reader's language through the program.
//
// Maru speaks Korean first and English beside it. Every text a person reads is a [Text] with both;
// the edge (a page, problem+json, a line on stderr) picks one with [Text.In]. The language travels
// in the context, set once at the edge by [With] and read by [From].
//
// It does not translate, and it knows no other language: law names and data stay as they are.
package lang

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// Tag is a reader's language: [Ko] or [En]. The zero value is Korean.
type Tag string

// The languages of the platform, as BCP 47 tags.
const (
	Ko Tag = "ko"
	En Tag = "en"
)

// Text is one text in both languages. A text with only one language reads the same in both.
type Text struct {
	Ko string `json:"ko,omitempty" yaml:"ko"`
	En string `json:"en,omitempty" yaml:"en"`
}

// T makes a Text.
func T(ko, en string) Text { return Text{Ko: ko, En: en} }

// F makes a Text by formatting both languages with the same arguments, as fmt.Sprintf does. An
// argument that is a Text is put in in the language of its sentence. Where word order differs, the
// format uses explicit indexes such as %[2]s. An integer given to %d is a count and is written with
// thousands commas; one that only names something, such as a revision or a line, is given to %v.
func F(ko, en string, args ...any) Text {
	return Text{Ko: format(Ko, ko, args), En: format(En, en, args)}
}

func format(t Tag, pattern string, args []any) string {
	in := make([]any, len(args))
	for i, a := range args {
		switch x := a.(type) {
		case Text:
			a = x.In(t)
		case int, int32, int64, uint, uint32, uint64:
			a = count{x}
		}
		in[i] = a
	}
	return fmt.Sprintf(pattern, in...)
}

// count is an integer that %d writes with thousands commas; every other verb writes it as ever.
type count struct{ of any }

func (c count) Format(s fmt.State, verb rune) {
	pattern := fmt.FormatString(s, verb)
	out := fmt.Sprintf(pattern, c.of)
	if pattern == "%d" {
		out = grouped(out)
	}
	_, _ = s.Write([]byte(out))
}

func grouped(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

// In returns the text in the language t, or in the other one when t's is empty.
func (x Text) In(t Tag) string {
	first, second := x.Ko, x.En
	if t == En {
		first, second = second, first
	}
	if first == "" {
		return second
	}
	return first
}

// Empty reports whether there is no text in either language.
func (x Text) Empty() bool { return x.Ko == "" && x.En == "" }

// Parse returns the language a list of preferences asks for: the value of an Accept-Language header
// (RFC 9110, section 12.5.4), of LANG, or a bare tag. What names neither language is Korean.
func Parse(s string) Tag {
	for _, part := range strings.Split(s, ",") {
		part = strings.ToLower(strings.TrimSpace(part))
		switch {
		case strings.HasPrefix(part, "ko"):
			return Ko
		case strings.HasPrefix(part, "en"):
			return En
		}
	}
	return Ko
}

// FromEnv returns the language of the terminal: MARU_LANG, LC_ALL, LC_MESSAGES or LANG, the first
// that is set.
func FromEnv() Tag {
	for _, name := range []string{"MARU_LANG", "LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return Parse(v)
		}
	}
	return Ko
}

type key struct{}

// With returns a context whose reader reads t.
func With(ctx context.Context, t Tag) context.Context { return context.WithValue(ctx, key{}, t) }

// From returns the reader's language, Korean unless set.
func From(ctx context.Context) Tag {
	if t, ok := ctx.Value(key{}).(Tag); ok {
		return t
	}
	return Ko
}
