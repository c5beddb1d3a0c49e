package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

const movedIn = `kind: Agreement
name: moved-in
title: {ko: 전입 알림, en: Who moved in}
about: {ko: 전입한 청년에게 월세 지원을 안내합니다, en: Tells young people who moved in about rent support}
dataset: resident-registry/residents
purpose: outreach
basis: 사회보장급여법 제9조의2
fields: [person, birth_date, address]
where: record.moved_out_on == null
masks: {address: district, birth_date: year}
subject: many
events: true
until: 2099-12-31
`

// followed are the manifests of the demo's housing office, with an agreement that has events.
func followed() map[string]string {
	files := map[string]string{"youth-housing/moved.yaml": movedIn}
	for path, text := range city.Manifests() {
		if strings.HasPrefix(path, "youth-housing/") {
			files[path] = text
		}
	}
	return files
}

// TestADeveloperOfAnotherBureauFollowsWhoMovedIn plays the journey on the demo city with a client of NATS as it is.
func TestADeveloperOfAnotherBureauFollowsWhoMovedIn(t *testing.T) {
	c := started(t, func(c *config) { c.Demo, c.seed, c.residents = true, 1, 1000 })
	as := func(account string) *client {
		token, err := c.demoToken(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		own, err := newClient(c.server, lang.En)
		if err != nil {
			t.Fatal(err)
		}
		own.token = token
		return own
	}
	author, steward, app := as("housing-author"), as("register-steward"), as("housing-app")
	applied(t, author, followed())
	for _, who := range []*client{steward, as("privacy-officer")} {
		if err := who.call(t.Context(), http.MethodPost, "/agreements/youth-housing/moved-in/approve", map[string]string{"note": "확인"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	var feed struct{ Server, Stream, Cursor string }
	if err := app.get(t.Context(), "/feeds/youth-housing/moved-in", nil, &feed); err != nil {
		t.Fatal(err)
	}

	const records = "/datasets/resident-registry/residents/records"
	var page pageAnswer[map[string]any]
	if err := steward.get(t.Context(), records, url.Values{"limit": {"1"}, "filter": {`moved_out_on == null && !address.contains("마포구")`}}, &page); err != nil {
		t.Fatal(err)
	}
	key, _ := page.Items[0]["_key"].(string)
	change := func(values map[string]any) {
		t.Helper()
		body, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, c.server+"/api/v1"+records+"/"+url.PathEscape(key), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"Authorization": {"Bearer " + steward.token}, "Content-Type": {"application/json"}, "If-Match": {"*"}}
		res, err := http.DefaultClient.Do(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res, err)
		}
		res.Body.Close()
	}
	change(map[string]any{"name": "개명한사람"}) // nothing that the housing office sees
	change(map[string]any{"address": "서울특별시 마포구 하늘로1길 1"})
	change(map[string]any{"moved_out_on": "2026-11-26"})

	conn, err := nats.Connect("nats://"+feed.Server, nats.Token(app.token), nats.NoReconnect())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := js.Consumer(t.Context(), feed.Stream, feed.Cursor)
	if err != nil {
		t.Fatal(err)
	}
	next := func() (kind string, data map[string]any) {
		t.Helper()
		m, err := cursor.Next(jetstream.FetchMaxWait(10 * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Type string
			Data map[string]any
		}
		if err := errors.Join(json.Unmarshal(m.Data(), &e), m.DoubleAck(t.Context())); err != nil {
			t.Fatal(err)
		}
		return e.Type, e.Data
	}
	if kind, data := next(); kind != "city.maru.record.updated" || data["address"] != "서울특별시 마포구" || data["person"] == page.Items[0]["person"] || data["birth_date"] == nil || len(data) != 3 {
		t.Errorf("%s %v", kind, data)
	}
	if kind, data := next(); kind != "city.maru.record.deleted" || data != nil {
		t.Errorf("%s %v", kind, data)
	}

	var described struct {
		Channels map[string]any
		Servers  map[string]any
	}
	if err := app.get(t.Context(), "/asyncapi.json", nil, &described); err != nil || described.Channels[feed.Stream] == nil || described.Servers["bus"] == nil {
		t.Errorf("%+v %v", described, err)
	}
	if err := as("haneul").get(t.Context(), "/asyncapi.json", nil, &described); problem.Code(err) != "auth.refused" {
		t.Errorf("a citizen: %v", err)
	}

	if err := app.call(t.Context(), http.MethodPut, "/feeds/youth-housing/moved-in/cursors/again", map[string]any{"from": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)}, nil); err != nil {
		t.Fatal(err)
	}
	if cursor, err = js.Consumer(t.Context(), feed.Stream, "again"); err != nil {
		t.Fatal(err)
	}
	if kind, _ := next(); kind != "city.maru.record.updated" {
		t.Errorf("replayed: %s", kind)
	}
	if err := as("income-steward").call(t.Context(), http.MethodPut, "/feeds/youth-housing/moved-in/cursors/mine", map[string]any{}, nil); problem.Code(err) != "auth.refused" {
		t.Errorf("another's cursor: %v", err)
	}
	if err := app.call(t.Context(), http.MethodPut, "/feeds/youth-housing/moved-in/cursors/webhook", map[string]any{}, nil); problem.Code(err) != "feed.cursor" {
		t.Errorf("the webhook's cursor: %v", err)
	}
	if err := app.get(t.Context(), "/feeds/youth-housing/residents", nil, &feed); problem.Code(err) != "agreement.events" {
		t.Errorf("an agreement without events: %v", err)
	}

	closed := make(chan struct{})
	conn.SetClosedHandler(func(*nats.Conn) { close(closed) })
	if err := steward.call(t.Context(), http.MethodPost, "/agreements/youth-housing/moved-in/suspend", map[string]string{"note": "조사"}, nil); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	select {
	case <-closed:
		t.Logf("cut off after %v", time.Since(began))
	case <-time.After(10 * time.Second):
		t.Error("it is still connected")
	}
}
