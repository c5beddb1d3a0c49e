package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/db/dbtest"
)

// schemathesisSettings are its settings: words by which generated requests get to what the demo has, where it would otherwise answer 404 to nearly all.
//
// Of its checks, positive_data_acceptance isn't among them: it takes for a deviation that a cursor, a filter or a sort of any text is refused, and what such a text must be
// can't be said in JSON Schema. Nor are those for several users and for times.
//
// 413 and 431 refuse wrong data too: what is too long may be so for the server before it is for the operation. The history of a record that was deleted stays, as the
// description says of deleting.
const schemathesisSettings = `
[checks]
enabled = false
not_a_server_error = {enabled = true}
status_code_conformance = {enabled = true}
content_type_conformance = {enabled = true}
response_schema_conformance = {enabled = true}
response_headers_conformance = {enabled = true}
ignored_auth = {enabled = true}
unsupported_method = {enabled = true}
allow_header_conformance = {enabled = true}
missing_required_header = {enabled = true}
use_after_free = {enabled = true}
ensure_resource_availability = {enabled = true}
[checks.negative_data_rejection]
enabled = true
expected-statuses = ["400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "428", "429", "431"]

[[operations]]
include-operation-id = "list-record-history"
[operations.checks.use_after_free]
enabled = false

[[operations]]
include-operation-id = "get-feed"
parameters = {"path.project" = "youth-housing", "path.name" = "moved-in"}

[[operations]]
include-operation-id = "set-cursor"
parameters = {"path.project" = "youth-housing", "path.name" = "moved-in"}

[dictionaries]
projects = {values = ["resident-registry", "youth-housing", "culture"]}
datasets = {values = ["residents", "households", "culture-events", "rent-payments"]}
names = {values = ["residents", "household-income", "resident-registry", "moved-in"]}
kinds = {values = ["Dataset", "Project", "Agreement"]}
agencies = {values = ["digital-city", "housing"]}
numbers = {values = [0, 1, 2, %[3]s]}
agreements = {values = ["youth-housing/residents", "youth-housing/household-income"]}
purposes = {values = ["eligibility"]}
people = {values = [%[1]q]}
keys = {values = [%[2]s]}
sizes = {values = [1]}
beginning = {values = [0]}
fields = {values = ["person"]}
matches = {values = ["*"]}
tags = {values = ["\"1\"", "\"2\""]}
nothing = {values = [""]}
cursors = {values = ["main", "second"]}
moments = {values = ["2026-11-01T00:00:00Z"]}

[parameters]
"path.project" = {dictionary = "projects", probability = 0.8}
"path.dataset" = {dictionary = "datasets", probability = 0.8}
"path.name" = {dictionary = "names", probability = 0.8}
"path.kind" = {dictionary = "kinds", probability = 0.8}
"path.agency" = {dictionary = "agencies", probability = 0.8}
"path.id" = {dictionary = "numbers", probability = 0.8}
"path.n" = {dictionary = "numbers", probability = 0.8}
"path.offset" = {dictionary = "beginning", probability = 0.9}
"path.key" = {dictionary = "keys", probability = 0.8}
"path.cursor" = {dictionary = "cursors", probability = 0.8}
"body.from" = {dictionary = "moments", probability = 0.9}
"query.agreement" = {dictionary = "agreements", probability = 0.8}
"query.filter" = {dictionary = "nothing", probability = 0.7}
"query.sort" = {dictionary = "nothing", probability = 0.7}
"query.fields" = {dictionary = "nothing", probability = 0.7}
"query.cursor" = {dictionary = "nothing", probability = 0.7}
"header.If-Match" = {dictionary = "matches", probability = 0.7}
"header.If-None-Match" = {dictionary = "tags", probability = 0.5}
"body.agreement" = {dictionary = "agreements", probability = 0.9}
"body.purpose" = {dictionary = "purposes", probability = 0.9}
"body.subject" = {dictionary = "people", probability = 0.9}
"body.subjects[*]" = {dictionary = "people", probability = 0.9}
"body.fields[*]" = {dictionary = "fields", probability = 0.9}
"body.household" = {dictionary = "keys", probability = 0.9}
"body.size" = {dictionary = "sizes", probability = 0.9}
"body.filter" = {dictionary = "nothing", probability = 0.9}
`

