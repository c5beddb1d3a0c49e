package outlet

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/maru-city/maru/engine/httpd"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// authority are tables of the EU's Publications Office, whose entries DCAT-AP asks for.
const authority = "http://publications.europa.eu/resource/authority/"

// dcat is the catalogue of open datasets as JSON-LD (W3C DCAT 3, DCAT-AP 3).
func (o *Outlets) dcat(w http.ResponseWriter, r *http.Request) {
	s, err := o.shelf(r.Context())
	if err != nil {
		httpd.Fail(w, r, err)
		return
	}
	at := o.base + "/catalog.jsonld"
	datasets, graph := []any{}, []any{}
	for _, a := range s.agencies {
		graph = append(graph, o.agent(a.Name, a.Spec.Titled()))
	}
	for _, i := range s.items {
		datasets = append(datasets, map[string]any{"@id": o.page(i)})
		graph = append(graph, o.dataset(i)...)
	}
	catalogue := map[string]any{
		"@id": at, "@type": "dcat:Catalog", "dct:title": told(lang.F("%s의 공개 자료", "Open data of %s", o.city)), "dct:description": told(lang.T("누구나 쓸 수 있는 데이터셋", "The datasets that are open to all")),
		"dct:publisher": map[string]any{"@id": at + "#publisher"}, "dct:language": map[string]any{"@id": authority + "language/KOR"}, "foaf:homepage": map[string]any{"@id": o.base + "/"}, "dcat:dataset": datasets,
	}
	linked(w, append([]any{catalogue, o.publisher()}, graph...))
}

// dcatOne is one dataset as JSON-LD.
func (o *Outlets) dcatOne(w http.ResponseWriter, r *http.Request) {
	s, i := o.shown(w, r)
	if i == nil {
		return
	}
	graph := o.dataset(i)
	if i.owner == "" {
		graph = append(graph, o.publisher())
	} else {
		graph = append(graph, o.agent(i.owner, s.snapshot.Title(manifest.Key{Kind: "Agency", Name: i.owner})))
	}
	linked(w, graph)
}

func (o *Outlets) publisher() any {
	return map[string]any{"@id": o.base + "/catalog.jsonld#publisher", "@type": "foaf:Agent", "foaf:name": told(o.city)}
}

func (o *Outlets) agent(name string, title lang.Text) any {
	return map[string]any{"@id": o.agency(name), "@type": "foaf:Agent", "foaf:name": told(title)}
}

// page is the dataset's page, by which it is named too.
func (o *Outlets) page(i *item) string { return o.base + "/data/" + i.Path() }

// linked writes a graph.
func linked(w http.ResponseWriter, graph []any) {
	w.Header().Set("Content-Type", "application/ld+json; charset=utf-8")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client went away: nobody to tell
		"@context": map[string]any{
			"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "foaf": "http://xmlns.com/foaf/0.1/", "xsd": "http://www.w3.org/2001/XMLSchema#", "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
		},
		"@graph": graph,
	})
}

func (o *Outlets) agency(name string) string { return o.base + "/catalog.jsonld#agency-" + name }

// told is a text in its languages.
func told(t lang.Text) []any {
	out := []any{}
	for tag, text := range map[string]string{"ko": t.Ko, "en": t.En} {
		if text != "" {
			out = append(out, map[string]string{"@language": tag, "@value": text})
		}
	}
	return out
}

// files are the forms' entries in the table of file types.
var files = map[string]string{"csv": "CSV", "jsonl": "JSON", "parquet": "PARQUET", "xlsx": "XLSX", "geojson": "GEOJSON"}

func (o *Outlets) dataset(i *item) []any {
	id, publisher := o.page(i), o.base+"/catalog.jsonld#publisher"
	if i.owner != "" {
		publisher = o.agency(i.owner)
	}
	about := i.Spec.About
	if about.Empty() {
		about = i.Spec.Title
	}
	distributions, out := []any{}, []any{}
	for _, f := range i.forms() {
		at := id + "#" + f.as
		distributions = append(distributions, map[string]any{"@id": at})
		one := map[string]any{
			"@id": at, "@type": "dcat:Distribution", "dct:title": f.form, "dcat:accessURL": map[string]any{"@id": o.base + "/api/v1/datasets/" + i.Path() + "/records?as=" + f.as},
			"dcat:downloadURL": map[string]any{"@id": o.base + "/api/v1/datasets/" + i.Path() + "/records?as=" + f.as},
			"dcat:mediaType":   map[string]any{"@id": "http://www.iana.org/assignments/media-types/" + f.media}, "dct:format": map[string]any{"@id": authority + "file-type/" + files[f.as]},
		}
		if i.Spec.Licence != "" {
			one["dct:license"] = licence(i.Spec.Licence)
		}
		out = append(out, one)
	}
	keywords := []any{}
	for _, t := range i.tags {
		keywords = append(keywords, map[string]string{"@language": "ko", "@value": t})
	}
	d := map[string]any{
		"@id": id, "@type": "dcat:Dataset", "dct:identifier": i.id, "dct:title": told(i.Spec.Title), "dct:description": told(about), "dct:publisher": map[string]any{"@id": publisher}, "dcat:distribution": distributions,
		"dct:modified": map[string]string{"@type": "xsd:dateTime", "@value": i.changed().UTC().Format("2006-01-02T15:04:05Z")}, "dct:language": map[string]any{"@id": authority + "language/KOR"},
		"dct:accessRights": map[string]any{"@id": authority + "access-right/PUBLIC"}, "dcat:landingPage": map[string]any{"@id": id},
	}
	if len(keywords) > 0 {
		d["dcat:keyword"] = keywords
	}
	if every := frequency(i.Spec.Source); every != "" {
		d["dct:accrualPeriodicity"] = map[string]any{"@id": authority + "frequency/" + every}
	}
	return append([]any{d}, out...)
}

// licence is a licence: an address where it is one, a name otherwise.
func licence(name string) any {
	if strings.HasPrefix(name, "http") {
		return map[string]any{"@id": name, "@type": "dct:LicenseDocument"}
	}
	return map[string]any{"@type": "dct:LicenseDocument", "rdfs:label": name}
}

// frequency is how often a source is read, as an entry of the table of frequencies.
func frequency(from *manifest.Source) string {
	if from == nil || from.Schedule == "" {
		return ""
	}
	f := strings.Fields(from.Schedule)
	switch {
	case len(f) != 5:
		return "CONT"
	case f[4] != "*":
		return "WEEKLY"
	case f[2] != "*":
		return "MONTHLY"
	}
	return "DAILY"
}
