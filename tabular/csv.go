package tabular

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/maru-city/maru/engine/lang"
)

// csvSource is a text of delimited records (RFC 4180, forgivingly).
type csvSource struct {
	table     *Table
	in        *io.SectionReader
	encoding  string
	delimiter byte
	usual     int // cells that most records have
}

func openCSV(t *Table, in *io.SectionReader, o Options) (err error) {
	if t.Encoding, err = encodingOf(in, o.Encoding); err != nil {
		return err
	}
	s := &csvSource{table: t, in: in, encoding: t.Encoding}
	if s.delimiter, err = s.detect(); err != nil {
		return err
	}
	t.source, t.Delimiter = s, string(s.delimiter)
	if t.Encoding != "utf-8" {
		t.note("encoding", lang.F("인코딩: %s", "the encoding is %s", strings.ToUpper(t.Encoding)))
	}
	return t.headed(o)
}

// delimiters are tried in this order; the first of the best wins.
var delimiters = []byte{',', '\t', ';', '|'}

// detect finds the delimiter that gives the most records the same number of cells, and more than one.
func (s *csvSource) detect() (byte, error) {
	head := make([]byte, 64<<10)
	n, err := io.ReadFull(decoded(io.NewSectionReader(s.in, 0, s.in.Size()), s.encoding), head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && err != io.EOF {
		return 0, err
	}
	head = head[:n]
	if n == cap(head) { // the last line is cut off
		if i := bytes.LastIndexByte(head, '\n'); i > 0 {
			head = head[:i]
		}
	}
	best, bestScore := delimiters[0], 0.0
	for _, d := range delimiters {
		counts, records := map[int]int{}, 0
		sc := &scanner{in: bufio.NewReaderSize(bytes.NewReader(head), 64<<10), delimiter: d}
		for records < 500 {
			r, err := sc.next()
			if err != nil {
				break
			}
			counts[len(r.cells)]++
			records++
		}
		for cells, n := range counts {
			if cells < 2 {
				continue
			}
			share := float64(n) / float64(records)
			if score := share * share * float64(min(cells, 8)+8); score > bestScore {
				best, bestScore, s.usual = d, score, cells
			}
		}
	}
	return best, nil
}

// rows implements source.
func (s *csvSource) rows(yield func(raw) bool) error {
	count := &counted{in: io.NewSectionReader(s.in, 0, s.in.Size())}
	sc := &scanner{in: bufio.NewReaderSize(decoded(count, s.encoding), 256<<10), delimiter: s.delimiter, usual: s.usual, check: true}
	for {
		r, err := sc.next()
		if err == io.EOF {
			s.table.read.Store(s.in.Size())
			return nil
		}
		if err != nil {
			return err
		}
		s.table.read.Store(count.n - int64(sc.in.Buffered()))
		if !yield(r) {
			return nil
		}
	}
}
