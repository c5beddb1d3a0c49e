package ledger

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
)

// Entry is what is appended.
type Entry struct {
	Public   any             // as JSON: what everyone may see
	Private  any             // as JSON: what only those it is about may see. It should hold a random salt, or one could guess it
	Subject  int64           // the number of the one it is about; 0 for none or many
	Subjects *roaring.Bitmap // the numbers of many; nil for none
	Rate     *Rate           // if set, the append is refused where there are too many already
}

// Rate is how many entries of a name there may be in a time.
type Rate struct {
	Name string
	Most int64
	In   time.Duration
}

// leaf is an entry as it stands in the tree.
type leaf struct {
	Public     json.RawMessage `json:"public"`
	Commitment string          `json:"private"` // hex SHA-256, see [commitment]
}

// block is the part of a set of subjects whose numbers have the same first bits: 65,536 of them.
type block struct {
	n    int64
	bits []byte // a roaring bitmap, in the format that all its libraries share
	salt []byte // random, told to nobody: with the hash alone nobody finds the bits by trying. Entries of before have none
}

// blocks cuts a set of subjects.
func blocks(set *roaring.Bitmap) ([]block, error) {
	if set == nil {
		return nil, nil
	}
	var out []block
	var members []uint32 // of one block
	for it := set.Iterator(); it.HasNext(); {
		n := it.PeekNext() >> 16
		members = members[:0]
		for it.HasNext() && it.PeekNext()>>16 == n {
			members = append(members, it.Next())
		}
		part := roaring.BitmapOf(members...)
		part.RunOptimize()
		bits, err := part.ToBytes()
		if err != nil {
			return nil, fmt.Errorf("ledger: pack subjects: %w", err)
		}
		out = append(out, block{int64(n), bits, newSalt()})
	}
	return out, nil
}

// commitment is the hash of an entry's private part: of its text, and of the hash of each block of its subjects, see [block.hash].
func commitment(private []byte, hashes [][32]byte) string {
	h := sha256.New()
	text := sha256.Sum256(private)
	h.Write(text[:])
	for _, b := range hashes {
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// hash is that of the block's number (8 bytes, big-endian; the first is 1 where there is a salt), salt and bits.
func (b block) hash() [32]byte {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(b.n))
	if len(b.salt) > 0 {
		n[0] = 1
	}
	return sha256.Sum256(slices.Concat(n[:], b.salt, b.bits))
}

func newSalt() []byte {
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	return salt
}

func hashesOf(all []block) [][32]byte {
	out := make([][32]byte, len(all))
	for i, b := range all {
		out[i] = b.hash()
	}
	return out
}

// maxBody is how long a leaf may be: entry bundles have 16 bits for it.
const maxBody = 1<<16 - 1

// prepared is an entry ready to be stored.
type prepared struct {
	body, private []byte
	subject       int64
	blocks        []block
	rate          *Rate
}

func (e Entry) prepare() (prepared, error) {
	p := prepared{subject: e.Subject, rate: e.Rate}
	var err error
	if p.private, err = compact(e.Private); err != nil {
		return p, err
	}
	if p.blocks, err = blocks(e.Subjects); err != nil {
		return p, err
	}
	public, err := compact(e.Public)
	if err != nil {
		return p, err
	}
	p.body, err = compact(leaf{public, commitment(p.private, hashesOf(p.blocks))})
	if err == nil && len(p.body) > maxBody {
		err = fmt.Errorf("ledger: an entry of %d bytes", len(p.body))
	}
	return p, err
}

func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("ledger: write an entry: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
