package blob

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"syscall"
	"time"

	"github.com/maru-city/maru/engine/problem"
)

// incoming is where files lie while they are being written, on the same file system as their place. It isn't a key.
const incoming = ".incoming"

// abandoned is the age, since its last write, at which an incoming file is taken for the remains of a process that was killed.
const abandoned = 24 * time.Hour

// Folder is a [Store] in a folder of a file system. Files lie under their keys, so that an operator finds them and any backup keeps them. Several
// processes may use one folder.
type Folder struct {
	root *os.Root // nothing outside is reached, not by a symbolic link either
}

// OpenFolder opens the store in a folder, which is made if it isn't there, and removes what killed processes left in it.
func OpenFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the store of files: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the store of files: %w", err)
	}
	f := &Folder{root: root}
	if err := f.sweep(time.Now().Add(-abandoned)); err != nil {
		root.Close()
		return nil, fmt.Errorf("open the store of files: %w", err)
	}
	return f, nil
}

// Close closes the store. Files that are open can be read to their end.
func (f *Folder) Close() error { return f.root.Close() }

// sweep removes incoming files last written before a time.
func (f *Folder) sweep(before time.Time) error {
	if err := f.root.MkdirAll(incoming, 0o700); err != nil {
		return err
	}
	entries, err := fs.ReadDir(f.root.FS(), incoming)
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && info.ModTime().Before(before) {
			err = f.root.Remove(path.Join(incoming, e.Name()))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // another process sweeps too
			return err
		}
	}
	return nil
}

// Put implements [Store]: it writes beside, syncs, and renames into place.
func (f *Folder) Put(ctx context.Context, key string, r io.Reader) (int64, error) {
	if err := ValidKey(key); err != nil {
		return 0, err
	}
	temporary := path.Join(incoming, rand.Text())
	n, err := f.write(temporary, reader{ctx, r})
	if err == nil {
		err = f.place(temporary, key)
	}
	if err != nil {
		_ = f.root.Remove(temporary) // the error of writing is the one that matters
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			err = fmt.Errorf("%w: %w", problem.Full(), err)
		}
		return 0, fmt.Errorf("keep file %s: %w", key, err)
	}
	return n, nil
}

// write makes a file that is on the disk when write returns.
func (f *Folder) write(name string, r io.Reader) (int64, error) {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(file, r)
	if err == nil {
		err = file.Sync()
	}
	return n, errors.Join(err, file.Close())
}

// place renames a written file to its key. A Delete beside it may remove the folder between its making and the renaming: then it is made again.
func (f *Folder) place(temporary, key string) error {
	folder := path.Dir(key)
	for tries := 0; ; tries++ {
		if err := f.root.MkdirAll(folder, 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		err := f.root.Rename(temporary, key)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) || tries == 100 {
			return err
		}
	}
	for ; ; folder = path.Dir(folder) { // a new folder is an entry of its parent, up to the root
		if err := f.sync(folder); err != nil || folder == "." {
			return err
		}
	}
}

// sync makes what was renamed in a folder last. A folder that has gone has nothing to keep.
func (f *Folder) sync(folder string) error {
	dir, err := f.root.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Open implements [Store].
func (f *Folder) Open(_ context.Context, key string) (io.ReadCloser, Info, error) {
	if err := ValidKey(key); err != nil {
		return nil, Info{}, err
	}
	file, err := f.root.Open(key)
	if err != nil {
		return nil, Info{}, fmt.Errorf("open file %s: %w", key, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = ErrNotExist // a folder of keys is no file
	}
	if err != nil {
		file.Close()
		return nil, Info{}, fmt.Errorf("open file %s: %w", key, err)
	}
	return file, Info{Key: key, Size: info.Size(), Modified: info.ModTime()}, nil
}

// Delete implements [Store]. Folders that are empty then go too.
func (f *Folder) Delete(_ context.Context, key string) error {
	if err := ValidKey(key); err != nil {
		return err
	}
	info, err := f.root.Lstat(key)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return nil
	}
	if err == nil {
		err = f.root.Remove(key)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete file %s: %w", key, err)
	}
	folder := path.Dir(key)
	for folder != "." && f.root.Remove(folder) == nil { // refused while something is in it
		folder = path.Dir(folder)
	}
	return f.sync(folder)
}

// List implements [Store]. It holds the names of one folder of each level in memory.
func (f *Folder) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		err := ValidPrefix(prefix)
		if err == nil {
			err = f.walk(ctx, prefix, func(i Info) bool { return yield(i, nil) })
		}
		if err != nil && !errors.Is(err, errStopped) {
			yield(Info{}, err)
		}
	}
}

// errStopped ends a walk whose reader has seen enough.
var errStopped = errors.New("stopped")

// walk calls visit with the files in a folder ("" or with a slash behind it) and below, in order of key.
func (f *Folder) walk(ctx context.Context, folder string, visit func(Info) bool) error {
	entries, err := fs.ReadDir(f.root.FS(), path.Clean(folder))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return cmp.Compare(inKey(a), inKey(b)) })
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		key := folder + e.Name()
		if ValidKey(key) != nil {
			continue // incoming, or something that isn't ours, such as lost+found
		}
		if e.IsDir() {
			if err := f.walk(ctx, key+"/", visit); err != nil {
				return err
			}
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		if !visit(Info{Key: key, Size: info.Size(), Modified: info.ModTime()}) {
			return errStopped
		}
	}
	return nil
}

// inKey is how an entry continues a key: a slash sorts after a hyphen and a dot, so that `a-b` comes before `a/b`.
func inKey(e fs.DirEntry) string {
	if e.IsDir() {
		return e.Name() + "/"
	}
	return e.Name()
}

// reader ends when its context does.
type reader struct {
	ctx context.Context
	io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(p)
}
