package source

import (
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

func TestFieldsAreComputedFromARow(t *testing.T) {
	tr, err := NewTransform(&manifest.Source{
		Where: `row['상태'] != '폐업'`,
		Set: map[string]string{
			"name":  `row['성'] + row['이름']`,
			"won":   `int(row.thousand.replace(',', '')) * 1000`,
			"share": `double(row['율']) / 100.0`,
			"open":  `row['상태'] == '영업'`,
			"none":  `null`,
			"day":   `row['일자'].replace('.', '-')`,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	row := map[string]string{"성": "김", "이름": "하늘", "thousand": "1,234", "율": "12.5", "상태": "영업", "일자": "2026.11.28"}
	if takes, fault := tr.Takes(row); !takes || fault != nil {
		t.Error(takes, fault)
	}
	for field, want := range map[string]string{"name": "김하늘", "won": "1234000", "share": "0.125", "open": "true", "none": "", "day": "2026-11-28"} {
		if got, fault := tr.Compute(field, row); got != want || fault != nil {
			t.Errorf("%s: %q %v", field, got, fault)
		}
	}
	row["상태"], row["thousand"] = "폐업", "많음"
	if takes, fault := tr.Takes(row); takes || fault != nil {
		t.Error(takes, fault)
	}
	if _, fault := tr.Compute("won", row); fault == nil {
		t.Error("no number, and no fault")
	}
	delete(row, "성")
	if _, fault := tr.Compute("name", row); fault == nil || !strings.Contains(fault.En, "no column 성") {
		t.Error(fault)
	}
	if !tr.Uses("성") || !tr.Uses("thousand") || tr.Uses("다른") || !tr.Sets("name") || tr.Sets("other") {
		t.Error("what it uses and sets")
	}
	var none *Transform
	if takes, _ := none.Takes(nil); !takes || none.Uses("x") || none.Sets("x") {
		t.Error("none")
	}
	if whole, err := NewTransform(&manifest.Source{Set: map[string]string{"n": `string(size(row))`}}); err != nil || !whole.Uses("anything") {
		t.Errorf("an expression over the whole row: %v", err)
	}
}

func TestAllThatIsWrongWithExpressionsIsSaid(t *testing.T) {
	_, err := NewTransform(&manifest.Source{Where: `row['a']`, Set: map[string]string{"x": `row.a +`, "y": `other`, "z": `[1]`, "ok": `row.a`}})
	p := problem.As(err)
	if p == nil || p.Code != "source.expression" || len(p.At) != 4 {
		t.Fatalf("%+v", err)
	}
	for i, where := range []string{"source.where", "source.set.x", "source.set.y", "source.set.z"} {
		if p.At[i].Where != where {
			t.Errorf("%+v", p.At[i])
		}
	}
}

// What costs too much ends, whatever a row has.
func TestAnExpressionThatNeverEndsIsCutOff(t *testing.T) {
	tr, err := NewTransform(&manifest.Source{Set: map[string]string{"x": `string(row.a.split('').map(a, row.a.split('').map(b, row.a.split('').size())).size())`}})
	if err != nil {
		t.Fatal(err)
	}
	if _, fault := tr.Compute("x", map[string]string{"a": strings.Repeat("a", 10_000)}); fault == nil {
		t.Error("it was computed")
	}
}
