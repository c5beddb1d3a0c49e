package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

const triedService = `kind: Project
name: tried
title: 시험
owner: housing
purpose: 시험
grade: sensitive
---
kind: Agreement
name: residents
title: 주민등록 확인
dataset: resident-registry/residents
purpose: eligibility
basis: 전자정부법 제36조
fields: [person, birth_date, household_size]
subject: one
consent: law
until: 2027-12-31
---
kind: Service
name: tried
title: 시험
facts:
  birth_date: {from: residents}
  household_size: {from: residents}
  monthly_rent: {ask: 월세가 얼마입니까?, type: int}
eligible:
  - {when: household_size > 20, why: "{household_size}명"}
  - {when: household_size >= 1, why: "{household_size}명"}
  - {when: age(birth_date) >= 19, why: "{age(birth_date)}세"}
  - {when: monthly_rent > 0, why: 월세}
  - {when: household_size < 0 && monthly_rent > 0, why: 두 가지}
  - {when: household_size > 0 && monthly_rent > 0, why: 두 가지}
  - {when: 10 % (household_size - 2) == 0, why: 나누기}
process: {due: 14 working days}
`

// TestClausesAreTriedOnMadeUpPeople looks at what a plan says of clauses that everybody or nobody meets, and of those that can't be worked out.
func TestClausesAreTriedOnMadeUpPeople(t *testing.T) {
	d, err := db.Open(t.Context(), filepath.Join(t.TempDir(), "maru.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	made := sample(time.Now())
	c, err := catalog.Open(t.Context(), d, time.Now, service.Follower{Sample: func() *service.Sample { return made }})
	if err != nil {
		t.Fatal(err)
	}
	plan := func(more map[string]string) *catalog.Plan {
		files := city.Manifests()
		maps.Copy(files, more)
		p, err := c.Plan(t.Context(), catalog.Request{Files: files, Who: identity.Itself("test")})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := plan(nil)
	for _, f := range p.Findings {
		if strings.HasPrefix(f.Code, "service.") && f.Code != "service.always" {
			t.Errorf("a clause of the demo city: %s", f)
		}
	}
	if _, err := c.Apply(t.Context(), p.ID, identity.Itself("test"), ""); err != nil {
		t.Fatal(err)
	}
	var got []string
	p = plan(map[string]string{"tried.yaml": triedService})
	for _, f := range p.Findings {
		if strings.HasPrefix(f.Code, "service.") {
			got = append(got, fmt.Sprintf("%s %d", f.Code, f.Pos.Line-1-slices.Index(strings.Split(triedService, "\n"), "eligible:")))
			if f.Severity != manifest.Warning || f.Hint.Empty() {
				t.Errorf("%s: %s", f.Severity, f)
			}
		}
	}
	if want := []string{"service.never 1", "service.always 2", "service.never 5", "service.clause_fails 7"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
