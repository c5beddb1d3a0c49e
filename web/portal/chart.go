package portal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// chart says what records have to each value of a field: how many there are, or the sum or mean of a number.
type chart struct {
	Field   *catalog.Field
	Measure measure
	Step    int // of dates: the letters of a month or a year; 0: values as they are
	Bars    []bar
	Rest    int64 // records with other values
	Empty   int64 // without a value of the field
	Without int64 // and without one of the measure
	Some    bool  // estimated from some of the records
	Looked  int64 // the first so many of them were looked at; 0: all
}

type bar struct {
	Label lang.Text
	Value float64
	Width int // of 100
}

// measure is what a chart says of records: the sum or mean of a number field, or how many they are where Field is nil.
type measure struct {
	Field *catalog.Field
	Mean  bool
}

// name is the measure in an address.
func (m measure) name() string {
	switch {
	case m.Field == nil:
		return "count"
	case m.Mean:
		return "mean." + m.Field.Name
	}
	return "sum." + m.Field.Name
}

func (m measure) title() lang.Text {
	switch {
	case m.Field == nil:
		return lang.T("레코드 수", "Records")
	case m.Mean:
		return lang.F("%s 평균", "Mean of %s", m.Field.Label())
	}
	return lang.F("%s 합계", "Sum of %s", m.Field.Label())
}

// unit is what the measure is counted in, for the head of a column.
func (m measure) unit(ctx context.Context) string {
	if m.Field == nil || m.Field.Unit == "" || m.Field.Unit == "1" {
		return ""
	}
	return " (" + components.Unit(ctx, m.Field.Unit) + ")"
}

// measures are what charts can say of a dataset's records. Numbers that name things, years and places aren't added up.
func measures(d *catalog.Dataset) []measure {
	out, at := []measure{{}}, registry.PlaceIn(d)
	for i := range d.Fields {
		f := &d.Fields[i]
		if !components.Numeric(f.Type) || f.KeyPart || len(f.Codes) > 0 || i == at.Longitude || i == at.Latitude || f.Name == "year" || strings.HasSuffix(f.Name, "_year") || f.Unit == "year" {
			continue
		}
		out = append(out, measure{f, false}, measure{f, true})
	}
	return out
}

// Limits of a chart.
const (
	chartBars   = 10      // of values
	chartDays   = 36      // of months, or of years
	chartLooked = 200_000 // records
	chartValues = 500     // a field of more values says nothing
)

// chart draws a chart by the field and of the measure that are asked for, or by the first field that says something.
func (p *Portal) chart(ctx context.Context, v *dataView, profile *registry.Profile, by, of string) error {
	var chosen, first *registry.FieldProfile
	changes, streamed := p.Records.(Changes)
	for i := range profile.Fields {
		f := &profile.Fields[i]
		own := v.Field(f.Name)
		if own == nil || own.KeyPart || !says(own, f) || dated(own) && !streamed {
			continue
		}
		v.ByField = append(v.ByField, own)
		if own.Name == by {
			chosen = f
		}
		if first == nil || len(own.Codes) > 0 && len(v.Field(first.Name).Codes) == 0 {
			first = f
		}
	}
	if streamed {
		v.Measures = measures(v.Dataset)
	}
	c := &chart{}
	if first == nil && len(v.Measures) > 1 { // a table of totals, a row for each name: its numbers say something, its count doesn't
		v.Measures = v.Measures[1:]
		c.Measure = v.Measures[0]
		for i := range profile.Fields {
			if f := &profile.Fields[i]; names(v.Field(f.Name), f) {
				v.ByField = append(v.ByField, v.Field(f.Name))
				if first == nil {
					first = f
				}
				if f.Name == by {
					chosen = f
				}
			}
		}
	}
	if first == nil {
		return nil
	}
	if chosen == nil {
		chosen = first
	}
	c.Field = v.Field(chosen.Name)
	if streamed {
		for _, m := range v.Measures {
			if m.name() == of {
				c.Measure = m
			}
		}
	}
	if c.Measure.Field == nil && !dated(c.Field) {
		c.count(profile, chosen)
	} else if err := c.gather(ctx, changes, v.Dataset); err != nil {
		return err
	}
	if len(c.Bars) > 0 {
		v.Chart = c
	}
	return nil
}

func dated(f *catalog.Field) bool { return f.Type == manifest.Date || f.Type == manifest.Datetime }

// says reports whether a chart by a field says something: it has several values, some more than once.
func says(f *catalog.Field, p *registry.FieldProfile) bool {
	if dated(f) {
		return p.Distinct > 1
	}
	return len(p.Frequent) > 1 && p.Frequent[0].Count > 1 && p.Distinct <= chartValues && f.Type != manifest.Geometry && f.Type != manifest.Double
}

// names reports whether a field names its record, or says its time, where each value stands once.
func names(f *catalog.Field, p *registry.FieldProfile) bool {
	return f != nil && (f.Type == manifest.String || dated(f)) && p.Distinct > 1 && p.Distinct <= chartValues
}

// count takes the numbers of records from the profile, which has them already.
func (c *chart) count(p *registry.Profile, f *registry.FieldProfile) {
	c.Empty, c.Some = f.Empty, p.Sampled
	shown := int64(0)
	for _, one := range f.Frequent {
		shown += one.Count
		c.Bars = append(c.Bars, bar{Label: label(c.Field, one.Value), Value: float64(one.Count)})
	}
	if !p.Sampled {
		c.Rest = p.Rows - f.Empty - shown
	}
	c.widths()
}

