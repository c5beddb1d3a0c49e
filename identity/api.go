package identity

import (
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/maru-city/maru/engine/httpd"
)

const bearer = "bearer"

// Anyone is the [huma.Operation.Security] of an operation that whoever isn't signed in may call too; what they get is the operation's to decide.
func Anyone() []map[string][]string { return []map[string][]string{{}, {bearer: {}}} }

// Guard refuses, before their bodies are read, all requests to operations that aren't for [Anyone] where nobody is signed in, and says so in the description. It
// is called before operations are registered.
func Guard(api huma.API) {
	doc := api.OpenAPI()
	if doc.Components.SecuritySchemes == nil {
		doc.Components.SecuritySchemes = map[string]*huma.SecurityScheme{}
	}
	doc.Components.SecuritySchemes[bearer] = &huma.SecurityScheme{
		Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "An access token of the provider that /.well-known/oauth-protected-resource names (RFC 9728); pages use their session",
	}
	doc.Security = []map[string][]string{{bearer: {}}}
	doc.OnAddOperation = append(doc.OnAddOperation, func(_ *huma.OpenAPI, op *huma.Operation) {
		httpd.Answers(op, http.StatusUnauthorized, http.StatusForbidden) // of those for anyone too: what they get may need more
	})
	api.UseMiddleware(func(ctx huma.Context, next func(huma.Context)) {
		who := From(ctx.Context())
		open := slices.ContainsFunc(ctx.Operation().Security, func(s map[string][]string) bool { return len(s) == 0 })
		if who.SignedIn() || open {
			next(ctx)
			return
		}
		r, w := humago.Unwrap(ctx)
		httpd.Fail(w, r, who.Refused())
	})
}
