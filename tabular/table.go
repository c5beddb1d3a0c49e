package tabular

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/text/unicode/norm"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Options say what the content doesn't. The zero value finds everything out.
type Options struct {
	Sheet    string // of a workbook; the one with the most rows where empty
	Header   *int   // rows of column names; 0: none
	Skip     int    // rows to leave out before them
	Encoding string // utf-8, utf-16 or cp949
	Items    string // where the list stands in a JSON, such as data.items
}

// Limits of what is read.
const (
	MaxRecord  = 4 << 20 // bytes of one row
	MaxColumns = 2_000
	MaxUnzip   = 1 << 30   // bytes that a workbook may unpack to
	MaxBook    = 200 << 20 // bytes of a workbook, XLS or XLSX
	maxDepth   = 64        // of JSON
	headRows   = 60        // looked at to find the header
)

// Table is a file that is read as a table. It is not safe for concurrent use.
type Table struct {
	Form      string            // csv, xlsx, xls, json, jsonl, geojson, parquet
	Encoding  string            // of text forms: utf-8, utf-16, cp949
	Delimiter string            // of csv
	Sheet     string            // of a workbook: the one that is read
	Sheets    []string          // of a workbook: all
	Items     string            // of JSON: where the list stands
	Header    int               // rows of column names; 0 where there are none
	Skip      int               // rows left out before them
	Title     string            // what stands above the columns, where something does
	Columns   []string          // their names, each once
	Titles    map[string]string // longer names that the file itself gives its columns
	Notes     []Note            // what was decided and is odd

	source source
	read   atomic.Int64
	closer io.Closer // of the form
	file   io.Closer // of OpenFile
}

// Note is something about a file that a person may want to know.
type Note struct {
	Code string
	Text lang.Text
}

// Row is one row. Cells hold until the next one; the strings in them for ever.
type Row struct {
	Line  int // in the file, from 1; of JSON and Parquet the number of the record
	Cells []string
	Fault lang.Text // why it can't be assigned to the columns; Cells as far as known
}

// source gives the rows of a file as they are, from the start. It returns what ends them early.
type source interface {
	rows(yield func(raw) bool) error
}

// raw is a row before it is known which row names the columns.
type raw struct {
	line  int
	cells []string
	fault lang.Text
}

// Open reads the table in a file. name is only used to say what the file is. Close it: what the table is read from may be a process of its own.
//
// Problems have the codes table.broken, table.empty, table.form (no table at all: what it is, and what to do), table.truncated, table.too_large,
// table.encoding, table.sheet, table.items, table.openapi.
func Open(r io.ReaderAt, size int64, name string, o Options) (*Table, error) {
	t := &Table{Titles: map[string]string{}}
	if size == 0 {
		return nil, empty()
	}
	form, err := detect(r, size)
	if err != nil {
		return nil, err
	}
	t.Form = form
	if apart[form] {
		err = openApart(t, r, size, o)
	} else {
		err = forms[form](t, io.NewSectionReader(r, 0, size), o)
	}
	if err != nil {
		return nil, err
	}
	if len(t.Columns) > MaxColumns {
		t.Close()
		return nil, problem.New("table.too_large", 422, lang.F("열이 %[1]d개입니다. %[2]d개까지 읽을 수 있습니다", "it has %[1]d columns; at most %[2]d are read", len(t.Columns), MaxColumns))
	}
	return t, nil
}

// forms are the readers, by the form of the content.
var forms = map[string]func(*Table, *io.SectionReader, Options) error{
	"csv": openCSV, "xlsx": openXLSX, "xls": openXLS, "json": openJSON, "jsonl": openJSON, "parquet": openParquet,
}

// OpenFile reads the table in a file of the disk. Close it.
func OpenFile(path string, o Options) (*Table, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = problem.New("table.form", 422, lang.F("일반 파일이 아닙니다: %s", "%s is no regular file", path))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	t, err := Open(f, info.Size(), info.Name(), o)
	if err != nil {
		f.Close()
		return nil, err
	}
	t.file = f
	return t, nil
}

// Close ends the reading.
func (t *Table) Close() error {
	var errs []error
	for _, c := range []io.Closer{t.closer, t.file} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// Read is how many bytes of the file are behind the row that was read last.
func (t *Table) Read() int64 { return t.read.Load() }

// Rows gives the rows from the start, each time it is ranged over. An error ends them.
func (t *Table) Rows() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		skip := t.Skip + t.Header
		cells := make([]string, 0, len(t.Columns))
		stopped := false
		err := t.source.rows(func(r raw) bool {
			if skip > 0 {
				skip--
				return true
			}
			row := Row{Line: r.line, Cells: r.cells, Fault: r.fault}
			if r.fault.Empty() {
				cells, row.Fault = t.fit(r.cells, cells[:0])
				if row.Fault.Empty() {
					row.Cells = cells
				}
			}
			stopped = !yield(row, nil)
			return !stopped
		})
		if err != nil && !stopped {
			yield(Row{}, err)
		}
	}
}

// fit makes a row as long as the columns, or says that it can't.
func (t *Table) fit(in, out []string) ([]string, lang.Text) {
	n := len(t.Columns)
	switch {
	case len(in) == n:
		return append(out, in...), lang.Text{}
	case len(in) > n:
		for _, extra := range in[n:] {
			if strings.TrimSpace(extra) != "" {
				return nil, lang.F("칸과 열의 수가 다릅니다 (칸 %[1]d개, 열 %[2]d개)", "it has %[1]d cells, there are %[2]d columns", len(in), n)
			}
		}
		return append(out, in[:n]...), lang.Text{}
	case t.Form == "csv":
		return nil, lang.F("칸과 열의 수가 다릅니다 (칸 %[1]d개, 열 %[2]d개)", "it has %[1]d cells, there are %[2]d columns", len(in), n)
	}
	out = append(out, in...) // workbooks leave out empty cells at the end
	for len(out) < n {
		out = append(out, "")
	}
	return out, lang.Text{}
}

func (t *Table) note(code string, text lang.Text) { t.Notes = append(t.Notes, Note{code, text}) }

func empty() error {
	return problem.New("table.empty", 422, lang.T("파일에 자료가 없습니다", "there are no data in the file"))
}

// errStop ends a reading that has seen enough.
var errStop = errors.New("tabular: enough")

// tidy is a name of a column: NFC, no line breaks, single spaces.
func tidy(s string) string {
	return norm.NFC.String(strings.Join(strings.Fields(strings.Trim(s, "\ufeff")), " "))
}

// distinct gives each column a name of its own.
func distinct(names []string) []string {
	seen := map[string]bool{}
	for _, n := range names {
		seen[n] = false
	}
	out := make([]string, len(names))
	for i, n := range names {
		if n == "" {
			n = fmt.Sprintf("column %d", i+1)
		}
		unique := n
		for k := 2; seen[unique]; k++ {
			unique = fmt.Sprintf("%s %d", n, k)
			if _, taken := seen[unique]; taken && !seen[unique] {
				seen[unique] = true // a column really called so keeps its name
			}
		}
		seen[unique] = true
		out[i] = unique
	}
	return out
}
