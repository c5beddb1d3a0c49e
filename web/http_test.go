package web_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/rule"
	"github.com/maru-city/maru/web/webtest"
)

// failing is records whose profiles can't be had.
type failing struct{ *registry.Registry }

func (failing) Profile(context.Context, *catalog.Dataset) (*registry.Profile, error) {
	return nil, errors.New("the disk is on fire at /secret/place")
}

// asked notes which fields' values are read for samples.
type asked struct {
	*registry.Registry
	fields map[string]bool
}

func (a asked) Sample(ctx context.Context, d *catalog.Dataset, fields []string, limit int) ([]*registry.Record, error) {
	for _, f := range fields {
		a.fields[f] = true
	}
	return a.Registry.Sample(ctx, d, fields, limit)
}

func TestPersonalValuesAreNeverReadOrShown(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	r := asked{c.registry, map[string]bool{}}
	s := serve(t, c, r)
	d := c.Snapshot().Dataset("resident-registry", "residents")
	var pages strings.Builder
	for _, tab := range []string{"?tab=sample", "/profile", "?tab=fields", "?tab=api"} {
		_, body := get(t, s.URL+"/console/datasets/"+d.Path()+tab)
		pages.WriteString(body)
	}
	values := 0
	err := c.registry.Stream(t.Context(), d, registry.Query{}, func(rec *registry.Record) error {
		for i, f := range rec.Fields {
			if text, ok := rec.Values[i].(string); ok && f.Class.AtLeast(manifest.Personal) && len(f.Codes) == 0 && len(text) > 4 {
				values++
				if strings.Contains(pages.String(), text) {
					t.Errorf("a page shows %s of a person", f.Name)
				}
			}
		}
		return nil
	})
	if err != nil || values < 300 {
		t.Fatalf("%d personal values were looked for: %v", values, err)
	}
	for _, f := range d.Fields {
		if f.Class.AtLeast("personal") && r.fields[f.Name] {
			t.Errorf("the sample read %s, which is %s", f.Name, f.Class)
		}
	}
	if !r.fields["district"] && !d.Field("district").Class.AtLeast("personal") {
		t.Error("the sample read no field at all")
	}
}

func TestAnInternalErrorShowsItsNumberAndNothingElse(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	s := serve(t, c, failing{c.registry})
	res, body := get(t, s.URL+"/console/datasets/public-toilets/toilets/profile?lang=en")
	if res.StatusCode != http.StatusInternalServerError || strings.Contains(body, "fire") || strings.Contains(body, "secret") {
		t.Errorf("status %d, body %q", res.StatusCode, body)
	}
	if !regexp.MustCompile(`<code>[A-Z2-7]{26}</code>`).MatchString(body) {
		t.Error("the page doesn't show the error's number")
	}
}

func TestAddressesThatLeadNowhereAre404(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	s := serve(t, c)
	for _, path := range []string{
		"/nowhere", "/console/nowhere", "/console/terms/nope", "/console/datasets/a/b", "/console/projects/%3Cscript%3E", "/console/revisions/99", "/console/revisions/x",
		"/console/revisions/-1", "/console/agencies/nope", "/console/parameters/nope", "/console/datasets/nope/nope/profile", "/assets/../web.go", "/assets/manifest.json", "/assets/",
	} {
		res, body := get(t, s.URL+path)
		if res.StatusCode != http.StatusNotFound && res.StatusCode != http.StatusMovedPermanently && res.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("%s: status %d", path, res.StatusCode)
		}
		if strings.Contains(body, "<script>") {
			t.Errorf("%s: what was in the address is in the page", path)
		}
	}
}

func TestTheLanguageIsTheChosenOneThenTheBrowsers(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	s := serve(t, c)
	for _, x := range []struct{ path, accept, cookie, want string }{
		{"/console", "", "", "ko"},
		{"/console", "en-GB,en;q=0.9,ko;q=0.5", "", "en"},
		{"/console", "fr, ko;q=0.8", "", "ko"},
		{"/console?lang=en", "ko", "", "en"},
		{"/console", "en", "maru_lang=ko", "ko"},
		{"/console?lang=en", "ko", "maru_lang=ko", "en"},
	} {
		header := []string{"Accept-Language", x.accept}
		if x.cookie != "" {
			header = append(header, "Cookie", x.cookie)
		}
		res, body := get(t, s.URL+x.path, header...)
		if !strings.Contains(body, `<html lang="`+x.want+`"`) {
			t.Errorf("%+v: the page is in another language", x)
		}
		if strings.Contains(x.path, "lang=") != (res.Header.Get("Set-Cookie") != "") {
			t.Errorf("%+v: cookie %q", x, res.Header.Get("Set-Cookie"))
		}
	}
}

