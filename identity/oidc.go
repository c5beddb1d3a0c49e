package identity

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Settings say which OpenID Connect provider is trusted, and how.
type Settings struct {
	Issuer   string // its URL, as in its tokens
	ClientID string // of the pages
	Secret   string // of the pages; none for a public client
	Audience string // that access tokens of the API must have
	Claims   Claims
	Redirect string // where the provider sends people back to: https://…/auth/callback
}

// Standard names, where settings say nothing.
const (
	StandardClient   = "maru"
	StandardAudience = "maru"
	CallbackPath     = "/auth/callback"
)

// Provider is the trusted provider. It is asked for its addresses and keys when they are first needed, and again for keys it didn't have. It
// is safe for concurrent use.
type Provider struct {
	settings Settings
	client   *http.Client

	mu    sync.Mutex
	found *discovered
	last  time.Time // it was asked in vain

	known tokens
}

type discovered struct {
	provider *oidc.Provider
	id       *oidc.IDTokenVerifier // of sign-ins
	access   *oidc.IDTokenVerifier // of the API
	end      string                // where people sign out
	device   string
}

// NewProvider makes a provider. now tells the time by which tokens hold.
func NewProvider(s Settings, client *http.Client, now func() time.Time) *Provider {
	if s.ClientID == "" {
		s.ClientID = StandardClient
	}
	if s.Audience == "" {
		s.Audience = StandardAudience
	}
	s.Claims = s.Claims.or()
	return &Provider{settings: s, client: client, known: tokens{now: now}}
}

// Issuer is the provider's URL.
func (p *Provider) Issuer() string { return p.settings.Issuer }

// askAgain is how soon a provider that didn't answer is asked again.
const askAgain = 2 * time.Second

// discover asks the provider for its addresses and keys, once.
func (p *Provider) discover(ctx context.Context) (*discovered, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	if time.Since(p.last) < askAgain {
		return nil, unreachable()
	}
	short, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	provider, err := oidc.NewProvider(oidc.ClientContext(short, p.client), p.settings.Issuer)
	if err != nil {
		p.last = time.Now()
		return nil, fmt.Errorf("%w: %w", unreachable(), err)
	}
	var more struct {
		End    string `json:"end_session_endpoint"`
		Device string `json:"device_authorization_endpoint"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, fmt.Errorf("identity: read what the provider says of itself: %w", err)
	}
	// The keys outlive the request that asks for them first.
	background := oidc.ClientContext(context.Background(), p.client)
	p.found = &discovered{
		provider: provider, end: more.End, device: more.Device,
		id:     provider.VerifierContext(background, &oidc.Config{ClientID: p.settings.ClientID, Now: p.known.now}),
		access: provider.VerifierContext(background, &oidc.Config{ClientID: p.settings.Audience, Now: p.known.now}),
	}
	return p.found, nil
}

func unreachable() error {
	return problem.New("auth.provider", 503, lang.T("로그인을 맡은 시스템이 응답하지 않습니다", "the identity provider doesn't answer")).
		Hinting(lang.T("잠시 뒤에 다시 시도하십시오", "try again in a moment"))
}

// Ready reports whether the provider answers.
func (p *Provider) Ready(ctx context.Context) error {
	_, err := p.discover(ctx)
	return err
}

// maxToken is how long a bearer token may be, in bytes.
const maxToken = 16 << 10

// Bearer is who an access token is about. One that is forged, expired, for somebody else or says of nobody is a problem with code auth.token.
func (p *Provider) Bearer(ctx context.Context, token string) (*Principal, error) {
	if len(token) > maxToken {
		return nil, wrongToken()
	}
	key := sha256.Sum256([]byte(token))
	if known := p.known.get(key); known != nil {
		return known, nil
	}
	d, err := p.discover(ctx)
	if err != nil {
		return nil, err
	}
	verified, err := d.access.Verify(oidc.ClientContext(ctx, p.client), token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wrongToken(), err)
	}
	if ofSignIn(verified) {
		return nil, fmt.Errorf("%w: it is an ID token", wrongToken())
	}
	who, err := p.read(verified)
	if err != nil {
		return nil, err
	}
	p.known.put(key, who, verified.Expiry)
	return who, nil
}

// ofSignIn reports whether a token says who signed in, and is not for the API: an ID token. Where the pages' client is called what the API's audience is, nothing
// else tells them apart; and it is no secret: on the way out it stands in an address. Providers give back the nonce that every sign-in of ours has (OpenID
// Connect Core, 3.1.3.7); Keycloak's typ says it too.
func ofSignIn(verified *oidc.IDToken) bool {
	var kind struct {
		Type string `json:"typ"`
	}
	return verified.Nonce != "" || verified.AccessTokenHash != "" || verified.Claims(&kind) == nil && strings.EqualFold(kind.Type, "ID")
}

func (p *Provider) read(verified *oidc.IDToken) (*Principal, error) {
	var raw json.RawMessage
	if err := verified.Claims(&raw); err != nil {
		return nil, fmt.Errorf("%w: %w", wrongToken(), err)
	}
	claims, err := decode(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wrongToken(), err)
	}
	if who := p.settings.Claims.principal(verified.Issuer, verified.Subject, claims); who != nil {
		return who, nil
	}
	return nil, problem.New("auth.unknown", 403, lang.T("로그인은 되었으나, 시민인지 공무원인지 등 마루에 필요한 정보를 받지 못했습니다", "you are signed in, but your token doesn't say who you are in Maru")).
		Hinting(lang.T("운영자에게 알려 주십시오: 토큰에 maru_kind 등의 항목이 필요합니다", "tell the administrator: the token needs maru_kind and its like"))
}

func wrongToken() *problem.Problem {
	return problem.New("auth.token", 401, lang.T("토큰이 올바르지 않거나 기한이 지났습니다", "the token isn't right, or has expired")).
		Hinting(lang.T("새 토큰을 받으십시오. 명령줄에서는 maru login", "get a new one; on the command line: maru login"))
}

func (p *Provider) oauth(d *discovered) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.settings.ClientID, ClientSecret: p.settings.Secret, RedirectURL: p.settings.Redirect,
		Endpoint: d.provider.Endpoint(), Scopes: []string{oidc.ScopeOpenID, "profile"},
	}
}
