package manifest

import (
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Vocabulary is many terms at once, from a table beside the manifest, such as the government's common standard terms.
// A Term document with the same name comes first: a vocabulary's term of that name is left out, and plan says so.
type Vocabulary struct {
	Title   Text              `yaml:"title" need:"yes" ko:"용어집 이름" en:"Name of the vocabulary"`
	File    string            `yaml:"file" need:"yes" ko:"표 파일 (CSV 또는 XLSX)" en:"The table: CSV or XLSX"`
	Map     map[string]string `yaml:"map" need:"yes" ko:"표의 열 → 용어의 항목 (name, title, type, length, definition, code_system, class, unit, synonyms, abbreviation, domain)" en:"Column of the table → field of the term (name, title, type, length, definition, code_system, class, unit, synonyms, abbreviation, domain)"`
	Class   Class             `yaml:"class" oneof:"public,internal,personal,sensitive,unique" ko:"용어의 기본 보호 등급" en:"Class of the terms that say none"`
	Edition string            `yaml:"edition" ko:"판" en:"Edition of the table"`
}

// Titled is the vocabulary's name.
func (v *Vocabulary) Titled() Text { return v.Title }

// vocabularyFields are the fields of a term that a column of the table can give.
var vocabularyFields = []string{"name", "title", "type", "length", "definition", "code_system", "class", "unit", "synonyms", "abbreviation", "domain", "edition"}

func (v *Vocabulary) check(c *checker) {
	columns := slices.Sorted(maps.Keys(v.Map))
	given := map[string]bool{}
	for _, column := range columns {
		to := v.Map[column]
		given[to] = true
		if !slices.Contains(vocabularyFields, to) {
			hint := Textf("쓸 수 있는 항목: %s", "one of: %s", strings.Join(vocabularyFields, ", "))
			if near := Nearest(to, vocabularyFields); near != "" {
				hint = Textf("비슷한 이름: %s", "did you mean %s?", near)
			}
			c.fault("map."+column, "manifest.value", Textf("용어에 없는 항목입니다: %q", "a term has no %q", to), hint)
		}
	}
	if len(v.Map) > 0 && !given["title"] {
		c.fault("map", "vocabulary.columns", T("용어 이름(title)이 될 열이 필요합니다", "a column must give the title"), Text{})
	}
	if len(v.Map) > 0 && !given["name"] && !given["abbreviation"] {
		c.fault("map", "vocabulary.columns", T("name이나 abbreviation이 될 열이 필요합니다", "a column must give the name or the abbreviation"), Text{})
	}
	if v.File == "" {
		return
	}
	if path.IsAbs(v.File) || strings.Contains(v.File, "..") {
		c.fault("file", "manifest.path", T("표는 이 폴더 안에 있어야 합니다", "the table must lie in this folder"), Text{})
	}
}

func (v *Vocabulary) references(*Resource) []Reference { return nil }

// Entry is a term of a vocabulary with the line of the table it comes from.
type Entry struct {
	Name string
	Term *Term
	Line int
}

// Terms reads the terms of the vocabulary from its table (CSV in UTF-8). Rows that can't be terms are left out, and a
// finding says which and why; so are abolished ones (an edition that says 폐기) and all but the last of those with one name.
func (v *Vocabulary) Terms(r *Resource) ([]Entry, []Finding) {
	say := func(severity Severity, code, at string, message Text) Finding {
		return Finding{Severity: severity, Code: code, Pos: r.At(at), Resource: r.Key, Message: message}
	}
	rows := csv.NewReader(strings.NewReader(strings.TrimPrefix(r.Tables[v.File], "\ufeff")))
	rows.FieldsPerRecord = -1
	header, err := rows.Read()
	if err != nil {
		return nil, []Finding{say(Error, "vocabulary.table", "file", Textf("표를 읽을 수 없습니다: %s", "the table %s can't be read", v.File))}
	}
	column, findings := map[string]int{}, []Finding(nil)
	for _, name := range slices.Sorted(maps.Keys(v.Map)) {
		i := slices.IndexFunc(header, func(h string) bool { return strings.TrimSpace(h) == name })
		if i < 0 {
			findings = append(findings, say(Error, "vocabulary.columns", "map."+name, Textf("표에 없는 열입니다: %q (있는 열: %s)", "the table has no column %q (it has: %s)", name, strings.Join(header, ", "))))
			continue
		}
		column[v.Map[name]] = i
	}
	if len(findings) > 0 {
		return nil, findings
	}
	return v.readTerms(rows, column, say)
}

func (v *Vocabulary) readTerms(rows *csv.Reader, column map[string]int, say func(Severity, string, string, Text) Finding) (entries []Entry, findings []Finding) {
	at, abolished, twice, wrong := map[string]int{}, 0, []string(nil), []string(nil)
	for {
		row, err := rows.Read()
		if err == io.EOF {
			break
		}
		line, _ := rows.FieldPos(0)
		if err != nil {
			return nil, append(findings, say(Error, "vocabulary.table", "file", Textf("표의 %v번째 줄을 읽을 수 없습니다: %s", "line %v of the table can't be read: %s", line, err.Error())))
		}
		cell := func(field string) string {
			if i, ok := column[field]; ok && i < len(row) {
				if s := strings.TrimSpace(row[i]); s != "-" {
					return s
				}
			}
			return ""
		}
		if strings.Contains(cell("edition"), "폐기") {
			abolished++
			continue
		}
		name, term := v.term(cell)
		if !ValidName(name) || term.Title.Empty() || !term.Type.Valid() {
			wrong = append(wrong, fmt.Sprintf("%d", line))
			continue
		}
		if i, ok := at[name]; ok {
			twice = append(twice, name)
			entries[i] = Entry{Name: name, Term: term, Line: line}
			continue
		}
		at[name] = len(entries)
		entries = append(entries, Entry{Name: name, Term: term, Line: line})
		if len(entries) > MaxVocabulary {
			return nil, append(findings, say(Error, "vocabulary.large", "file", Textf("한 용어집에는 용어를 %d개까지 둘 수 있습니다", "a vocabulary holds at most %d terms", MaxVocabulary)))
		}
	}
	if abolished > 0 {
		findings = append(findings, say(Note, "vocabulary.abolished", "file", Textf("폐기된 용어 %d개를 제외했습니다", "%d abolished terms were left out", abolished)))
	}
	if len(twice) > 0 {
		findings = append(findings, say(Warning, "vocabulary.twice", "file", Textf("이름이 같은 용어는 뒤에 나온 것을 씁니다: %s", "of terms with one name the last is used: %s", some(twice))))
	}
	if len(wrong) > 0 {
		findings = append(findings, say(Warning, "vocabulary.rows", "file", Textf("용어가 될 수 없는 줄을 제외했습니다: %s", "lines that can't be terms were left out: %s", some(wrong))))
	}
	return entries, findings
}

// MaxVocabulary is how many terms one vocabulary may hold.
const MaxVocabulary = 200_000

func some(list []string) string {
	if len(list) > 10 {
		return strings.Join(list[:10], ", ") + fmt.Sprintf(" … (%d)", len(list))
	}
	return strings.Join(list, ", ")
}

// term makes a term of a row, whose cells are found by the term's field.
func (v *Vocabulary) term(cell func(string) string) (string, *Term) {
	name := cell("name")
	if name == "" {
		name = strings.ReplaceAll(strings.ToLower(cell("abbreviation")), "_", "-")
	}
	if name != "" && name[0] >= '0' && name[0] <= '9' {
		name = "n" + name
	}
	t := &Term{
		Title: Text{Ko: cell("title")}, Definition: Text{Ko: cell("definition")}, Unit: cell("unit"),
		CodeSystem: cell("code_system"), Abbreviation: cell("abbreviation"), Class: Class(cell("class")),
	}
	if t.Class == "" {
		t.Class = v.Class
	}
	for _, s := range strings.FieldsFunc(cell("synonyms"), func(r rune) bool { return r == ',' || r == ';' || r == '|' }) {
		t.Synonyms = append(t.Synonyms, strings.TrimSpace(s))
	}
	t.Type, t.Length = standardType(cell("type"), cell("domain"))
	if n, err := strconv.Atoi(cell("length")); err == nil && n > 0 && t.Type == String {
		t.Length = n
	}
	return name, t
}

var dataType = regexp.MustCompile(`^([A-Z]+)\s*(?:\(\s*([0-9]+)\s*(?:,\s*([0-9]+)\s*)?\))?$`)

// standardType reads a type of the common standard's tables: a database type ("VARCHAR(100)", "NUMBER(15,4)") seen
// together with its domain ("연월일C8" is a date, whatever it is stored in). A type of Maru's own is taken as it is.
func standardType(written, domain string) (Type, int) {
	if t := Type(strings.ToLower(written)); t.Valid() {
		return t, 0
	}
	switch {
	case strings.HasPrefix(domain, "연월일시분"), strings.HasPrefix(domain, "일시"):
		return Datetime, 0
	case strings.HasPrefix(domain, "연월일"):
		return Date, 0
	case strings.HasPrefix(domain, "여부"):
		return Bool, 0
	}
	m := dataType.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(written)))
	if m == nil {
		return "", 0
	}
	size, _ := strconv.Atoi(m[2])
	switch m[1] {
	case "VARCHAR", "CHAR", "NVARCHAR", "VARCHAR2", "CLOB", "TEXT":
		return String, size
	case "NUMBER", "NUMERIC", "DECIMAL", "INT", "INTEGER", "BIGINT":
		if m[3] == "" || m[3] == "0" {
			return Int, 0
		}
		return Double, 0
	case "DATE":
		return Date, 0
	case "DATETIME", "TIMESTAMP":
		return Datetime, 0
	case "BOOLEAN":
		return Bool, 0
	}
	return "", 0
}
