package casework_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
)

func dueOf(d *casework.File) string {
	if d.Due.IsZero() {
		return ""
	}
	return d.Due.In(clock.Seoul).Format("2006-01-02 15:04")
}

func names(d *casework.File) (out []string) {
	for _, a := range d.Actions {
		out = append(out, a.Name)
	}
	return out
}

// A case from application to payment: supplement, extension, decision; the citizen sees each step that is theirs to see.
func TestACaseFromBeginningToEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{rent}, said(t, map[string]any{"monthly_rent": 450_000})).Cases[0].ID
		d := c.do(t, housing, id, "take", casework.ActionInput{})
		if d.Assignee != "housing-caseworker" || dueOf(d) != "2026-12-17 23:59" {
			t.Fatalf("%s %s", d.Assignee, dueOf(d))
		}
		c.do(t, housing, id, "note", casework.ActionInput{Reason: "동료만 봅니다"})
		c.clock.Set(at(t, "2026-12-02 10:00"))
		d = c.do(t, housing, id, "ask", casework.ActionInput{Reason: "임대차계약서의 날짜가 보이지 않습니다", Days: 7})
		if d.State != casework.Supplement || dueOf(d) != "" || d.Asked.Until.In(clock.Seoul).Format("01-02 15:04") != "12-09 23:59" {
			t.Fatalf("%s, due %s, %+v", d.State, dueOf(d), d.Asked)
		}
		mine, err := c.Get(t.Context(), citizen("1"), id)
		if err != nil || !slices.Equal(names(mine), []string{"supply", "more-time", "withdraw"}) {
			t.Fatalf("%v %v", names(mine), err)
		}
		if mine.Assignee != "" {
			t.Errorf("the citizen sees the account %s", mine.Assignee)
		}
		if slices.ContainsFunc(mine.History, func(e casework.CaseStep) bool { return e.Internal || e.Actor != "" }) || len(mine.History) != 2 {
			t.Errorf("the citizen sees %+v", mine.History)
		}
		c.clock.Set(at(t, "2026-12-07 15:00"))
		d = c.do(t, citizen("1"), id, "supply", casework.ActionInput{Reason: "다시 찍었습니다", Answers: said(t, map[string]any{"monthly_rent": 300_000})})
		if d.State != casework.Received || dueOf(d) != "2026-12-22 23:59" { // three working days stood
			t.Fatalf("%s %s", d.State, dueOf(d))
		}
		if _, err := c.try(t, housing, id, "extend", casework.ActionInput{Reason: "일이 많습니다", Days: 3, Ground: "workload"}); problem.Code(err) != "case.ground" {
			t.Error("extended for workload:", err)
		}
		d = c.do(t, housing, id, "extend", casework.ActionInput{Reason: "집주인에게 확인합니다", Days: 3, Ground: "facts"})
		if dueOf(d) != "2026-12-28 23:59" { // the 23rd, the 24th; Christmas is off
			t.Errorf("extended to %s", dueOf(d))
		}
		if _, err := c.try(t, housing, id, "extend", casework.ActionInput{Reason: "한 번 더", Days: 3, Ground: "facts"}); problem.Code(err) != "clock.consent" {
			t.Error("extended twice without consent:", err)
		}
		d = c.do(t, housing, id, "approve", casework.ActionInput{})
		if d.State != casework.Approved || d.Done || d.Decision.Amount.Amount == nil || dueOf(d) != "" {
			t.Fatalf("%+v", d.Decision)
		}
		d = c.do(t, housing, id, "pay", casework.ActionInput{})
		if d.State != casework.Paid || !d.Done {
			t.Errorf("%s", d.State)
		}
		if _, err := c.try(t, housing, id, "approve", casework.ActionInput{}); problem.Code(err) != "case.state" {
			t.Error("approved once more:", err)
		}
		list, _, err := c.Queue(t.Context(), housing, casework.Queue{})
		if err != nil || len(list) != 0 {
			t.Errorf("still waits: %v %v", list, err)
		}
		if list, _, err = c.Queue(t.Context(), housing, casework.Queue{Done: true}); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
	})
}

