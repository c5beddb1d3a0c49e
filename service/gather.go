package service

import (
	"context"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
)

// Reader reads about a citizen for themselves, by an agreement of the service's project.
type Reader interface {
	About(ctx context.Context, who *identity.Principal, project, name string, fields []string) (*registry.Record, int64, error)
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
			if f.Agreement == by && !slices.Contains(fields, f.Source) {
				fields = append(fields, f.Source)
			}
		}
		record, receipt, err := from.About(ctx, who, by.Project, by.Name, fields)
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
			case record == nil:
				o.Code, o.Why = "service.no_record", lang.T("보유 기관에 기록이 없습니다", "its holder has no record")
			default:
				at := slices.IndexFunc(record.Fields, func(x *catalog.Field) bool { return x.Name == f.Source })
				if at >= 0 {
					known[f.Name] = record.Values[at]
				}
			}
			origins = append(origins, o)
		}
	}
	return known, origins, nil
}
