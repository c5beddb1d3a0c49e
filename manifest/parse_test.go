package manifest_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

const project = "kind: Project\nname: p\ntitle: 사업\n"

func TestEveryFaultAtOnceWithItsPlace(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"unknown field has the nearest name", "kind: Term\nname: x\ntitle: 용어\ntype: string\nlenght: 5\n", "f.yaml:5:1 manifest.unknown_field did you mean length?"},
		{"unknown kind has the nearest name", "kind: Datset\nname: x\n", "f.yaml:1:7 manifest.kind did you mean Dataset?"},
		{"unknown value has the nearest", "kind: Term\nname: x\ntitle: 용어\ntype: strng\n", "f.yaml:4:7 manifest.value did you mean string? (one of: string, int, double, bool, date, datetime, geometry)"},
		{"missing field", "kind: Term\nname: x\ntype: string\n", "f.yaml:1:1 manifest.missing add title: …"},
		{"bad name", "kind: Term\nname: 나\ntitle: 용어\ntype: int\n", "f.yaml:2:7 manifest.name"},
		{"bad field name", "kind: Dataset\nname: x\ntitle: d\nfields:\n  A: {type: int}\n", "f.yaml:5:3 manifest.name"},
		{"key that is no field", "kind: Dataset\nname: x\ntitle: d\nkey: [ide]\nfields:\n  id: {type: int}\n", "f.yaml:4:7 manifest.field did you mean id?"},
		{"a constraint on the wrong type", "kind: Term\nname: x\ntitle: 용어\ntype: int\nlength: 4\n", "f.yaml:5:9 manifest.constraint"},
		{"bad pattern", "kind: Term\nname: x\ntitle: 용어\ntype: string\npattern: '['\n", "f.yaml:5:10 manifest.pattern"},
		{"not YAML", "kind: Term\nname: [x\n", "manifest.yaml"},
		{"merge keys", "kind: Term\nname: x\ntitle: t\ntype: int\n<<: {a: 1}\n", "f.yaml:5:1 manifest.merge"},
		{"aliases", "kind: Term\nname: x\ntitle: &a 용어\ntype: *a\n", "f.yaml:3:8 manifest.shape"},
		{"a list where text belongs", "kind: Term\nname: x\ntitle: 용어\ntype: [int]\n", "f.yaml:4:7 manifest.shape"},
		{"a date that isn't one", "kind: Agency\nname: x\ntitle: 용어\nfrom: 2026-02-30\n", "f.yaml:4:7 manifest.date"},
		{"twice", "kind: Agency\nname: x\ntitle: a\n---\nkind: Agency\nname: x\ntitle: b\n", "f.yaml:6:7 manifest.twice"},
		{"key twice in a document", "kind: Agency\nname: x\nname: y\ntitle: a\n", "manifest.yaml"},
		{"pilot without owner", "kind: Project\nname: q\ntitle: a\nlifecycle: pilot\n", "f.yaml:4:12 project.owner"},
		{"secret in an address", "kind: Dataset\nname: x\ntitle: d\nfields: {a: {type: int}}\nsource: {http: 'https://u:p@h/'}\n", "f.yaml:5:16 source.secret"},
		{"schedule", "kind: Dataset\nname: x\ntitle: d\nfields: {a: {type: int}}\nsource: {file: a.csv, schedule: hourly}\n", "f.yaml:5:33 source.schedule"},
		{"path outside", "kind: Dataset\nname: x\ntitle: d\nfields: {a: {type: int}}\nsource: {file: ../a.csv}\n", "f.yaml:5:16 manifest.path"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			files := map[string]string{"f.yaml": c.text}
			if !strings.Contains(c.text, "kind: Project") {
				files["p.yaml"] = project
			}
			_, findings := manifest.Parse(files, nil)
			var all []string
			for _, f := range findings {
				s := f.Pos.String() + " " + f.Code + " " + f.Hint.In(lang.En)
				all = append(all, s)
				if strings.Contains(s, c.want) {
					return
				}
			}
			t.Errorf("no finding %q among\n%s", c.want, strings.Join(all, "\n"))
		})
	}
}

