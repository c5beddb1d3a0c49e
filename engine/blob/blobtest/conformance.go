// Package blobtest holds the promises of a blob.Store as tests, for every implementation to pass.
//
// [Conformance] takes a function that opens an empty store and runs all of them against it: what is put is what is read; a file appears whole or
// not at all; readers keep what they opened; keys that lead elsewhere are refused; lists are in order and end when asked to.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/maru-city/maru/engine/blob"
	"github.com/maru-city/maru/engine/problem"
)

// Conformance runs the promises against stores that open gives, each of them new and empty; open closes them by t.Cleanup.
func Conformance(t *testing.T, open func(t *testing.T) blob.Store) {
	for _, promise := range []struct {
		name string
		test func(*testing.T, blob.Store)
	}{
		{"what is put is what is read", putAndOpen},
		{"putting again replaces, and readers keep what they opened", replace},
		{"a file that failed half way leaves the old one", failHalfWay},
		{"a cancelled put leaves nothing", cancelled},
		{"what isn't there says so, and deleting it is no error", absent},
		{"keys that lead elsewhere are refused", hostileKeys},
		{"lists are whole, by prefix and in order of key", list},
		{"a list ends when its reader or its context does", listStops},
		{"writers and deleters beside each other leave whole files", concurrent},
	} {
		t.Run(promise.name, func(t *testing.T) { promise.test(t, open(t)) })
	}
}

func put(t *testing.T, s blob.Store, key, body string) {
	t.Helper()
	n, err := s.Put(t.Context(), key, strings.NewReader(body))
	if err != nil || n != int64(len(body)) {
		t.Fatalf("put %s: %d bytes, %v; want %d", key, n, err, len(body))
	}
}

// read returns the file of a key, or "" with ok false if there is none.
func read(t *testing.T, s blob.Store, key string) (body string, ok bool) {
	t.Helper()
	r, info, err := s.Open(context.WithoutCancel(t.Context()), key)
	if errors.Is(err, blob.ErrNotExist) {
		return "", false
	}
	if err != nil {
		t.Fatalf("open %s: %v", key, err)
	}
	defer r.Close()
	all, err := io.ReadAll(r)
	if err != nil || info.Size != int64(len(all)) || info.Key != key || info.Modified.IsZero() {
		t.Fatalf("read %s: %d bytes, %v; info %+v", key, len(all), err, info)
	}
	return string(all), true
}

func want(t *testing.T, s blob.Store, key, body string) {
	t.Helper()
	if got, ok := read(t, s, key); !ok || got != body {
		t.Errorf("%s: there %t, %.40q (%d bytes); want %.40q (%d bytes)", key, ok, got, len(got), body, len(body))
	}
}

func keys(t *testing.T, s blob.Store, prefix string) []string {
	t.Helper()
	var found []string
	for info, err := range s.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("list %q: %v", prefix, err)
		}
		found = append(found, info.Key)
	}
	return found
}

func putAndOpen(t *testing.T, s blob.Store) {
	for key, body := range map[string]string{
		"empty":                        "",
		"imports/42/rejected.csv":      "줄,이유\n3,값이 없습니다\n",
		"a/b/c/d/e/f/g/h/i/j":          "deep",
		"2026-11-23/part=1/x_y.tar.gz": string([]byte{0, 1, 255, '\r', '\n'}),
		"large":                        strings.Repeat("0123456789abcdef", 1<<16), // 1 MiB: more than one buffer
		strings.Repeat("n", 128):       "longest name",
	} {
		put(t, s, key, body)
		want(t, s, key, body)
	}
}

func replace(t *testing.T, s blob.Store) {
	put(t, s, "a/file", "the first")
	r, _, err := s.Open(t.Context(), "a/file")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	gone, _, err := s.Open(t.Context(), "a/file")
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	put(t, s, "a/file", "2nd")
	want(t, s, "a/file", "2nd")
	if err := s.Delete(t.Context(), "a/file"); err != nil {
		t.Fatal(err)
	}
	for _, r := range []io.Reader{r, gone} {
		if got, err := io.ReadAll(r); err != nil || string(got) != "the first" {
			t.Errorf("a reader from before got %q, %v", got, err)
		}
	}
}

func failHalfWay(t *testing.T, s blob.Store) {
	broken := errors.New("the line broke")
	half := func() io.Reader {
		return io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), iotest.ErrReader(broken))
	}
	put(t, s, "kept", "old")
	for _, key := range []string{"kept", "new/file"} {
		if _, err := s.Put(t.Context(), key, half()); !errors.Is(err, broken) {
			t.Errorf("put %s from a broken reader: %v", key, err)
		}
	}
	want(t, s, "kept", "old")
	if got := keys(t, s, ""); !slices.Equal(got, []string{"kept"}) {
		t.Errorf("the store holds %q, want only the old file", got)
	}
}

