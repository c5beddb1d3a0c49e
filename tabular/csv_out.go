package tabular

import (
	"encoding/csv"
	"fmt"
	"io"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// WriteCSV writes a table as CSV in UTF-8, its columns first. A row with a fault is a problem with code table.row.
func WriteCSV(w io.Writer, t *Table) error {
	out := csv.NewWriter(w)
	if err := out.Write(t.Columns); err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	for row, err := range t.Rows() {
		if err != nil {
			return err
		}
		if !row.Fault.Empty() {
			return problem.New("table.row", 422, lang.F("%[1]v행을 읽을 수 없습니다: %[2]s", "line %[1]v can't be read: %[2]s", row.Line, row.Fault))
		}
		if err := out.Write(row.Cells); err != nil {
			return fmt.Errorf("write the table: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}
