package manifest

import "slices"

// Class says how a field's values must be treated; each includes the duties of those below it.
type Class string

// The classes, from the least to the most protected.
const (
	Public    Class = "public"    // anyone may read it
	Internal  Class = "internal"  // the administration's own
	Personal  Class = "personal"  // about a living person (개인정보보호법 제2조)
	Sensitive Class = "sensitive" // health, belief, disability … (개인정보보호법 제23조)
	Unique    Class = "unique"    // resident, passport, licence numbers (개인정보보호법 제24조)
)

// Classes lists the classes in order of protection.
var Classes = []Class{Public, Internal, Personal, Sensitive, Unique}

// AtLeast reports whether c is as protected as d or more.
func (c Class) AtLeast(d Class) bool { return slices.Index(Classes, c) >= slices.Index(Classes, d) }

// Valid reports whether c is one of [Classes].
func (c Class) Valid() bool { return slices.Contains(Classes, c) }
