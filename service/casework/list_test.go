package casework_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/service/casework"
)

const (
	taxi = "childcare/parents-taxi"
	card = "childcare/many-children-card"
)

// children are born on these days, as agreements have them.
func children(days ...string) (out []map[string]any) {
	out = []map[string]any{}
	for _, d := range days {
		out = append(out, map[string]any{"birth_date": d})
	}
	return out
}

// TestAListIsReadWholeAndKept applies by a list that was read: every record counts, what the citizen says stands beside it, and a year later the verdict is made again.
func TestAListIsReadWholeAndKept(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.people["1"]["in_seoul_since"] = "2019-03-02"
		c.each = map[string][]map[string]any{"childcare/each-child": children("2015-01-01", "2025-03-02")}
		f, err := c.Form(t.Context(), citizen("1"), []string{taxi, card}, nil)
		if err != nil || len(f.Asks) > 0 || f.Verdicts[0].Outcome != service.Yes || f.Verdicts[1].Outcome != service.Yes || f.Verdicts[0].Benefit.Amount != int64(100_000) {
			t.Fatalf("%+v %v", f, err)
		}
		claim := said(t, map[string]any{"children": []any{map[string]any{"birth_date": "2015-01-01"}, map[string]any{"birth_date": "2025-03-02"}, map[string]any{"birth_date": "2025-03-02"}}})
		a := c.submit(t, citizen("1"), []string{taxi, card}, claim)
		d, err := c.Get(t.Context(), citizen("1"), a.Cases[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(d.Facts, func(f casework.ShownFact) bool { return f.Name == "children" })
		if f := d.Facts[i]; !reflect.DeepEqual(f.Value, children("2015-01-01", "2025-03-02")) || !reflect.DeepEqual(f.Claim, children("2015-01-01", "2025-03-02", "2025-03-02")) || f.Agreement != "childcare/each-child" {
			t.Errorf("%+v", f)
		}
		for _, one := range a.Cases {
			r, err := c.Reproduce(t.Context(), citizen("1"), one.ID)
			if err != nil || !r.Same {
				t.Errorf("%s isn't reproduced: %+v %v", one.Service, r, err)
			}
		}
	})
}

// TestAListThatCantBeReadIsAsked has the list asked for where the agreement doesn't hold: none is an answer too, and what can't be read is told at its place.
func TestAListThatCantBeReadIsAsked(t *testing.T) {
	onBoth(t, func(t *testing.T, c *town) {
		c.revoked = true
		f, err := c.Form(t.Context(), citizen("1"), []string{card, taxi}, said(t, map[string]any{"in_seoul_since": "2019-03-02"}))
		if err != nil || len(f.Asks) != 1 || f.Asks[0].Name != "children" || len(f.Asks[0].Services) != 2 {
			t.Fatalf("%+v %v", f, err)
		}
		for where, wrong := range map[string]any{
			"children":              "2015-01-01",
			"children.0":            []any{"2015-01-01"},
			"children.0.birth_date": []any{map[string]any{"birth_date": "2015-02-30"}},
			"children.1.birth_date": []any{map[string]any{"birth_date": "2015-02-28"}, map[string]any{}},
			"children.0.name":       []any{map[string]any{"birth_date": "2015-02-28", "name": "x"}},
		} {
			_, err := c.Form(t.Context(), citizen("1"), []string{card}, said(t, map[string]any{"children": wrong}))
			if p := problem.As(err); p == nil || p.Code != "service.facts" || p.At[0].Where != where {
				t.Errorf("%v: %v", wrong, err)
			}
		}
		var many []any
		for range 101 {
			many = append(many, map[string]any{"birth_date": "2015-02-28"})
		}
		if _, err := c.Form(t.Context(), citizen("1"), []string{card}, said(t, map[string]any{"children": many})); problem.Code(err) != "service.facts" {
			t.Error(err)
		}
		none := said(t, map[string]any{"in_seoul_since": "2019-03-02", "children": []any{}})
		if f, err = c.Form(t.Context(), citizen("1"), []string{card}, none); err != nil || len(f.Asks) > 0 || f.Verdicts[0].Outcome != service.No {
			t.Errorf("%+v %v", f, err)
		}
		draft, err := c.Begin(t.Context(), citizen("1"), []string{card})
		if err == nil {
			_, err = c.Save(t.Context(), citizen("1"), draft.ID, said(t, map[string]any{"in_seoul_since": "2019-03-02", "children": []any{map[string]any{"birth_date": "2015-02-28"}, map[string]any{"birth_date": "2018-02-28"}}}))
		}
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.Submit(t.Context(), citizen("1"), casework.Submission{Draft: draft.ID})
		if err != nil {
			t.Fatal(err)
		}
		if r, err := c.Reproduce(t.Context(), citizen("1"), a.Cases[0].ID); err != nil || !r.Same || r.Again.Outcome != service.Yes {
			t.Errorf("%+v %v", r, err)
		}
	})
}
