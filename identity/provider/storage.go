package provider

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"
	"time"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/maru-city/maru/identity"
)

var (
	_ op.Storage                    = (*storage)(nil)
	_ op.ClientCredentialsStorage   = (*storage)(nil)
	_ op.DeviceAuthorizationStorage = (*storage)(nil)
	_ op.CanSetUserinfoFromRequest  = (*storage)(nil)
)

// errGone is the error of what isn't there, or no longer.
var errGone = errors.New("it isn't there, or has expired")

// request is a sign-in that is under way.
type request struct {
	*oidc.AuthRequest
	id      string
	store   *storage
	account *Account
	at      time.Time
	expires time.Time
}

// GetID implements op.AuthRequest.
func (r *request) GetID() string { return r.id }

// GetACR implements op.AuthRequest.
func (r *request) GetACR() string { return "" }

// GetAMR implements op.AuthRequest.
func (r *request) GetAMR() []string { return nil }

// GetAudience implements op.AuthRequest.
func (r *request) GetAudience() []string { return []string{r.ClientID} }

// GetClientID implements op.AuthRequest.
func (r *request) GetClientID() string { return r.ClientID }

// GetNonce implements op.AuthRequest.
func (r *request) GetNonce() string { return r.Nonce }

// GetScopes implements op.AuthRequest.
func (r *request) GetScopes() []string { return r.Scopes }

// GetResponseMode implements op.AuthRequest.
func (r *request) GetResponseMode() oidc.ResponseMode { return r.ResponseMode }

// GetAuthTime implements op.AuthRequest.
func (r *request) GetAuthTime() time.Time { return r.at }

// GetCodeChallenge implements op.AuthRequest.
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	if r.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: r.CodeChallenge, Method: r.CodeChallengeMethod}
}

// GetSubject implements op.AuthRequest.
func (r *request) GetSubject() string {
	if r.account == nil {
		return ""
	}
	c, err := r.store.clientOf(r.ClientID)
	if err != nil {
		return ""
	}
	sub, err := r.store.subject(r.account, c)
	if err != nil {
		return ""
	}
	return sub
}

// Done implements op.AuthRequest.
func (r *request) Done() bool { return r.account != nil }

// CreateAuthRequest implements op.Storage.
func (s *storage) CreateAuthRequest(_ context.Context, asked *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if len(asked.Prompt) == 1 && asked.Prompt[0] == "none" {
		return nil, oidc.ErrLoginRequired()
	}
	if asked.CodeChallenge == "" || asked.CodeChallengeMethod != oidc.CodeChallengeMethodS256 {
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE with S256 is needed")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	r := &request{AuthRequest: asked, id: newID(), store: s, expires: s.Now().Add(signInLife)}
	s.requests[r.id] = r
	return r, nil
}

// AuthRequestByID implements op.Storage.
func (s *storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.requests[id]; r != nil && s.Now().Before(r.expires) {
		return r, nil
	}
	return nil, errGone
}

// AuthRequestByCode implements op.Storage. A code is good once.
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	id := s.codes[code]
	delete(s.codes, code)
	s.mu.Unlock()
	return s.AuthRequestByID(ctx, id)
}

// SaveAuthCode implements op.Storage.
func (s *storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

// DeleteAuthRequest implements op.Storage.
func (s *storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

// granted is an access token that was given out.
type granted struct {
	account *Account
	client  string
	expires time.Time
}

// CreateAccessToken implements op.Storage.
func (s *storage) CreateAccessToken(_ context.Context, asked op.TokenRequest) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	g := &granted{expires: s.Now().Add(tokenLife)}
	switch r := asked.(type) {
	case *request:
		g.account, g.client = r.account, r.ClientID
	case *op.DeviceAuthorizationState:
		g.account, g.client = s.account(r.Subject), r.ClientID
		for code, d := range s.devices { // a device code is good once
			if d.state == r {
				delete(s.devices, code)
			}
		}
	case *machine:
		g.account, g.client = r.account, r.account.Name
	}
	if g.account == nil {
		return "", time.Time{}, errGone
	}
	id := newID()
	s.tokens[id] = g
	return id, g.expires, nil
}

// CreateAccessAndRefreshTokens implements op.Storage: there are no refresh tokens.
func (s *storage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, oidc.ErrInvalidScope().WithDescription("there are no refresh tokens")
}

// TokenRequestByRefreshToken implements op.Storage.
func (s *storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, op.ErrInvalidRefreshToken
}

// GetRefreshTokenInfo implements op.Storage.
func (s *storage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

// TerminateSession implements op.Storage.
func (s *storage) TerminateSession(_ context.Context, subject, clientID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.tokens {
		if t.account.Name == subject && t.client == clientID {
			delete(s.tokens, id)
		}
	}
	return nil
}

// RevokeToken implements op.Storage.
func (s *storage) RevokeToken(_ context.Context, id, _, clientID string) *oidc.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tokens[id]; t != nil && t.client == clientID {
		delete(s.tokens, id)
	}
	return nil
}

// SigningKey implements op.Storage.
func (s *storage) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }

// SignatureAlgorithms implements op.Storage.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

// KeySet implements op.Storage.
func (s *storage) KeySet(context.Context) ([]op.Key, error) { return []op.Key{public{s.key}}, nil }

// GetClientByClientID implements op.Storage.
func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	return s.clientOf(id)
}

