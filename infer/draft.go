package infer

import (
	"fmt"
	"iter"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Input is the table a draft is made from.
type Input struct {
	File    string            // what the file is called; names the dataset where Options don't
	Columns []string          // as the reader of the table gives them, each once
	Titles  map[string]string // longer names the file itself gives its columns
	Title   string            // the table's own title, where it has one
	Key     []string          // the columns of the table's own key, where it has one
	Longest map[string]int    // how many characters a column may have by the table's own definition
	Whole   map[string]bool   // the columns that hold whole numbers by it
	Rows    iter.Seq2[Row, error]
	Sampled bool            // the rows are some of the file's
	Source  manifest.Source // how it was read: sheet, header, skip, encoding, items
	Notes   []lang.Text     // what the reader found odd
}

// Row is one row of a table: its cells as text, in the order of the columns. A row with a Fault can't be read; an
// import will reject it. Cells need to hold only until the next row.
type Row struct {
	Line  int
	Cells []string
	Fault lang.Text
}

// Options say what isn't in the file.
type Options struct {
	Name    string    // of the dataset; from the file's name where empty
	Terms   TermIndex // nil: no terms are cited
	Project bool      // a Project document comes first, because the folder has none
	Folder  string    // the folder, which names the project
	File    string    // what source.file says; Input.File where empty
}

// Draft is a dataset as it could be, with doubts.
type Draft struct {
	Name    string
	Dataset *manifest.Dataset
	Project string // name of the project to print first; "" for none
	Doubts  []Doubt
	Rows    int  // looked at
	Faults  int  // rows that can't be read
	Sampled bool // not all rows were looked at
	LeftOut []string
}

// Doubt is something a person should look at.
type Doubt struct {
	At       string // what it is about, as a path of the manifest: "", "key", "subject", "source", "fields.postcode"
	Code     string // "lost-zero", "personal", "district-codes" …: stable, for programs
	Text     lang.Text
	Examples []string // values, never of fields that look personal
}

func doubt(code string, text lang.Text) Doubt { return Doubt{Code: code, Text: text} }

// some is the doubt as a list, empty when there is none.
func (d Doubt) some() []Doubt {
	if d.Code == "" {
		return nil
	}
	return []Doubt{d}
}

// All rows are looked at up to everyRow; of those behind, one in oneIn.
const (
	everyRow = 200_000
	oneIn    = 10
)

// field is a column on its way to a field.
type field struct {
	typing
	name   string
	column *column
	term   *Match
	class  manifest.Class
	title  string

	longest int  // of the table's own definition; 0: nothing is said
	endless bool // the table's own definition bounds no length
}

func (f *field) say(d ...Doubt) { f.doubts = append(f.doubts, d...) }

// From drafts a dataset for a table. It returns a Problem with code "infer.columns" when the table has no columns or more
// than a dataset may have, "infer.encoding" when their names aren't UTF-8, "infer.rows" when it has no row that can be read, and the reader's own error as it is.
func From(in Input, o Options) (*Draft, error) {
	if len(in.Columns) == 0 || len(in.Columns) > manifest.MaxFields {
		return nil, problem.New("infer.columns", http.StatusBadRequest,
			lang.F("열이 %d개입니다. 데이터셋에는 항목을 1개에서 %d개까지 둘 수 있습니다", "the table has %d columns; a dataset has 1 to %d fields", len(in.Columns), manifest.MaxFields))
	}
	if slices.ContainsFunc(in.Columns, func(c string) bool { return !utf8.ValidString(c) }) {
		return nil, problem.New("infer.encoding", http.StatusBadRequest, lang.T("열 이름이 UTF-8이 아닙니다", "the names of columns aren't UTF-8"))
	}
	r, err := read(in)
	if err != nil {
		return nil, err
	}
	if r.looked == 0 {
		return nil, problem.New("infer.rows", http.StatusBadRequest, lang.T("읽을 수 있는 행이 하나도 없습니다", "it has no row that can be read")).
			Hinting(lang.T("열 이름 아래에 자료가 있는지, 구분 기호와 인코딩이 맞는지 확인하십시오", "look whether there are data below the names of columns, and at delimiter and encoding"))
	}
	d := &Draft{Name: o.name(in), Rows: r.looked, Faults: r.faults, Sampled: in.Sampled || r.skipped > 0}
	if o.Project {
		if d.Project = strings.ReplaceAll(identifier(path.Base(strings.ReplaceAll(o.Folder, `\`, "/"))), "_", "-"); !manifest.ValidName(d.Project) {
			d.Project = "project"
		}
	}
	d.conclude(in, o, r)
	return d, nil
}

// reading is what was seen of a table.
type reading struct {
	columns                 []*column
	matrix                  *matrix
	looked, faults, skipped int
}

func read(in Input) (*reading, error) {
	r := &reading{matrix: newMatrix(len(in.Columns)), columns: make([]*column, len(in.Columns))}
	for i, header := range in.Columns {
		r.columns[i] = newColumn(i, header, in.Titles[header])
	}
	row, n := make([]uint64, len(in.Columns)), 0
	for cells, err := range in.Rows {
		if err != nil {
			return nil, err
		}
		if !cells.Fault.Empty() {
			r.faults++
			continue
		}
		if n++; n > everyRow && n%oneIn != 0 {
			r.skipped++
			continue
		}
		r.looked++
		for i, c := range r.columns {
			row[i] = 0
			if i < len(cells.Cells) {
				row[i] = c.add(cells.Cells[i])
			} else {
				c.rows++
			}
		}
		r.matrix.add(row)
	}
	for _, c := range r.columns {
		c.finish()
	}
	return r, nil
}

// conclude turns what was seen into a dataset with doubts.
func (d *Draft) conclude(in Input, o Options, r *reading) {
	people, places := findPeople(r.columns), findPlaces(r.columns, r.matrix)
	fields, list := d.fieldsOf(r, places), []*field(nil)
	for _, c := range r.columns {
		if f := fields[c]; f != nil {
			list = append(list, f)
		} else {
			d.LeftOut = append(d.LeftOut, c.header)
		}
	}
	empty, taken := emptiesOf(list), map[string]bool{}
	r.matrix.blank(empty)
	for _, f := range list {
		f.empty = empty // an import reads them as empty in every column
		f.cite(o.Terms, people, places[f.column])
		f.declared(in)
		f.name = numbered(f.named(), taken)
		f.classify(people)
	}
	keys := ownKey(in, r.columns, fields)
	if keys.columns == nil {
		keys = findKey(r.columns, fields, people, r.matrix, !d.Sampled)
	}
	coordinateDoubts(r.columns, fields)
	likenessDoubts(r.columns, fields, r.matrix)
	fewValuesDoubts(list, places)
	d.Doubts = append(d.Doubts, d.tableDoubts(in, r)...)
	d.Doubts = append(d.Doubts, sinceDoubt(in, list)...)
	d.Doubts = append(d.Doubts, totalsDoubt(r.columns, fields)...)
	d.Doubts = append(d.Doubts, districtDoubts(r.columns, fields, places)...)
	for _, k := range keys.doubts {
		k.At = "key"
		d.Doubts = append(d.Doubts, k)
	}
	d.Dataset = &manifest.Dataset{Title: o.title(in), Source: in.source(o, list, empty)}
	for _, c := range keys.columns {
		d.Dataset.Key = append(d.Dataset.Key, fields[c].name)
	}
	if s := fields[people.subject]; people.subject != nil && s != nil {
		d.Dataset.Subject = s.name
		d.Doubts = append(d.Doubts, Doubt{At: "subject", Code: "subject", Text: lang.F("사람에 관한 표로 보입니다. 누구인지 나타내는 항목: %s", "the table seems to be about people: %s says who", s.name)})
	}
	for _, f := range list {
		d.Dataset.Fields = append(d.Dataset.Fields, f.spec())
		for _, said := range f.doubts {
			said.At = "fields." + f.name
			if f.class.AtLeast(manifest.Personal) {
				said.Examples = nil
			}
			d.Doubts = append(d.Doubts, said)
		}
	}
}

// fieldsOf types the columns. Words for "no value" that a text column also has are not read as empty anywhere, which can
// make text of another column; so it goes round until nothing changes.
func (d *Draft) fieldsOf(r *reading, found map[*column]*places) map[*column]*field {
	fields := map[*column]*field{}
	keepAll := !slices.ContainsFunc(r.columns, func(c *column) bool { return !c.dispensable() })
	for range 4 {
		banned := map[string]bool{}
		for _, c := range r.columns {
			if c.dispensable() && !keepAll {
				continue
			}
			fields[c] = &field{typing: c.typed(), column: c}
			if p := found[c]; p != nil && !p.names && fields[c].kind == manifest.Int && c.wholeFloats == 0 && fields[c].refused == 0 {
				fields[c].typing = c.text(c.filled) // codes are names, not numbers
			}
			if fields[c].kind != manifest.String {
				continue
			}
			for word := range c.empties {
				if emptyTexts[word] == 2 {
					banned[word] = true
				}
			}
		}
		again := false
		for _, c := range r.columns {
			for word := range banned {
				if f := fields[c]; f != nil && f.kind != manifest.String && c.empties[word] > 0 {
					delete(c.empties, word)
					c.refused[f.kind] = append(c.refused[f.kind], word)
					again = true
				}
			}
		}
		if !again {
			break
		}
	}
	return fields
}

// dispensable reports whether a column has no name, and nothing in it but nothing or the numbers of the rows.
func (c *column) dispensable() bool {
	if rest, unnamed := strings.CutPrefix(c.header, "column "); !unnamed && c.header != "" || unnamed && !allDigits(rest) {
		return false
	}
	counts := c.at == 0 && c.parsed[manifest.Int] == c.filled && c.filled == c.rows && c.low >= 0 && c.low <= 1 && c.high-c.low == float64(c.rows-1)
	return c.filled == 0 || (counts && c.rows > 2)
}

// emptiesOf lists the texts that fields other than text need to be read as no value.
func emptiesOf(list []*field) (out []string) {
	for _, f := range list {
		if f.kind != manifest.String {
			out = append(out, f.empty...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// blank makes the cells that hold one of some texts empty.
func (m *matrix) blank(texts []string) {
	if len(texts) == 0 {
		return
	}
	gone := map[uint64]bool{}
	for _, t := range texts {
		gone[hash(t)] = true
	}
	for i, h := range m.cells {
		if gone[h] {
			m.cells[i] = 0
		}
	}
}

// declared takes what the table's own definition says over what a few values look like.
func (f *field) declared(in Input) {
	f.longest = in.Longest[f.column.header]
	f.endless = in.Longest != nil && f.longest == 0
	if f.term == nil && f.longest > 0 && (f.kind == manifest.Int || f.kind == manifest.Double) { // text, whatever it looks like: 007 isn't 7
		f.kind, f.pattern = manifest.String, ""
	}
	if f.term == nil && f.kind == manifest.String && in.Whole[f.column.header] {
		f.kind, f.pattern = manifest.Int, ""
	}
}

// spec is the field as a manifest says it: what its term says is left out.
func (f *field) spec() manifest.Field {
	out := manifest.Field{Name: f.name, Class: f.class}
	if f.term != nil {
		out.Term = f.term.Name
		if f.term.Term.Class != "" && f.term.Term.Class.AtLeast(f.class) {
			out.Class = ""
		}
		return out
	}
	out.Title, out.Type = lang.Text{Ko: f.title}, f.kind
	if f.kind == manifest.String {
		out.Length, out.Pattern = f.column.length(), f.pattern
		if f.longest > 0 || f.endless { // what few values look like doesn't bound those to come
			out.Length = f.longest
		}
	}
	return out
}

// tableDoubts says what is to be known of the table as a whole.
func (d *Draft) tableDoubts(in Input, r *reading) (out []Doubt) {
	for _, note := range in.Notes {
		out = append(out, doubt("note", note))
	}
	if d.Sampled {
		out = append(out, doubt("sampled", lang.F("%s개 행만 확인했습니다. 확인하지 않은 행에는 다른 값이 있을 수 있습니다", "only %s rows were looked at; others may hold other values", grouped(d.Rows))))
	}
	if d.Faults > 0 {
		out = append(out, doubt("faults", lang.F("읽을 수 없는 행이 %s개 있습니다. 가져올 때 제외하고, 이유와 함께 파일로 남깁니다", "%s rows can't be read; an import puts them into the rejected file with the reason", grouped(d.Faults))))
	}
	if r.matrix.repeated > 0 {
		out = append(out, doubt("repeated", lang.F("모든 값이 같은 행이 %s개 더 있습니다. 레코드 하나로 합칩니다", "%s rows repeat another cell for cell: they become one record", grouped(r.matrix.repeated))))
	}
	return out
}

// source says how an import reads the same file the same way.
func (in Input) source(o Options, list []*field, empty []string) *manifest.Source {
	s := in.Source
	if s.Database != "" {
		if len(list) > 0 && list[0].column.rows > wholeRows { // a smaller one is read whole each time: then deletions come at once too
			s.Since = sinceOf(list)
		}
	} else if s.File = o.File; s.File == "" {
		s.File = path.Base(strings.ReplaceAll(in.File, `\`, "/"))
		if s.File == "" || s.File == "." || s.File == "/" || s.File == ".." {
			s.File = "table"
		}
	}
	s.Empty = empty
	for _, f := range list {
		if f.name != f.column.header {
			if s.Map == nil {
				s.Map = map[string]string{}
			}
			s.Map[f.column.header] = f.name
		}
	}
	return &s
}

// wholeRows is how many rows a table may have to be read whole each time.
const wholeRows = 100_000

// sinceDoubt says what it means that only changed rows are read, or could be.
func sinceDoubt(in Input, list []*field) []Doubt {
	column := sinceOf(list)
	if in.Source.Database == "" || column == "" {
		return nil
	}
	d := doubt("since", lang.F("since: %[1]s가 있으면 그 뒤에 바뀐 행만 읽습니다. 삭제된 행과, %[1]s의 값이 그대로인 변경은 하루에 한 번 반영됩니다", "with since: %[1]s only rows that changed after it are read; rows that are deleted, and changes that leave %[1]s as it is, come once a day", column))
	d.At = "source"
	return []Doubt{d}
}

// changed finds names of columns that say when a row was last changed.
var changed = regexp.MustCompile(`(?i)^(last_?)?(upd(ate[d]?)?|mod(ify|ified)?|chg|chang(e|ed)|mdfcn)_?(at|on|dt|dttm|date|time|ts|timestamp)$|수정일시|변경일시|갱신일시|최종변경|최종수정`)

// sinceOf is the column that says when a row was last changed, or "".
func sinceOf(list []*field) string {
	for _, f := range list {
		if f.kind == manifest.Datetime && f.column.filled == f.column.rows && changed.MatchString(f.column.header) {
			return f.column.header
		}
	}
	return ""
}

func (o Options) name(in Input) string {
	name := o.Name
	if !manifest.ValidName(name) {
		name = resourceName(in.File)
	}
	if !manifest.ValidName(name) {
		return "table"
	}
	return name
}

// title is the table's own title, or the file's name in words.
func (o Options) title(in Input) lang.Text {
	if t := strings.TrimSpace(in.Title); t != "" {
		return lang.Text{Ko: plain(t)}
	}
	base := path.Base(strings.ReplaceAll(in.File, `\`, "/"))
	if base = plain(strings.ReplaceAll(strings.TrimSuffix(base, path.Ext(base)), "_", " ")); base == "" || base == "." {
		base = o.name(in)
	}
	return lang.Text{Ko: base}
}

// plain is a text on one line, of characters that can be written.
func plain(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))), " ")
	if r := []rune(s); len(r) > 200 {
		return string(r[:200])
	}
	return s
}

// grouped writes a count with thousands commas.
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func listed(texts []string) string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = fmt.Sprintf("%q", shortened(t))
	}
	return strings.Join(out, ", ")
}

func containsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(s, p) })
}
