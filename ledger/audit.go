package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// auditRows is how many entries are in memory at once.
const auditRows = 20_000

// tampered is the problem that the log isn't what it was. n is the first bad entry; -1 where it can't be said.
func tampered(n int64, what lang.Text) *problem.Problem {
	p := problem.New("ledger.tampered", 409, lang.F("열람 기록이 바뀌었습니다: %s", "the log has been changed: %s", what)).
		Hinting(lang.T("이 상태를 보존하고 개인정보 보호책임자에게 알린 뒤 백업과 비교하십시오", "keep it as it is, tell the privacy officer, and compare it with the backup"))
	p.With = map[string]any{"entry": n}
	return p
}

// Audit looks at all that is stored: each entry's private part and subjects against its leaf, each leaf against the tiles, the tiles against the
// checkpoint, and the checkpoint's signature. What was changed is a problem with code ledger.tampered that names the first bad entry. progress is told how
// many entries are behind it.
func (l *Log) Audit(ctx context.Context, progress func(done, of int64)) (Tree, error) {
	var t Tree
	err := l.db.ReadLong(ctx, func(tx *db.Tx) error {
		h, err := head(ctx, tx)
		if err != nil || h.Size == 0 && h.Checkpoint == "" {
			return err
		}
		t, err = l.auditIn(ctx, tx, h, progress)
		return err
	})
	return t, err
}

func (l *Log) auditIn(ctx context.Context, tx *db.Tx, h Head, progress func(done, of int64)) (Tree, error) {
	t, err := ReadCheckpoint(h.Checkpoint, l.key)
	if err != nil {
		return t, tampered(-1, lang.F("체크포인트의 서명이 맞지 않습니다 (%s)", "the signature of the checkpoint isn't right (%s)", err.Error()))
	}
	if t.Size != h.Size {
		return t, tampered(-1, lang.F("체크포인트는 %[1]v건인데 %[2]v건으로 적혀 있습니다", "the checkpoint is of %[1]v entries, it says %[2]v", t.Size, h.Size))
	}
	a := &audit{ctx: ctx, tx: tx, progress: progress, size: t.Size, edge: &frontier{dirty: map[tileKey][]tlog.Hash{}}, tiles: &stored{ctx, tx, map[tileKey][]tlog.Hash{}}}
	if err := a.entries(); err != nil {
		return t, err
	}
	root, err := a.edge.root()
	if err != nil {
		return t, err
	}
	if root != t.Root {
		return t, tampered(-1, lang.T("트리의 루트가 체크포인트와 다릅니다", "the root of the tree isn't the checkpoint's"))
	}
	return t, a.inner()
}

type audit struct {
	ctx      context.Context
	tx       *db.Tx
	progress func(done, of int64)
	size     int64
	edge     *frontier
	tiles    *stored
	inside   []tileKey // tiles above the leaves that were made on the way
	made     [][]tlog.Hash
}

// entries looks at the entries in their order.
func (a *audit) entries() error {
	for next := int64(0); ; {
		batch, err := entries(a.ctx, a.tx, "SELECT n, body, private, subject FROM log_entry WHERE n >= ? ORDER BY n LIMIT ?", next, auditRows)
		if err != nil {
			return err
		}
		about, err := a.blocks(next, next+int64(len(batch)))
		if err != nil {
			return err
		}
		for _, s := range batch {
			if s.N != next {
				return tampered(next, lang.F("%v번 기록이 없습니다", "entry %v is missing", next))
			}
			if next >= a.size {
				return tampered(next, lang.F("%v번 기록은 체크포인트 뒤에 더해졌습니다", "entry %v was put behind the checkpoint", next))
			}
			if err := a.one(s, about[s.N]); err != nil {
				return err
			}
			next++
		}
		if a.progress != nil {
			a.progress(next, a.size)
		}
		if len(batch) < auditRows {
			if next != a.size {
				return tampered(next, lang.F("%v번 기록부터 없습니다", "entries are missing from %v on", next))
			}
			return nil
		}
	}
}

func (a *audit) blocks(from, to int64) (map[int64][]block, error) {
	rows, err := a.tx.Query(a.ctx, "SELECT n, block, bits, salt FROM log_subjects WHERE n >= ? AND n < ? ORDER BY n, block", from, to)
	if err != nil {
		return nil, fmt.Errorf("read the subjects of the log: %w", err)
	}
	defer rows.Close()
	out := map[int64][]block{}
	for rows.Next() {
		var n int64
		var b block
		if err := rows.Scan(&n, &b.n, &b.bits, &b.salt); err != nil {
			return nil, fmt.Errorf("read the subjects of the log: %w", err)
		}
		out[n] = append(out[n], b)
	}
	return out, rows.Err()
}

func (a *audit) one(s Stored, about []block) error {
	hash := tlog.RecordHash(s.Body)
	leaves, err := a.tiles.tile(tileKey{0, s.N >> tileHeight})
	if err != nil {
		return tampered(s.N, lang.F("%v번 기록의 타일이 없습니다", "the tile of entry %v is missing", s.N))
	}
	at := int(s.N & (tileWidth - 1))
	if at >= len(leaves) || leaves[at] != hash {
		return tampered(s.N, lang.F("%v번 기록의 내용이나 그 해시가 다릅니다", "entry %v, or its hash, is another", s.N))
	}
	if at == tileWidth-1 {
		clear(a.tiles.tiles) // it isn't needed again
	}
	var l leaf
	if err := json.Unmarshal(s.Body, &l); err != nil {
		return tampered(s.N, lang.F("%v번 기록을 읽을 수 없습니다", "entry %v can't be read", s.N))
	}
	if commitment(s.Private, hashesOf(about)) != l.Commitment {
		return tampered(s.N, lang.F("%v번 기록의 비공개 부분이나 정보주체가 다릅니다", "the private part of entry %v, or its subjects, are others", s.N))
	}
	if s.Subject != 0 { // the column by which it is found must be what the private part says
		var p struct {
			Subject int64 `json:"subject"`
		}
		if err := json.Unmarshal(s.Private, &p); err != nil || p.Subject != s.Subject {
			return tampered(s.N, lang.F("%v번 기록의 정보주체가 다릅니다", "the subject of entry %v is another", s.N))
		}
	}
	a.edge.add(hash)
	for key, hashes := range a.edge.dirty {
		if key.level > 0 && len(hashes) == tileWidth {
			a.inside, a.made = append(a.inside, key), append(a.made, hashes)
		}
		if len(hashes) == tileWidth {
			delete(a.edge.dirty, key)
		}
	}
	return nil
}

// inner compares the tiles above the leaves with those that are stored.
func (a *audit) inner() error {
	check := func(key tileKey, want []tlog.Hash) error {
		got, err := a.tiles.tile(key)
		if err != nil || len(got) < len(want) {
			return tampered(-1, lang.F("있어야 할 타일이 없습니다: %v/%v", "the tile %v/%v is missing", key.level, key.n))
		}
		for i := range want {
			if got[i] != want[i] {
				return tampered(key.n<<(tileHeight*(key.level+1))+int64(i)<<(tileHeight*key.level), lang.F("내용이 다른 타일입니다: %v/%v", "the tile %v/%v is another", key.level, key.n))
			}
		}
		return nil
	}
	for i, key := range a.inside {
		if err := check(key, a.made[i]); err != nil {
			return err
		}
	}
	for level := 1; level < len(a.edge.last); level++ {
		if len(a.edge.last[level]) == 0 {
			continue
		}
		if err := check(tileKey{int64(level), a.size >> (tileHeight * (level + 1))}, a.edge.last[level]); err != nil {
			return err
		}
	}
	return nil
}
