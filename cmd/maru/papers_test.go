package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/maru-city/maru/service/casework"
)

// TestPapersByTheAPI sends a file of some size as a program does, and gets it back.
func TestPapersByTheAPI(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(asMaru, "1")
	b := &bench{dir: t.TempDir(), say: io.Discard, self: self}
	g, err := b.signedIn(t.Context(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.end() })
	text, err := g.ask(t.Context(), "haneul", http.MethodPost, "/api/v1/applications/drafts", map[string]any{"services": []string{"youth-housing/youth-rent"}})
	var draft casework.Draft
	if err == nil {
		err = json.Unmarshal(text, &draft)
	}
	if err != nil {
		t.Fatal(err)
	}
	send := func(who, name, document string, content []byte) (*http.Response, string) {
		t.Helper()
		at := g.address + "/api/v1/applications/drafts/" + draft.ID + "/papers?" + url.Values{"name": {name}, "document": {document}}.Encode()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/octet-stream")
		if who != "" {
			req.Header.Set("Authorization", "Bearer "+g.tokens[who])
		}
		res, err := g.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res, string(body)
	}
	pdf := append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("1 0 obj<<>>endobj\n"), 200_000)...) // 3.6 MB
	res, body := send("haneul", "계약서 \"1\"\r\nX: y.pdf", "임대차계약서", pdf)
	var paper casework.Paper
	if err := json.Unmarshal([]byte(body), &paper); err != nil || res.StatusCode != http.StatusCreated || paper.Document != "임대차계약서" || paper.Size != int64(len(pdf)) {
		t.Fatalf("%d %s %v", res.StatusCode, body, err)
	}
	for _, x := range []struct {
		who, name, document string
		content             []byte
		status              int
		code                string
	}{
		{"", "a.pdf", "", pdf, http.StatusUnauthorized, "auth."},
		{"housing-caseworker", "a.pdf", "", pdf, http.StatusForbidden, "auth."},
		{"haneul", "a.png", "", pdf, http.StatusUnprocessableEntity, "paper.name"},
		{"haneul", "a.pdf", "졸업증명서", pdf, http.StatusUnprocessableEntity, "paper.document"},
		{"haneul", "", "", pdf, http.StatusUnprocessableEntity, "request."},
		{"haneul", "a.pdf", "", make([]byte, 11<<20), http.StatusRequestEntityTooLarge, "request.large"},
	} {
		if res, body := send(x.who, x.name, x.document, x.content); res.StatusCode != x.status || !strings.Contains(body, `"`+x.code) {
			t.Errorf("%q %q: %d %s", x.who, x.name, res.StatusCode, body)
		}
	}
	_, body = send("haneul", "b.pdf", "", pdf)
	var away casework.Paper
	if err := json.Unmarshal([]byte(body), &away); err != nil {
		t.Fatal(err)
	}
	if _, err := g.ask(t.Context(), "haneul", http.MethodDelete, "/api/v1/applications/drafts/"+draft.ID+"/papers/"+away.ID, nil); err != nil {
		t.Error(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.address+"/api/v1/applications/drafts/"+draft.ID+"/papers/"+paper.ID, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+g.tokens["haneul"])
	res, err = g.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil || !bytes.Equal(got, pdf) || res.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment;") || res.Header.Get("X") != "" || res.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d bytes, %v: %v", len(got), res.Header, err)
	}
}
