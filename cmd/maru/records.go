package main

import (
	"context"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/console"
)

// records shows the console what the registry holds.
type records struct{ *registry.Registry }

// Profile implements console.Records.
func (r records) Profile(ctx context.Context, d *catalog.Dataset) (*console.Profile, error) {
	p, err := r.Registry.Profile(ctx, d)
	if p == nil || err != nil {
		return nil, err
	}
	out := &console.Profile{At: p.At, Rows: p.Rows, Sampled: p.Sampled, Fields: make([]console.FieldProfile, len(p.Fields))}
	for i, f := range p.Fields {
		out.Fields[i] = console.FieldProfile{Name: f.Name, Empty: f.Empty, Distinct: f.Distinct, Min: f.Min, Max: f.Max}
		for _, v := range f.Frequent {
			out.Fields[i].Frequent = append(out.Fields[i].Frequent, console.Frequent(v))
		}
	}
	return out, nil
}

// idle is how long an upload may rest before it counts as stopped.
const idle = 10 * time.Minute

var importStates = map[registry.ImportState]console.ImportState{
	registry.Receiving: console.Running, registry.Waiting: console.Running, registry.Running: console.Running,
	registry.Done: console.Done, registry.Failed: console.Failed,
}

// Imports implements console.Records.
func (r records) Imports(ctx context.Context, d *catalog.Dataset, limit int) ([]console.Import, error) {
	all, err := r.Registry.Imports(ctx, d, limit)
	if err != nil {
		return nil, err
	}
	out := make([]console.Import, len(all))
	for n, i := range all {
		out[n] = console.Import{
			ID:      i.ID,
			Started: i.Started, Ended: i.Ended, By: i.By.Actor, File: i.File, State: importStates[i.State], Loaded: i.Loaded + i.Changed, Unchanged: i.Unchanged,
			Rejected: i.Rejected, Done: i.Read, Size: i.Size, Reason: i.Reason,
		}
		if i.State == registry.Receiving && time.Since(i.Started) > idle {
			out[n].State = console.Stopped
		}
	}
	return out, nil
}
