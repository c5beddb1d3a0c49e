// Package provider is the embedded OpenID Connect provider of demos and tests. Its people are ready-made and need no password: who reaches it
// can be any of them, so a real city names a provider of its own and never starts this one.
//
// It speaks OpenID Connect as any other (zitadel/oidc): authorization code with PKCE, device code (RFC 8628), client credentials. It keeps what is under
// way in memory. Its pages, where one chooses who to be, are made elsewhere and call [Provider.Choose] and [Provider.Allow].
package provider
