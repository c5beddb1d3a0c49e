package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/maru-city/maru/engine/lang"
)

// Get reads an address of a log: "checkpoint", "tile/entries/000.p/5".
type Get func(ctx context.Context, path string) ([]byte, error)

// VerifyAll reads every entry of a log at its address and builds its tree anew: the entries are those that the checkpoint signs, and the log goes on from each
// earlier checkpoint: nothing that was in it has been changed or removed since. It gives back the checkpoint of now. What was changed is a problem with
// code ledger.tampered that names the first bad entry. progress is told how many entries are behind it.
func VerifyAll(ctx context.Context, get Get, verifier string, earlier []string, progress func(done, of int64)) (now Tree, checkpoint string, err error) {
	text, err := get(ctx, "checkpoint")
	if err != nil {
		return now, "", err
	}
	checkpoint = string(text)
	if now, err = ReadCheckpoint(checkpoint, verifier); err != nil {
		return now, "", tampered(-1, lang.F("체크포인트의 서명이 맞지 않습니다 (%s)", "the signature of the checkpoint isn't right (%s)", err.Error()))
	}
	before := map[int64]Tree{}
	for _, text := range earlier {
		t, err := ReadCheckpoint(text, verifier)
		if err != nil {
			return now, "", tampered(-1, lang.F("이전 체크포인트의 서명이 맞지 않습니다 (%s)", "the signature of an earlier checkpoint isn't right (%s)", err.Error()))
		}
		if t.Size > now.Size {
			return now, "", tampered(now.Size, lang.F("이전에 %[1]v건이었는데 지금 %[2]v건입니다", "it had %[1]v entries and has %[2]v now", t.Size, now.Size))
		}
		before[t.Size] = t
	}
	edge := &frontier{dirty: map[tileKey][]tlog.Hash{}}
	for n := int64(0); n<<tileHeight < now.Size; n++ {
		hashes, err := remoteBundle(ctx, get, n, min(tileWidth, now.Size-n<<tileHeight))
		if err != nil {
			return now, "", err
		}
		for _, h := range hashes {
			edge.add(h)
			t, ok := before[edge.size]
			if !ok {
				continue
			}
			if root, err := edge.root(); err != nil || root != t.Root {
				return now, "", tampered(-1, lang.F("처음 %v건이 이전 체크포인트와 다릅니다", "the first %v entries aren't those of the earlier checkpoint", t.Size))
			}
		}
		clear(edge.dirty) // nothing is stored here
		progress(edge.size, now.Size)
	}
	root, err := edge.root()
	if err != nil {
		return now, "", err
	}
	if root != now.Root {
		return now, "", tampered(-1, lang.T("트리의 루트가 체크포인트와 다릅니다", "the root of the tree isn't the checkpoint's"))
	}
	return now, checkpoint, nil
}

// remoteBundle reads a bundle of entries and gives the hashes of its leaves, which the tile of hashes has as well.
func remoteBundle(ctx context.Context, get Get, n, width int64) ([]tlog.Hash, error) {
	name := tileName(n)
	if width < tileWidth {
		name = fmt.Sprintf("%s.p/%d", name, width)
	}
	body, err := get(ctx, "tile/entries/"+name)
	if err != nil {
		return nil, err
	}
	raw, err := get(ctx, "tile/0/"+name)
	if err != nil {
		return nil, err
	}
	stored, err := unpack(raw)
	if err != nil || int64(len(stored)) != width {
		return nil, errors.Join(fmt.Errorf("the tile %s isn't one of %d hashes", name, width), err)
	}
	out := make([]tlog.Hash, 0, width)
	for i := range width {
		if len(body) < 2 || len(body)-2 < int(binary.BigEndian.Uint16(body)) {
			return nil, tampered(n<<tileHeight+i, lang.T("기록이 도중에 끊겼습니다", "the entry is cut off"))
		}
		size := int(binary.BigEndian.Uint16(body))
		h := tlog.RecordHash(body[2 : 2+size])
		if body = body[2+size:]; h != stored[i] {
			return nil, tampered(n<<tileHeight+i, lang.F("%v번 기록이 다릅니다", "the entry %v is another", n<<tileHeight+i))
		}
		out = append(out, h)
	}
	return out, nil
}
