package tabular

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

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
	seen.refused = problem.New("table.openapi", 422, lang.F("열린데이터 API가 자료 대신 오류로 응답했습니다: %[1]s (%[2]s)", "the open API answered %[1]s instead of data: %[2]s", shorten(r.Code), shorten(r.Message))).
		Hinting(lang.T("인증키와 주소를 확인하고 다시 받으십시오", "check the key and the address, and get it again"))
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
	return problem.New("table.too_large", 422, lang.F("JSON의 깊이가 %d단계를 넘습니다", "the JSON is deeper than %d levels", maxDepth))
}

func noItems(items string) error {
	return problem.New("table.items", 422, lang.F("JSON의 해당 위치에 목록이 없습니다: %q", "the JSON has no list at %q", items)).
		Hinting(lang.T("source.items를 data.items처럼 쓰십시오", "write source.items as in data.items"))
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
		return problem.New("table.form", 422, lang.F("JSON의 %[1]d번째 바이트에 오류가 있습니다: %[2]s", "the JSON is wrong at byte %[1]d: %[2]s", syntax.Offset, syntax.Error()))
	}
	return err
}
