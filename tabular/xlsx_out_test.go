package tabular_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/tabular"
)

func TestAWorkbooksDatesAreNumbersWithAFormat(t *testing.T) {
	long := strings.Repeat("가", 40_000)
	for _, x := range []struct {
		what   string
		typ    manifest.Type
		value  any
		stored string // what lies in the cell
		shown  string
		number bool
	}{
		{"a date", manifest.Date, "2026-11-24", "46350", "2026-11-24", true},
		{"a datetime is of Seoul", manifest.Datetime, "2026-11-23T15:30:05.000Z", "46350.0208912037", "2026-11-24 00:30:05", true},
		{"the first day that is counted", manifest.Date, "1900-03-01", "61", "1900-03-01", true},
		{"one before it", manifest.Date, "1900-02-28", "1900-02-28", "1900-02-28", false},
		{"a datetime of a day before it", manifest.Datetime, "1900-02-27T00:00:00.000Z", "1900-02-27T00:00:00.000Z", "1900-02-27T00:00:00.000Z", false},
		{"a text that looks like a date", manifest.String, "2026-11-24", "2026-11-24", "2026-11-24", false},
		{"a code with zeros", manifest.String, "00110", "00110", "00110", false},
		{"a whole number", manifest.Int, int64(7), "7", "7", true},
		{"one that a workbook would round", manifest.Int, int64(1<<53 + 1), "9007199254740993", "9007199254740993", false},
		{"a number", manifest.Double, 1.5, "1.5", "1.5", true},
		{"nothing", manifest.Date, nil, "", "", false},
		{"a text that is too long", manifest.String, long, long[:3*32_767], long[:3*32_767], false},
	} {
		book := excelize.NewFile()
		cells, err := tabular.NewCells(book)
		if err != nil {
			t.Fatal(err)
		}
		sheet, err := book.NewStreamWriter("Sheet1")
		if err != nil {
			t.Fatal(err)
		}
		if err := sheet.SetRow("A1", []any{cells.Of(x.typ, x.value)}); err != nil {
			t.Fatal(err)
		}
		if err := sheet.Flush(); err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := book.Write(&file); err != nil {
			t.Fatal(err)
		}
		_ = book.Close()
		read, err := excelize.OpenReader(&file)
		if err != nil {
			t.Fatal(err)
		}
		stored, err := read.GetCellValue("Sheet1", "A1", excelize.Options{RawCellValue: true})
		if err != nil || stored != x.stored && (!x.number || !strings.HasPrefix(stored, x.stored)) {
			t.Errorf("%s: stored as %.40q %v", x.what, stored, err)
		}
		if shown, err := read.GetCellValue("Sheet1", "A1"); err != nil || shown != x.shown {
			t.Errorf("%s: shown as %.40q %v", x.what, shown, err)
		}
		kind, err := read.GetCellType("Sheet1", "A1")
		if number := kind == excelize.CellTypeUnset || kind == excelize.CellTypeNumber; err != nil || x.value != nil && number != x.number {
			t.Errorf("%s: kind %v %v", x.what, kind, err)
		}
		_ = read.Close()
	}
}
