// Package ledger is an append-only, tamper-evident log of entries (RFC 6962 tree, C2SP checkpoints and tiles).
//
// A [Log] takes entries of two parts: what everyone may see, which is the leaf of the tree, and what only those it is about may see, of which the leaf has
// the SHA-256. [Log.Append] returns when the entry is durable; many appends share a commit. [Log.Prove] proves that an entry is in the log,
// [Log.Consistency] that one state of it grew from another, [Check] verifies both away from it, and [Log.Audit] looks at every byte that is stored.
//
// The package knows no agreement and no person: entries carry numbers of subjects, and which number is whose lies elsewhere.
package ledger
