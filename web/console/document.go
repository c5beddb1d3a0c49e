package console

import (
	"context"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/web/components"
)

// maxVersions is how many versions of one resource a page shows.
const maxVersions = 20

// document is what every resource's page ends with: its text, who points at it, and its history.
type document struct {
	Resource *manifest.Resource
	UsedBy   []components.Link
	Versions []catalog.Version
}

func (c *Console) document(ctx context.Context, s *catalog.Snapshot, r *manifest.Resource) (document, error) {
	versions, err := c.catalog.Versions(ctx, r.Key, maxVersions)
	return document{Resource: r, Versions: versions}, err
}

// author is who made a revision, in words where nobody said.
func author(name string) lang.Text {
	if name == "" {
		return lang.T("이름 없음", "unnamed")
	}
	return components.Own(name)
}

// message is what a revision says of itself, in words where it says nothing.
func message(r catalog.Revision) lang.Text {
	if r.Message == "" {
		return lang.F("개정 %v", "Revision %v", r.N)
	}
	return components.Own(r.Message)
}
