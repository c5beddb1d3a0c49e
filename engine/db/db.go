package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Dialect names a database's SQL.
type Dialect string

// The dialects.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	Dialect Dialect
	write   *sql.DB // on SQLite one connection
	read    *sql.DB // on PostgreSQL the same pool
	long    *sql.DB // for reads whose pace others set
	lengthy chan struct{}
	ready   *prepared // of read, on SQLite; pgx keeps its own
}

// How many long reads go on at once, and how long one more waits.
const (
	longReads   = 4
	waitForLong = 10 * time.Second
)

// Open opens the database at an address: postgres://…, or the path of an SQLite file, which is made if it isn't there. It answers once
// the database does.
func Open(ctx context.Context, address string) (*DB, error) {
	var d *DB
	var err error
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		d, err = openPostgres(address)
	} else {
		d, err = openSQLite(strings.TrimPrefix(address, "sqlite://"))
	}
	if err != nil {
		return nil, err
	}
	if err := d.write.PingContext(ctx); err != nil {
		d.Close()
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return d, nil
}

func openPostgres(address string) (*DB, error) {
	pool, err := sql.Open("pgx", address)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	pool.SetMaxOpenConns(24)
	pool.SetMaxIdleConns(12)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return &DB{Dialect: Postgres, write: pool, read: pool, long: pool, lengthy: make(chan struct{}, longReads)}, nil
}

func openSQLite(path string) (*DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the database: %w", err)
	}
	// FULL: what was acknowledged survives a power cut, not only a kill.
	common := "&_pragma=busy_timeout(10000)&_pragma=synchronous(FULL)&_pragma=cache_size(-32768)&_pragma=temp_store(FILE)"
	// What is mapped is mapped again after each commit of another connection, which takes longer than small reads do: only the long ones map.
	mapped := "&_pragma=mmap_size(268435456)"
	name := "file:" + (&url.URL{Path: path}).EscapedPath()
	write, err := sql.Open("sqlite", name+"?_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(67108864)&_pragma=wal_autocheckpoint(8000)&_pragma=foreign_keys(1)"+common)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", name+"?_txlock=deferred&_pragma=query_only(1)"+common)
	if err != nil {
		write.Close()
		return nil, fmt.Errorf("open the database: %w", err)
	}
	readers := max(4, 2*runtime.NumCPU())
	read.SetMaxOpenConns(readers)
	read.SetMaxIdleConns(readers)
	long, err := sql.Open("sqlite", name+"?_txlock=deferred&_pragma=query_only(1)"+common+mapped)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open the database: %w", err), write.Close(), read.Close())
	}
	long.SetMaxOpenConns(longReads)
	long.SetConnMaxIdleTime(time.Minute)
	return &DB{Dialect: SQLite, write: write, read: read, long: long, lengthy: make(chan struct{}, longReads), ready: newPrepared()}, nil
}

// Close closes the database.
func (d *DB) Close() error {
	err := d.write.Close()
	if d.read != d.write {
		err = errors.Join(err, d.read.Close(), d.long.Close())
	}
	return err
}

// Ping reports whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.read.PingContext(ctx) }

// Pool is the pool of connections that may write, for libraries that keep tables of their own (River, goose).
func (d *DB) Pool() *sql.DB { return d.write }

// Write runs fn in a transaction, committed when fn returns nil and otherwise undone.
func (d *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return d.run(ctx, d.write, nil, fn)
}

// Read runs fn in a transaction that sees one state of the database.
func (d *DB) Read(ctx context.Context, fn func(*Tx) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if d.Dialect == Postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	if d.ready == nil {
		return d.run(ctx, d.read, options, fn)
	}
	t := &Tx{dialect: d.Dialect, ready: d.ready}
	err := d.run(ctx, d.read, options, func(tx *Tx) error {
		t.tx = tx.tx
		return fn(t)
	})
	d.ready.prepare(ctx, d.read, t.wanted) // now that no connection is held
	return err
}

// ReadLong is Read for what may take long because somebody else sets the pace, such as a download. Few go on at once, so that they leave
// connections for all others; where none ends within ten seconds it is a problem with code database.busy.
func (d *DB) ReadLong(ctx context.Context, fn func(*Tx) error) error {
	wait, cancel := context.WithTimeout(ctx, waitForLong)
	defer cancel()
	select {
	case d.lengthy <- struct{}{}:
		defer func() { <-d.lengthy }()
	case <-wait.Done():
		if err := ctx.Err(); err != nil {
			return err
		}
		return problem.New("database.busy", 503, lang.T("내려받기가 이미 여럿 진행되고 있습니다", "several downloads are going on already")).
			Hinting(lang.T("잠시 뒤에 다시 시도하십시오", "try again in a moment"))
	}
	options := &sql.TxOptions{ReadOnly: true}
	if d.Dialect == Postgres {
		options.Isolation = sql.LevelRepeatableRead
	}
	return d.run(ctx, d.long, options, fn)
}

