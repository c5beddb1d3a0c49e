package service_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
)

// asker hands on what the exchange says to somebody who isn't a citizen.
type asker struct{}

func (asker) About(_ context.Context, who *identity.Principal, _, _ string, _ []string) ([]*registry.Record, int64, error) {
	return nil, 0, who.Refused()
}

func TestOnlyACitizenHasTheirFactsRead(t *testing.T) {
	s := service.New(open(t).Snapshot).Service("youth-housing", "youth-rent")
	for _, who := range []*identity.Principal{{}, {Kind: identity.Service, Project: "youth-housing"}, {Kind: identity.Official, Account: "clerk"}} {
		if known, _, err := s.Gather(t.Context(), asker{}, who); err == nil || len(known) > 0 {
			t.Errorf("%s: %v %v", who.Kind, known, err)
		}
	}
}

// TestTheAPIAnswersWhoIsntSignedIn asks as nobody: what a service wants to know, and whether somebody may have it.
func TestTheAPIAnswersWhoIsntSignedIn(t *testing.T) {
	c := open(t)
	s := httpd.New(httpd.Options{Title: "test", Version: "test"})
	identity.Guard(s.API())
	service.New(c.Snapshot).Serve(s.API(), func() time.Time { return time.Date(2026, 11, 28, 9, 0, 0, 0, manifest.Seoul) }, nil)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	ask := func(method, path, body string, status int, into any) {
		t.Helper()
		q, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/api/v1/services"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != status {
			t.Fatalf("%s %s: %d %v %s", method, path, res.StatusCode, err, text)
		}
		if err := json.Unmarshal(text, into); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	var list struct {
		Items []struct {
			Name  string
			Facts []struct{ Name, From string }
		}
	}
	ask(http.MethodGet, "?event=leaving-home", "", http.StatusOK, &list)
	rent := 0
	for rent < len(list.Items)-1 && list.Items[rent].Name != "youth-rent" {
		rent++
	}
	if len(list.Items) < 2 || list.Items[rent].Name != "youth-rent" || len(list.Items[rent].Facts) != 4 || list.Items[rent].Facts[0].From != "youth-housing/residents" || list.Items[rent].Facts[3].From != "" {
		t.Errorf("%+v", list)
	}
	const check = "/youth-housing/youth-rent/check"
	var v struct {
		Outcome string
		Clauses []struct {
			Outcome string
			Why     struct{ Ko string }
		}
		Missing []string
		Benefit struct{ Amount int64 }
	}
	ask(http.MethodPost, check, `{"facts": {"birth_date": "1999-05-01", "household_size": 1, "household_income": 3100000}}`, http.StatusOK, &v)
	if v.Outcome != "unknown" || len(v.Missing) != 1 || v.Missing[0] != "monthly_rent" || len(v.Clauses) != 4 || v.Clauses[3].Outcome != "unknown" {
		t.Errorf("%+v", v)
	}
	ask(http.MethodPost, check, `{"facts": {"birth_date": "1999-05-01", "household_size": 1, "household_income": 3100000, "monthly_rent": 450000}}`, http.StatusOK, &v)
	if v.Outcome != "yes" || v.Benefit.Amount != 200_000 || len(v.Missing) != 0 || !strings.Contains(v.Clauses[2].Why.Ko, "3,846,357원") {
		t.Errorf("%+v", v)
	}
	var p struct {
		Code   string
		Errors []struct{ Code string }
	}
	ask(http.MethodPost, check, `{"facts": {"monthly_rent": "x", "rent": 1}}`, http.StatusUnprocessableEntity, &p)
	if p.Code != "service.facts" {
		t.Errorf("%+v", p)
	}
	ask(http.MethodPost, "/youth-housing/none/check", `{"facts": {}}`, http.StatusNotFound, &p)
	if p.Code != "service.unknown" {
		t.Errorf("%+v", p)
	}
}
