package keys

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Rotate makes a new key for sealing values, from now on. What was sealed before can still be opened. Other programs with the same folder open
// what is sealed by the new key as soon as they see it, and go on to seal by theirs until they open the ring again.
func (r *Ring) Rotate() error {
	r.rotating.Lock()
	defer r.rotating.Unlock()
	folder, err := os.Open(r.folder)
	if err != nil {
		return wrap(fieldFile, err)
	}
	defer folder.Close()
	if err := syscall.Flock(int(folder.Fd()), syscall.LOCK_EX); err != nil { // two at once would lose a key, and what was sealed by it
		return wrap(fieldFile, err)
	}
	h, err := r.keyset(fieldFile, aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	m := keyset.NewManagerFromHandle(h)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("rotate the keys: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return fmt.Errorf("rotate the keys: %w", err)
	}
	if h, err = m.Handle(); err != nil {
		return fmt.Errorf("rotate the keys: %w", err)
	}
	text, err := r.write(fieldFile, h)
	if err != nil {
		return err
	}
	if err := r.replace(fieldFile, text, folder); err != nil {
		return err
	}
	return r.loadFields()
}

// replace writes a file anew: it is there whole, the former or the new one.
func (r *Ring) replace(name string, text []byte, folder *os.File) error {
	f, err := os.CreateTemp(r.folder, ".new-*")
	if err != nil {
		return wrap(name, err)
	}
	defer os.Remove(f.Name()) // where it has been renamed there is nothing to remove
	if _, err := f.Write(text); err != nil {
		f.Close()
		return wrap(name, err)
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return wrap(name, err)
	}
	if err := f.Close(); err != nil {
		return wrap(name, err)
	}
	if err := os.Rename(f.Name(), filepath.Join(r.folder, name)); err != nil {
		return wrap(name, err)
	}
	return folder.Sync()
}

// loadFields reads the keyset for values.
func (r *Ring) loadFields() error {
	var written time.Time // before it is read: what is written meanwhile is read the next time
	if info, err := os.Stat(filepath.Join(r.folder, fieldFile)); err == nil {
		written = info.ModTime()
	}
	h, err := r.keyset(fieldFile, aead.AES256GCMKeyTemplate())
	if err != nil {
		return err
	}
	fields, err := aead.New(h)
	if err != nil {
		return fmt.Errorf("open the keys: %s: %w", fieldFile, err)
	}
	r.fields.Store(&fields)
	r.read = written
	return nil
}

// newer reads the keyset for values again where another program has rotated it, and reports whether it had.
func (r *Ring) newer() bool {
	r.rotating.Lock()
	defer r.rotating.Unlock()
	info, err := os.Stat(filepath.Join(r.folder, fieldFile))
	return err == nil && !info.ModTime().Equal(r.read) && r.loadFields() == nil
}
