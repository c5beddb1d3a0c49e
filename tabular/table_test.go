package tabular

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/korean"

	"github.com/maru-city/maru/engine/problem"
)

func open(t testing.TB, text string, o Options) *Table {
	t.Helper()
	tab, err := Open(strings.NewReader(text), int64(len(text)), "a", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tab.Close() })
	return tab
}

// all reads the rows as lines of line|cell|cell, or line!fault.
func all(t testing.TB, tab *Table) (out []string) {
	t.Helper()
	for row, err := range tab.Rows() {
		if err != nil {
			t.Fatal(err)
		}
		if row.Fault.Empty() {
			out = append(out, fmt.Sprintf("%d|%s", row.Line, strings.Join(row.Cells, "|")))
		} else {
			out = append(out, fmt.Sprintf("%d!%s", row.Line, row.Fault.En))
		}
	}
	return out
}

func TestTablesOfText(t *testing.T) {
	cp949, err := korean.EUCKR.NewEncoder().String("이름,똠방각하\n가,1\n나,2\n")
	if err != nil {
		t.Fatal(err)
	}
	zero := 0
	for _, c := range []struct {
		name, text string
		o          Options
		columns    string
		rows       []string
	}{
		{"UTF-8 with a mark and CRLF", "\ufeff이름,수\r\n가,1\r\n나,2\r\n", Options{}, "이름|수", []string{"2|가|1", "3|나|2"}},
		{"CP949 beyond EUC-KR", cp949, Options{}, "이름|똠방각하", []string{"2|가|1", "3|나|2"}},
		{"UTF-16", "\xff\xfea\x00,\x00b\x00\n\x00x\x00,\x001\x00\n\x00", Options{}, "a|b", []string{"2|x|1"}},
		{"tabs", "a\tb,c\nx\t1\ny\t2\n", Options{}, "a|b,c", []string{"2|x|1", "3|y|2"}},
		{"semicolons, decimal commas", "a;b\nx;1,5\ny;2,5\n", Options{}, "a|b", []string{"2|x|1,5", "3|y|2,5"}},
		{"quotes, lines in cells, exact lines", "a,b\n\"x, \"\"y\"\"\",1\n\"one\ntwo\",2\nz,3\n", Options{}, "a|b", []string{`2|x, "y"|1`, "3|one\ntwo|2", "5|z|3"}},
		{"quoted twice", "a,b,c\n\"\"1,234\"\",x,1\n\"\"2,345\"\",y,2\n", Options{}, "a|b|c", []string{"2|1,234|x|1", "3|2,345|y|2"}},
		{"stray quotes", "a,b,c\n5\" pipe,x,1\n\"never closed,x,2\ny,z,3\nq,r,4\n", Options{}, "a|b|c", []string{`2|5" pipe|x|1`, `3|"never closed|x|2`, "4|y|z|3", "5|q|r|4"}},
		{"ragged", "a,b\nx,1,,\ny\nz,2,extra\nw,4\n", Options{}, "a|b", []string{"2|x|1", "3!it has 1 cells, there are 2 columns", "4!it has 3 cells, there are 2 columns", "5|w|4"}},
		{"no header", "x,1,2016-08-01\ny,2,2016-08-02\nz,3,2016-08-03\n", Options{}, "column 1|column 2|column 3", []string{"1|x|1|2016-08-01", "2|y|2|2016-08-02", "3|z|3|2016-08-03"}},
		{"no header by order", "a,b\nx,1\n", Options{Header: &zero}, "column 1|column 2", []string{"1|a|b", "2|x|1"}},
		{"title and unit above", "인구 현황,,\n(단위: 명),,\n구,남,여\n종로,1,2\n중구,3,4\n", Options{}, "구|남|여", []string{"4|종로|1|2", "5|중구|3|4"}},
		{"two rows of names", "구,인구,,면적\n,남,여,\n종로,1,2,3.5\n중구,3,4,5.5\n", Options{}, "구|인구 남|인구 여|면적", []string{"3|종로|1|2|3.5", "4|중구|3|4|5.5"}},
		{"years are names", "구,2015,2016\n종로,1,2\n중구,3,4\n", Options{}, "구|2015|2016", []string{"2|종로|1|2", "3|중구|3|4"}},
		{"names twice and missing", "a,a,\nx,1,2\ny,3,4\n", Options{}, "a|a 2|column 3", []string{"2|x|1|2", "3|y|3|4"}},
		{"blank lines", "a,b\n\n  \nx,1\n\n", Options{}, "a|b", []string{"4|x|1"}},
		{"only a header", "a,b\n", Options{}, "a|b", nil},
		{"one column", "이름\n가\n나\n", Options{}, "이름", []string{"2|가", "3|나"}},
		{"a list of objects", `[{"a": 1, "b": "x"}, {"b": null, "c": [1, 2]}]`, Options{}, "a|b|c", []string{"1|1|x|", "2|||[1,2]"}},
		{"JSON Lines", "{\"a\": 10000000000000001}\n{\"a\": 1.50}\n", Options{}, "a", []string{"1|10000000000000001", "2|1.5"}},
		{"one object", `{"a": 1}`, Options{}, "a", []string{"1|1"}},
		{"open API", `{"S": {"list_total_count": 1, "RESULT": {"CODE": "INFO-000", "MESSAGE": ""}, "row": [{"A": "x"}]}}`, Options{}, "A", []string{"1|x"}},
		{"descriptions", `{"DESCRIPTION": {"NAME": "이름"}, "DATA": [{"name": "x"}]}`, Options{}, "name", []string{"1|x"}},
		{"items", `{"data": {"other": [{"x": 1}], "items": [{"a": 2}]}}`, Options{Items: "data.items"}, "a", []string{"1|2"}},
		{"GeoJSON", `{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": {"n": "x"}}]}`, Options{}, "n|geometry", []string{`1|x|{"type":"Point","coordinates":[1,2]}`}},
	} {
		tab := open(t, c.text, c.o)
		if got := strings.Join(tab.Columns, "|"); got != c.columns {
			t.Errorf("%s: columns %s, not %s", c.name, got, c.columns)
		}
		for range 2 { // again from the start
			if got := all(t, tab); !slices.Equal(got, c.rows) {
				t.Errorf("%s:\n%q\nnot\n%q", c.name, got, c.rows)
			}
		}
	}
	if tab := open(t, `{"DESCRIPTION": {"NAME": "이름"}, "DATA": [{"name": "x"}]}`, Options{}); tab.Titles["name"] != "이름" {
		t.Error(tab.Titles)
	}
}

