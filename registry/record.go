package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Record is one record as it stands.
type Record struct {
	Key     string // as text, see [KeyText]
	Version int64  // the change that made it what it is; its ETag
	Fields  []*catalog.Field
	Values  []any // of Fields, in their order, as package manifest has them
}

// The members a record's JSON has beside its fields.
const (
	keyMember     = "_key"
	versionMember = "_version"
)

// Value is the value of a field; false where the record isn't read with it.
func (r *Record) Value(name string) (v any, there bool) {
	for i, f := range r.Fields {
		if f.Name == name {
			return r.Values[i], true
		}
	}
	return nil, false
}

// Size is about how much memory a record's values take, in bytes.
func (r *Record) Size() (n int) {
	for _, v := range r.Values {
		text, _ := v.(string)
		n += 16 + len(text)
	}
	return n
}

// MarshalJSON writes the record's fields in their order, its key and its version before them.
func (r *Record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(`{"` + keyMember + `":`)
	if err := writeValue(&b, r.Key); err != nil {
		return nil, err
	}
	b.WriteString(`,"` + versionMember + `":` + strconv.FormatInt(r.Version, 10))
	if len(r.Fields) > 0 {
		b.WriteByte(',')
	}
	if err := writeMembers(&b, r.Fields, r.Values); err != nil {
		return nil, err
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// writeMembers writes fields as the members of a JSON object, without its braces. A geometry is the object it is.
func writeMembers(b *bytes.Buffer, fields []*catalog.Field, values []any) error {
	for i, f := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + f.Name + `":`) // names are checked: nothing in them needs an escape
		v := values[i]
		if s, ok := v.(string); ok && f.Type == manifest.Geometry {
			v = json.RawMessage(s)
		}
		if err := writeValue(b, v); err != nil {
			return fmt.Errorf("write the field %s: %w", f.Name, err)
		}
	}
	return nil
}

func writeValue(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case int64:
		b.Write(strconv.AppendInt(b.AvailableBuffer(), v, 10))
	case bool:
		b.WriteString(strconv.FormatBool(v))
	default:
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			return err
		}
		b.Truncate(b.Len() - 1) // the encoder's newline
	}
	return nil
}

// KeyText is the key of a record as text: its values joined by commas, with %, comma and slash in them written %25, %2C and %2F, and the dots of
// one that is only dots %2E, so that it names the record in an address too.
func KeyText(values []any) string {
	if len(values) == 1 {
		if n, ok := values[0].(int64); ok {
			return strconv.FormatInt(n, 10)
		}
	}
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = keyEscape.Replace(plain(v))
	}
	text := strings.Join(parts, ",")
	if text == "." || text == ".." {
		return strings.ReplaceAll(text, ".", "%2E")
	}
	return text
}

var (
	keyEscape   = strings.NewReplacer("%", "%25", ",", "%2C", "/", "%2F")
	keyUnescape = strings.NewReplacer("%2C", ",", "%2c", ",", "%2F", "/", "%2f", "/", "%2E", ".", "%2e", ".", "%25", "%")
)

// plain is a value as text that [manifest.Type.Parse] reads back.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// parseKey reads a key from text. What can't be one names no record.
func (t *table) parseKey(text string) ([]any, error) {
	parts := strings.Split(text, ",")
	if len(parts) != len(t.key) {
		return nil, t.noRecord(text)
	}
	out := make([]any, len(parts))
	for i, part := range parts {
		v, ok := t.keyType(t.key[i]).Parse(keyUnescape.Replace(part))
		if !ok || v == nil {
			return nil, t.noRecord(text)
		}
		out[i] = v
	}
	return out, nil
}

func (t *table) noRecord(key string) error {
	return problem.New("record.unknown", 404, lang.F("레코드를 찾을 수 없습니다: %[2]q (데이터셋 %[1]s)", "the dataset %s has no record %q", t.Path(), key)).
		Hinting(lang.T("식별 항목의 값을 확인하십시오. 삭제된 레코드는 이력에서 보실 수 있습니다", "check the key; deleted records are in the history"))
}

