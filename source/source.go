package source

import (
	"context"
	"io"
	"os"
	"path"
	"time"

	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Reader reads sources. It is safe for concurrent use.
type Reader struct {
	Folder *os.Root      // files of sources lie in it; nothing outside can be named
	Net    *fetch.Client // reaches those networks that the operator lets it
	Secret func(project, name string) (string, error)
	Now    func() time.Time // nil: the time
}

func (r *Reader) now() time.Time {
	if r.Now == nil {
		return time.Now()
	}
	return r.Now()
}

// Limits of what is read at once.
const (
	maxSource = 8 << 30  // bytes
	maxPage   = 64 << 20 // bytes of one page of an open API
	pageRows  = 1000     // the most that the city's open API gives at once
	maxPages  = 100_000
)

// Request says what is asked of a source.
type Request struct {
	Project  string // whose source it is: a project's secrets are its own
	Source   *manifest.Source
	Since    string                          // a position that an earlier copy returned: only what may have come since is asked for
	Wanted   func(columns []string) []string // chooses the columns that are asked for, where the source lets them be chosen; nil: all
	Snapshot string                          // of an open [Slot]: what the table held where its changes begin
	Limit    int64                           // of rows, where the source lets it be said; 0: none
}

// Copied says what was copied.
type Copied struct {
	File    string // what to call it: its ending says its form
	Rows    int64  // -1: not known
	Next    string // the position behind it, for the next read of what has come since
	Nothing bool   // nothing new has come, which says nothing of what there was
}

// Copy writes what a source has to w.
//
// Codes: source.file, source.answer, source.database, source.table, source.since, source.secret, source.size; fetch.failed, fetch.status, fetch.private, fetch.size.
func (r *Reader) Copy(ctx context.Context, q Request, w io.Writer) (Copied, error) {
	from, secret := q.Source, ""
	if from.Secret != "" {
		var err error
		if secret, err = r.Secret(q.Project, from.Secret); err != nil {
			return Copied{}, err
		}
	}
	switch {
	case from.File != "":
		return Copied{File: path.Base(from.File), Rows: -1}, r.file(ctx, from.File, w)
	case from.Folder != "":
		return r.folder(ctx, q, w)
	case from.Database != "":
		return r.table(ctx, q, secret, w)
	case from.HTTP != "":
		body, err := r.Net.Get(ctx, withSecret(from.HTTP, secret), bearer(from.HTTP, secret), maxSource)
		if err != nil {
			return Copied{}, err
		}
		defer body.Close()
		_, err = io.Copy(w, body)
		return Copied{File: "source.json", Rows: -1}, err
	}
	return r.pages(ctx, withSecret(from.OpenAPI, secret), bearer(from.OpenAPI, secret), w)
}

func (r *Reader) file(_ context.Context, name string, w io.Writer) error {
	f, err := r.Folder.Open(name)
	if err != nil {
		return noFile(name)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxSource {
		return problem.New("source.file", 422, lang.F("읽을 수 있는 파일이 아닙니다: %s", "%s is no file that can be read", name))
	}
	_, err = io.Copy(w, f)
	return err
}

func noFile(name string) error {
	return problem.New("source.file", 422, lang.F("자료 폴더에서 파일을 열 수 없습니다: %s", "the file %s can't be opened in the folder of sources", name)).
		Hinting(lang.T("서버의 자료 폴더(sources)에 파일을 두십시오", "put the file into the server's folder of sources"))
}

func tooMuch() error {
	return problem.New("source.size", 502, lang.F("원본의 자료가 한 번에 읽을 수 있는 크기(%d GB)를 넘습니다", "the source has more than can be read at once (%d GB)", maxSource>>30)).
		Hinting(lang.T("source.since에 바뀐 시각이나 번호가 있는 열을 쓰거나, 표를 나누십시오", "name a column of times or numbers in source.since, or divide the table"))
}

// Passing reports whether what was wrong with a source may pass by itself, so that it is worth trying again soon.
func Passing(err error) bool {
	switch problem.Code(err) {
	case "fetch.failed", "fetch.status", "source.database", "source.answer":
		return true
	}
	return false
}

// Pause is how long to wait before a source that couldn't be read is tried again for the nth time.
func Pause(attempt int) time.Duration {
	return min(time.Duration(attempt*attempt)*5*time.Second, 5*time.Minute)
}
