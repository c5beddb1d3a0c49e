// Package keys keeps the keys of an installation: for pseudonyms, for values that are stored encrypted, for finding those by equality, for signing
// the log, and for signing the tokens of the embedded identity provider.
//
// A [Ring] lies in a folder, one file a key, made at the first start and readable by the program's user alone. Keysets of tink can be
// encrypted by a master key from a key management service ([Master]); without one they lie in clear. Whoever loses the folder loses what it
// protects, so it belongs into every backup.
//
// Keys for values can be rotated: what was written under an earlier key is still read. The key for pseudonyms can't: all identifiers that projects
// hold would become others.
package keys
