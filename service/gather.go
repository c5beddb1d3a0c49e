package service

import (
	"context"
	"slices"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// Reader reads all records about a citizen for themselves, by an agreement of the service's project.
type Reader interface {
	About(ctx context.Context, who *identity.Principal, project, name string, fields []string) ([]*registry.Record, int64, error)
}

// Origin says where a fact came from, or why it couldn't be had: then it is unknown, and the person may say it.
type Origin struct {
	Fact      string    `json:"fact"`
	Agreement string    `json:"agreement"` // project/name
	Receipt   *int64    `json:"receipt,omitempty" doc:"Of the read; numbers begin with 0"`
	Code      string    `json:"code,omitempty" doc:"Why it couldn't be had: agreement.consent, for one"`
	Why       lang.Text `json:"why,omitzero"`
}

// Gather reads a citizen's facts by the service's agreements, each agreement once. What can't be had stays unknown, and its origin says why.
//
// Its error is one of the reading itself, such as that no receipt can be stored: then nothing is said of anybody.
func (s *Service) Gather(ctx context.Context, from Reader, who *identity.Principal) (known map[string]any, origins []Origin, err error) {
	known = map[string]any{}
	var done []manifest.Key
	for i := range s.Facts {
		by := s.Facts[i].Agreement
		if s.Facts[i].Asked() || slices.Contains(done, by) {
			continue
		}
		done = append(done, by)
		var fields []string
		for _, f := range s.Facts[i:] {
			if f.Agreement != by {
				continue
			}
			for _, source := range f.sources() {
				if !slices.Contains(fields, source) {
					fields = append(fields, source)
				}
			}
		}
		records, receipt, err := from.About(ctx, who, by.Project, by.Name, fields)
		p := problem.As(err)
		if err != nil && (p == nil || p.Status >= 500 || strings.HasPrefix(p.Code, "auth.")) { // nobody is unknown to themselves: who may not ask is told so
			return nil, nil, err
		}
		for j := range s.Facts {
			f := &s.Facts[j]
			if f.Agreement != by {
				continue
			}
			o := Origin{Fact: f.Name, Agreement: by.Project + "/" + by.Name}
			if p == nil {
				o.Receipt = &receipt
			}
			switch {
			case p != nil:
				o.Code, o.Why = p.Code, p.Detail
			case len(records) == 0 && !f.IsList(): // a list of none is known to have none
				o.Code, o.Why = "service.no_record", lang.T("보유 기관에 기록이 없습니다", "its holder has no record")
			default:
				if v, there := f.of(records); there {
					known[f.Name] = v
				} else {
					o.Code, o.Why = "service.records", lang.T("보유 기관의 기록이 여럿이라 어느 것인지 알 수 없습니다", "its holder has several records, and nothing says which one counts")
				}
			}
			origins = append(origins, o)
		}
	}
	return known, origins, nil
}
