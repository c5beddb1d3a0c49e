package blob_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/blob/blobtest"
)

func openFolder(t *testing.T, dir string) *blob.Folder {
	t.Helper()
	f, err := blob.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestFolderConformance(t *testing.T) {
	blobtest.Conformance(t, func(t *testing.T) blob.Store { return openFolder(t, filepath.Join(t.TempDir(), "new", "folder")) })
}

func TestFolderNeverFollowsALinkOutOfIt(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	f := openFolder(t, dir)
	for link, target := range map[string]string{"file": outside, "folder": filepath.Dir(outside)} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skip("links can't be made here:", err)
		}
	}
	for _, key := range []string{"file", "folder/secret"} {
		if r, _, err := f.Open(t.Context(), key); err == nil {
			r.Close()
			t.Errorf("%s was read through a link", key)
		}
	}
	if _, err := f.Put(t.Context(), "folder/new", strings.NewReader("x")); err == nil {
		t.Error("a file was written through a link")
	}
	if _, err := f.Put(t.Context(), "file", strings.NewReader("mine")); err != nil {
		t.Error(err) // in place of the link, not through it
	}
	if got, err := os.ReadFile(outside); err != nil || string(got) != "secret" {
		t.Errorf("the file outside is now %q, %v", got, err)
	}
}

func TestFolderSweepsWhatKilledProcessesLeft(t *testing.T) {
	dir := t.TempDir()
	openFolder(t, dir)
	old, young := filepath.Join(dir, ".incoming", "OLD"), filepath.Join(dir, ".incoming", "YOUNG")
	for path, age := range map[string]time.Duration{old: 25 * time.Hour, young: time.Hour} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Now().Add(-age)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	openFolder(t, dir)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was left a day ago is still there: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("what may still be written was removed: %v", err)
	}
}

func TestFolderKeepsNoEmptyFolders(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, dir)
	if _, err := f.Put(t.Context(), "imports/42/rejected.csv", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if err := f.Delete(t.Context(), "imports/42/rejected.csv"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "imports")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the empty folder is still there: %v", err)
	}
}