func TestWhatIsNoTableIsSaid(t *testing.T) {
	for _, c := range []struct{ text, code string }{
		{"", "table.empty"},
		{"  \n", "table.empty"},
		{"[]", "table.empty"},
		{"%PDF-1.7", "table.form"},
		{"\x1f\x8b\x08", "table.form"},
		{"<html>", "table.form"},
		{"PK\x03\x04 cut", "table.truncated"},
		{"PAR1 cut", "table.truncated"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 cut", "table.form"},
		{`[{"a": 1}, {"a"`, "table.truncated"},
		{`{"a": }`, "table.form"},
		{"a\x00b", "table.form"},
		{`{"RESULT": {"CODE": "ERROR-300", "MESSAGE": "필수 값이 누락"}}`, "table.openapi"},
		{`{"a": ` + strings.Repeat("[", 1000), "table.too_large"},
	} {
		_, err := Open(strings.NewReader(c.text), int64(len(c.text)), "a", Options{})
		if err == nil {
			var tab *Table
			if tab, err = Open(strings.NewReader(c.text), int64(len(c.text)), "a", Options{}); err == nil {
				for _, e := range tab.Rows() {
					err = e
				}
			}
		}
		if problem.Code(err) != c.code {
			t.Errorf("%.20q: %v", c.text, err)
		}
	}
}

// book writes a workbook.
func book(t testing.TB, fill func(*excelize.File)) string {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestWorkbooks(t *testing.T) {
	text := book(t, func(f *excelize.File) {
		day, err := f.NewStyle(&excelize.Style{NumFmt: 14})
		must(t, err)
		code := "00000"
		zeros, err := f.NewStyle(&excelize.Style{CustomNumFmt: &code})
		must(t, err)
		must(t, f.SetSheetRow("Sheet1", "A1", &[]any{"이름", "날", "우편번호", "비율"}), f.SetSheetRow("Sheet1", "A2", &[]any{"가", 45292, 3142, 0.1}),
			f.SetSheetRow("Sheet1", "A3", &[]any{"나", 45293.5, 4567, 1234567.25}), f.SetCellStyle("Sheet1", "B2", "B3", day), f.SetCellStyle("Sheet1", "C2", "C3", zeros))
		_, err = f.NewSheet("비고")
		must(t, err, f.SetSheetRow("비고", "A1", &[]any{"설명"}))
	})
	tab := open(t, text, Options{})
	want := []string{"2|가|2024-01-01|03142|0.1", "3|나|2024-01-02 12:00:00|04567|1234567.25"}
	if got := all(t, tab); !slices.Equal(got, want) || tab.Sheet != "Sheet1" || len(tab.Notes) != 1 {
		t.Errorf("%q %+v", got, tab.Notes)
	}
	if _, err := Open(strings.NewReader(text), int64(len(text)), "a", Options{Sheet: "없음"}); problem.Code(err) != "table.sheet" {
		t.Error(err)
	}
	if _, err := Open(strings.NewReader(text), int64(len(text))-100, "a", Options{}); problem.Code(err) != "table.truncated" {
		t.Error(err)
	}
}

// repeated is a text without end, without its memory.
type repeated struct {
	unit string
	size int64
}

func (r repeated) ReadAt(p []byte, off int64) (int, error) {
	for i := range p {
		at := off + int64(i)
		if at >= r.size {
			return i, io.EOF
		}
		p[i] = r.unit[at%int64(len(r.unit))]
	}
	return len(p), nil
}

// peak is how much memory do takes from the heap, in bytes.
func peak(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.Sys - min(before.Sys, after.Sys)
}

func TestALongLineIsAFaultInLittleMemory(t *testing.T) {
	const size = 100 << 20
	grown := peak(func() {
		tab, err := Open(repeated{"x", size}, size, "a", Options{})
		if err != nil {
			if problem.Code(err) != "table.too_large" {
				t.Error(err)
			}
			return
		}
		for row, err := range tab.Rows() {
			if err != nil || row.Fault.Empty() {
				t.Error(row, err)
			}
		}
	})
	if grown > 64<<20 {
		t.Errorf("%d MB", grown>>20)
	}
	text := "a,b\nx,1\n" + strings.Repeat("y", MaxRecord+1) + ",2\nz,3\n"
	if got := all(t, open(t, text, Options{})); !slices.Equal(got, []string{"2|x|1", "3!the row is longer than 4 MB", "4|z|3"}) {
		t.Errorf("%.200q", got)
	}
}

func TestAZipBombIsRefused(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("xl/workbook.xml")
	must(t, err)
	_, err = io.WriteString(w, "<workbook/>")
	must(t, err)
	w, err = z.Create("xl/worksheets/sheet1.xml")
	must(t, err)
	zeros := make([]byte, 1<<20)
	for range 1100 {
		_, err = w.Write(zeros)
		must(t, err)
	}
	must(t, z.Close())
	grown := peak(func() {
		if _, err := Open(bytes.NewReader(b.Bytes()), int64(b.Len()), "a", Options{}); problem.Code(err) != "table.too_large" {
			t.Error(err)
		}
	})
	if grown > 64<<20 {
		t.Errorf("%d MB", grown>>20)
	}
}

func TestQuotesThatNeverCloseTakeNoLongerThanTheFile(t *testing.T) {
	const size = 32 << 20
	tab, err := Open(repeated{"\"a,b\n", size}, size, "a", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(all(t, tab)) == 0 {
		t.Error("no rows")
	}
}

func FuzzOpen(f *testing.F) {
	for _, seed := range []string{"a,b\n1,2\n", "\"a\"\"b\nc\",d", `[{"a":1}]`, `{"x":[{"a":{"b":[]}}]}`, "\ufeffa\tb\r\n", "\xb0\xa1,\xb3\xaa\n1,2", "PAR1", "\xff\xfea\x00"} {
		f.Add([]byte(seed))
	}
	f.Add([]byte(book(f, func(b *excelize.File) { must(f, b.SetSheetRow("Sheet1", "A1", &[]any{"a", 1})) })))
	apart = nil // a process for each input takes too long
	f.Fuzz(func(t *testing.T, text []byte) {
		tab, err := Open(bytes.NewReader(text), int64(len(text)), "a", Options{})
		if err != nil {
			if problem.As(err) == nil {
				t.Fatalf("no problem: %v", err)
			}
			return
		}
		line := 0
		for row, err := range tab.Rows() {
			if err != nil {
				if problem.As(err) == nil {
					t.Fatalf("no problem: %v", err)
				}
				return
			}
			if row.Line <= line {
				t.Fatalf("line %d after %d", row.Line, line)
			}
			line = row.Line
			if row.Fault.Empty() && len(row.Cells) != len(tab.Columns) {
				t.Fatalf("%d cells of %d", len(row.Cells), len(tab.Columns))
			}
		}
	})
}

func BenchmarkCSV(b *testing.B) {
	line := "11110,서울특별시 종로구,\"1,234\",2026-11-24,37.5665,126.978,abc,def,9,Y\n"
	text := "a,b,c,d,e,f,g,h,i,j\n" + strings.Repeat(line, 100_000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		n := 0
		for _, err := range open(b, text, Options{}).Rows() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != 100_000 {
			b.Fatal(n)
		}
	}
	b.ReportMetric(100_000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func TestAMarkOfUTF8CountsMoreThanWhatWasSaid(t *testing.T) {
	const file = "\ufeff_line,이름\n2,도서관\n" // the rejected rows of a file in CP949, mended
	table, err := Open(strings.NewReader(file), int64(len(file)), "libraries.rejected.csv", Options{Encoding: "cp949"})
	if err != nil || table.Encoding != "utf-8" || table.Columns[1] != "이름" {
		t.Errorf("%+v %v", table, err)
	}
}

// TestAFileThatAsksForAllMemoryEndsItsReaderAlone makes a Parquet file lie about how many entries its schema has.
func TestAFileThatAsksForAllMemoryEndsItsReaderAlone(t *testing.T) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.BinaryTypes.String, Metadata: arrow.NewMetadata([]string{"title"}, []string{"가"})}}, nil)
	var b bytes.Buffer
	w, err := pqarrow.NewFileWriter(schema, &b, nil, pqarrow.NewArrowWriterProperties(pqarrow.WithStoreSchema()))
	must(t, err)
	column := array.NewStringBuilder(memory.DefaultAllocator)
	column.Append("x")
	must(t, w.Write(array.NewRecordBatch(schema, []arrow.Array{column.NewArray()}, 1)))
	must(t, w.Close())
	good := b.Bytes()
	if tab, err := Open(bytes.NewReader(good), int64(len(good)), "a", Options{}); err != nil || len(all(t, tab)) != 1 {
		t.Fatal("the file is no table before it lies", err)
	}
	at := bytes.Index(good, []byte("/////"))
	end := at + bytes.IndexFunc(good[at:], func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", r)
	})
	stored, err := base64.StdEncoding.DecodeString(string(good[at:end]))
	must(t, err)
	ended := 0
	for i := 8; i+4 <= len(stored) && ended == 0; i += 4 {
		lying := bytes.Clone(stored)
		binary.LittleEndian.PutUint32(lying[i:], 0x7fffffff)
		bad := bytes.Clone(good)
		base64.StdEncoding.Encode(bad[at:end], lying)
		if _, err := Open(bytes.NewReader(bad), int64(len(bad)), "a", Options{}); problem.Code(err) == "table.broken" {
			ended++
		}
	}
	if ended == 0 {
		t.Error("no lie ended a reader: this test shows nothing")
	}
}

