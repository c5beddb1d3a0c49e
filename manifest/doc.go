// Package manifest is the words a department writes in: flat YAML, one resource a document.
//
// [Parse] reads a folder of files into a [Set] of [Resource] values and says everything that is wrong with them at once:
// file, line, column, the nearest known name, what to do. A kind is one file with a struct (its tags say what its
// fields mean and may hold) and one line in [Kinds]; from these come the reader, the checks and the JSON Schema ([Schema]).
//
// [Type] says what values look like in Go, and reads them from text as offices write them.
//
// The package is pure: it opens no file, and it doesn't look at other documents, at the catalog or at data. Whether a
// reference leads anywhere is for the catalog to say.
package manifest
