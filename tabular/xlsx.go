package tabular

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// xlsxSource is a sheet of a workbook (ECMA-376).
type xlsxSource struct {
	table *Table
	size  int64
	book  *excelize.File
	sheet string
	total int  // rows, for the progress; 0 where they weren't counted
	from  bool // days count from 1904
	plain bool // no cell is shown in a form that means something
}

func openXLSX(t *Table, in *io.SectionReader, o Options) error {
	if in.Size() > MaxBook {
		return tooLarge()
	}
	book, err := excelize.OpenReader(in, excelize.Options{UnzipSizeLimit: MaxUnzip, UnzipXMLSizeLimit: 16 << 20})
	if err != nil {
		if errors.Is(err, excelize.ErrWorkbookFileFormat) || strings.Contains(err.Error(), "zip:") || strings.Contains(err.Error(), "EOF") {
			return truncated()
		}
		if strings.Contains(err.Error(), "unzip size") {
			return tooLarge()
		}
		return problem.New("table.form", 422, lang.F("엑셀 파일을 읽을 수 없습니다: %s", "the workbook can't be read: %s", shorten(err.Error()))).Hinting(convert)
	}
	t.closer = book
	s := &xlsxSource{table: t, size: in.Size(), book: book}
	if props, err := book.GetWorkbookProps(); err == nil && props.Date1904 != nil {
		s.from = *props.Date1904
	}
	s.plain = !formed(book)
	t.source = s
	if err := s.choose(o.Sheet); err != nil {
		return err
	}
	return t.headed(o)
}

func tooLarge() error {
	return problem.New("table.too_large", 422, lang.F("엑셀 파일이 너무 큽니다. 파일은 %[1]d MB, 압축을 푼 크기는 %[2]d MB까지 읽을 수 있습니다", "the workbook is too large: at most %[1]d MB, and %[2]d MB unpacked, are read", MaxBook>>20, MaxUnzip>>20)).
		Hinting(lang.T("CSV로 저장해 올리십시오", "save it as CSV"))
}

// choose takes the sheet that was asked for, or the one with the most rows.
func (s *xlsxSource) choose(asked string) error {
	t := s.table
	t.Sheets = s.book.GetSheetList()
	best := -1
	for _, name := range t.Sheets {
		if asked != "" && name != asked {
			continue
		}
		if visible, err := s.book.GetSheetVisible(name); err == nil && !visible && asked == "" {
			continue
		}
		n := 0
		if len(t.Sheets) > 1 {
			n = s.count(name)
		}
		if n > best {
			best, s.sheet, s.total = n, name, n
		}
	}
	if best < 0 {
		return noSheet(asked, t.Sheets)
	}
	t.Sheet = s.sheet
	noteSheets(t, asked)
	return nil
}

func noSheet(asked string, sheets []string) error {
	return problem.New("table.sheet", 422, lang.F("없는 시트입니다: %q", "there is no sheet %q", asked)).
		Hinting(lang.F("있는 시트: %s", "its sheets: %s", strings.Join(sheets, ", ")))
}

func noteSheets(t *Table, asked string) {
	if len(t.Sheets) > 1 && asked == "" {
		t.note("sheets", lang.F("시트가 여러 개입니다(%s). 읽을 시트: %s", "there are several sheets (%s); %s is read", strings.Join(t.Sheets, ", "), t.Sheet))
	}
}

// count counts the rows of a sheet.
func (s *xlsxSource) count(sheet string) int {
	rows, err := s.book.Rows(sheet)
	if err != nil {
		return 0 // a sheet of a chart has none
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		n++
	}
	return n
}

// formed reports whether a workbook has styles that make numbers days, times or codes: by the built-in formats of ECMA-376 18.8.30 and those
// of East Asia, or by letters and zeros in its own.
func formed(book *excelize.File) bool {
	if _, err := book.GetStyle(0); err != nil || book.Styles == nil || book.Styles.CellXfs == nil {
		return true
	}
	own := map[int]bool{}
	if book.Styles.NumFmts != nil {
		for _, f := range book.Styles.NumFmts.NumFmt {
			code := strings.ToLower(quotedInFormat.ReplaceAllString(f.FormatCode, ""))
			own[f.NumFmtID] = strings.ContainsAny(code, "ymdhs년월일") || strings.HasPrefix(code, "00")
		}
	}
	for _, xf := range book.Styles.CellXfs.Xf {
		if xf.NumFmtID == nil {
			continue
		}
		n := *xf.NumFmtID
		if special, known := own[n]; (known && special) || (!known && (n >= 14 && n <= 22 || n >= 27 && n <= 36 || n >= 45 && n <= 47 || n >= 50 && n <= 58)) {
			return true
		}
	}
	return false
}

