package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/tabular"
)

// folder is what a command line names: manifests and the tables they cite.
type folder struct {
	files    map[string]string // path below the common folder → text
	typed    map[string]string // the same path as the user would write it
	findings []manifest.Finding
	size     int
}

// readFolder reads the manifests that arguments name: folders with all that is below them, and files. Folders whose names begin with a dot are left
// out, and a link that leads out of its folder is a problem.
func readFolder(args []string) (*folder, error) {
	roots := make([]string, len(args)) // the folder of each argument
	names := make([]string, len(args)) // the file in it, or ""
	for i, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, problem.New("folder.missing", 404, lang.F("열 수 없습니다: %s (%s)", "%s can't be opened: %s", arg, reason(err)))
		}
		at, err := filepath.Abs(arg)
		if err != nil {
			return nil, err
		}
		if roots[i] = at; !info.IsDir() {
			roots[i], names[i] = filepath.Split(at)
		}
	}
	common := commonFolder(roots)
	f := &folder{files: map[string]string{}, typed: map[string]string{}}
	for i, arg := range args {
		below, err := filepath.Rel(common, roots[i])
		if err != nil {
			return nil, err
		}
		if names[i] != "" {
			arg = filepath.Dir(arg)
		}
		if err := f.read(roots[i], filepath.ToSlash(below), arg, names[i]); err != nil {
			return nil, err
		}
	}
	if len(f.files) == 0 {
		return nil, problem.New("folder.empty", 404, lang.F("선언문(*.yaml)이 없습니다: %s", "there is no manifest (*.yaml) in %s", strings.Join(args, ", "))).
			Hinting(lang.T("kind: Project 문서부터 쓰거나 maru infer로 만드세요", "begin with a document of kind: Project, or make one with maru infer"))
	}
	return f, nil
}

// commonFolder is the deepest folder that holds all of some.
func commonFolder(dirs []string) string {
	common := filepath.Clean(dirs[0])
	for _, d := range dirs[1:] {
		for d = filepath.Clean(d); common != d && !strings.HasPrefix(d, strings.TrimSuffix(common, "/")+"/"); {
			common = filepath.Dir(common)
		}
	}
	return common
}

// read reads one argument: a folder, or one file of it. below is where the folder lies in the common one, typed as what it was named.
func (f *folder) read(dir, below, typed, only string) error {
	root, err := os.OpenRoot(dir) // nothing outside can be read through it
	if err != nil {
		return problem.New("folder.missing", 404, lang.F("열 수 없습니다: %s (%s)", "%s can't be opened: %s", typed, reason(err)))
	}
	defer root.Close()
	var names []string
	if only != "" {
		names = []string{only}
	} else if names, err = manifestsOf(root, typed); err != nil {
		return err
	}
	own := map[string]string{}
	for _, name := range names {
		text, err := f.take(root, name, filepath.Join(typed, name))
		if err != nil {
			return err
		}
		if !utf8.ValidString(text) {
			f.findings = append(f.findings, manifest.Finding{
				Severity: manifest.Error, Code: "manifest.encoding", Pos: manifest.Pos{File: path.Join(below, name), Line: 1, Column: 1},
				Message: lang.T("UTF-8로 저장된 파일이 아닙니다", "the file isn't UTF-8"), Hint: lang.T("UTF-8로 다시 저장하세요", "save it as UTF-8"),
			})
			text = strings.ToValidUTF8(text, "\uFFFD")
		}
		own[name] = text
	}
	if err := f.tables(root, own, typed); err != nil {
		return err
	}
	for name, text := range own {
		at := path.Join(below, name)
		f.files[at], f.typed[at] = text, filepath.Join(typed, name)
	}
	if len(f.files) > catalog.MaxPlanFiles {
		return problem.New("folder.large", 413, lang.F("파일이 %d개를 넘습니다", "there are over %d files", catalog.MaxPlanFiles)).
			Hinting(lang.T("사업마다 따로 적용하세요", "apply one project at a time"))
	}
	return nil
}