func TestARefusalNamesTheClauseAndCanBeObjectedTo(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("2"), []string{rent}, said(t, map[string]any{"monthly_rent": 450_000})).Cases[0].ID
		if _, err := c.try(t, housing, id, "approve", casework.ActionInput{}); problem.Code(err) != "case.against_rule" {
			t.Error("approved against the rule without a word:", err)
		}
		if _, err := c.try(t, housing, id, "refuse", casework.ActionInput{Reason: "나이가 맞지 않습니다"}); problem.Code(err) != "case.clause" {
			t.Error("refused without a clause:", err)
		}
		d := c.do(t, housing, id, "refuse", casework.ActionInput{Reason: "만 19–39세가 아닙니다", Clauses: []int{0}})
		if d.State != casework.Refused || d.Decision.Verdict.Clauses[0].Outcome != service.No || d.Decision.Remedy.Empty() || d.Decision.Object.In(clock.Seoul).Format("2006-01-02") != "2027-01-29" {
			t.Fatalf("%+v", d.Decision)
		}
		c.clock.Set(at(t, "2027-01-29 23:00"))
		d = c.do(t, citizen("2"), id, "object", casework.ActionInput{Reason: "군 복무 기간이 있습니다"})
		if d.State != casework.Objected || d.Done || dueOf(d) != "2027-02-10 23:59" { // ten days: 8 February is New Year's, the 9th its substitute; the 8th is where it would end
			t.Errorf("%s, due %s", d.State, dueOf(d))
		}
		if _, err := c.try(t, citizen("2"), id, "object", casework.ActionInput{Reason: "다시"}); problem.Code(err) != "case.state" {
			t.Error("objected twice:", err)
		}
		if d = c.do(t, housing, id, "dismiss", casework.ActionInput{Reason: "복무 기간을 더해도 맞지 않습니다"}); d.State != casework.Dismissed || !d.Done {
			t.Errorf("%s", d.State)
		}
		late := c.submit(t, citizen("2"), []string{rent}, said(t, map[string]any{"monthly_rent": 450_000})).Cases[0].ID
		c.do(t, housing, late, "refuse", casework.ActionInput{Reason: "만 19–39세가 아닙니다", Clauses: []int{0}})
		c.clock.Advance(61 * 24 * time.Hour)
		if _, err := c.try(t, citizen("2"), late, "object", casework.ActionInput{Reason: "늦었습니다"}); problem.Code(err) != "case.objection_late" {
			t.Error("objected too late:", err)
		}
	})
}

func TestTwoPairsOfEyes(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		other := caseworker("welfare-second", "welfare")
		id := c.submit(t, citizen("1"), []string{grant}, said(t, map[string]any{"rent": 1})).Cases[0].ID
		if d := c.do(t, welfare, id, "approve", casework.ActionInput{Reason: "맞습니다"}); d.State != casework.Proposed || d.Done {
			t.Fatal(d.State)
		}
		if mine, err := c.Get(t.Context(), citizen("1"), id); err != nil || mine.Decision != nil {
			t.Errorf("the citizen sees a draft: %+v %v", mine.Decision, err)
		}
		if _, err := c.try(t, welfare, id, "confirm", casework.ActionInput{}); problem.Code(err) != "case.same_person" {
			t.Error("confirmed by whoever decided:", err)
		}
		if d := c.do(t, other, id, "send-back", casework.ActionInput{Reason: "월세를 다시 봐 주십시오"}); d.State != casework.Received || d.Decision != nil {
			t.Error(d.State)
		}
		c.do(t, welfare, id, "approve", casework.ActionInput{})
		if d := c.do(t, other, id, "confirm", casework.ActionInput{}); d.State != casework.Approved || !d.Done {
			t.Error(d.State)
		}
	})
}

func TestWhoMaySeeAndDo(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{rent}, said(t, map[string]any{"monthly_rent": 1})).Cases[0].ID
		for _, who := range []*identity.Principal{citizen("2"), welfare, {Kind: identity.Official, Account: "author", Agency: "housing-policy", Roles: []identity.Role{identity.Author}}, {Kind: identity.Service, Project: "youth-housing"}} {
			if _, err := c.Get(t.Context(), who, id); problem.Code(err) != "case.unknown" {
				t.Errorf("%s sees it: %v", who.Account, err)
			}
			if _, err := c.Act(t.Context(), who, id, "withdraw", casework.ActionInput{Version: 1}); problem.Code(err) != "case.unknown" {
				t.Errorf("%s acts: %v", who.Account, err)
			}
		}
		if _, err := c.Get(t.Context(), &identity.Principal{}, id); problem.Code(err) != "auth.needed" {
			t.Error(err)
		}
		if _, err := c.Act(t.Context(), citizen("1"), id, "approve", casework.ActionInput{Version: 1}); problem.Code(err) != "auth.refused" {
			t.Error("a citizen approves:", err)
		}
		if _, err := c.Act(t.Context(), housing, id, "withdraw", casework.ActionInput{Version: 1}); problem.Code(err) != "auth.refused" {
			t.Error("an office withdraws:", err)
		}
	})
}

