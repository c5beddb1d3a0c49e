package tabular

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/maru-city/maru/manifest"
)

// parquetSource is a Parquet file, read in batches.
type parquetSource struct {
	table *Table
	in    *io.SectionReader
	total int64
}

// openParquet reads the schema. The library panics where files are broken in ways it doesn't expect.
func openParquet(t *Table, in *io.SectionReader, _ Options) (err error) {
	s := &parquetSource{table: t, in: in}
	return s.with(func(f *file.Reader, r *pqarrow.FileReader) error {
		schema, err := r.Schema()
		if err != nil {
			return truncated()
		}
		for _, c := range schema.Fields() {
			t.Columns = append(t.Columns, tidy(c.Name))
			if title, ok := c.Metadata.GetValue("title"); ok {
				t.Titles[tidy(c.Name)] = title
			}
		}
		if s.total = f.NumRows(); s.total == 0 {
			return empty()
		}
		t.Columns, t.source = distinct(t.Columns), s
		return nil
	})
}

// batchRows is how many rows of a Parquet file are in memory at once.
const batchRows = 1024

// with opens the file for a while.
func (s *parquetSource) with(do func(*file.Reader, *pqarrow.FileReader) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = truncated()
		}
	}()
	f, err := file.NewParquetReader(io.NewSectionReader(s.in, 0, s.in.Size()), file.WithReadProps(&parquet.ReaderProperties{BufferSize: 1 << 20, BufferedStreamEnabled: true}))
	if err != nil {
		return truncated()
	}
	defer f.Close()
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		return truncated()
	}
	return do(f, r)
}

// rows implements source.
func (s *parquetSource) rows(yield func(raw) bool) error {
	var inner any // a panic of the one who takes the rows isn't ours
	err := s.with(func(_ *file.Reader, r *pqarrow.FileReader) error {
		batches, err := r.GetRecordReader(context.Background(), nil, nil)
		if err != nil {
			return truncated()
		}
		defer batches.Release()
		line := 0
		cells := make([]string, len(s.table.Columns))
		for batches.Next() {
			b := batches.RecordBatch()
			for row := range int(b.NumRows()) {
				for i := range cells {
					cells[i] = arrowCell(b.Column(i), row)
				}
				line++
				s.table.read.Store(s.in.Size() * int64(line) / s.total)
				more, thrown := safely(yield, raw{line: line, cells: cells})
				if inner = thrown; !more || thrown != nil {
					return nil
				}
			}
		}
		if err := batches.Err(); err != nil && err != io.EOF {
			return truncated()
		}
		return nil
	})
	if inner != nil {
		panic(inner)
	}
	return err
}

func safely(yield func(raw) bool, r raw) (more bool, thrown any) {
	defer func() { thrown = recover() }()
	return yield(r), nil
}

// arrowCell is a value as a cell.
func arrowCell(a arrow.Array, i int) string {
	if a.IsNull(i) {
		return ""
	}
	switch a := a.(type) {
	case *array.Timestamp:
		unit := a.DataType().(*arrow.TimestampType)
		t := a.Value(i).ToTime(unit.Unit)
		if unit.TimeZone == "" { // a local time
			return t.Format("2006-01-02 15:04:05.999")
		}
		return manifest.FormatDatetime(t)
	case *array.Date32:
		return a.Value(i).ToTime().Format(manifest.DateLayout)
	case *array.Date64:
		return a.Value(i).ToTime().UTC().Format(time.DateOnly)
	case *array.Float64:
		return strconv.FormatFloat(a.Value(i), 'f', -1, 64)
	case *array.Float32:
		return strconv.FormatFloat(float64(a.Value(i)), 'f', -1, 32)
	case *array.Binary:
		return fmt.Sprintf("%x", a.Value(i))
	}
	return a.ValueStr(i)
}
