package httpd

import (
	"net/http"
	"reflect"
	"slices"
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
	schemas := config.Components.Schemas
	schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	schemas.Map()["Problem"].AdditionalProperties = true // its further members
	return config
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

// allowed lists the methods that the request's address knows.
func (s *Server) allowed(r *http.Request) (methods []string) {
	_, here := s.mux.Handler(r)
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = m
		if _, pattern := s.mux.Handler(other); pattern != here {
			methods = append(methods, m)
		}
	}
	return slices.Clip(methods)
}