// keyOf is the key of a record with these values of all fields.
func (t *table) keyOf(values []any) []any {
	if len(t.Spec.Key) == 0 {
		return []any{hashID(values)}
	}
	out := make([]any, len(t.key))
	for i, n := range t.keyAt {
		out[i] = values[n]
	}
	return out
}

// hashID is the key of a record without key fields: the first 26 base32 characters of the SHA-256 of its values. The same values are the
// same record.
func hashID(values []any) string {
	h := sha256.New()
	var head [9]byte
	for _, v := range values {
		head[0], head[1] = 0, 0
		body := ""
		switch v := v.(type) {
		case nil:
			head[0] = 'n'
		case string:
			head[0], body = 's', v
			binary.BigEndian.PutUint64(head[1:], uint64(len(v)))
		case int64:
			head[0] = 'i'
			binary.BigEndian.PutUint64(head[1:], uint64(v))
		case float64:
			head[0] = 'f'
			binary.BigEndian.PutUint64(head[1:], math.Float64bits(v))
		case bool:
			head[0] = 'b'
			if v {
				head[1] = 1
			}
		}
		h.Write(head[:])
		h.Write([]byte(body))
		clear(head[:])
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil))[:26])
}

// encode is a value as a parameter of the database.
func encode(v any, dialect db.Dialect) any {
	if b, ok := v.(bool); ok && dialect == db.SQLite {
		if b {
			return int64(1)
		}
		return int64(0)
	}
	return v
}

// decode is a value of a type as the database gave it.
func decode(v any, t manifest.Type) any {
	switch x := v.(type) {
	case []byte:
		return string(x)
	case int64:
		if t == manifest.Bool {
			return x != 0
		}
	}
	return v
}

// fromJSON reads a value of the field's type from JSON. Text is read as files have it.
func fromJSON(f *catalog.Field, v any) (any, *problem.Detail) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case string:
		if got, ok := f.Type.Parse(x); ok {
			return got, nil
		}
	case json.Number:
		switch f.Type {
		case manifest.Int, manifest.Double:
			if got, ok := f.Type.Parse(x.String()); ok {
				return got, nil
			}
		}
	case bool:
		if f.Type == manifest.Bool {
			return x, nil
		}
	case map[string]any:
		if text, err := json.Marshal(x); err == nil && f.Type == manifest.Geometry {
			if got, ok := f.Type.Parse(string(text)); ok {
				return got, nil
			}
		}
	}
	return nil, notOfType(f, fmt.Sprint(v))
}

// typeNames name types for people.
var typeNames = map[manifest.Type]lang.Text{
	manifest.String: lang.T("문자", "text"), manifest.Int: lang.T("정수", "whole number"), manifest.Double: lang.T("실수", "number"),
	manifest.Bool: lang.T("예·아니요", "yes or no"), manifest.Date: lang.T("날짜", "date"), manifest.Datetime: lang.T("일시", "date and time"),
	manifest.Geometry: lang.T("도형", "GeoJSON geometry"),
}

// notOfType says that a value isn't of its field's type. The value of a field about persons isn't repeated.
func notOfType(f *catalog.Field, value string) *problem.Detail {
	name := typeNames[f.Type]
	d := &problem.Detail{Code: "record.type", Where: f.Name}
	if f.Class.AtLeast(manifest.Personal) {
		d.Message = lang.F("값의 유형이 다릅니다 (필요한 유형: %s)", "it isn't a %s", name)
		return d
	}
	d.Message = lang.F("값의 유형이 다릅니다: %[2]s (필요한 유형: %[1]s)", "%[2]q isn't a %[1]s", name, shorten(value))
	return d
}

// shorten keeps the beginning of a text, for messages.
func shorten(s string) string {
	const most = 40
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most]) + "…"
}
