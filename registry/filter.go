package registry

import (
	"sync"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/rule"
)

// filters keeps what expressions over a dataset's records are compiled against, for the newest shape of each dataset.
type filters struct {
	mu   sync.Mutex
	envs map[string]*filterEnv // by project/name and view
}

type filterEnv struct {
	dataset *catalog.Dataset
	env     *rule.Env
	rules   map[string]*rule.Rule // the last that were compiled
}

// keptRules is how many compiled filters a dataset keeps.
const keptRules = 256

// rule compiles a filter over a dataset's records.
func (r *Registry) rule(d *catalog.Dataset, text string) (*rule.Rule, error) {
	own, known, err := r.filters.env(d, text)
	if err != nil || known != nil {
		return known, err
	}
	compiled, err := own.env.Compile(text)
	if err == nil {
		r.filters.keep(own, text, compiled)
	}
	return compiled, err
}

func (f *filters) keep(own *filterEnv, text string, compiled *rule.Rule) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(own.rules) >= keptRules {
		clear(own.rules)
	}
	own.rules[text] = compiled
}

// env is what a dataset's filters are compiled against, and the filter of a text where it has been compiled.
func (f *filters) env(d *catalog.Dataset, text string) (*filterEnv, *rule.Rule, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := d.Path() + "\x00" + d.View
	if known, ok := f.envs[key]; ok && known.dataset == d {
		return known, known.rules[text], nil
	}
	fields := make([]rule.Field, 0, len(d.Fields))
	for i := range d.Fields {
		if own := &d.Fields[i]; !sealed(own) { // the database can't compare what it can't read
			fields = append(fields, rule.Field{Name: own.Name, Type: own.Type, Nullable: !own.KeyPart})
		}
	}
	env, err := rule.NewEnv(fields, rule.Options{Guarded: true})
	if err != nil {
		return nil, nil, err
	}
	if f.envs == nil {
		f.envs = map[string]*filterEnv{}
	}
	own := &filterEnv{d, env, map[string]*rule.Rule{}}
	f.envs[key] = own
	return own, nil, nil
}
