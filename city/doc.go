// Package city is the demo city: its manifests, and a generator of made-up people and places.
//
// [Manifests] are agencies, terms, parameters, projects and datasets as a city would write them, in YAML. [People] makes a
// [Population] of any size, and [Population.Datasets] gives the records of every dataset, ready to import.
//
// Nobody here is real. Households come first: their district, size, form and the head's age are drawn after published shares of the
// city (facts/, fitted by TestFit); people follow from households, so that kinship holds: couples, children, lone parents, three
// generations, students and grown-up children who moved out. Work, income, homes and benefits follow from these and from the city's own
// parameters on the as-of day. Resident numbers have 80 added to the month, so no number is or will be anyone's.
//
// The same seed, number of residents and day give the same records, bit for bit on one processor family (the rounding of floating point
// differs between families). People are made 64 households at a time from the seed and the block's number, and are never stored: reading a
// city of millions takes a few megabytes.
//
// Three people are in every city, for the demo ([Population.Demo]): haneul, minjun and sunja.
//
// The package holds no code of the platform and imports nothing of it but manifest, for types.
package city
