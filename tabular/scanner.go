package tabular

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/maru-city/maru/engine/lang"
)

// scanner splits a text into records.
type scanner struct {
	in        *bufio.Reader
	delimiter byte
	usual     int  // cells that most records have; 0: not known
	check     bool // characters that the encoding doesn't have are faults

	line  int     // lines read so far
	queue []given // lines that were read and given back
	plain int     // of how many of them quotes open nothing over lines: they did, and nothing closed them
	long  []byte  // a line longer than the reader's buffer
	cells []string
}

// given is a line that was given back.
type given struct {
	text []byte
	over bool
}

// Faults of records.
var (
	tooLong  = lang.F("한 행이 %d MB를 넘습니다", "the row is longer than %d MB", MaxRecord>>20)
	unclosed = lang.T("따옴표가 닫히지 않았습니다", "a quote isn't closed")
	unknown  = lang.T("인코딩에 없는 문자가 있습니다", "it has characters that aren't of the encoding")
)

// maxQuotedLines is over how many lines a quoted cell may go.
const maxQuotedLines = 10_000

// next reads a record; blank lines are none.
func (s *scanner) next() (raw, error) {
	for {
		text, over, err := s.readLine()
		if err != nil {
			return raw{}, err
		}
		at := s.line
		if over {
			return raw{line: at, fault: tooLong}, nil
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if bytes.IndexByte(text, '"') < 0 {
			return s.finish(at, s.split(string(text))), nil
		}
		return s.quoted(at, text)
	}
}

func (s *scanner) finish(line int, cells []string) raw {
	r := raw{line: line, cells: cells}
	if s.check {
		for _, c := range cells {
			if strings.Contains(c, "\ufffd") || !utf8.ValidString(c) {
				r.fault = unknown
			}
		}
	}
	return r
}

// split splits a line without quotes.
func (s *scanner) split(text string) []string {
	s.cells = s.cells[:0]
	for {
		i := strings.IndexByte(text, s.delimiter)
		if i < 0 || len(s.cells) > MaxColumns {
			s.cells = append(s.cells, text)
			return s.cells
		}
		s.cells = append(s.cells, text[:i])
		text = text[i+1:]
	}
}

// readLine reads a line without its end. over: it is too long and what was read of it is dropped. The bytes hold until the next call.
func (s *scanner) readLine() (text []byte, over bool, err error) {
	if len(s.queue) > 0 {
		next := s.queue[0]
		s.queue = s.queue[1:]
		s.line++
		if s.plain > 0 {
			s.plain--
		}
		return next.text, next.over, nil
	}
	s.long = s.long[:0]
	for {
		part, err := s.in.ReadSlice('\n')
		if err == bufio.ErrBufferFull {
			if len(s.long)+len(part) > MaxRecord {
				over = true
				s.long = s.long[:0]
			} else {
				s.long = append(s.long, part...)
			}
			continue
		}
		if err != nil && err != io.EOF {
			return nil, false, err
		}
		if err == io.EOF && len(part) == 0 && len(s.long) == 0 && !over {
			return nil, false, io.EOF
		}
		s.line++
		if over {
			return nil, true, nil
		}
		text = part
		if len(s.long) > 0 {
			if len(s.long)+len(part) > MaxRecord {
				return nil, true, nil
			}
			s.long = append(s.long, part...)
			text = s.long
		}
		return trimEnd(text), false, nil
	}
}

func trimEnd(text []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
}

// quoted reads a record that has quotes, over as many lines as they need. Where a quote is never closed, its line alone is a fault and
// the reading goes on behind it; so it is where the next lines are records by themselves. Each line is looked at twice at most, however the quotes stand.
func (s *scanner) quoted(at int, first []byte) (raw, error) {
	open := s.open(first, false)
	if !open {
		return s.finish(at, s.splitQuoted(string(first))), nil
	}
	if s.plain > 0 {
		if s.apart(first) {
			return s.finish(at, s.split(string(first))), nil
		}
		return raw{line: at, cells: s.split(string(first)), fault: unclosed}, nil
	}
	record := append([]byte(nil), first...)
	first = record[:len(record):len(record)]
	lines := []given{{text: first}}
	for open && len(lines) < maxQuotedLines && len(record) < MaxRecord/4 {
		text, over, err := s.readLine()
		if err == io.EOF {
			break
		}
		if err != nil {
			return raw{}, err
		}
		lines = append(lines, given{append([]byte(nil), text...), over})
		if over || s.stray(lines) {
			break
		}
		record = append(append(record, '\n'), text...)
		open = s.open(text, true)
	}
	if !open {
		return s.finish(at, s.splitQuoted(string(record))), nil
	}
	s.queue = append(lines[1:len(lines):len(lines)], s.queue...)
	s.plain = len(lines) - 1
	s.line = at
	if s.apart(first) {
		return s.finish(at, s.split(string(first))), nil
	}
	return raw{line: at, cells: s.split(string(first)), fault: unclosed}, nil
}

// stray reports whether the quote that the first of some lines opens is a stray one, because the lines behind it are records by themselves:
// one where the first is, too, otherwise two.
func (s *scanner) stray(lines []given) bool {
	if len(lines) == 2 {
		return s.apart(lines[0].text) && s.apart(lines[1].text)
	}
	return len(lines) == 3 && s.usual > 2 && s.apart(lines[1].text) && s.apart(lines[2].text)
}

// apart reports whether a line is a record by itself once its quotes are taken for letters: it has as many cells as most.
func (s *scanner) apart(line []byte) bool {
	return s.usual > 1 && bytes.Count(line, []byte{s.delimiter}) == s.usual-1
}

// open reports whether a line ends inside a quoted cell, which it begins in if inside.
func (s *scanner) open(line []byte, inside bool) bool {
	twice := doubles[[]byte]{text: line, delimiter: s.delimiter}
	for i := 0; ; {
		if !inside {
			for i < len(line) && line[i] == ' ' {
				i++
			}
			if i == len(line) || line[i] != '"' {
				next := bytes.IndexByte(line[i:], s.delimiter)
				if next < 0 {
					return false
				}
				i += next + 1
				continue
			}
			if end, ok := twice.at(i); ok {
				if end == len(line) {
					return false
				}
				i = end + 1
				continue
			}
			inside = true
			i++
		}
		q := bytes.IndexByte(line[i:], '"')
		if q < 0 {
			return true
		}
		if i += q + 1; i < len(line) && line[i] == '"' {
			i++
			continue
		}
		end := i
		for end < len(line) && line[end] == ' ' {
			end++
		}
		if end == len(line) {
			return false
		}
		if line[end] == s.delimiter {
			inside, i = false, end+1
		}
	}
}

// splitQuoted splits a record with quotes, all of which are closed. A quote inside an unquoted cell is itself, and so is one inside a quoted
// cell that neither a delimiter nor the end follows.
func (s *scanner) splitQuoted(text string) []string {
	s.cells = s.cells[:0]
	twice := doubles[string]{text: text, delimiter: s.delimiter}
	for i := 0; ; {
		start := i
		for i < len(text) && text[i] == ' ' { // spaces before a quote are padding
			i++
		}
		if i == len(text) || text[i] != '"' || len(s.cells) > MaxColumns {
			end := strings.IndexByte(text[start:], s.delimiter)
			if end < 0 {
				s.cells = append(s.cells, text[start:])
				return s.cells
			}
			s.cells = append(s.cells, text[start:start+end])
			i = start + end + 1
			continue
		}
		cell, next := "", 0
		if end, ok := twice.at(i); ok {
			cell, next = strings.TrimRight(text[i+2:end], " "), end
			cell = cell[:len(cell)-2]
		} else {
			cell, next = s.quotedCell(text, i+1)
		}
		s.cells = append(s.cells, cell)
		if next == len(text) {
			return s.cells
		}
		i = next + 1
	}
}

// doubles finds the ends of cells of one text that are quoted twice, as ""a, b"": some exporters quote what is quoted already.
type doubles[T string | []byte] struct {
	text      T
	delimiter byte
	next      int // the first place from which on an end may be; ends are looked for from left to right, once
	end       int // behind the quotes and spaces, -1 where there are no more
}

// at reports whether a cell that begins at i is quoted twice, and where it ends.
func (d *doubles[T]) at(i int) (end int, ok bool) {
	t := d.text
	if i+2 >= len(t) || t[i] != '"' || t[i+1] != '"' || t[i+2] == '"' || t[i+2] == ' ' || t[i+2] == d.delimiter {
		return 0, false
	}
	for at := max(i+2, d.next); d.end >= 0 && d.next < i+4; {
		q := -1
		for n := at; n+1 < len(t); n++ {
			if t[n] == '"' && t[n+1] == '"' {
				q = n
				break
			}
		}
		if q < 0 {
			d.end = -1
			break
		}
		at = q + 2
		end := at
		for end < len(t) && t[end] == ' ' {
			end++
		}
		if end == len(t) || t[end] == d.delimiter {
			d.next, d.end = at, end
		}
	}
	return d.end, d.end >= 0
}

// quotedCell reads a cell from behind its first quote, and where it ends.
func (s *scanner) quotedCell(text string, from int) (cell string, next int) {
	var b []byte
	for i := from; ; {
		q := strings.IndexByte(text[i:], '"')
		if q < 0 {
			return string(append(b, text[i:]...)), len(text)
		}
		q += i
		if q+1 < len(text) && text[q+1] == '"' {
			b = append(append(b, text[i:q]...), '"')
			i = q + 2
			continue
		}
		end := q + 1
		for end < len(text) && text[end] == ' ' { // and those behind it
			end++
		}
		if end == len(text) || text[end] == s.delimiter {
			if b == nil {
				return text[from:q], end
			}
			return string(append(b, text[i:q]...)), end
		}
		b = append(append(b, text[i:q]...), '"')
		i = q + 1
	}
}
