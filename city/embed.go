package city

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed manifests
var manifests embed.FS

// Manifests returns the demo city's manifests as path → text, as [manifest.Parse] takes them. Each top folder is a project.
//
// [manifest.Parse]: https://pkg.go.dev/github.com/maru-city/maru/manifest#Parse
func Manifests() map[string]string {
	files := map[string]string{}
	err := fs.WalkDir(manifests, "manifests", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := manifests.ReadFile(path)
		files[strings.TrimPrefix(path, "manifests/")] = string(text)
		return err
	})
	if err != nil {
		panic("city: the manifests that were built in can't be read: " + err.Error()) // can't happen: they are in the binary
	}
	return files
}
