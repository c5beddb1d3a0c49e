package components

import (
	"context"
	"strconv"
	"strings"

	"github.com/maru-city/maru/manifest"
)

// valueLetters is how much of a value a page shows, in characters.
const valueLetters = 120

// Numeric reports whether values of a type are numbers.
func Numeric(t manifest.Type) bool { return t == manifest.Int || t == manifest.Double }

// FieldValue is a field's value for reading: codes with their names, years without a comma, not more than fits.
func FieldValue(ctx context.Context, f *manifest.Field, x any) string {
	if code, ok := x.(string); ok {
		if name, known := f.Codes.Name(code); known {
			return In(ctx, name) + " (" + code + ")"
		}
	}
	if n, ok := x.(int64); ok && yearly(f) { // 2,026 is no year
		return strconv.FormatInt(n, 10)
	}
	text := []rune(Value(ctx, f.Type, x))
	if len(text) > valueLetters {
		return string(text[:valueLetters]) + "…"
	}
	return string(text)
}

// yearly reports whether a field holds years.
func yearly(f *manifest.Field) bool {
	return strings.HasSuffix(f.Title.Ko, "연도") || strings.HasSuffix(f.Title.Ko, "년도") || f.Name == "year" || strings.HasSuffix(f.Name, "_year")
}
