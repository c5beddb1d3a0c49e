package outlet

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// The city's open API has addresses /openapi/KEY/TYPE/SERVICE/START/END/filters…, answers everything with status 200, and says what is wrong in RESULT. Its clients compare codes
// as texts, and so do their tests: codes and messages are the API's own.

// code is what the city's open API says of a request.
type code struct{ code, message string }

// The codes.
var (
	fine       = code{"INFO-000", "정상 처리되었습니다"}
	badKey     = code{"INFO-100", "인증키가 유효하지 않습니다. 인증키가 없는 경우, 이 누리집에 로그인하여 인증키를 발급받으십시오."}
	noData     = code{"INFO-200", "해당하는 데이터가 없습니다."}
	missing    = code{"ERROR-300", "필수 값이 누락되어 있습니다. 요청인자를 참고하십시오."}
	badType    = code{"ERROR-301", "파일타입 값이 누락 혹은 유효하지 않습니다. 요청인자 중 TYPE을 확인하십시오."}
	noService  = code{"ERROR-310", "해당하는 서비스를 찾을 수 없습니다. 요청인자 중 SERVICE를 확인하십시오."}
	badStart   = code{"ERROR-331", "요청시작위치 값을 확인하십시오. 요청인자 중 START_INDEX를 확인하십시오."}
	badEnd     = code{"ERROR-332", "요청종료위치 값을 확인하십시오. 요청인자 중 END_INDEX를 확인하십시오."}
	noInteger  = code{"ERROR-333", "요청위치 값의 타입이 유효하지 않습니다. 정수를 입력하십시오."}
	backwards  = code{"ERROR-334", "요청종료위치보다 요청시작위치가 더 큽니다. 요청시작위치는 요청종료위치보다 같거나 작아야 합니다."}
	onlySample = code{"ERROR-335", "샘플데이터(샘플키: sample)는 한번에 최대 5건을 넘을 수 없습니다."}
	tooMany    = code{"ERROR-336", "데이터요청은 한번에 최대 1000건을 넘을 수 없습니다."}
	broken     = code{"ERROR-500", "서버 오류입니다. 지속적으로 발생 시 관리자에게 문의하십시오."}
	noDatabase = code{"ERROR-600", "데이터베이스 연결 오류입니다. 지속적으로 발생 시 관리자에게 문의하십시오."}
	tooOften   = code{"ERROR-337", "인증키의 하루 호출 한도를 넘었습니다. 내일 다시 호출하십시오."}
	noQuery    = code{"ERROR-601", "SQL 문장 오류입니다. 지속적으로 발생 시 관리자에게 문의하십시오."}
)

// Error implements error.
func (c code) Error() string { return c.code }

// Limits of the city's address form.
const (
	cityRows   = 1000
	sampleRows = 5
	sampleKey  = "sample"
)

// asked is a request of the city's address form that has been understood.
type asked struct {
	media   string
	item    *item
	service string // as it was written
	start   int64
	end     int64
	filter  string
}

func (o *Outlets) cityForm(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "GET", http.StatusMethodNotAllowed)
		return
	}
	q, err := o.understand(r.Context(), r.URL)
	var records []*registry.Record
	var total int64
	if err == nil {
		records, total, err = o.records.Slice(r.Context(), q.item.Dataset, registry.Query{Filter: q.filter}, q.start-1, int(q.end-q.start+1))
		if err == nil && len(records) == 0 {
			err = noData
		}
	}
	if r.Context().Err() != nil {
		return
	}
	var said code
	switch p := problem.As(err); {
	case err == nil:
		said = fine
	case errors.As(err, &said):
	case p != nil && strings.HasPrefix(p.Code, "rule."):
		said = noQuery
	case p != nil && p.Code == "database.busy":
		said = noDatabase
	default:
		said = broken
	}
	if said != fine {
		refuse(w, q.media, said)
		return
	}
	write := q.xml
	switch q.media {
	case "json":
		write = q.json
	case "xls":
		write = q.workbook
	}
	_ = write(w, records, total) // the client went away: nobody to tell
}

