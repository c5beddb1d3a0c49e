package city

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/maru-city/maru/manifest"
)

// bound is a field with what its term says of it.
type bound struct {
	manifest.Field
	pattern *regexp.Regexp
}

// datasets returns the manifests' datasets by project/name, with their fields resolved.
func datasets(t *testing.T) (map[string]*manifest.Dataset, map[string][]bound) {
	t.Helper()
	sets, fields, terms := map[string]*manifest.Dataset{}, map[string][]bound{}, map[string]*manifest.Term{}
	all := parsed(t).Resources
	for _, r := range all {
		if term, ok := r.Spec.(*manifest.Term); ok {
			terms[r.Name] = term
		}
	}
	for _, r := range all {
		d, ok := r.Spec.(*manifest.Dataset)
		if !ok {
			continue
		}
		name := r.Project + "/" + r.Name
		sets[name] = d
		for _, f := range d.Fields {
			term := terms[f.Term]
			if term == nil {
				t.Fatalf("%s: field %s cites no term", name, f.Name)
			}
			f.Type, f.Length, f.Codes, f.Min, f.Max = term.Type, term.Length, term.Codes, term.Min, term.Max
			b := bound{Field: f}
			if term.Pattern != "" {
				b.pattern = regexp.MustCompile("^(?:" + term.Pattern + ")$")
			}
			fields[name] = append(fields[name], b)
		}
	}
	return sets, fields
}

// fault says what is wrong with a value of the field, or "".
func (f bound) fault(v any) string {
	if v == nil {
		if f.Required {
			return "is empty"
		}
		return ""
	}
	var text string
	number := math.NaN()
	switch x := v.(type) {
	case string:
		text = x
		if f.Type != manifest.String && f.Type != manifest.Date {
			return "is text"
		}
		if parsed, ok := f.Type.Parse(x); !ok || parsed != x {
			return "isn't written as a value"
		}
	case int64:
		text, number = fmt.Sprint(x), float64(x)
		if f.Type != manifest.Int {
			return "is an int"
		}
	case float64:
		number = x
		if f.Type != manifest.Double || math.IsNaN(x) || math.IsInf(x, 0) {
			return "is a double, or none"
		}
	case bool:
		if f.Type != manifest.Bool {
			return "is a bool"
		}
	default:
		return fmt.Sprintf("has the Go type %T", v)
	}
	switch {
	case f.Length > 0 && utf8.RuneCountInString(text) > f.Length:
		return "is too long"
	case f.pattern != nil && !f.pattern.MatchString(text):
		return "isn't of the term's form"
	case f.Min != nil && number < *f.Min || f.Max != nil && number > *f.Max:
		return "is out of range"
	}
	if len(f.Codes) > 0 {
		if _, ok := f.Codes.Name(text); !ok {
			return "is no code of the term"
		}
	}
	return ""
}

// TestEveryRecordFitsItsManifest reads every dataset: its columns are the manifest's fields, its values are as the terms say, its keys and
// unique sets are unique.
func TestEveryRecordFitsItsManifest(t *testing.T) {
	sets, fields := datasets(t)
	for _, residents := range []int{LeastResidents, 5_000} {
		for _, data := range People(7, residents, testDay).Datasets() {
			d := sets[data.Dataset]
			if d == nil {
				t.Errorf("%s has records but no manifest", data.Dataset)
				continue
			}
			if residents > LeastResidents {
				delete(sets, data.Dataset)
			}
			checkRecords(t, data, d, fields[data.Dataset], residents)
		}
	}
	for name := range sets {
		t.Errorf("%s has a manifest but no records", name)
	}
}

func checkRecords(t *testing.T, data Data, d *manifest.Dataset, fields []bound, residents int) {
	t.Helper()
	for i, f := range fields {
		if i >= len(data.Columns) || data.Columns[i] != f.Name {
			t.Fatalf("%s: columns %v, want the manifest's %s at %d", data.Dataset, data.Columns, f.Name, i)
		}
	}
	unique := append([][]string{d.Key}, d.Unique...)
	seen := make([]map[string]bool, len(unique))
	for i := range seen {
		seen[i] = map[string]bool{}
	}
	rows, faults := 0, 0
	for row := range data.Rows {
		rows++
		if len(row) != len(fields) {
			t.Fatalf("%s: a record of %d values, want %d", data.Dataset, len(row), len(fields))
		}
		for i, f := range fields {
			if fault := f.fault(row[i]); fault != "" && faults < 5 {
				faults++
				t.Errorf("%s: %s %v %s", data.Dataset, f.Name, row[i], fault)
			}
		}
		for i, set := range unique {
			var key []string
			for _, name := range set {
				key = append(key, fmt.Sprint(row[slices.Index(data.Columns, name)]))
			}
			if k := strings.Join(key, "\x00"); !seen[i][k] {
				seen[i][k] = true
			} else if faults < 5 {
				faults++
				t.Errorf("%s: %v stands twice: %v", data.Dataset, set, key)
			}
		}
	}
	if rows == 0 && residents > LeastResidents {
		t.Errorf("%s has no records", data.Dataset)
	}
	if residents > LeastResidents {
		t.Logf("%-40s %7d", data.Dataset, rows)
	}
}