// AuthorizeClientIDSecret implements op.Storage.
func (s *storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	c, err := s.clientOf(id)
	if err != nil {
		return err
	}
	if c.public || subtle.ConstantTimeCompare([]byte(c.secret), []byte(secret)) != 1 {
		return errors.New("the secret isn't right")
	}
	return nil
}

// SetUserinfoFromScopes implements op.Storage; SetUserinfoFromRequest does it.
func (s *storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest implements op.CanSetUserinfoFromRequest: what the ID token says.
func (s *storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, asked op.IDTokenRequest, _ []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var a *Account
	switch r := asked.(type) {
	case *request:
		a = r.account
	case *op.DeviceAuthorizationState:
		a = s.account(r.Subject)
	}
	if a == nil {
		return errGone
	}
	return s.tell(info, a, asked.GetClientID())
}

func (s *storage) tell(info *oidc.UserInfo, a *Account, clientID string) error {
	c, err := s.clientOf(clientID)
	if err != nil {
		return err
	}
	if info.Subject, err = s.subject(a, c); err != nil {
		return err
	}
	for name, value := range s.claimsFor(a, c) {
		info.AppendClaims(name, value)
	}
	return nil
}

// SetUserinfoFromToken implements op.Storage.
func (s *storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, id, _, _ string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[id]
	if t == nil || s.Now().After(t.expires) {
		return errGone
	}
	return s.tell(info, t.account, t.client)
}

// SetIntrospectionFromToken implements op.Storage.
func (s *storage) SetIntrospectionFromToken(_ context.Context, answer *oidc.IntrospectionResponse, id, _, clientID string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.tokens[id]
	if t == nil || t.client != clientID || s.Now().After(t.expires) {
		return errGone
	}
	answer.Expiration, answer.ClientID = oidc.FromTime(t.expires), t.client
	return nil
}

// GetPrivateClaimsFromScopes implements op.Storage; GetPrivateClaimsFromRequest does it.
func (s *storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

// GetPrivateClaimsFromRequest implements op.CanGetPrivateClaimsFromRequest: what access tokens say.
func (s *storage) GetPrivateClaimsFromRequest(_ context.Context, asked op.TokenRequest, _ []string) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var a *Account
	clientID := ""
	switch r := asked.(type) {
	case *request:
		a, clientID = r.account, r.ClientID
	case *op.DeviceAuthorizationState:
		a, clientID = s.account(r.Subject), r.ClientID
	case *machine:
		a, clientID = r.account, CLIClient // a program asks for itself
	}
	c, err := s.clientOf(clientID)
	if a == nil || err != nil {
		return nil, errGone
	}
	return s.claimsFor(a, c), nil
}

// GetKeyByIDAndClientID implements op.Storage.
func (s *storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errGone
}

// ValidateJWTProfileScopes implements op.Storage.
func (s *storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errGone
}

// Health implements op.Storage.
func (s *storage) Health(context.Context) error { return nil }

// machine is a service account that asks for a token.
type machine struct{ account *Account }

// GetSubject implements op.TokenRequest.
func (m *machine) GetSubject() string { return m.account.Name }

// GetAudience implements op.TokenRequest.
func (m *machine) GetAudience() []string { return []string{identity.StandardAudience} }

// GetScopes implements op.TokenRequest.
func (m *machine) GetScopes() []string { return nil }

// ClientCredentials implements op.ClientCredentialsStorage.
func (s *storage) ClientCredentials(ctx context.Context, id, secret string) (op.Client, error) {
	if err := s.AuthorizeClientIDSecret(ctx, id, secret); err != nil {
		return nil, err
	}
	return s.clientOf(id)
}

// ClientCredentialsTokenRequest implements op.ClientCredentialsStorage.
func (s *storage) ClientCredentialsTokenRequest(_ context.Context, id string, _ []string) (op.TokenRequest, error) {
	a := s.account(id)
	if a == nil {
		return nil, errGone
	}
	return &machine{a}, nil
}

// device is a command line that waits to be allowed.
type device struct {
	userCode string
	state    *op.DeviceAuthorizationState
}

// StoreDeviceAuthorization implements op.DeviceAuthorizationStorage.
func (s *storage) StoreDeviceAuthorization(_ context.Context, clientID, deviceCode, userCode string, expires time.Time, scopes []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep()
	if s.deviceOf(userCode) != nil {
		return op.ErrDuplicateUserCode
	}
	s.devices[deviceCode] = &device{userCode, &op.DeviceAuthorizationState{ClientID: clientID, Audience: []string{identity.StandardAudience}, Scopes: scopes, Expires: expires}}
	return nil
}

// GetDeviceAuthorizatonState implements op.DeviceAuthorizationStorage.
func (s *storage) GetDeviceAuthorizatonState(_ context.Context, clientID, deviceCode string) (*op.DeviceAuthorizationState, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.devices[deviceCode]
	if d == nil || d.state.ClientID != clientID {
		return nil, errGone
	}
	return d.state, nil
}

// deviceOf finds a device by the code it shows, however it was typed. The caller holds mu.
func (s *storage) deviceOf(userCode string) *device {
	bare := func(code string) string {
		return strings.Map(func(r rune) rune {
			if r == '-' || r == ' ' {
				return -1
			}
			return r
		}, strings.ToUpper(code))
	}
	for _, d := range s.devices {
		if bare(d.userCode) == bare(userCode) && userCode != "" {
			return d
		}
	}
	return nil
}
