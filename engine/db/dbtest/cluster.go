package dbtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// startLimit is how long a new cluster may take, on a busy machine, until it answers.
const startLimit = time.Minute

// watch runs the server ("$2" and what follows) and waits for the end of its own standard input, which comes when the test process ends.
// Then it stops the server at once, for its data goes with it ("$1").
const watch = `dir=$1; shift
"$@" </dev/null >>"$dir/log" 2>&1 &
read -r _
kill -QUIT $! 2>/dev/null
wait
rm -rf "$dir"`

// keepOpen are the writing ends of the watches' pipes. They are never closed: the operating system does, when the process ends.
var keepOpen []*os.File

// start makes a cluster, runs its server and returns its address when it answers.
func start() (string, error) {
	bin, err := binaries()
	if err != nil {
		return "", err
	}
	as, err := unprivileged()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "maru-postgres-") // a short path: a socket's may have 107 bytes
	if err != nil {
		return "", fmt.Errorf("make a folder for PostgreSQL: %w", err)
	}
	exited, err := run(bin, dir, as)
	if err == nil {
		address := "postgres://postgres@/postgres?" + url.Values{"host": {dir}}.Encode()
		if err = ready(address, exited); err == nil {
			return address, nil
		}
	}
	log, _ := os.ReadFile(filepath.Join(dir, "log"))
	os.RemoveAll(dir)
	return "", fmt.Errorf("start PostgreSQL: %w\n%s", err, log)
}

// run makes the cluster in dir and starts its server under watch. The channel says when the server has gone.
func run(bin, dir string, as *syscall.Credential) (exited <-chan struct{}, err error) {
	if as != nil {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			return nil, err
		}
	}
	data := filepath.Join(dir, "data")
	environment := []string{"PATH=/usr/bin:/bin", "HOME=" + dir, "LANG=C.UTF-8", "TZ=UTC"}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync",
		"--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=ko-KR")
	initdb.Dir, initdb.Env, initdb.SysProcAttr = dir, environment, &syscall.SysProcAttr{Credential: as}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(out))
	}

	reading, writing, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	keepOpen = append(keepOpen, writing)
	server := exec.Command("/bin/sh", "-c", watch, "watch", dir, filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-h", "",
		"-c", "fsync=off", "-c", "wal_level=logical", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200",
		"-c", "shared_buffers=64MB", "-c", "autovacuum=off", "-c", "logging_collector=off")
	// Setsid: an interrupt from the terminal is for the tests; the watch ends the server after them.
	server.Dir, server.Env, server.SysProcAttr = dir, environment, &syscall.SysProcAttr{Credential: as, Setsid: true}
	server.Stdin = reading
	if err := server.Start(); err != nil {
		return nil, err
	}
	reading.Close()
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = server.Wait() // why is in the log
	}()
	return gone, nil
}

// ready waits until the server answers a query.
func ready(address string, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			defer conn.Close(ctx)
			return conn.Ping(ctx)
		}
		select {
		case <-exited:
			return errors.New("the server ended at once")
		case <-ctx.Done():
			return fmt.Errorf("no answer within %s: %w", startLimit, err)
		case <-time.After(10 * time.Millisecond): // until the next try
		}
	}
}

// binaries is the folder of initdb and postgres: Debian's newest, or that on the PATH.
func binaries() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		return n
	}
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })
		return filepath.Dir(newest), nil
	}
	onPath, err := exec.LookPath("initdb")
	if err != nil {
		return "", errAbsent
	}
	// Distributions link it from the folder where its companions are.
	if real, err := filepath.EvalSymlinks(onPath); err == nil {
		onPath = real
	}
	return filepath.Dir(onPath), nil
}

// unprivileged is who the server runs as: PostgreSQL refuses root. It is nil where the tests themselves don't run as root.
func unprivileged() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return nil, err
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("start PostgreSQL: the tests run as root, and there is no user postgres or nobody for it to run as")
}
