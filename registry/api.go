package registry

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// MaxRecordBody is how long the JSON of one record may be.
const MaxRecordBody = 4 << 20

// api are the operations on records.
type api struct {
	*Registry
	snapshot func() *catalog.Snapshot
	work     Work
	keep     Keep
}

// Work has the long work done, behind the back of who asks for it.
type Work interface {
	StartImport(id int64)                                           // its file is here
	StartSource(ctx context.Context, project, dataset string) error // it is read now
}

// Serve registers the operations on records under /api/v1. snapshot gives the catalog as it is; keep writes receipts of what is read about persons.
func (r *Registry) Serve(h huma.API, snapshot func() *catalog.Snapshot, work Work, keep Keep) {
	a := &api{r, snapshot, work, keep}
	const records = "/api/v1/datasets/{project}/{dataset}/records"
	op := func(id, method, path, summary string, errs ...int) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: path, Summary: summary, Tags: []string{"records"}, Errors: append(errs, 404), MaxBodyBytes: MaxRecordBody}
	}
	reading := func(id, path, summary string, errs ...int) huma.Operation { // of open data also by those who aren't signed in
		o := op(id, http.MethodGet, path, summary, errs...)
		o.Security = identity.Anyone()
		return o
	}
	list := reading("list-records", records, "Records: filtered, sorted, by pages, or all of them to download", 400)
	list.Responses = map[string]*huma.Response{"200": listResponse(h.OpenAPI().Components.Schemas)}
	huma.Register(h, list, a.list)
	create := op("create-record", http.MethodPost, records, "Create a record", 409)
	create.DefaultStatus = http.StatusCreated
	huma.Register(h, create, a.create)
	get := reading("get-record", records+"/{key}", "One record")
	text := &huma.Param{Schema: &huma.Schema{Type: huma.TypeString}}
	get.Responses = map[string]*huma.Response{"304": {Description: "It is the version of If-None-Match", Headers: map[string]*huma.Param{"ETag": text}}}
	huma.Register(h, get, a.get)
	put := op("put-record", http.MethodPut, records+"/{key}", "Make a record what the body says, all of it", 409, 428)
	put.Responses = map[string]*huma.Response{"201": {
		Description: "It is new", Headers: map[string]*huma.Param{"ETag": text, "Location": text},
		Content: map[string]*huma.MediaType{"application/json": {Schema: (&Record{}).Schema(h.OpenAPI().Components.Schemas)}},
	}}
	huma.Register(h, put, a.put)
	patch := op("patch-record", http.MethodPatch, records+"/{key}", "Change some fields of a record (RFC 7396)", 409, 428)
	huma.Register(h, patch, a.patch)
	huma.Register(h, op("delete-record", http.MethodDelete, records+"/{key}", "Delete a record; its history stays", 409, 428), a.delete)
	huma.Register(h, reading("list-record-history", records+"/{key}/history", "What a record was and is, the newest first"), a.history)
	huma.Register(h, reading("get-profile", "/api/v1/datasets/{project}/{dataset}/profile", "What values the fields have"), a.profile)
	huma.Register(h, reading("describe-dataset", "/api/v1/datasets/{project}/{dataset}/openapi.json", "The OpenAPI description of one dataset's API, with its fields"),
		func(ctx context.Context, in *DatasetPath) (*struct{ Body json.RawMessage }, error) {
			d, err := a.readable(ctx, *in)
			if err != nil {
				return nil, err
			}
			text, err := describe(h.OpenAPI(), d)
			return &struct{ Body json.RawMessage }{text}, err
		})
	a.serveImports(h)
}

// The schemas of records, which a dataset's own description makes exact.
const (
	valuesSchema = "RecordValues"
	recordSchema = "Record"
)

// Schema describes the fields of a record in general; those of one dataset are in its own description.
func (Values) Schema(schemas huma.Registry) *huma.Schema {
	schemas.Map()[valuesSchema] = &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: "The fields of the dataset. What begins with an underscore is left out."}
	return &huma.Schema{Ref: "#/components/schemas/" + valuesSchema}
}

// Schema describes a record in general.
func (*Record) Schema(schemas huma.Registry) *huma.Schema {
	schemas.Map()[recordSchema] = &huma.Schema{
		Type: huma.TypeObject, AdditionalProperties: true, Required: []string{keyMember, versionMember}, Description: "The fields of the dataset, and:",
		Properties: map[string]*huma.Schema{
			keyMember:     {Type: huma.TypeString, Description: "Names the record in paths: its key fields joined by commas"},
			versionMember: {Type: huma.TypeInteger, Format: "int64", Description: "The change that made it; its ETag"},
		},
	}
	return &huma.Schema{Ref: "#/components/schemas/" + recordSchema}
}

// DatasetPath is a dataset in an address of the API.
type DatasetPath struct {
	Project string `path:"project" maxLength:"63"`
	Dataset string `path:"dataset" maxLength:"63"`
}

