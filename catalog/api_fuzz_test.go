package catalog_test

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/identity"
)

// FuzzRequests sends anything to the catalog's operations: whatever it is, the answer is no failure of the server's.
func FuzzRequests(f *testing.F) {
	d, err := db.Open(f.Context(), filepath.Join(f.TempDir(), "maru.db"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = d.Close() })
	c, err := catalog.Open(f.Context(), d, time.Now, noTables{})
	if err != nil {
		f.Fatal(err)
	}
	p, err := c.Plan(f.Context(), catalog.Request{Files: map[string]string{"a.yaml": projectDoc + "---\n" + termDoc + "---\n" + dataDoc}, Who: identity.Itself("test")})
	if err != nil {
		f.Fatal(err)
	}
	if _, err := c.Apply(f.Context(), p.ID, identity.Itself("test"), ""); err != nil {
		f.Fatal(err)
	}
	s := httpd.New(httpd.Options{})
	c.Serve(s.API())
	h := identity.As(identity.Itself("test"), s.Handler())
	f.Add("GET", "resources", "kind=Term&q=크기&limit=2&cursor=e30", "")
	f.Add("GET", "resources/Dataset/p/d", "", "")
	f.Add("GET", "resources/Term/-/size/history", "limit=1&cursor=1", "")
	f.Add("GET", "revisions/1", "", "")
	f.Add("GET", "revisions", "cursor=zzzzzzzzzzzzz", "")
	f.Add("POST", "plans", "", `{"files":{"a.yaml":"kind: Term\nname: x\ntitle: '\u0000'\n"},"base":1}`)
	f.Add("POST", "plans", "", `{"rollback":0}`)
	f.Add("POST", "plans/x/apply", "", `{"message":"\ud800"}`)
	f.Fuzz(func(t *testing.T, method, path, query, body string) {
		if method != "POST" {
			method = "GET"
		}
		r := httptest.NewRequest(method, "/", strings.NewReader(body))
		r.Host, r.URL.Path, r.URL.RawQuery = "localhost", "/api/v1/"+path, query
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Errorf("%s %q ? %q, %q: status %d: %s", method, path, query, body, w.Code, w.Body)
		}
	})
}
