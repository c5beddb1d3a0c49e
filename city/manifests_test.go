package city

import (
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
