package registry

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

const (
	sightTown = `
kind: Project
name: trial
title: {ko: 시험, en: Trial}
owner: records
---
kind: Agency
name: records
title: {ko: 기록과, en: Records}
level: bureau
---
kind: Agency
name: homes
title: {ko: 주거과, en: Homes}
level: bureau
`
	sightPeople = `
kind: Dataset
name: people
title: {ko: 주민, en: People}
key: [id]
fields:
  id:     {type: string, class: personal}
  name:   {type: string, class: personal}
  number: {type: string, class: unique}
  floor:  {type: int}
  old:    {type: string, class: personal}
`
)

func sightOfficial(agency string, roles ...identity.Role) *identity.Principal {
	return &identity.Principal{Kind: identity.Official, Account: "somebody", Agency: agency, Roles: roles}
}

// sighted is a room with a person in it.
func sighted(t *testing.T, r *room) {
	t.Helper()
	p := r.planAs(t, identity.Itself("test"), sightPeople)
	if _, err := r.catalog.Apply(t.Context(), p.ID, identity.Itself("test"), ""); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Create(t.Context(), clerk, r.catalog.Snapshot().Datasets()[0], values(t, `{"id": "secret-key", "name": "secret-name", "number": "908101-1234567", "floor": 3, "old": "x"}`)); err != nil {
		t.Fatal(err)
	}
}

func (r *room) planAs(t *testing.T, who *identity.Principal, dataset string) *catalog.Plan {
	t.Helper()
	p, err := r.catalog.Plan(t.Context(), catalog.Request{Files: map[string]string{"project.yaml": sightTown, "people.yaml": dataset}, AllowLoss: true, Who: who})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPlanTellsNothingOfRecordsThatMayNotBeRead(t *testing.T) {
	author, stranger := sightOfficial("records", identity.Author), sightOfficial("homes", identity.Author)
	onBoth(t, func(t *testing.T, r *room) {
		sighted(t, r)
		var asked []*catalog.Plan
		for _, change := range [][2]string{
			{"name:   {type: string, class: personal}", "name: {type: string, class: public, codes: {a: b}}"},
			{"name:   {type: string, class: personal}", "name: {type: string, class: personal, pattern: '[^s].*'}"},
			{"name:   {type: string, class: personal}", "name: {type: int, class: public}"},
			{"number: {type: string, class: unique}", "number: {type: int, class: public}"},
			{"id:     {type: string, class: personal}", "id: {type: int, class: public}"},
			{"floor:  {type: int}", "floor: {type: int, min: 4}"},
		} {
			if !strings.Contains(sightPeople, change[0]) {
				t.Fatal(change[0])
			}
			dataset := strings.Replace(sightPeople, change[0], change[1], 1)
			theirs := r.planAs(t, stranger, dataset)
			if manifest.HasErrors(theirs.Findings) {
				t.Errorf("%s: who may not change the project is told whether its records fit: %+v", change[1], theirs.Findings)
			}
			asked = append(asked, theirs, r.planAs(t, author, dataset))
		}
		for _, drop := range []string{"", strings.Replace(sightPeople, "  old:    {type: string, class: personal}\n", "", 1)} {
			p := r.planAs(t, stranger, drop)
			for _, c := range p.Changes {
				for _, s := range c.Steps {
					if s.Loses != 0 {
						t.Errorf("%+v", s)
					}
				}
			}
		}
		for _, p := range asked {
			said, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"secret", "908101", " 1 of 1 records don't fit (the values are personal"} {
				if strings.Contains(string(said), secret) {
					t.Errorf("%q stands in %s", secret, said)
				}
			}
		}
		told := false
		for _, f := range r.planAs(t, author, strings.Replace(sightPeople, "floor:  {type: int}", "floor: {type: int, min: 4}", 1)).Findings {
			told = told || f.Code == "dataset.tighten" && strings.Contains(f.Message.En, "1 of 1")
		}
		if !told {
			t.Error("an author isn't told of records that they may read")
		}
	})
}

