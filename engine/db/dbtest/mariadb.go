package dbtest

import (
	"bytes"
	"database/sql"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver "mysql"
)

var mariaServer = sync.OnceValues(startMariaDB)

// MariaDB returns the address (HOST:PORT) of this process's MariaDB server, whose user root has no password, and a pool of its connections. The test is skipped where
// MARU_TEST_MARIADB isn't set: `make test-engines` installs MariaDB and sets it.
func MariaDB(t testing.TB) (address string, admin *sql.DB) {
	t.Helper()
	if os.Getenv("MARU_TEST_MARIADB") == "" {
		t.Skip("MARU_TEST_MARIADB isn't set; `make test-engines` installs MariaDB and sets it")
	}
	address, err := mariaServer()
	if err != nil {
		t.Fatal(err)
	}
	admin, err = sql.Open("mysql", "root@tcp("+address+")/")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { admin.Close() })
	return address, admin
}

// startMariaDB makes a data folder, runs its server under watch and returns its address when it answers.
func startMariaDB() (address string, err error) {
	as, err := unprivileged()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "maru-mariadb-")
	if err != nil {
		return "", fmt.Errorf("make a folder for MariaDB: %w", err)
	}
	defer func() {
		if err != nil {
			log, _ := os.ReadFile(filepath.Join(dir, "log"))
			os.RemoveAll(dir)
			err = fmt.Errorf("start MariaDB: %w\n%s", err, log)
		}
	}()
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return "", err
		}
	}
	environment := []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=" + dir, "LANG=C.UTF-8", "TZ=UTC"}
	data := filepath.Join(dir, "data")
	install := exec.Command("mariadb-install-db", "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal", "--skip-test-db")
	install.Dir, install.Env, install.SysProcAttr = dir, environment, &syscall.SysProcAttr{Credential: as}
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("mariadb-install-db: %w\n%s", err, bytes.TrimSpace(out))
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	reading, writing, err := os.Pipe()
	if err != nil {
		return "", err
	}
	keepOpen = append(keepOpen, writing)
	server := exec.Command("/bin/sh", "-c", watch, "watch", dir, "mariadbd", "--no-defaults", "--datadir="+data, "--bind-address=127.0.0.1", "--port="+strconv.Itoa(port),
		"--socket="+filepath.Join(dir, "s"), "--pid-file="+filepath.Join(dir, "pid"), "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", "--log-error="+filepath.Join(dir, "log"))
	server.Dir, server.Env, server.SysProcAttr = dir, environment, &syscall.SysProcAttr{Credential: as, Setsid: true}
	server.Stdin = reading
	if err := server.Start(); err != nil {
		return "", err
	}
	reading.Close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = server.Wait() // why is in the log
	}()
	address = "127.0.0.1:" + strconv.Itoa(port)
	db, err := sql.Open("mysql", "root@tcp("+address+")/")
	if err != nil {
		return "", err
	}
	defer db.Close()
	for limit := time.After(startLimit); ; {
		if err = db.Ping(); err == nil {
			return address, nil
		}
		select {
		case <-gone:
			return "", fmt.Errorf("the server ended at once")
		case <-limit:
			return "", fmt.Errorf("no answer within %s: %w", startLimit, err)
		case <-time.After(20 * time.Millisecond): // until the next try
		}
	}
}

// freePort is a port of the loopback that nobody has.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	_, port, _ := strings.Cut(l.Addr().String(), ":")
	return strconv.Atoi(port)
}
