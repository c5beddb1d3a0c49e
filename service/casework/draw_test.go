package casework_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/service/casework"
)

const scarce = `
kind: Project
name: scarce
title: {ko: 나눔, en: Scarce}
owner: welfare
lifecycle: live
---
kind: Service
name: garden
title: {ko: 도시 텃밭, en: City garden}
window: {from: 2026-11-01, to: 2026-12-04, quota: 3, choose: draw, seed: {ko: 12월 5일 로또 당첨 번호, en: The lottery numbers of 5 December}}
facts:
  wants: {ask: {ko: "텃밭을 가꾸시겠습니까?", en: Will you tend it?}, type: bool}
eligible:
  - {when: wants, why: {ko: 가꿀 뜻이 있어야 합니다, en: You want to}}
process: {due: 14 working days}
---
kind: Service
name: seeds
title: {ko: 씨앗 나눔, en: Seeds}
window: {from: 2026-11-01, to: 2026-12-31, quota: 3, choose: first-come}
facts:
  wants: {ask: {ko: "씨앗을 받으시겠습니까?", en: Do you want some?}, type: bool}
eligible:
  - {when: wants, why: {ko: 받을 뜻이 있어야 합니다, en: You want some}}
process: {due: 5 working days}
`

// sha is SHA-256 in hexadecimal, as whoever repeats a draw computes it.
func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestADrawThatAnyoneCanRepeat(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.apply(t, map[string]string{"scarce.yaml": scarce})
		yes := said(t, map[string]any{"wants": true})
		byEntry := map[string]string{}
		who := map[string]*identity.Principal{}
		for i := range 8 {
			a := c.submit(t, citizen(fmt.Sprint(100+i)), []string{"scarce/garden"}, yes)
			mine := citizen(fmt.Sprint(100 + i))
			f, err := c.Get(t.Context(), mine, a.Cases[0].ID)
			if err != nil || f.Draw == nil || len(f.Draw.Entry) != 32 || f.Draw.Done || f.Draw.Of != 0 { // the line is known from the beginning
				t.Fatalf("%+v %v", f.Draw, err)
			}
			byEntry[f.Draw.Entry], who[f.ID] = f.ID, mine
		}
		line := sortedKeys(byEntry)[0]
		quits := byEntry[line]
		c.do(t, who[quits], quits, "withdraw", casework.ActionInput{})
		delete(byEntry, line)
		if _, err := c.Draw(t.Context(), "scarce", "garden"); problem.Code(err) != "draw.open" {
			t.Error(err)
		}
		one := byEntry[sortedKeys(byEntry)[0]]
		if _, err := c.try(t, welfare, one, "approve", casework.ActionInput{}); problem.Code(err) != "case.draw" {
			t.Errorf("approved before the draw: %v", err)
		}
		c.clock.Set(at(t, "2026-12-05 00:01"))
		for range 2 { // told once
			if _, err := c.Wake(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		d, err := c.Draw(t.Context(), "scarce", "garden")
		if err != nil || !slices.Equal(d.Entries, sortedKeys(byEntry)) || d.Seed != "" || d.List != sha(strings.Join(d.Entries, "\n")+"\n") {
			t.Fatalf("%+v %v", d, err)
		}
		if list, err := c.Draws(t.Context(), welfare); err != nil || len(list) != 1 {
			t.Errorf("%v %v", list, err)
		}
		if list, err := c.Draws(t.Context(), housing); err != nil || len(list) != 0 {
			t.Errorf("%v %v", list, err)
		}
		for code, try := range map[string]func() error{
			"auth.refused": func() error { return second1(c.Decide(t.Context(), housing, "scarce", "garden", "1 2 3 4 5 6")) },
			"draw.seed":    func() error { return second1(c.Decide(t.Context(), welfare, "scarce", "garden", "  ")) },
			"draw.seed ":   func() error { return second1(c.Decide(t.Context(), welfare, "scarce", "garden", "3 and 11")) },
			"draw.none":    func() error { return second1(c.Decide(t.Context(), welfare, "scarce", "seeds", "1")) },
		} {
			if err := try(); problem.Code(err) != strings.TrimSpace(code) {
				t.Errorf("%s: %v", code, err)
			}
		}
		after, err := c.Decide(t.Context(), welfare, "scarce", "garden", " 44, 11  014 ２５ 40 3 ")
		if err != nil || after.Seed != "3 11 14 25 40 44" || after.List != d.List {
			t.Fatalf("%+v %v", after, err)
		}
		if _, err := c.Decide(t.Context(), welfare, "scarce", "garden", "7"); problem.Code(err) != "draw.done" {
			t.Errorf("drawn twice: %v", err)
		}
		again := slices.Clone(d.Entries) // by hand, from what is published
		slices.SortFunc(again, func(a, b string) int { return strings.Compare(sha("3 11 14 25 40 44:"+a), sha("3 11 14 25 40 44:"+b)) })
		if !slices.Equal(again, after.Entries) {
			t.Errorf("repeated it comes out another way: %q, %q", again, after.Entries)
		}
		for i, entry := range after.Entries {
			id := byEntry[entry]
			f, err := c.Get(t.Context(), who[id], id)
			if err != nil || f.Draw == nil || f.Draw.Rank != i+1 || f.Draw.Won != (i < 3) || f.Draw.Entry != entry {
				t.Errorf("rank %d: %+v %v", i+1, f.Draw, err)
			}
		}
		first, fourth := byEntry[after.Entries[0]], byEntry[after.Entries[3]]
		if _, err := c.try(t, welfare, fourth, "approve", casework.ActionInput{}); problem.Code(err) != "case.draw" {
			t.Errorf("the fourth of three: %v", err)
		}
		c.do(t, who[first], first, "withdraw", casework.ActionInput{}) // then the fourth moves up
		c.do(t, welfare, fourth, "approve", casework.ActionInput{})
		if _, err := c.try(t, welfare, byEntry[after.Entries[4]], "approve", casework.ActionInput{}); problem.Code(err) != "case.draw" {
			t.Errorf("the fifth: %v", err)
		}
	})
}

