package casework_test

import (
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/service/casework"
)

const stepped = `
kind: Project
name: repairs
title: {ko: 집수리, en: Repairs}
owner: welfare
lifecycle: live
---
kind: Service
name: repair
title: {ko: 집수리 지원, en: Help with repairs}
facts:
  cost:  {ask: {ko: "얼마가 듭니까?", en: What does it cost?}, type: int}
  owner: {ask: {ko: "집을 가지고 있습니까?", en: Is the house yours?}, type: bool}
eligible:
  - {when: cost > 0 && owner, why: {ko: 자기 집이어야 합니다, en: One’s own house}}
process:
  due: 14 working days
  steps:
    - {name: visit, title: {ko: 현장 확인, en: Visit}, due: 1 working day}
    - {name: estimate, title: {ko: 견적 확인, en: Estimate}, when: cost > 1000000, due: 2 working days}
    - {name: housing, title: {ko: 주택정책과 의견, en: Opinion on housing}, agency: housing-policy, due: 3 working days}
`

// find returns the step of a name.
func findStep(f *casework.File, name string) *casework.ProcessStep {
	for i := range f.Steps {
		if f.Steps[i].Name == name {
			return &f.Steps[i]
		}
	}
	return nil
}

// TestStepsAndOpinionsBeforeTheDecision goes through the steps of an office in their order, and the opinion of another beside them. 30 November 2026 is a Monday.
func TestStepsAndOpinionsBeforeTheDecision(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.apply(t, map[string]string{"repairs.yaml": stepped})
		large := c.submit(t, citizen("1"), []string{"repairs/repair"}, said(t, map[string]any{"cost": 2_000_000, "owner": true})).Cases[0].ID
		small := c.submit(t, citizen("2"), []string{"repairs/repair"}, said(t, map[string]any{"cost": 500_000, "owner": true})).Cases[0].ID
		get := func(who *identity.Principal, id string) *casework.File {
			t.Helper()
			f, err := c.Get(t.Context(), who, id)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		if f := get(welfare, small); len(f.Steps) != 2 || findStep(f, "estimate") != nil { // its guard says no
			t.Errorf("%+v", f.Steps)
		}
		f := get(welfare, large)
		visit, estimate, opinion := findStep(f, "visit"), findStep(f, "estimate"), findStep(f, "housing")
		if !visit.Due.Equal(at(t, "2026-12-01 10:00")) || !estimate.Began.IsZero() || opinion.Began.IsZero() || !opinion.Due.Equal(at(t, "2026-12-03 10:00")) {
			t.Errorf("%+v", f.Steps)
		}
		if _, err := c.try(t, welfare, large, "approve", casework.ActionInput{}); problem.Code(err) != "case.step" || len(problem.As(err).At) != 3 {
			t.Errorf("approved before its steps: %v", err)
		}
		if _, err := c.try(t, welfare, large, "step", casework.ActionInput{Step: "estimate", Reason: "견적을 봄"}); problem.Code(err) != "case.step" {
			t.Errorf("out of order: %v", err)
		}
		if _, err := c.try(t, welfare, large, "opine", casework.ActionInput{Step: "housing", Reason: "의견"}); problem.Code(err) != "auth.refused" {
			t.Errorf("another's opinion: %v", err)
		}
		c.do(t, welfare, large, "step", casework.ActionInput{Step: "visit", Reason: "지붕이 샘"})
		if f := get(welfare, large); findStep(f, "visit").Note != "지붕이 샘" || findStep(f, "estimate").Began.IsZero() {
			t.Errorf("%+v", f.Steps)
		}
		if f := get(citizen("1"), large); findStep(f, "visit").Done.IsZero() || findStep(f, "visit").Note != "" || findStep(f, "visit").Person != "" {
			t.Errorf("the citizen sees %+v", f.Steps)
		}
		// The office that is asked finds the case in its queue, sees it, says what it thinks, and can do nothing else.
		queue := func(who *identity.Principal, q casework.Queue) int {
			t.Helper()
			list, _, err := c.Queue(t.Context(), who, q)
			if err != nil {
				t.Fatal(err)
			}
			return len(list)
		}
		if n := queue(housing, casework.Queue{Asked: true}); n != 2 {
			t.Errorf("%d are asked for", n)
		}
		f = get(housing, large)
		if len(f.Actions) != 1 || f.Actions[0].Name != "opine" || findStep(f, "visit").Note != "" || len(f.Facts) != 2 {
			t.Errorf("%+v %+v", f.Actions, f.Steps)
		}
		for _, action := range []string{"approve", "take", "note", "step", "transfer"} {
			if _, err := c.try(t, housing, large, action, casework.ActionInput{Reason: "x", Agency: "housing-policy"}); problem.Code(err) != "auth.refused" {
				t.Errorf("the office that is asked may %s: %v", action, err)
			}
		}
		c.do(t, housing, large, "opine", casework.ActionInput{Step: "housing", Reason: "불법 건축물이 아님"})
		if n := queue(housing, casework.Queue{Asked: true}); n != 1 {
			t.Errorf("%d are asked for still", n)
		}
		if f := get(welfare, large); findStep(f, "housing").Note != "불법 건축물이 아님" {
			t.Errorf("%+v", f.Steps)
		}
		// What is overdue is told once, is in the queue of what is, and an opinion that didn't come isn't waited for.
		c.clock.Set(at(t, "2026-12-04 10:00"))
		if n := queue(welfare, casework.Queue{Late: true}); n != 2 {
			t.Errorf("%d are late", n)
		}
		for range 2 {
			if _, err := c.Wake(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		told := 0
		for _, e := range get(welfare, small).History {
			if e.Action == "step-overdue" {
				told++
			}
		}
		if told != 2 { // of the visit and the opinion, each once
			t.Errorf("told %d times", told)
		}
		c.do(t, welfare, small, "step", casework.ActionInput{Reason: "확인함"})
		c.do(t, welfare, small, "approve", casework.ActionInput{})
		if n := queue(housing, casework.Queue{Asked: true}); n != 0 {
			t.Errorf("%d are asked for of what is done", n)
		}
		if _, err := c.Get(t.Context(), housing, small); problem.Code(err) != "case.unknown" {
			t.Errorf("who was asked sees it for ever: %v", err)
		}
		c.do(t, welfare, large, "step", casework.ActionInput{Step: "estimate", Reason: "적정함"})
		c.do(t, welfare, large, "approve", casework.ActionInput{})
	})
}

// TestAStepsClockStandsWithTheCase asks for a supplement in the middle of a step: its time begins where it stood.
func TestAStepsClockStandsWithTheCase(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.apply(t, map[string]string{"repairs.yaml": stepped})
		id := c.submit(t, citizen("1"), []string{"repairs/repair"}, said(t, map[string]any{"cost": 1, "owner": true})).Cases[0].ID
		c.do(t, welfare, id, "ask", casework.ActionInput{Reason: "사진을 내 주십시오", Days: 10})
		f, err := c.Get(t.Context(), welfare, id)
		if err != nil || !findStep(f, "visit").Due.IsZero() {
			t.Errorf("%+v %v", f.Steps, err)
		}
		c.clock.Set(at(t, "2026-12-03 10:00"))
		c.do(t, citizen("1"), id, "supply", casework.ActionInput{Reason: "냈습니다"})
		if f, err = c.Get(t.Context(), welfare, id); err != nil || !findStep(f, "visit").Due.Equal(at(t, "2026-12-04 10:00")) {
			t.Errorf("%+v %v", f.Steps, err)
		}
	})
}
