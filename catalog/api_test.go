package catalog_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/identity"
)

// served is a catalog behind the server it is served by.
type served struct {
	t *testing.T
	h http.Handler
}

func serve(t *testing.T, c *catalog.Catalog) served {
	s := httpd.New(httpd.Options{Title: "Trial", Version: "1"})
	c.Serve(s.API())
	return served{t, identity.As(identity.Itself("test"), s.Handler())}
}

// ask sends a request and reads the answer into out. body is JSON.
func (s served) ask(status int, method, path, body string, out any) string {
	s.t.Helper()
	r := httptest.NewRequest(method, "/api/v1"+path, strings.NewReader(body))
	r.Host = "localhost"
	r.Header.Set("Accept-Language", "en")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	s.h.ServeHTTP(w, r)
	if w.Code != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, path, w.Code, status, w.Body)
	}
	if out != nil {
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			s.t.Fatalf("%s %s: %v: %s", method, path, err, w.Body)
		}
	}
	return w.Body.String()
}

// code asks for something that is refused, and returns why.
func (s served) code(status int, method, path, body string) string {
	s.t.Helper()
	var p struct{ Code string }
	s.ask(status, method, path, body, &p)
	return p.Code
}

func filesBody(t *testing.T, files map[string]string, more string) string {
	t.Helper()
	text, err := json.Marshal(files)
	if err != nil {
		t.Fatal(err)
	}
	return `{"files":` + string(text) + more + `}`
}

type plansAnswer struct {
	ID       string
	Base     int64
	Changes  []struct{ Op, Kind, Name string }
	Findings []struct {
		Severity, Code, File string
		Line, Column         int
		Message, Hint        struct{ Ko, En string }
	}
}

func TestPlanAndApplyOverHTTP(t *testing.T) {
	onBoth(t, func(t *testing.T, c, other *catalog.Catalog) {
		s := serve(t, c)
		files := map[string]string{"p/a.yaml": projectDoc + "---\n" + termDoc, "p/d.yaml": dataDoc}
		var p plansAnswer
		s.ask(200, "POST", "/plans", filesBody(t, files, `,"base":0`), &p)
		if p.Base != 0 || len(p.Changes) != 3 || p.Findings == nil || len(p.Findings) != 0 {
			t.Fatalf("plan: %+v", p)
		}
		var done struct{ Revision int64 }
		s.ask(200, "POST", "/plans/"+p.ID+"/apply", `{"message":"처음"}`, &done)
		if done.Revision != 1 {
			t.Errorf("revision %d", done.Revision)
		}
		if code := s.code(404, "POST", "/plans/"+p.ID+"/apply", ""); code != "plan.unknown" {
			t.Errorf("applied twice: %s", code)
		}
		if code := s.code(409, "POST", "/plans", filesBody(t, files, `,"base":0`)); code != "catalog.moved" {
			t.Errorf("a plan for a former revision: %s", code)
		}
		if s.ask(200, "GET", "/resources", "", nil); other.Snapshot().Revision != 0 {
			t.Error("the other node was told before it looked")
		}
		// A plan that another node made is applied by any.
		files["p/d.yaml"] = strings.Replace(dataDoc, "자료", "새 자료", 1)
		serve(t, other).ask(200, "POST", "/plans", filesBody(t, files, ""), &p)
		s.ask(200, "POST", "/plans/"+p.ID+"/apply", "", &done)
		if done.Revision != 2 {
			t.Errorf("revision %d", done.Revision)
		}
		s.ask(200, "POST", "/plans", `{"rollback":1}`, &p)
		if len(p.Changes) != 1 || p.Changes[0].Op != "change" {
			t.Errorf("the way back: %+v", p)
		}
	})
}

func TestFindingsOverHTTPHaveTheirPlaces(t *testing.T) {
	s := serve(t, open(t, t.TempDir()+"/maru.db"))
	var p plansAnswer
	s.ask(200, "POST", "/plans", filesBody(t, map[string]string{"p/a.yaml": projectDoc + "ownr: x\n---\n" + dataDoc}, ""), &p)
	if len(p.Findings) != 2 {
		t.Fatalf("findings: %+v", p.Findings)
	}
	f := p.Findings[0]
	if f.Severity != "error" || f.Code != "manifest.unknown_field" || f.File != "p/a.yaml" || f.Line != 4 || f.Column != 1 || f.Hint.En != "did you mean owner?" || f.Hint.Ko == "" {
		t.Errorf("finding: %+v", f)
	}
	if code := s.code(422, "POST", "/plans/"+p.ID+"/apply", ""); code != "plan.refused" {
		t.Errorf("a plan with errors: %s", code)
	}
	if got := s.ask(200, "GET", "/revisions", "", nil); strings.TrimSpace(got) != `{"items":[]}` {
		t.Errorf("revisions: %s", got)
	}
}

