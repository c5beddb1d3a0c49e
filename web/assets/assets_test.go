package assets

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func ask(path, accept string) *http.Response {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if accept != "" {
		r.Header.Set("Accept-Encoding", accept)
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestAnAssetComesInTheBestFormTheBrowserTakes(t *testing.T) {
	if err := Built(); err != nil {
		t.Skip(err)
	}
	plain, err := io.ReadAll(ask(Path("maru.css"), "").Body)
	if err != nil || len(plain) == 0 {
		t.Fatalf("no style sheet: %v", err)
	}
	for accept, want := range map[string]string{
		"": "", "gzip": "gzip", "gzip, deflate, br, zstd": "br", "br;q=0, gzip": "gzip", "br;q=0.0": "", "identity": "", "gzip;q=0.5": "gzip", "x-br": "",
	} {
		res := ask(Path("maru.css"), accept)
		if got := res.Header.Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: got %q, want %q", accept, got, want)
		}
		if res.Header.Get("Vary") != "Accept-Encoding" || !strings.Contains(res.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("Accept-Encoding %q: headers %v", accept, res.Header)
		}
	}
	z, err := gzip.NewReader(ask(Path("maru.css"), "gzip").Body)
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || !bytes.Equal(unpacked, plain) {
		t.Errorf("the compressed form holds something else: %v", err)
	}
}

func TestOnlyBuiltNamesAreServed(t *testing.T) {
	for _, path := range []string{"/assets/", "/assets/manifest.json", "/assets/.gitkeep", "/assets/maru.css", "/assets/../assets.go", "/assets/maru.css.br"} {
		if res := ask(path, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", path, res.StatusCode)
		}
	}
}

func TestNothingBuiltNamesAnotherServer(t *testing.T) {
	if err := Built(); err != nil {
		t.Skip(err)
	}
	outside := regexp.MustCompile(`url\(\s*["']?(?:https?:)?//|@import`)
	body, err := io.ReadAll(ask(Path("maru.css"), "").Body)
	if err != nil {
		t.Fatal(err)
	}
	if m := outside.Find(body); m != nil {
		t.Errorf("the style sheet loads from elsewhere: %s", m)
	}
	for name := range names() {
		if strings.Contains(name, "flag") || strings.Contains(name, "logo_krds") {
			t.Errorf("%s is a mark of the government or of KRDS: not ours to show", name)
		}
	}
}