// manifestsOf lists the manifests of a folder.
func manifestsOf(root *os.Root, typed string) (names []string, err error) {
	err = fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return problem.New("folder.missing", 404, lang.F("열 수 없습니다: %s (%s)", "%s can't be opened: %s", filepath.Join(typed, name), reason(err)))
		}
		if hidden := name != "." && strings.HasPrefix(d.Name(), "."); hidden {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		regular := d.Type().IsRegular()
		if d.Type()&fs.ModeSymlink != 0 {
			info, err := root.Stat(name)
			if err != nil {
				return problem.New("folder.link", 403, lang.F("폴더 밖을 가리키는 링크이거나 끊어진 링크입니다: %s", "%s is a link that leads out of the folder, or nowhere", filepath.Join(typed, name))).
					Hinting(lang.T("파일을 폴더 안에 두세요", "put the file into the folder"))
			}
			regular = info.Mode().IsRegular() // a linked folder is read at its own place
		}
		if regular && manifest.IsManifest(name) {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// take reads one file, within the limits of all.
func (f *folder) take(root *os.Root, name, typed string) (string, error) {
	file, err := root.Open(name)
	if err != nil {
		return "", problem.New("folder.missing", 404, lang.F("열 수 없습니다: %s (%s)", "%s can't be opened: %s", typed, reason(err)))
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, int64(catalog.MaxPlanBody-f.size)+1))
	if err != nil {
		return "", fmt.Errorf("read %s: %w", typed, err)
	}
	if f.size += len(text); f.size > catalog.MaxPlanBody {
		return "", tooLarge(typed)
	}
	return string(text), nil
}

// tables adds the tables that vocabularies cite, as CSV in UTF-8. One that isn't there is left to the plan to say.
func (f *folder) tables(root *os.Root, own map[string]string, typed string) error {
	vocabularies := map[string]string{} // files that may have one
	for name, text := range own {
		if strings.Contains(text, "Vocabulary") {
			vocabularies[name] = text
		}
	}
	if len(vocabularies) == 0 {
		return nil
	}
	set, _ := manifest.Parse(vocabularies, nil)
	for _, r := range set.Resources {
		v, ok := r.Spec.(*manifest.Vocabulary)
		if !ok || v.File == "" {
			continue
		}
		name := path.Join(path.Dir(r.File), v.File)
		if _, known := own[name]; known || !fs.ValidPath(name) {
			continue
		}
		if _, err := root.Stat(name); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		text, err := f.table(root, name, filepath.Join(typed, name))
		if err != nil {
			return err
		}
		own[name] = text
	}
	return nil
}

// table reads a table as CSV in UTF-8, whatever form the file has. One that is just that already stays as it is, so that its lines keep their
// numbers.
func (f *folder) table(root *os.Root, name, typed string) (string, error) {
	wrong := func(err error) error {
		p := problem.As(err)
		if p == nil {
			return fmt.Errorf("read %s: %w", typed, err)
		}
		return problem.New("folder.table", 422, lang.F("표로 읽을 수 없습니다: %s (%s)", "%s can't be read as a table: %s", typed, p.Detail)).Hinting(p.Hint)
	}
	file, err := root.Open(name)
	if err != nil {
		return "", wrong(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", wrong(err)
	}
	t, err := tabular.Open(file, info.Size(), typed, tabular.Options{})
	if err != nil {
		return "", wrong(err)
	}
	defer t.Close()
	if t.Form == "csv" && t.Encoding == "utf-8" && t.Delimiter == "," && t.Header == 1 && t.Skip == 0 {
		return f.take(root, name, typed)
	}
	out := &bounded{left: catalog.MaxPlanBody - f.size}
	if err := tabular.WriteCSV(out, t); errors.Is(err, errBounded) {
		return "", tooLarge(typed)
	} else if err != nil {
		return "", wrong(err)
	}
	f.size += out.text.Len()
	return out.text.String(), nil
}

// errBounded is the error of writing more than a bounded text holds.
var errBounded = errors.New("over the limit")

// bounded is a text that holds so many bytes and no more.
type bounded struct {
	text strings.Builder
	left int
}

// Write adds to the text.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= len(p); b.left < 0 {
		return 0, errBounded
	}
	return b.text.Write(p)
}

func tooLarge(typed string) error {
	return problem.New("folder.large", 413, lang.F("파일의 전체 크기가 %d MB를 넘습니다 (마지막으로 읽은 파일: %s)", "the files have over %d MB in all (read up to %s)", catalog.MaxPlanBody>>20, typed)).
		Hinting(lang.T("사업마다 따로 적용하세요", "apply one project at a time"))
}

// shown puts the paths of findings as the user would write them, and adds what was found in reading.
func (f *folder) shown(findings []manifest.Finding) []manifest.Finding {
	out := append(slices.Clone(findings), f.findings...)
	for i := range out {
		if typed, ok := f.typed[out[i].Pos.File]; ok {
			out[i].Pos.File = typed
		}
	}
	manifest.SortFindings(out)
	return out
}
