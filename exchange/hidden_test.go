package exchange_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/exchange"
	"github.com/maru-city/maru/identity"
)

// words are all that a problem says.
func words(err error) string {
	p := problem.As(err)
	if p == nil {
		return fmt.Sprint(err)
	}
	var b strings.Builder
	for _, tag := range []lang.Tag{lang.Ko, lang.En} {
		fmt.Fprint(&b, p.Code, p.Status, p.In(tag), p.Hint.In(tag), p.With)
	}
	return b.String()
}

func TestWhatAnAgreementDoesntShowIsAsIfItWerent(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people", "census", "numbers")
		all := []string{"person", "household", "name", "born", "address", "district", "floor", "income", "number", "left_on"}
		for _, a := range []struct {
			agreement string
			shown     []string // may be asked for
			plain     []string // may be named in a filter
		}{
			{"people", []string{"person", "name", "born", "address", "district", "floor"}, []string{"name", "district", "floor"}},
			{"census", []string{"district", "floor", "born"}, []string{"district", "floor"}},
			{"numbers", []string{"number", "name"}, nil},
		} {
			subject := c.person(t, "housing", 1)
			has := func(names []string, name string) bool {
				return strings.Contains(" "+strings.Join(names, " ")+" ", " "+name+" ")
			}
			asked := func(name string) error {
				_, _, err := c.read(t, a.agreement, exchange.Request{Subject: subject, Fields: []string{name}})
				return err
			}
			filtered := func(name string) error {
				_, _, err := c.read(t, a.agreement, exchange.Request{Subject: subject, Filter: "record." + name + " == null"})
				return err
			}
			for _, name := range all {
				nonsense := strings.Repeat("z", len(name))
				for what, s := range map[string]struct {
					try  func(string) error
					may  bool
					code string
				}{"asked for": {asked, has(a.shown, name), "agreement.field"}, "filtered by": {filtered, has(a.plain, name), "rule.unknown_field"}} {
					err := s.try(name)
					if s.may && problem.Code(err) != "" && problem.Code(err) != "rule.type" {
						t.Errorf("%s: %s can't be %s: %v", a.agreement, name, what, err)
					}
					if s.may {
						continue
					}
					refused(t, err, s.code, a.agreement+", "+what+" "+name)
					if got, want := strings.ReplaceAll(words(err), name, nonsense), words(s.try(nonsense)); got != want && !strings.Contains(got, "비슷한 이름") {
						t.Errorf("%s, %s %s can be told from what there isn't:\n%s\n%s", a.agreement, what, name, got, want)
					}
					if near := words(s.try(name[:len(name)-1])); strings.Contains(near, name) {
						t.Errorf("%s, %s what is nearly %s: %s", a.agreement, what, name, near)
					}
					for _, other := range all {
						if other != name && !has(a.shown, other) && strings.Contains(words(err), other) {
							t.Errorf("%s, %s %s: the refusal names %s: %s", a.agreement, what, name, other, words(err))
						}
					}
				}
			}
		}
	})
}

// What the rows are chosen by, or lies outside of them, must not be felt through a caller's filter that fails for some records.
func TestAFilterThatFailsTellsNothingOfOtherRecords(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "census")
		for filter, want := range map[string]int{
			"1.0 / (floor - 1) > 0.0":                  3 - 1, // 1 is the floor of who has moved away
			"floor + 9223372036854775807 > 0":          1,
			"won(district == \"jung\" ? 1 : 0, 0) > 0": 0,
			"floor == 1": 0,
		} {
			records, _, err := c.read(t, "census", exchange.Request{Filter: filter})
			if code := problem.Code(err); err != nil && !strings.HasPrefix(code, "rule.") {
				t.Errorf("%s: %v", filter, err)
			} else if err == nil && len(records) != want {
				t.Errorf("%s: %v", filter, texts(t, records))
			}
		}
	})
}

// codes are those of what a plan finds.
func codes(p *catalog.Plan) string {
	var out []string
	for _, f := range p.Findings {
		out = append(out, f.Code)
	}
	return strings.Join(out, " ")
}

func TestATermThatNoLongerIdentifiesDoesntMakeAReadOneOfNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.approve(t, "people")
		c.edit(t, "standards/project.yaml", "identifies: person\n", "")
		p := c.plan(t)
		if found := codes(p); !strings.Contains(found, "agreement.subject") {
			t.Errorf("the plan finds nothing wrong with it: %s", found)
		}
		if _, err := c.catalog.Apply(t.Context(), p.ID, identity.Itself("setup"), ""); problem.Code(err) != "plan.refused" {
			t.Errorf("it is applied: %v", err)
		}
	})
}

func TestAgreementsThatShowTooMuchArentAccepted(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		for _, s := range []struct{ name, rest, code string }{
			{"no law for unique values", "dataset: register/people\nfields: [number]\nconsent: asked\n", "agreement.basis"},
			{"no basis for personal ones", "dataset: register/people\nfields: [name]\n", "agreement.basis"},
			{"no consent for personal ones", "dataset: register/people\nbasis: 법\nfields: [name]\nconsent: none\n", "agreement.consent"},
			{"consent of nobody", "dataset: register/shelters\nfields: [code]\nconsent: asked\n", "agreement.subject"},
			{"a field that there isn't", "dataset: register/people\nbasis: 법\nfields: [nam]\n", "agreement.field"},
			{"a mask that there isn't", "dataset: register/people\nbasis: 법\nfields: [name]\nmasks: {name: blur}\n", "agreement.mask"},
			{"a mask of another type", "dataset: register/people\nbasis: 법\nfields: [name]\nmasks: {name: year}\n", "agreement.mask"},
			{"a mask of another field", "dataset: register/people\nbasis: 법\nfields: [name]\nmasks: {born: year}\n", "agreement.mask"},
			{"a condition that isn't one", "dataset: register/people\nbasis: 법\nfields: [name]\nwhere: record.floors > 1\n", "agreement.where"},
		} {
			c.files["housing/new.yaml"] = agreement("new", "\n"+s.rest)
			if found := codes(c.plan(t)); !strings.Contains(found, s.code) {
				t.Errorf("%s: %s", s.name, found)
			}
		}
	})
}
