package tabular

import (
	"regexp"
	"slices"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// maxHeader is how many rows of column names are looked for.
const maxHeader = 4

// headed finds where the names of the columns stand, and names them.
func (t *Table) headed(o Options) error {
	var head [][]string
	err := t.source.rows(func(r raw) bool {
		head = append(head, slices.Clone(r.cells))
		return len(head) < headRows+o.Skip
	})
	if err != nil {
		return err
	}
	if t.Skip = min(o.Skip, len(head)); t.Skip < len(head) {
		head = head[t.Skip:]
	} else {
		return empty()
	}
	width := max(usualWidth(head, t.Form == "csv"), namedWidth(head))
	if o.Skip == 0 {
		n := titleRows(head, width)
		for _, row := range head[:n] {
			if text := strings.Join(filled(row), " "); t.Title == "" {
				t.Title = tidy(text)
			}
		}
		t.Skip, head = n, head[n:]
		if n > 0 {
			t.note("title", lang.F("열 이름 위의 %d개 행은 제목으로 보고 건너뜁니다", "the %d rows above the column names are taken for a title and left out", n))
		}
	}
	if o.Header != nil {
		t.Header = min(*o.Header, len(head))
	} else {
		t.Header = headerRows(head, width)
	}
	names := make([]string, width)
	if t.Header > 0 {
		names = joined(head[:t.Header], width)
	} else {
		t.note("no-header", lang.T("열 이름이 없는 파일로 보입니다", "the file seems to have no column names"))
	}
	if t.Header > 1 {
		t.note("header", lang.F("열 이름이 %d개 행에 걸쳐 있어 이어 붙였습니다", "the column names stand in %d rows and were joined", t.Header))
	}
	names = t.drop(names, head[t.Header:])
	t.Columns = distinct(names)
	if len(head) == t.Header && t.Form != "csv" {
		return empty()
	}
	return nil
}

// usualWidth is the number of cells that most rows have, empty ones at their ends aside; the greater one where two are as frequent.
func usualWidth(rows [][]string, delimited bool) int {
	counts := map[int]int{}
	best := 0
	for _, row := range rows {
		n := len(row)
		counts[n]++
		if counts[n] > counts[best] || (counts[n] == counts[best] && n > best) {
			best = n
		}
	}
	if delimited {
		return max(best, 1)
	}
	trimmed := 0 // workbooks give rows without the empty cells at their ends
	for _, row := range rows {
		for i := len(row); i > trimmed; i-- {
			if strings.TrimSpace(row[i-1]) != "" {
				trimmed = i
				break
			}
		}
	}
	if best < trimmed && len(counts) > len(rows)/3 {
		return trimmed
	}
	return max(best, 1)
}

// namedWidth is how many columns the first row names that has more than one cell, where each of them is a different word: the last ones may be empty in most rows. 0 where it is no such row.
func namedWidth(rows [][]string) int {
	for _, row := range rows[:min(10, len(rows))] {
		cells := filled(row)
		if len(cells) < 2 {
			continue
		}
		seen := map[string]bool{}
		for _, c := range cells {
			if kindOf(c) != word || seen[c] || len([]rune(c)) > 60 {
				return 0
			}
			seen[c] = true
		}
		for i, c := range row { // one next to the other
			if (strings.TrimSpace(c) != "") != (i < len(cells)) {
				return 0
			}
		}
		if aside.MatchString(cells[len(cells)-1]) {
			return 0
		}
		return len(cells)
	}
	return 0
}

func filled(row []string) (out []string) {
	for _, c := range row {
		if s := strings.TrimSpace(c); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// aside is what stands above tables beside titles.
var aside = regexp.MustCompile(`^[(<\[※*]?\s*(단위|기준|출처|자료|작성|조사)`)

// titleRows counts the rows at the top that are a title, a unit, a source: with one thing in them where others have several.
func titleRows(rows [][]string, width int) int {
	if width < 2 {
		return 0
	}
	n := 0
	for n < len(rows)-1 && n < 10 {
		cells := filled(rows[n])
		several := len(cells) > 1 && !(len(cells) <= 2 && aside.MatchString(cells[len(cells)-1]))
		if several || (len(cells) == 0 && n == 0 && len(rows[0]) == 0) {
			break
		}
		n++
	}
	if width == 2 && (n >= len(rows)-1 || len(filled(rows[n])) < 2 || slices.ContainsFunc(rows[n], func(c string) bool { return kindOf(c) != word })) {
		return 0 // in a narrow table a row of one cell says little
	}
	return n
}

// The kinds of cells that tell a header from data.
const (
	nothing = iota
	number  // or a day: what column names rarely are
	word
)

var dashes = map[string]bool{"-": true, "–": true, "*": true, "X": true, "x": true, "NA": true, "N/A": true, "…": true}

func kindOf(cell string) int {
	s := strings.TrimSpace(cell)
	if s == "" || dashes[s] {
		return nothing
	}
	for _, t := range []manifest.Type{manifest.Double, manifest.Date, manifest.Datetime} {
		if _, ok := t.Parse(s); ok {
			return number
		}
	}
	return word
}

// headerRows counts the rows of column names. In a column whose values are numbers a name is a word; where no column has numbers, one row of
// different words that come again nowhere below is a header.
func headerRows(rows [][]string, width int) int {
	if len(rows) == 1 {
		return 1
	}
	cell := func(row []string, i int) string {
		if i < len(row) {
			return row[i]
		}
		return ""
	}
	var numeric []int // columns whose values are numbers
	from := min(maxHeader, len(rows)/2)
	for i := range width {
		counts := [3]int{}
		for _, row := range rows[from:] {
			counts[kindOf(cell(row, i))]++
		}
		if counts[number] > 0 && counts[number] >= 4*counts[word] {
			numeric = append(numeric, i)
		}
	}
	n := 0
	for n < min(maxHeader, len(rows)-1) {
		row := rows[n]
		words, numbers := 0, 0
		for _, i := range numeric {
			switch c := cell(row, i); {
			case kindOf(c) == word, year(c):
				words++
			case kindOf(c) == number:
				numbers++
			}
		}
		if len(numeric) == 0 || numbers > 0 || words == 0 || (n > 0 && 2*words < len(numeric) && len(filled(row)) > words) {
			break
		}
		n++
	}
	if n > 0 || len(numeric) > 0 && 3*len(numeric) >= width {
		return n
	}
	return wordHeader(rows, width)
}

// year reports whether a cell is a year, which names columns too.
func year(c string) bool {
	s := strings.TrimSpace(c)
	return len(s) == 4 && (strings.HasPrefix(s, "19") || strings.HasPrefix(s, "20")) && kindOf(s) == number
}

// wordHeader reports whether the first row of a table of words names its columns: its cells are short, different, and none of them comes
// again in its column.
func wordHeader(rows [][]string, width int) int {
	first := filled(rows[0])
	if 2*len(first) < width {
		return 0
	}
	seen := map[string]bool{}
	for _, c := range first {
		if seen[c] || kindOf(c) == number || len([]rune(c)) > 60 {
			return 0
		}
		seen[c] = true
	}
	for i, c := range rows[0] {
		for _, row := range rows[1:] {
			if i < len(row) && row[i] == c && strings.TrimSpace(c) != "" {
				return 0
			}
		}
	}
	return 1
}

// joined joins the rows of a header: a cell of an upper row goes for the empty ones to its right, as merged cells are written.
func joined(rows [][]string, width int) []string {
	parts := make([][]string, width)
	for n, row := range rows {
		last := ""
		for i := range width {
			text := ""
			if i < len(row) {
				text = tidy(row[i])
			}
			if text == "" && n < len(rows)-1 && !(i < len(rows[n+1]) && n > 0 && len(parts[i]) == 0) {
				text = last
			} else if text != "" {
				last = text
			}
			if text != "" && !slices.Contains(parts[i], text) {
				parts[i] = append(parts[i], text)
			}
		}
	}
	out := make([]string, width)
	for i, p := range parts {
		out[i] = strings.Join(p, " ")
	}
	return out
}

// drop leaves out columns at the end that have neither a name nor values.
func (t *Table) drop(names []string, rows [][]string) []string {
	n := len(names)
	for n > 1 && names[n-1] == "" && !slices.ContainsFunc(rows, func(row []string) bool { return n <= len(row) && strings.TrimSpace(row[n-1]) != "" }) {
		n--
	}
	if n < len(names) && t.Header > 0 {
		t.note("empty-columns", lang.F("이름도 값도 없는 끝의 열 %d개를 제외했습니다", "%d columns at the end without name and values were left out", len(names)-n))
		return names[:n]
	}
	return names
}
