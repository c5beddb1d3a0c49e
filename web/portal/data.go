package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// Records is what the portal needs to know of the records of open datasets.
type Records interface {
	Counts(ctx context.Context, datasets []*catalog.Dataset) (map[string]int64, error)
	Sample(ctx context.Context, d *catalog.Dataset, fields []string, limit int) ([]*registry.Record, error)
	Profile(ctx context.Context, d *catalog.Dataset) (*registry.Profile, error)
}

// dataPath is the page of an open dataset.
func dataPath(d *catalog.Dataset) string { return "/data/" + d.Path() }

// previewRows is how many records a page shows.
const previewRows = 10

// dataView is an open dataset as a citizen sees it.
type dataView struct {
	URL     *url.URL
	Address string // of the server
	*catalog.Dataset
	Owner   lang.Text
	Project lang.Text
	Rows    int64
	Preview []*registry.Record
	Chart   *chart
	ByField []*catalog.Field // what a chart can be drawn by
}

// chart says how many records have each of the values that are the most frequent.
type chart struct {
	Field *catalog.Field
	Bars  []bar
	Rest  int64 // records with other values
	Empty int64
	Some  bool // estimated from some of the records
}

type bar struct {
	Label lang.Text
	Count int64
	Width int // of 100
}

func (p *Portal) data(r *http.Request) (templ.Component, error) {
	s := p.Catalog.Snapshot()
	d := s.Dataset(r.PathValue("project"), r.PathValue("name"))
	if d == nil || !d.Open() {
		return nil, components.NotFound(lang.T("공개된 자료 가운데 찾으시는 자료가 없습니다", "there is no such open data"))
	}
	v := dataView{URL: r.URL, Address: components.Address(r), Dataset: d, Project: projectTitle(s, d.Project)}
	if place := s.Place(d.Project); len(place.Owners) > 0 {
		v.Owner = s.Title(manifest.Key{Kind: "Agency", Name: place.Owners[0]})
	}
	counts, err := p.Records.Counts(r.Context(), []*catalog.Dataset{d})
	if err != nil {
		return nil, err
	}
	if v.Rows = counts[d.Path()]; v.Rows > 0 {
		if v.Preview, err = p.Records.Sample(r.Context(), d, d.FieldNames(), previewRows); err != nil {
			return nil, err
		}
		profile, err := p.Records.Profile(r.Context(), d)
		if err != nil {
			return nil, err
		}
		v.draw(profile, r.URL.Query().Get("by"))
	}
	return dataPage(v), nil
}

// draw draws a chart by the field that is asked for, or by the first that says something.
func (v *dataView) draw(p *registry.Profile, by string) {
	if p == nil {
		return
	}
	var chosen *registry.FieldProfile
	for i := range p.Fields {
		f, own := &p.Fields[i], v.Field(p.Fields[i].Name)
		if own == nil || own.KeyPart || len(f.Frequent) < 2 || f.Frequent[0].Count < 2 || f.Distinct > 500 || own.Type == manifest.Geometry || own.Type == manifest.Double {
			continue
		}
		v.ByField = append(v.ByField, own)
		if own.Name == by {
			chosen = f
		}
	}
	if len(v.ByField) == 0 {
		return
	}
	if chosen == nil {
		first := v.ByField[0]
		for _, f := range v.ByField {
			if len(f.Codes) > 0 {
				first = f
				break
			}
		}
		i := slices.IndexFunc(p.Fields, func(f registry.FieldProfile) bool { return f.Name == first.Name })
		chosen = &p.Fields[i]
	}
	c := &chart{Field: v.Field(chosen.Name), Empty: chosen.Empty, Some: p.Sampled}
	shown := int64(0)
	for _, f := range chosen.Frequent {
		shown += f.Count
		c.Bars = append(c.Bars, bar{Label: label(c.Field, f.Value), Count: f.Count, Width: int(100 * f.Count / chosen.Frequent[0].Count)})
	}
	if !p.Sampled {
		c.Rest = p.Rows - chosen.Empty - shown
	}
	v.Chart = c
}

