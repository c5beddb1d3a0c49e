package identity

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/db/dbtest"
)

func onBoth(t *testing.T, test func(t *testing.T, s *Sessions, now *clock.Fake)) {
	for name, address := range map[string]func() string{
		"sqlite":   func() string { return filepath.Join(t.TempDir(), "maru.db") },
		"postgres": func() string { return dbtest.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			d, err := db.Open(t.Context(), address())
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			now := clock.NewFake(time.Date(2026, 11, 25, 9, 0, 0, 0, clock.Seoul))
			s, err := OpenSessions(t.Context(), d, now.Now, false)
			if err != nil {
				t.Fatal(err)
			}
			test(t, s, now)
		})
	}
}

// visit makes a request with a cookie's value and returns who it is and the cookie that the answer sets.
func visit(t *testing.T, s *Sessions, value string) (*Principal, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	if value != "" {
		r.AddCookie(&http.Cookie{Name: "maru", Value: value})
	}
	w := httptest.NewRecorder()
	p, err := s.Principal(w, r)
	if err != nil {
		t.Fatal(err)
	}
	return p, set(w)
}

func set(w *httptest.ResponseRecorder) string {
	for _, c := range w.Result().Cookies() {
		return c.Value
	}
	return ""
}

func begin(t *testing.T, s *Sessions) string {
	t.Helper()
	w := httptest.NewRecorder()
	if err := s.Begin(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), &Principal{Kind: Citizen, Subject: "1", Account: "haneul", Person: "p1"}, "token"); err != nil {
		t.Fatal(err)
	}
	c := w.Result().Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" {
		t.Errorf("cookie: %+v", c)
	}
	return c.Value
}

func TestASessionIsExchangedAndEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Sessions, now *clock.Fake) {
		one := begin(t, s)
		if p, next := visit(t, s, one); p == nil || p.Person != "p1" || next != "" {
			t.Fatal(p, next)
		}
		now.Advance(16 * time.Minute)
		p, two := visit(t, s, one)
		if p == nil || two == "" || two == one {
			t.Fatal("the cookie wasn't exchanged", p, two)
		}
		if p, next := visit(t, s, one); p == nil || next != "" {
			t.Error("a request that was under way is refused, or exchanged again", p, next)
		}
		now.Advance(2 * time.Minute)
		if p, _ := visit(t, s, one); p != nil {
			t.Error("the former cookie holds for ever")
		}
		if p, _ := visit(t, s, two); p == nil {
			t.Error("the new cookie doesn't hold")
		}
		now.Advance(61 * time.Minute)
		if p, _ := visit(t, s, two); p != nil {
			t.Error("an idle session holds")
		}
	})
}

func TestASessionEndsAfterEightHoursHoweverBusy(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Sessions, now *clock.Fake) {
		value := begin(t, s)
		for hour := 0.0; hour < 7.9; hour += 0.5 {
			now.Advance(30 * time.Minute)
			p, next := visit(t, s, value)
			if p == nil {
				t.Fatalf("ended after %v hours", hour)
			}
			if next != "" {
				value = next
			}
		}
		now.Advance(10 * time.Minute)
		if p, _ := visit(t, s, value); p != nil {
			t.Error("it holds after eight hours")
		}
	})
}

func TestAfterSignOutNoCookieOfItHolds(t *testing.T) {
	onBoth(t, func(t *testing.T, s *Sessions, now *clock.Fake) {
		one := begin(t, s)
		other := begin(t, s)
		now.Advance(16 * time.Minute)
		_, two := visit(t, s, one)
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.AddCookie(&http.Cookie{Name: "maru", Value: two})
		w := httptest.NewRecorder()
		token, err := s.End(w, r)
		if err != nil || token != "token" || w.Result().Cookies()[0].MaxAge >= 0 {
			t.Error(token, err)
		}
		for _, value := range []string{one, two} {
			if p, _ := visit(t, s, value); p != nil {
				t.Error("a session after sign-out holds")
			}
		}
		if p, _ := visit(t, s, other); p == nil {
			t.Error("the sign-in at another browser ended too")
		}
		if p, _ := visit(t, s, "forged"); p != nil {
			t.Error("a forged cookie holds")
		}
	})
}