func TestFaultsOfAllDocumentsAreSaid(t *testing.T) {
	_, findings := manifest.Parse(map[string]string{"p.yaml": project, "f.yaml": "kind: Term\nname: A\nbad: 1\n---\nkind: Nope\n---\nname: [x\n---\nkind: Agency\nname: x\n"}, nil)
	codes := map[string]bool{}
	for _, f := range findings {
		codes[f.Code] = true
	}
	for _, want := range []string{"manifest.name", "manifest.unknown_field", "manifest.kind", "manifest.yaml", "manifest.missing"} {
		if !codes[want] {
			t.Errorf("no %s among %v", want, findings)
		}
	}
}

func TestHomeIsTheNearestProject(t *testing.T) {
	set, findings := manifest.Parse(map[string]string{
		"a/project.yaml":   "kind: Project\nname: a\ntitle: A\n",
		"a/b/project.yaml": "kind: Project\nname: b\ntitle: B\n",
		"a/x/d.yaml":       "kind: Dataset\nname: d\ntitle: D\nfields: {n: {type: int}}\n",
		"a/b/c/d.yaml":     "kind: Dataset\nname: d\ntitle: D\nfields: {n: {type: int}}\n",
		"d.yaml":           "kind: Agency\nname: lost\ntitle: D\n",
	}, nil)
	got := map[string]string{}
	for _, r := range set.Resources {
		got[r.Key.String()] = r.Home
	}
	for key, home := range map[string]string{"Dataset a/d": "a", "Dataset b/d": "b", "Agency lost": "", "Project b": "b"} {
		if got[key] != home {
			t.Errorf("home of %s is %q, not %q", key, got[key], home)
		}
	}
	if len(findings) != 1 || findings[0].Code != "manifest.home" {
		t.Errorf("findings: %v", findings)
	}
}

func TestValuesKeepTheirText(t *testing.T) {
	set, findings := manifest.Parse(map[string]string{"p.yaml": project, "f.yaml": `
kind: Term
name: code
title: {ko: 코드, en: Code}
type: string
unit: no
codes: {0110: 영일, "1": {ko: 하나, en: One}, y: 예}
max: 1_000
`}, nil)
	if len(findings) != 1 || findings[0].Code != "manifest.constraint" {
		t.Fatalf("findings: %v", findings)
	}
	term := set.Resources[0].Spec.(*manifest.Term)
	if term.Unit != "no" || term.Codes[0].Code != "0110" || term.Codes[2].Code != "y" || term.Codes[1].Name.En != "One" || *term.Max != 1000 {
		t.Errorf("read as %+v", term)
	}
}

func TestTypeParse(t *testing.T) {
	cases := []struct {
		typ  manifest.Type
		text string
		want any
		ok   bool
	}{
		{manifest.Int, " 1,234 ", int64(1234), true},
		{manifest.Int, "1991.0", int64(1991), true},
		{manifest.Int, "12,34", nil, false},
		{manifest.Int, "1,234,567", int64(1234567), true},
		{manifest.Int, "1.5", nil, false},
		{manifest.Int, "-3", int64(-3), true},
		{manifest.Int, "9223372036854775808", nil, false},
		{manifest.Int, ".0", nil, false},
		{manifest.Double, "1,234.5", 1234.5, true},
		{manifest.Double, "NaN", nil, false},
		{manifest.Double, "0x10", nil, false},
		{manifest.Double, "1e400", nil, false},
		{manifest.Date, "2023.5.11", "2023-05-11", true},
		{manifest.Date, "2023. 5. 11.", "2023-05-11", true},
		{manifest.Date, "20230520", "2023-05-20", true},
		{manifest.Date, "2023/05/20", "2023-05-20", true},
		{manifest.Date, "2023년 5월 20일", "2023-05-20", true},
		{manifest.Date, "2023-02-29", nil, false},
		{manifest.Date, "2023-05-09~2023-05-26", nil, false},
		{manifest.Date, "2022-07-01 00:00:00", "2022-07-01", true},
		{manifest.Date, "2022-07-01 10:00:00", nil, false},
		{manifest.Date, "1968.9.10", "1968-09-10", true},
		{manifest.Date, "201901", nil, false},
		{manifest.Datetime, "2017-09-01 00:00:34", "2017-08-31T15:00:34.000Z", true},
		{manifest.Datetime, "202607201300", "2026-07-20T04:00:00.000Z", true},
		{manifest.Datetime, "2026-07-20T13:00:00+09:00", "2026-07-20T04:00:00.000Z", true},
		{manifest.Bool, "Y", true, true},
		{manifest.Bool, "아니오", false, true},
		{manifest.Bool, "무료", nil, false},
		{manifest.Geometry, `{"type":"Point","coordinates":[1,2]}`, `{"type":"Point","coordinates":[1,2]}`, true},
		{manifest.Geometry, `{"type":"Dot"}`, nil, false},
		{manifest.String, "  ", nil, true},
	}
	for _, c := range cases {
		got, ok := c.typ.Parse(c.text)
		if ok != c.ok || (ok && got != c.want) {
			t.Errorf("%s of %q: %v, %v; want %v, %v", c.typ, c.text, got, ok, c.want, c.ok)
		}
	}
}