// quotedInFormat is what a format shows as it is, and its colours and conditions.
var quotedInFormat = regexp.MustCompile(`"[^"]*"|\\.|\[[^\]]*\]`)

// long is how workbooks write numbers that aren't short: all 17 digits, or with an exponent.
var long = regexp.MustCompile(`^-?[0-9]+\.[0-9]{12,}$|^-?[0-9](\.[0-9]+)?E[+-][0-9]+$`)

// rows implements source.
func (s *xlsxSource) rows(yield func(raw) bool) error {
	if !s.plain {
		return s.both(yield)
	}
	stored, err := s.book.Rows(s.sheet)
	if err != nil {
		return wrongSheet(err)
	}
	defer stored.Close()
	for line := 1; stored.Next(); line++ {
		cells, err := stored.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return wrongSheet(err)
		}
		for i, c := range cells {
			if long.MatchString(c) {
				cells[i] = shortest(c)
			}
		}
		if !s.hand(yield, line, cells) {
			return nil
		}
	}
	if err := stored.Error(); err != nil {
		return wrongSheet(err)
	}
	s.table.read.Store(s.size)
	return nil
}

// hand hands a row on, unless it is blank.
func (s *xlsxSource) hand(yield func(raw) bool, line int, cells []string) bool {
	if s.total > 0 {
		s.table.read.Store(min(s.size, s.size*int64(line)/int64(s.total)))
	}
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return yield(raw{line: line, cells: cells})
		}
	}
	return true
}

// both reads a sheet in which a cell must be looked at twice: as the number that is stored and as it is shown, which says whether it is a day.
func (s *xlsxSource) both(yield func(raw) bool) error {
	shown, err := s.book.Rows(s.sheet)
	if err != nil {
		return wrongSheet(err)
	}
	defer shown.Close()
	stored, err := s.book.Rows(s.sheet)
	if err != nil {
		return wrongSheet(err)
	}
	defer stored.Close()
	for line := 1; shown.Next() && stored.Next(); line++ {
		asShown, err := shown.Columns()
		if err != nil {
			return wrongSheet(err)
		}
		asStored, err := stored.Columns(excelize.Options{RawCellValue: true})
		if err != nil {
			return wrongSheet(err)
		}
		cells := make([]string, len(asShown))
		for i, text := range asShown {
			cells[i] = text
			if i < len(asStored) && asStored[i] != text {
				cells[i] = s.value(asStored[i], text)
			}
		}
		if !s.hand(yield, line, cells) {
			return nil
		}
	}
	if err := errors.Join(shown.Error(), stored.Error()); err != nil {
		return wrongSheet(err)
	}
	s.table.read.Store(s.size)
	return nil
}

func wrongSheet(err error) error {
	if strings.Contains(err.Error(), "EOF") {
		return truncated()
	}
	return problem.New("table.form", 422, lang.F("시트를 읽을 수 없습니다: %s", "the sheet can't be read: %s", shorten(err.Error()))).Hinting(convert)
}

// value is what a cell means whose number is shown in another way.
func (s *xlsxSource) value(stored, shown string) string {
	number, err := strconv.ParseFloat(stored, 64)
	if err != nil {
		return shown
	}
	if t, err := excelize.ExcelDateToTime(number, s.from); err == nil && shownAs(t, shown) {
		if t = t.Round(time.Second); t.Hour()+t.Minute()+t.Second() == 0 {
			return t.Format(manifest.DateLayout)
		}
		return t.Format("2006-01-02 15:04:05")
	}
	if len(shown) > 1 && shown[0] == '0' && shown[1] != '.' { // a code, filled up with zeros
		return shown
	}
	return strconv.FormatFloat(number, 'f', -1, 64)
}

// shownAs reports whether a text shows a point in time: each of its numbers is one of its parts, among them day and month or hour and minute.
func shownAs(t time.Time, text string) bool {
	if !strings.ContainsAny(text, "-/.:년월일") {
		return false
	}
	parts := map[int]string{t.Year(): "y", t.Year() % 100: "y", t.Second(): "s", t.Minute(): "n", t.Hour(): "h", (t.Hour()+11)%12 + 1: "h", t.Day(): "d", int(t.Month()): "m"}
	numbers := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	for _, n := range numbers {
		v, err := strconv.Atoi(n)
		if err != nil || parts[v] == "" {
			return false
		}
	}
	return len(numbers) >= 2
}