func (d *DB) run(ctx context.Context, pool *sql.DB, options *sql.TxOptions, fn func(*Tx) error) (err error) {
	if d.Dialect == SQLite {
		options = nil // read-only is the pool's own; modernc refuses the option
	}
	tx, err := pool.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	done := false
	defer func() {
		if !done { // an error or a panic
			_ = tx.Rollback()
		}
	}()
	if err := fn(&Tx{tx: tx, dialect: d.Dialect}); err != nil {
		if stopped := ctx.Err(); stopped != nil && !errors.Is(err, stopped) {
			return fmt.Errorf("%w: %w", stopped, err) // drivers have names of their own for it
		}
		return roomless(err)
	}
	done = true
	if err := tx.Commit(); err != nil {
		return roomless(fmt.Errorf("commit: %w", err))
	}
	return nil
}

// roomless makes an error that says that the disk is full the problem that it is for everyone.
func roomless(err error) error {
	if !full(err) {
		return err
	}
	return fmt.Errorf("%w: %w", problem.Full(), err)
}

// Tx is a transaction. Queries have ? for parameters.
type Tx struct {
	tx      *sql.Tx
	dialect Dialect
	ready   *prepared
	wanted  map[string]bool      // queries that weren't ready
	open    map[string]bool      // ready queries whose rows may still be read
	here    map[string]*sql.Stmt // ready queries as they are in this transaction
}

// Dialect is the dialect of the transaction's database.
func (t *Tx) Dialect() Dialect { return t.dialect }

// Exec runs a statement and returns how many rows it changed.
func (t *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	r, err := t.tx.ExecContext(ctx, t.dialect.Placeholders(query), args...)
	if err != nil {
		return 0, err
	}
	n, err := r.RowsAffected()
	if err != nil {
		return 0, nil // statements that change no rows have no count
	}
	return n, nil
}

// Query runs a query.
func (t *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := t.statement(ctx, query); s != nil {
		if t.open == nil {
			t.open = map[string]bool{}
		}
		t.open[query] = true
		return s.QueryContext(ctx, args...)
	}
	return t.tx.QueryContext(ctx, t.dialect.Placeholders(query), args...)
}

// QueryRow runs a query for one row, which is to be scanned before the same is asked again.
func (t *Tx) QueryRow(ctx context.Context, query string, args ...any) *sql.Row {
	if s := t.statement(ctx, query); s != nil {
		return s.QueryRowContext(ctx, args...)
	}
	return t.tx.QueryRowContext(ctx, t.dialect.Placeholders(query), args...)
}

// Prepare prepares a statement for the length of the transaction.
func (t *Tx) Prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	return t.tx.PrepareContext(ctx, t.dialect.Placeholders(query))
}

// Lock waits until no other transaction holds the lock of that name, and holds it until the end of this one. On SQLite the writer
// is alone anyway.
func (t *Tx) Lock(ctx context.Context, name string) error {
	if t.dialect == SQLite {
		return nil
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	_, err := t.Exec(ctx, "SELECT pg_advisory_xact_lock(?)", int64(h.Sum64()))
	return err
}

// Placeholders turns ? into the dialect's own form, leaving quoted text alone.
func (d Dialect) Placeholders(query string) string {
	if d != Postgres || !strings.Contains(query, "?") {
		return query
	}
	var b strings.Builder
	b.Grow(len(query) + 16)
	n, quote := 0, byte(0)
	for i := 0; i < len(query); i++ {
		c := query[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '?':
			n++
			fmt.Fprintf(&b, "$%d", n)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// Quote writes a name as an SQL identifier. Callers check names before; quoting is the second wall.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// Quotes writes names as a list of SQL identifiers.
func Quotes(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = Quote(n)
	}
	return strings.Join(out, ", ")
}

// Marks is a list of n placeholders: "?, ?, ?".
func Marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

// NoRows reports whether err says that a query for one row found none.
func NoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Lease gives holder a lease until a time, where nobody else has it: the only row (one, holder, until) of a table. It reports whether holder has it now.
func (tx *Tx) Lease(ctx context.Context, table, holder string, now, until time.Time) (bool, error) {
	const layout = "2006-01-02T15:04:05.000Z"
	n, err := tx.Exec(ctx, "INSERT INTO "+table+" (one, holder, until) VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE "+
		table+".holder = excluded.holder OR "+table+".until < ?", holder, until.UTC().Format(layout), now.UTC().Format(layout))
	return n == 1, err
}
