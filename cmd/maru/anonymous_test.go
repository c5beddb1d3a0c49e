package main

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/lang"
)

// openToAll are the operations that whoever isn't signed in may call: of data about persons they refuse all the same.
var openToAll = []string{"check-service", "describe-dataset", "get-draw", "get-profile", "get-record", "list-record-history", "list-records", "list-services", "list-terms"}

// answerAll are those of them that tell nothing of anybody: what words mean, what the city offers, how a draw went, and whether one may have it by what one says oneself.
var answerAll = []string{"check-service", "get-draw", "list-services", "list-terms"}

// TestWhoIsntSignedInIsRefusedEverywhere calls every operation that the server describes, without a token.
func TestWhoIsntSignedInIsRefusedEverywhere(t *testing.T) {
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	c := config{Data: dir, Database: filepath.Join(dir, "maru.db"), Keys: filepath.Join(dir, "keys"), Log: "test/log", Demo: true, seed: 1, residents: 1000}
	s, err := open(t.Context(), c, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.settle(t.Context(), c, func(lang.Text) {}); err != nil {
		t.Fatal(err)
	}
	handler := s.http.Handler()
	ask := func(method, path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "http://"+l.Addr().String()+path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	var api struct {
		Paths map[string]map[string]struct {
			OperationID string
			Security    []map[string][]string
		}
	}
	if err := json.Unmarshal(ask(http.MethodGet, "/api/v1/openapi.json", "").Body.Bytes(), &api); err != nil || len(api.Paths) < 20 {
		t.Fatalf("%d paths: %v", len(api.Paths), err)
	}
	fill := strings.NewReplacer("{project}", "resident-registry", "{dataset}", "residents", "{name}", "residents", "{key}", "p1", "{id}", "1", "{kind}", "dataset", "{revision}", "1", "{agency}", "health", "{action}", "approve", "{n}", "1")
	n, anyone := 0, []string{}
	for path, operations := range api.Paths {
		for method, o := range operations {
			n++
			if slices.ContainsFunc(o.Security, func(s map[string][]string) bool { return len(s) == 0 }) {
				anyone = append(anyone, o.OperationID)
			}
			if w := ask(strings.ToUpper(method), fill.Replace(path), "{"); w.Code != http.StatusUnauthorized && !slices.Contains(answerAll, o.OperationID) {
				t.Errorf("%s %s: %d %s", method, path, w.Code, w.Body)
			}
		}
	}
	if slices.Sort(anyone); !slices.Equal(anyone, openToAll) {
		t.Errorf("open to everyone are %v", anyone)
	}
	t.Logf("%d operations", n)
}
