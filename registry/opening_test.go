package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

const openPeople = `kind: Dataset
name: survey
title: 조사
key: [no]
fields:
  no:       {type: int, class: %[1]s}
  sex:      {type: string, title: {ko: 성별}, class: public}
  age:      {type: string, title: {ko: 연령대}, class: public}
  district: {type: string, title: {ko: 자치구}, class: public}
  answer:   {type: string, title: {ko: 응답}, class: public%[2]s}
source: {file: survey.csv}
`

// surveyed are answers of people, each of the groups so many times.
func surveyed(each int, answer func(n int) string) string {
	var b strings.Builder
	b.WriteString("no,sex,age,district,answer\n")
	n := 0
	for _, sex := range []string{"남", "여"} {
		for _, age := range []string{"20대", "30대"} {
			for range each {
				n++
				fmt.Fprintf(&b, "%d,%s,%s,종로구,%s\n", n, sex, age, answer(n))
			}
		}
	}
	return b.String()
}

func agreeable(int) string { return "찬성" }

func TestWhatComesIntoAnOpenDatasetIsLookedAt(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		d := r.apply(t, fmt.Sprintf(openPeople, "public", ""))
		take := func(text string) (*Import, string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(folder, "survey.csv"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			i, _ := r.read(t, from)
			if i == nil {
				t.Fatal("no import")
			}
			return i, i.Reason.En
		}
		for what, text := range map[string]string{
			"mobile phone":           surveyed(8, func(n int) string { return fmt.Sprintf("010-2345-%04d", n) }),
			"e-mail":                 surveyed(8, func(n int) string { return fmt.Sprintf("a%d@example.kr", n) }),
			"fewer than 5":           surveyed(3, agreeable),
			"fewer than 5 are alike": surveyed(3, agreeable) + strings.SplitN(surveyed(3, agreeable), "\n", 2)[1], // the same people twice
		} {
			if i, reason := take(text); i.State != Failed || !strings.Contains(reason, what) || r.counted(t, d) != 0 {
				t.Errorf("%s: %s %s", what, i.State, reason)
			}
		}
		if i, reason := take(surveyed(6, func(n int) string {
			return map[bool]string{true: "900101-1234568", false: "찬성"}[n == 3]
		})); i.State != Done || i.Loaded != 23 || i.Rejected != 1 {
			t.Errorf("a resident's number: %+v %s", i.Tally, reason)
		}
		p, err := r.Profile(t.Context(), d)
		if err != nil || p.Opening == nil || p.Opening.K != 5 || len(p.Opening.Found) != 0 || strings.Join(p.Opening.Traits, " ") != "sex age district" {
			t.Errorf("%+v %v", p.Opening, err)
		}
		for _, answer := range []string{"010-2345-6789", "someone@example.kr"} {
			if _, err := r.Create(t.Context(), By{Actor: "clerk", Via: "api"}, d, Values{"no": json.Number("901"), "sex": "남", "answer": answer}); problem.Code(err) != "record.invalid" {
				t.Errorf("%s by hand: %v", answer, err)
			}
		}
		if _, err := r.Create(t.Context(), By{Actor: "clerk", Via: "api"}, d, Values{"no": json.Number("9001011234568"), "sex": "남"}); problem.Code(err) != "record.invalid" {
			t.Errorf("a resident's number as a number: %v", err)
		}
		if _, err := r.Create(t.Context(), By{Actor: "clerk", Via: "api"}, d, Values{"no": json.Number("900"), "sex": "남", "answer": "제 번호는 900101-1234568 입니다"}); !strings.Contains(fmt.Sprint(problem.As(err).At), "record.personal") {
			t.Errorf("written by hand: %v", err)
		}
	})
}

func TestADatasetIsntOpenedWithPersonalValues(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		from, folder := sources(t)
		if err := os.WriteFile(filepath.Join(folder, "survey.csv"), []byte(surveyed(6, func(n int) string { return fmt.Sprintf("010-2345-%04d", n) })), 0o600); err != nil {
			t.Fatal(err)
		}
		r.apply(t, fmt.Sprintf(openPeople, "internal", ""))
		if i, _ := r.read(t, from); i.State != Done || i.Loaded != 24 {
			t.Fatalf("%+v", i)
		}
		if codes := r.try(t, fmt.Sprintf(openPeople, "public", ""), false); !slices.Contains(codes, "open.personal") {
			t.Errorf("opened: %s", codes)
		}
		d := r.apply(t, fmt.Sprintf(openPeople, "public", ", basis: 공공데이터법 제17조"))
		if p, err := r.Profile(t.Context(), d); err != nil || p.Opening.Based["answer"] != "공공데이터법 제17조" {
			t.Errorf("on a legal ground: %+v %v", p.Opening, err)
		}
	})
}

func TestTablesOfGroupsArentTakenForPersons(t *testing.T) {
	for _, c := range []struct {
		fields string
		traits string
	}{
		{"성별 연령대 자치구 인구수:int", ""},
		{"성별 연령대 자치구 응답", "성별 연령대 자치구"},
		{"시설명 자치구 전화", ""},
		{"자치구 성별 응시율:double", ""},
		{"출생연도 직업 만족도", "출생연도 직업"},
	} {
		d := &catalog.Dataset{Spec: &manifest.Dataset{}}
		for i, name := range strings.Fields(c.fields) {
			title, typ, _ := strings.Cut(name, ":")
			f := catalog.Field{}
			f.Name, f.Title.Ko, f.Type = fmt.Sprintf("f%d", i), title, "string"
			if typ != "" {
				f.Type = map[string]manifest.Type{"int": "int", "double": "double"}[typ]
			}
			d.Fields = append(d.Fields, f)
		}
		var got []string
		o := newOpening(d)
		for n := range int64(20) {
			values := make([]any, len(d.Fields))
			for i := range d.Fields {
				switch d.Fields[i].Type {
				case manifest.Int:
					values[i] = n + 7
				case manifest.Double:
					values[i] = float64(n) + 0.5
				default:
					values[i] = "값"
				}
			}
			o.add(values)
		}
		for _, name := range o.end(nil).Traits {
			got = append(got, d.Field(name).Title.Ko)
		}
		if strings.Join(got, " ") != c.traits {
			t.Errorf("%s: %v", c.fields, got)
		}
	}
}

func TestAWorkbookThatIsGivenUpLeavesNothing(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, "kind: Dataset\nname: n\ntitle: 수\nkey: [no]\nfields:\n  no: {type: int, class: public}\n  text: {type: string, class: public}\n")
		_, err := r.Load(t.Context(), By{Actor: "test", Via: "test"}, d, "test", []string{"no", "text"}, func(yield func([]any) bool) {
			for i := range int64(60_000) {
				if !yield([]any{i, strings.Repeat("가나다", 100) + fmt.Sprint(i)}) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		form, _ := FormNamed("xlsx")
		fields, err := r.Check(d, Query{})
		if err != nil {
			t.Fatal(err)
		}
		out := form.write(io.Discard, fields)
		n := 0
		err = r.Stream(t.Context(), d, Query{}, func(rec *Record) error {
			if n++; n > 50_000 {
				return errors.New("the client went away")
			}
			return out.Write(rec)
		})
		if err == nil {
			t.Fatal("it went on")
		}
		abort(out)
		left, err := os.ReadDir(os.Getenv("TMPDIR"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range left {
			if strings.Contains(f.Name(), "excelize") {
				t.Errorf("%s is left", f.Name())
			}
		}
	})
}
