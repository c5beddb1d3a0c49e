// Package db is the one face of the two databases: SQLite in a file for one machine, PostgreSQL when the city outgrows it.
//
// SQL is plain text with ? for parameters, written once for both; [DB] rewrites the placeholders and, in migrations, the
// two words that differ (an identity column; text that compares by code point). What really differs between the two
// asks [DB.Dialect].
//
// [DB.Write] runs a transaction that may write. On SQLite there is one writer at a time and readers never wait for it
// (WAL); on PostgreSQL they run side by side, and [Tx.Lock] serialises those that must be. [DB.Read] runs a transaction that
// sees one state of the database and can't write.
//
// It knows no table of anyone's, builds no queries and maps no rows to structs.
package db