// understand reads an address. What is said of its form comes as a code.
func (o *Outlets) understand(ctx context.Context, at *url.URL) (q asked, err error) {
	parts := strings.Split(strings.TrimPrefix(at.EscapedPath(), "/openapi/"), "/")
	for i, part := range parts {
		text, err := url.PathUnescape(part)
		if err != nil {
			return q, missing
		}
		parts[i] = text
	}
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	q.media = "xml"
	if len(parts) > 1 {
		if q.media = strings.ToLower(parts[1]); q.media != "json" && q.media != "xml" && q.media != "xmlf" && q.media != "xls" {
			q.media = "xml"
			return q, badType
		}
	}
	if len(parts) < 5 {
		return q, missing
	}
	key := parts[0]
	if key != sampleKey {
		known, err := o.keys.Known(ctx, key)
		if err != nil {
			return q, err
		}
		if !known {
			return q, badKey
		}
		if !o.quota.take(key, o.now()) {
			return q, tooOften
		}
	}
	s, err := o.shelf(ctx)
	if err != nil {
		return q, err
	}
	q.service = parts[2]
	if q.item = s.services[strings.ToLower(q.service)]; q.item == nil {
		return q, noService
	}
	var bad, bad2 error
	q.start, bad = strconv.ParseInt(parts[3], 10, 64)
	q.end, bad2 = strconv.ParseInt(parts[4], 10, 64)
	switch {
	case bad != nil || bad2 != nil:
		return q, noInteger
	case q.start < 1:
		return q, badStart
	case q.end < 1:
		return q, badEnd
	case q.start > q.end:
		return q, backwards
	case key == sampleKey && q.end > sampleRows:
		return q, onlySample
	case q.end-q.start >= cityRows:
		return q, tooMany
	}
	if len(parts)-5 > len(q.item.Fields) {
		return q, missing
	}
	q.filter, err = equal(q.item.Dataset, parts[5:])
	return q, err
}

// equal is a filter by the values of the first fields, in their order; one that is blank says nothing. A value that no record can have finds nothing.
func equal(d *catalog.Dataset, values []string) (string, error) {
	var all []string
	for i, text := range values {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		condition, ok := equals(&d.Fields[i], text)
		if !ok {
			return "", noData
		}
		all = append(all, condition)
	}
	return strings.Join(all, " && "), nil
}

// equals is the condition that a field has a value, as a filter.
func equals(f *catalog.Field, text string) (string, bool) {
	v, ok := f.Type.Parse(text)
	if !ok || v == nil {
		return "", false
	}
	switch v := v.(type) {
	case string:
		switch f.Type {
		case manifest.Date:
			return f.Name + " == date(" + quoted(v) + ")", true
		case manifest.Datetime:
			return f.Name + " == datetime(" + quoted(v) + ")", true
		case manifest.Geometry:
			return "", false
		}
		return f.Name + " == " + quoted(v), true
	case int64:
		return f.Name + " == " + strconv.FormatInt(v, 10), true
	case float64:
		return f.Name + " == double(" + strconv.FormatFloat(v, 'f', -1, 64) + ")", true
	case bool:
		return f.Name + " == " + strconv.FormatBool(v), true
	}
	return "", false
}

// quoted is a text as a CEL literal.
func quoted(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(text) // JSON's escapes are CEL's as well
}

// cell is a value as text.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

func refuse(w http.ResponseWriter, media string, c code) {
	if media == "json" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(map[string]any{"RESULT": map[string]string{"CODE": c.code, "MESSAGE": c.message}})
		return
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	_, _ = fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<RESULT><CODE>%s</CODE><MESSAGE>%s</MESSAGE></RESULT>\n", c.code, escaped(c.message))
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder takes all
	return b.String()
}

