// Package httpd is the HTTP server that everything of the platform is mounted on.
//
// [New] makes a [Server] with a mux for pages ([Server.Handle]) and an OpenAPI 3.1 description for operations ([Server.API]). Every request passes
// the same gates: it gets a number and the reader's language, is refused when it comes from elsewhere ([guard]), is logged and
// measured by its route. A panic is an internal error of that request alone. [Server.Serve] ends gracefully.
//
// Errors of operations are RFC 9457 problems: a [problem.Problem] as it says itself; what the request got wrong in its form with the code
// request.invalid; anything else is logged under the number of the request, and only the number is told.
//
// It knows no path but /api/v1/openapi.json and .yaml, /healthz, /readyz and /metrics, and no word of the city.
package httpd
