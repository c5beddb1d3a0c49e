package tabular

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// jsonSource is a list of objects somewhere in a JSON, or JSON Lines.
type jsonSource struct {
	table *Table
	in    *io.SectionReader
	path  []string // to the list; none where the whole is the list or lines
	lines bool
	geo   bool
	index map[string]int // column → place
}

// geometryColumn holds a feature's geometry.
const geometryColumn = "geometry"

func openJSON(t *Table, in *io.SectionReader, o Options) error {
	s := &jsonSource{table: t, in: in, index: map[string]int{}}
	if err := s.find(o.Items); err != nil {
		return err
	}
	t.Encoding, t.Items = "utf-8", strings.Join(s.path, ".")
	if s.lines {
		t.Form, t.Items = "jsonl", ""
	}
	if s.geo {
		t.Form = "geojson"
	}
	t.source = s
	n := 0
	err := s.each(func(_ int, o object) bool {
		n++
		for _, m := range o {
			s.column(m.name)
		}
		return len(t.Columns) <= MaxColumns
	})
	if err != nil {
		return err
	}
	if n == 0 {
		return empty()
	}
	if s.geo { // the geometry stands last
		s.column(geometryColumn)
	}
	s.describe()
	return nil
}

// column gives a member's name a column.
func (s *jsonSource) column(name string) {
	if _, known := s.index[name]; !known {
		s.index[name] = len(s.table.Columns)
		s.table.Columns = append(s.table.Columns, name)
	}
}

// describe takes the titles of columns from what stands beside the list: {DESCRIPTION: {COLUMN: title}, DATA: […]}.
func (s *jsonSource) describe() {
	for _, c := range s.table.Columns {
		for key, title := range s.table.Titles {
			if strings.EqualFold(key, c) && key != c {
				s.table.Titles[c] = title
				delete(s.table.Titles, key)
			}
		}
	}
}

// reading is a decoder that can't be made to hold more than a record and a buffer: what is longer ends it.
type reading struct {
	*json.Decoder
	in   io.Reader
	n    int64 // bytes handed on
	most int64 // may be, until the next token or value is through
}

func (r *reading) Read(p []byte) (int, error) {
	if r.n >= r.most {
		return 0, problem.New("table.too_large", 422, lang.F("JSON의 한 항목이 %d MB를 넘습니다", "an item of the JSON is longer than %d MB", MaxRecord>>20))
	}
	n, err := r.in.Read(p)
	r.n += int64(n)
	return n, err
}

func (r *reading) ration() { r.most = r.n + 2*MaxRecord }

// Token is the decoder's.
func (r *reading) Token() (json.Token, error) { r.ration(); return r.Decoder.Token() }

// Decode is the decoder's.
func (r *reading) Decode(v any) error { r.ration(); return r.Decoder.Decode(v) }

// decoder reads the text from its start.
func (s *jsonSource) decoder() *reading {
	r := &reading{in: bufio.NewReaderSize(decoded(io.NewSectionReader(s.in, 0, s.in.Size()), "utf-8"), 256<<10)}
	r.ration()
	r.Decoder = json.NewDecoder(r)
	r.UseNumber()
	return r
}

// find finds the list: where items says, else the first array of objects, looking three levels deep.
func (s *jsonSource) find(items string) error {
	d := s.decoder()
	first, err := d.Token()
	if err != nil {
		return broken(err)
	}
	var path []string
	switch first {
	case json.Delim('['):
		if items != "" {
			return noItems(items)
		}
		return nil
	case json.Delim('{'):
		if items != "" {
			path = strings.Split(items, ".")
		}
	default:
		return problem.New("table.items", 422, lang.T("JSON에 목록이 없습니다", "the JSON holds no list"))
	}
	var seen found
	err = s.walk(d, nil, path, &seen)
	switch {
	case seen.refused != nil:
		return seen.refused
	case err != nil && !errors.Is(err, errStop):
		return broken(err)
	case seen.list:
		s.path = seen.path
		s.geo = seen.geo && len(s.path) == 1 && s.path[0] == "features"
		return nil
	case items != "":
		return noItems(items)
	}
	if d.More() { // another object follows the first: lines
		s.lines = true
		return nil
	}
	if seen.members > 0 {
		s.lines = true // one object is one line
		return nil
	}
	return empty()
}

