package city

import (
	"encoding/csv"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// parsed reads the built-in manifests and fails the test on any finding.
func parsed(t testing.TB) *manifest.Set {
	t.Helper()
	set, findings := manifest.Parse(Manifests(), nil)
	for _, f := range findings {
		t.Errorf("%s: %s: %s", f.Pos, f.Code, f.Message.In(lang.En))
	}
	return set
}

func TestEveryManifestParsesWithoutAFinding(t *testing.T) {
	set := parsed(t)
	count := map[string]int{}
	for _, r := range set.Resources {
		count[r.Kind]++
	}
	t.Logf("%v", count)
	for kind, least := range map[string]int{"Agency": 8, "Project": 10, "Dataset": 20, "Term": 80, "Parameter": 30} {
		if count[kind] < least {
			t.Errorf("%d documents of kind %s, want at least %d", count[kind], kind, least)
		}
	}
}

func TestEveryReferenceResolves(t *testing.T) {
	set := parsed(t)
	known := map[manifest.Key]bool{}
	for _, r := range set.Resources {
		known[r.Key] = true
	}
	for _, r := range set.Resources {
		for _, ref := range r.References() {
			if !known[ref.To] {
				t.Errorf("%s: %s: there is no %s", r.File, ref.Path, ref.To)
			}
		}
	}
}

// TestEveryTitleIsInBothLanguages holds for all documents; a dataset of people or places also says that it is made up.
func TestEveryTitleIsInBothLanguages(t *testing.T) {
	facts := map[string]bool{"districts": true, "holidays": true} // public facts
	for _, r := range parsed(t).Resources {
		if title := r.Spec.Titled(); title.Ko == "" || title.En == "" {
			t.Errorf("%s: the title of %s is %+v", r.File, r.Name, title)
		}
		if d, ok := r.Spec.(*manifest.Dataset); ok && !facts[r.Name] && (!strings.Contains(d.About.Ko, "시연용 가상 자료") || !strings.Contains(d.About.En, "Made up")) {
			t.Errorf("%s: %s doesn't say that it is made up", r.File, r.Name)
		}
	}
}

// TestFieldsAboutPeopleAreProtected checks that whatever says who someone is, is at least personal, and numbers the law singles out unique.
func TestFieldsAboutPeopleAreProtected(t *testing.T) {
	least := map[string]manifest.Class{
		"person": manifest.Personal, "relative": manifest.Personal, "household": manifest.Personal, "person-name": manifest.Personal, "birth-date": manifest.Personal,
		"home-address": manifest.Personal, "insurance-income": manifest.Personal, "recognised-income": manifest.Personal, "own-pay": manifest.Personal, "joint-yearly-income": manifest.Personal,
		"disability-type": manifest.Sensitive, "disability-degree": manifest.Sensitive, "benefit-kind": manifest.Sensitive, "resident-number": manifest.Unique,
	}
	for _, r := range parsed(t).Resources {
		if term, ok := r.Spec.(*manifest.Term); ok && least[r.Name] != "" {
			if !term.Class.AtLeast(least[r.Name]) {
				t.Errorf("%s is %s", r.Name, term.Class)
			}
			delete(least, r.Name)
		}
	}
	for name := range least {
		t.Errorf("there is no term %s", name)
	}
}

// TestParametersAreThePublishedValues compares the manifests with the notes' tables, value by value.
func TestParametersAreThePublishedValues(t *testing.T) {
	compare := func(name, from, key string, want float64) {
		t.Helper()
		p := parameters()[name]
		if p == nil {
			t.Errorf("there is no parameter %s", name)
			return
		}
		for _, v := range p.Values {
			if string(v.From) != from {
				continue
			}
			got, ok := v.Table[key]
			if v.Value != nil {
				got, ok = *v.Value, key == ""
			}
			if !ok || got != want {
				t.Errorf("%s from %s, %q: %v, want %v", name, from, key, got, want)
			}
			return
		}
		t.Errorf("%s has no value from %s", name, from)
	}
	for _, r := range notes(t, "median_income.csv") {
		want, _ := strconv.ParseFloat(r["krw_per_month"], 64)
		compare("median-income", r["year"]+"-01-01", r["household_size"], want)
	}
	split := map[string][2]string{ // parameter and key of the notes → of the manifests
		"asset_conversion/basic-pension":                    {"asset-conversion-basic-pension", ""},
		"asset_conversion/livelihood-general":               {"asset-conversion-livelihood", "general"},
		"asset_conversion/livelihood-home":                  {"asset-conversion-livelihood", "home"},
		"asset_conversion/livelihood-savings":               {"asset-conversion-livelihood", "savings"},
		"basic_assets_deduction/basic-pension-metropolitan": {"basic-assets-deduction-pension", ""},
		"basic_assets_deduction/livelihood-seoul":           {"basic-assets-deduction-livelihood", ""},
	}
	for _, r := range notes(t, "parameters.csv") {
		if r["confidence"] == "low" {
			continue
		}
		to, ok := split[r["parameter"]+"/"+r["key"]]
		if !ok {
			to = [2]string{strings.ReplaceAll(r["parameter"], "_", "-"), strings.TrimSuffix(r["key"], "+")}
		}
		want, _ := strconv.ParseFloat(r["value"], 64)
		compare(to[0], r["effective_from"], to[1], want)
	}
}

// notes reads a table of the domain notes beside the repository, or skips the test.
func notes(t *testing.T, name string) (rows []map[string]string) {
	t.Helper()
	file, err := os.Open("../../shared/domain/" + name)
	if err != nil {
		t.Skip("the domain notes (../shared/domain beside the repository) are not here")
	}
	defer file.Close()
	all, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, cell := range cells {
			row[all[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}
