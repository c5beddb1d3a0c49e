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
	seen := map[string]bool{}
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
		got, err := pageOf(text, from)
		if err != nil {
			return out, err
		}
		if got.rows > 0 && page == 1 {
			first = got.ends
		} else if got.rows > 0 && got.ends == first {
			return out, problem.New("source.answer", 502, lang.F("원본이 %d번째 페이지에서 첫 페이지와 같은 내용을 보냈습니다", "page %d of the source is its first page again", page)).
				Hinting(lang.T("주소의 {page}나 {offset}이 원본의 매개변수와 맞는지 확인하십시오", "check that {page} or {offset} in the address is what the source takes"))
		}
		if _, err := to.Write(got.lines.Bytes()); err != nil {
			return out, err
		}
		if out.Rows += got.rows; to.n > maxSource {
			return out, tooMuch()
		}
		if got.rows == 0 || from.Next != "" && got.next == "" {
			return out, nil
		}
		if from.Next == "" {
			continue
		}
		if seen[got.next] {
			return out, problem.New("source.answer", 502, lang.F("원본이 %d번째 페이지에서 다음 위치로 같은 값을 다시 보냈습니다", "page %d of the source names the same next page again", page)).
				Hinting(lang.T("source.next가 다음 위치를 가리키는지 확인하십시오", "check that source.next points to the next place"))
		}
		seen[got.next] = true
		if strings.Contains(from.HTTP, "{cursor}") {
			cursor = got.next
			continue
		}
		if at, err = beside(address, got.next); err != nil {
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

// maxPageRows is how many rows one page may have.
const maxPageRows = 100_000

// paged is what a page has.
type paged struct {
	lines bytes.Buffer // the rows, each on one line
	rows  int64
	ends  string // the first row and the last
	next  string // where the next page is
}

// pageOf reads a page.
func pageOf(text []byte, from *manifest.Source) (*paged, error) {
	wrong := func(what lang.Text) error {
		return problem.New("source.answer", 502, what).Hinting(lang.T("source.items와 source.next가 응답과 맞는지 확인하십시오", "check source.items and source.next against the answer"))
	}
	list := json.RawMessage(text)
	if from.Items != "" {
		if list = within(text, from.Items); list == nil {
			return nil, wrong(lang.F("원본의 응답에 %s 목록이 없습니다", "the source's answer has no list %s", from.Items))
		}
	}
	out := &paged{}
	d := json.NewDecoder(bytes.NewReader(list))
	if open, err := d.Token(); err != nil || open != json.Delim('[') {
		return nil, wrong(lang.T("원본의 응답이 목록이 아닙니다", "the source's answer isn't a list"))
	}
	var row json.RawMessage
	for d.More() {
		if out.rows++; out.rows > maxPageRows {
			return nil, wrong(lang.F("한 페이지의 행이 %d개를 넘습니다", "a page has more than %d rows", maxPageRows))
		}
		at := out.lines.Len()
		if err := d.Decode(&row); err != nil || row[0] != '{' || json.Compact(&out.lines, row) != nil {
			return nil, wrong(lang.F("%d번째 행이 JSON 객체가 아닙니다", "row %d is no JSON object", out.rows))
		}
		if out.rows == 1 || !d.More() {
			out.ends += string(out.lines.Bytes()[at:])
		}
		out.lines.WriteByte('\n')
	}
	if _, err := d.Token(); err != nil {
		return nil, wrong(lang.T("원본의 응답이 목록이 아닙니다", "the source's answer isn't a list"))
	}
	if from.Next == "" {
		return out, nil
	}
	switch v := within(text, from.Next); {
	case v == nil || string(v) == "null" || string(v) == "false":
	case json.Unmarshal(v, &out.next) == nil:
	default:
		out.next = string(v) // a number
	}
	return out, nil
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
