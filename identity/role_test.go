package identity

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/maru-city/maru/engine/problem"
)

// matrix is the table of roles once more, as those who answer for it would write it: y everywhere, o in their own agency's projects.
const matrix = `
                    author steward caseworker analyst privacy-officer governance-officer administrator service
catalog.see         y      y       y          y       y               y                  y             y
catalog.plan        y      y       -          -       -               y                  y             -
catalog.change      o      -       -          -       -               -                  y             -
catalog.rollback    -      -       -          -       -               -                  y             -
records.internal    o      o       o          o       -               -                  y             o
records.personal    -      o       o          -       -               -                  -             o
records.write       o      o       -          -       -               -                  y             o
records.reveal      -      o       o          -       -               -                  -             -
agreements.see      y      y       -          y       y               y                  y             -
agreements.steward  -      o       -          -       -               -                  -             -
agreements.privacy  -      -       -          -       y               -                  -             -
agreements.halt     o      o       -          -       y               -                  -             -
agreements.renew    o      -       -          -       -               -                  -             -
reads               -      -       o          o       -               -                  -             o
cases               -      -       o          -       -               -                  -             -
log.see             -      -       -          -       y               y                  y             -
agency.cut-off      -      -       -          -       y               y                  y             -
keys.rotate         -      -       -          -       -               -                  y             -
`

func TestEachCellOfTheTableOfRoles(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(matrix), "\n")
	roles := strings.Fields(lines[0])
	if len(roles) != len(Roles)+1 || len(lines) != len(Acts)+1 {
		t.Fatalf("%d roles, %d acts", len(roles), len(lines)-1)
	}
	mine := Place{Project: "p", Owners: []string{"division", "bureau", "hall"}}
	others := Place{Project: "q", Owners: []string{"other", "hall"}}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		for i, cell := range cells[1:] {
			p := &Principal{Kind: Official, Agency: "bureau", Roles: []Role{Role(roles[i])}}
			if roles[i] == "service" {
				p = &Principal{Kind: Service, Project: "p"}
			}
			act := Act(cells[0])
			if got, want := p.May(act, mine), cell != "-"; got != want {
				t.Errorf("%s of its own by %s: %v", act, roles[i], got)
			}
			if got, want := p.May(act, others), cell == "y"; got != want {
				t.Errorf("%s of others by %s: %v", act, roles[i], got)
			}
		}
		for _, p := range []*Principal{nobody, {Kind: Citizen, Person: "x", Roles: Roles}, {Kind: Official, Agency: "bureau"}, {Kind: Official, Roles: []Role{"service", "king"}, Agency: "bureau"}, {Kind: Service}} {
			if act := Act(cells[0]); act != SeeCatalog && (p.May(act, mine) || p.May(act, Place{})) {
				t.Errorf("%s by %+v", act, p)
			}
		}
	}
}

func TestWhoIsRefusedLearnsWhatToDo(t *testing.T) {
	if err := nobody.Need(Change, Place{}); problem.Code(err) != "auth.needed" {
		t.Error(err)
	}
	if err := (&Principal{Kind: Official, Roles: []Role{Author}, Agency: "a"}).Need(Change, Place{Owners: []string{"b"}}); problem.Code(err) != "auth.refused" {
		t.Error(err)
	}
}

// TestThePageOfRolesIsTheTable keeps docs/roles.md true: MARU_UPDATE=1 writes it anew.
func TestThePageOfRolesIsTheTable(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Roles\n\nWho may do what. *own*: in the projects of one's agency and of those below it; of a service account in its project. Made from the code\n" +
		"(`MARU_UPDATE=1 go test ./identity`).\n\n| act |")
	all := append([]Role{}, append(Roles, service)...)
	for _, r := range all {
		fmt.Fprintf(&b, " %s |", r)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(all)) + "\n")
	for _, act := range Acts {
		fmt.Fprintf(&b, "| `%s` |", act)
		for _, r := range all {
			b.WriteString([]string{"", " own", " yes"}[table[r][act]] + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\nA citizen reads what is open, and what was read about them. Who isn't signed in reads what is open.\n")
	const path = "../docs/roles.md"
	if os.Getenv("MARU_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != b.String() {
		t.Errorf("%s isn't the table of roles (%v): MARU_UPDATE=1 go test ./identity", path, err)
	}
}
