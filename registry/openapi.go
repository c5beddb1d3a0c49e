package registry

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/manifest"
)

// describe is the OpenAPI description of one dataset's API: the operations on records, with the dataset's own fields.
func describe(whole *huma.OpenAPI, d *catalog.Dataset) ([]byte, error) {
	text, err := json.Marshal(whole)
	if err != nil {
		return nil, fmt.Errorf("describe %s: %w", d.Path(), err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("describe %s: %w", d.Path(), err)
	}
	doc["info"] = map[string]any{"title": d.Spec.Title.In("ko"), "version": fmt.Sprint(d.Revision), "description": d.Spec.About.In("ko")}
	const general = "/api/v1/datasets/{project}/{dataset}/"
	paths := map[string]any{}
	all, _ := doc["paths"].(map[string]any)
	for path, item := range all {
		rest, own := strings.CutPrefix(path, general)
		if !own || rest == "openapi.json" {
			continue
		}
		paths["/api/v1/datasets/"+d.Path()+"/"+rest] = withoutParameters(item, "project", "dataset")
	}
	doc["paths"] = paths
	components, _ := doc["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	if schemas == nil {
		return nil, fmt.Errorf("describe %s: the description has no schemas", d.Path())
	}
	fields, required, kept := map[string]any{}, []string{}, []string{}
	for i := range d.Fields {
		f := &d.Fields[i]
		fields[f.Name] = FieldSchema(f)
		if f.Required {
			required = append(required, f.Name)
			if !f.KeyPart {
				kept = append(kept, f.Name)
			}
		}
	}
	schemas[valuesSchema] = object(fields, required)
	schemas[changesSchema] = object(fields, nil) // a change names what it changes
	schemas[wholeSchema] = object(fields, kept)  // whoever replaces a record has named it
	for method, schema := range map[string]string{"patch": changesSchema, "put": wholeSchema} {
		if err := takes(paths["/api/v1/datasets/"+d.Path()+"/records/{key}"], method, schema); err != nil {
			return nil, fmt.Errorf("describe %s: %w", d.Path(), err)
		}
	}
	record := maps.Clone(fields)
	record[keyMember] = map[string]any{"type": "string", "description": "Names the record in paths"}
	record[versionMember] = map[string]any{"type": "integer", "format": "int64", "description": "Its ETag"}
	always := []string{keyMember, versionMember}
	if about(d) == nil { // otherwise answers to writes, see [written], leave out what is about persons
		always = append(always, required...)
	}
	schemas[recordSchema] = object(record, always)
	return json.MarshalIndent(doc, "", "  ")
}

// What a PATCH and a PUT take.
const (
	changesSchema = "RecordChanges"
	wholeSchema   = "RecordReplacement"
)

// takes sets the schema of the body of an operation on a path.
func takes(item any, method, schema string) error {
	at := item
	for _, name := range []string{method, "requestBody", "content"} {
		next, ok := at.(map[string]any)
		if !ok {
			return fmt.Errorf("the description has no %s", name)
		}
		at = next[name]
	}
	content, _ := at.(map[string]any)
	for media := range content {
		content[media] = map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/" + schema}}
	}
	return nil
}

func object(properties map[string]any, required []string) map[string]any {
	out := map[string]any{"type": "object", "properties": properties}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

// withoutParameters takes parameters out of the operations of a path.
func withoutParameters(item any, names ...string) any {
	operations, _ := item.(map[string]any)
	for _, operation := range operations {
		o, _ := operation.(map[string]any)
		parameters, _ := o["parameters"].([]any)
		var kept []any
		for _, p := range parameters {
			one, _ := p.(map[string]any)
			if name, _ := one["name"].(string); one["in"] != "path" || name != names[0] && name != names[1] {
				kept = append(kept, p)
			}
		}
		if delete(o, "parameters"); len(kept) > 0 {
			o["parameters"] = kept
		}
	}
	return item
}

// schemaTypes are the JSON Schema types and formats of field types.
var schemaTypes = map[manifest.Type][2]string{
	manifest.String: {"string", ""}, manifest.Int: {"integer", "int64"}, manifest.Double: {"number", "double"}, manifest.Bool: {"boolean", ""},
	manifest.Date: {"string", "date"}, manifest.Datetime: {"string", "date-time"}, manifest.Geometry: {"object", ""},
}

// FieldSchema is the JSON Schema of a field's values.
func FieldSchema(f *catalog.Field) map[string]any {
	typ := schemaTypes[f.Type]
	out := map[string]any{"type": typ[0], "title": f.Label().In("ko"), "x-class": string(f.Class)}
	if !f.Required {
		out["type"] = []string{typ[0], "null"}
	}
	if typ[1] != "" {
		out["format"] = typ[1]
	}
	if f.Cites != nil {
		out["description"] = f.Cites.Definition.In("ko")
		out["x-term"] = f.Cites.Name
	}
	if f.Length > 0 && f.Type == manifest.String {
		out["maxLength"] = f.Length
	}
	if len(f.Patterns) == 1 {
		out["pattern"] = "^(?:" + f.Patterns[0] + ")$"
	}
	if f.Min != nil {
		out["minimum"] = *f.Min
	}
	if f.Max != nil {
		out["maximum"] = *f.Max
	}
	if f.Unit != "" {
		out["x-unit"] = f.Unit
	}
	if len(f.Codes) > 0 && f.Type == manifest.String {
		var codes []any
		var names []string
		for _, c := range f.Codes {
			codes, names = append(codes, c.Code), append(names, c.Code+" "+c.Name.In("ko"))
		}
		if !f.Required {
			codes = append(codes, nil)
		}
		out["enum"] = codes
		if len(names) <= 100 {
			about, _ := out["description"].(string)
			out["description"] = strings.TrimSpace(about + " " + strings.Join(names, ", "))
		}
	}
	return out
}
