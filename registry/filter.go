package registry

import (
	"sync"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/rule"
)

// filters keeps what expressions over a dataset's records are compiled against, for the newest shape of each dataset.
type filters struct {
	mu   sync.Mutex
	envs map[string]filterEnv // by project/name and view
}

type filterEnv struct {
	dataset *catalog.Dataset
	env     *rule.Env
}

// rule compiles a filter over a dataset's records.
func (r *Registry) rule(d *catalog.Dataset, text string) (*rule.Rule, error) {
	env, err := r.filters.env(d)
	if err != nil {
		return nil, err
	}
	return env.Compile(text)
}

func (f *filters) env(d *catalog.Dataset) (*rule.Env, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	key := d.Path() + "\x00" + d.View
	if known, ok := f.envs[key]; ok && known.dataset == d {
		return known.env, nil
	}
	fields := make([]rule.Field, 0, len(d.Fields))
	for i := range d.Fields {
		if own := &d.Fields[i]; !sealed(own) { // the database can't compare what it can't read
			fields = append(fields, rule.Field{Name: own.Name, Type: own.Type, Nullable: !own.KeyPart})
		}
	}
	env, err := rule.NewEnv(fields, rule.Options{Guarded: true})
	if err != nil {
		return nil, err
	}
	if f.envs == nil {
		f.envs = map[string]filterEnv{}
	}
	f.envs[key] = filterEnv{d, env}
	return env, nil
}
