package outlet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// The read actions of CKAN's action API, version 3 (docs.ckan.org/en/latest/api). What isn't there is refused in CKAN's own form.

// fault is what CKAN says when something is wrong: status, type, and messages by argument or one message.
type fault struct {
	status  int
	kind    string
	message string
	by      map[string]string
}

// Error implements error.
func (f *fault) Error() string { return f.kind + ": " + f.message }

func notFound(what string) error { return &fault{404, "Not Found Error", "Not found: " + what, nil} }

func invalid(argument, message string) error {
	return &fault{409, "Validation Error", "", map[string]string{argument: message}}
}

// arguments are those of an action: of the query, or of a JSON body.
type arguments map[string]any

// Limits of CKAN's actions.
const (
	maxArguments = 1 << 20 // bytes
	ckanRows     = 1000    // of a search
)

type action func(o *Outlets, ctx context.Context, s *shelf, a arguments) (any, error)

var actions = map[string]action{
	"status_show": func(o *Outlets, _ context.Context, _ *shelf, _ arguments) (any, error) {
		return map[string]any{"ckan_version": "2.11.0", "site_url": o.base, "site_title": o.city.Ko, "site_description": "Maru", "error_emails_to": nil, "locale_default": "ko", "extensions": []string{"datastore"}}, nil
	},
	"site_read":                           func(*Outlets, context.Context, *shelf, arguments) (any, error) { return true, nil },
	"package_list":                        packageList,
	"package_show":                        packageShow,
	"package_search":                      packageSearch,
	"current_package_list_with_resources": packagesWithResources,
	"organization_list":                   organizationList,
	"organization_show":                   organizationShow,
	"group_list":                          groupList,
	"group_show":                          groupShow,
	"tag_list":                            tagList,
	"resource_show":                       resourceShow,
	"resource_search":                     resourceSearch,
	"license_list":                        licenseList,
	"help_show":                           helpShow,
	"datastore_info":                      datastoreInfo,
	"datastore_search":                    datastoreSearch,
	"datastore_search_sql": func(*Outlets, context.Context, *shelf, arguments) (any, error) {
		return nil, &fault{403, "Authorization Error", "datastore_search_sql isn't offered here: SQL of others isn't run. Use datastore_search with filters, q, sort, fields, limit and offset.", nil}
	},
}

func (o *Outlets) ckan(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization, X-CKAN-API-Key")
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	name := strings.Trim(r.URL.Path, "/")
	help := o.base + "/ckan/api/3/action/help_show?name=" + url.QueryEscape(name)
	result, err := o.act(r, name)
	if r.Context().Err() != nil {
		return
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	if err == nil {
		_ = json.NewEncoder(w).Encode(map[string]any{"help": help, "success": true, "result": result}) // the client went away: nobody to tell
		return
	}
	var f *fault
	if !errors.As(err, &f) {
		if p := problem.As(err); p != nil && p.Status < 500 {
			f = &fault{409, "Validation Error", p.In(lang.En), nil}
		} else {
			f = &fault{500, "Internal Server Error", "the server is in trouble", nil}
		}
	}
	said := map[string]any{"__type": f.kind}
	if f.message != "" {
		said["message"] = f.message
	}
	for argument, message := range f.by {
		said[argument] = []string{message}
	}
	w.WriteHeader(f.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"help": help, "success": false, "error": said})
}

func (o *Outlets) act(r *http.Request, name string) (any, error) {
	do := actions[name]
	if do == nil {
		return nil, &fault{400, "Bad Request", "Action name not known: " + name, nil}
	}
	a := arguments{}
	for k, v := range r.URL.Query() {
		if a[k] = v[0]; len(v) > 1 {
			a[k] = v
		}
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxArguments))
		if err != nil {
			return nil, &fault{400, "Bad Request", "the request is too long", nil}
		}
		switch {
		case len(body) == 0:
		case kind == "application/x-www-form-urlencoded" && !strings.HasPrefix(strings.TrimSpace(string(body)), "{"):
			form, err := url.ParseQuery(string(body))
			if err != nil {
				return nil, &fault{400, "Bad Request", "the form can't be read", nil}
			}
			for k, v := range form {
				a[k] = v[0]
			}
		default:
			d := json.NewDecoder(strings.NewReader(string(body)))
			d.UseNumber()
			if err := d.Decode(&a); err != nil {
				return nil, &fault{400, "Bad Request", "JSON Error: the body is no JSON object", nil}
			}
		}
	default:
		return nil, &fault{400, "Bad Request", "GET or POST", nil}
	}
	s, err := o.shelf(r.Context())
	if err != nil {
		return nil, err
	}
	return do(o, r.Context(), s, a)
}