func (q asked) json(w http.ResponseWriter, records []*registry.Record, total int64) error {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	names := make([][]byte, len(q.item.columns))
	for i, column := range q.item.columns {
		text, err := json.Marshal(column)
		if err != nil {
			return err
		}
		names[i] = text
	}
	service, err := json.Marshal(q.service)
	if err != nil {
		return err
	}
	room := cityRoom.Get().(*[]byte)
	b := (*room)[:0]
	defer func() {
		if cap(b) <= cityRoomMost {
			*room = b
			cityRoom.Put(room)
		}
	}()
	b = fmt.Appendf(b, `{%s:{"list_total_count":%d,"RESULT":{"CODE":%q,"MESSAGE":%q},"row":[`, service, total, fine.code, fine.message)
	for n, r := range records {
		if n > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		for i, v := range r.Values {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, names[i]...), ':')
			if b, err = appendCell(b, v); err != nil {
				return err
			}
		}
		b = append(b, '}')
	}
	b = append(b, "]}}\n"...)
	_, err = w.Write(b)
	return err
}

// Where answers in JSON are written before they are sent: rooms of a usual size are used again.
var cityRoom = sync.Pool{New: func() any { room := make([]byte, 0, 64<<10); return &room }}

const cityRoomMost = 1 << 20

// appendCell appends a value as JSON text.
func appendCell(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case string:
		return appendText(b, v)
	case float64:
		return append(strconv.AppendFloat(append(b, '"'), v, 'f', -1, 64), '"'), nil
	case int64:
		return append(strconv.AppendInt(append(b, '"'), v, 10), '"'), nil
	}
	return appendText(b, cell(v))
}

// appendText appends a text as JSON. Most need no escapes.
func appendText(b []byte, s string) ([]byte, error) {
	ascii := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c < ' ' || c == '"' || c == '\\' {
			text, err := json.Marshal(s)
			return append(b, text...), err
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	if !ascii && !utf8.ValidString(s) {
		text, err := json.Marshal(s)
		return append(b, text...), err
	}
	return append(append(append(b, '"'), s...), '"'), nil
}

func (q asked) xml(w http.ResponseWriter, records []*registry.Record, total int64) error {
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	if q.media == "xmlf" {
		w.Header().Set("Content-Disposition", `attachment; filename="`+q.item.Name+`.xml"`)
	}
	root := element(q.service)
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<%s><list_total_count>%d</list_total_count><RESULT><CODE>%s</CODE><MESSAGE>%s</MESSAGE></RESULT>", root, total, fine.code, fine.message)
	names := make([]string, len(q.item.columns))
	for i, c := range q.item.columns {
		names[i] = element(c)
	}
	for _, r := range records {
		b.WriteString("<row>")
		for i, v := range r.Values {
			b.WriteString("<" + names[i] + ">" + escaped(cell(v)) + "</" + names[i] + ">")
		}
		b.WriteString("</row>")
	}
	b.WriteString("</" + root + ">\n")
	_, err := w.Write([]byte(b.String()))
	return err
}

// element is a text as the name of an element: what can't be in one is left out.
func element(s string) string {
	out := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= 0xAC00 && r <= 0xD7A3 {
			return r
		}
		return -1
	}, s)
	if out == "" || out[0] >= '0' && out[0] <= '9' || out[0] == '-' || out[0] == '.' {
		out = "_" + out
	}
	return out
}

// workbook writes the rows as a workbook.
func (q asked) workbook(w http.ResponseWriter, records []*registry.Record, _ int64) error {
	f := excelize.NewFile()
	defer f.Close()
	sheet := f.GetSheetName(0)
	head := make([]any, len(q.item.columns))
	for i, c := range q.item.columns {
		head[i] = c
	}
	rows := [][]any{head}
	for _, r := range records {
		row := make([]any, len(r.Values))
		for i, v := range r.Values {
			row[i] = cell(v)
		}
		rows = append(rows, row)
	}
	for n, row := range rows {
		if err := f.SetSheetRow(sheet, fmt.Sprintf("A%d", n+1), &row); err != nil {
			return err
		}
	}
	w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
	w.Header().Set("Content-Disposition", `attachment; filename="`+q.item.Name+`.xlsx"`)
	return f.Write(w)
}
