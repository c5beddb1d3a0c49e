package assets

import (
	"embed"
	"encoding/json"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Prefix is where [Handler] is mounted.
const Prefix = "/assets/"

//go:embed all:dist
var dist embed.FS

// names maps plain names to built ones; empty where nothing was built.
var names = sync.OnceValue(func() map[string]string {
	text, err := dist.ReadFile("dist/manifest.json")
	if err != nil {
		return nil
	}
	var m map[string]string
	if err := json.Unmarshal(text, &m); err != nil {
		panic("web/assets: dist/manifest.json isn't JSON: " + err.Error()) // a broken build: no page could work
	}
	return m
})

// Built returns a Problem with code "assets.missing" if the program was built without `make build`.
func Built() error {
	if len(names()) > 0 {
		return nil
	}
	return problem.New("assets.missing", http.StatusServiceUnavailable,
		lang.T("화면에 필요한 파일(스타일, 스크립트, 글꼴)이 이 프로그램에 들어 있지 않습니다", "This program was built without what its pages need: styles, script, typeface")).
		Hinting(lang.T("make build로 다시 만드십시오", "Build it with: make build"))
}

// Path is the address of an asset by its plain name, "maru.css". It is empty for a name that wasn't built.
func Path(name string) string {
	if file, ok := names()[name]; ok {
		return Prefix + file
	}
	return ""
}

// Handler serves what was built, below [Prefix]. Only names with a hash exist, so the answers never change.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file := path.Base(r.URL.Path)
		if !served(file) {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		h.Set("Content-Type", contentTypes[path.Ext(file)])
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		h.Set("X-Content-Type-Options", "nosniff")
		body, encoding := pick(file, r.Header.Get("Accept-Encoding"))
		if encoding != "" {
			h.Set("Content-Encoding", encoding)
		}
		h.Add("Vary", "Accept-Encoding")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body) // the browser went away: nobody to tell
	})
}

// built is the set of built names.
var built = sync.OnceValue(func() map[string]bool {
	set := map[string]bool{}
	for _, file := range names() {
		set[file] = true
	}
	return set
})

func served(file string) bool { return built()[file] }

// pick returns a file in the best form the browser accepts.
func pick(file, accept string) (body []byte, encoding string) {
	for _, form := range []struct{ encoding, suffix string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !Accepts(accept, form.encoding) {
			continue
		}
		if body, err := fs.ReadFile(dist, "dist/"+file+form.suffix); err == nil {
			return body, form.encoding
		}
	}
	body, _ = fs.ReadFile(dist, "dist/"+file) // it is in the manifest, so it was embedded
	return body, ""
}

// Accepts reports whether an Accept-Encoding header (RFC 9110, section 12.5.3) names an encoding without refusing it.
func Accepts(header, encoding string) bool {
	for _, part := range strings.Split(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.TrimSpace(name) != encoding {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.ReplaceAll(weight, " ", ""), "q="), 64)
		return weight == "" || (err == nil && q > 0)
	}
	return false
}

// contentTypes are said here because Go's own table follows the machine's.
var contentTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
}