func sortedKeys(m map[string]string) (out []string) {
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// A list that is fixed stays: what the manifest says later draws nobody again, takes nobody in, and doesn't change what was said of the value.
func TestAFixedListStays(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.apply(t, map[string]string{"scarce.yaml": scarce})
		yes := said(t, map[string]any{"wants": true})
		for i := range 5 {
			c.submit(t, citizen(fmt.Sprint(300+i)), []string{"scarce/garden"}, yes)
		}
		c.clock.Set(at(t, "2026-12-05 00:01"))
		if _, err := c.Wake(t.Context()); err != nil {
			t.Fatal(err)
		}
		before, err := c.Decide(t.Context(), welfare, "scarce", "garden", "1")
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range []string{"from: 2026-11-02, to: 2026-12-04", "from: 2026-11-01, to: 2026-12-31", "from: 2026-10-01, to: 2026-12-05"} {
			c.apply(t, map[string]string{"scarce.yaml": strings.NewReplacer("from: 2026-11-01, to: 2026-12-04", change, "12월 5일 로또", "아무 때나 고른 로또").Replace(scarce)})
			if _, err := c.Wake(t.Context()); err != nil {
				t.Fatal(err)
			}
			d, err := c.Draw(t.Context(), "scarce", "garden")
			if err != nil || !slices.Equal(d.Entries, before.Entries) || d.Source.Ko != "12월 5일 로또 당첨 번호" || d.To != "2026-12-04" {
				t.Errorf("%s: %+v %v", change, d, err)
			}
			if _, err := c.Decide(t.Context(), welfare, "scarce", "garden", "2"); problem.Code(err) != "draw.done" {
				t.Errorf("%s: drawn again: %v", change, err)
			}
			if _, err := c.Submit(t.Context(), citizen("999"), casework.Submission{Services: []string{"scarce/garden"}, Answers: yes}); problem.Code(err) != "application.closed" {
				t.Errorf("%s: %v", change, err)
			}
		}
	})
}