// dataset finds the dataset of a path.
func (a *api) dataset(in DatasetPath) (*catalog.Dataset, error) {
	s := a.snapshot()
	if d := s.Dataset(in.Project, in.Dataset); d != nil {
		return d, nil
	}
	p := problem.New("dataset.unknown", 404, lang.F("없는 데이터셋입니다: %s/%s", "there is no dataset %s/%s", in.Project, in.Dataset))
	var paths []string
	for _, d := range s.Datasets() {
		paths = append(paths, d.Path())
	}
	if near := manifest.Nearest(in.Project+"/"+in.Dataset, paths); near != "" {
		return nil, p.Hinting(lang.F("비슷한 이름: %s", "did you mean %s?", near))
	}
	return nil, p.Hinting(lang.T("전체 목록: maru get dataset", "what there is: maru get dataset"))
}

// RecordPath is a record in an address of the API.
type RecordPath struct {
	DatasetPath
	Key string `path:"key" maxLength:"4096" doc:"The record's _key"`
}

type listInput struct {
	DatasetPath
	Filter string `query:"filter" maxLength:"16000" doc:"A condition in CEL, such as: district == \"11110\" && seats > 100" example:"seats > 100"`
	Sort   string `query:"sort" maxLength:"2000" doc:"Fields, comma-separated; - before one for descending" example:"-seats,name"`
	Fields string `query:"fields" maxLength:"32000" doc:"Fields, comma-separated; all where none are named"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Records in a page; downloads have all"`
	Cursor string `query:"cursor" maxLength:"16000" doc:"The next of the page before"`
	As     string `query:"as" enum:"json,jsonl,csv,xlsx,geojson,parquet,arrow" default:"json" doc:"json is a page; the others are all records"`
	BOM    bool   `query:"bom" doc:"Begin a CSV with a byte order mark, by which Excel knows UTF-8"`
}

func (in *listInput) query() Query {
	q := Query{Filter: in.Filter, Sort: in.Sort, Limit: in.Limit, Cursor: in.Cursor}
	for name := range strings.SplitSeq(in.Fields, ",") {
		if name = strings.TrimSpace(name); name != "" {
			q.Fields = append(q.Fields, name)
		}
	}
	return q
}

// listResponse describes a page and the downloads.
func listResponse(schemas huma.Registry) *huma.Response {
	page := &huma.Schema{Type: huma.TypeObject, Required: []string{"items"}, Properties: map[string]*huma.Schema{
		"items": {Type: huma.TypeArray, Items: (&Record{}).Schema(schemas)},
		"next":  {Type: huma.TypeString, Description: "The cursor of the next page; absent at the end"},
	}}
	binary := &huma.Schema{Type: huma.TypeString, Format: "binary"}
	content := map[string]*huma.MediaType{"application/json": {Schema: page}}
	for _, f := range Forms {
		media, _, _ := strings.Cut(f.MediaType, ";")
		content[media] = &huma.MediaType{Schema: binary}
	}
	return &huma.Response{Description: "Records", Content: content}
}

func (a *api) list(ctx context.Context, in *listInput) (*huma.StreamResponse, error) {
	d, err := a.readable(ctx, in.DatasetPath)
	if err != nil {
		return nil, err
	}
	q := in.query()
	form, download := FormNamed(in.As)
	if download {
		if _, err := a.Check(d, q); err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(h huma.Context) { a.download(h, d, q, form, in.BOM) }}, nil
	}
	short, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	asked := q
	q, added := withSubject(d, q)
	page, err := a.List(short, d, q)
	if short.Err() != nil && ctx.Err() == nil {
		return nil, problem.New("list.slow", 503, lang.F("%d초 안에 찾지 못했습니다", "it wasn't found within %d seconds", int(listTime.Seconds()))).
			Hinting(lang.T("조건을 좁히거나, 자주 찾는 항목을 선언문의 index:에 쓰십시오", "narrow the filter, or name the fields in the manifest's index:"))
	}
	if err == nil {
		err = a.seen(ctx, d, asked, page.Records, page.ahead)
	}
	if err != nil {
		return nil, err
	}
	if added {
		without(page.Records)
	}
	return &huma.StreamResponse{Body: func(h huma.Context) {
		h.SetHeader("Content-Type", "application/json")
		_, _ = h.BodyWriter().Write(page.JSON()) // the client has gone: nobody to tell
	}}, nil
}

// JSON is the page as {items, next}.
func (p *Page) JSON() []byte {
	var b strings.Builder
	b.WriteString(`{"items":[`)
	for i, rec := range p.Records {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := rec.MarshalJSON()
		if err != nil {
			text = []byte("null") // values of the database are JSON's: it can't be
		}
		b.Write(text)
	}
	b.WriteByte(']')
	if p.Next != "" {
		b.WriteString(`,"next":"` + p.Next + `"`)
	}
	b.WriteString("}\n")
	return []byte(b.String())
}

// listTime is how long a page may take.
const listTime = 30 * time.Second