// label is a value as people say it, with the names of codes alone.
func label(f *catalog.Field, v any) lang.Text {
	if code, ok := v.(string); ok {
		if name, known := f.Codes.Name(code); known {
			return name
		}
		return components.Own(code)
	}
	if yes, ok := v.(bool); ok && yes {
		return lang.T("예", "yes")
	} else if ok {
		return lang.T("아니요", "no")
	}
	return lang.T(fmt.Sprint(v), fmt.Sprint(v))
}

// licences are the names of licences for people (공공누리, kogl.or.kr).
var licences = map[string]lang.Text{
	"KOGL-1": lang.T("공공누리 제1유형: 출처를 밝히면 자유롭게 이용", "KOGL Type 1: free use, with attribution"),
	"KOGL-2": lang.T("공공누리 제2유형: 출처 표시, 상업적 이용 금지", "KOGL Type 2: attribution, no commercial use"),
	"KOGL-3": lang.T("공공누리 제3유형: 출처 표시, 변경 금지", "KOGL Type 3: attribution, no changes"),
	"KOGL-4": lang.T("공공누리 제4유형: 출처 표시, 상업적 이용·변경 금지", "KOGL Type 4: attribution, no commercial use, no changes"),
}

func licenceText(name string) lang.Text {
	if t, ok := licences[name]; ok {
		return t
	}
	return lang.T(name, name)
}

// request is a ready request in a language.
type request struct {
	id, name, text string
}

// requests are ready requests for the first records.
func requests(v dataView) []request {
	at := v.Address + "/api/v1/datasets/" + v.Path() + "/records"
	return []request{
		{"curl", "curl", "curl '" + at + "?as=csv' -o " + v.Name + ".csv"},
		{"python", "Python (pandas)", "import pandas as pd\n\ndf = pd.read_csv(\"" + at + "?as=csv\")"},
		{"r", "R", "df <- read.csv(\"" + at + "?as=csv\", fileEncoding = \"UTF-8\")"},
		{"go", "Go", "res, err := http.Get(\"" + at + "?as=jsonl\")\nif err != nil {\n\treturn err\n}\ndefer res.Body.Close()\nfor d := json.NewDecoder(res.Body); d.More(); {\n\tvar row map[string]any\n\tif err := d.Decode(&row); err != nil {\n\t\treturn err\n\t}\n}"},
		{"excel", "Excel (Power Query)", "= Csv.Document(Web.Contents(\"" + at + "?as=csv\"), [Encoding = 65001])"},
		{"seoul", "OpenAPI", v.Address + "/openapi/sample/json/" + v.Dataset.Project + "." + v.Name + "/1/5/"},
		{"ckan", "CKAN", v.Address + "/ckan/api/3/action/package_show?id=" + v.Dataset.Project + "_" + v.Name},
	}
}

// described is the page's dataset for search engines (schema.org/Dataset), as JSON-LD.
func described(v dataView) string {
	about := v.Spec.About.Ko
	if about == "" {
		about = v.Spec.Title.Ko
	}
	downloads := []any{}
	for as, media := range map[string]string{"csv": "text/csv", "jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"} {
		downloads = append(downloads, map[string]string{"@type": "DataDownload", "encodingFormat": media, "contentUrl": v.Address + "/api/v1/datasets/" + v.Path() + "/records?as=" + as})
	}
	variables := []any{}
	for i := range v.Fields {
		variables = append(variables, map[string]string{"@type": "PropertyValue", "name": v.Fields[i].Name, "description": v.Fields[i].Label().Ko})
	}
	text, err := json.Marshal(map[string]any{
		"@context": "https://schema.org/", "@type": "Dataset", "name": v.Spec.Title.Ko, "description": about, "url": v.Address + dataPath(v.Dataset), "identifier": v.Path(), "isAccessibleForFree": true,
		"license": v.Spec.Licence, "creator": map[string]string{"@type": "GovernmentOrganization", "name": v.Owner.Ko}, "distribution": downloads, "variableMeasured": variables,
	})
	if err != nil {
		return "{}"
	}
	return strings.ReplaceAll(string(text), "</", `<\/`)
}