// After a transfer the office it went to has it, and the one it came from doesn't.
func TestATransferredCaseIsTheOtherOffices(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{rent}, said(t, map[string]any{"monthly_rent": 1})).Cases[0].ID
		if d := c.do(t, housing, id, "transfer", casework.ActionInput{Agency: "welfare", Reason: "복지실의 일입니다"}); d.Agency != "welfare" || len(d.Facts) != 0 {
			t.Errorf("%+v", d)
		}
		if _, err := c.Get(t.Context(), housing, id); problem.Code(err) != "case.unknown" {
			t.Error("the former office still sees it:", err)
		}
		if d, err := c.Get(t.Context(), welfare, id); err != nil || d.Agency != "welfare" || !strings.Contains(d.History[len(d.History)-1].Note, "복지실") {
			t.Errorf("%+v %v", d, err)
		}
	})
}

func TestOfTwoWhoDecideAtOnceOneDoes(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{rent}, said(t, map[string]any{"monthly_rent": 1})).Cases[0].ID
		var done, moved atomic.Int32
		var group sync.WaitGroup
		for i := range 8 {
			who, action := housing, "approve"
			if i%2 == 1 {
				who, action = second, "refuse"
			}
			group.Go(func() {
				_, err := c.Act(t.Context(), who, id, action, casework.ActionInput{Version: 1, Reason: "결정", Clauses: []int{0}})
				switch problem.Code(err) {
				case "":
					done.Add(1)
				case "case.moved":
					moved.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		group.Wait()
		if done.Load() != 1 || moved.Load() != 7 {
			t.Errorf("%d decided, %d were told that it had moved", done.Load(), moved.Load())
		}
	})
}

// What comes due while the server is down is told once, when it is up again.
func TestWhatIsDueIsToldOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{rent}, said(t, map[string]any{"monthly_rent": 1})).Cases[0].ID
		c.do(t, housing, id, "ask", casework.ActionInput{Reason: "계약서가 필요합니다", Days: 5})
		if _, err := c.try(t, housing, id, "return", casework.ActionInput{Reason: "오지 않았습니다"}); problem.Code(err) != "case.state" {
			t.Error("returned before its time:", err)
		}
		c.clock.Set(at(t, "2027-01-05 10:00")) // the supplement's end, and thirty days
		for range 3 {
			if _, err := c.Wake(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		d, err := c.Get(t.Context(), housing, id)
		if err != nil {
			t.Fatal(err)
		}
		var steps []string
		for _, e := range d.History {
			steps = append(steps, e.Action)
		}
		if !slices.Equal(steps, []string{"apply", "ask", "lapsed", "progress"}) {
			t.Errorf("%q", steps)
		}
		if d = c.do(t, housing, id, "ask-again", casework.ActionInput{Reason: "한 번 더 기다립니다", Days: 10}); !d.Asked.Again {
			t.Errorf("%+v", d.Asked)
		}
		c.clock.Advance(15 * 24 * time.Hour)
		if n, err := c.Wake(t.Context()); err != nil || n != 1 {
			t.Errorf("%d %v", n, err)
		}
		if _, err := c.try(t, housing, id, "ask-again", casework.ActionInput{Reason: "또", Days: 10}); problem.Code(err) != "case.asked_twice" {
			t.Error(err)
		}
		if d = c.do(t, housing, id, "return", casework.ActionInput{Reason: "오지 않았습니다"}); d.State != casework.Returned || !d.Done {
			t.Error(d.State)
		}
	})
}

func TestMoreTimeIsGivenTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{rent}, said(t, map[string]any{"monthly_rent": 1})).Cases[0].ID
		c.do(t, housing, id, "ask", casework.ActionInput{Reason: "계약서가 필요합니다", Days: 5})
		for i := range 2 {
			c.do(t, citizen("1"), id, "more-time", casework.ActionInput{Reason: "여행 중입니다", Days: 10 + i})
		}
		if _, err := c.try(t, citizen("1"), id, "more-time", casework.ActionInput{Reason: "아직입니다", Days: 30}); problem.Code(err) != "case.more_time" {
			t.Error("a third time:", err)
		}
	})
}

// The rule changes while a case is open: the case keeps its own, and is decided by it; a year later it is made again, to the letter.
func TestADecisionIsReproduced(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{rent}, said(t, map[string]any{"monthly_rent": 450_000})).Cases[0].ID
		files := map[string]string{"services.yaml": strings.Replace(city.Manifests()["youth-housing/services.yaml"], "age(birth_date) <= 39", "age(birth_date) <= 25", 1), "project.yaml": city.Manifests()["youth-housing/project.yaml"]}
		if files["services.yaml"] == city.Manifests()["youth-housing/services.yaml"] {
			t.Fatal("the rule hasn't changed")
		}
		c.apply(t, files)
		d := c.do(t, housing, id, "rerun", casework.ActionInput{})
		if note := d.History[len(d.History)-1].Note; d.State != casework.Received || !strings.Contains(note, "신청한 날의 기준 (2026-11-30, 개정 1): 요건에 맞음\n지금의 기준 (2026-11-30, 개정 2): 요건에 맞지 않음\n  · 만 19–39세여야 합니다") {
			t.Errorf("both are shown: %s %q", d.State, note)
		}
		c.do(t, housing, id, "approve", casework.ActionInput{})
		c.clock.Advance(365 * 24 * time.Hour)
		for _, who := range []*identity.Principal{housing, citizen("1")} {
			r, err := c.Reproduce(t.Context(), who, id)
			if err != nil || !r.Same || r.Again.Outcome != service.Yes || r.AsOf != "2026-11-30" || !strings.Contains(r.Rule, "age(birth_date) <= 39") {
				t.Errorf("%+v %v", r, err)
			}
		}
		if _, err := c.Reproduce(t.Context(), welfare, id); problem.Code(err) != "case.unknown" {
			t.Error(err)
		}
	})
}

