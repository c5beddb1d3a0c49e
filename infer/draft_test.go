package infer

import (
	"testing"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// drafted drafts a dataset for a made-up table and checks that its manifest has no fault in either language.
func drafted(t testing.TB, in Input, o Options) *Draft {
	t.Helper()
	d, err := From(in, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []lang.Tag{lang.Ko, lang.En} {
		text := string(d.YAML(tag))
		r, findings := manifest.ParseDocument("draft.yaml", text)
		if len(findings) > 0 || r == nil || r.Kind != "Dataset" {
			t.Fatalf("the manifest has faults: %+v\n%s", findings, text)
		}
	}
	return d
}

func TestWelfareFacilitiesHeadsArePersonalAndPostcodesDoubted(t *testing.T) {
	name := "welfare_facilities.csv"
	d := drafted(t, csvInput(t, name, realFile(t, name)), Options{})
	if f := d.Dataset.Field("facility_head_name"); f == nil || f.Class != manifest.Personal {
		t.Errorf("the heads' names are not personal: %+v", f)
	}
	if f := d.Dataset.Field("postcode"); f == nil || f.Type != manifest.String {
		t.Errorf("the postcode is no text: %+v", f)
	}
	if d.Dataset.Subject != "" {
		t.Errorf("a table of facilities is about %s", d.Dataset.Subject)
	}
}
