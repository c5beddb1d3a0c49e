// Package catalog is what the city has declared: revisions of manifests, append-only, and the state they add up to.
//
// A [Snapshot] is the state at one revision, immutable and in memory: resources by key, datasets with their fields resolved
// against terms. Everything that runs reads it. [Catalog.Plan] compares a folder with it: what would change, field
// by field, what that means for tables and what is wrong. [Catalog.Apply] makes a plan the next revision, in one
// transaction with the tables it changes, if no other revision came in between.
//
// The catalog knows no records. What a changed dataset does to its table is the registry's, through [Follower].
package catalog
