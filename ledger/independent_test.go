package ledger

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// These tests verify the log as anyone can who has golang.org/x/mod/sumdb and the address of the log: with nothing of this package's own.

func get(t *testing.T, address string) []byte {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", address, res.Status, err)
	}
	return body
}

// remote is a log at an address, as tlog reads it.
type remote struct {
	t    *testing.T
	base string
}

func (r remote) Height() int { return 8 }

func (r remote) SaveTiles([]tlog.Tile, [][]byte) {}

func (r remote) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		path := strings.TrimPrefix(tile.Path(), "tile/8/") // tlog has the height in the path, tlog-tiles leaves it out
		out = append(out, get(r.t, r.base+"/tile/"+path))
	}
	return out, nil
}

func checkpoint(t *testing.T, text, key string) tlog.Tree {
	t.Helper()
	v, err := note.NewVerifier(key)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open([]byte(text), note.VerifierList(v))
	if err != nil {
		t.Fatal(err)
	}
	var tree tlog.Tree
	var root string
	if _, err := fmt.Sscanf(n.Text, origin+"\n%d\n%s\n", &tree.N, &root); err != nil {
		t.Fatal(err)
	}
	if tree.Hash, err = tlog.ParseHash(root); err != nil {
		t.Fatal(err)
	}
	return tree
}

func checkConsistency(t *testing.T, h *hall, checkpoints []string) {
	t.Helper()
	var before tlog.Tree
	for i, text := range checkpoints {
		now := checkpoint(t, text, h.Verifier())
		if i > 0 {
			proof, err := h.Consistency(t.Context(), before.N, now.N)
			if err != nil {
				t.Fatal(err)
			}
			if err := tlog.CheckTree(proof, now.N, now.Hash, before.N, before.Hash); err != nil {
				t.Errorf("from %d to %d: %v", before.N, now.N, err)
			}
		}
		before = now
	}
}

func TestAnyoneCanVerifyTheWholeLogFromItsAddress(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		server := httptest.NewServer(h.Handler())
		defer server.Close()
		base := server.URL + Path
		old := tlog.Tree{}
		for round, size := range []int{300, 70_000} {
			if round == 1 && testing.Short() {
				break
			}
			fill(t, h, size)
			tree := checkpoint(t, string(get(t, base+"/checkpoint")), strings.TrimSpace(string(get(t, base+"/key"))))
			if tree.N != int64(size) {
				t.Fatalf("the checkpoint is of %d entries", tree.N)
			}
			reader := tlog.TileHashReader(tree, remote{t, base})
			if root, err := tlog.TreeHash(tree.N, reader); err != nil || root != tree.Hash {
				t.Fatal("the tiles don't make the tree:", err)
			}
			if round > 0 {
				proof, err := tlog.ProveTree(tree.N, old.N, reader)
				if err != nil {
					t.Fatal(err)
				}
				if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
					t.Error("something was removed or changed since:", err)
				}
			}
			old = tree
			for _, bundle := range []int64{0, 1, tree.N >> 8} {
				width := min(256, tree.N-bundle<<8)
				path := tlog.Tile{H: 8, L: -1, N: bundle, W: int(width)}.Path()
				body := get(t, base+"/tile/entries/"+strings.TrimPrefix(path, "tile/8/data/"))
				for n := bundle << 8; n < bundle<<8+width; n++ {
					size := binary.BigEndian.Uint16(body)
					leaf := tlog.RecordHash(body[2 : 2+size])
					body = body[2+size:]
					if n%97 != 0 {
						continue
					}
					proof, err := tlog.ProveRecord(tree.N, n, reader)
					if err != nil {
						t.Fatal(err)
					}
					if err := tlog.CheckRecord(proof, tree.N, tree.Hash, n, leaf); err != nil {
						t.Errorf("entry %d: %v", n, err)
					}
				}
				if len(body) > 0 {
					t.Errorf("the bundle %d has %d bytes too many", bundle, len(body))
				}
			}
		}
		for _, path := range []string{"/tile/0/000.p/0", "/tile/0/000.p/256", "/tile/0/1", "/tile/0/x000/001", "/tile/9/000", "/tile/00/000", "/tile/0/999", "/tile/entries/x", "/tile/0/../../x", "/tile/-1/000"} {
			res, err := http.Get(base + path)
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusNotFound {
				t.Errorf("%s: %s", path, res.Status)
			}
		}
	})
}
