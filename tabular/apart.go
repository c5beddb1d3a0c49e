package tabular

import (
	"bytes"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Workbooks and Parquet are read by libraries that trust what a file says of itself: a few bytes can make them ask for all memory, which in Go
// ends the process. So they are read in a process of their own: the same program, which init turns into a reader. It may take only so much
// memory and time; where it ends early, the file is a problem and nothing else happened.

// apart lists the forms that are read so.
var apart = map[string]bool{"xlsx": true, "xls": true, "parquet": true}

// What a reader may take.
const (
	readerMemory  = 1536 << 20 // bytes of its own
	readerSeconds = 1800       // of a processor
	passedBytes   = 1 << 20    // of cells handed over at once
	passedRows    = 1000
)

// readerVariable is set in the environment of a reader.
const readerVariable = "MARU_READ_TABLE"

func init() {
	if os.Getenv(readerVariable) == "" {
		return
	}
	if err := read(os.Stdin, os.Stdout, os.NewFile(3, "table")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// order says what a reader is to read.
type order struct {
	Form    string
	Options Options
}

// passed is what a reader hands over: first the table, then its rows, at last perhaps what is wrong.
type passed struct {
	Table *Table
	Lines []int
	Ends  []int // of each row among Cells
	Cells []string
	Fault map[int]lang.Text // of rows
	Read  int64
	Wrong *problem.Problem
}

// read is the reader's side.
func read(in io.Reader, out io.Writer, file *os.File) error {
	for resource, most := range map[int]uint64{syscall.RLIMIT_DATA: readerMemory, syscall.RLIMIT_CPU: readerSeconds, syscall.RLIMIT_CORE: 0} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
			return fmt.Errorf("tabular: limit the reader: %w", err)
		}
	}
	var o order
	if err := gob.NewDecoder(in).Decode(&o); err != nil {
		return fmt.Errorf("tabular: what to read: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	to := gob.NewEncoder(out)
	t := &Table{Titles: map[string]string{}, Form: o.Form}
	err = forms[o.Form](t, io.NewSectionReader(file, 0, info.Size()), o.Options)
	defer t.Close()
	if err != nil {
		return to.Encode(passed{Wrong: wrongOf(err)})
	}
	if err := to.Encode(passed{Table: t}); err != nil {
		return err
	}
	next, size := passed{}, 0
	send := func() error {
		next.Read = t.Read()
		err := to.Encode(next)
		next, size = passed{Lines: next.Lines[:0], Ends: next.Ends[:0], Cells: next.Cells[:0]}, 0
		return err
	}
	var gone error // the one who asked has enough
	err = t.source.rows(func(r raw) bool {
		bytes := 0
		for _, c := range r.cells {
			bytes += len(c)
		}
		if bytes > MaxRecord || len(r.cells) > MaxColumns*10 {
			r.cells, r.fault = nil, tooLong
		}
		next.Lines, next.Cells = append(next.Lines, r.line), append(next.Cells, r.cells...)
		next.Ends = append(next.Ends, len(next.Cells))
		if !r.fault.Empty() {
			if next.Fault == nil {
				next.Fault = map[int]lang.Text{}
			}
			next.Fault[len(next.Ends)-1] = r.fault
		}
		if size += bytes; size >= passedBytes || len(next.Lines) >= passedRows {
			gone = send()
		}
		return gone == nil
	})
	if gone != nil {
		return nil
	}
	if err != nil {
		next.Wrong = wrongOf(err)
	}
	return send()
}

func wrongOf(err error) *problem.Problem {
	if p := problem.As(err); p != nil {
		return p
	}
	return problem.New("table.form", 422, lang.F("파일을 읽을 수 없습니다: %s", "the file can't be read: %s", shorten(err.Error())))
}

// apartSource is a table that a reader reads.
type apartSource struct {
	table  *Table
	file   *os.File
	own    bool   // the file is a copy
	folder string // the reader's temporary files, which it may leave behind
	order  order

	mu    sync.Mutex
	first *reader // that has read the table and waits to be asked for its rows
}

// openApart lets a reader open a table.
func openApart(t *Table, in io.ReaderAt, size int64, o Options) (err error) {
	s := &apartSource{table: t, order: order{t.Form, o}}
	t.closer = s
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.folder, err = os.MkdirTemp("", "maru-table-*"); err != nil {
		return fmt.Errorf("tabular: %w", err)
	}
	if f, ok := in.(*os.File); ok {
		s.file = f
	} else if err := s.copy(in, size); err != nil {
		return err
	}
	if s.first, err = s.start(); err != nil {
		return err
	}
	head, err := s.first.next()
	if err != nil {
		return err
	}
	got := head.Table
	if got == nil {
		return endedEarly()
	}
	t.Sheet, t.Sheets, t.Header, t.Skip, t.Title, t.Columns, t.Notes = got.Sheet, got.Sheets, got.Header, got.Skip, got.Title, got.Columns, got.Notes
	if got.Titles != nil {
		t.Titles = got.Titles
	}
	t.source = s
	return nil
}

func endedEarly() error {
	return problem.New("table.broken", 422, lang.T("파일이 깨졌거나, 읽는 데 메모리가 너무 많이 필요합니다", "the file is broken, or reading it takes too much memory")).
		Hinting(lang.T("다시 저장해 보거나, CSV로 저장해 올리십시오", "save it again, or save it as CSV"))
}

// copy puts a file that isn't on this disk there.
func (s *apartSource) copy(in io.ReaderAt, size int64) error {
	f, err := os.Create(filepath.Join(s.folder, "table"))
	if err != nil {
		return fmt.Errorf("tabular: %w", err)
	}
	s.file, s.own = f, true
	if _, err := io.Copy(f, io.NewSectionReader(in, 0, size)); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("%w: %w", problem.Full(), err)
		}
		return fmt.Errorf("tabular: %w", err)
	}
	return nil
}

// Close ends the reader and removes what it left.
func (s *apartSource) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first != nil {
		s.first.stop()
		s.first = nil
	}
	if s.own && s.file != nil {
		s.file.Close()
	}
	if s.folder == "" {
		return nil
	}
	return os.RemoveAll(s.folder)
}

