package ledger

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Proof is all that is needed to check, away from the log, that an entry is in it and says what it says.
type Proof struct {
	N          int64           `json:"n" doc:"The entry's number"`
	Entry      json.RawMessage `json:"entry" doc:"The leaf, to the byte"`
	Private    json.RawMessage `json:"private,omitempty" doc:"Its private part, to the byte"`
	Blocks     []string        `json:"blocks,omitempty" doc:"Of an entry about many: the hash of each block of its subjects"`
	Inclusion  []tlog.Hash     `json:"inclusion" doc:"RFC 6962 audit path, from the leaf up"`
	Checkpoint string          `json:"checkpoint" doc:"A signed note (C2SP tlog-checkpoint)"`
}

// Stored is an entry as it is kept.
type Stored struct {
	N       int64
	Body    json.RawMessage
	Private json.RawMessage
	Subject int64
}

// Public is what everyone may see of an entry.
func (s Stored) Public() (json.RawMessage, error) {
	var l leaf
	err := json.Unmarshal(s.Body, &l)
	return l.Public, err
}

func noEntry(n int64) error {
	return problem.New("ledger.unknown", 404, lang.F("없는 열람 기록입니다: %v", "there is no receipt %v", n))
}

// Entry reads an entry.
func (l *Log) Entry(ctx context.Context, n int64) (s Stored, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		s, err = entry(ctx, tx, n)
		return err
	})
	return s, err
}

func entry(ctx context.Context, tx *db.Tx, n int64) (s Stored, err error) {
	var body, private string
	err = tx.QueryRow(ctx, "SELECT n, body, private, subject FROM log_entry WHERE n = ?", n).Scan(&s.N, &body, &private, &s.Subject)
	if db.NoRows(err) {
		return s, noEntry(n)
	}
	if err != nil {
		return s, fmt.Errorf("read entry %d of the log: %w", n, err)
	}
	s.Body, s.Private = json.RawMessage(body), json.RawMessage(private)
	return s, nil
}

// Prove proves that an entry is in the log as it is now.
func (l *Log) Prove(ctx context.Context, n int64) (p Proof, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		s, err := entry(ctx, tx, n)
		if err != nil {
			return err
		}
		h, err := head(ctx, tx)
		if err != nil {
			return err
		}
		p = Proof{N: n, Entry: s.Body, Private: s.Private, Checkpoint: h.Checkpoint}
		all, err := readBlocks(ctx, tx, n)
		if err != nil {
			return err
		}
		for _, hash := range hashesOf(all) {
			p.Blocks = append(p.Blocks, tlog.Hash(hash).String())
		}
		path, err := tlog.ProveRecord(h.Size, n, &stored{ctx, tx, map[tileKey][]tlog.Hash{}})
		p.Inclusion = path
		return err
	})
	return p, err
}

func readBlocks(ctx context.Context, tx *db.Tx, n int64) (out []block, err error) {
	rows, err := tx.Query(ctx, "SELECT block, bits, salt FROM log_subjects WHERE n = ? ORDER BY block", n)
	if err != nil {
		return nil, fmt.Errorf("read the subjects of entry %d: %w", n, err)
	}
	defer rows.Close()
	for rows.Next() {
		var b block
		if err := rows.Scan(&b.n, &b.bits, &b.salt); err != nil {
			return nil, fmt.Errorf("read the subjects of entry %d: %w", n, err)
		}
		out = append(out, b)
	}
	return out, rows.Err()
}

// Consistency proves that the log of size to grew from the one of size from (RFC 6962, 2.1.2).
func (l *Log) Consistency(ctx context.Context, from, to int64) (p tlog.TreeProof, err error) {
	err = l.db.Read(ctx, func(tx *db.Tx) error {
		p, err = tlog.ProveTree(to, from, &stored{ctx, tx, map[tileKey][]tlog.Hash{}})
		return err
	})
	return p, err
}

// Tree is what a checkpoint says.
type Tree struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// ReadCheckpoint checks the signature of a checkpoint by a verifier's line and reads it.
func ReadCheckpoint(checkpoint, verifier string) (t Tree, err error) {
	v, err := note.NewVerifier(strings.TrimSpace(verifier))
	if err != nil {
		return t, fmt.Errorf("the verifier's key: %w", err)
	}
	n, err := note.Open([]byte(checkpoint), note.VerifierList(v))
	if err != nil {
		return t, err
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 4 || lines[0] != v.Name() {
		return t, fmt.Errorf("the checkpoint is of the log %q, not of %q", lines[0], v.Name())
	}
	t.Origin = lines[0]
	if _, err := fmt.Sscanf(lines[1], "%d", &t.Size); err != nil || fmt.Sprint(t.Size) != lines[1] {
		return t, fmt.Errorf("the checkpoint's size %q is no number", lines[1])
	}
	t.Root, err = tlog.ParseHash(lines[2])
	return t, err
}

// Check verifies a proof: the checkpoint's signature, that the entry is in its tree, and that the private part is the one the entry was made with.
func Check(p Proof, verifier string) (Tree, error) {
	t, err := ReadCheckpoint(p.Checkpoint, verifier)
	if err != nil {
		return t, err
	}
	if p.Entry, err = asStored(p.Entry); err != nil {
		return t, fmt.Errorf("entry %d: %w", p.N, err)
	}
	if err := tlog.CheckRecord(p.Inclusion, t.Size, t.Root, p.N, tlog.RecordHash(p.Entry)); err != nil {
		return t, fmt.Errorf("entry %d isn't in the log of the checkpoint: %w", p.N, err)
	}
	if p.Private == nil {
		return t, nil
	}
	var l leaf
	if err := json.Unmarshal(p.Entry, &l); err != nil {
		return t, fmt.Errorf("entry %d: %w", p.N, err)
	}
	hashes := make([][32]byte, len(p.Blocks))
	for i, text := range p.Blocks {
		h, err := tlog.ParseHash(text)
		if err != nil {
			return t, fmt.Errorf("entry %d: %w", p.N, err)
		}
		hashes[i] = h
	}
	private, err := asStored(p.Private)
	if err != nil {
		return t, fmt.Errorf("entry %d: %w", p.N, err)
	}
	if commitment(private, hashes) != l.Commitment {
		return t, fmt.Errorf("the private part isn't the one that entry %d was made with", p.N)
	}
	return t, nil
}

// asStored is JSON as the log keeps it: whoever made it easier to read by spaces changed nothing.
func asStored(text json.RawMessage) (json.RawMessage, error) {
	var b bytes.Buffer
	err := json.Compact(&b, text)
	return b.Bytes(), err
}
