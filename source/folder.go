package source

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
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
func (r *Reader) folder(ctx context.Context, q Request, w io.Writer) (Copied, error) {
	out := Copied{Rows: -1, Next: q.Since}
	var last dropped
	if q.Since != "" {
		if err := json.Unmarshal([]byte(q.Since), &last); err != nil {
			return out, fmt.Errorf("position of a source: %w", err)
		}
	}
	files, err := r.list(q.Source.Folder)
	if err != nil {
		return out, err
	}
	newer := slices.DeleteFunc(files, func(d dropped) bool { return d.compare(last) <= 0 })
	if len(newer) == 0 {
		out.Nothing = true
		return out, nil
	}
	next := slices.MaxFunc(newer, dropped.compare)
	if q.Source.Append {
		next = slices.MinFunc(newer, dropped.compare)
	}
	if r.now().Sub(next.Modified) < settled {
		out.Nothing = true // it is looked at again the next time
		return out, nil
	}
	if err := r.file(ctx, path.Join(q.Source.Folder, next.Name), w); err != nil {
		return out, err
	}
	text, err := json.Marshal(next)
	if err != nil {
		return out, err
	}
	out.File, out.Next = next.Name, string(text)
	return out, nil
}

// list lists the files of a folder but those that programs keep for themselves.
func (r *Reader) list(name string) (out []dropped, err error) {
	d, err := r.Folder.Open(name)
	if err != nil {
		return nil, problem.New("source.file", 422, lang.F("자료 폴더에 폴더가 없습니다: %s", "there is no folder %s in the folder of sources", name)).
			Hinting(lang.T("서버의 자료 폴더(sources)에 폴더를 만드십시오", "make it in the server's folder of sources"))
	}
	defer d.Close()
	entries, err := d.ReadDir(maxListed + 1)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("list a folder of sources: %w", err)
	}
	if len(entries) > maxListed {
		return nil, problem.New("source.file", 422, lang.F("폴더에 파일이 %d개보다 많습니다: %s", "there are more than %d files in the folder %s", maxListed, name)).
			Hinting(lang.T("오래된 파일을 옮기십시오", "move old ones away"))
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || ours(e) {
			continue
		}
		out = append(out, dropped{e.Name(), info.Size(), info.ModTime().UTC()})
	}
	return out, nil
}

// ours reports whether a file is a program's own: hidden, a lock of a spreadsheet (~$…), or on its way.
func ours(e fs.DirEntry) bool {
	name := strings.ToLower(e.Name())
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$") || slices.Contains([]string{".tmp", ".part", ".partial", ".crdownload", ".filepart"}, path.Ext(name))
}
