package portal

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/exchange"
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
	Owner                    lang.Text
	Project                  lang.Text
	Rows                     int64
	Preview                  []*registry.Record
	Chart                    *chart
	Opening                  *registry.Opening // what was seen of its values before they were opened
	Points                   []point           // places of some records
	West, East, South, North float64           // degrees, of the points
	ByField                  []*catalog.Field  // what a chart can be drawn by
	Readers                  []using
	OpenKeys                 bool // keys of the open API can be had
}

// using is an office that reads a dataset by an agreement.
type using struct {
	Office lang.Text
	*exchange.Version
}

// readers lists who reads a dataset by agreements that hold: who is given what is published (개인정보 보호법 제30조 제1항 제3호).
func (p *Portal) readers(ctx context.Context, s *catalog.Snapshot, d *catalog.Dataset) (out []using, err error) {
	if p.Exchange == nil {
		return nil, nil
	}
	all, err := p.Exchange.Readers(ctx, d.Path())
	for _, v := range all {
		office := projectTitle(s, v.Project)
		if place := s.Place(v.Project); len(place.Owners) > 0 {
			office = s.Title(manifest.Key{Kind: "Agency", Name: place.Owners[0]})
		}
		out = append(out, using{office, v})
	}
	return out, err
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
	if d != nil && !d.Open() && p.Requests != nil {
		v, err := p.closed(r, s, d)
		return closedPage(v), err
	}
	if d == nil || !d.Open() {
		return nil, components.NotFound(lang.T("공개된 자료 가운데 찾으시는 자료가 없습니다", "there is no such open data"))
	}
	v := dataView{URL: r.URL, Address: components.Address(r), Dataset: d, Project: projectTitle(s, d.Project), OpenKeys: p.Exchange != nil && p.openKeys() != nil}
	if place := s.Place(d.Project); len(place.Owners) > 0 {
		v.Owner = s.Title(manifest.Key{Kind: "Agency", Name: place.Owners[0]})
	}
	var err error
	if v.Readers, err = p.readers(r.Context(), s, d); err != nil {
		return nil, err
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
		if profile != nil {
			v.Opening = profile.Opening
		}
		if err := p.place(r.Context(), &v); err != nil {
			return nil, err
		}
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
	"KOGL-1": lang.T("공공누리 제1유형: 출처 표시, 상업적 이용·변경 가능", "KOGL Type 1: attribution, commercial use and changes allowed"),
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

// downloadForm is a form in which a dataset is taken.
type downloadForm struct {
	as, title, media string
	about            lang.Text
}

func downloadForms(v dataView) []downloadForm {
	out := []downloadForm{
		{"xlsx", "XLSX", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", lang.T("엑셀에서 바로 열기", "opens in Excel")},
		{"csv&bom=true", "CSV", "text/csv", lang.T("엑셀 등 표 계산 프로그램과 통계 도구용", "for spreadsheets and statistics")},
		{"jsonl", "JSON Lines", "application/x-ndjson", lang.T("한 줄에 레코드 하나, 프로그램용", "one record a line, for programs")},
		{"parquet", "Parquet", "application/vnd.apache.parquet", lang.T("분석 도구용", "for analysis")},
	}
	if registry.PlaceIn(v.Dataset).Any() {
		out = append(out, downloadForm{"geojson", "GeoJSON", "application/geo+json", lang.T("지도 프로그램용", "for maps")})
	}
	return out
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
	for _, f := range downloadForms(v) {
		as, media := f.as, f.media
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

// point is a place on a map of 640 by 400.
type point struct{ X, Y float64 }

// maxPoints is how many places a map shows.
const maxPoints = 500

// place finds where the first records are. A degree of longitude is as long as one of latitude times the cosine of it.
func (p *Portal) place(ctx context.Context, v *dataView) error {
	at := registry.PlaceIn(v.Dataset)
	if at.Longitude < 0 || at.Latitude < 0 {
		return nil
	}
	records, err := p.Records.Sample(ctx, v.Dataset, []string{v.Fields[at.Longitude].Name, v.Fields[at.Latitude].Name}, maxPoints)
	if err != nil {
		return err
	}
	var found []point
	for _, r := range records {
		var where [2]any
		for i, f := range r.Fields {
			switch f.Name {
			case v.Fields[at.Longitude].Name:
				where[0] = r.Values[i]
			case v.Fields[at.Latitude].Name:
				where[1] = r.Values[i]
			}
		}
		lon, east := where[0].(float64)
		lat, north := where[1].(float64)
		if east && north && lon != 0 && lat != 0 { // where nobody measured, many write zeros
			found = append(found, point{lon, lat})
		}
	}
	if len(found) < 2 {
		return nil
	}
	byX := func(a, b point) int { return cmp.Compare(a.X, b.X) }
	byY := func(a, b point) int { return cmp.Compare(a.Y, b.Y) }
	v.West, v.East = slices.MinFunc(found, byX).X, slices.MaxFunc(found, byX).X
	v.South, v.North = slices.MinFunc(found, byY).Y, slices.MaxFunc(found, byY).Y
	narrow := math.Cos((v.South + v.North) / 2 * math.Pi / 180)
	scale := min(600/max((v.East-v.West)*narrow, 1e-6), 360/max(v.North-v.South, 1e-6))
	for _, f := range found {
		v.Points = append(v.Points, point{320 + (f.X-(v.West+v.East)/2)*narrow*scale, 200 - (f.Y-(v.South+v.North)/2)*scale})
	}
	return nil
}

func tenth(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

func degrees(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) + "°" }
