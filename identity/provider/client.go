package provider

import (
	"errors"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/maru-city/maru/identity"
)

// The clients beside service accounts.
const (
	pagesClient = identity.StandardClient
	// CLIClient is the command line.
	CLIClient = "maru-cli"
)

// client is who asks for tokens.
type client struct {
	id       string
	secret   string
	project  string // of a service account
	base     string
	grants   []oidc.GrantType
	redirect []string
	back     []string
	public   bool
}

// clientOf finds a client: the pages, the command line, or a service account.
func (s *storage) clientOf(id string) (*client, error) {
	switch id {
	case pagesClient:
		return &client{
			id: id, base: s.Base, public: true, grants: []oidc.GrantType{oidc.GrantTypeCode},
			redirect: []string{s.Base + identity.CallbackPath}, back: []string{s.Base + "/"},
		}, nil
	case CLIClient:
		return &client{id: id, base: s.Base, public: true, grants: []oidc.GrantType{oidc.GrantTypeDeviceCode}}, nil
	}
	if a := s.account(id); a != nil && a.Kind == identity.Service && a.Secret != "" {
		return &client{
			id: id, secret: a.Secret, project: a.Project, base: s.Base, grants: []oidc.GrantType{oidc.GrantTypeClientCredentials, oidc.GrantTypeCode},
			redirect: []string{"http://127.0.0.1/callback"},
		}, nil
	}
	return nil, errors.New("there is no such client")
}

// GetID implements op.Client.
func (c *client) GetID() string { return c.id }

// RedirectURIs implements op.Client.
func (c *client) RedirectURIs() []string { return c.redirect }

// PostLogoutRedirectURIs implements op.Client.
func (c *client) PostLogoutRedirectURIs() []string { return c.back }

// ApplicationType implements op.Client. A native application may have a loopback address with any port (RFC 8252).
func (c *client) ApplicationType() op.ApplicationType { return op.ApplicationTypeNative }

// AuthMethod implements op.Client.
func (c *client) AuthMethod() oidc.AuthMethod {
	if c.public {
		return oidc.AuthMethodNone
	}
	return oidc.AuthMethodBasic
}

// ResponseTypes implements op.Client.
func (c *client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

// GrantTypes implements op.Client.
func (c *client) GrantTypes() []oidc.GrantType { return c.grants }

// LoginURL implements op.Client.
func (c *client) LoginURL(id string) string { return c.base + LoginPath + "?sign_in=" + id }

// AccessTokenType implements op.Client.
func (c *client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }

// IDTokenLifetime implements op.Client.
func (c *client) IDTokenLifetime() time.Duration { return tokenLife }

// DevMode implements op.Client.
func (c *client) DevMode() bool { return strings.HasPrefix(c.base, "http://") }

// RestrictAdditionalIdTokenScopes implements op.Client.
func (c *client) RestrictAdditionalIdTokenScopes() func([]string) []string { return same }

// RestrictAdditionalAccessTokenScopes implements op.Client.
func (c *client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return same }

func same(scopes []string) []string { return scopes }

// IsScopeAllowed implements op.Client.
func (c *client) IsScopeAllowed(string) bool { return false }

// IDTokenUserinfoClaimsAssertion implements op.Client: the ID token says who it is by itself.
func (c *client) IDTokenUserinfoClaimsAssertion() bool { return true }

// ClockSkew implements op.Client.
func (c *client) ClockSkew() time.Duration { return 0 }
