package db

import (
	"context"
	"database/sql"
	"sync"
)

// maxPrepared is how many queries are kept prepared, and of how many more it is kept that they came once. Each connection has at most so many.
const maxPrepared = 128

// prepared keeps queries prepared that come again and again: SQLite takes longer to understand a small one than to answer it.
type prepared struct {
	mu   sync.Mutex
	by   map[string]*sql.Stmt
	once map[string]bool // those that came once: what comes only once doesn't push others out
	busy bool            // one prepares
}

func newPrepared() *prepared {
	return &prepared{by: map[string]*sql.Stmt{}, once: map[string]bool{}}
}

// statement is a query made ready, or nil. A statement has one set of rows at a time: while those may still be read, the query goes unprepared.
func (t *Tx) statement(ctx context.Context, query string) *sql.Stmt {
	if t.ready == nil || t.open[query] {
		return nil
	}
	if s := t.here[query]; s != nil {
		return s
	}
	t.ready.mu.Lock()
	s := t.ready.by[query]
	t.ready.mu.Unlock()
	if s != nil {
		if t.here == nil {
			t.here = map[string]*sql.Stmt{}
		}
		t.here[query] = t.tx.StmtContext(ctx, s)
		return t.here[query]
	}
	if len(t.wanted) < maxPrepared {
		if t.wanted == nil {
			t.wanted = map[string]bool{}
		}
		t.wanted[query] = true
	}
	return nil
}

// prepare makes queries ready that came for the second time. Where there is no room, any other gives way: database/sql closes its statements once no connection uses them. An
// error isn't one here: the query goes unprepared, and says itself what is wrong.
func (p *prepared) prepare(ctx context.Context, pool *sql.DB, queries map[string]bool) {
	for query := range queries {
		p.mu.Lock()
		_, known := p.by[query]
		mine := !known && p.once[query] && !p.busy
		if !known && !p.once[query] {
			give(p.once)
			p.once[query] = true
		}
		p.busy = p.busy || mine
		p.mu.Unlock()
		if !mine {
			continue
		}
		s, err := pool.PrepareContext(ctx, query)
		p.mu.Lock()
		p.busy = false
		if err == nil {
			delete(p.once, query)
			for _, old := range give(p.by) {
				_ = old.Close() // it has no rows open that it wouldn't wait for
			}
			p.by[query] = s
		}
		p.mu.Unlock()
	}
}

// give takes out of a map what there is no room for beside one more.
func give[V any](m map[string]V) (out []V) {
	for key, v := range m {
		if len(m) < maxPrepared {
			break
		}
		out = append(out, v)
		delete(m, key)
	}
	return out
}
