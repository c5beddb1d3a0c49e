package ledger

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/mod/sumdb/tlog"
)

// Who was read about with one other knows their own number, and there are few others.
func TestAReceiptDoesntTellByTryingWhoTheOthersWere(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		const mine, theirs = 1, 41_234
		p, err := h.Prove(t.Context(), h.add(t, "salt", 0, mine, theirs))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Check(p, h.Verifier()); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Audit(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		for n := uint32(2); n < 1<<16; n++ {
			set := roaring.BitmapOf(mine, n)
			set.RunOptimize()
			bits, err := set.ToBytes()
			if err != nil {
				t.Fatal(err)
			}
			if tlog.Hash(sha256.Sum256(append(make([]byte, 8), bits...))).String() == p.Blocks[0] {
				t.Fatalf("the other was %d", n)
			}
		}
	})
}

func TestBlocksOfBeforeAreHashedWithoutSalt(t *testing.T) {
	b := block{n: 7, bits: []byte("bits")}
	plain := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, 7), "bits"...))
	if b.hash() != plain {
		t.Error("entries that are in logs are no longer what they were")
	}
	salted := block{n: 7, salt: slices.Clone(b.bits[:2]), bits: b.bits[2:]}
	if salted.hash() == plain {
		t.Error("what was bits can be called salt")
	}
}
