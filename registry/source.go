package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Sources is where the sources of datasets are.
type Sources struct {
	Folder *os.Root // source.file lies in it; nothing outside can be named
	Client *fetch.Client
}

// Limits of a source.
const (
	maxSource  = 8 << 30  // bytes
	maxPage    = 64 << 20 // bytes of one page of an open API
	pageRows   = 1000     // the most that the city's open API gives at once
	maxPages   = 100_000
	spoolNames = "maru-source-*"
)

// ReadSource brings what a dataset's source has now into the dataset, as one import. What is wrong with the source or its file ends the import as
// failed, so that it is seen where imports are; that is no error.
func (r *Registry) ReadSource(ctx context.Context, from Sources, dataset func(project, name string) *catalog.Dataset, project, name string) (*Import, error) {
	d := dataset(project, name)
	if d == nil || d.Spec.Source == nil {
		return nil, nil // it has gone since it was asked for
	}
	spool, err := os.CreateTemp("", spoolNames)
	if err != nil {
		return nil, fmt.Errorf("read the source of %s: %w", d.Path(), err)
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	hash := sha256.New()
	file, err := from.copy(ctx, d.Spec.Source, io.MultiWriter(spool, hash))
	if p := problem.As(err); p != nil && ctx.Err() == nil {
		return r.failSource(ctx, d, p)
	}
	if err != nil {
		return nil, err
	}
	size, err := spool.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("read the source of %s: %w", d.Path(), err)
	}
	if size == 0 {
		return nil, nil // there is nothing today
	}
	i, err := r.Begin(ctx, By{Actor: "source", Via: "source"}, d, Upload{File: file, Size: size, Fingerprint: "source " + hex.EncodeToString(hash.Sum(nil))})
	if err != nil {
		return nil, err
	}
	for i.State == Receiving {
		part := io.NewSectionReader(spool, i.Received, min(ChunkBytes, size-i.Received))
		if i, err = r.Receive(ctx, i.ID, i.Received, part); err != nil {
			return nil, err
		}
	}
	if err := r.Run(ctx, i.ID, dataset); err != nil {
		return nil, err
	}
	return r.Import(ctx, i.ID)
}

// failSource keeps among a dataset's imports that its source can't be read.
func (r *Registry) failSource(ctx context.Context, d *catalog.Dataset, p *problem.Problem) (*Import, error) {
	i, err := r.Begin(ctx, By{Actor: "source", Via: "source"}, d, Upload{File: sourceName(d.Spec.Source), Size: 1, Fingerprint: "source failed"})
	if err != nil {
		return nil, err
	}
	return i, r.end(ctx, i, Failed, wholly(p))
}

// sourceName is what a source's file is called.
func sourceName(from *manifest.Source) string {
	switch {
	case from.File != "":
		return path.Base(from.File)
	case from.HTTP != "":
		return "source.json"
	}
	return "source.jsonl"
}

// copy writes what a source has to w, and says what to call it.
func (s Sources) copy(ctx context.Context, from *manifest.Source, w io.Writer) (string, error) {
	switch {
	case from.File != "":
		return sourceName(from), s.file(from.File, w)
	case from.HTTP != "":
		body, err := s.Client.Get(ctx, from.HTTP, maxSource)
		if err != nil {
			return "", err
		}
		defer body.Close()
		_, err = io.Copy(w, body)
		return sourceName(from), err
	}
	return sourceName(from), s.pages(ctx, from.OpenAPI, w)
}

func (s Sources) file(name string, w io.Writer) error {
	f, err := s.Folder.Open(name)
	if err != nil {
		return problem.New("source.file", 422, lang.F("자료 폴더에서 파일을 열 수 없습니다: %s", "the file %s can't be opened in the folder of sources", name)).
			Hinting(lang.T("서버의 자료 폴더(sources)에 파일을 두십시오", "put the file into the server's folder of sources"))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxSource {
		return problem.New("source.file", 422, lang.F("읽을 수 있는 파일이 아닙니다: %s", "%s is no file that can be read", name))
	}
	_, err = io.Copy(w, f)
	return err
}

// pages reads an open API page by page and writes its rows as JSON Lines. address has {from} and {to}, rows counted from one.
func (s Sources) pages(ctx context.Context, address string, w io.Writer) error {
	written := int64(0)
	for page := range maxPages {
		first := page*pageRows + 1
		at := strings.NewReplacer("{from}", strconv.Itoa(first), "{to}", strconv.Itoa(first+pageRows-1)).Replace(address)
		rows, total, err := s.page(ctx, at)
		if err != nil {
			return err
		}
		for _, row := range rows {
			n, err := w.Write(append(row, '\n'))
			if err != nil {
				return err
			}
			if written += int64(n); written > maxSource {
				return problem.New("fetch.size", 502, lang.T("자료의 크기가 한도를 넘습니다", "there are too many data"))
			}
		}
		if len(rows) == 0 || first+len(rows)-1 >= total {
			return nil
		}
	}
	return nil
}

// result is how an open API says what it thinks of a request.
type result struct {
	Code    string `json:"CODE"`
	Message string `json:"MESSAGE"`
}

// nothing is the code of an answer without rows.
const nothing = "INFO-200"

// page reads one page of an open API: {SERVICE: {list_total_count, RESULT, row}}, or {RESULT} alone where something is wrong.
func (s Sources) page(ctx context.Context, address string) (rows []json.RawMessage, total int, err error) {
	body, err := s.Client.Get(ctx, address, maxPage)
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
	var r result
	if err := json.Unmarshal(text, &r); err != nil || r.Code == "INFO-000" || r.Code == nothing {
		return nil
	}
	return problem.New("source.answer", 502, lang.F("열린데이터 API가 오류로 응답했습니다: %[1]s (%[2]s)", "the open API answered %[1]s: %[2]s", shorten(r.Code), shorten(r.Message)))
}
