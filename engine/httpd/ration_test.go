package httpd

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAFormThatNeverComesToItsEndIsLeft(t *testing.T) {
	ended := make(chan error, 1)
	server := httptest.NewServer(timely(50*time.Millisecond, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		ended <- err
	})))
	defer server.Close()
	for path, left := range map[string]bool{"/oidc/oauth/token": true, "/api/v1/imports/1/parts/0": false} {
		c, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\na"); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			if !left || err == nil {
				t.Errorf("%s: %v", path, err)
			}
		case <-time.After(500 * time.Millisecond):
			if left {
				t.Errorf("%s is still waited for", path)
			}
		}
		c.Close()
		if !left && <-ended == nil {
			t.Errorf("%s: half a body was taken for a whole one", path)
		}
	}
}

func TestAConnectionIsGoodForTheNextRequestAfterAForm(t *testing.T) {
	server := httptest.NewServer(timely(100*time.Millisecond, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, r.Body)
	})))
	defer server.Close()
	c, err := net.Dial("tcp", strings.TrimPrefix(server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for range 3 {
		if _, err := io.WriteString(c, "POST /auth/sign-out HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(res.Body); err != nil || string(body) != "a" {
			t.Fatal(string(body), err)
		}
		time.Sleep(150 * time.Millisecond)
	}
}
