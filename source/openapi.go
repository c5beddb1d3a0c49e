package source

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// pages reads an open API page by page and writes its rows as JSON Lines. address has {from} and {to}, rows counted from one.
func (r *Reader) pages(ctx context.Context, address string, header http.Header, w io.Writer) (Copied, error) {
	out := Copied{File: "source.jsonl"}
	written := int64(0)
	first := ""
	for page := range maxPages {
		from := page*pageRows + 1
		at := strings.NewReplacer("{from}", strconv.Itoa(from), "{to}", strconv.Itoa(from+pageRows-1)).Replace(address)
		rows, total, err := r.page(ctx, at, header)
		if err != nil {
			return out, err
		}
		if len(rows) > 0 {
			head := string(rows[0]) + string(rows[len(rows)-1])
			if page == 0 {
				first = head
			} else if head == first {
				return out, problem.New("source.answer", 502, lang.F("열린데이터 API가 %d번째 페이지에서 첫 페이지와 같은 내용을 보냈습니다", "page %d of the open API is its first page again", page+1)).
					Hinting(lang.T("주소의 {from}과 {to}의 위치를 확인하십시오", "check where {from} and {to} stand in the address"))
			}
		}
		for _, row := range rows {
			n, err := w.Write(append(row, '\n'))
			if err != nil {
				return out, err
			}
			if written += int64(n); written > maxSource {
				return out, tooMuch()
			}
		}
		out.Rows += int64(len(rows))
		if len(rows) == 0 || from+len(rows)-1 >= total {
			return out, nil
		}
	}
	return out, tooMuch()
}

// result is how an open API says what it thinks of a request.
type result struct {
	Code    string `json:"CODE"`
	Message string `json:"MESSAGE"`
}

// nothing is the code of an answer without rows.
const nothing = "INFO-200"

// page reads one page of an open API: {SERVICE: {list_total_count, RESULT, row}}, or {RESULT} alone where something is wrong.
func (r *Reader) page(ctx context.Context, address string, header http.Header) (rows []json.RawMessage, total int, err error) {
	body, err := r.Net.Get(ctx, address, header, maxPage)
	if err != nil {
		return nil, 0, err
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		return nil, 0, err
	}
	var answer map[string]json.RawMessage
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, 0, problem.New("source.answer", 502, lang.T("열린데이터 API의 응답이 JSON이 아닙니다", "the open API's answer isn't JSON")).
			Hinting(lang.T("주소의 형식(json)과 인증키를 확인하십시오", "check the form (json) and the key in the address"))
	}
	if own, ok := answer["RESULT"]; ok {
		return nil, 0, refusal(own)
	}
	for _, service := range answer {
		var got struct {
			Total  int               `json:"list_total_count"`
			Result json.RawMessage   `json:"RESULT"`
			Rows   []json.RawMessage `json:"row"`
		}
		if json.Unmarshal(service, &got) != nil || got.Result == nil && got.Rows == nil {
			continue
		}
		if got.Result != nil {
			if err := refusal(got.Result); err != nil {
				return nil, 0, err
			}
		}
		for i, row := range got.Rows {
			var one map[string]any
			if err := json.Unmarshal(row, &one); err != nil {
				return nil, 0, problem.New("source.answer", 502, lang.F("%d번째 행이 JSON 객체가 아닙니다", "row %d is no JSON object", i+1))
			}
			if got.Rows[i], err = json.Marshal(row); err != nil { // on one line
				return nil, 0, fmt.Errorf("write row %d: %w", i+1, err)
			}
		}
		return got.Rows, got.Total, nil
	}
	return nil, 0, problem.New("source.answer", 502, lang.T("열린데이터 API 형식의 응답이 아닙니다", "the answer isn't of the open API's form"))
}

// refusal is what is wrong by the API's own words, or nil. No rows is nothing wrong.
func refusal(text json.RawMessage) error {
	var said result
	if err := json.Unmarshal(text, &said); err != nil || said.Code == "INFO-000" || said.Code == nothing {
		return nil
	}
	return problem.New("source.answer", 502, lang.F("열린데이터 API가 오류로 응답했습니다: %[1]s (%[2]s)", "the open API answered %[1]s: %[2]s", brief(said.Code), brief(said.Message)))
}

// brief is a text that others wrote, short enough to be shown.
func brief(s string) string {
	if letters := []rune(s); len(letters) > 200 {
		return string(letters[:200]) + "…"
	}
	return s
}