// heap is what the records have that have a value in common.
type heap struct {
	value any
	n     int64 // records
	some  int64 // that have a number
	sum   float64
}

func (h *heap) of(m measure) float64 {
	switch {
	case m.Field == nil:
		return float64(h.n)
	case m.Mean:
		return h.sum / float64(h.some)
	}
	return h.sum
}

// gather reads the records and puts together what belongs together.
func (c *chart) gather(ctx context.Context, changes Changes, d *catalog.Dataset) error {
	q := registry.Query{Fields: []string{c.Field.Name}}
	at := 0
	if c.Measure.Field != nil && c.Measure.Field != c.Field {
		q.Fields, at = append(q.Fields, c.Measure.Field.Name), 1
	}
	heaps, looked := map[any]*heap{}, int64(0)
	err := changes.Stream(ctx, d, q, func(r *registry.Record) error {
		if looked == chartLooked {
			c.Looked = looked
			return errEnough
		}
		looked++
		value := r.Values[0]
		if text, ok := value.(string); ok && dated(c.Field) {
			value = month(c.Field.Type, text)
		}
		number, ok := numberOf(r.Values[at])
		switch {
		case value == nil:
			c.Empty++
			return nil
		case c.Measure.Field != nil && !ok:
			c.Without++
			return nil
		}
		h := heaps[value]
		if h == nil {
			h = &heap{value: value}
			heaps[value] = h
		}
		h.n, h.some, h.sum = h.n+1, h.some+1, h.sum+number
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	c.stand(heaps)
	return nil
}

// numberOf is a value as a number.
func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

// stand puts the bars side by side: those of dates in the order of time, the last of them; others by how much they say.
func (c *chart) stand(heaps map[any]*heap) {
	if dated(c.Field) {
		c.Step = len("2006-01")
		if len(heaps) > chartDays {
			c.Step = len("2006")
			heaps = yearly(heaps)
		}
	}
	all := make([]*heap, 0, len(heaps))
	for _, h := range heaps {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b *heap) int {
		x, y := fmt.Sprint(a.value), fmt.Sprint(b.value)
		if c.Step > 0 {
			return strings.Compare(x, y)
		}
		switch p, q := a.of(c.Measure), b.of(c.Measure); {
		case p > q:
			return -1
		case p < q:
			return 1
		}
		return strings.Compare(x, y)
	})
	from, to := 0, min(chartBars, len(all))
	if c.Step > 0 {
		from, to = max(0, len(all)-chartDays), len(all)
	}
	for i, h := range all {
		if i < from || i >= to {
			c.Rest += h.n
			continue
		}
		text := label(c.Field, h.value)
		if c.Step > 0 {
			text = period(fmt.Sprint(h.value))
		}
		c.Bars = append(c.Bars, bar{Label: text, Value: h.of(c.Measure)})
	}
	c.widths()
}

// yearly puts months together as years.
func yearly(months map[any]*heap) map[any]*heap {
	out := map[any]*heap{}
	for _, h := range months {
		year := h.value.(string)[:len("2006")] //nolint:forcetypeassert // a month
		if out[year] == nil {
			out[year] = &heap{value: year}
		}
		o := out[year]
		o.n, o.some, o.sum = o.n+h.n, o.some+h.some, o.sum+h.sum
	}
	return out
}

// month is the month of a date, or of a datetime in Seoul.
func month(t manifest.Type, text string) string {
	if t == manifest.Datetime {
		if at, err := time.Parse(manifest.DatetimeLayout, text); err == nil {
			return at.In(manifest.Seoul).Format("2006-01")
		}
	}
	return text[:min(len("2006-01"), len(text))]
}

// period is a month or a year as people write it.
func period(text string) lang.Text {
	if at, err := time.Parse("2006-01", text); err == nil {
		return lang.T(at.Format("2006년 1월"), at.Format("Jan 2006"))
	}
	return lang.T(text+"년", text)
}

// widths makes the longest bar 100 wide.
func (c *chart) widths() {
	most := 0.0
	for _, b := range c.Bars {
		most = max(most, b.Value)
	}
	for i, b := range c.Bars {
		if b.Value > 0 {
			c.Bars[i].Width = max(1, int(100*b.Value/most))
		}
	}
}

// by is what the bars stand for.
func (c *chart) by() lang.Text {
	switch c.Step {
	case len("2006-01"):
		return lang.F("%s(월)", "%s (month)", c.Field.Label())
	case len("2006"):
		return lang.F("%s(연도)", "%s (year)", c.Field.Label())
	}
	return c.Field.Label()
}

// title says what the chart says: which value is ahead, where one is.
func (c *chart) title() lang.Text {
	top, alone := 0, true
	for i, b := range c.Bars {
		if i > 0 && b.Value == c.Bars[top].Value {
			alone = false
		}
		if b.Value > c.Bars[top].Value {
			top, alone = i, true
		}
	}
	what := lang.F("%[1]s별 %[2]s", "%[2]s by %[1]s", c.by(), c.Measure.title())
	if !alone || len(c.Bars) < 2 {
		return what
	}
	if c.Measure.Field == nil {
		return lang.F("%[1]s: 가장 많은 값은 ‘%[2]s’", "%[1]s: “%[2]s” has the most", what, c.Bars[top].Label)
	}
	return lang.F("%[1]s: 가장 큰 값은 ‘%[2]s’", "%[1]s: “%[2]s” is the highest", what, c.Bars[top].Label)
}

// number writes a bar's value: sums and means to two places.
func (c *chart) number(b bar) string {
	return components.Decimal(math.Round(b.Value*100) / 100)
}
