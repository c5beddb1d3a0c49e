package dbtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// errAbsent means that no PostgreSQL is installed on this machine.
var errAbsent = errors.New("PostgreSQL isn't installed: no initdb on the PATH or in /usr/lib/postgresql (Debian: apt-get install postgresql)")

// server gives the address of the process's one server; the first call starts it.
var server = sync.OnceValues(func() (string, error) {
	if address := os.Getenv("MARU_TEST_POSTGRES"); address != "" {
		return address, nil
	}
	return start()
})

// Postgres returns the address (postgres://…) of a new, empty database, which is dropped when the test and its cleanups are done.
//
// Where PostgreSQL isn't installed the test is skipped, or fails if MARU_TEST_REQUIRE is set.
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	address, err := server()
	if errors.Is(err, errAbsent) && os.Getenv("MARU_TEST_REQUIRE") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	// Random, since several test processes may share the server of MARU_TEST_POSTGRES.
	name := "maru_test_" + strings.ToLower(rand.Text())
	dsn, err = withDatabase(address, name)
	if err != nil {
		t.Fatal(err)
	}
	quoted := pgx.Identifier{name}.Sanitize()
	if err := execute(address, "CREATE DATABASE "+quoted+" TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// A database with slots of replication stays; one in use ends with its connection.
		err := execute(address, "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active AND database = '"+name+"'")
		for range 50 {
			if err == nil {
				err = execute(address, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '"+name+"'")
			}
			if err == nil {
				break
			}
			time.Sleep(20 * time.Millisecond)
			err = nil
		}
		if err != nil {
			t.Error(err)
		}
		// FORCE: a test that forgot to close a connection, or was right to lose it, must not keep the database.
		if err := execute(address, "DROP DATABASE "+quoted+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return dsn
}

// execute runs one statement on a connection of its own.
func execute(address, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, address)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// withDatabase is the address with another database in it.
func withDatabase(address, name string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return "", errors.New("MARU_TEST_POSTGRES isn't an address of the form postgres://user@host:port/database")
	}
	u.Path = "/" + name
	return u.String(), nil
}
