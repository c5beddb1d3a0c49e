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
	Folder *os.Root      // files of sources lie in it, each project's in a folder of its name; nothing outside can be named
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
	Project  string // whose source it is: a project's secrets and files are its own; empty: nobody's, whose files lie in the folder itself
	Source   *manifest.Source
	Since    string                                          // a position that an earlier copy returned: only what may have come since is asked for
	Wanted   func(columns []string) []string                 // chooses the columns that are asked for, where the source lets them be chosen; nil: all
	Key      func(columns []string) []string                 // those by which it is told which record a row is; nil, or none: it isn't asked
	Types    func(columns []string) map[string]manifest.Type // of the fields that they fill; nil: it isn't known
	Fits     func(columns []string) error                    // whether a table's columns are as they have to be; nil: it isn't asked
	Snapshot string                                          // of an open [Slot]: what the table held where its changes begin
	Limit    int64                                           // of rows, where the source lets it be said; 0: none
}

// Copied says what was copied.
type Copied struct {
	File    string // what to call it: its ending says its form
	Rows    int64  // -1: not known
	Next    string // the position behind it, for the next read of what has come since
	Nothing bool   // nothing new has come, which says nothing of what there was
	Same    bool   // nothing new, and what is there is what was taken last: of a folder whose newest file is that
}

// Copy writes what a source has to w.
//
// Codes: source.file, source.remote, source.refused, source.hostkey, source.answer, source.database, source.table, source.since, source.secret, source.size; fetch.failed, fetch.status, fetch.private, fetch.size.
func (r *Reader) Copy(ctx context.Context, q Request, w io.Writer) (Copied, error) {
	ctx, stop := context.WithTimeout(ctx, tableTime)
	defer stop()
	from, secret := q.Source, ""
	if from.Secret != "" {
		var err error
		if secret, err = r.Secret(q.Project, from.Secret); err != nil {
			return Copied{}, err
		}
	}
	switch {
	case from.File != "":
		files, name, err := r.shelfOf(ctx, q, from.File, secret)
		if err != nil {
			return Copied{}, err
		}
		defer files.Close()
		return Copied{File: path.Base(name), Rows: -1}, copyFile(ctx, files, name, w)
	case from.Folder != "":
		return r.folder(ctx, q, secret, w)
	case from.Database != "":
		return r.table(ctx, q, secret, w)
	case from.HTTP != "":
		return r.http(ctx, from, secret, w)
	}
	return r.pages(ctx, withSecret(from.OpenAPI, secret), bearer(from.OpenAPI, secret), w)
}

func noFile(name string) error {
	return problem.New("source.file", 422, lang.F("파일을 열 수 없습니다: %s", "the file %s can't be opened", name)).
		Hinting(lang.F("서버에서는 자료 폴더의 sources/프로젝트/%[1]s에 파일을 두십시오", "on the server it lies in the data folder as sources/PROJECT/%[1]s", name))
}

func tooMuch() error {
	return problem.New("source.size", 502, lang.F("원본의 자료가 한 번에 읽을 수 있는 크기(%d GB)를 넘습니다", "the source has more than can be read at once (%d GB)", maxSource>>30)).
		Hinting(lang.T("원본을 여러 데이터셋으로 나누어 읽으십시오. 데이터베이스라면 source.since에 바뀐 시각이나 커지는 번호가 있는 열을 쓰십시오", "divide the source among several datasets; for a database, name in source.since a column of times or of numbers that grow"))
}

// Passing reports whether what was wrong with a source may pass by itself, so that it is worth trying again soon.
func Passing(err error) bool {
	switch problem.Code(err) {
	case "fetch.failed", "fetch.status", "source.database", "source.answer", "source.remote":
		return true
	}
	return false
}

// Pause is how long to wait before a source that couldn't be read is tried again for the nth time.
func Pause(attempt int) time.Duration {
	return min(time.Duration(attempt*attempt)*5*time.Second, 5*time.Minute)
}
