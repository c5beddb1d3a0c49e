package registry

import (
	"bytes"
	"testing"

	"github.com/xuri/excelize/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/manifest"
)

// A workbook has dates that can be sorted and reckoned with, in Seoul's time.
func TestAWorkbooksDatesAreDates(t *testing.T) {
	fields := []*catalog.Field{{Field: manifest.Field{Name: "day", Type: manifest.Date}}, {Field: manifest.Field{Name: "at", Type: manifest.Datetime}}, {Field: manifest.Field{Name: "n", Type: manifest.Int}}}
	var out bytes.Buffer
	b := newWorkbook(&out, fields)
	for _, values := range [][]any{{"2026-11-28", "2026-11-27T15:30:00.000Z", int64(7)}, {nil, nil, nil}} {
		if err := b.Write(&Record{Fields: fields, Values: values}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&out)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	for cell, want := range map[string]string{"A2": "2026-11-28", "B2": "2026-11-28 00:30:00", "C2": "7", "A3": ""} {
		if got, err := book.GetCellValue("Sheet1", cell); err != nil || got != want {
			t.Errorf("%s: %q, want %q: %v", cell, got, want, err)
		}
	}
	if raw, err := book.GetCellValue("Sheet1", "A2", excelize.Options{RawCellValue: true}); err != nil || raw != "46354" {
		t.Errorf("a day is %q: %v", raw, err)
	}
}
