package infer

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/korean"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// realFile is a file of the real open data beside the repository; the test is skipped where there is none.
func realFile(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", name))
	if err != nil {
		t.Skipf("the real data are not here: %v", err)
	}
	return raw
}

// csvInput is a CSV file as an input. Rows with another number of cells than the header are faults.
func csvInput(t testing.TB, name string, raw []byte) Input {
	t.Helper()
	if !utf8.Valid(raw) {
		decoded, err := korean.EUCKR.NewDecoder().Bytes(raw)
		if err != nil {
			t.Fatal(err)
		}
		raw = decoded
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff")))
	r.FieldsPerRecord, r.LazyQuotes = -1, true
	var rows [][]string
	for {
		cells, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, cells)
	}
	return tableInput(name, rows[0], rows[1:])
}

// tableInput is a table in memory as an input.
func tableInput(name string, columns []string, rows [][]string) Input {
	return Input{File: name, Columns: columns, Rows: func(yield func(Row, error) bool) {
		for i, cells := range rows {
			row := Row{Line: i + 2, Cells: cells}
			if len(cells) != len(columns) {
				row.Fault = lang.T("칸 수가 다릅니다", "another number of cells")
			}
			if !yield(row, nil) {
				return
			}
		}
	}}
}

// geoInput is the properties of a GeoJSON file as an input.
func geoInput(t testing.TB, name string, raw []byte) Input {
	t.Helper()
	var collection struct {
		Features []struct {
			Properties map[string]any
			Geometry   json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &collection); err != nil {
		t.Fatal(err)
	}
	var columns []string
	for c := range collection.Features[0].Properties {
		columns = append(columns, c)
	}
	slices.Sort(columns)
	columns = append(columns, "geometry")
	var rows [][]string
	for _, f := range collection.Features {
		row := make([]string, len(columns))
		for i, c := range columns[:len(columns)-1] {
			if s, ok := f.Properties[c].(string); ok {
				row[i] = s
			}
		}
		row[len(columns)-1] = string(f.Geometry)
		rows = append(rows, row)
	}
	return tableInput(name, columns, rows)
}

var standard = sync.OnceValue(func() []manifest.Entry {
	raw, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", "standard_terms_2025_11.csv"))
	if err != nil {
		return nil
	}
	v := &manifest.Vocabulary{File: "t.csv", Class: manifest.Public, Map: map[string]string{"용어명": "title", "물리명": "abbreviation", "데이터타입": "type", "도메인": "domain", "코드명": "code_system", "요청업무": "edition"}}
	entries, _ := v.Terms(&manifest.Resource{Tables: map[string]string{"t.csv": string(raw)}})
	return entries
})

// standardTerms are the government's 13,171 common standard terms.
func standardTerms(t testing.TB) *Index {
	t.Helper()
	entries := standard()
	if len(entries) == 0 {
		t.Skip("the standard terms are not here")
	}
	return NewIndex(entries)
}
