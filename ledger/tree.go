package ledger

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/maru-city/maru/engine/db"
)

// Tiles are of height 8: a tile of level L has up to 256 hashes of level 8·L of the tree (C2SP tlog-tiles).
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
)

// frontier is the right edge of the tree: for each level of tiles the last tile, which isn't full, and what was completed since it was stored.
type frontier struct {
	size  int64
	last  [][]tlog.Hash // by level of tiles
	dirty map[tileKey][]tlog.Hash
}

type tileKey struct{ level, n int64 }

// add puts a leaf on the right.
func (f *frontier) add(leaf tlog.Hash) {
	f.size++
	f.push(0, leaf)
}

func (f *frontier) push(level int, h tlog.Hash) {
	if level == len(f.last) {
		f.last = append(f.last, nil)
	}
	f.last[level] = append(f.last[level], h)
	key := tileKey{int64(level), f.tiles(level)}
	if len(f.last[level]) < tileWidth {
		f.dirty[key] = f.last[level]
		return
	}
	f.dirty[key] = f.last[level]
	root := fold(f.last[level])
	f.last[level] = nil
	f.push(level+1, root)
}

// tiles is the number of the tile of a level that is being filled.
func (f *frontier) tiles(level int) int64 {
	return (f.size - 1) >> (tileHeight * (level + 1))
}

// fold is the hash of a full subtree whose leaves' hashes are given; their number is a power of two.
func fold(hashes []tlog.Hash) tlog.Hash {
	if len(hashes) == 1 {
		return hashes[0]
	}
	half := len(hashes) / 2
	return tlog.NodeHash(fold(hashes[:half]), fold(hashes[half:]))
}

// root is the hash of the tree.
func (f *frontier) root() (tlog.Hash, error) {
	return tlog.TreeHash(f.size, f)
}

// ReadHashes implements tlog.HashReader for the hashes that the root is made of: all of them lie in the last tiles.
func (f *frontier) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	return readHashes(indexes, func(key tileKey) ([]tlog.Hash, error) {
		if int(key.level) < len(f.last) && key.n == f.size>>(tileHeight*(key.level+1)) {
			return f.last[key.level], nil
		}
		if full, ok := f.dirty[key]; ok {
			return full, nil
		}
		return nil, fmt.Errorf("ledger: the tile %d/%d isn't on the edge", key.level, key.n)
	})
}

// readHashes finds hashes of the tree in tiles.
func readHashes(indexes []int64, tile func(tileKey) ([]tlog.Hash, error)) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		level, n := tlog.SplitStoredHashIndex(index)
		inside := level % tileHeight
		first := n << inside
		hashes, err := tile(tileKey{int64(level / tileHeight), first >> tileHeight})
		if err != nil {
			return nil, err
		}
		from := int(first & (tileWidth - 1))
		to := from + 1<<inside
		if to > len(hashes) {
			return nil, fmt.Errorf("ledger: the tile %d/%d has %d hashes, not %d", level/tileHeight, first>>tileHeight, len(hashes), to)
		}
		out[i] = fold(hashes[from:to])
	}
	return out, nil
}

// stored reads hashes from the tiles in the database.
type stored struct {
	ctx   context.Context
	tx    *db.Tx
	tiles map[tileKey][]tlog.Hash
}

// ReadHashes implements tlog.HashReader.
func (s *stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) { return readHashes(indexes, s.tile) }

func (s *stored) tile(key tileKey) ([]tlog.Hash, error) {
	if known, ok := s.tiles[key]; ok {
		return known, nil
	}
	var raw []byte
	err := s.tx.QueryRow(s.ctx, "SELECT hashes FROM log_tile WHERE level = ? AND n = ?", key.level, key.n).Scan(&raw)
	if err != nil {
		return nil, fmt.Errorf("read the tile %d/%d of the log: %w", key.level, key.n, err)
	}
	hashes, err := unpack(raw)
	if err == nil {
		s.tiles[key] = hashes
	}
	return hashes, err
}

// load reads the right edge of a tree of a size.
func load(ctx context.Context, tx *db.Tx, size int64) (*frontier, error) {
	f := &frontier{size: size, dirty: map[tileKey][]tlog.Hash{}}
	s := &stored{ctx, tx, map[tileKey][]tlog.Hash{}}
	for level := int64(0); size>>(tileHeight*level) > 0; level++ {
		count := size >> (tileHeight * level)
		var last []tlog.Hash
		if width := count & (tileWidth - 1); width > 0 {
			all, err := s.tile(tileKey{level, count >> tileHeight})
			if err != nil {
				return nil, err
			}
			if int64(len(all)) < width {
				return nil, fmt.Errorf("ledger: the last tile of level %d has %d hashes, not %d", level, len(all), width)
			}
			last = append(last, all[:width]...)
		}
		f.last = append(f.last, last)
	}
	return f, nil
}

func pack(hashes []tlog.Hash) []byte {
	out := make([]byte, 0, len(hashes)*tlog.HashSize)
	for i := range hashes {
		out = append(out, hashes[i][:]...)
	}
	return out
}

func unpack(raw []byte) ([]tlog.Hash, error) {
	if len(raw)%tlog.HashSize != 0 {
		return nil, fmt.Errorf("ledger: a tile of %d bytes", len(raw))
	}
	out := make([]tlog.Hash, len(raw)/tlog.HashSize)
	for i := range out {
		copy(out[i][:], raw[i*tlog.HashSize:])
	}
	return out, nil
}
