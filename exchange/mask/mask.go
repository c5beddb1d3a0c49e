// Package mask has the ways in which an agreement shows less of a value than there is. A mask is a file with its function and a line in [All].
package mask

import (
	"slices"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// Mask is one way.
type Mask struct {
	Name  string
	About lang.Text
	Of    []manifest.Type // the types it is for
	Gives manifest.Type   // the type of what it gives; "" for the same
	// Apply masks a value that isn't nil. keyed is a hash that nobody outside can compute.
	Apply func(v any, keyed func(text string) (string, error)) (any, error)
}

// All are the masks.
var All = []Mask{month, year, firstLetters, district, thousands, hash, hidden}

// Named finds a mask; false where there is none of the name.
func Named(name string) (Mask, bool) {
	for _, m := range All {
		if m.Name == name {
			return m, true
		}
	}
	return Mask{}, false
}

// Names lists the names of the masks.
func Names() []string {
	out := make([]string, len(All))
	for i, m := range All {
		out[i] = m.Name
	}
	return out
}

// Suits reports whether the mask is for values of a type.
func (m Mask) Suits(t manifest.Type) bool { return slices.Contains(m.Of, t) }

// TypeOf is the type of what the mask gives for values of a type.
func (m Mask) TypeOf(t manifest.Type) manifest.Type {
	if m.Gives == "" {
		return t
	}
	return m.Gives
}

// plain makes a function that needs no key one that could have it.
func plain(do func(v any) any) func(any, func(string) (string, error)) (any, error) {
	return func(v any, _ func(string) (string, error)) (any, error) { return do(v), nil }
}