func TestVocabularyLeavesOutWhatCanBeNoTerm(t *testing.T) {
	set, findings := manifest.Parse(map[string]string{
		"p.yaml": project,
		"v.yaml": "kind: Vocabulary\nname: v\ntitle: 공통표준용어\nfile: t.csv\nmap: {용어명: title, 물리명: abbreviation, 도메인: domain, 데이터타입: type, 요청업무: edition}\n",
		"t.csv":  "용어명,물리명,도메인,데이터타입,요청업무\n가입일자,JOIN_YMD,연월일C8,CHAR(8),8차\n섭취량,SGLDS,\"수N15,4\",\"NUMBER(15,4)\",8차\n옛말,OLD,명V100,VARCHAR(100),3차 폐기\n섭취량,SGLDS,\"수N15,4\",\"NUMBER(15)\",8차\n나쁨,,명V100,VARCHAR(100),1차\n여부,USE_YN,여부C1,CHAR(1),1차\n",
	}, nil)
	for _, f := range findings {
		if f.Severity == manifest.Error {
			t.Errorf("%v", f)
		}
	}
	var r *manifest.Resource
	for _, x := range set.Resources {
		if x.Kind == "Vocabulary" {
			r = x
		}
	}
	entries, findings := r.Spec.(*manifest.Vocabulary).Terms(r)
	want := map[string]manifest.Type{"join-ymd": manifest.Date, "sglds": manifest.Int, "use-yn": manifest.Bool}
	if len(entries) != len(want) || len(findings) != 3 {
		t.Fatalf("%d entries, findings %v", len(entries), findings)
	}
	for _, e := range entries {
		if e.Term.Type != want[e.Name] {
			t.Errorf("%s is %s", e.Name, e.Term.Type)
		}
	}
}

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"titel": "title", "ttle": "title", "zebra": "", "owenr": "owner"} {
		if got := manifest.Nearest(word, []string{"title", "owner", "budget"}); got != want {
			t.Errorf("nearest of %s is %q, not %q", word, got, want)
		}
	}
}

func TestADocumentOfTooManyNamesIsRefusedAtOnce(t *testing.T) {
	var b strings.Builder
	b.WriteString("kind: Term\nname: many\ntitle: t\ntype: string\ncodes:\n")
	for i := range 200_000 {
		fmt.Fprintf(&b, "  c%d: x\n", i)
	}
	began := time.Now()
	_, findings := manifest.Parse(map[string]string{"a.yaml": b.String()}, nil)
	if len(findings) != 1 || findings[0].Code != "manifest.large" {
		t.Errorf("%+v", findings)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestNestingIsCountedBeforeItIsBuilt(t *testing.T) {
	for name, text := range map[string]string{
		"brackets": "x: " + strings.Repeat("[", 50_000), "lists in a line": "x:\n" + strings.Repeat("- ", 50_000), "keys in a line": strings.Repeat("? ", 50_000),
		"indentation": func() string {
			var b strings.Builder
			for i := range 2_000 {
				b.WriteString(strings.Repeat(" ", i) + "-\n")
			}
			return b.String()
		}(),
	} {
		_, findings := manifest.ParseDocument("a.yaml", "kind: Dataset\nname: a\n"+text)
		if len(findings) != 1 || findings[0].Code != "manifest.depth" {
			t.Errorf("%s: %v", name, findings)
		}
	}
	if _, findings := manifest.ParseDocument("a.yaml", "kind: Term\nname: a\ntype: string\ntitle: '"+strings.Repeat("[", 200)+"'\n"); len(findings) > 0 {
		t.Errorf("a text with brackets: %v", findings)
	}
}
