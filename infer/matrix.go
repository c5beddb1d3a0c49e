package infer

import (
	"math/bits"
	"slices"
)

// Limits of what a draft keeps to try keys on: 64 MB of cells' hashes, and about 40 MB to know rows again.
const (
	maxCells      = 8_000_000
	maxMatrixRows = 1_000_000
)

// matrix is the hashes of the first rows' values, row by row; 0 is an empty cell. Keys and columns of the same meaning
// are tried on it. Rows that are the same in every column stand in it once: an import takes them as one record.
type matrix struct {
	columns, rows int
	limit         int // rows it has room for
	cells         []uint64
	seen          map[uint64]struct{}
	repeated      int  // rows that were the same as one before
	cut           bool // there were more rows than it has room for
}

func newMatrix(columns int) *matrix {
	return &matrix{columns: columns, limit: min(maxCells/max(columns, 1), maxMatrixRows), seen: map[uint64]struct{}{}}
}

// add takes a row's hashes in.
func (m *matrix) add(row []uint64) {
	if m.rows >= m.limit {
		m.cut = true
		return
	}
	h := mixed(row)
	if _, twice := m.seen[h]; twice {
		m.repeated++
		return
	}
	m.seen[h] = struct{}{}
	m.cells = append(m.cells, row...)
	m.rows++
}

func (m *matrix) at(row, column int) uint64 { return m.cells[row*m.columns+column] }

// mixed is one hash of several. Their order counts.
func mixed(row []uint64) (h uint64) {
	for _, v := range row {
		hi, lo := bits.Mul64(h^v^0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9)
		h = hi ^ lo ^ bits.RotateLeft64(v, 17)
	}
	return h
}

// uniqueness is how many rows repeat the values of a set of columns, and how many have one of them empty.
func (m *matrix) uniqueness(columns ...int) (repeats, empty int) {
	keys, row := make([]uint64, 0, m.rows), make([]uint64, len(columns))
	for r := range m.rows {
		hole := false
		for i, c := range columns {
			row[i] = m.at(r, c)
			hole = hole || row[i] == 0
		}
		if hole {
			empty++
			continue
		}
		keys = append(keys, mixed(row))
	}
	slices.Sort(keys)
	for i := 1; i < len(keys); i++ {
		if keys[i] == keys[i-1] {
			repeats++
		}
	}
	return repeats, empty
}

// alike is the share of rows in which two columns say the same, of those (at most 20,000) where one of them says
// something. both is how many rows have both.
func (m *matrix) alike(a, b int) (share float64, both int) {
	same, either := 0, 0
	for r := range min(m.rows, 20_000) {
		x, y := m.at(r, a), m.at(r, b)
		if x != 0 || y != 0 {
			either++
		}
		if x != 0 && y != 0 {
			both++
			if x == y {
				same++
			}
		}
	}
	if either == 0 {
		return 0, 0
	}
	return float64(same) / float64(either), both
}
