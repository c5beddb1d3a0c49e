package identity

import (
	"encoding/json"
	"slices"
	"strings"
)

// Claims names the claims of a provider's tokens that say what a principal is. A name with dots leads into objects: realm_access.roles.
type Claims struct {
	Kind    string `yaml:"kind"`
	Person  string `yaml:"person"`
	Agency  string `yaml:"agency"`
	Project string `yaml:"project"`
	Roles   string `yaml:"roles"`
}

// StandardClaims are the names that the embedded provider uses.
var StandardClaims = Claims{Kind: "maru_kind", Person: "maru_person", Agency: "maru_agency", Project: "maru_project", Roles: "maru_roles"}

// or fills in the standard names.
func (c Claims) or() Claims {
	for _, one := range []struct{ into, standard *string }{
		{&c.Kind, &StandardClaims.Kind},
		{&c.Person, &StandardClaims.Person},
		{&c.Agency, &StandardClaims.Agency},
		{&c.Project, &StandardClaims.Project},
		{&c.Roles, &StandardClaims.Roles},
	} {
		if *one.into == "" {
			*one.into = *one.standard
		}
	}
	return c
}

// principal reads who a verified token is about. A token that doesn't say so clearly is about nobody: nil.
func (c Claims) principal(issuer, subject string, token map[string]any) *Principal {
	p := &Principal{
		Issuer: issuer, Subject: subject, Kind: Kind(text(token, c.Kind)),
		Account: text(token, "preferred_username"), Name: text(token, "name"),
	}
	switch p.Kind {
	case Citizen:
		p.Person = text(token, c.Person)
		if p.Person == "" {
			return nil
		}
	case Official:
		p.Agency = text(token, c.Agency)
		for _, name := range list(token, c.Roles) {
			if r := Role(name); slices.Contains(Roles, r) && !p.Has(r) {
				p.Roles = append(p.Roles, r)
			}
		}
		if p.Agency == "" {
			return nil
		}
	case Service:
		p.Project = text(token, c.Project)
		if p.Project == "" {
			return nil
		}
	default:
		return nil
	}
	if p.Account == "" {
		p.Account = subject
	}
	return p
}

func value(token map[string]any, path string) any {
	var at any = token
	for name := range strings.SplitSeq(path, ".") {
		object, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = object[name]
	}
	return at
}

// text is a claim that is a string; of a list of one, that.
func text(token map[string]any, path string) string {
	switch v := value(token, path).(type) {
	case string:
		return v
	case []any:
		if len(v) == 1 {
			s, _ := v[0].(string)
			return s
		}
	}
	return ""
}

func list(token map[string]any, path string) (out []string) {
	switch v := value(token, path).(type) {
	case string:
		return strings.Fields(v)
	case []any:
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
	}
	return out
}

// decode reads the claims of a token.
func decode(raw json.RawMessage) (map[string]any, error) {
	var out map[string]any
	return out, json.Unmarshal(raw, &out)
}
