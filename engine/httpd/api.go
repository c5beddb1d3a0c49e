package httpd

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// describe is the OpenAPI document that operations are added to. It loads nothing from elsewhere: there is no page of documentation, and answers are
// just their data, without huma's links to schemas.
func describe(title, version string) huma.Config {
	humaOnce()
	config := huma.DefaultConfig(title, version)
	config.OpenAPIPath = "/api/v1/openapi"
	config.DocsPath, config.SchemasPath = "", ""
	config.CreateHooks = nil
	config.RejectUnknownQueryParameters = true
	config.Servers = []*huma.Server{{URL: "/"}}
	form := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	config.Formats = map[string]huma.Format{"application/json": form, "json": form}
	schemas := config.Components.Schemas
	schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	schemas.Map()["Problem"].AdditionalProperties = true // its further members
	config.OnAddOperation = append(config.OnAddOperation, complete)
	return config
}

// Answers adds problems to what an operation is described to answer, where the description hasn't got them. Whoever answers in place of operations calls it for each.
func Answers(op *huma.Operation, statuses ...int) {
	for _, status := range statuses {
		name := strconv.Itoa(status)
		if op.Responses[name] == nil {
			op.Responses[name] = &huma.Response{Description: http.StatusText(status), Content: map[string]*huma.MediaType{
				"application/problem+json": {Schema: &huma.Schema{Ref: "#/components/schemas/Problem"}},
			}}
		}
	}
}

// complete describes what the server answers in place of any operation, and has it refuse parameters that would be passed over.
func complete(doc *huma.OpenAPI, op *huma.Operation) {
	op.Middlewares = append(op.Middlewares, plainQuery)
	delete(op.Responses, "default") // huma's, where an operation says nothing of errors
	Answers(op, http.StatusBadRequest, http.StatusForbidden, http.StatusUnprocessableEntity, http.StatusInternalServerError, http.StatusServiceUnavailable)
	if op.RequestBody != nil {
		nullable(doc, op.RequestBody)
		Answers(op, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if op.Method != http.MethodGet {
		Answers(op, http.StatusInsufficientStorage)
	}
	op.Responses[strconv.Itoa(http.StatusRequestHeaderFieldsTooLarge)] = &huma.Response{ // net/http's own
		Description: fmt.Sprintf("The address and the headers are longer than %d KiB together", maxHeader>>10),
		Content:     map[string]*huma.MediaType{"text/plain": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
}

// nullable describes that a member which may be left out of a body may be null as well: it is as if it weren't there.
func nullable(doc *huma.OpenAPI, body *huma.RequestBody) {
	for _, content := range body.Content {
		schema := content.Schema
		if schema != nil && schema.Ref != "" {
			schema = doc.Components.Schemas.SchemaFromRef(schema.Ref)
		}
		if schema == nil {
			continue
		}
		for name, member := range schema.Properties {
			if slices.Contains(schema.Required, name) || member.Nullable || len(member.AnyOf) > 0 {
				continue
			}
			if member.Ref != "" {
				schema.Properties[name] = &huma.Schema{Description: member.Description, AnyOf: []*huma.Schema{{Ref: member.Ref}, {Type: "null"}}}
				continue
			}
			member.Nullable = true
			if len(member.Enum) > 0 {
				member.Enum = append(member.Enum, nil)
			}
		}
	}
}

// nowhere answers for the addresses under /api that lead to no operation.
func (s *Server) nowhere(w http.ResponseWriter, r *http.Request) {
	if allowed := s.allowed(r); len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		Fail(w, r, problem.New("request.method", http.StatusMethodNotAllowed, lang.F("이 주소에서는 %s 요청을 쓸 수 없습니다", "%s can't be used here", r.Method)).
			Hinting(lang.F("쓸 수 있는 요청: %s", "what can: %s", strings.Join(allowed, ", "))))
		return
	}
	Fail(w, r, problem.New("request.path", http.StatusNotFound, lang.F("없는 주소입니다: %.200s", "there is no address %.200s", r.URL.Path)).
		Hinting(lang.T("전체 주소는 /api/v1/openapi.json에서 보실 수 있습니다", "all addresses are in /api/v1/openapi.json")))
}

// allowed lists the methods that the request's address knows: those of the path that describes it best, for /cases/batch is no case.
func (s *Server) allowed(r *http.Request) (methods []string) {
	_, here := s.mux.Handler(r)
	by := map[string]string{} // method → path
	best := ""
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		_, pattern := s.mux.Handler(other)
		if pattern == here {
			continue
		}
		_, path, _ := strings.Cut(pattern, " ")
		by[m] = path
		if best == "" || strings.Count(path, "{") < strings.Count(best, "{") {
			best = path
		}
	}
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		if path, known := by[m]; known && path == best {
			methods = append(methods, m)
		}
	}
	return methods
}
