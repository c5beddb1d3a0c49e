package manifest

import (
	"reflect"
)

// Schema returns the JSON Schema (draft 2020-12) of a kind's documents, with descriptions in the reader's language. Editors
// use it to complete and check what is being written.
func (k Kind) Schema(t language) map[string]any {
	s := schemaOf(reflect.TypeOf(k.New()).Elem(), t)
	properties := s["properties"].(map[string]any)
	properties["kind"] = map[string]any{"const": k.Name}
	properties["name"] = map[string]any{"type": "string", "pattern": nameForm.String(), "maxLength": MaxName, "description": T("이름: 영문 소문자·숫자·붙임표", "Name: small letters, digits, hyphens").In(t)}
	need, _ := s["required"].([]string)
	s["required"] = append([]string{"kind", "name"}, need...)
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = k.Title.In(t)
	return s
}

func schemaOf(typ reflect.Type, t language) map[string]any {
	properties, need := map[string]any{}, []string(nil)
	for _, f := range fieldsOf(typ) {
		s := shape(typ.Field(f.index).Type, t)
		s["description"] = f.about.In(t)
		if f.oneof != nil {
			s["enum"] = f.oneof
		}
		if f.pattern != nil {
			s["pattern"] = f.pattern.String()
		}
		if f.min != nil {
			s["minimum"] = *f.min
		}
		if f.max != nil {
			s["maximum"] = *f.max
		}
		if f.need {
			need = append(need, f.name)
		}
		properties[f.name] = s
	}
	out := map[string]any{"type": "object", "properties": properties, "additionalProperties": false}
	if need != nil {
		out["required"] = need
	}
	return out
}

func shape(typ reflect.Type, t language) map[string]any {
	text := map[string]any{"oneOf": []any{
		map[string]any{"type": []string{"string", "number"}},
		map[string]any{"type": "object", "properties": map[string]any{"ko": map[string]any{"type": "string"}, "en": map[string]any{"type": "string"}}, "additionalProperties": false},
	}}
	switch typ {
	case reflect.TypeFor[Text]():
		return text
	case reflect.TypeFor[OrderedTexts]():
		return map[string]any{"type": "object", "additionalProperties": text}
	case reflect.TypeFor[FieldList]():
		return map[string]any{"type": "object", "propertyNames": map[string]any{"pattern": fieldForm.String()}, "additionalProperties": schemaOf(reflect.TypeFor[Field](), t)}
	case reflect.TypeFor[FactList]():
		return map[string]any{"type": "object", "propertyNames": map[string]any{"pattern": fieldForm.String()}, "additionalProperties": schemaOf(reflect.TypeFor[Fact](), t)}
	case reflect.TypeFor[ItemList]():
		return map[string]any{"type": "object", "propertyNames": map[string]any{"pattern": fieldForm.String()}, "additionalProperties": schemaOf(reflect.TypeFor[Item](), t)}
	case reflect.TypeFor[Day]():
		return map[string]any{"type": "string", "format": "date"}
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return shape(typ.Elem(), t)
	case reflect.Struct:
		return schemaOf(typ, t)
	case reflect.Slice:
		return map[string]any{"type": "array", "items": shape(typ.Elem(), t)}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": shape(typ.Elem(), t)}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	default:
		return map[string]any{"type": []string{"string", "number", "boolean"}}
	}
}
