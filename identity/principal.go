package identity

import (
	"context"
	"slices"
)

// Kind says what a principal is.
type Kind string

// The kinds of principals.
const (
	Nobody   Kind = ""         // not signed in
	Citizen  Kind = "citizen"  // a person, about themselves
	Official Kind = "official" // a person, for an agency
	Service  Kind = "service"  // a project's program
	Program  Kind = "program"  // this program itself; no token says so
)

// Principal is who asks. It never changes.
type Principal struct {
	Kind    Kind   `json:"kind"`
	Issuer  string `json:"issuer"`            // the provider that knows them
	Subject string `json:"subject"`           // what it calls them
	Account string `json:"account"`           // a name for people and logs, such as register-steward
	Name    string `json:"name"`              // as they are called
	Person  string `json:"person,omitempty"`  // of a citizen: the city's own identifier. It never leaves this program
	Agency  string `json:"agency,omitempty"`  // of an official
	Project string `json:"project,omitempty"` // of a service account
	Roles   []Role `json:"roles,omitempty"`   // of an official
}

// Itself is the program itself, which may do everything, under a name for histories.
func Itself(account string) *Principal {
	return &Principal{Kind: Program, Account: account}
}

// nobody is who isn't signed in.
var nobody = &Principal{}

// SignedIn reports whether it is anybody.
func (p *Principal) SignedIn() bool { return p.Kind != Nobody }

// Has reports whether an official has a role.
func (p *Principal) Has(r Role) bool { return p.Kind == Official && slices.Contains(p.Roles, r) }

// Actor is who acted, as histories keep it.
func (p *Principal) Actor() string {
	if p.Account != "" {
		return p.Account
	}
	return p.Subject
}

type contextKey struct{}

// With returns a context in which p asks.
func With(ctx context.Context, p *Principal) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// From returns who asks in a context: never nil.
func From(ctx context.Context) *Principal {
	if p, ok := ctx.Value(contextKey{}).(*Principal); ok {
		return p
	}
	return nobody
}