// TestEveryReferenceBetweenRecordsHolds follows people, households and facilities from every dataset to where they are kept.
func TestEveryReferenceBetweenRecordsHolds(t *testing.T) {
	p := People(7, 5_000, testDay)
	kept := map[string]map[any]bool{}
	keep := func(dataset, column string) map[any]bool {
		out := map[any]bool{}
		for _, d := range p.Datasets() {
			if d.Dataset == dataset {
				for row := range d.Rows {
					out[row[slices.Index(d.Columns, column)]] = true
				}
			}
		}
		return out
	}
	people, households := keep("resident-registry/residents", "person"), keep("resident-registry/households", "household")
	for _, column := range []string{"person", "relative", "spouse", "head"} {
		kept[column] = people
	}
	kept["household"] = households
	kept["facility"] = keep("culture/culture-facilities", "facility_no")
	for no := range keep("learning/learning-centres", "facility_no") {
		kept["facility"][no] = true
	}
	for _, d := range p.Datasets() {
		for row := range d.Rows {
			for i, column := range d.Columns {
				if known := kept[column]; known != nil && !known[row[i]] {
					t.Fatalf("%s: there is no %s %v", d.Dataset, column, row[i])
				}
			}
		}
	}
}

// TestDatesAreInOrder compares the days of each record: the first of a pair is never after the second, and none of these is after the as-of day.
func TestDatesAreInOrder(t *testing.T) {
	pairs := map[string][][2]string{
		"resident-registry/residents":      {{"birth_date", "in_seoul_since"}, {"in_seoul_since", "moved_in_on"}, {"moved_in_on", ""}},
		"resident-registry/moves":          {{"moved_on", ""}},
		"leases/lease-reports":             {{"lease_from", "lease_until"}, {"lease_from", ""}, {"", "lease_until"}},
		"disability-register/disabilities": {{"registered_on", ""}},
		"employment/employment-insurance":  {{"insured_from", "insured_until"}, {"insured_from", ""}, {"insured_until", ""}},
		"welfare/basic-pension":            {{"since", ""}},
		"youth-housing/rent-payments":      {{"paid_on", ""}},
		"culture/culture-events":           {{"starts_on", "ends_on"}},
		"learning/courses":                 {{"starts_on", "ends_on"}},
	}
	p := People(9, 20_000, testDay)
	for _, d := range p.Datasets() {
		for row := range d.Rows {
			on := func(column string) any {
				if column == "" {
					return string(p.AsOf())
				}
				return row[slices.Index(d.Columns, column)]
			}
			for _, pair := range pairs[d.Dataset] {
				if a, b := on(pair[0]), on(pair[1]); a != nil && b != nil && a.(string) > b.(string) {
					t.Fatalf("%s: %s %v is after %s %v", d.Dataset, pair[0], a, pair[1], b)
				}
			}
		}
		delete(pairs, d.Dataset)
	}
	for name := range pairs {
		t.Errorf("there is no dataset %s", name)
	}
}

// sum is a hash of all records of all datasets.
func sum(p *Population) uint64 {
	h := fnv.New64a()
	var b [8]byte
	for _, d := range p.Datasets() {
		h.Write([]byte(d.Dataset))
		for row := range d.Rows {
			for _, v := range row {
				switch x := v.(type) {
				case string:
					h.Write([]byte(x))
				case int64:
					binary.LittleEndian.PutUint64(b[:], uint64(x))
					h.Write(b[:])
				default:
					fmt.Fprint(h, x)
				}
				h.Write([]byte{0})
			}
		}
	}
	return h.Sum64()
}

func TestTheSameSeedGivesTheSamePeople(t *testing.T) {
	first := sum(People(5, 3_000, testDay))
	if again := sum(People(5, 3_000, testDay.Add(13*time.Hour))); again != first {
		t.Error("two cities of one seed and day differ")
	}
	if other := sum(People(6, 3_000, testDay)); other == first {
		t.Error("two seeds give the same city")
	}
	if other := sum(People(5, 3_001, testDay)); other == first {
		t.Error("two sizes give the same city")
	}
	if other := sum(People(5, 3_000, testDay.AddDate(0, 0, 1))); other == first {
		t.Error("two days give the same city")
	}
}

// TestReadingCanStop breaks off every dataset early, as a reader does whose transaction failed.
func TestReadingCanStop(t *testing.T) {
	for _, d := range People(5, 3_000, testDay).Datasets() {
		rows := 0
		for range d.Rows {
			if rows++; rows == 3 {
				break
			}
		}
		if rows != 3 {
			t.Errorf("%s gave %d records before the break", d.Dataset, rows)
		}
	}
}
