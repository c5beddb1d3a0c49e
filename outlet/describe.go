package outlet

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// shown is the open dataset that a path names, or it says that there is none.
func (o *Outlets) shown(w http.ResponseWriter, r *http.Request) (*shelf, *item) {
	s, err := o.shelf(r.Context())
	if err != nil {
		httpd.Fail(w, r, err)
		return nil, nil
	}
	i := s.by[r.PathValue("project")+"_"+r.PathValue("name")]
	if i == nil {
		httpd.Fail(w, r, problem.New("dataset.unknown", 404, lang.T("공개된 자료 가운데 찾으시는 자료가 없습니다", "there is no such open data")))
	}
	return s, i
}

// described writes a description.
func described(w http.ResponseWriter, media string, what any) {
	w.Header().Set("Content-Type", media+"; charset=utf-8")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(what) // the client went away: nobody to tell
}

// records is the address of a dataset's records in a form.
func (o *Outlets) download(i *item, as string) string {
	return o.base + "/api/v1/datasets/" + i.Path() + "/records?as=" + as
}

// about is what a dataset is, for people.
func (i *item) about() string {
	if about := title(i.Spec.About); about != "" {
		return about
	}
	return title(i.Spec.Title)
}

// frictionless are the types of Table Schema (Data Package 2.0, datapackage.org).
var frictionless = map[manifest.Type]string{
	manifest.String: "string", manifest.Int: "integer", manifest.Double: "number", manifest.Bool: "boolean", manifest.Date: "date", manifest.Datetime: "datetime", manifest.Geometry: "geojson",
}

// datapackage is the dataset as a Data Package with a Table Schema (Frictionless, version 2.0).
func (o *Outlets) datapackage(w http.ResponseWriter, r *http.Request) {
	_, i := o.shown(w, r)
	if i == nil {
		return
	}
	fields := make([]any, len(i.Fields))
	for n := range i.Fields {
		fields[n] = column(&i.Fields[n])
	}
	schema := map[string]any{"$schema": "https://datapackage.org/profiles/2.0/tableschema.json", "fields": fields, "missingValues": []string{""}}
	if len(i.Spec.Key) > 0 {
		schema["primaryKey"] = i.Spec.Key
	}
	out := map[string]any{
		"$schema": "https://datapackage.org/profiles/2.0/datapackage.json", "name": strings.ToLower(i.handle), "id": o.page(i), "title": title(i.Spec.Title), "description": i.about(), "homepage": o.page(i),
		"resources": []any{map[string]any{
			"name": i.Name, "title": title(i.Spec.Title), "path": o.download(i, "csv"), "format": "csv", "mediatype": "text/csv", "encoding": "utf-8", "schema": schema,
		}},
	}
	if i.Spec.Licence != "" {
		one := map[string]string{"name": i.Spec.Licence}
		if strings.HasPrefix(i.Spec.Licence, "http") {
			one = map[string]string{"path": i.Spec.Licence}
		}
		out["licenses"] = []any{one}
	}
	described(w, "application/json", out)
}

// column is a field of a Table Schema.
func column(f *catalog.Field) any {
	out := map[string]any{"name": f.Name, "type": frictionless[f.Type], "title": f.Label().Ko}
	if f.Cites != nil && !f.Cites.Definition.Empty() {
		out["description"] = title(f.Cites.Definition)
	}
	limits := map[string]any{}
	if f.Required {
		limits["required"] = true
	}
	if f.Length > 0 {
		limits["maxLength"] = f.Length
	}
	if f.Min != nil {
		limits["minimum"] = *f.Min
	}
	if f.Max != nil {
		limits["maximum"] = *f.Max
	}
	if len(f.Patterns) == 1 {
		limits["pattern"] = f.Patterns[0]
	}
	if len(limits) > 0 {
		out["constraints"] = limits
	}
	if len(f.Codes) > 0 {
		codes := []any{}
		for _, c := range f.Codes {
			codes = append(codes, map[string]string{"value": c.Code, "label": title(c.Name)})
		}
		out["categories"] = codes
	}
	return out
}

// schemaTypes are the types of schema.org for values of fields.
var schemaTypes = map[manifest.Type]string{
	manifest.String: "sc:Text", manifest.Int: "sc:Integer", manifest.Double: "sc:Float", manifest.Bool: "sc:Boolean", manifest.Date: "sc:Date", manifest.Datetime: "sc:DateTime", manifest.Geometry: "sc:Text",
}

// croissant describes the dataset for machine learning (MLCommons Croissant 1.0).
func (o *Outlets) croissant(w http.ResponseWriter, r *http.Request) {
	s, i := o.shown(w, r)
	if i == nil {
		return
	}
	fields := make([]any, len(i.Fields))
	for n := range i.Fields {
		f := &i.Fields[n]
		fields[n] = map[string]any{
			"@type": "cr:Field", "@id": "records/" + f.Name, "name": f.Name, "description": f.Label().Ko, "dataType": schemaTypes[f.Type],
			"source": map[string]any{"fileObject": map[string]string{"@id": "csv"}, "extract": map[string]string{"column": f.Name}},
		}
	}
	out := map[string]any{
		"@context": map[string]any{
			"@language": "ko", "@vocab": "https://schema.org/", "citeAs": "cr:citeAs", "column": "cr:column", "conformsTo": "dct:conformsTo", "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
			"data": map[string]string{"@id": "cr:data", "@type": "@json"}, "dataType": map[string]string{"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
			"examples": map[string]string{"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field", "fileProperty": "cr:fileProperty", "fileObject": "cr:fileObject", "fileSet": "cr:fileSet", "format": "cr:format",
			"includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key", "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
			"references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
		},
		"@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0", "name": i.handle, "description": i.about(), "url": o.page(i), "isLiveDataset": true, "inLanguage": "ko",
		"datePublished": i.changed().UTC().Format("2006-01-02"), "version": "1.0." + strconv.FormatInt(s.snapshot.Revision, 10),
		"distribution": []any{map[string]any{"@type": "cr:FileObject", "@id": "csv", "name": i.Name + ".csv", "description": title(i.Spec.Title), "contentUrl": o.download(i, "csv"), "encodingFormat": "text/csv"}},
		"recordSet":    []any{map[string]any{"@type": "cr:RecordSet", "@id": "records", "name": "records", "field": fields}},
	}
	if len(i.Spec.Key) > 0 {
		key := []any{}
		for _, name := range i.Spec.Key {
			key = append(key, map[string]string{"@id": "records/" + name})
		}
		out["recordSet"].([]any)[0].(map[string]any)["key"] = key //nolint:forcetypeassert // written above
	}
	if i.owner != "" {
		out["creator"] = map[string]string{"@type": "sc:Organization", "name": title(s.snapshot.Title(manifest.Key{Kind: "Agency", Name: i.owner}))}
	}
	if i.Spec.Licence != "" {
		out["license"] = i.Spec.Licence
	}
	described(w, "application/ld+json", out)
}
