package dbtest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
)

func connect(t *testing.T, dsn string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func TestEachCallHasItsOwnDatabase(t *testing.T) {
	one, two := connect(t, dbtest.Postgres(t)), connect(t, dbtest.Postgres(t))
	if _, err := one.Exec(t.Context(), "CREATE TABLE only_here (n int)"); err != nil {
		t.Fatal(err)
	}
	var seen bool
	if err := two.QueryRow(t.Context(), "SELECT to_regclass('only_here') IS NOT NULL").Scan(&seen); err != nil {
		t.Fatal(err)
	}
	if seen {
		t.Error("a table made in one database is seen in the other")
	}
}

func TestAddressIsOneThatDBOpens(t *testing.T) {
	d, err := db.Open(t.Context(), dbtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Dialect != db.Postgres {
		t.Errorf("opened as %s", d.Dialect)
	}
	if err := d.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestDatabaseGoesWithItsTest(t *testing.T) {
	var dsn string
	t.Run("a test", func(t *testing.T) {
		dsn = dbtest.Postgres(t)
		connect(t, dsn)
	})
	if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
		conn.Close(t.Context())
		t.Error("the database is still there after its test")
	}
}

func TestDatabaseSortsAndFoldsAsAnInstallationDoes(t *testing.T) {
	if os.Getenv("MARU_TEST_POSTGRES") != "" {
		t.Skip("MARU_TEST_POSTGRES: somebody else's server")
	}
	conn := connect(t, dbtest.Postgres(t))
	var encoding, provider, locale string
	err := conn.QueryRow(t.Context(), `SELECT pg_encoding_to_char(encoding), datlocprovider::text, daticulocale
		FROM pg_database WHERE datname = current_database()`).Scan(&encoding, &provider, &locale)
	var failed interface{ SQLState() string }
	if errors.As(err, &failed) && failed.SQLState() == "42703" { // PostgreSQL 17 renamed the column
		err = conn.QueryRow(t.Context(), `SELECT pg_encoding_to_char(encoding), datlocprovider::text, datlocale
			FROM pg_database WHERE datname = current_database()`).Scan(&encoding, &provider, &locale)
	}
	if err != nil {
		t.Fatal(err)
	}
	if encoding != "UTF8" || provider != "i" || locale != "ko-KR" {
		t.Errorf("encoding %s, provider %s, locale %s; want UTF8, i, ko-KR", encoding, provider, locale)
	}
}

// TestServerEndsWithAKilledProcess kills a copy of this test binary in the middle of a test, as an impatient engineer does.
func TestServerEndsWithAKilledProcess(t *testing.T) {
	if os.Getenv("MARU_TEST_POSTGRES") != "" {
		t.Skip("MARU_TEST_POSTGRES: somebody else's server")
	}
	if os.Getenv("DBTEST_HANG") != "" {
		fmt.Println("dsn", dbtest.Postgres(t))
		time.Sleep(time.Minute) // until killed
		return
	}
	dbtest.Postgres(t) // skips where there is none
	victim := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	victim.Env = append(os.Environ(), "DBTEST_HANG=1")
	out, err := victim.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	dsn := ""
	for lines := bufio.NewScanner(out); dsn == "" && lines.Scan(); {
		dsn, _ = strings.CutPrefix(lines.Text(), "dsn ")
		if !strings.HasPrefix(dsn, "postgres://") {
			dsn = ""
		}
	}
	if dsn == "" {
		_ = victim.Wait()
		t.Fatal("the copy of the test didn't get its database")
	}
	connect(t, dsn).Close(t.Context())
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // it was killed

	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	dir := u.Query().Get("host")
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			break // the watch removes it last, when the server has ended
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there 20 s after its test was killed", dir)
		}
	}
	if conn, err := pgx.Connect(t.Context(), dsn); err == nil {
		conn.Close(t.Context())
		t.Error("the server still answers after its test was killed")
	}
}
