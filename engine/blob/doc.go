// Package blob keeps files by key: what is too large for the database, such as rows that were rejected or dropped, and uploads.
//
// A [Store] has four methods. A key is a path of lower-case names, `imports/42/rejected.csv`; [ValidKey] says exactly which, so that
// no key leads out of the store on any system. Reading and writing are streams. A file appears under its key whole or not at all, and
// when Put has returned it is there after a power cut too. A file that is being read stays as it is, also when its key gets
// another file or none.
//
// [Folder] is the implementation on a file system. Others pass the same tests: blobtest.Conformance.
//
// It doesn't know who may read what, nor when a file is no longer needed: that is for the packages whose files they are.
package blob