// rows implements source.
func (s *apartSource) rows(yield func(raw) bool) error {
	s.mu.Lock()
	r := s.first
	s.first = nil
	s.mu.Unlock()
	if r == nil {
		var err error
		if r, err = s.start(); err != nil {
			return err
		}
		if _, err := r.next(); err != nil { // the table, which is known
			r.stop()
			return err
		}
	}
	defer r.stop()
	for {
		p, err := r.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		from := 0
		for i, to := range p.Ends {
			if !yield(raw{line: p.Lines[i], cells: p.Cells[from:to:to], fault: p.Fault[i]}) {
				return nil
			}
			from = to
		}
		s.table.read.Store(p.Read)
		if p.Wrong != nil {
			return p.Wrong
		}
	}
}

// reader is a process that reads a table.
type reader struct {
	process *exec.Cmd
	out     io.ReadCloser
	from    *gob.Decoder
	said    *tail
	seen    bool // the table has come
}

func (s *apartSource) start() (*reader, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("tabular: start a reader: %w", err)
	}
	var in bytes.Buffer
	if err := gob.NewEncoder(&in).Encode(s.order); err != nil {
		return nil, fmt.Errorf("tabular: start a reader: %w", err)
	}
	r := &reader{process: exec.Command(program), said: &tail{}}
	r.process.Env = []string{readerVariable + "=1", "TMPDIR=" + s.folder, "GOMEMLIMIT=1GiB", "GOTRACEBACK=single"}
	r.process.Stdin, r.process.Stderr, r.process.ExtraFiles = &in, r.said, []*os.File{s.file}
	if r.out, err = r.process.StdoutPipe(); err != nil {
		return nil, fmt.Errorf("tabular: start a reader: %w", err)
	}
	if err := r.process.Start(); err != nil {
		return nil, fmt.Errorf("tabular: start a reader: %w", err)
	}
	r.from = gob.NewDecoder(r.out)
	return r, nil
}

// next is what the reader hands over next, io.EOF at its end. A reader that ended early is a problem with code table.broken.
func (r *reader) next() (*passed, error) {
	p := &passed{}
	err := r.from.Decode(p)
	if err == nil && p.Wrong != nil && !r.seen {
		return nil, p.Wrong
	}
	if err == nil {
		r.seen = true
		return p, nil
	}
	ended := r.process.Wait()
	r.process = nil
	if err == io.EOF && ended == nil {
		return nil, io.EOF
	}
	slog.Warn("tabular: a reader ended early", "error", ended, "said", r.said.String())
	return nil, endedEarly()
}

// stop ends the reader, whatever it is doing.
func (r *reader) stop() {
	if r.process != nil {
		_ = r.process.Process.Kill() // it may have ended already
		_ = r.process.Wait()
		r.process = nil
	}
}

// tail keeps the beginning of what a reader says when it breaks down.
type tail struct{ b strings.Builder }

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	if room := 2000 - t.b.Len(); room > 0 {
		t.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// String is the first line: what is wrong.
func (t *tail) String() string {
	first, _, _ := strings.Cut(t.b.String(), "\n")
	return first
}