func TestPagesNameNoOtherServerAndHoldNoScriptOrStyle(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	whose := servers(t, c)
	outside := regexp.MustCompile(`(?:src|href|action|hx-get)="(?:https?:)?//`)
	inside := regexp.MustCompile(`<script[^>]*>[^<]|<style|\sstyle="|\son[a-z]+="|javascript:`)
	data := regexp.MustCompile(`<script type="application/ld\+json">[^<]*</script>`) // no script: browsers don't run it, and the policy says nothing of it
	for _, p := range pages {
		res, body := get(t, whose(p.path)+p.path)
		if m := outside.FindString(body); m != "" {
			t.Errorf("%s names another server: %s", p.path, m)
		}
		if m := inside.FindString(data.ReplaceAllString(body, "")); m != "" {
			t.Errorf("%s has something written into it that its policy refuses: %s", p.path, m)
		}
		if got := res.Header.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self'") {
			t.Errorf("%s: policy %q", p.path, got)
		}
	}
}

func TestEveryInternalLinkOfEveryPageLeadsSomewhere(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	whose := servers(t, c)
	links, seen := regexp.MustCompile(`href="(/[^"#]*)`), map[string]bool{}
	for _, p := range pages {
		url := whose(p.path)
		res, body := get(t, url+p.path)
		if res.StatusCode == http.StatusNotFound {
			continue // its language links lead to itself
		}
		for _, m := range links.FindAllStringSubmatch(body, -1) {
			path := strings.ReplaceAll(m[1], "&amp;", "&")
			if seen[url+path] || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/sign-") || strings.HasPrefix(path, "/data/") && strings.Contains(path, ".json") {
				continue // the gate, which answers /sign-, stands before this handler, and the outlets, which describe datasets, beside it
			}
			seen[url+path] = true
			if res, _ := get(t, url+path); res.StatusCode != http.StatusOK {
				t.Errorf("%s on %s: status %d", path, p.path, res.StatusCode)
			}
		}
	}
	t.Logf("%d links", len(seen))
}

// vocabulary is a project with a vocabulary of n terms.
func vocabulary(n int) map[string]string {
	var table strings.Builder
	table.WriteString("name,title,type\n")
	for i := range n {
		fmt.Fprintf(&table, "term-%d,용어 %d,string\n", i, i)
	}
	return map[string]string{
		"words.csv": table.String(),
		"words.yaml": "kind: Project\nname: words\ntitle: 용어집\n---\nkind: Vocabulary\nname: many\ntitle: 많은 용어\nfile: words.csv\n" +
			"map: {name: name, title: title, type: type}\n",
	}
}

func TestThousandsOfTermsArePagedWithoutLossAndBounded(t *testing.T) {
	webtest.Assets(t)
	const n = 13_171 // as many as the government's common standard has
	c := empty(t)
	apply(t, c, vocabulary(n), "용어")
	s := serve(t, c)
	next := regexp.MustCompile(`rel="next" href="([^"]*)"`)
	term := regexp.MustCompile(`/console/terms/(term-[0-9]+)"`)
	seen, path := map[string]bool{}, "/console/terms"
	for path != "" {
		_, body := get(t, s.URL+path)
		if len(body) > 200_000 {
			t.Fatalf("%s has %d bytes", path, len(body))
		}
		for _, m := range term.FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Fatalf("%s is shown twice", m[1])
			}
			seen[m[1]] = true
		}
		m := next.FindStringSubmatch(body)
		if path = ""; m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d terms were shown", len(seen), n)
	}
	if _, body := get(t, s.URL+"/console/terms?q="+url.QueryEscape("용어12345")); !strings.Contains(body, "/console/terms/term-12345\"") {
		t.Error("a term isn't found by its title without the space")
	}
}

