package registry

import (
	"context"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/manifest"
)

// Plan implements catalog.Tables.
func (r *Registry) Plan(_ context.Context, _ *db.Tx, before, after *catalog.Snapshot, _ bool) (steps []catalog.Step, _ []manifest.Finding, _ error) {
	for _, d := range after.Datasets() {
		if before.Dataset(d.Project, d.Name) == nil {
			steps = append(steps, createStep(d))
		}
	}
	return steps, nil, nil
}

// Apply implements catalog.Tables.
func (r *Registry) Apply(ctx context.Context, tx *db.Tx, before, after *catalog.Snapshot, _ bool) error {
	for _, d := range after.Datasets() {
		if before.Dataset(d.Project, d.Name) == nil {
			if err := r.create(ctx, tx, d); err != nil {
				return err
			}
		}
	}
	return nil
}
