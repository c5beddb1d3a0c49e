package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	cosign "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/ledger"
)

func TestVerifyHoldsTheLogToItsWitnesses(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	secret, public, err := note.GenerateKey(rand.Reader, "archive.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := cosign.NewSignerForCosignatureV1(secret)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), config{Data: dir, Database: filepath.Join(dir, "maru.db"), Keys: filepath.Join(dir, "keys"), Log: "test/log", Witness: []string{public}}, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx, l) }()
	defer func() { stop(); _ = errors.Join(<-done, s.Close()) }()
	for i := range 3 {
		if _, err := s.log.Append(t.Context(), ledger.Entry{Public: map[string]any{"i": i}, Private: map[string]any{"salt": rand.Text()}}); err != nil {
			t.Fatal(err)
		}
	}
	c, err := newClient("http://"+l.Addr().String(), lang.En)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifyLog(t.Context(), io.Discard, io.Discard, c, "", []string{public}); problem.Code(err) != "ledger.unwitnessed" {
		t.Errorf("before the witness has signed: %v", err)
	}
	text, err := c.logFile(t.Context(), "checkpoint")
	if err != nil {
		t.Fatal(err)
	}
	own, err := note.NewVerifier(s.log.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(text, note.VerifierList(own))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(n, signer)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(c.server+"/log/cosigned", "text/plain", bytes.NewReader(signed))
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatalf("%v %v", res, err)
	}
	res.Body.Close()
	if _, err := s.log.Append(t.Context(), ledger.Entry{Public: map[string]any{"i": 3}, Private: map[string]any{"salt": rand.Text()}}); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := verifyLog(t.Context(), &out, io.Discard, c, "", []string{public}); err != nil || !strings.Contains(out.String(), "The witness archive.example has signed its first 3 entries") || !strings.Contains(out.String(), "All 4 entries") {
		t.Errorf("%v: %s", err, out.String())
	}
	if err := verifyLog(t.Context(), io.Discard, io.Discard, c, "", []string{"archive.example+00000000+AAAA"}); problem.Code(err) != "ledger.witness" {
		t.Errorf("a key that is none: %v", err)
	}
}
