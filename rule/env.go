package rule

import (
	"fmt"
	"sync"

	"cel.dev/cel-go/cel"

	"github.com/maru-city/maru/manifest"
)

// Limits of one expression, for filters come from anywhere. There are no loops, so they bound the time of an evaluation too.
const (
	MaxLength = 16_000 // code points
	MaxNodes  = 2_000  // literals, names and calls
	MaxDepth  = 40     // calls within calls
	maxFaults = 20     // told at once
)

// Field is a field of the records a rule reads.
type Field struct {
	Name     string // [a-z][a-z0-9_]*; written as name or record.name
	Type     manifest.Type
	Nullable bool
	Items    []Field // of a list of records, whose Type is [List]: their fields, none of them a list
}

// List is the type of a list of records: in Go []map[string]any, at most [MaxItems].
const List = tList

// Options say how an Env treats what it compiles.
type Options struct {
	// Guarded makes a comparison or function that reads a null false, for filters. Without it such a read is refused unless the
	// expression guards it, for eligibility and agreements.
	Guarded bool
	// Params are the city's parameters: param("name"), or of a table name(key), with _ for -.
	Params []*Param
	// Own are the parameters of what the rules belong to: params.name.
	Own []*Param
	// Calendar is what working_days counts by; without one that can't be written.
	Calendar *Calendar
}

// Env is what expressions are compiled against. It is immutable and safe for concurrent use.
type Env struct {
	fields   map[string]*Field
	names    []string
	guarded  bool
	params   map[string]*Param
	tables   map[string]*Param // those that are called as a function, by what they are called
	own      map[string]*Param
	calendar *Calendar
	cel      *cel.Env
}

// NewEnv makes an Env for records with these fields. Names must be valid field names and different.
func NewEnv(fields []Field, o Options) (*Env, error) {
	env := &Env{fields: make(map[string]*Field, len(fields)), guarded: o.Guarded, params: map[string]*Param{}, tables: map[string]*Param{}, own: map[string]*Param{}, calendar: o.Calendar}
	for _, p := range o.Params {
		env.params[p.name] = p
		if p.Table() && p.whole {
			env.tables[p.function()] = p
		}
	}
	for _, p := range o.Own {
		env.own[p.name] = p
	}
	variables := make([]cel.EnvOption, 0, len(fields))
	for _, f := range fields {
		if f.Type == tList && !o.Guarded && manifest.ValidField(f.Name) && len(f.Items) > 0 {
			for _, item := range f.Items {
				if !manifest.ValidField(item.Name) || !item.Type.Valid() || item.Type == manifest.Geometry {
					return nil, fmt.Errorf("rule: %q of type %q is no field of a list", item.Name, item.Type)
				}
			}
		} else if !manifest.ValidField(f.Name) || !f.Type.Valid() {
			return nil, fmt.Errorf("rule: %q of type %q is no field", f.Name, f.Type)
		}
		if env.fields[f.Name] != nil {
			return nil, fmt.Errorf("rule: field %q stands twice", f.Name)
		}
		env.fields[f.Name] = &f
		env.names = append(env.names, f.Name)
		variables = append(variables, cel.Variable(variable(f.Name), celType(f.Type, f.Nullable)))
	}
	base, err := evaluation()
	if err != nil {
		return nil, err
	}
	env.cel, err = base.Extend(variables...)
	if err != nil {
		return nil, fmt.Errorf("rule: declare the fields: %w", err)
	}
	return env, nil
}

// Compile checks an expression that says yes or no.
//
// Its error is a *problem.Problem with status 400 and the code of the first fault; At has all of them (at most 20) with their
// places as line:column, counted from 1 in code points. The codes: rule.syntax, rule.limit, rule.unknown_field,
// rule.unknown_function, rule.type, rule.null (a nullable field read without a guard), rule.division (of two ints),
// rule.literal (such as a date that there is not), rule.unknown_parameter, rule.unsupported.
func (e *Env) Compile(text string) (*Rule, error) {
	parsed, err := parse(text)
	if err != nil {
		return nil, err
	}
	c := &checker{env: e, info: parsed.SourceInfo()}
	tree := c.root(parsed.Expr())
	if tree == nil || len(c.faults) > 0 {
		return nil, c.problem()
	}
	program, err := e.plan(tree)
	if err != nil {
		return nil, err
	}
	return &Rule{text: text, env: e, tree: tree, program: program, quick: makeQuick(tree), parts: sync.OnceValues(func() (*judged, error) { return e.takeApart(tree) })}, nil
}