func TestTheGovernmentsTermsAreFoundWhateverTheSpacing(t *testing.T) {
	webtest.Assets(t)
	const file = "../../shared/data/standard_terms_2025_11.csv"
	table, err := os.ReadFile(file)
	if err != nil {
		t.Skipf("the real data isn't here: %v", err)
	}
	c := empty(t)
	apply(t, c, map[string]string{
		"terms.csv": string(table),
		"terms.yaml": "kind: Project\nname: words\ntitle: 용어집\n---\nkind: Vocabulary\nname: common\ntitle: 공통표준용어\nfile: terms.csv\n" +
			"map: {용어명: title, 물리명: abbreviation, 도메인: domain, 데이터타입: type, 코드명: code_system, 정의: definition, 요청업무: edition}\n",
	}, "공통표준용어")
	s := serve(t, c)
	first := regexp.MustCompile(`(?s)<tbody>.*?<a [^>]*>\s*(.*?)\s*</a>`)
	for query, want := range map[string]string{"주민 등록 번호": "주민등록번호", "가구소득": "", "JOIN_YMD": "가입일자", "없는말없는말": ""} {
		start := time.Now()
		_, body := get(t, s.URL+"/console/terms?q="+url.QueryEscape(query))
		t.Logf("%s: %s", query, time.Since(start).Round(time.Millisecond))
		m := first.FindStringSubmatch(body)
		if want != "" && (m == nil || m[1] != want) {
			t.Errorf("%s: the first term found is %q, want %s", query, m, want)
		}
	}
}

func TestExamplesOfEmptyPagesAreRightManifests(t *testing.T) {
	webtest.Assets(t)
	s := serve(t, empty(t))
	example, tags := regexp.MustCompile(`(?s)<code id="how-[a-z]+" lang="ko">(.*?)</code>`), regexp.MustCompile(`<[^>]*>`)
	found := 0
	for _, path := range []string{"/console/agencies", "/console/projects", "/console/terms", "/console/parameters"} {
		_, body := get(t, s.URL+path)
		for _, m := range example.FindAllStringSubmatch(body, -1) {
			found++
			text := html.UnescapeString(tags.ReplaceAllString(m[1], ""))
			_, findings := manifest.Parse(map[string]string{"example.yaml": text, "standard_terms.csv": "용어명,물리명,도메인,정의\n가입일자,JOIN_YMD,연월일C8,가입한 날\n"}, nil)
			for _, f := range findings {
				t.Errorf("%s: %s", path, f)
			}
		}
	}
	if found != 4 {
		t.Errorf("%d examples were found", found)
	}
}

