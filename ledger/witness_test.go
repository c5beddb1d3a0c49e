package ledger

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/maru-city/maru/engine/problem"
)

// witness is somebody who signs checkpoints, with a library that shares no code with this package.
type witness struct {
	signer *cosign.Signer
	line   string
}

func newWitness(t *testing.T, name string) witness {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cosign.NewSignerForCosignatureV1(secret)
	if err != nil {
		t.Fatal(err)
	}
	return witness{signer, public}
}

// signs adds the witness's line to a checkpoint.
func (w witness) signs(t *testing.T, h *hall, checkpoint string) string {
	t.Helper()
	n, err := note.Open([]byte(checkpoint), note.VerifierList(h.verifier))
	if err != nil {
		t.Fatal(err)
	}
	out, err := note.Sign(n, w.signer)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestWitnessesCosignCheckpoints(t *testing.T) {
	onBoth(t, func(t *testing.T, h *hall) {
		a, b, stranger := newWitness(t, "archive.example"), newWitness(t, "university.example"), newWitness(t, "stranger.example")
		if err := h.Trust([]string{a.line, b.line}); err != nil {
			t.Fatal(err)
		}
		if err := h.Trust([]string{"nonsense"}); problem.Code(err) != "ledger.witness" {
			t.Errorf("a key that is none: %v", err)
		}
		if err := h.Trust([]string{a.line, b.line}); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			h.add(t, fmt.Sprint(i), 1)
		}
		old := h.checkpoint(t)
		h.add(t, "3", 1)
		now := h.checkpoint(t)
		for name, text := range map[string]string{
			"nobody has signed": now, "a stranger has": stranger.signs(t, h, now), "another size": strings.Replace(a.signs(t, h, now), "\n4\n", "\n5\n", 1), "nothing": "",
			"a witness alone": func() string {
				s := a.signs(t, h, now)
				i := strings.Index(s, "— "+origin)
				return s[:i] + s[strings.Index(s, "— archive"):]
			}(),
		} {
			if err := h.Cosign(t.Context(), text); problem.Code(err) != "ledger.cosigned" {
				t.Errorf("%s: %v", name, err)
			}
		}
		s := httptest.NewServer(h.Handler())
		defer s.Close()
		post := func(text string) int {
			res, err := http.Post(s.URL+Path+"/cosigned", "text/plain", strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			return res.StatusCode
		}
		if got := post(strings.Repeat("x", maxCosigned+1)); got != http.StatusRequestEntityTooLarge {
			t.Errorf("something huge: %d", got)
		}
		if res, err := http.Get(s.URL + Path + "/cosigned"); err != nil || res.StatusCode != http.StatusNotFound {
			t.Errorf("before: %v %v", res, err)
		}
		// each signs on its own, the one an older checkpoint too, and twice
		for _, text := range []string{a.signs(t, h, now), b.signs(t, h, now), a.signs(t, h, old), a.signs(t, h, now)} {
			if got := post(text); got != http.StatusNoContent {
				t.Fatalf("status %d", got)
			}
		}
		text, err := h.Cosigned(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		tree, err := ReadCheckpoint(text, h.key)
		if err != nil || tree.Size != 4 {
			t.Errorf("%+v %v", tree, err)
		}
		by, err := Witnessed(text, h.key, []string{a.line, b.line, stranger.line})
		if err != nil || len(by) != 2 || by["archive.example"].IsZero() || by["university.example"].IsZero() {
			t.Errorf("signed by %v: %v", by, err)
		}
		if by, err := Witnessed(text, h.key, []string{stranger.line}); err != nil || len(by) != 0 {
			t.Errorf("who isn't asked about: %v %v", by, err)
		}
	})
}

// checkpoint is the newest checkpoint.
func (h *hall) checkpoint(t *testing.T) string {
	t.Helper()
	head, err := h.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return head.Checkpoint
}