func TestCellsQuotedTwiceTakeNoLongerThanTheirText(t *testing.T) {
	text := "k,s\n" + strings.Repeat(`""a",`, 200_000) + "\n" // one row of a million letters, none of whose cells ends
	began := time.Now()
	if tab, err := Open(strings.NewReader(text), int64(len(text)), "a", Options{}); err == nil {
		all(t, tab)
	}
	if took := time.Since(began); took > 5*time.Second { // it took minutes
		t.Error(took)
	}
}

// The header says how many columns there are, also where the last ones are empty in most rows, or in all of them; a title above it isn't one of its rows.
func TestTheHeaderSaysHowManyColumnsThereAre(t *testing.T) {
	sheet := func(title, every int) string {
		return book(t, func(f *excelize.File) {
			at := 1
			if title > 0 {
				must(t, f.SetSheetRow("Sheet1", "A1", &[]any{"주민센터 현황"}))
				at += title
			}
			must(t, f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", at), &[]any{"번호", "이름", "비고"}))
			for n := range 30 {
				row := []any{fmt.Sprintf("A%03d", n), fmt.Sprintf("시설 %d", n)}
				if every > 0 && n%every == 0 {
					row = append(row, "휴관")
				}
				must(t, f.SetSheetRow("Sheet1", fmt.Sprintf("A%d", at+1+n), &row))
			}
		})
	}
	for what, text := range map[string]string{"some": sheet(0, 5), "none": sheet(0, 0), "below a title": sheet(1, 5), "below a title and an empty row": sheet(2, 5), "below a title, none": sheet(1, 0)} {
		tab := open(t, text, Options{})
		rows := all(t, tab)
		if strings.Join(tab.Columns, ",") != "번호,이름,비고" || len(rows) != 30 || strings.Contains(strings.Join(rows, "\n"), "cells") {
			t.Errorf("%s: %q, %d rows: %.300s", what, tab.Columns, len(rows), rows)
		}
	}
}
