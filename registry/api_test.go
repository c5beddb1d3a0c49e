package registry

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
)

// ask sends a request and returns the answer with its body.
func ask(t *testing.T, method, address, match, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if match != "" {
		req.Header.Set("If-Match", match)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, strings.TrimSpace(string(text))
}

func TestRecordsOverHTTP(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		r.apply(t, shapeHead+"key: [id, n]\nfields:\n  id: {type: string}\n  n: {type: int}\n  v: {type: string}\n")
		s := httpd.New(httpd.Options{Title: "t", Version: "1"})
		r.Serve(s.API(), r.catalog.Snapshot, nil, nil)
		server := httptest.NewServer(identity.As(identity.Itself("test"), s.Handler()))
		defer server.Close()
		records := server.URL + "/api/v1/datasets/trial/places/records"

		res, body := ask(t, "POST", records, "", `{"id": "x/y, %z", "n": 9007199254740993}`)
		if res.StatusCode != 201 || body != `{"_key":"x%2Fy%2C %25z,9007199254740993","_version":1,"id":"x/y, %z","n":9007199254740993,"v":null}` {
			t.Fatal(res.Status, body)
		}
		one := server.URL + res.Header.Get("Location")
		tag := res.Header.Get("ETag")
		if res, body := ask(t, "GET", one, "", ""); res.StatusCode != 200 || res.Header.Get("ETag") != tag || !strings.HasPrefix(body, `{"_key":"x%2Fy`) {
			t.Error(res.Status, body)
		}
		for match, status := range map[string]int{tag: 304, "W/" + tag: 304, `"1000", ` + tag: 304, "*": 304, `"1000"`: 200, "1": 200} {
			req, err := http.NewRequestWithContext(t.Context(), "GET", one, nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("If-None-Match", match)
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if res.Body.Close(); res.StatusCode != status || res.Header.Get("ETag") != tag {
				t.Errorf("unless it is %s: %s %v", match, res.Status, res.Header)
			}
		}
		if res, body := ask(t, "PATCH", one, tag, `{"v": "a"}`); res.StatusCode != 200 || !strings.HasSuffix(body, `"v":"a"}`) {
			t.Error(res.Status, body)
		}
		if res, body := ask(t, "PUT", one, tag, `{"v": "b"}`); res.StatusCode != 409 || !strings.Contains(body, `"current":{"_key"`) {
			t.Error("a stale version:", res.Status, body)
		}
		if res, body := ask(t, "PUT", one, "*", `{}`); res.StatusCode != 200 || !strings.HasSuffix(body, `"v":null}`) {
			t.Error(res.Status, body)
		}
		if res, body := ask(t, "PUT", records+"/new,1", "", `{"id": "new", "n": 1}`); res.StatusCode != 201 || res.Header.Get("Location") == "" {
			t.Error(res.Status, body)
		}
		if res, body := ask(t, "GET", records+"?filter=n%20%3E%202&fields=n&limit=1", "", ""); res.StatusCode != 200 || !strings.Contains(body, `"n":9007199254740993}]}`) {
			t.Error(res.Status, body)
		}
		if res, body := ask(t, "GET", records+"?as=jsonl&sort=-id", "", ""); res.StatusCode != 200 || len(strings.Split(body, "\n")) != 2 {
			t.Error(res.Status, body)
		}
		if res, body := ask(t, "GET", records+"?as=csv&filter=m%3D%3D1", "", ""); res.StatusCode != 400 || !strings.Contains(body, "rule.unknown_field") {
			t.Error("a wrong filter of a download:", res.Status, body)
		}
		if res, body := ask(t, "DELETE", one, "*", ""); res.StatusCode != 204 || body != "" {
			t.Error(res.Status, body)
		}
		if res, body := ask(t, "GET", one+"/history", "", ""); res.StatusCode != 200 || strings.Count(body, `"version"`) != 4 {
			t.Error(res.Status, body)
		}
		if res, body := ask(t, "GET", server.URL+"/api/v1/datasets/trial/place/records", "", ""); res.StatusCode != 404 || !strings.Contains(body, "trial/places") {
			t.Error(res.Status, body)
		}
	})
}

func TestWhatWasBeforeADatasetWasOpenedIsntOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		const places = shapeHead + "key: [id]\nfields:\n  id: {type: string, class: public}\n  v: {type: string, class: "
		d := r.apply(t, places+"internal}\n")
		for _, v := range []string{"010-1234-5678", "가"} {
			if _, _, err := r.Put(t.Context(), By{Actor: "clerk-kim", Via: "api"}, d, "x", Match{Any: true}, Values{"id": "x", "v": v}); problem.Code(err) == "record.unknown" {
				_, err = r.Create(t.Context(), By{Actor: "clerk-kim", Via: "api"}, d, Values{"id": "x", "v": v})
				if err != nil {
					t.Fatal(err)
				}
			} else if err != nil {
				t.Fatal(err)
			}
		}
		d = r.apply(t, places+"public}\n")
		if _, err := r.Patch(t.Context(), By{Actor: "clerk-kim", Via: "api"}, d, "x", Match{Any: true}, Values{"v": "나"}); err != nil {
			t.Fatal(err)
		}
		s := httpd.New(httpd.Options{Title: "t", Version: "1"})
		r.Serve(s.API(), r.catalog.Snapshot, nil, nil)
		for name, who := range map[string]*identity.Principal{"anybody": {}, "the owner": identity.Itself("test")} {
			server := httptest.NewServer(identity.As(who, s.Handler()))
			defer server.Close()
			res, body := ask(t, "GET", server.URL+"/api/v1/datasets/trial/places/records/x/history", "", "")
			if res.StatusCode != 200 || strings.Contains(body, "010-1234-5678") != (name == "the owner") || strings.Contains(body, "clerk-kim") != (name == "the owner") || !strings.Contains(body, "나") {
				t.Errorf("%s: %s %s", name, res.Status, body)
			}
		}
	})
}