// found is what a walk through a JSON has seen.
type found struct {
	list    bool
	path    []string
	geo     bool
	members int
	refused error
}

// maxWalk is how deep a list is looked for.
const maxWalk = 4

// walk goes through an object whose brace has been read. wanted is the path to the list, or nil for the first there is.
func (s *jsonSource) walk(d *reading, at, wanted []string, seen *found) error {
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		path := append(at[:len(at):len(at)], key)
		seen.members++
		if key == "RESULT" || key == "DESCRIPTION" {
			if done, err := s.aside(d, key, len(at), seen); done || err != nil {
				return err
			}
			continue
		}
		value, err := d.Token()
		if err != nil {
			return err
		}
		switch value {
		case "FeatureCollection":
			seen.geo = seen.geo || (key == "type" && len(at) == 0)
		case json.Delim('['):
			isList := (wanted == nil && s.objects(d)) || (wanted != nil && strings.Join(path, ".") == strings.Join(wanted, "."))
			if isList && !seen.list {
				seen.list, seen.path = true, path
			}
			if err := skip(d, 1); err != nil {
				return err
			}
			if seen.list && wanted != nil {
				return errStop
			}
		case json.Delim('{'):
			if len(path) >= maxWalk {
				err = skip(d, 1)
			} else if err = s.walk(d, path, wanted, seen); err == nil {
				_, err = d.Token() // its brace
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// objects reports whether an array whose bracket has been read begins with an object.
func (s *jsonSource) objects(d *reading) bool {
	rest := make([]byte, 64)
	n, _ := d.Buffered().Read(rest)
	text := bytes.TrimLeft(rest[:n], " \t\r\n")
	if len(text) == 0 { // the buffer ends here: look into the file
		n, _ := s.in.ReadAt(rest, d.InputOffset())
		text = bytes.TrimLeft(rest[:n], " \t\r\n")
	}
	return len(text) > 0 && text[0] == '{'
}

// aside reads what stands beside a list: the open API's RESULT, or the DESCRIPTION of columns. done: the API refused.
func (s *jsonSource) aside(d *reading, key string, depth int, seen *found) (done bool, err error) {
	var text json.RawMessage
	if err := d.Decode(&text); err != nil {
		return false, err
	}
	if key == "DESCRIPTION" {
		titles := map[string]string{}
		if json.Unmarshal(text, &titles) == nil {
			s.table.Titles = titles
		}
		return false, nil
	}
	var r struct {
		Code    string `json:"CODE"`
		Message string `json:"MESSAGE"`
	}
	if json.Unmarshal(text, &r) != nil || r.Code == "" || r.Code == "INFO-000" || depth > 1 {
		return false, nil
	}
	seen.refused = problem.New("table.openapi", 422, lang.F("열린데이터 API의 답이 자료가 아니라 %[1]s 입니다: %[2]s", "the open API answered %[1]s instead of data: %[2]s", shorten(r.Code), shorten(r.Message))).
		Hinting(lang.T("인증키와 주소를 확인하고 다시 받으세요", "check the key and the address, and get it again"))
	return true, nil
}

// skip reads to the end of a value in which depth brackets are open.
func skip(d *reading, depth int) error {
	for depth > 0 {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			if depth++; depth > maxDepth {
				return tooDeep()
			}
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

// pass reads past a value.
func pass(d *reading) error {
	token, err := d.Token()
	if err == nil && (token == json.Delim('{') || token == json.Delim('[')) {
		err = skip(d, 1)
	}
	return err
}

func tooDeep() error {
	return problem.New("table.too_large", 422, lang.F("JSON이 %d단계보다 깊습니다", "the JSON is deeper than %d levels", maxDepth))
}

func noItems(items string) error {
	return problem.New("table.items", 422, lang.F("JSON의 %q 자리에 목록이 없습니다", "the JSON has no list at %q", items)).
		Hinting(lang.T("source.items 를 data.items 처럼 쓰세요", "write source.items as in data.items"))
}

// broken turns an error of the JSON into a problem.
func broken(err error) error {
	if problem.As(err) != nil {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return truncated()
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return problem.New("table.form", 422, lang.F("JSON이 %[1]d번째 바이트에서 잘못되었습니다: %[2]s", "the JSON is wrong at byte %[1]d: %[2]s", syntax.Offset, syntax.Error()))
	}
	return err
}

// object is an object with its members in order.
type object []member

type member struct {
	name  string
	value json.RawMessage
}

// each reads the objects of the list.
func (s *jsonSource) each(yield func(n int, o object) bool) error {
	d := s.decoder()
	if !s.lines {
		if err := s.enter(d); err != nil {
			return broken(err)
		}
	}
	for n := 1; ; n++ {
		if !s.lines && !d.More() {
			if _, err := d.Token(); err != nil { // the bracket: a file that is cut off has none
				return broken(err)
			}
			break
		}
		var text json.RawMessage
		if err := d.Decode(&text); err != nil {
			if err == io.EOF && s.lines {
				break
			}
			return broken(err)
		}
		s.table.read.Store(d.InputOffset())
		if len(text) > MaxRecord {
			return problem.New("table.too_large", 422, lang.F("%[1]d번째 항목이 %[2]d MB를 넘습니다", "item %[1]d is longer than %[2]d MB", n, MaxRecord>>20))
		}
		o, err := members(text)
		if err != nil {
			return broken(err)
		}
		if s.geo {
			o = feature(o)
		}
		if !yield(n, o) {
			return nil
		}
	}
	s.table.read.Store(s.in.Size())
	return nil
}

// enter reads up to behind the bracket of the list.
func (s *jsonSource) enter(d *reading) error {
	if _, err := d.Token(); err != nil {
		return err
	}
	for _, key := range s.path {
		for {
			token, err := d.Token()
			if err != nil {
				return err
			}
			if token == key {
				break
			}
			if err := pass(d); err != nil {
				return err
			}
		}
		if _, err := d.Token(); err != nil {
			return err
		}
	}
	return nil
}

// members reads an object in order. What is no object has none.
func members(text json.RawMessage) (object, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, err
	}
	var out object
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		m := member{}
		m.name, _ = token.(string)
		if err := d.Decode(&m.value); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// feature is a GeoJSON feature (RFC 7946) as an object of its properties and its geometry.
func feature(o object) (out object) {
	for _, m := range o {
		switch m.name {
		case "properties":
			properties, err := members(m.value)
			if err == nil {
				out = append(properties, out...)
			}
		case geometryColumn:
			out = append(out, m)
		}
	}
	return out
}

// rows implements source.
func (s *jsonSource) rows(yield func(raw) bool) error {
	cells := make([]string, len(s.table.Columns))
	return s.each(func(n int, o object) bool {
		clear(cells)
		for _, m := range o {
			if i, ok := s.index[m.name]; ok {
				cells[i] = cellOf(m.value)
			}
		}
		return yield(raw{line: n, cells: cells})
	})
}

// cellOf is a JSON value as a cell: text as it is, numbers in their shortest form, lists and objects as compact JSON.
func cellOf(v json.RawMessage) string {
	if len(v) == 0 {
		return ""
	}
	switch v[0] {
	case '"':
		var s string
		if json.Unmarshal(v, &s) == nil {
			return s
		}
	case 'n':
		return ""
	case '{', '[':
		var b bytes.Buffer
		if json.Compact(&b, v) == nil {
			return b.String()
		}
	case 't', 'f':
	default:
		return shortest(string(v))
	}
	return string(v)
}

// shortest is a number in its shortest form; whole ones stay exact.
func shortest(s string) string {
	if !strings.ContainsAny(s, ".eE") {
		return s
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
