package db

import (
	"context"
	"database/sql"
	"sync"
)

// maxPrepared is how many queries are kept prepared. Each connection has at most so many.
const maxPrepared = 128

// prepared keeps queries prepared that come again and again: SQLite takes longer to understand a small one than to answer it.
type prepared struct {
	mu   sync.Mutex
	by   map[string]*sql.Stmt // by query; nil where it came once
	busy bool                 // one prepares
}

// statement is a query made ready, or nil. A statement has one set of rows at a time: while those may still be read, the query goes unprepared.
func (t *Tx) statement(query string) *sql.Stmt {
	if t.ready == nil || t.open[query] {
		return nil
	}
	t.ready.mu.Lock()
	s := t.ready.by[query]
	t.ready.mu.Unlock()
	if s == nil {
		t.wanted = append(t.wanted, query)
	}
	return s
}

// prepare makes queries ready that came for the second time. Where there is no room, any other gives way: database/sql closes its statements once no connection uses them. An
// error isn't one here: the query goes unprepared, and says itself what is wrong.
func (p *prepared) prepare(ctx context.Context, pool *sql.DB, queries []string) {
	for _, query := range queries {
		p.mu.Lock()
		s, seen := p.by[query]
		if !seen {
			p.room()
			p.by[query] = nil
		}
		mine := seen && s == nil && !p.busy
		p.busy = p.busy || mine
		p.mu.Unlock()
		if !mine {
			continue
		}
		s, err := pool.PrepareContext(ctx, query)
		p.mu.Lock()
		p.busy = false
		if err == nil {
			p.room()
			p.by[query] = s
		}
		p.mu.Unlock()
	}
}

// room makes room for one more.
func (p *prepared) room() {
	for query, s := range p.by {
		if len(p.by) < maxPrepared {
			return
		}
		delete(p.by, query)
		if s != nil {
			_ = s.Close() // it has no rows open that it wouldn't wait for
		}
	}
}
