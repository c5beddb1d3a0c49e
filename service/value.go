package service

import (
	"fmt"
	"strconv"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/rule"
)

// Accept reads a value that somebody gave for a fact, as JSON has it, or says what is wrong with it. Of a list it is a list of objects; where the fault is in one of them its place is NUMBER.ITEM, from 0.
func (f *Fact) Accept(v any) (any, *problem.Detail) {
	if !f.IsList() {
		return registry.Accept(&f.Field, v)
	}
	var given []any
	switch v := v.(type) {
	case []any:
		given = v
	case []map[string]any:
		for _, one := range v {
			given = append(given, one)
		}
	default:
		return nil, &problem.Detail{Code: "record.type", Message: lang.T("목록이어야 합니다", "this must be a list")}
	}
	if len(given) > rule.MaxItems {
		return nil, &problem.Detail{Code: "record.length", Message: lang.F("%d개까지 적으실 수 있습니다", "at most %d", rule.MaxItems)}
	}
	out := make([]map[string]any, len(given))
	for i, one := range given {
		record, ok := one.(map[string]any)
		if !ok {
			return nil, &problem.Detail{Code: "record.type", Where: strconv.Itoa(i), Message: lang.T("항목의 묶음이어야 합니다", "this must be an object")}
		}
		for name := range record {
			if f.item(name) == nil {
				return nil, &problem.Detail{Code: "service.unknown_fact", Where: fmt.Sprintf("%d.%s", i, name), Message: lang.F("이 서비스가 쓰지 않는 사실입니다: %s", "the service has no fact %s", name)}
			}
		}
		out[i] = make(map[string]any, len(f.Items))
		for j := range f.Items {
			item := &f.Items[j]
			value, fault := registry.Accept(&item.Field, record[item.Name])
			if fault != nil {
				fault.Where = fmt.Sprintf("%d.%s", i, item.Name)
				return nil, fault
			}
			out[i][item.Name] = value
		}
	}
	return out, nil
}

func (f *Fact) item(name string) *Item {
	for i := range f.Items {
		if f.Items[i].Name == name {
			return &f.Items[i]
		}
	}
	return nil
}

// ItemTypes are the types of a list's items by their names; nil where the fact is no list.
func (f *Fact) ItemTypes() map[string]manifest.Type {
	if !f.IsList() {
		return nil
	}
	out := make(map[string]manifest.Type, len(f.Items))
	for i := range f.Items {
		out[f.Items[i].Name] = f.Items[i].Type
	}
	return out
}

// of is what records that were read say: of a list all of them, else the one that there is.
func (f *Fact) of(records []*registry.Record) (value any, there bool) {
	if !f.IsList() {
		if len(records) != 1 {
			return nil, false
		}
		return records[0].Value(f.Source)
	}
	out := make([]map[string]any, 0, len(records))
	for _, r := range records {
		one := make(map[string]any, len(f.Items))
		for i := range f.Items {
			v, there := r.Value(f.Items[i].Source)
			if !there {
				return nil, false
			}
			one[f.Items[i].Name] = v
		}
		out = append(out, one)
	}
	return out, len(out) <= rule.MaxItems
}

// sources are the fields of its agreement that a fact is read from.
func (f *Fact) sources() []string {
	if !f.IsList() {
		return []string{f.Source}
	}
	out := make([]string, len(f.Items))
	for i := range f.Items {
		out[i] = f.Items[i].Source
	}
	return out
}
