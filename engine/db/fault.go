package db

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// fault is what a database says is wrong: SQLite's extended code, or PostgreSQL's SQLSTATE.
func fault(err error) (lite int, state string) {
	var l *sqlite.Error
	if errors.As(err, &l) {
		return l.Code(), ""
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return 0, pg.Code
	}
	return 0, ""
}

// Conflict reports whether err says that a row would break a primary key or a unique index.
func Conflict(err error) bool {
	lite, state := fault(err)
	return lite == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || lite == sqlite3.SQLITE_CONSTRAINT_UNIQUE || state == "23505"
}

// full reports whether err says that there is no more room on the database's disk.
func full(err error) bool {
	lite, state := fault(err)
	return lite == sqlite3.SQLITE_FULL || state == "53100"
}