func TestTheExampleFilterOfEveryDatasetIsARightRule(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	s := serve(t, c)
	example := regexp.MustCompile(`--data-urlencode &#39;filter=(.*?)&#39;</code>`)
	for _, d := range c.Snapshot().Datasets() {
		_, body := get(t, s.URL+"/console/datasets/"+d.Path()+"?tab=api")
		m := example.FindStringSubmatch(body)
		if m == nil {
			t.Errorf("%s: no example", d.Path())
			continue
		}
		var fields []rule.Field
		for _, f := range d.Fields {
			fields = append(fields, rule.Field{Name: f.Name, Type: f.Type, Nullable: !f.Required})
		}
		env, err := rule.NewEnv(fields, rule.Options{Guarded: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := env.Compile(html.UnescapeString(m[1])); err != nil {
			t.Errorf("%s: %s: %v", d.Path(), m[1], err)
		}
	}
}

func TestThePortalListsOpenDataOnly(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	s := serve(t, c)
	_, body := get(t, s.URL+"/", "Accept-Language", "en")
	for _, d := range c.Snapshot().Datasets() {
		listed := strings.Contains(body, "/data/"+d.Path()+"\"")
		if listed != d.Open() {
			t.Errorf("%s: listed %v, open %v", d.Path(), listed, d.Open())
		}
	}
	if _, body := get(t, s.URL+"/?q="+url.QueryEscape("공중 화장실")); !strings.Contains(body, "/data/public-toilets/toilets\"") || strings.Contains(body, "/data/culture/") {
		t.Error("a search with other spacing doesn't find the toilets alone")
	}
	for query, want := range map[string]string{"월세": "/services/youth-housing/youth-rent", "rent": "/services/youth-housing/youth-rent", "월새": "‘월새’에 맞는 것이 없어 ‘월세’", "출산": "/life/birth", "dnjftp": "/services/youth-housing/youth-rent", "화쟝실": "/data/public-toilets/toilets"} {
		finds := false
		for range 200 { // slips of the pen are known once the dictionary is loaded, which the first search begins
			_, body := get(t, s.URL+"/?q="+url.QueryEscape(query))
			if finds = strings.Contains(body, want); finds {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if !finds {
			t.Errorf("%s doesn't find %s", query, want)
		}
	}
	if _, body := get(t, s.URL+"/?q="+url.QueryEscape("주민")); !strings.Contains(body, "아직 공개되지 않은 자료") || strings.Contains(strings.Split(body, "아직 공개되지 않은 자료")[0], "resident-registry") {
		t.Error("a dataset that isn't open stands among those that are")
	}
}

func TestAVeryLongManifestIsShownInPart(t *testing.T) {
	webtest.Assets(t)
	c := empty(t)
	var codes strings.Builder
	for i := range 5_000 {
		fmt.Fprintf(&codes, "  c%05d: 이름 %d\n", i, i)
	}
	apply(t, c, map[string]string{"p.yaml": "kind: Project\nname: p\ntitle: 사업\n---\nkind: Term\nname: long\ntitle: 긴 용어\ntype: string\ncodes:\n" + codes.String()}, "")
	s := serve(t, c)
	if _, body := get(t, s.URL+"/console/terms/long"); len(body) > 500_000 || !strings.Contains(body, "maru get") {
		t.Errorf("the page has %d bytes", len(body))
	}
}

func TestPagesAreCompressedForThoseWhoTakeIt(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	s := serve(t, c)
	_, plain := get(t, s.URL+"/console/terms", "Accept-Encoding", "identity")
	res, packed := get(t, s.URL+"/console/terms", "Accept-Encoding", "gzip")
	if res.Header.Get("Content-Encoding") != "gzip" || len(packed)*3 > len(plain) {
		t.Fatalf("%d of %d bytes were sent, encoding %q", len(packed), len(plain), res.Header.Get("Content-Encoding"))
	}
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != plain {
		t.Errorf("the compressed page is another one: %v", err)
	}
}

func TestATermFoundByASynonymSaysSo(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	s := serve(t, c)
	if _, body := get(t, s.URL+"/console/terms?q="+url.QueryEscape("시군구 코드"), "Accept-Language", "ko"); !strings.Contains(body, "/console/terms/district\"") || !strings.Contains(body, "동의어:") {
		t.Error("the district isn't found by its synonym, or the page doesn't say by which")
	}
}

func TestPagesOnlyRead(t *testing.T) {
	webtest.Assets(t)
	c := demo(t)
	s := serve(t, c)
	res, err := client.Post(s.URL+"/console", "text/plain", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed || res.Header.Get("Allow") == "" {
		t.Errorf("POST: status %d", res.StatusCode)
	}
}

// FuzzAddresses asks for pages with any query: whatever it holds, the answer is a page.
func FuzzAddresses(f *testing.F) {
	webtest.Assets(f)
	c := demo(f)
	h := handler(c, c.registry, keeper)
	for i, p := range pages {
		_, query, _ := strings.Cut(p.path, "?")
		f.Add(uint(i), query)
	}
	f.Add(uint(3), "q=%00%ff&after=\"><script>&lang=xx&tab=../..&before=-9223372036854775808")
	f.Add(uint(19), "before=99999999999999999999&class=public'--&owner=none")
	f.Fuzz(func(t *testing.T, i uint, query string) {
		path, _, _ := strings.Cut(pages[i%uint(len(pages))].path, "?")
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.Path, r.URL.RawQuery = path, query
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(w.Body.String(), "<script>") {
			t.Errorf("%s?%s: status %d", path, query, w.Code)
		}
	})
}
