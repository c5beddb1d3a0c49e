package source

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// settled is how long a file of a folder must be as it is before it is read: it may be on its way still.
const settled = 10 * time.Second

// maxListed is how many files a folder may have.
const maxListed = 10_000

// dropped is a file that somebody put into a folder.
type dropped struct {
	Name     string    `json:"name"`
	Size     int64     `json:"size"`
	Modified time.Time `json:"modified"`
}

func (d dropped) compare(o dropped) int {
	return cmp.Or(d.Modified.Compare(o.Modified), strings.Compare(d.Name, o.Name))
}

// folder reads the newest file of a folder, or, where files only add, the oldest that comes behind the position.
func (r *Reader) folder(ctx context.Context, q Request, secret string, w io.Writer) (Copied, error) {
	out := Copied{Rows: -1, Next: q.Since}
	var last dropped
	if q.Since != "" {
		if err := json.Unmarshal([]byte(q.Since), &last); err != nil {
			return out, fmt.Errorf("position of a source: %w", err)
		}
	}
	from, name, err := r.shelfOf(ctx, q, q.Source.Folder, secret)
	if err != nil {
		return out, err
	}
	defer from.Close()
	files, err := from.list(ctx, name)
	if err != nil {
		return out, err
	}
	same := slices.ContainsFunc(files, func(d dropped) bool { return d.compare(last) == 0 })
	newer := slices.DeleteFunc(files, func(d dropped) bool { return ours(d.Name) || d.compare(last) <= 0 })
	if len(newer) == 0 {
		out.Nothing, out.Same = true, same
		return out, nil
	}
	next := slices.MaxFunc(newer, dropped.compare)
	if q.Source.Append {
		next = slices.MinFunc(newer, dropped.compare)
	}
	if age := r.now().Sub(next.Modified); age < settled && age > -settled { // beyond, a clock is wrong
		out.Nothing = true // it is looked at again the next time
		return out, nil
	}
	if err := copyFile(ctx, from, path.Join(name, next.Name), w); err != nil {
		return out, err
	}
	text, err := json.Marshal(next)
	if err != nil {
		return out, err
	}
	out.File, out.Next = next.Name, string(text)
	return out, nil
}

// copyFile copies a file, and tells where less of it comes than there is.
func copyFile(ctx context.Context, from shelf, name string, w io.Writer) error {
	f, size, err := from.open(ctx, name)
	if err != nil {
		return err
	}
	defer f.Close()
	if size > maxSource {
		return tooMuch()
	}
	stop := context.AfterFunc(ctx, func() { f.Close() })
	defer stop()
	n, err := io.Copy(w, io.LimitReader(f, maxSource))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return problem.New("source.remote", 502, lang.F("파일을 끝까지 읽을 수 없습니다: %[1]s (%[2]s)", "the file %[1]s can't be read to its end: %[2]s", path.Base(name), brief(said(err))))
	}
	return nil
}

// folderOf opens a project's own folder of the folder of sources: no name and no link leads to another's.
func (r *Reader) folderOf(project string) (*os.Root, error) {
	if project == "" {
		project = "."
	}
	root, err := r.Folder.OpenRoot(project)
	if err != nil {
		return nil, problem.New("source.file", 422, lang.F("서버의 자료 폴더(sources)에 이 프로젝트의 폴더가 없습니다: %s", "the server's folder of sources has no folder %s for this project", project)).
			Hinting(lang.F("운영자가 서버의 sources 폴더에 %s 폴더를 만들고 파일을 두어야 합니다", "its operator makes a folder %s in the server's folder sources, and the files lie there", project))
	}
	return root, nil
}

// own is a project's folder of the folder of sources.
type own struct{ *os.Root }

func (o own) open(_ context.Context, name string) (io.ReadCloser, int64, error) {
	f, err := o.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe would be waited for
	if err != nil {
		return nil, 0, noFile(name)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, 0, problem.New("source.file", 422, lang.F("읽을 수 있는 파일이 아닙니다: %s", "%s is no file that can be read", name))
	}
	return f, info.Size(), nil
}

func (o own) list(_ context.Context, name string) (out []dropped, err error) {
	d, err := o.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_DIRECTORY, 0) // a pipe of that name isn't waited for
	if err != nil {
		return nil, noFolder(name)
	}
	defer d.Close()
	entries, err := d.ReadDir(maxListed + 1)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("list a folder of sources: %w", err)
	}
	if len(entries) > maxListed {
		return nil, tooMany(name)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		out = append(out, dropped{e.Name(), info.Size(), info.ModTime().UTC()})
	}
	return out, nil
}

func noFolder(name string) error {
	return problem.New("source.file", 422, lang.F("원본 폴더가 없습니다: %s", "there is no folder %s", name)).
		Hinting(lang.F("서버의 자료 폴더에 sources/프로젝트/%[1]s 폴더를 만드십시오. 파일 서버라면 그곳에 만드십시오", "make it in the server's data folder as sources/PROJECT/%[1]s, or where the files lie", name))
}

func tooMany(name string) error {
	return problem.New("source.file", 422, lang.F("폴더의 파일이 %d개를 넘습니다: %s", "there are more than %d files in the folder %s", maxListed, name)).
		Hinting(lang.T("오래된 파일을 다른 폴더로 옮기십시오", "move old ones away"))
}

// ours reports whether a file is a program's own: hidden, a lock of a spreadsheet (~$…), or on its way.
func ours(file string) bool {
	name := strings.ToLower(file)
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") || name == "thumbs.db" || name == "desktop.ini" || slices.Contains([]string{".tmp", ".part", ".partial", ".crdownload", ".filepart"}, path.Ext(name))
}
