package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
)

// deed is something that happens to a case of the demo, so many days after the one before.
type deed struct {
	after  int
	action string // "wake": what has come due is told
	in     casework.ActionInput
}

// demoCase is a case of the demo: who may be its citizen, what they answer, how many days ago they applied, and what became of it.
type demoCase struct {
	service string
	among   among
	answers map[string]any
	want    service.Outcome
	ago     int
	deeds   []deed
}

// among is of what age, and in a household of what size, who applies is.
type among struct{ age, size [2]int }

// Who applies, in the demo.
var (
	youngAlone = among{[2]int{22, 36}, [2]int{1, 1}}
	young      = among{[2]int{22, 36}, [2]int{1, 4}}
	parents    = among{[2]int{28, 40}, [2]int{3, 5}}
	old        = among{[2]int{66, 80}, [2]int{1, 2}}
)

var (
	modest = map[string]any{"household_income": 2_100_000, "monthly_rent": 500_000}
	well   = map[string]any{"household_income": 5_900_000, "monthly_rent": 550_000}
)

// demoCases are cases in all states, of several offices.
var demoCases = []demoCase{
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 60, []deed{
		{2, "ask", casework.ActionInput{Reason: "임대차계약서를 올려 주십시오.", Days: 7}},
		{11, "wake", casework.ActionInput{}},
		{1, "ask-again", casework.ActionInput{Reason: "임대차계약서를 아직 받지 못했습니다.", Days: 5}},
		{9, "wake", casework.ActionInput{}},
		{1, "return", casework.ActionInput{Reason: "두 차례 요청한 임대차계약서를 받지 못했습니다. 계약서를 갖추어 다시 신청하실 수 있습니다."}},
	}},
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 45, []deed{{1, "take", casework.ActionInput{}}, {8, "approve", casework.ActionInput{}}, {3, "pay", casework.ActionInput{}}}},
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 24, []deed{{1, "take", casework.ActionInput{}}, {9, "approve", casework.ActionInput{}}}},
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 31, nil}, // overdue
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 17, []deed{{1, "take", casework.ActionInput{}}}},
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 1, nil},
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 8, []deed{{2, "ask", casework.ActionInput{Reason: "임대차계약서에 계약 기간이 보이지 않습니다. 모든 쪽을 다시 올려 주십시오.", Days: 14}}}},
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 19, []deed{
		{2, "ask", casework.ActionInput{Reason: "월세를 낸 기록을 올려 주십시오.", Days: 10}}, {4, "supply", casework.ActionInput{Reason: "은행 거래 내역의 금액이 50만 원인 것을 확인해 주십시오."}},
	}},
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 22, []deed{
		{10, "extend", casework.ActionInput{Ground: "facts", Reason: "실제로 사는지 현장에서 확인해야 합니다.", Days: 5}},
	}},
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 10, []deed{{3, "withdraw", casework.ActionInput{}}}},
	{"youth-housing/youth-rent", youngAlone, modest, service.Yes, 6, []deed{{1, "transfer", casework.ActionInput{Agency: "welfare", Reason: "주거급여 상담이 먼저 필요한 신청입니다."}}}},
	{"youth-housing/youth-rent", youngAlone, well, service.No, 26, []deed{{9, "refuse", casework.ActionInput{Reason: "가구소득이 기준을 넘습니다."}}}},
	{"youth-housing/youth-rent", youngAlone, well, service.No, 30, []deed{{9, "refuse", casework.ActionInput{Reason: "가구소득이 기준을 넘습니다."}}, {17, "object", casework.ActionInput{Reason: "지난달에 직장을 그만두어 지금은 소득이 없습니다."}}}},
	{"youth-housing/youth-rent", youngAlone, well, service.No, 55, []deed{
		{9, "refuse", casework.ActionInput{Reason: "가구소득이 기준을 넘습니다."}},
		{6, "object", casework.ActionInput{Reason: "소득이 잘못 계산되었습니다."}},
		{7, "dismiss", casework.ActionInput{Reason: "건강보험료 부과액을 다시 확인했으나 소득이 기준을 넘습니다."}},
	}},
	{"youth-housing/youth-rent", youngAlone, well, service.No, 58, []deed{
		{9, "refuse", casework.ActionInput{Reason: "가구소득이 기준을 넘습니다."}},
		{6, "object", casework.ActionInput{Reason: "퇴직한 달의 보험료로 계산되었습니다."}},
		{7, "uphold", casework.ActionInput{Reason: "퇴직 뒤의 보험료로 다시 계산하니 기준에 맞습니다."}},
	}},
	{"youth-housing/youth-deposit-interest", young, map[string]any{}, service.Yes, 12, []deed{{1, "take", casework.ActionInput{}}, {6, "approve", casework.ActionInput{Reason: "요건을 확인했습니다."}}}},
	{"welfare/livelihood-benefit", old, map[string]any{}, "", 18, []deed{{9, "inspect", casework.ActionInput{Reason: "집을 찾아가 혼자 사시는 것을 확인했습니다."}}}},
	{"senior-support/basic-pension", old, map[string]any{}, "", 9, nil},
	{"senior-support/basic-pension", old, map[string]any{}, "", 4, nil},
	{"childcare/child-allowance", parents, map[string]any{}, service.Yes, 14, []deed{{5, "approve", casework.ActionInput{}}}},
	{"childcare/child-allowance", parents, map[string]any{}, service.Yes, 5, nil},
	{"childcare/child-allowance", parents, map[string]any{}, service.Yes, 2, nil},
}

