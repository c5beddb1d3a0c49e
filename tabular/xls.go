package tabular

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/shakinm/xlsReader/xls"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// maxXLS is how large an old workbook may be; it is held in memory. The form itself ends at 65,536 rows.
const maxXLS = 64 << 20

// xlsSource is a sheet of an old workbook (BIFF8).
type xlsSource struct {
	table *Table
	size  int64
	lines []raw
}

// openXLS reads an old workbook. The library panics where files are broken in ways it doesn't expect.
func openXLS(t *Table, in *io.SectionReader, o Options) (err error) {
	if in.Size() > maxXLS {
		return tooLarge()
	}
	defer func() {
		if p := recover(); p != nil {
			slog.Debug("tabular: xls", "panic", fmt.Sprint(p))
			err = unreadable()
		}
	}()
	book, err := xls.OpenReader(in)
	if err != nil {
		return unreadable()
	}
	best := -1
	var rows []raw
	for i := range book.GetNumberSheets() {
		sheet, err := book.GetSheet(i)
		if err != nil {
			return unreadable()
		}
		t.Sheets = append(t.Sheets, sheet.GetName())
		if o.Sheet != "" && sheet.GetName() != o.Sheet {
			continue
		}
		if n := sheet.GetNumberRows(); n > best {
			best, t.Sheet = n, sheet.GetName()
			rows = rows[:0:0]
			for at := range n {
				row, err := sheet.GetRow(at)
				if err != nil {
					continue // a row that isn't there
				}
				var cells []string
				blank := true
				for _, c := range row.GetCols() {
					text := c.GetString()
					if c.GetType() == "*record.Number" || c.GetType() == "*record.Rk" {
						text = shortest(text)
					}
					cells = append(cells, text)
					blank = blank && strings.TrimSpace(text) == ""
				}
				if !blank {
					rows = append(rows, raw{line: at + 1, cells: cells})
				}
			}
		}
	}
	if best < 0 {
		return noSheet(o.Sheet, t.Sheets)
	}
	noteSheets(t, o.Sheet)
	t.source = &xlsSource{t, in.Size(), rows}
	return t.headed(o)
}

func unreadable() error {
	return problem.New("table.form", 422, lang.T("옛 엑셀(XLS) 파일을 읽을 수 없습니다. 암호가 걸려 있거나 손상되었을 수 있습니다", "the old workbook (XLS) can't be read: it may have a password or be broken")).
		Hinting(lang.T("엑셀에서 열어 XLSX로 저장해 올리십시오", "open it in a spreadsheet and save it as XLSX"))
}

// rows implements source.
func (s *xlsSource) rows(yield func(raw) bool) error {
	for i, r := range s.lines {
		s.table.read.Store(s.size * int64(i+1) / int64(len(s.lines)))
		if !yield(r) {
			return nil
		}
	}
	return nil
}
