package db

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// Migrate brings a package's tables up to date: the numbered .sql files of goose in files. name keeps the versions of one
// package apart from another's.
//
// The files are written for PostgreSQL with two words that are rewritten: "BIGSERIAL PRIMARY KEY" is SQLite's AUTOINCREMENT
// there, and TEXT compares by code point ("C") on PostgreSQL, as it does on SQLite.
func (d *DB) Migrate(ctx context.Context, name string, files fs.FS) error {
	dialect := database.DialectSQLite3
	if d.Dialect == Postgres {
		dialect = database.DialectPostgres
	}
	store, err := database.NewStore(dialect, "goose_"+name)
	if err != nil {
		return fmt.Errorf("migrations of %s: %w", name, err)
	}
	provider, err := goose.NewProvider("", d.write, dialectFS{files, d.Dialect}, goose.WithStore(store), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrations of %s: %w", name, err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrations of %s: %w", name, err)
	}
	return nil
}

// dialectFS is a file system of migrations whose texts are rewritten for a dialect as they are read.
type dialectFS struct {
	fs.FS
	dialect Dialect
}

var textType = regexp.MustCompile(`\bTEXT\b`)

func (d dialectFS) Open(name string) (fs.File, error) {
	f, err := d.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	body, err := fs.ReadFile(d.FS, name)
	if err != nil {
		return nil, err
	}
	if d.dialect == SQLite {
		body = bytes.ReplaceAll(body, []byte("BIGSERIAL PRIMARY KEY"), []byte("INTEGER PRIMARY KEY AUTOINCREMENT"))
		body = bytes.ReplaceAll(body, []byte("BIGINT PRIMARY KEY"), []byte("INTEGER PRIMARY KEY")) // the row's own number
		body = bytes.ReplaceAll(body, []byte("BYTEA"), []byte("BLOB"))
	} else {
		body = textType.ReplaceAll(body, []byte(`TEXT COLLATE "C"`))
	}
	return &textFile{Reader: bytes.NewReader(body), info: info}, nil
}

type textFile struct {
	*bytes.Reader
	info fs.FileInfo
}

func (t *textFile) Stat() (fs.FileInfo, error) { return t.info, nil }
func (t *textFile) Close() error               { return nil }