// demoTries is how many residents are looked at for a case of the demo.
const demoTries = 60

// makeCases makes the demo's cases, as if they had been applied for and decided on the days that they say. What they say of people is read by the agreements, with receipts. Where it was cut off, it goes on.
func (s *server) makeCases(ctx context.Context) error {
	then := clock.NewFake(s.demo.AsOf)
	o := s.cases.Options
	o.Now = then.Now
	cases, err := casework.Open(ctx, o)
	if err != nil {
		return err
	}
	people := city.People(s.demo.Seed, s.demo.Residents, s.demo.AsOf)
	taken := map[int64]bool{}
	for i, c := range demoCases {
		who := slices.DeleteFunc(people.Heads(demoTries, c.among.age, c.among.size), func(n int64) bool { return taken[n] })
		if err := c.play(ctx, cases, then, s.demo.AsOf, fmt.Sprint("demo ", i), who, taken); err != nil {
			return fmt.Errorf("case %d of the demo: %w", i, err)
		}
	}
	return nil
}

// play finds the case's citizen, and does what becomes of it.
func (c demoCase) play(ctx context.Context, cases *casework.Store, then *clock.Fake, asOf time.Time, key string, candidates []int64, taken map[int64]bool) error {
	applied := time.Date(asOf.Year(), asOf.Month(), asOf.Day()-c.ago, 10, 20, 0, 0, clock.Seoul)
	for _, number := range candidates {
		then.Set(applied)
		who := &identity.Principal{Kind: identity.Citizen, Account: "demo-citizen", Person: strconv.FormatInt(number, 10)}
		answers, outcome, err := c.answered(ctx, cases, who)
		if err != nil {
			return err
		}
		if c.want != "" && outcome != c.want {
			continue
		}
		taken[number] = true
		a, err := cases.Submit(ctx, who, casework.Submission{Services: []string{c.service}, Answers: answers, Once: key})
		if problem.Code(err) == "application.open" {
			continue
		}
		if err != nil {
			return err
		}
		if a.Cases[0].Version > 1 || !a.At.Equal(applied.UTC()) {
			return nil // it was there already
		}
		return c.pass(ctx, cases, then, who, a.Cases[0].ID)
	}
	slog.Info("demo: nobody fits a case", "service", c.service)
	return nil
}

// answered are answers to all that is asked, by rule: what the case says, or else the first choice, no, nothing.
func (c demoCase) answered(ctx context.Context, cases *casework.Store, who *identity.Principal) (answers registry.Values, outcome service.Outcome, err error) {
	answers = registry.Values{}
	for range 30 {
		form, err := cases.Form(ctx, who, []string{c.service}, answers)
		if err != nil {
			return nil, "", err
		}
		if len(form.Asks) == 0 {
			return answers, form.Verdicts[0].Outcome, nil
		}
		for _, q := range form.Asks {
			answers[q.Name] = c.answer(q.Fact)
		}
	}
	return nil, "", errors.New("the form doesn't end")
}

func (c demoCase) answer(f *service.Fact) any {
	if v, said := c.answers[f.Name]; said {
		return fmt.Sprint(v)
	}
	if len(f.Codes) > 0 {
		return f.Codes[0].Code
	}
	switch f.Type {
	case manifest.Bool:
		return "false"
	case manifest.Int, manifest.Double:
		return "0"
	case manifest.Date:
		return "2026-01-05"
	}
	return "-"
}

// pass does what becomes of the case.
func (c demoCase) pass(ctx context.Context, cases *casework.Store, then *clock.Fake, who *identity.Principal, id string) error {
	for n, d := range c.deeds {
		then.Advance(time.Duration(d.after) * 24 * time.Hour)
		if d.action == "wake" {
			if _, err := cases.Wake(ctx); err != nil {
				return err
			}
			continue
		}
		seen, err := cases.Get(ctx, who, id)
		if err != nil {
			return err
		}
		by := &identity.Principal{Kind: identity.Official, Account: fmt.Sprint("demo-caseworker-", n%2+1), Name: "시연용 담당자", Agency: seen.Agency, Roles: []identity.Role{identity.Caseworker}}
		if slices.Contains([]string{"supply", "object", "withdraw"}, d.action) {
			by = who
		}
		in := d.in
		in.Version = seen.Version
		if d.action == "refuse" {
			for i, clause := range seen.Verdict.Clauses {
				if clause.Outcome == service.No {
					in.Clauses = append(in.Clauses, i)
				}
			}
		}
		if _, err := cases.Act(ctx, by, id, d.action, in); err != nil {
			return fmt.Errorf("%s: %w", d.action, err)
		}
	}
	return nil
}