// A holiday that is put into the calendar moves open terms, visibly.
func TestAChangedCalendarMovesOpenTerms(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		id := c.submit(t, citizen("1"), []string{rent}, said(t, map[string]any{"monthly_rent": 450_000})).Cases[0].ID
		files := map[string]string{}
		for name, text := range city.Manifests() {
			if strings.HasPrefix(name, "city-standards/") {
				files[name] = text
			}
		}
		files["city-standards/calendar.yaml"] += "  - {date: 2026-12-10, name: 임시공휴일}\n"
		c.apply(t, files)
		for want := range 2 {
			if n, err := c.Recount(t.Context()); err != nil || n != 1-want {
				t.Fatalf("%d moved: %v", n, err)
			}
		}
		d, err := c.Get(t.Context(), citizen("1"), id)
		if err != nil || dueOf(d) != "2026-12-18 23:59" || d.History[len(d.History)-1].Action != "calendar" {
			t.Errorf("%s %+v %v", dueOf(d), d.History, err)
		}
	})
}

// The queue comes by due time, in pages, without what isn't theirs.
func TestTheQueue(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		for i := range 5 {
			c.people[string(rune('a'+i))] = c.people["1"]
			c.submit(t, citizen(string(rune('a'+i))), []string{rent}, said(t, map[string]any{"monthly_rent": 1}))
			c.clock.Advance(24 * time.Hour)
		}
		stands := c.submit(t, citizen("1"), []string{rent, grant}, said(t, map[string]any{"monthly_rent": 1})).Cases[0].ID
		c.do(t, housing, stands, "ask", casework.ActionInput{Reason: "계약서", Days: 5})
		var seen []*casework.Case
		for cursor := ""; ; {
			list, next, err := c.Queue(t.Context(), housing, casework.Queue{Limit: 2, Cursor: cursor})
			if err != nil || len(list) > 2 {
				t.Fatal(len(list), err)
			}
			seen = append(seen, list...)
			if cursor = next; next == "" {
				break
			}
		}
		if len(seen) != 6 || seen[5].ID != stands || !slices.IsSortedFunc(seen[:5], func(a, b *casework.Case) int { return a.Due.Compare(b.Due) }) {
			t.Errorf("%d cases", len(seen))
		}
		if _, _, err := c.Queue(t.Context(), citizen("1"), casework.Queue{}); problem.Code(err) != "auth.refused" {
			t.Error("a citizen sees the queue:", err)
		}
	})
}

// Several cases at once: what can be done to some is done, and the others say why not.
func TestSeveralAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		var items []casework.BatchItem
		for _, who := range []string{"1", "2"} { // the second is too old: the rule says no
			a := c.submit(t, citizen(who), []string{rent}, said(t, map[string]any{"monthly_rent": 450_000}))
			items = append(items, casework.BatchItem{Case: a.Cases[0].ID, Version: 1})
		}
		stale := casework.BatchItem{Case: items[0].Case, Version: 7}
		list, err := c.Batch(t.Context(), housing, "approve", append(items, stale, casework.BatchItem{Case: "2026-0000-0000-1", Version: 1}))
		var got []string
		for _, r := range list {
			got = append(got, fmt.Sprint(r.Done, " ", r.Code))
		}
		if want := []string{"true ", "false case.against_rule", "false case.moved", "false case.unknown"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("%q, want %q: %v", got, want, err)
		}
		for action, code := range map[string]string{"refuse": "case.action", "nothing": "case.action"} {
			if _, err := c.Batch(t.Context(), housing, action, items); problem.Code(err) != code {
				t.Errorf("%s: %v", action, err)
			}
		}
		if _, err := c.Batch(t.Context(), housing, "take", nil); problem.Code(err) != "case.batch" {
			t.Error(err)
		}
		if list, err := c.Batch(t.Context(), citizen("1"), "approve", items[:1]); err != nil || list[0].Done {
			t.Errorf("a citizen approves: %+v %v", list, err)
		}
	})
}