func cancelled(t *testing.T, s blob.Store) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	endless := readerFunc(func(p []byte) (int, error) {
		cancel() // in the middle of the file
		return len(p), nil
	})
	if _, err := s.Put(ctx, "half", endless); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled put: %v", err)
	}
	if got := keys(t, s, ""); len(got) > 0 {
		t.Errorf("a cancelled put left %q", got)
	}
}

func absent(t *testing.T, s blob.Store) {
	put(t, s, "folder/file", "x")
	for _, key := range []string{"nothing", "folder", "folder/nothing", "folder/file2/x"} {
		if _, _, err := s.Open(t.Context(), key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("open %s: %v, want fs.ErrNotExist", key, err)
		}
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("delete %s: %v", key, err)
		}
	}
	want(t, s, "folder/file", "x")
	if got := keys(t, s, "elsewhere/"); len(got) > 0 {
		t.Errorf("an empty folder lists %q", got)
	}
}

func hostileKeys(t *testing.T, s blob.Store) {
	for _, key := range []string{
		"", "/", "/etc/passwd", "..", "../x", "a/../x", "a/..", "a/./b", ".", ".hidden", "a/.hidden", "a//b", "a/", "/a",
		`a\b`, `..\x`, "c:/x", "c:x", "a\x00b", "a\nb", "a b", "A", "가", "%2e%2e/x", "-rf", "~", "a?b", "a*", "con", "nul.txt", "x/com1",
		"name.", strings.Repeat("n", 129), strings.Repeat("n/", 256) + "n",
	} {
		if _, err := s.Put(t.Context(), key, strings.NewReader("x")); problem.Code(err) != "blob.key" {
			t.Errorf("put %.40q: %v", key, err)
		}
		if _, _, err := s.Open(t.Context(), key); problem.Code(err) != "blob.key" {
			t.Errorf("open %.40q: %v", key, err)
		}
		if err := s.Delete(t.Context(), key); problem.Code(err) != "blob.key" {
			t.Errorf("delete %.40q: %v", key, err)
		}
	}
	for _, prefix := range []string{"a", "/", "../", "a/../", ".incoming/", "a//"} {
		for _, err := range s.List(t.Context(), prefix) {
			if problem.Code(err) != "blob.key" {
				t.Errorf("list %q: %v", prefix, err)
			}
		}
	}
	if got := keys(t, s, ""); len(got) > 0 {
		t.Errorf("refused keys left %q", got)
	}
}

func list(t *testing.T, s blob.Store) {
	all := []string{"a-b", "a.b", "a/b", "a/c/1", "a/c/2", "a0", "b/a"} // a hyphen and a dot come before a slash, a digit after it
	for _, key := range slices.Backward(all) {
		put(t, s, key, key)
	}
	for prefix, expected := range map[string][]string{"": all, "a/": all[2:5], "a/c/": all[3:5], "c/": nil} {
		if got := keys(t, s, prefix); !slices.Equal(got, expected) {
			t.Errorf("list %q: %q, want %q", prefix, got, expected)
		}
	}
	for info, err := range s.List(t.Context(), "b/") {
		if err != nil || info.Size != 3 || info.Modified.IsZero() {
			t.Errorf("listed %+v, %v", info, err)
		}
	}
	for _, key := range all {
		if err := s.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	if got := keys(t, s, ""); len(got) > 0 {
		t.Errorf("after deleting all: %q", got)
	}
}

func listStops(t *testing.T, s blob.Store) {
	for i := range 10 {
		put(t, s, fmt.Sprintf("f/%d", i), "")
	}
	for info, err := range s.List(t.Context(), "") {
		if err != nil || info.Key != "f/0" {
			t.Errorf("first: %+v, %v", info, err)
		}
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	seen := 0
	for _, last = range s.List(ctx, "") {
		seen++
		cancel()
	}
	if !errors.Is(last, context.Canceled) || seen > 2 {
		t.Errorf("a cancelled list gave %d and ended with %v", seen, last)
	}
}

func concurrent(t *testing.T, s blob.Store) {
	bodies := []string{strings.Repeat("a", 100_000), strings.Repeat("b", 50_000)}
	var work sync.WaitGroup
	for _, body := range bodies {
		work.Go(func() {
			for range 40 {
				if _, err := s.Put(t.Context(), "x/y/shared", strings.NewReader(body)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Go(func() {
		for range 200 {
			if err := s.Delete(t.Context(), "x/y/shared"); err != nil {
				t.Error(err)
			}
		}
	})
	work.Go(func() {
		for range 200 {
			if got, ok := read(t, s, "x/y/shared"); ok && !slices.Contains(bodies, got) {
				t.Errorf("read a mixture of %d bytes", len(got))
			}
		}
	})
	work.Wait()
}

// readerFunc is a function as an io.Reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