// TestSchemathesisFindsNoDeviation lets schemathesis call the demo by its description, as each kind of principal and as nobody: what the server answers is
// what the description says. The server is thrown away: it may be changed in any way that its principals may. It is on PostgreSQL, which is pickier about what is text.
func TestSchemathesisFindsNoDeviation(t *testing.T) {
	command := os.Getenv("MARU_TEST_SCHEMATHESIS")
	if command == "" {
		t.Skip("MARU_TEST_SCHEMATHESIS doesn't say where schemathesis is; `make test-engines` installs it and does")
	}
	c := startDemo(t)
	tokens := map[string]string{"": ""}
	for _, name := range []string{"admin", "register-steward", "income-steward", "privacy-officer", "housing-caseworker", "housing-app", "haneul"} {
		token, err := c.demoToken(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		tokens[name] = token
	}
	for _, name := range []string{"income-steward", "privacy-officer"} { // an agreement that people can consent to
		c.token = tokens[name]
		if err := c.call(t.Context(), http.MethodPost, "/agreements/youth-housing/household-income/approve", map[string]string{"note": "for the test"}, &struct{}{}); err != nil {
			t.Fatal(err)
		}
	}
	c.token = tokens["admin"]
	files := followed() // an agreement whose events are followed, and services of which there isn't enough
	files["youth-housing/scarce.yaml"] = scarce
	applied(t, c, files)
	for _, name := range []string{"register-steward", "privacy-officer"} {
		c.token = tokens[name]
		if err := c.call(t.Context(), http.MethodPost, "/agreements/youth-housing/moved-in/approve", map[string]string{"note": "for the test"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "schemathesis.toml")
	if err := os.WriteFile(file, words(t, c, tokens), 0o600); err != nil {
		t.Fatal(err)
	}
	c.token = tokens["register-steward"]
	const whole, households = "/openapi.json", "/datasets/resident-registry/households"
	// Whom a record is about can't be changed, so chance doesn't find what a PUT takes; nor which request waits for an answer.
	record := map[string]any{}
	var some struct{ Items []map[string]any }
	if err := c.get(t.Context(), households+"/records", url.Values{"limit": {"1"}, "sort": {"-household"}}, &some); err != nil {
		t.Fatal(err)
	}
	for name, value := range some.Items[0] {
		if !strings.HasPrefix(name, "_") {
			record[name] = value
		}
	}
	c.token = tokens["haneul"]
	var asked struct{ ID int64 }
	if err := c.call(t.Context(), http.MethodPost, "/open-requests", map[string]string{"dataset": "resident-registry/households", "why": "for the test"}, &asked); err != nil {
		t.Fatal(err)
	}
	work := appliedFor(t, c, tokens)
	citizen := described(t, c, whole, work.citizen)
	caseworker := described(t, c, whole, work.caseworker)
	c.token = tokens["register-steward"]
	own := described(t, c, households+whole, map[string]example{"put-record": {map[string]any{"key": some.Items[0]["_key"], "If-Match": "*"}, record}})
	official := described(t, c, whole, map[string]example{
		"check-service": {map[string]any{"project": "youth-housing", "service": "youth-rent"}, map[string]any{"facts": map[string]any{"household_size": 1}}}, "answer-open-request": {map[string]any{"id": asked.ID}, map[string]any{"grant": false, "answer": "for the test"}},
	})
	for _, run := range []struct {
		name, as, description string
		examples              int // of an operation, of each kind
	}{
		{"reads about one", "housing-app", aboutOne(t, c), 20},
		{"a service", "housing-app", c.server + "/api/v1" + whole, 20},
		{"a caseworker", "housing-caseworker", caseworker, 5},
		{"a citizen", "haneul", citizen, 20},
		{"nobody", "", c.server + "/api/v1" + whole, 5},
		{"a dataset's own description", "register-steward", own, 20},
		{"an official", "register-steward", official, 20},
		{"an administrator", "admin", c.server + "/api/v1" + whole, 20}, // last: an empty plan that is applied removes everything
	} {
		t.Run(run.name, func(t *testing.T) {
			args := []string{
				"--config-file", file, "run", run.description, "--url", c.server, "--seed", "1", "--max-examples", fmt.Sprint(run.examples),
				"--continue-on-failure", "--no-color", "--warnings", "off", "--generation-database", "none",
			}
			if token := tokens[run.as]; token != "" {
				args = append(args, "--header", "Authorization: Bearer "+token)
			}
			cmd := exec.CommandContext(t.Context(), command, args...)
			cmd.Dir = t.TempDir()
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			if said := regexp.MustCompile(`(?m)^.*generated.*$`).Find(out); said != nil {
				t.Log(strings.TrimSpace(string(said)))
			}
		})
	}
	// A part of a file must be just as long as the import that waits for it says: whether random bytes ever are is chance. TestAFileIsImported and others send parts. An import is held
	// only where a source has lost much: TestASourceThatIsDownEmptyOrHalfChangesNothing and TestABadMondayIsSeenAndLetGoOnOrMended let such ones go on. A paper is taken away only
	// once: TestPapersByTheAPI does.
	never := slices.DeleteFunc(neverDone(t, c), func(o string) bool {
		return slices.Contains([]string{"PUT /api/v1/imports/{id}/parts/{offset}", "POST /api/v1/imports/{id}/accept", "DELETE /api/v1/applications/drafts/{draft}/papers/{paper}"}, o)
	})
	if len(never) > 0 {
		t.Errorf("requests that do what they ask for were never made to %v", never)
	}
}

// scarce are two services of which there isn't enough: one that is drawn, which has closed, and one for who comes first.
const scarce = `
kind: Service
name: garden
title: {ko: 도시 텃밭, en: City garden}
window: {from: 2026-01-01, to: 2026-01-31, quota: 3, choose: draw, seed: {ko: 2월 1일 로또 당첨 번호, en: The lottery numbers of 1 February}}
facts:
  wants: {ask: {ko: "텃밭을 가꾸시겠습니까?", en: Will you tend it?}, type: bool}
eligible:
  - {when: wants, why: {ko: 가꿀 뜻이 있어야 합니다, en: You want to}}
process: {due: 14 working days}
---
kind: Service
name: seeds
title: {ko: 씨앗 나눔, en: Seeds}
facts:
  wants: {ask: {ko: "씨앗을 받으시겠습니까?", en: Do you want some?}, type: bool}
eligible:
  - {when: wants, why: {ko: 받을 뜻이 있어야 합니다, en: You want some}}
process: {due: 5 working days}
`

// underWay are examples of what may be done to drafts and cases that are there.
type underWay struct{ citizen, caseworker map[string]example }

// appliedFor makes a citizen's draft with a paper, another one, and two cases with a paper, so that there is something to do.
func appliedFor(t *testing.T, c *client, tokens map[string]string) underWay {
	t.Helper()
	const youth, deposit, seeds = "youth-housing/youth-rent", "youth-housing/youth-deposit-interest", "youth-housing/seeds"
	c.token = tokens["haneul"]
	post := func(path string, in, out any) {
		t.Helper()
		if err := c.call(t.Context(), http.MethodPost, path, in, out); err != nil {
			t.Fatal(err)
		}
	}
	send := func(path string) (id string) {
		t.Helper()
		var p struct{ ID string }
		if err := c.send(t.Context(), http.MethodPost, path+"?name=a.pdf", "application/octet-stream", strings.NewReader("%PDF-1.7\n"), &p); err != nil {
			t.Fatal(err)
		}
		return p.ID
	}
	var draft, goes struct{ ID string }
	post("/applications/drafts", map[string]any{"services": []string{youth}}, &draft)
	post("/applications/drafts", map[string]any{"services": []string{deposit}}, &goes)
	paper, away := send("/applications/drafts/"+draft.ID+"/papers"), send("/applications/drafts/"+draft.ID+"/papers")
	var made struct {
		Cases []struct{ ID string }
	}
	post("/applications", map[string]any{"services": []string{youth}, "answers": map[string]any{"household_income": 2_000_000, "monthly_rent": 450_000, "household_size": 1, "birth_date": "1999-05-01"}}, &made)
	id := made.Cases[0].ID
	ofCase := send("/cases/" + id + "/papers")
	var now struct{ Version int64 }
	if err := c.get(t.Context(), "/cases/"+id, nil, &now); err != nil {
		t.Fatal(err)
	}
	at := func(of string) map[string]any { return map[string]any{"case": of} }
	one := map[string]any{"draft": draft.ID, "paper": paper}
	want := map[string]any{"wants": true}
	return underWay{
		citizen: map[string]example{
			"fill-application": {nil, map[string]any{"services": []string{seeds}}}, "submit-application": {nil, map[string]any{"services": []string{seeds}, "answers": want}}, "begin-application": {nil, map[string]any{"services": []string{seeds}, "answers": want}},
			"get-draft": {one, nil}, "get-draft-paper": {one, nil}, "detach-from-draft": {map[string]any{"draft": draft.ID, "paper": away}, nil}, "discard-draft": {map[string]any{"draft": goes.ID}, nil},
			"save-draft": {one, map[string]any{"answers": map[string]any{"monthly_rent": 400_000}}}, "get-case": {at(id), nil}, "get-case-paper": {map[string]any{"case": id, "paper": ofCase}, nil}, "reproduce-case": {at(id), nil},
			"get-draw": {map[string]any{"project": "youth-housing", "name": "garden"}, nil},
		},
		caseworker: map[string]example{
			"act-on-case": {map[string]any{"case": id, "action": "note"}, map[string]any{"version": now.Version, "reason": "for the test"}}, "act-on-cases": {nil, map[string]any{"action": "take", "cases": []map[string]any{{"case": id, "version": now.Version + 1}}}},
			"decide-draw": {map[string]any{"project": "youth-housing", "name": "garden"}, map[string]any{"seed": "1 2 3 4 5 6"}},
		},
	}
}

// words are the settings, with the names that the demo has for people and households, and imports that wait for their files.
func words(t *testing.T, c *client, tokens map[string]string) []byte {
	t.Helper()
	c.token = tokens["haneul"]
	var me struct{ ID string }
	if err := c.get(t.Context(), "/me", url.Values{"for": {"youth-housing"}}, &me); err != nil {
		t.Fatal(err)
	}
	c.token = tokens["register-steward"]
	var households struct {
		Items []struct {
			Key string `json:"_key"`
		}
	}
	if err := c.get(t.Context(), "/datasets/resident-registry/households/records", url.Values{"limit": {"3"}}, &households); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, r := range households.Items {
		keys = append(keys, fmt.Sprintf("%q", r.Key))
	}
	var imports []string // of one byte each
	for i := range 6 {
		var begun struct{ ID int64 }
		q := map[string]any{"file": "a.csv", "size": 1, "fingerprint": fmt.Sprint(i)}
		if err := c.call(t.Context(), http.MethodPost, "/datasets/resident-registry/households/imports", q, &begun); err != nil {
			t.Fatal(err)
		}
		imports = append(imports, fmt.Sprint(begun.ID))
	}
	return fmt.Appendf(nil, schemathesisSettings, me.ID, strings.Join(keys, ", "), strings.Join(imports, ", "))
}

// aboutOne saves the description of reads as if they were about one person only: what generates requests by it reads about somebody, where by the whole one nearly all
// are refused for having no subject, or several.
func aboutOne(t *testing.T, c *client) string {
	t.Helper()
	doc := description(t, c, "/openapi.json")
	const reads = "/api/v1/reads"
	doc["paths"] = map[string]any{reads: doc["paths"].(map[string]any)[reads]}
	body := doc["components"].(map[string]any)["schemas"].(map[string]any)["ReadInputBody"].(map[string]any)
	body["required"] = append(body["required"].([]any), "subject")
	delete(body["properties"].(map[string]any), "subjects")
	return inFile(t, doc)
}

// description is an OpenAPI description of the server's.
func description(t *testing.T, c *client, path string) (doc map[string]any) {
	t.Helper()
	if err := c.get(t.Context(), path, nil, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// inFile is a file that has a description.
func inFile(t *testing.T, doc map[string]any) string {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "openapi.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// example is what an operation may be called with.
type example struct {
	parameters map[string]any
	body       any
}

// described saves a description with examples of what some operations, by their IDs, may be called with.
func described(t *testing.T, c *client, path string, examples map[string]example) string {
	t.Helper()
	doc, put := description(t, c, path), 0
	for _, item := range doc["paths"].(map[string]any) {
		for _, operation := range item.(map[string]any) {
			o := operation.(map[string]any)
			e, ok := examples[fmt.Sprint(o["operationId"])]
			if !ok {
				continue
			}
			parameters, _ := o["parameters"].([]any)
			for _, parameter := range parameters {
				p := parameter.(map[string]any)
				if value, ok := e.parameters[p["name"].(string)]; ok {
					p["example"] = value
				}
			}
			if e.body != nil {
				o["requestBody"].(map[string]any)["content"].(map[string]any)["application/json"].(map[string]any)["example"] = e.body
			}
			put++
		}
	}
	if put != len(examples) {
		t.Fatalf("%s has %d of the operations %v", path, put, examples)
	}
	return inFile(t, doc)
}

// startDemo runs the demo city in this process.
func startDemo(t *testing.T) *client {
	t.Helper()
	return started(t, func(c *config) { c.Database, c.Demo, c.seed, c.residents = dbtest.Postgres(t), true, 1, 1000 })
}

// neverDone lists the operations that the server never answered with success, by its own counters.
func neverDone(t *testing.T, c *client) []string {
	t.Helper()
	body := func(path string) []byte {
		res, err := http.Get(c.server + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	done := map[string]bool{}
	for _, m := range regexp.MustCompile(`_count\{method="([A-Z]+)",route="([^"]+)",status="2..?"\}`).FindAllSubmatch(body("/metrics"), -1) {
		done[string(m[1])+" "+string(m[2])] = true
	}
	var doc struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(body("/api/v1/openapi.json"), &doc); err != nil {
		t.Fatal(err)
	}
	never := []string{}
	for path, operations := range doc.Paths {
		for method := range operations {
			if name := strings.ToUpper(method) + " " + path; !done[name] {
				never = append(never, name)
			}
		}
	}
	slices.Sort(never)
	return never
}
