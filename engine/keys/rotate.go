package keys

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// Rotate makes a new key for sealing values. What was sealed before can still be opened. It takes effect where the ring is opened again.
func (r *Ring) Rotate() error {
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
	path := filepath.Join(r.folder, fieldFile)
	f, err := os.CreateTemp(r.folder, ".new-*")
	if err != nil {
		return wrap(fieldFile, err)
	}
	defer os.Remove(f.Name()) // where it has been renamed there is nothing to remove
	if _, err := f.Write(text); err != nil {
		f.Close()
		return wrap(fieldFile, err)
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return wrap(fieldFile, err)
	}
	if err := f.Close(); err != nil {
		return wrap(fieldFile, err)
	}
	return os.Rename(f.Name(), path)
}
