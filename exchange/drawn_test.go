package exchange_test

import (
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/registry"
)

// masksOf are the masks of each field that has some.
var masksOf = map[string][]string{
	"person": {"hash", "hidden"}, "note": {"first-letters", "district", "hash", "hidden"}, "n": {"thousands", "hash", "hidden"}, "x": {"thousands", "hidden"},
	"flag": {"hidden"}, "day": {"year", "month", "hash"}, "seen": {"year", "month", "hidden"},
}

// drawAgreement draws records, an agreement that holds, and who consents; what the town has of before is no more.
func drawAgreement(rt *rapid.T, t *testing.T, c *town, serial int) *reference {
	r := &reference{c: c, masks: map[string]string{}, yes: map[int64]bool{}}
	r.fields = some(rt, columns, 1, "fields")
	for _, name := range r.fields {
		if all := masksOf[name]; all != nil && rapid.IntRange(0, 2).Draw(rt, "masked") == 0 {
			r.masks[name] = rapid.SampledFrom(all).Draw(rt, "mask")
		}
	}
	if rapid.Bool().Draw(rt, "rows") {
		r.where = condition(rt, seeable, 2)
	}
	r.asked = rapid.IntRange(0, 2).Draw(rt, "asked") == 0
	text := fmt.Sprintf("\ndataset: register/visits\nbasis: 법\nsubject: many\nlimit: %d/s\nfields: [%s]\n", 1_000_000+serial, strings.Join(r.fields, ", "))
	if len(r.masks) > 0 {
		text += "masks:\n"
		for _, name := range slices.Sorted(maps.Keys(r.masks)) {
			text += "  " + name + ": " + r.masks[name] + "\n"
		}
	}
	if r.where != "" {
		text += "where: |-\n  " + r.where + "\n"
	}
	if r.asked {
		text += "consent: asked\n"
	}
	c.files["housing/drawn.yaml"] = agreement("drawn", text)
	c.apply(t, clerkOfAll)
	c.approve(t, "drawn")
	r.drawRecords(rt, t)
	for n := range int64(7) {
		if n > 0 && r.asked {
			r.yes[n] = rapid.Bool().Draw(rt, "yes")
			c.consent(t, n, "housing/drawn", r.yes[n])
		}
	}
	return r
}

// drawRecords draws ten records about five people, in place of those that there are.
func (r *reference) drawRecords(rt *rapid.T, t *testing.T) {
	var rows [][]any
	visits := r.c.catalog.Snapshot().Dataset("register", "visits")
	for id := range int64(10) {
		err := r.c.registry.Delete(t.Context(), registry.By{Actor: "test", Via: "test"}, visits, fmt.Sprint(id), registry.Match{Any: true})
		if err != nil && problem.Code(err) != "record.unknown" {
			t.Fatal(err)
		}
		number, home := rapid.Int64Range(1, 5).Draw(rt, "person"), rapid.Int64Range(0, 3).Draw(rt, "house")
		row := map[string]any{"id": id, "person": r.c.person(t, "register", number), "house": nil}
		if home > 0 {
			row["house"] = r.c.called(t, "register", "household", home)
		}
		for _, name := range columns[3:] {
			row[name] = rapid.SampledFrom(draws[name]).Draw(rt, name)
		}
		values := make([]any, len(columns))
		for i, name := range columns {
			values[i] = row[name]
		}
		rows, r.rows, r.numbers, r.homes = append(rows, values), append(r.rows, row), append(r.numbers, number), append(r.homes, home)
	}
	r.c.load(t, "register/visits", columns, rows)
}

// district is written another way than the mask is.
var district = regexp.MustCompile(`^(서울특별시 종로구|경기도 고양시 일산동구) `)

// maskedByHand is what a mask makes of a value, written once more.
func maskedByHand(t *rapid.T, c *town, mask, field string, v any) any {
	switch mask {
	case "hidden":
		return true
	case "hash":
		out, err := c.ring.Index("mask housing register/visits "+field, fmt.Sprint(v))
		if err != nil {
			t.Fatal(err)
		}
		return out
	case "year":
		n, _ := strconv.ParseInt(v.(string)[:4], 10, 64)
		return n
	case "month":
		return v.(string)[:7]
	case "district":
		if m := district.FindStringSubmatch(v.(string)); m != nil {
			return m[1]
		}
		return nil
	case "first-letters":
		var out []string
		for _, w := range strings.Fields(v.(string)) {
			first := []rune(w)[0]
			out = append(out, string(first)+strings.Repeat("*", min(3, len([]rune(w))-1)))
		}
		return strings.Join(out, " ")
	case "thousands":
		if x, ok := v.(float64); ok {
			return math.Floor(x/1000+0.5) * 1000
		}
		return map[int64]int64{0: 0, 1: 0, -1: 0, 499: 0, 500: 1_000, -500: 0, -501: -1_000, 1_500: 2_000, math.MaxInt64: math.MaxInt64 - 807, math.MinInt64: math.MinInt64 + 808}[v.(int64)]
	}
	t.Fatalf("no mask %s", mask)
	return nil
}