func TestNobodyLowersTheClassOfWhatTheyMayNotRead(t *testing.T) {
	author := sightOfficial("records", identity.Author)
	for _, c := range []struct {
		name     string
		old, new string
		who      *identity.Principal
		code     string
	}{
		{"an author", "name:   {type: string, class: personal}", "name: {type: string, class: public}", author, "dataset.expose"},
		{"an author, under another name", "name:   {type: string, class: personal}", "called: {type: string, was: name}", author, "dataset.expose"},
		{"an author who is steward", "name:   {type: string, class: personal}", "name: {type: string, class: public}", sightOfficial("records", identity.Author, identity.Steward), ""},
		{"an administrator", "name:   {type: string, class: personal}", "name: {type: string}", sightOfficial("homes", identity.Administrator), "dataset.expose"},
		{"a steward, of unique identifiers", "number: {type: string, class: unique}", "number: {type: string, class: personal}", sightOfficial("records", identity.Author, identity.Steward), "dataset.expose"},
		{"the privacy officer, of unique identifiers", "number: {type: string, class: unique}", "number: {type: string, class: personal}", sightOfficial("records", identity.Author, identity.Privacy), ""},
		{"an author raises one", "floor:  {type: int}", "floor: {type: int, class: personal}", author, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, r *room) {
				sighted(t, r)
				dataset := strings.Replace(sightPeople, c.old, c.new, 1)
				code := ""
				for _, f := range r.planAs(t, c.who, dataset).Findings {
					if f.Severity == manifest.Error {
						code = f.Code
					}
				}
				if code != c.code {
					t.Errorf("the plan says %q, not %q", code, c.code)
				}
				p := r.planAs(t, identity.Itself("test"), dataset) // somebody's who may
				if _, err := r.catalog.Apply(t.Context(), p.ID, c.who, ""); problem.Code(err) != c.code {
					t.Errorf("applying it says %v, not %q", err, c.code)
				}
			})
		})
	}
}

func TestAnImportTellsNothingOfWhatItsReaderMayNotRead(t *testing.T) {
	author, other, steward := sightOfficial("records", identity.Author), sightOfficial("records", identity.Author), sightOfficial("records", identity.Author, identity.Steward)
	author.Account, other.Account, steward.Account = "author", "other", "steward"
	const (
		head  = "id,name,number,floor,old\n"
		right = head + "secret-key,secret-name,908101-1234567,3,x\n"
		wrong = head + "secret-key,a-guess,908101-1234567,3,x\n"
		bad   = head + "k2,another-name,908101-7654321,no number,x\n"
	)
	onBoth(t, func(t *testing.T, r *room) {
		sighted(t, r)
		a := &api{r.Registry, r.catalog.Snapshot, nil, nil}
		d := r.catalog.Snapshot().Datasets()[0]
		asking := func(who *identity.Principal) context.Context { return identity.With(t.Context(), who) }
		run := func(file string, dry bool) int64 {
			t.Helper()
			i, err := r.Begin(t.Context(), By{Actor: author.Account, Via: "import"}, d, Upload{File: "f.csv", Size: int64(len(file)), Fingerprint: file, DryRun: dry})
			if err != nil {
				t.Fatal(err)
			}
			if i, err = r.Receive(t.Context(), i.ID, 0, strings.NewReader(file)); err != nil {
				t.Fatal(err)
			}
			return r.load(t, t.Context(), i).ID
		}
		for name, who := range map[string]*identity.Principal{"an author": author, "a steward, of unique identifiers": steward} {
			var tallies []Tally
			for _, file := range []string{right, wrong} {
				out, err := a.getImport(asking(who), &struct {
					ID int64 `path:"id" minimum:"1"`
				}{run(file, true)})
				if err != nil {
					t.Fatal(err)
				}
				tallies = append(tallies, out.Body.Tally)
			}
			if tallies[0] != tallies[1] || tallies[0] != (Tally{Changed: 1}) {
				t.Errorf("%s learns which guess is right: %+v", name, tallies)
			}
		}
		id := run(bad, false)
		for who, code := range map[*identity.Principal]string{author: "", other: "auth.refused", steward: "auth.refused", identity.Itself("local"): ""} {
			_, err := a.getRejected(asking(who), &struct {
				ID int64 `path:"id" minimum:"1"`
			}{id})
			if problem.Code(err) != code {
				t.Errorf("rejected rows with resident numbers for %s: %v, not %q", who.Account, err, code)
			}
		}
	})
}
