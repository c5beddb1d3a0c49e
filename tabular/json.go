package tabular

import (
	"bufio"
	"bytes"
	"encoding/json"
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