func TestWrongPlansAreRefused(t *testing.T) {
	s := serve(t, open(t, t.TempDir()+"/maru.db"))
	for body, want := range map[string]string{
		`{}`:                                       "plan.request",
		`{"files":{"a.yaml":"x"},"rollback":0}`:    "plan.request",
		`{"files":{"../a.yaml":"x"}}`:              "plan.path",
		`{"files":{"/etc/a.yaml":"x"}}`:            "plan.path",
		`{"files":{"a//b.yaml":"x"}}`:              "plan.path",
		`{"files":{"a\\b.yaml":"x"}}`:              "plan.path",
		`{"files":{"":"x"}}`:                       "plan.path",
		`{"files":{"a.yaml":1}}`:                   "request.invalid",
		`{"files":{"a.yaml":"x"},"author":"root"}`: "request.invalid",
		`{"rollback":-1}`:                          "request.invalid",
	} {
		if code := s.code(422, "POST", "/plans", body); code != want {
			t.Errorf("%s: %s, want %s", body, code, want)
		}
	}
	if code := s.code(404, "POST", "/plans", `{"rollback":3}`); code != "revision.unknown" {
		t.Errorf("back to the future: %s", code)
	}
	many := map[string]string{}
	for i := range catalog.MaxPlanFiles + 1 {
		many[fmt.Sprintf("f%d.yaml", i)] = ""
	}
	if code := s.code(422, "POST", "/plans", filesBody(t, many, "")); code != "request.invalid" {
		t.Errorf("too many files: %s", code)
	}
	if code := s.code(413, "POST", "/plans", filesBody(t, map[string]string{"a.yaml": strings.Repeat("#", catalog.MaxPlanBody)}, "")); code != "request.large" {
		t.Errorf("too large: %s", code)
	}
}

func TestAResourceSaysWhatItUsesAndWhoUsesIt(t *testing.T) {
	c := open(t, t.TempDir()+"/maru.db")
	s := serve(t, c)
	apply(t, c, map[string]string{"p/a.yaml": projectDoc + "---\n" + termDoc + "---\n" + dataDoc})
	type ref struct{ Kind, Project, Name string }
	var r struct {
		Kind, Project, Name, Home, File, Text string
		Revision                              int64
		Document                              map[string]any
		Uses, UsedBy                          []ref
		Users                                 int
		Fields                                []struct {
			Name, Type, Term, Class string
			Title                   struct{ Ko string }
			Key, Required           bool
		}
	}
	s.ask(200, "GET", "/resources/dataset/p/d", "", &r)
	if r.Kind != "Dataset" || r.Home != "p" || r.File != "p/a.yaml" || r.Revision != 1 || r.Text != dataDoc || r.Document["title"] != "자료" {
		t.Errorf("dataset: %+v", r)
	}
	if !slices.Equal(r.Uses, []ref{{Kind: "Term", Name: "size"}}) {
		t.Errorf("it uses %v", r.Uses)
	}
	if f := r.Fields; len(f) != 2 || !f[0].Key || !f[0].Required || f[1].Type != "int" || f[1].Title.Ko != "크기" || f[1].Term != "size" || f[1].Class != "internal" {
		t.Errorf("fields: %+v", f)
	}
	raw := s.ask(200, "GET", "/resources/Term/-/size", "", nil)
	if !strings.Contains(raw, `"used_by":[{"kind":"Dataset","project":"p","name":"d"`) || !strings.Contains(raw, `"users":1`) {
		t.Errorf("term: %s", raw)
	}
	for path, want := range map[string]string{
		"/resources/Dataset/p/dd":     "resource.unknown",
		"/resources/Dataset/-/d":      "resource.unknown",
		"/resources/Term/p/size":      "resource.unknown",
		"/resources/Datset/p/d":       "manifest.kind",
		"/resources/Term/-/x/history": "resource.unknown",
		"/resources?kind=Nope":        "manifest.kind",
		"/revisions/99":               "revision.unknown",
	} {
		if code := s.code(404, "GET", path, ""); code != want {
			t.Errorf("%s: %s, want %s", path, code, want)
		}
	}
}