// text is an argument as text.
func (a arguments) text(name string) string {
	switch v := a[name].(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// number is an argument as a number within bounds.
func (a arguments) number(name string, standard, most int) (int, error) {
	text := a.text(name)
	if text == "" {
		if _, given := a[name]; given && a[name] != nil {
			return 0, invalid(name, "Invalid integer")
		}
		return standard, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, invalid(name, "Invalid integer")
	}
	if n < 0 {
		return 0, invalid(name, "Must be a natural number")
	}
	return min(n, most), nil
}

// list is an argument that is a list, in JSON or between commas.
func (a arguments) list(name string) (out []string) {
	switch v := a[name].(type) {
	case []any:
		for _, one := range v {
			out = append(out, fmt.Sprint(one))
		}
	case []string:
		return v
	case string:
		if v == "" {
			return nil
		}
		if json.Unmarshal([]byte(v), &out) == nil {
			return out
		}
		for _, part := range strings.Split(v, ",") {
			out = append(out, strings.TrimSpace(part))
		}
	}
	return out
}

// truth is an argument that is yes or no.
func (a arguments) truth(name string, standard bool) bool {
	switch strings.ToLower(a.text(name)) {
	case "true", "yes", "1", "on":
		return true
	case "false", "no", "0", "off":
		return false
	}
	return standard
}

// page cuts a list by limit and offset.
func page[T any](list []T, a arguments) ([]T, error) {
	offset, err := a.number("offset", 0, len(list))
	if err != nil {
		return nil, err
	}
	limit, err := a.number("limit", len(list), len(list))
	if err != nil {
		return nil, err
	}
	return list[offset:min(offset+limit, len(list))], nil
}

func packageList(_ *Outlets, _ context.Context, s *shelf, a arguments) (any, error) {
	names := make([]string, len(s.items))
	for i, item := range s.items {
		names[i] = item.handle
	}
	slices.Sort(names)
	return page(names, a)
}

func packagesWithResources(o *Outlets, _ context.Context, s *shelf, a arguments) (any, error) {
	items, err := page(s.items, a)
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = o.pack(s, item)
	}
	return out, err
}

func packageShow(o *Outlets, _ context.Context, s *shelf, a arguments) (any, error) {
	id := a.text("id")
	if id == "" {
		id = a.text("name_or_id")
	}
	if id == "" {
		return nil, invalid("name_or_id", "Missing value")
	}
	item := s.by[id]
	if item == nil {
		return nil, notFound(id)
	}
	return o.pack(s, item), nil
}

// stamp is a time as CKAN writes it: UTC, without a zone.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000") }

// title is a text in Korean, or in English where it has no other.
func title(t lang.Text) string { return t.In(lang.Ko) }

// pack is a dataset as a package.
func (o *Outlets) pack(s *shelf, i *item) map[string]any {
	resources := o.resources(i)
	licence, called, open := i.licence()
	tags := []any{}
	for _, t := range i.tags {
		tags = append(tags, map[string]any{"id": identifier("tag", t), "name": t, "display_name": t, "state": "active", "vocabulary_id": nil})
	}
	out := map[string]any{
		"id": i.id, "name": i.handle, "title": title(i.Spec.Title), "notes": title(i.Spec.About), "url": o.page(i), "type": "dataset", "state": "active", "private": false,
		"isopen": open, "license_id": licence, "license_title": called, "metadata_created": stamp(i.made), "metadata_modified": stamp(i.changed()), "version": strconv.FormatInt(i.Revision, 10),
		"author": nil, "author_email": nil, "maintainer": nil, "maintainer_email": nil, "creator_user_id": nil, "owner_org": nil, "organization": nil,
		"resources": resources, "num_resources": len(resources), "tags": tags, "num_tags": len(tags), "extras": []any{}, "relationships_as_subject": []any{}, "relationships_as_object": []any{},
		"groups": []any{o.group(s, i.Project)},
	}
	if i.owner != "" {
		org := o.organization(s, i.owner)
		out["organization"], out["owner_org"] = org, org["id"]
	}
	if i.Spec.Title.En != "" {
		out["title_translated"] = map[string]string{"ko": i.Spec.Title.Ko, "en": i.Spec.Title.En}
	}
	return out
}

// forms are the forms of a package's resources: of downloads by the API of records.
var forms = []form{
	{"CSV", "csv", "text/csv"},
	{"JSONL", "jsonl", "application/x-ndjson"},
	{"Parquet", "parquet", "application/vnd.apache.parquet"},
	{"XLSX", "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
	{"GeoJSON", "geojson", "application/geo+json"},
}

type form struct{ form, as, media string }

// forms are those that a dataset can be had in: GeoJSON only where it says where things are.
func (i *item) forms() []form {
	if registry.PlaceIn(i.Dataset).Any() {
		return forms
	}
	return forms[:len(forms)-1]
}

func (o *Outlets) resources(i *item) []any {
	out := make([]any, len(i.forms()))
	for n, f := range i.forms() {
		out[n] = map[string]any{
			"id": identifier("resource", i.Path(), f.as), "package_id": i.id, "name": title(i.Spec.Title) + " (" + f.form + ")", "description": "", "format": f.form, "mimetype": f.media,
			"url": o.base + "/api/v1/datasets/" + i.Path() + "/records?as=" + f.as, "url_type": nil, "position": n, "state": "active", "datastore_active": f.as == "csv",
			"created": stamp(i.made), "last_modified": stamp(i.changed()), "metadata_modified": stamp(i.changed()), "resource_type": nil, "hash": "", "size": nil,
		}
	}
	return out
}

func (o *Outlets) organization(s *shelf, name string) map[string]any {
	t := s.snapshot.Title(manifest.Key{Kind: "Agency", Name: name})
	return map[string]any{
		"id": identifier("organization", name), "name": name, "title": title(t), "display_name": title(t), "description": "", "type": "organization", "is_organization": true, "state": "active", "approval_status": "approved",
		"image_url": "",
	}
}

func (o *Outlets) group(s *shelf, project string) map[string]any {
	t := s.snapshot.Title(manifest.Key{Kind: "Project", Name: project})
	return map[string]any{
		"id": identifier("group", project), "name": project, "title": title(t), "display_name": title(t), "description": "", "type": "group", "is_organization": false, "state": "active", "approval_status": "approved", "image_display_url": "",
	}
}

// collection lists organizations or groups.
func collection(list []*manifest.Resource, a arguments, one func(name string) map[string]any, count func(name string) int) (any, error) {
	wanted := a.list(map[bool]string{true: "organizations", false: "groups"}[len(a.list("organizations")) > 0])
	names, full := []string{}, []any{}
	for _, r := range list {
		if len(wanted) > 0 && !slices.Contains(wanted, r.Name) {
			continue
		}
		names = append(names, r.Name)
		entry := one(r.Name)
		entry["package_count"] = count(r.Name)
		full = append(full, entry)
	}
	if a.truth("all_fields", false) {
		return page(full, a)
	}
	return page(names, a)
}

func (s *shelf) of(owned func(*item) bool) (out []*item) {
	for _, i := range s.items {
		if owned(i) {
			out = append(out, i)
		}
	}
	return out
}

func organizationList(o *Outlets, _ context.Context, s *shelf, a arguments) (any, error) {
	return collection(s.agencies, a, func(name string) map[string]any { return o.organization(s, name) }, func(name string) int { return len(s.of(func(i *item) bool { return i.owner == name })) })
}

func groupList(o *Outlets, _ context.Context, s *shelf, a arguments) (any, error) {
	return collection(s.projects, a, func(name string) map[string]any { return o.group(s, name) }, func(name string) int { return len(s.of(func(i *item) bool { return i.Project == name })) })
}

// show finds one of a collection by its name or id.
func show(o *Outlets, s *shelf, a arguments, list []*manifest.Resource, kind string, one func(name string) map[string]any, has func(*item, string) bool) (any, error) {
	id := a.text("id")
	if id == "" {
		return nil, invalid("id", "Missing value")
	}
	for _, r := range list {
		if r.Name != id && identifier(kind, r.Name) != id {
			continue
		}
		out, packages := one(r.Name), []any{}
		owned := s.of(func(i *item) bool { return has(i, r.Name) })
		if a.truth("include_datasets", false) {
			for _, i := range owned[:min(len(owned), ckanRows)] {
				packages = append(packages, o.pack(s, i))
			}
			out["packages"] = packages
		}
		out["package_count"], out["users"], out["tags"], out["groups"], out["extras"] = len(owned), []any{}, []any{}, []any{}, []any{}
		return out, nil
	}
	return nil, notFound(id)
}

func organizationShow(o *Outlets, _ context.Context, s *shelf, a arguments) (any, error) {
	return show(o, s, a, s.agencies, "organization", func(name string) map[string]any { return o.organization(s, name) }, func(i *item, name string) bool { return i.owner == name })
}

func groupShow(o *Outlets, _ context.Context, s *shelf, a arguments) (any, error) {
	return show(o, s, a, s.projects, "group", func(name string) map[string]any { return o.group(s, name) }, func(i *item, name string) bool { return i.Project == name })
}

func tagList(_ *Outlets, _ context.Context, s *shelf, a arguments) (any, error) {
	want := catalog.Fold(a.text("query"))
	seen, out := map[string]bool{}, []string{}
	for _, i := range s.items {
		for _, t := range i.tags {
			if !seen[t] && strings.Contains(catalog.Fold(t), want) {
				seen[t] = true
				out = append(out, t)
			}
		}
	}
	slices.Sort(out)
	if !a.truth("all_fields", false) {
		return out, nil
	}
	full := make([]any, len(out))
	for n, t := range out {
		full[n] = map[string]any{"id": identifier("tag", t), "name": t, "display_name": t, "vocabulary_id": nil}
	}
	return full, nil
}
