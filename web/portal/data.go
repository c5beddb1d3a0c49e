package portal

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	SourceState(ctx context.Context, d *catalog.Dataset) (*registry.SourceState, error)
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
	Owner    lang.Text
	Project  lang.Text
	Rows     int64
	Preview  []*registry.Record
	Chart    *chart
	Opening  *registry.Opening // what was seen of its values before they were opened
	Places   *places           // where the records are, or nil
	ByField  []*catalog.Field  // what a chart can be drawn by
	Measures []measure         // and of what
	Fresh    fresh
	Readers  []using
	OpenKeys bool // keys of the open API can be had
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
	if v.Fresh, err = p.fresh(r.Context(), d); err != nil {
		return nil, err
	}
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
		if profile != nil {
			v.Opening = profile.Opening
			if err := p.chart(r.Context(), &v, profile, r.URL.Query().Get("by"), r.URL.Query().Get("of")); err != nil {
				return nil, err
			}
		}
		if v.Places, err = p.place(r.Context(), d, v.Rows); err != nil {
			return nil, err
		}
	}
	return dataPage(v), nil
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
	if name == "" {
		return lang.T("이용 조건이 정해지지 않았습니다. 쓰시기 전에 제공 기관에 확인해 주십시오.", "None is stated: please ask the office before you use it.")
	}
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

// requests are ready requests for the first records. pandas and R take codes for numbers and lose their zeros, unless they are told which columns are text.
func requests(v dataView) []request {
	at := v.Address + "/api/v1/datasets/" + v.Path() + "/records"
	var python, r []string
	for i := range v.Fields {
		if v.Fields[i].Type == manifest.String {
			python = append(python, strconv.Quote(v.Fields[i].Name)+": str")
			r = append(r, v.Fields[i].Name+" = \"character\"")
		}
	}
	dtype, classes := "", ""
	if len(python) > 0 {
		dtype, classes = "\n    dtype={"+strings.Join(python, ", ")+"},", ",\n  colClasses = c("+strings.Join(r, ", ")+")"
	}
	return []request{
		{"curl", "curl", "curl '" + at + "?as=csv' -o " + v.Name + ".csv"},
		{"python", "Python (pandas)", "import pandas as pd\n\ndf = pd.read_csv(\n    \"" + at + "?as=csv\"," + dtype + "\n)"},
		{"r", "R", "df <- read.csv(\"" + at + "?as=csv\", fileEncoding = \"UTF-8\"" + classes + ")"},
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
	page := map[string]any{
		"@context": "https://schema.org/", "@type": "Dataset", "name": v.Spec.Title.Ko, "description": about, "url": v.Address + dataPath(v.Dataset), "identifier": v.Path(), "isAccessibleForFree": true,
		"creator": map[string]string{"@type": "GovernmentOrganization", "name": v.Owner.Ko}, "distribution": downloads, "variableMeasured": variables,
	}
	if v.Spec.Licence != "" {
		page["license"] = v.Spec.Licence
	}
	if !v.Fresh.Changed.IsZero() {
		page["dateModified"] = v.Fresh.Changed.In(manifest.Seoul).Format(time.RFC3339)
	}
	text, err := json.Marshal(page)
	if err != nil {
		return "{}"
	}
	return strings.ReplaceAll(string(text), "</", `<\/`)
}
