package dbtest

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
)

// Gate lets TCP connections through to a PostgreSQL server that listens on a socket, so that it looks like another machine's; and it can be shut.
type Gate struct {
	Address string // of the database through the gate: postgres://postgres@127.0.0.1:port/name

	socket string
	mu     sync.Mutex
	shut   bool
	open   map[net.Conn]bool
}

// Through makes a gate to a database that [Postgres] made.
func Through(t testing.TB, address string) *Gate {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	dir := u.Query().Get("host")
	sockets, err := filepath.Glob(filepath.Join(dir, ".s.PGSQL.*[0-9]"))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("sockets in %s: %v %v", dir, sockets, err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &Gate{Address: "postgres://postgres@" + l.Addr().String() + u.Path + "?sslmode=disable", socket: sockets[0], open: map[net.Conn]bool{}}
	t.Cleanup(func() { l.Close(); g.Shut() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go g.pass(c)
		}
	}()
	return g
}

// Shut cuts what goes through, and lets nothing more through until it is opened.
func (g *Gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	for c := range g.open {
		c.Close()
	}
}

// Open opens a gate that was shut.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = false
}

func (g *Gate) pass(c net.Conn) {
	defer c.Close()
	server, err := net.Dial("unix", g.socket)
	if err != nil {
		return
	}
	defer server.Close()
	g.mu.Lock()
	if g.shut {
		g.mu.Unlock()
		return
	}
	g.open[c] = true
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		delete(g.open, c)
		g.mu.Unlock()
	}()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{c, server}, {server, c}} {
		go func() {
			_, _ = io.Copy(way[0], way[1]) // it ends when either side does
			done <- struct{}{}
		}()
	}
	<-done
}