func TestListsGoOnWhereThePageEnded(t *testing.T) {
	c := open(t, t.TempDir()+"/maru.db")
	s := serve(t, c)
	var table strings.Builder
	table.WriteString("name,title,type\n")
	for i := range 25 {
		fmt.Fprintf(&table, "word-%02d,낱말 %02d,string\n", i, i)
	}
	files := map[string]string{
		"p/a.yaml": projectDoc + "---\n" + termDoc + "---\n" + dataDoc, "p/words.csv": table.String(),
		"p/v.yaml": "kind: Vocabulary\nname: words\ntitle: 낱말\nfile: words.csv\nmap: {name: name, title: title, type: type}\n",
	}
	apply(t, c, files)
	for i := range 6 {
		files["p/a.yaml"] = projectDoc + fmt.Sprintf("budget: %d\n---\n", i+1) + termDoc + "---\n" + dataDoc
		apply(t, c, files)
	}
	walk := func(path string) (names []string) {
		sign := "?"
		if strings.Contains(path, "?") {
			sign = "&"
		}
		for cursor := ""; ; {
			var page struct {
				Items []struct {
					Kind, Name, Vocabulary string
					Revision               int64
				}
				Next string
			}
			s.ask(200, "GET", path+sign+"limit=4"+cursor, "", &page)
			for _, i := range page.Items {
				names = append(names, fmt.Sprint(i.Kind, i.Name, i.Revision))
			}
			if page.Next == "" {
				return names
			}
			if len(page.Items) != 4 || len(names) > 100 {
				t.Fatalf("%s: a page of %d", path, len(page.Items))
			}
			cursor = "&cursor=" + page.Next
		}
	}
	for path, want := range map[string]int{
		"/resources": 4, "/resources?kind=Term": 26, "/resources?kind=term&q=낱말1": 10, "/resources?kind=Term&q=word-0": 10, "/resources?q=자료": 1,
		"/revisions": 7, "/resources/Project/-/p/history": 7, "/resources/Dataset/p/d/history": 1,
	} {
		names := walk(path)
		if sorted := slices.Compact(slices.Sorted(slices.Values(names))); len(names) != want || len(sorted) != want {
			t.Errorf("%s: %d items, %d of them different, want %d: %v", path, len(names), len(sorted), want, names)
		}
	}
	var item struct {
		Vocabulary string
		Line       int
		Revision   int64
		Document   map[string]any
	}
	s.ask(200, "GET", "/resources/Term/-/word-07", "", &item)
	if item.Vocabulary != "words" || item.Line != 9 || item.Revision != 1 || item.Document["title"] != "낱말 07" {
		t.Errorf("a vocabulary's term: %+v", item)
	}
	for _, path := range []string{"/resources?cursor=x", "/resources?cursor=e30", "/revisions?cursor=!", "/revisions?cursor=-1"} {
		if code := s.code(400, "GET", path, ""); code != "list.cursor" {
			t.Errorf("%s: %s", path, code)
		}
	}
	for _, path := range []string{"/resources?limit=0", "/resources?limit=1001", "/revisions?limit=x", "/resources?kinds=Term"} {
		if code := s.code(422, "GET", path, ""); code != "request.invalid" {
			t.Errorf("%s: %s", path, code)
		}
	}
}

func TestTheDescriptionOfTheAPIIsWhole(t *testing.T) {
	s := serve(t, open(t, t.TempDir()+"/maru.db"))
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]any }
	}
	text := s.ask(200, "GET", "/openapi.json", "", &doc)
	if !strings.HasPrefix(doc.OpenAPI, "3.1") || len(doc.Paths) != 8 {
		t.Errorf("version %s, %d paths", doc.OpenAPI, len(doc.Paths))
	}
	for _, part := range strings.Split(text, `"$ref":"#/components/schemas/`)[1:] {
		if name, _, _ := strings.Cut(part, `"`); doc.Components.Schemas[name] == nil {
			t.Errorf("%s is pointed at and isn't there", name)
		}
	}
	for _, member := range []string{`"severity"`, `"used_by"`, `"hint"`, `"application/problem+json"`} {
		if !strings.Contains(text, member) {
			t.Errorf("%s isn't described", member)
		}
	}
	if got := s.ask(200, "GET", "/openapi.yaml", "", nil); !strings.Contains(got, "openapi: 3.1") {
		t.Errorf("YAML: %.100s", got)
	}
}

func TestNULIsRefusedOrLeftOutOnBothDatabases(t *testing.T) {
	onBoth(t, func(t *testing.T, c, _ *catalog.Catalog) {
		s := serve(t, c)
		if code := s.code(422, "POST", "/plans", `{"files":{"a.yaml":"kind: Project\u0000"}}`); code != "plan.text" {
			t.Errorf("in a file: %s", code)
		}
		if code := s.code(400, "GET", "/resources/Term/-/x%00/history", ""); code != "request.invalid" {
			t.Errorf("in a name: %s", code)
		}
		if code := s.code(400, "POST", "/plans/x%00/apply", ""); code != "request.invalid" {
			t.Errorf("in a plan's number: %s", code)
		}
		var p plansAnswer
		s.ask(200, "POST", "/plans", filesBody(t, map[string]string{"a.yaml": projectDoc}, ""), &p)
		s.ask(200, "POST", "/plans/"+p.ID+"/apply", `{"message":"a\u0000b"}`, nil)
		if got := s.ask(200, "GET", "/revisions/1", "", nil); !strings.Contains(got, `"message":"ab"`) {
			t.Errorf("in a message: %s", got)
		}
	})
}