// Of eight who apply at once for what there are three of, three do.
func TestWhoComesFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.apply(t, map[string]string{"scarce.yaml": scarce})
		yes := said(t, map[string]any{"wants": true})
		var group sync.WaitGroup
		codes := make([]string, 8)
		for i := range codes {
			group.Go(func() {
				_, err := c.Submit(t.Context(), citizen(fmt.Sprint(200+i)), casework.Submission{Services: []string{"scarce/seeds"}, Answers: yes})
				codes[i] = problem.Code(err)
			})
		}
		group.Wait()
		slices.Sort(codes)
		if want := []string{"", "", "", "application.full", "application.full", "application.full", "application.full", "application.full"}; !slices.Equal(codes, want) {
			t.Errorf("%q", codes)
		}
	})
}

// A service that is drawn twice a year has a draw for each window, each of those who applied in it, and takes nothing in between.
func TestADrawForEachWindow(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.apply(t, map[string]string{"scarce.yaml": strings.Replace(scarce, "window: {from: 2026-11-01, to: 2026-12-04, quota: 3, choose: draw, seed: {ko: 12월 5일 로또 당첨 번호, en: The lottery numbers of 5 December}}",
			"windows: [{from: 2026-12-10, to: 2026-12-12, quota: 1, choose: draw, seed: {ko: 둘째, en: second}}, {from: 2026-11-01, to: 2026-12-04, quota: 2, choose: draw, seed: {ko: 첫째, en: first}}]", 1)})
		yes := said(t, map[string]any{"wants": true})
		apply := func(n int) (*identity.Principal, error) {
			who := citizen(fmt.Sprint(600 + n))
			_, err := c.Submit(t.Context(), who, casework.Submission{Services: []string{"scarce/garden"}, Answers: yes})
			return who, err
		}
		for n := range 3 {
			if _, err := apply(n); err != nil {
				t.Fatal(err)
			}
		}
		c.clock.Set(at(t, "2026-12-07 10:00"))
		if _, err := apply(3); problem.Code(err) != "application.closed" || !strings.Contains(fmt.Sprint(err), "2026-12-10") {
			t.Errorf("between two windows: %v", err)
		}
		c.clock.Set(at(t, "2026-12-11 10:00"))
		for n := range 2 {
			if _, err := apply(4 + n); err != nil {
				t.Fatal(err)
			}
		}
		first, err := c.Draw(t.Context(), "scarce", "garden")
		if err != nil || len(first.Entries) != 3 || first.Quota != 2 || first.Source.En != "first" {
			t.Fatalf("%+v %v", first, err)
		}
		c.clock.Set(at(t, "2026-12-14 10:00"))
		if list, err := c.Draws(t.Context(), welfare); err != nil || len(list) != 2 {
			t.Errorf("%v %v", list, err)
		}
		for _, n := range []string{"7", "8"} { // the one that has waited longest first
			if _, err := c.Decide(t.Context(), welfare, "scarce", "garden", n); err != nil {
				t.Fatal(err)
			}
		}
		second, err := c.Draw(t.Context(), "scarce", "garden")
		if err != nil || len(second.Entries) != 2 || second.Quota != 1 || second.Seed != "8" {
			t.Errorf("%+v %v", second, err)
		}
		cases, err := c.Mine(t.Context(), citizen("604"))
		if err != nil {
			t.Fatal(err)
		}
		f, err := c.Get(t.Context(), citizen("604"), cases[0].ID)
		if err != nil || f.Draw == nil || f.Draw.Of != 2 || f.Draw.Quota != 1 {
			t.Errorf("%+v %v", f.Draw, err)
		}
		if _, err := c.Decide(t.Context(), welfare, "scarce", "garden", "9"); problem.Code(err) != "draw.done" {
			t.Error(err)
		}
	})
}
