package keys

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"pgregory.net/rapid"
)

func open(t testing.TB, folder string, master Master) *Ring {
	t.Helper()
	r, err := Open(folder, "maru.example/log", master)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheSameKeysAreThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	one := open(t, dir, nil)
	p, err := one.Pseudonym("youth-housing", "person", "pabc")
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := one.Seal("resident_number", "900101-1000000")
	if err != nil {
		t.Fatal(err)
	}
	two := open(t, dir, nil)
	if got, _ := two.Pseudonym("youth-housing", "person", "pabc"); got != p {
		t.Errorf("the pseudonym became %s", got)
	}
	if got, err := two.Unseal("resident_number", sealed); got != "900101-1000000" || err != nil {
		t.Error(got, err)
	}
	if one.Verifier() != two.Verifier() || !one.Tokens().Equal(two.Tokens()) {
		t.Error("the signing keys became others")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 5 {
		t.Error(entries, err)
	}
	for _, e := range entries {
		if info, err := e.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", e.Name(), info.Mode(), err)
		}
	}
}

func TestPseudonymsOfAProjectAreItsOwn(t *testing.T) {
	r := open(t, t.TempDir(), nil)
	form := regexp.MustCompile(`^[ph][a-z2-7]{12,}$`)
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.StringMatching(`p[a-z2-7]{12}`).Draw(t, "whole")
		kind := rapid.SampledFrom([]string{"person", "household"}).Draw(t, "kind")
		a, err := r.Pseudonym("a", kind, whole)
		if err != nil || !form.MatchString(a) || strings.Contains(a, whole[1:]) {
			t.Fatal(a, err)
		}
		if b, _ := r.Pseudonym("b", kind, whole); a == b {
			t.Fatal("two projects have the same pseudonym")
		}
		if got, ok := r.Whole("a", kind, a); !ok || got != whole {
			t.Fatal("it doesn't lead back", got)
		}
		if got, ok := r.Whole("b", kind, a); ok {
			t.Fatal("another project's pseudonym leads to", got)
		}
	})
	for _, wrong := range []string{"", "p", "paaaa", "xabc", "p!"} {
		if _, ok := r.Whole("a", "person", wrong); ok {
			t.Errorf("%q is a pseudonym", wrong)
		}
	}
}

func TestARotatedKeyStillOpensWhatWasSealedBefore(t *testing.T) {
	dir := t.TempDir()
	before := open(t, dir, nil)
	old, err := before.Seal("a", "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := before.Rotate(); err != nil {
		t.Fatal(err)
	}
	after := open(t, dir, nil)
	if got, err := after.Unseal("a", old); got != "x" || err != nil {
		t.Error(got, err)
	}
	fresh, err := after.Seal("a", "x")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := before.Seal("a", "x"); err != nil || again[:6] != fresh[:6] || again[:6] == old[:6] {
		t.Errorf("who rotated seals by the former key: %q %q %q %v", old, fresh, again, err)
	}
	if err := after.Rotate(); err != nil {
		t.Fatal(err)
	}
	third, err := after.Seal("a", "x")
	if err != nil || third[:6] == fresh[:6] {
		t.Fatal(third, err)
	}
	if got, err := before.Unseal("a", third); got != "x" || err != nil {
		t.Error("another program on the same folder can't open what was sealed after a rotation:", err)
	}
	for _, sealed := range []string{old, fresh, third} {
		if got, err := after.Unseal("a", sealed); got != "x" || err != nil {
			t.Error(got, err)
		}
	}
	if _, err := after.Unseal("b", fresh); err == nil {
		t.Error("a value opens as another's")
	}
	one, _ := before.Index("a", "x")
	if two, _ := after.Index("a", "x"); one != two {
		t.Error("rotation changed the index")
	}
}

func TestKeysetsAreEncryptedByAMaster(t *testing.T) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	master, err := aead.New(h)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	sealed, err := open(t, dir, master).Seal("a", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir, "maru.example/log", nil); err == nil {
		t.Error("the keys open without their master")
	}
	text, err := os.ReadFile(filepath.Join(dir, fieldFile))
	if err != nil || !strings.Contains(string(text), "encryptedKeyset") {
		t.Errorf("%s %v", text, err)
	}
	again := open(t, dir, master)
	if got, err := again.Unseal("a", sealed); got != "x" || err != nil {
		t.Error(got, err)
	}
	if err := again.Rotate(); err != nil {
		t.Error(err)
	}
}

// TestRotationsAtOnceLoseNoKey lets several programs rotate and seal at the same time; all that was sealed opens after.
func TestRotationsAtOnceLoseNoKey(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, nil)
	var mu sync.Mutex
	var sealed []string
	var wait sync.WaitGroup
	for range 4 {
		ring := open(t, dir, nil)
		wait.Go(func() {
			for range 5 {
				if err := ring.Rotate(); err != nil {
					t.Error(err)
					return
				}
				s, err := ring.Seal("a", "x")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				sealed = append(sealed, s)
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	last := open(t, dir, nil)
	for _, s := range sealed {
		if got, err := last.Unseal("a", s); got != "x" || err != nil {
			t.Fatal("a key is lost:", err)
		}
	}
}
