package provider

import (
	"crypto/ecdsa"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/zitadel/oidc/v3/pkg/op"
	"golang.org/x/text/language"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
)

// Account is somebody one can be.
type Account struct {
	Name    string // haneul
	Title   lang.Text
	About   lang.Text
	Kind    identity.Kind
	Person  string
	Agency  string
	Project string
	Roles   []identity.Role
	Secret  string // of a service account
}

// Path is where the provider is mounted.
const Path = "/oidc"

// Addresses of the pages that the provider sends people to.
const (
	LoginPath  = Path + "/login"
	DevicePath = Path + "/device"
)

// Options is what a provider is made from.
type Options struct {
	Base     string // where the server is: http://127.0.0.1:8700
	Accounts []Account
	Key      *ecdsa.PrivateKey
	Now      func() time.Time
	// Pairwise gives the identifier that a project knows a person by: the subject in tokens for that project's clients.
	Pairwise func(project, person string) (string, error)
}

// Provider is the embedded provider. It is safe for concurrent use.
type Provider struct {
	op    *op.Provider
	store *storage
}

// New makes a provider.
func New(o Options) (*Provider, error) {
	s := &storage{
		Options: o, key: &signing{o.Key},
		requests: map[string]*request{}, codes: map[string]string{}, devices: map[string]*device{}, tokens: map[string]*granted{},
	}
	secret := derived(o.Key, "provider")
	config := &op.Config{
		CryptoKey: secret, CodeMethodS256: true, AuthMethodPost: true, SupportedUILocales: []language.Tag{language.Korean, language.English},
		SupportedScopes:          []string{"openid", "profile"},
		DefaultLogoutRedirectURI: o.Base + "/",
		DeviceAuthorization: op.DeviceAuthorizationConfig{
			Lifetime: 10 * time.Minute, PollInterval: time.Second, UserFormURL: o.Base + DevicePath, UserCode: op.UserCodeBase20,
		},
	}
	p, err := op.NewProvider(config, s, op.StaticIssuer(o.Base+Path), op.WithAllowInsecure(), op.WithCORSOptions(nil))
	if err != nil {
		return nil, fmt.Errorf("make the identity provider: %w", err)
	}
	return &Provider{p, s}, nil
}

// Issuer is the provider's URL.
func (p *Provider) Issuer() string { return p.store.Base + Path }

// Handler serves the protocol below [Path].
func (p *Provider) Handler() http.Handler { return http.StripPrefix(Path, p.op) }

// Accounts lists who one can be at a page: people, not service accounts.
func (p *Provider) Accounts() []Account {
	return slices.DeleteFunc(slices.Clone(p.store.Accounts), func(a Account) bool { return a.Kind == identity.Service })
}

// Choose makes whoever began a sign-in one of the accounts, and says where they go on.
func (p *Provider) Choose(signIn, account string) (string, error) {
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(account)
	r := s.requests[signIn]
	if a == nil || a.Kind == identity.Service || r == nil || s.Now().After(r.expires) {
		return "", problem.New("auth.sign_in", 400, lang.T("로그인을 마치지 못했습니다", "the sign-in didn't come to its end")).
			Hinting(lang.T("처음부터 다시 로그인하십시오", "sign in again from the beginning"))
	}
	r.account, r.at = a, s.Now()
	return Path + "/authorize/callback?id=" + url.QueryEscape(signIn), nil
}

// LeadsTo is the origin to which a sign-in leads in the end: that of whoever began it; "" where there is no such sign-in.
func (p *Provider) LeadsTo(signIn string) string {
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.requests[signIn]; r != nil {
		if u, err := url.Parse(r.RedirectURI); err == nil && u.Host != "" {
			return u.Scheme + "://" + u.Host
		}
	}
	return ""
}

// Allow lets the device that shows a code be one of the accounts.
func (p *Provider) Allow(userCode, account string) error {
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(account)
	d := s.deviceOf(userCode)
	if a == nil || a.Kind == identity.Service || d == nil || d.state.Done || s.Now().After(d.state.Expires) {
		return problem.New("auth.device", 400, lang.T("코드가 맞지 않거나 기한이 지났습니다", "the code isn't right, or has expired")).
			Hinting(lang.T("명령줄에 보이는 코드를 다시 확인하십시오", "look again at the code on the command line"))
	}
	d.state.Subject, d.state.Done, d.state.AuthTime = a.Name, true, s.Now()
	return nil
}

// demoToken is how long a token for a script lasts.
const demoToken = 12 * time.Hour

// Token is an access token of an account, for scripts of the demo.
func (p *Provider) Token(account string) (string, error) {
	s := p.store
	s.mu.Lock()
	a := s.account(account)
	s.mu.Unlock()
	if a == nil {
		return "", problem.New("auth.account", 404, lang.F("그런 사람이 없습니다: %s", "there is nobody called %s", account))
	}
	return s.sign(a, demoToken)
}

// Principal is who an account is, for what the demo does in their name; nil where there is none.
func (p *Provider) Principal(account string) *identity.Principal {
	s := p.store
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.account(account)
	if a == nil {
		return nil
	}
	return &identity.Principal{
		Kind: a.Kind, Issuer: p.Issuer(), Subject: a.Name, Account: a.Name, Name: a.Title.In(lang.Ko), Person: a.Person, Agency: a.Agency, Project: a.Project, Roles: a.Roles,
	}
}

// Secret is a service account's secret for an installation: made from its key, so that it is nobody else's.
func Secret(key *ecdsa.PrivateKey, account string) string {
	sum := derived(key, "client "+account)
	return hex.EncodeToString(sum[:16])
}

// derived is a secret for a use, made from a key.
func derived(key *ecdsa.PrivateKey, use string) [sha256.Size]byte {
	secret, err := key.Bytes()
	if err != nil {
		panic(err) // only a key that isn't on its curve has none
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(use))
	return [sha256.Size]byte(mac.Sum(nil))
}

// storage keeps what is under way.
type storage struct {
	Options
	key *signing

	mu       sync.Mutex
	requests map[string]*request
	codes    map[string]string // code → request
	devices  map[string]*device
	tokens   map[string]*granted // by ID
}

// Limits of what is under way; beyond them the oldest is forgotten.
const (
	signInLife = 10 * time.Minute
	tokenLife  = time.Hour
	maxUnder   = 10_000
)

func (s *storage) account(name string) *Account {
	for i := range s.Accounts {
		if s.Accounts[i].Name == name {
			return &s.Accounts[i]
		}
	}
	return nil
}

// sweep forgets what has expired. The caller holds mu.
func (s *storage) sweep() {
	now := s.Now()
	for id, r := range s.requests {
		if now.After(r.expires) || len(s.requests) > maxUnder {
			delete(s.requests, id)
		}
	}
	for code, id := range s.codes {
		if s.requests[id] == nil {
			delete(s.codes, code)
		}
	}
	for code, d := range s.devices {
		if now.After(d.state.Expires) || len(s.devices) > maxUnder {
			delete(s.devices, code)
		}
	}
	for id, t := range s.tokens {
		if now.After(t.expires) || len(s.tokens) > maxUnder {
			delete(s.tokens, id)
		}
	}
}

func newID() string { return rand.Text() }
