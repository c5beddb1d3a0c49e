package portal

import (
	"fmt"
	"strings"
	"sync"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/search"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// How many services one search shows, and how many documents it looks for in all.
const (
	maxServices = 20
	maxHits     = 200
)

// finder is the index of a revision of the catalog.
type finder struct {
	mu       sync.Mutex
	revision int64
	index    *search.Index
}

// of is the index of what a citizen may look for: services, life events, datasets.
func (f *finder) of(s *catalog.Snapshot, services []*service.Service) *search.Index {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.index != nil && f.revision == s.Revision {
		return f.index
	}
	var list []search.Document
	add := func(key manifest.Key, title lang.Text, texts ...lang.Text) {
		d := search.Document{ID: id(key), Titles: []string{title.Ko, title.En}}
		for _, t := range texts {
			d.Texts = append(d.Texts, t.Ko, t.En)
		}
		list = append(list, d)
	}
	for _, one := range services {
		texts := []lang.Text{one.Spec.About}
		for _, name := range one.Spec.LifeEvents {
			texts = append(texts, s.Title(manifest.Key{Kind: "LifeEvent", Name: name}))
		}
		if b := one.Spec.Benefit; b != nil {
			texts = append(texts, b.About)
		}
		add(one.Key, one.Spec.Title, texts...)
	}
	for _, r := range s.List("LifeEvent") {
		if spec, ok := r.Spec.(*manifest.LifeEvent); ok {
			add(r.Key, spec.Title, spec.About)
		}
	}
	for _, d := range s.Datasets() {
		texts := []lang.Text{d.Spec.About, projectTitle(s, d.Project)}
		for i := range d.Fields {
			texts = append(texts, d.Fields[i].Title)
		}
		add(d.Key(), s.Title(d.Key()), texts...)
	}
	f.index, f.revision = search.New(list), s.Revision
	return f.index
}

func id(key manifest.Key) string { return fmt.Sprintf("%s %s/%s", key.Kind, key.Project, key.Name) }

// find looks for services and life events by a query, and says which datasets it found too.
func (p *Portal) find(s *catalog.Snapshot, v *startView) (data map[string]bool, err error) {
	var services []*service.Service
	if p.Services != nil {
		services = p.Services.List()
	}
	found, err := p.finder.of(s, services).Search(v.Query, maxHits)
	if err != nil {
		return nil, err
	}
	v.Instead, data = found.Instead, map[string]bool{}
	events := p.events(s)
	for _, h := range found.Hits {
		kind, path, _ := strings.Cut(h.ID, " ")
		project, name, _ := strings.Cut(path, "/")
		switch kind {
		case "Service":
			if one := p.Services.Service(project, name); one != nil && len(v.Services) < maxServices {
				v.Services = append(v.Services, one)
			}
		case "LifeEvent":
			for _, e := range events {
				if e.Name == name {
					v.Events = append(v.Events, e)
				}
			}
		case "Dataset":
			data[path] = true
		}
	}
	return data, nil
}
