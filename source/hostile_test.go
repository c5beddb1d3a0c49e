package source

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// A list that is short on the line and endless when it is unpacked is asked for unpacked.
func TestAListIsntUnpacked(t *testing.T) {
	r, own := reader(t)
	secret(t, own, "key")
	var page bytes.Buffer
	z := gzip.NewWriter(&page)
	fmt.Fprint(z, `<?xml version="1.0"?><ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>`)
	for range 100_000 {
		fmt.Fprintf(z, `<Contents><Key>%s</Key></Contents>`, strings.Repeat("k", 200))
	}
	fmt.Fprint(z, `</ListBucketResult>`)
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			t.Error("a packed list is asked for")
		}
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(page.Bytes())
	}))
	t.Cleanup(s.Close)
	_, err := r.Copy(t.Context(), Request{Project: "trial", Source: &manifest.Source{Folder: "s3+http://K@" + strings.TrimPrefix(s.URL, "http://") + "/bucket/f", Secret: "old"}}, &bytes.Buffer{})
	if problem.Code(err) != "source.remote" {
		t.Error(err)
	}
}

func TestAPipeForAFolderIsntWaitedFor(t *testing.T) {
	r, own := reader(t)
	secret(t, own, "")
	if err := syscall.Mkfifo(filepath.Join(own, "trial", "drop"), 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := r.Copy(t.Context(), Request{Project: "trial", Source: &manifest.Source{Folder: "drop"}}, &bytes.Buffer{})
		done <- err
	}()
	select {
	case err := <-done:
		if problem.As(err) == nil {
			t.Error(err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it waits for somebody to write")
	}
}

// A view can make values of any length in a small file, and SQLite's own tables tell of the server.
func TestASmallFileMakesNoBigValues(t *testing.T) {
	r, own := reader(t)
	secret(t, own, "")
	file, err := sql.Open("sqlite", filepath.Join(own, "trial", "a.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range []string{"CREATE TABLE x (a)", "INSERT INTO x VALUES (1)", "CREATE VIEW big AS SELECT hex(zeroblob(20000000)) AS a", "CREATE TABLE computed (a, b AS (hex(zeroblob(5000000))))", "INSERT INTO computed VALUES (1)", "CREATE TABLE kept (a, b AS (a + 1) STORED)", "INSERT INTO kept VALUES (1)"} {
		if _, err := file.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	for table, fine := range map[string]bool{"x": true, "kept": true, "computed": false, "big": false, "pragma_database_list": false, "main.pragma_database_list": false, "main.x": false, "sqlite_schema": false} {
		var out bytes.Buffer
		_, err := r.Copy(t.Context(), Request{Project: "trial", Source: &manifest.Source{Database: "sqlite://a.db", Table: table}}, &out)
		if (err == nil) != fine || out.Len() > 1000 {
			t.Errorf("%s: %d bytes, %v", table, out.Len(), err)
		}
	}
}
