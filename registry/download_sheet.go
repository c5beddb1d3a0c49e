package registry

import (
	"io"

	"github.com/xuri/excelize/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/tabular"
)

// maxSheetRows is how many records a workbook has at most.
const maxSheetRows = 1_048_575 // below the titles

// workbook writes a workbook (Office Open XML), whose first row has the fields' titles. It is put together in a file on the side, and sent when it is whole.
type workbook struct {
	w     io.Writer
	file  *excelize.File
	sheet *excelize.StreamWriter
	cells tabular.Cells
	row   []any
	n     int
	err   error
}

func newWorkbook(w io.Writer, fields []*catalog.Field) recordWriter {
	b := &workbook{w: w, file: excelize.NewFile(), row: make([]any, len(fields))}
	if b.sheet, b.err = b.file.NewStreamWriter(b.file.GetSheetName(0)); b.err != nil {
		return b
	}
	if b.cells, b.err = tabular.NewCells(b.file); b.err != nil {
		return b
	}
	for i, f := range fields {
		if width := b.cells.Width(f.Type); width > 0 && b.err == nil {
			b.err = b.sheet.SetColWidth(i+1, i+1, width)
		}
	}
	if b.err != nil {
		return b
	}
	titled := map[string]int{}
	for _, f := range fields {
		titled[f.Label().Ko]++
	}
	for i, f := range fields {
		if b.row[i] = f.Label().Ko; titled[f.Label().Ko] > 1 {
			b.row[i] = f.Name
		}
	}
	b.err = b.sheet.SetRow("A1", b.row)
	return b
}

func (b *workbook) Write(r *Record) error {
	if b.err != nil {
		return b.err
	}
	if b.n++; b.n > maxSheetRows {
		return problem.New("download.rows", 422, lang.F("엑셀 파일에는 %d행까지만 담을 수 있습니다", "a workbook has at most %d rows", maxSheetRows)).
			Hinting(lang.T("CSV나 Parquet으로 내려받거나 filter로 나누십시오", "take CSV or Parquet, or a part by filter"))
	}
	for i, v := range r.Values {
		b.row[i] = b.cells.Of(r.Fields[i].Type, v)
	}
	cell, err := excelize.CoordinatesToCellName(1, b.n+1)
	if err != nil {
		return err
	}
	return b.sheet.SetRow(cell, b.row)
}

// abort removes the files on the side.
func (b *workbook) abort() { _ = b.file.Close() }

func (b *workbook) Close() error {
	if b.err != nil {
		return b.err
	}
	if err := b.sheet.Flush(); err != nil {
		return err
	}
	return b.file.Write(b.w)
}
