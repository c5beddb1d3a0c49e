package infer_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/maru-city/maru/infer"
	"github.com/maru-city/maru/manifest"
)

// TestContactsInAllTheirForms: numbers as people write them, and what only looks like one. The people are made up.
func TestContactsInAllTheirForms(t *testing.T) {
	for _, v := range []string{
		"010-1234-0101", "01012340101", "연락 01012340101 입니다", "연락 010-12340101", "(010)1234-0101", "010–1234–0101", "０１０－１２３４－０１０１", "김철수(01012345678)", "+82(0)10-1234-5678",
		"연락 010 - 1234 - 5678", "010.1234.5678", "010\u200b-1234-5678", "kim＠naver.com", "메일은 kim@naver.com", strings.Repeat("가", 5000) + " 010-1234-5678", "+82 10 1234 5678", "821012345678", "010·1234·5678", "010ㅡ1234ㅡ5678", "010,1234,5678", "010(1234)5678", "010\t1234\t5678", "010•1234•5678", "[010]1234-5678", "010;1234;5678", "010-12-345-678", "kim @ naver.com",
	} {
		if !infer.Reaches(v) {
			t.Errorf("%.60q isn't seen", v)
		}
	}
	for _, v := range []string{"", "02-120", "02-2133-1234", "2010-1234-5678", "1168010100", "2026-11-28", "20261128", "minwon@seoul.go.kr", "1,010,123,456원", "8801062518210", "서울 010", "01.01.2020 12:34", "01-01-2020", "0101-2020-1234-567"} {
		if infer.Reaches(v) {
			t.Errorf("%q is taken for somebody's", v)
		}
	}
}

func TestResidentNumbersInAllTheirForms(t *testing.T) {
	for _, c := range []struct {
		name, v string
		want    bool
	}{
		{"답변", "900101-1234568", true},
		{"답변", "주민 900101-1234568 임", true},
		{"답변", "900101 - 1234568", true},
		{"답변", "９００１０１－１２３４５６８", true},
		{"답변", "주민 9001011234101", true}, // since October 2020 the check digit says nothing
		{"주민등록번호", "9001011234101", true},
		{"답변", "번호 9001011234568", true}, // its check digit is right
		{"주민번호", "900101.1234101", true},
		{"주민번호", "900101·1234101", true},
		{"주민번호", "(900101)1234101", true},
		{"상품", "8801062518210", false}, // a bar code
		{"법인등록번호", "110111-1234568", false},
		{"답변", "991332-1234568", false}, // no such day
		{"답변", "1234567890123456789", false},
		{"주민번호", "19900101-1234101", true},
		{"답변", "900101\t1234568", true},
		{"접수번호", "240315-3000123", false},
		{"접수번호", "900101-1234568", true}, // its check digit is right
		{"이미지", "https://img.example/9001011234568.jpg", false},
		{"이미지", "https://img.example/?jumin=주민9001011234568", true},
	} {
		if got := infer.Identifies(c.name, c.v); got != c.want {
			t.Errorf("%s %q: %v", c.name, c.v, got)
		}
	}
}

// What a table's own definition says counts, not what a few values look like: text without a bound has none, and digits in a column of text are text.
func TestTheTablesDefinitionCounts(t *testing.T) {
	in := infer.Input{
		File: "shops", Columns: []string{"no", "note", "seats"}, Key: []string{"no"}, Source: manifest.Source{Database: "mysql://u@h/d", Table: "shops"},
		Longest: map[string]int{"seats": 8}, Whole: map[string]bool{"no": true},
		Rows: func(yield func(infer.Row, error) bool) {
			for n := range 50 {
				if !yield(infer.Row{Line: n + 2, Cells: []string{fmt.Sprint(n), fmt.Sprintf("메모 %d", n), fmt.Sprintf("%d", 10_000_000+n)}}, nil) {
					return
				}
			}
		},
	}
	d, err := infer.From(in, infer.Options{})
	if err != nil {
		t.Fatal(err)
	}
	note, code := d.Dataset.Fields[1], d.Dataset.Fields[2]
	if note.Length != 0 || code.Type != manifest.String || code.Length != 8 {
		t.Errorf("%+v %+v", note, code)
	}
	in.Longest, in.Whole, in.Source = nil, nil, manifest.Source{}
	if d, err = infer.From(in, infer.Options{}); err != nil || d.Dataset.Fields[1].Length == 0 || d.Dataset.Fields[2].Type != manifest.Int {
		t.Errorf("of a file: %+v %v", d.Dataset.Fields, err)
	}
}

// A table that is small is read whole each time, so that deletions come at once; in each case the draft says what since would mean.
func TestSinceIsDraftedForLargeTablesOnly(t *testing.T) {
	for rows, want := range map[int]string{500: "", 100_001: "upd_dt"} {
		d, err := infer.From(infer.Input{File: "shops", Columns: []string{"no", "upd_dt"}, Key: []string{"no"}, Source: manifest.Source{Database: "mysql://u@h/d", Table: "shops"}, Rows: func(yield func(infer.Row, error) bool) {
			for n := range rows {
				if !yield(infer.Row{Line: n + 2, Cells: []string{fmt.Sprint(n), "2026-11-28 09:00:00"}}, nil) {
					return
				}
			}
		}}, infer.Options{})
		if err != nil {
			t.Fatal(err)
		}
		said := slices.ContainsFunc(d.Doubts, func(x infer.Doubt) bool { return x.Code == "since" })
		if d.Dataset.Source.Since != want || !said {
			t.Errorf("%d rows: since %q, said %v", rows, d.Dataset.Source.Since, said)
		}
	}
}

// TestWhatCountsPersonsIsNoneOfTheirTraits reads names of real tables.
func TestWhatCountsPersonsIsNoneOfTheirTraits(t *testing.T) {
	for name, want := range map[string]infer.Trait{
		"공장사무직종업원수": infer.Measure, "근로자수": infer.Measure, "확진자수": infer.Measure, "남자수": infer.Measure, "조출생률_천명당": infer.Sum, "직종": infer.OwnTrait, "직종코드": infer.OwnTrait, "성별": infer.OwnTrait,
	} {
		if got := infer.TraitOf(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
