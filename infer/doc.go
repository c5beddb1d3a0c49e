// Package infer drafts a Dataset manifest for a real, dirty table.
//
// [From] reads the rows of an [Input] once and looks at every column: the type that [manifest.Type.Parse] reads all its
// values with, how long and how many they are, whether they are personal data, coordinates or codes of a district, and
// which standard term they are. It proposes names, a key, a subject and the way the file is read, so that importing the
// same file with the draft loads every row that is right.
//
// What it isn't sure of it doesn't decide in silence: every [Doubt] is printed as a comment beside what it is about
// ([Draft.YAML]), with numbers a person can check. Values of fields that look personal are never shown.
//
// Terms come from a [TermIndex], which the catalog or a table of the standard feeds ([NewIndex]).
//
// What it holds of a file is bounded, however long the file is: a thousand distinct values a column, counters, and the
// hashes of at most eight million cells, on which keys and columns of the same meaning are tried.
//
// It opens no file and writes none. Constraints that would refuse tomorrow's values (code lists, ranges, "required")
// are never made from today's data.
package infer
