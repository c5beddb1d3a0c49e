package infer

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// FuzzDraft makes a table of arbitrary text: lines are rows, the first the header, | is between cells. A draft never
// panics, its manifest has no fault, and every row it promised to load has values its fields' types read.
func FuzzDraft(f *testing.F) {
	for _, seed := range []string{
		"이름|생년월일|전화\n김가나|1990-01-02|010-1234-5678\n이다라|1991.3.4|010-2345-6789",
		"코드|값\n00123|1,234\n00124|-\n00125|없음",
		"a: b|#c|{d}|[e]|\"f\"|'g|%h|@i|`j|!k|&l|*m|- n|? o\n1|2|3|4|5|6|7|8|9|10|11|12|13|14",
		"true|null|~|y|N|0x1|1e3|2020-01-01\ntrue|null|~|y|N|0x1|1e3|2020-01-01",
		"\\|\t|\u2028|\u0085|\ufeff|한글(㎡)|\x00\n\\|\t|\u2028|\u0085|\ufeff|3.5|\x00",
		"||\n|x|\n1||",
		"위도|경도|X|Y\n37.5|127.0|200000|550000\n0|0|0|0",
		"sigungu|name\n11110|종로구\n11140|중구\n11170|용산구\n11200|성동구\n11230|강남구",
		"---|...\nkind: Dataset|<<\n---|...",
	} {
		f.Add(seed)
	}
	index := NewIndex([]manifest.Entry{
		{Name: "latitude", Term: &manifest.Term{Title: lang.T("위도", "Latitude"), Type: manifest.Double, Class: manifest.Public}},
		{Name: "person-name", Term: &manifest.Term{Title: lang.T("성명", "Name"), Type: manifest.String, Length: 40, Synonyms: []string{"이름"}, Class: manifest.Personal}},
	})
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(text, "\n")
		columns, seen := strings.Split(lines[0], "|"), map[string]bool{}
		for i, c := range columns {
			for seen[c] {
				c += fmt.Sprint(" ", i)
			}
			columns[i], seen[c] = c, true
		}
		var rows [][]string
		for _, line := range lines[1:] {
			rows = append(rows, strings.Split(line, "|"))
		}
		d, err := From(tableInput("표 "+lines[0]+".csv", columns, rows), Options{Terms: index, Project: true, Folder: lines[0]})
		if err != nil {
			return
		}
		for _, tag := range []lang.Tag{lang.Ko, lang.En} {
			out := d.YAML(tag)
			set, findings := manifest.Parse(map[string]string{"draft.yaml": string(out)}, nil)
			if len(findings) > 0 || len(set.Resources) != 2 {
				t.Fatalf("%+v\n%s", findings, out)
			}
			if again := d.YAML(tag); !bytes.Equal(out, again) {
				t.Fatal("two prints of one draft differ")
			}
			mapped := set.Resources[1].Spec.(*manifest.Dataset).Source.Map
			for column, name := range d.Dataset.Source.Map {
				if mapped[column] != name {
					t.Fatalf("column %q is read back as another\n%s", column, out)
				}
			}
		}
		checkPromise(t, d, columns, rows)
	})
}

// checkPromise fails where values that the fields' types refuse are not doubted.
func checkPromise(t *testing.T, d *Draft, columns []string, rows [][]string) {
	t.Helper()
	at := map[string]int{}
	for i, c := range columns {
		at[c] = i
	}
	refused := map[string]bool{}
	for _, doubt := range d.Doubts {
		if doubt.Code == "refused" {
			refused[doubt.At] = true
		}
	}
	for _, f := range d.Dataset.Fields {
		column := f.Name
		for c, name := range d.Dataset.Source.Map {
			if name == f.Name {
				column = c
			}
		}
		if f.Type == "" || f.Type == manifest.String || refused["fields."+f.Name] {
			continue
		}
		for _, row := range rows {
			if len(row) != len(columns) {
				continue
			}
			v := strings.TrimSpace(row[at[column]])
			if _, ok := f.Type.Parse(v); !ok && !contains(d.Dataset.Source.Empty, v) {
				t.Fatalf("%s is %s, which doesn't read %q", f.Name, f.Type, v)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
