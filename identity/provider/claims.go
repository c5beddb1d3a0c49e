package provider

import (
	"crypto/ecdsa"
	"fmt"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/identity"
)

// claims are what tokens say of an account, beside its subject.
func (a *Account) claims() map[string]any {
	c := identity.StandardClaims
	out := map[string]any{c.Kind: string(a.Kind), "preferred_username": a.Name, "name": a.Title.In(lang.Ko)}
	for name, value := range map[string]string{c.Agency: a.Agency, c.Project: a.Project} {
		if value != "" {
			out[name] = value
		}
	}
	if len(a.Roles) > 0 {
		out[c.Roles] = a.Roles
	}
	return out
}

// claimsFor are the claims in tokens for a client. The city's own identifier of a person is told to the city's own pages and API only.
func (s *storage) claimsFor(a *Account, client *client) map[string]any {
	out := a.claims()
	if a.Person != "" && client.project == "" {
		out[identity.StandardClaims.Person] = a.Person
	}
	return out
}

// subject is what a client knows an account by: a project's clients know a person by the project's own identifier (OpenID Connect Core, 8.1).
func (s *storage) subject(a *Account, client *client) (string, error) {
	if a.Person == "" || client.project == "" {
		return a.Name, nil
	}
	return s.Pairwise(client.project, a.Person)
}

// sign makes an access token of an account for the API.
func (s *storage) sign(a *Account, life time.Duration) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.key.key, KeyID: s.key.ID()}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	now := s.Now()
	claims := s.claimsFor(a, &client{})
	claims["iss"], claims["sub"], claims["aud"] = s.Base+Path, a.Name, identity.StandardAudience
	claims["iat"], claims["exp"], claims["jti"] = now.Unix(), now.Add(life).Unix(), newID()
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return token, nil
}

// signing is the key of tokens, as op asks for it.
type signing struct{ key *ecdsa.PrivateKey }

// SignatureAlgorithm implements op.SigningKey.
func (s *signing) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }

// Key implements op.SigningKey.
func (s *signing) Key() any { return s.key }

// ID implements op.SigningKey.
func (s *signing) ID() string { return "maru" }

// public is its other half, for the address of keys.
type public struct{ *signing }

// Algorithm implements op.Key.
func (public) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }

// Use implements op.Key.
func (public) Use() string { return "sig" }

// Key implements op.Key.
func (p public) Key() any { return &p.key.PublicKey }

var _ op.Key = public{}
