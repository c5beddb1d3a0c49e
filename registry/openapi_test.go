package registry

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/httpd"
)

func TestADatasetDescribesItsOwnAPI(t *testing.T) {
	onBoth(t, func(t *testing.T, r *room) {
		d := r.apply(t, libraries)
		api := httpd.New(httpd.Options{Title: "t", Version: "1"}).API()
		r.Serve(api, r.catalog.Snapshot, nil, nil)
		text, err := describe(api.OpenAPI(), d)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Paths      map[string]map[string]any
			Components struct {
				Schemas map[string]struct {
					Required   []string
					Properties map[string]struct {
						Type      any
						Enum      []any
						MaxLength int
						Minimum   *float64
						Title     string
					}
				}
			}
		}
		if err := json.Unmarshal(text, &doc); err != nil {
			t.Fatal(err)
		}
		if len(doc.Paths) != 7 || doc.Paths["/api/v1/datasets/trial/libraries/records/{key}"]["patch"] == nil || strings.Contains(string(text), "{dataset}") {
			t.Errorf("%d paths", len(doc.Paths))
		}
		values := doc.Components.Schemas["RecordValues"]
		if strings.Join(values.Required, ",") != "code,name" || values.Properties["name"].MaxLength != 20 || len(values.Properties["district"].Enum) != 3 || *values.Properties["seats"].Minimum != 0 {
			t.Errorf("%+v", values)
		}
		if changes := doc.Components.Schemas["RecordChanges"]; len(changes.Required) != 0 || len(changes.Properties) != len(d.Fields) {
			t.Errorf("%+v", changes)
		}
		for _, part := range strings.Split(string(text), `"#/components/schemas/`)[1:] {
			if name, _, _ := strings.Cut(part, `"`); !strings.Contains(string(text), `"`+name+`": {`) {
				t.Errorf("%s is pointed at and isn't there", name)
			}
		}
	})
}
