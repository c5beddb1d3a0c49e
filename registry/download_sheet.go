package registry

import (
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Limits of a workbook.
const (
	maxSheetRows = 1_048_575 // below the titles
	maxSheetText = 32_767    // characters of a cell
)

// workbook writes a workbook (Office Open XML), whose first row has the fields' titles. It is put together in a file on the side, and sent when it is whole.
type workbook struct {
	w     io.Writer
	file  *excelize.File
	sheet *excelize.StreamWriter
	row   []any
	n     int
	err   error
}

func newWorkbook(w io.Writer, fields []*catalog.Field) recordWriter {
	b := &workbook{w: w, file: excelize.NewFile(), row: make([]any, len(fields))}
	if b.sheet, b.err = b.file.NewStreamWriter(b.file.GetSheetName(0)); b.err != nil {
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
		switch v := v.(type) {
		case nil:
			b.row[i] = nil
		case int64:
			if b.row[i] = v; v > 1<<53 || v < -1<<53 { // a workbook's numbers are doubles
				b.row[i] = fmt.Sprint(v)
			}
		case float64, bool:
			b.row[i] = v
		default:
			text := []rune(plain(v))
			b.row[i] = string(text[:min(len(text), maxSheetText)])
		}
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
