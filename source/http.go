package source

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// http reads an address, or page after page of it, until there are no more.
func (r *Reader) http(ctx context.Context, from *manifest.Source, secret string, w io.Writer) (Copied, error) {
	base, err := url.Parse(from.HTTP)
	if err != nil {
		return Copied{}, fmt.Errorf("address of a source: %w", err) // its manifest was checked
	}
	header := bearer(from.HTTP, secret)
	user := base.User.Username()
	switch {
	case from.KeyHeader != "":
		header = http.Header{http.CanonicalHeaderKey(from.KeyHeader): {secret}}
	case user != "":
		header = http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+secret))}}
	}
	address := from.HTTP
	if user != "" {
		address = strings.Replace(address, base.User.String()+"@", "", 1)
	}
	address = withSecret(address, url.QueryEscape(secret))
	if !from.Paged() {
		body, err := r.Net.Get(ctx, address, header, maxSource)
		if err != nil {
			return Copied{}, err
		}
		defer body.Close()
		_, err = io.Copy(w, body)
		return Copied{File: "source.json", Rows: -1}, err
	}
	out := Copied{File: "source.jsonl"}
	to := &counted{Writer: w}
	at, cursor, first := "", "", ""
	for page := 1; page <= maxPages; page++ {
		next := at
		if next == "" {
			next = strings.NewReplacer("{page}", strconv.Itoa(page), "{offset}", strconv.FormatInt(out.Rows, 10), "{cursor}", url.QueryEscape(cursor)).Replace(address)
		}
		body, err := r.Net.Get(ctx, next, header, maxPage)
		if p := problem.As(err); page > 1 && from.Next == "" && p != nil && p.Code == "fetch.status" && p.With["status"] == http.StatusNotFound {
			return out, nil // behind the last page, as many servers say it
		}
		if err != nil {
			return out, err
		}
		text, err := io.ReadAll(body)
		body.Close()
		if err != nil {
			return out, err
		}
		rows, follow, err := pageOf(text, from)
		if err != nil {
			return out, err
		}
		if len(rows) > 0 {
			if head := string(rows[0]) + string(rows[len(rows)-1]); page == 1 {
				first = head
			} else if head == first {
				return out, problem.New("source.answer", 502, lang.F("원본이 %d번째 페이지에서 첫 페이지와 같은 내용을 보냈습니다", "page %d of the source is its first page again", page)).
					Hinting(lang.T("주소의 {page}나 {offset}이 원본의 매개변수와 맞는지 확인하십시오", "check that {page} or {offset} in the address is what the source takes"))
			}
		}
		for _, row := range rows {
			if _, err := to.Write(append(row, '\n')); err != nil {
				return out, err
			}
		}
		if out.Rows += int64(len(rows)); to.n > maxSource {
			return out, tooMuch()
		}
		if len(rows) == 0 || from.Next != "" && follow == "" {
			return out, nil
		}
		if from.Next == "" {
			continue
		}
		if strings.Contains(from.HTTP, "{cursor}") {
			if follow == cursor {
				return out, problem.New("source.answer", 502, lang.F("원본이 %d번째 페이지에서 다음 위치로 같은 값을 다시 보냈습니다", "page %d of the source names the same next page again", page)).
					Hinting(lang.T("source.next가 다음 위치를 가리키는지 확인하십시오", "check that source.next points to the next place"))
			}
			cursor = follow
			continue
		}
		if at, err = beside(address, follow); err != nil {
			return out, err
		}
	}
	return out, tooMuch()
}

// beside is the address of the next page, which must be at the same server: a key is for that one.
func beside(address, next string) (string, error) {
	base, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("address of a source: %w", err)
	}
	u, err := base.Parse(next)
	if err != nil || u.Scheme != base.Scheme || u.Host != base.Host {
		return "", problem.New("source.answer", 502, lang.T("원본이 알려 준 다음 페이지의 주소가 다른 서버여서 읽지 않았습니다", "the next page is said to be at another server, so it wasn't read")).
			Hinting(lang.T("source.next를 확인하십시오", "check source.next"))
	}
	return u.String(), nil
}

// pageOf finds a page's rows, each on one line, and where its next page is.
func pageOf(text []byte, from *manifest.Source) (rows []json.RawMessage, next string, err error) {
	wrong := func(what lang.Text) error {
		return problem.New("source.answer", 502, what).Hinting(lang.T("source.items와 source.next가 응답과 맞는지 확인하십시오", "check source.items and source.next against the answer"))
	}
	list := json.RawMessage(text)
	if from.Items != "" {
		if list = within(text, from.Items); list == nil {
			return nil, "", wrong(lang.F("원본의 응답에 %s 목록이 없습니다", "the source's answer has no list %s", from.Items))
		}
	}
	if err := json.Unmarshal(list, &rows); err != nil {
		return nil, "", wrong(lang.T("원본의 응답이 목록이 아닙니다", "the source's answer isn't a list"))
	}
	for i, row := range rows {
		var line bytes.Buffer
		if len(row) == 0 || row[0] != '{' || json.Compact(&line, row) != nil {
			return nil, "", wrong(lang.F("%d번째 행이 JSON 객체가 아닙니다", "row %d is no JSON object", i+1))
		}
		rows[i] = line.Bytes()
	}
	if from.Next == "" {
		return rows, "", nil
	}
	switch v := within(text, from.Next); {
	case v == nil || string(v) == "null" || string(v) == "false":
		return rows, "", nil
	case json.Unmarshal(v, &next) == nil:
		return rows, next, nil
	default:
		return rows, string(v), nil // a number
	}
}

// within finds what stands in a JSON at a path such as data.items, or nil.
func within(text json.RawMessage, path string) json.RawMessage {
	for name := range strings.SplitSeq(path, ".") {
		var members map[string]json.RawMessage
		if json.Unmarshal(text, &members) != nil || members[name] == nil {
			return nil
		}
		text = members[name]
	}
	return text
}
