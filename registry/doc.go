// Package registry keeps the records of datasets: one typed table for each, and what was superseded.
//
// [Registry] implements the catalog's Tables: it makes, alters and drops tables in the same transaction as the revision that
// says so, and tells beforehand how many rows stand against it. Records are read and written with [Registry.Get],
// [Registry.List], [Registry.Create] and their like; every write is one [Change], whose number is the record's version and its ETag.
//
// A record's present state lies in its dataset's table. When it changes or goes, the former state moves to the history, with the
// change that made it and the change that ended it: a first load costs the same with history as without.
//
// Identifiers reach SQL only as names that the manifest has checked, quoted; values only as parameters. Who may read or write is
// not decided here.
package registry
