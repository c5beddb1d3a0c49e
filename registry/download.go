package registry

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/manifest"
)

// Form is a form in which records are downloaded.
type Form struct {
	Name      string
	MediaType string
	write     func(w io.Writer, fields []*catalog.Field) recordWriter
}

// recordWriter writes records in one form.
type recordWriter interface {
	Write(*Record) error
	Close() error
}

// Forms are the forms of downloads.
var Forms = []Form{
	{"jsonl", "application/x-ndjson", newLines},
	{"csv", "text/csv; charset=utf-8", newCSV},
	{"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", newWorkbook},
	{"geojson", "application/geo+json", newFeatures},
	{"parquet", "application/vnd.apache.parquet", newParquet},
	{"arrow", "application/vnd.apache.arrow.stream", newArrow},
}

// FormNamed finds a form by its name.
func FormNamed(name string) (Form, bool) {
	for _, f := range Forms {
		if f.Name == name {
			return f, true
		}
	}
	return Form{}, false
}

// abort gives back what a writer holds that didn't come to its end.
func abort(w recordWriter) {
	if w, ok := w.(interface{ abort() }); ok {
		w.abort()
	}
}

// Download writes all records that a query asks for. Its memory doesn't grow with them.
func (r *Registry) Download(ctx context.Context, d *catalog.Dataset, q Query, form Form, w io.Writer) error {
	fields, err := r.Check(d, q)
	if err != nil {
		return err
	}
	out := form.write(w, fields)
	defer abort(out)
	if err := r.Stream(ctx, d, q, out.Write); err != nil {
		return err
	}
	return out.Close()
}

// lines writes JSON Lines: an object of its fields for each record.
type lines struct {
	w   io.Writer
	buf bytes.Buffer
}

const flushBytes = 64 << 10

func newLines(w io.Writer, _ []*catalog.Field) recordWriter { return &lines{w: w} }

func (l *lines) Write(r *Record) error {
	l.buf.WriteByte('{')
	if err := writeMembers(&l.buf, r.Fields, r.Values); err != nil {
		return err
	}
	l.buf.WriteString("}\n")
	if l.buf.Len() < flushBytes {
		return nil
	}
	return l.Close()
}

func (l *lines) Close() error {
	_, err := l.buf.WriteTo(l.w)
	return err
}

// table of comma-separated values (RFC 4180), with the names of fields as its first line. Nothing is an empty cell.
type csvWriter struct {
	w     *csv.Writer
	cells []string
	err   error
}

func newCSV(w io.Writer, fields []*catalog.Field) recordWriter {
	c := &csvWriter{w: csv.NewWriter(w), cells: make([]string, len(fields))}
	c.w.UseCRLF = true
	for i, f := range fields {
		c.cells[i] = f.Name
	}
	c.err = c.w.Write(c.cells)
	return c
}

func (c *csvWriter) Write(r *Record) error {
	if c.err != nil {
		return c.err
	}
	for i, v := range r.Values {
		c.cells[i] = plain(v)
	}
	return c.w.Write(c.cells)
}

func (c *csvWriter) Close() error {
	c.w.Flush()
	return c.w.Error()
}

// columnWriter writes records by columns, a group of rows at a time.
type columnWriter struct {
	form string
	out  interface {
		Write(arrow.RecordBatch) error
		Close() error
	}
	build *array.RecordBuilder
	rows  int
	bytes int
	err   error
}

// Limits of a row group, which is held in memory.
const (
	groupRows  = 50_000
	groupBytes = 32 << 20
)

var arrowTypes = map[manifest.Type]arrow.DataType{
	manifest.String: arrow.BinaryTypes.String, manifest.Int: arrow.PrimitiveTypes.Int64, manifest.Double: arrow.PrimitiveTypes.Float64,
	manifest.Bool: arrow.FixedWidthTypes.Boolean, manifest.Date: arrow.FixedWidthTypes.Date32,
	manifest.Datetime: &arrow.TimestampType{Unit: arrow.Millisecond, TimeZone: "UTC"}, manifest.Geometry: arrow.BinaryTypes.String,
}

func newColumns(form string, fields []*catalog.Field) (*columnWriter, *arrow.Schema) {
	columns := make([]arrow.Field, len(fields))
	for i, f := range fields {
		columns[i] = arrow.Field{
			Name: f.Name, Type: arrowTypes[f.Type], Nullable: !f.Required,
			Metadata: arrow.MetadataFrom(map[string]string{"title": f.Label().Ko, "class": string(f.Class)}),
		}
	}
	schema := arrow.NewSchema(columns, nil)
	return &columnWriter{form: form, build: array.NewRecordBuilder(memory.DefaultAllocator, schema)}, schema
}

// newParquet writes Parquet, compressed with zstd.
func newParquet(w io.Writer, fields []*catalog.Field) recordWriter {
	c, schema := newColumns("Parquet", fields)
	properties := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCreatedBy("maru"))
	c.out, c.err = pqarrow.NewFileWriter(schema, w, properties, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	return c
}

// newArrow writes an Arrow IPC stream: its batches can be used as they come.
func newArrow(w io.Writer, fields []*catalog.Field) recordWriter {
	c, schema := newColumns("Arrow", fields)
	c.out = ipc.NewWriter(w, ipc.WithSchema(schema))
	return c
}

func (c *columnWriter) Write(r *Record) error {
	if c.err != nil {
		return c.err
	}
	for i, v := range r.Values {
		if err := c.append(c.build.Field(i), v); err != nil {
			return fmt.Errorf("write %s as %s: %w", r.Fields[i].Name, c.form, err)
		}
	}
	if c.rows++; c.rows < groupRows && c.bytes < groupBytes {
		return nil
	}
	return c.flush()
}

func (c *columnWriter) append(to array.Builder, v any) error {
	if v == nil {
		to.AppendNull()
		return nil
	}
	switch to := to.(type) {
	case *array.Int64Builder:
		to.Append(v.(int64))
	case *array.Float64Builder:
		to.Append(v.(float64))
	case *array.BooleanBuilder:
		to.Append(v.(bool))
	case *array.StringBuilder:
		c.bytes += len(v.(string))
		to.Append(v.(string))
	case *array.Date32Builder:
		t, err := time.Parse(manifest.DateLayout, v.(string))
		if err != nil {
			return err
		}
		to.Append(arrow.Date32FromTime(t))
	case *array.TimestampBuilder:
		t, err := time.Parse(manifest.DatetimeLayout, v.(string))
		if err != nil {
			return err
		}
		to.Append(arrow.Timestamp(t.UnixMilli()))
	}
	return nil
}

func (c *columnWriter) flush() error {
	batch := c.build.NewRecordBatch()
	defer batch.Release()
	c.rows, c.bytes = 0, 0
	return c.out.Write(batch)
}

func (c *columnWriter) Close() error {
	if c.err != nil {
		return c.err
	}
	if c.rows > 0 {
		if err := c.flush(); err != nil {
			return err
		}
	}
	c.build.Release()
	return c.out.Close()
}
