package fetch_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/fetch"
	"github.com/maru-city/maru/engine/problem"
)

func TestOnlyWhatIsAllowedIsReached(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 1000))
		case "/gone":
			http.NotFound(w, r)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		default:
			_, _ = io.WriteString(w, "hello")
		}
	}))
	defer server.Close()
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	for _, c := range []struct {
		path    string
		allowed []netip.Prefix
		code    string
	}{
		{"/", loopback, ""}, {"/", nil, "fetch.private"}, {"/long", loopback, "fetch.size"}, {"/gone?key=secret", loopback, "fetch.status"}, {"/round", loopback, "fetch.failed"},
	} {
		body, err := fetch.New(c.allowed).Get(t.Context(), server.URL+c.path, nil, 100)
		if err == nil {
			_, err = io.ReadAll(body)
			body.Close()
		}
		if problem.Code(err) != c.code {
			t.Errorf("%s: %v", c.path, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("a key is told: %v", err)
		}
	}
}

func TestASecretGoesToItsOwnServerOnly(t *testing.T) {
	saw := func(name string) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if to := r.URL.Query().Get("to"); to != "" {
				http.Redirect(w, r, to, http.StatusFound)
				return
			}
			fmt.Fprint(w, name, " saw ", r.Header.Get("Authorization"))
		}))
		t.Cleanup(s.Close)
		return s
	}
	own, other := saw("own"), saw("other")
	for path, want := range map[string]string{"/": "own saw Bearer x", "/?to=/there": "own saw Bearer x", "/?to=" + other.URL: "other saw "} {
		body, err := fetch.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}).Get(t.Context(), own.URL+path, http.Header{"Authorization": {"Bearer x"}}, 100)
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != want {
			t.Errorf("%s: %s %v", path, text, err)
		}
		body.Close()
	}
}

func TestSocketsOfThisMachineArentDialled(t *testing.T) {
	_, err := fetch.New([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}).Dial(t.Context(), "unix", "/run/x")
	if problem.Code(err) != "fetch.private" {
		t.Error(err)
	}
}

func TestInsideAddressesAreNotPublic(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "10.1.2.3", "192.168.0.1", "169.254.169.254", "[::1]", "[fe80::1]", "[::ffff:10.0.0.1]", "0.0.0.0", "100.64.1.1", "[fd00::1]"} {
		_, err := fetch.New(nil).Get(t.Context(), "http://"+host+":9/", nil, 10)
		if problem.Code(err) != "fetch.private" {
			t.Errorf("%s: %v", host, err)
		}
	}
}
