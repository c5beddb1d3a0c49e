package keys

import (
	"bytes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tink-crypto/tink-go/v2/daead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	tinkpb "github.com/tink-crypto/tink-go/v2/proto/tink_go_proto"
	"github.com/tink-crypto/tink-go/v2/tink"
	"golang.org/x/mod/sumdb/note"
)

// Master encrypts the keysets at rest: the key of a key management service.
type Master = tink.AEAD

// Ring is an installation's keys. It is safe for concurrent use.
type Ring struct {
	folder string
	master Master

	pseudonyms tink.DeterministicAEAD
	fields     atomic.Pointer[tink.AEAD] // of values; rotated
	index      *prf.Set
	aliases    cipher.Block
	signer     note.Signer
	verifier   string
	tokens     *ecdsa.PrivateKey

	rotating sync.Mutex
	read     time.Time // when the keyset of fields was written that is read
}

// The files of a ring.
const (
	pseudonymFile = "pseudonyms.json"
	fieldFile     = "fields.json"
	indexFile     = "index.json"
	logFile       = "log.key"
	tokenFile     = "tokens.pem"
)

// Open reads the keys in a folder and makes those that aren't there. origin is the name of the log that the signer signs for. master may be nil.
func Open(folder, origin string, master Master) (*Ring, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open the keys: %w", err)
	}
	r := &Ring{folder: folder, master: master}
	pseudonyms, err := r.keyset(pseudonymFile, rawSIV())
	if err != nil {
		return nil, err
	}
	index, err := r.keyset(indexFile, prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		return nil, err
	}
	if r.pseudonyms, err = daead.New(pseudonyms); err != nil {
		return nil, fmt.Errorf("open the keys: %s: %w", pseudonymFile, err)
	}
	if err = r.loadFields(); err != nil {
		return nil, err
	}
	if r.index, err = prf.NewPRFSet(index); err != nil {
		return nil, fmt.Errorf("open the keys: %s: %w", indexFile, err)
	}
	if err := r.openAliases(); err != nil {
		return nil, err
	}
	if err := r.openSigner(origin); err != nil {
		return nil, err
	}
	return r, r.openTokens()
}

// rawSIV is AES-SIV without tink's prefix: the key of pseudonyms never changes, so nothing need say which key it was.
func rawSIV() *tinkpb.KeyTemplate {
	t := daead.AESSIVKeyTemplate()
	t.OutputPrefixType = tinkpb.OutputPrefixType_RAW
	return t
}

// keyset reads a keyset, or makes one.
func (r *Ring) keyset(name string, template *tinkpb.KeyTemplate) (*keyset.Handle, error) {
	text, err := r.file(name, func() ([]byte, error) {
		h, err := keyset.NewHandle(template)
		if err != nil {
			return nil, err
		}
		return r.write(name, h)
	})
	if err != nil {
		return nil, err
	}
	in := keyset.NewJSONReader(bytes.NewReader(text))
	var h *keyset.Handle
	if r.master != nil {
		h, err = keyset.ReadWithAssociatedData(in, r.master, []byte(name))
	} else {
		h, err = insecurecleartextkeyset.Read(in)
	}
	if err != nil {
		return nil, fmt.Errorf("open the keys: %s: %w", name, err)
	}
	return h, nil
}

func (r *Ring) write(name string, h *keyset.Handle) ([]byte, error) {
	var b bytes.Buffer
	out := keyset.NewJSONWriter(&b)
	if r.master != nil {
		err := h.WriteWithAssociatedData(out, r.master, []byte(name))
		return b.Bytes(), err
	}
	err := insecurecleartextkeyset.Write(h, out)
	return b.Bytes(), err
}

// file reads a file of the ring, or makes it. Of several nodes that make it at once, one wins.
func (r *Ring) file(name string, fresh func() ([]byte, error)) ([]byte, error) {
	path := filepath.Join(r.folder, name)
	text, err := os.ReadFile(path)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return text, wrap(name, err)
	}
	if text, err = fresh(); err != nil {
		return nil, wrap(name, err)
	}
	f, err := os.CreateTemp(r.folder, ".new-*")
	if err != nil {
		return nil, wrap(name, err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, wrap(name, err)
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, wrap(name, err)
	}
	if dir, err := os.Open(r.folder); err == nil {
		_ = dir.Sync() // where folders can't be synced, the file system sees to it
		dir.Close()
	}
	text, err = os.ReadFile(path)
	return text, wrap(name, err)
}

func wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("open the keys: %s: %w", name, err)
}

// openSigner reads the key of the log: a note key (golang.org/x/mod/sumdb/note), the signer's line and the verifier's.
func (r *Ring) openSigner(origin string) error {
	text, err := r.file(logFile, func() ([]byte, error) {
		signer, verifier, err := note.GenerateKey(rand.Reader, origin)
		return []byte(signer + "\n" + verifier + "\n"), err
	})
	if err != nil {
		return err
	}
	signer, verifier, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	if r.signer, err = note.NewSigner(signer); err != nil {
		return wrap(logFile, err)
	}
	r.verifier = strings.TrimSpace(verifier)
	if _, err := note.NewVerifier(r.verifier); err != nil {
		return wrap(logFile, err)
	}
	return nil
}

// openTokens reads the key with which the embedded identity provider signs tokens: ECDSA on P-256.
func (r *Ring) openTokens() error {
	text, err := r.file(tokenFile, func() ([]byte, error) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
	})
	if err != nil {
		return err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return wrap(tokenFile, errors.New("it is no PEM"))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return wrap(tokenFile, err)
	}
	var ok bool
	if r.tokens, ok = key.(*ecdsa.PrivateKey); !ok {
		return wrap(tokenFile, errors.New("it is no ECDSA key"))
	}
	return nil
}

// Signer signs the log's checkpoints.
func (r *Ring) Signer() note.Signer { return r.signer }

// Verifier is the public key of the log, as a note verifier's line.
func (r *Ring) Verifier() string { return r.verifier }

// Tokens signs the tokens of the embedded identity provider.
func (r *Ring) Tokens() *ecdsa.PrivateKey { return r.tokens }
