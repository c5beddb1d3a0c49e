package casework

import (
	"context"
	"slices"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
)

// maxBatch is how many cases something may be done to at once.
const maxBatch = 200

// batchable are the actions that may be done to several cases at once: those that say nothing of one of them alone.
var batchable = []string{"take", "approve", "confirm", "pay"}

// BatchItem is a case and the version of it that was seen.
type BatchItem struct {
	Case    string `json:"case" maxLength:"40"`
	Version int64  `json:"version" minimum:"1"`
}

// BatchResult is what came of one of the cases.
type BatchResult struct {
	Case    string    `json:"case"`
	Done    bool      `json:"done"`
	Code    string    `json:"code,omitempty" doc:"Why not"`
	Problem lang.Text `json:"problem,omitzero"`
}

// Batch does an action to several cases, each for itself: one that it can't be done to keeps none of the others back.
//
// Codes: case.action (one that isn't done to several), case.batch (none, or too many). What is wrong with one case stands in its result.
func (s *Store) Batch(ctx context.Context, who *identity.Principal, action string, items []BatchItem) ([]BatchResult, error) {
	if !slices.Contains(batchable, action) {
		return nil, problem.New("case.action", 404, unknownAction(action))
	}
	if len(items) == 0 || len(items) > maxBatch {
		return nil, wrong("cases", "case.batch", lang.F("신청을 1–%d건 골라 주십시오", "choose 1 to %d cases", maxBatch))
	}
	out := make([]BatchResult, 0, len(items))
	for _, item := range items {
		r := BatchResult{Case: item.Case, Done: true}
		if _, err := s.Act(ctx, who, item.Case, action, ActionInput{Version: item.Version}); err != nil {
			p := problem.As(err)
			if p == nil || p.Status >= 500 || p.Code == "auth.needed" {
				return out, err
			}
			r.Done, r.Code, r.Problem = false, p.Code, p.Detail
		}
		out = append(out, r)
	}
	return out, nil
}
