package registry

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/manifest"
)

// Profile describes the values of a dataset's fields.
type Profile struct {
	At      time.Time      `json:"at" doc:"When it was taken"`
	Rows    int64          `json:"rows"`
	Sampled bool           `json:"sampled" doc:"Distinct and frequent are estimated from some of the rows"`
	Fields  []FieldProfile `json:"fields"`
	Opening *Opening       `json:"opening,omitempty" doc:"Of a dataset that is open to all: whether its values look personal"`
}

// FieldProfile describes the values of one field. Of fields about persons no value is told.
type FieldProfile struct {
	Name     string     `json:"name"`
	Empty    int64      `json:"empty"`
	Distinct int64      `json:"distinct"`
	Min      any        `json:"min,omitempty"`
	Max      any        `json:"max,omitempty"`
	Frequent []Frequent `json:"frequent,omitempty" doc:"The most frequent values first"`
}

// Frequent is a value and how often it occurs.
type Frequent struct {
	Value any   `json:"value"`
	Count int64 `json:"count"`
}

// What a profile costs at most.
const (
	profileSample   = 100_000 // rows of which values are counted
	profileFrequent = 10
)

// Profile describes a dataset's values as they are now. It is taken anew only when records have changed since the last one; nil where there
// are no records.
func (r *Registry) Profile(ctx context.Context, d *catalog.Dataset) (*Profile, error) {
	var p *Profile
	var last, id int64
	taken := false
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		id = t.id
		if last, err = t.lastChange(ctx, tx); err != nil {
			return err
		}
		if p, err = t.knownProfile(ctx, tx, last); err != nil || p != nil {
			return err
		}
		p, err = t.profile(ctx, tx)
		taken = p != nil
		return err
	})
	if err != nil || !taken {
		return p, err
	}
	p.At = r.now().UTC().Truncate(time.Second)
	return p, r.keepProfile(ctx, id, last, p)
}

func (t *table) knownProfile(ctx context.Context, tx *db.Tx, last int64) (*Profile, error) {
	var body string
	err := tx.QueryRow(ctx, "SELECT body FROM profile WHERE dataset_id = ? AND change = ? AND shaped = ?", t.id, last, t.shaped).Scan(&body)
	if db.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the profile of %s: %w", t.Path(), err)
	}
	p := &Profile{}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(p); err != nil {
		return nil, fmt.Errorf("read the profile of %s: %w", t.Path(), err)
	}
	for i := range p.Fields {
		p.Fields[i].reread(t.Field(p.Fields[i].Name))
	}
	return p, nil
}

// reread gives numbers that came from JSON the type they had.
func (p *FieldProfile) reread(f *catalog.Field) {
	values := []*any{&p.Min, &p.Max}
	for i := range p.Frequent {
		values = append(values, &p.Frequent[i].Value)
	}
	for _, v := range values {
		if n, ok := (*v).(json.Number); ok && f != nil {
			*v, _ = f.Type.Parse(n.String())
		}
	}
}

func (r *Registry) keepProfile(ctx context.Context, id, last int64, p *Profile) error {
	body, err := json.Marshal(p)
	if err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO profile (dataset_id, change, shaped, body) SELECT id, ?, shaped, ? FROM dataset_table WHERE id = ?
			ON CONFLICT (dataset_id) DO UPDATE SET change = excluded.change, shaped = excluded.shaped, body = excluded.body`, last, string(body), id)
		if err != nil {
			return fmt.Errorf("keep the profile: %w", err)
		}
		return nil
	})
}

// profile counts what is empty and finds the ends exactly, over all rows; what is distinct and frequent over a sample where there are many.
func (t *table) profile(ctx context.Context, tx *db.Tx) (*Profile, error) {
	p := &Profile{Fields: make([]FieldProfile, len(t.Fields))}
	parts := []string{"count(*)"}
	for i := range t.Fields {
		name := db.Quote(t.Fields[i].Name)
		parts = append(parts, "count("+name+")")
		if t.tells(&t.Fields[i]) {
			parts = append(parts, "min("+name+")", "max("+name+")")
		}
	}
	values := make([]any, len(parts))
	into := make([]any, len(parts))
	for i := range values {
		into[i] = &values[i]
	}
	if err := tx.QueryRow(ctx, "SELECT "+strings.Join(parts, ", ")+" FROM "+t.name).Scan(into...); err != nil {
		return nil, fmt.Errorf("profile %s: %w", t.Path(), err)
	}
	next := func() any { v := values[0]; values = values[1:]; return v }
	if p.Rows, _ = next().(int64); p.Rows == 0 {
		return nil, nil
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		filled, _ := next().(int64)
		p.Fields[i] = FieldProfile{Name: f.Name, Empty: p.Rows - filled}
		if t.tells(f) {
			p.Fields[i].Min, p.Fields[i].Max = decode(next(), f.Type), decode(next(), f.Type)
		}
	}
	if t.Open() {
		var err error
		if p.Opening, err = t.opening(ctx, tx, t.Dataset, profileSample); err != nil {
			return nil, err
		}
	}
	return p, t.count(ctx, tx, p)
}

// tells reports whether a profile may show values of a field: those about persons it doesn't, and a shape says nothing.
func (t *table) tells(f *catalog.Field) bool {
	return !f.Class.AtLeast(manifest.Personal) && f.Type != manifest.Geometry && f.Type != manifest.Bool
}

// count counts values, in a sample where there are too many rows.
func (t *table) count(ctx context.Context, tx *db.Tx, p *Profile) error {
	from := t.name
	if p.Rows > profileSample {
		p.Sampled = true
		share := float64(profileSample) / float64(p.Rows)
		if tx.Dialect() == db.Postgres {
			from += fmt.Sprintf(" TABLESAMPLE BERNOULLI (%.6f) REPEATABLE (1)", 100*share)
		} else {
			from += fmt.Sprintf(" WHERE rowid %% %d = 0", int64(math.Ceil(1/share)))
		}
	}
	rows, err := tx.Query(ctx, "SELECT "+db.Quotes(t.FieldNames())+" FROM "+from)
	if err != nil {
		return fmt.Errorf("profile %s: %w", t.Path(), err)
	}
	defer rows.Close()
	counts := make([]map[any]int64, len(t.Fields))
	for i := range counts {
		counts[i] = map[any]int64{}
	}
	values, into := make([]any, len(t.Fields)), make([]any, len(t.Fields))
	for i := range values {
		into[i] = &values[i]
	}
	var seen int64
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fmt.Errorf("profile %s: %w", t.Path(), err)
		}
		seen++
		for i := range t.Fields {
			v := decode(values[i], t.Fields[i].Type)
			if s, ok := v.(string); ok && sealed(&t.Fields[i]) {
				v = s[:min(indexLength, len(s))]
			} else if ok && len(s) > 64 {
				v = hashID([]any{s}) // long texts are counted, not shown
				if t.tells(&t.Fields[i]) {
					v = shorten(s) + " #" + v.(string)[:6]
				}
			}
			if v != nil {
				counts[i][v]++
			}
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("profile %s: %w", t.Path(), err)
	}
	for i := range t.Fields {
		p.Fields[i].tally(counts[i], seen, p.Rows, t.tells(&t.Fields[i]) || t.Fields[i].Type == manifest.Bool)
	}
	return nil
}

// tally fills in what is distinct and frequent. Of a sample of r of n rows, what is distinct is estimated as √(n/r)·f₁ + f₂ + f₃ + …, where
// fⱼ values occur j times (the GEE estimator of Charikar et al., PODS 2000).
func (p *FieldProfile) tally(counts map[any]int64, seen, rows int64, tells bool) {
	var once, more int64
	all := make([]Frequent, 0, len(counts))
	for v, n := range counts {
		if n == 1 {
			once++
		} else {
			more++
		}
		all = append(all, Frequent{v, n})
	}
	p.Distinct = once + more
	if seen < rows && seen > 0 {
		p.Distinct = min(rows-p.Empty, int64(math.Round(math.Sqrt(float64(rows)/float64(seen))*float64(once)))+more)
	}
	if !tells || more == 0 {
		return // where each value is its own, none is frequent
	}
	slices.SortFunc(all, func(a, b Frequent) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(plain(a.Value), plain(b.Value)))
	})
	p.Frequent = all[:min(profileFrequent, len(all))]
	for i := range p.Frequent {
		p.Frequent[i].Count = p.Frequent[i].Count * rows / max(seen, 1)
	}
}

// counted is how many records a dataset had at a change.
type counted struct{ change, rows int64 }

// Counts says how many records datasets have, by project/name.
func (r *Registry) Counts(ctx context.Context, datasets []*catalog.Dataset) (map[string]int64, error) {
	out := make(map[string]int64, len(datasets))
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		for _, d := range datasets {
			t, err := r.table(ctx, tx, d)
			if err != nil {
				return err
			}
			if out[d.Path()], err = r.count(ctx, tx, t); err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// count says how many records a table has; it is counted anew only where it has changed since.
func (r *Registry) count(ctx context.Context, tx *db.Tx, t *table) (int64, error) {
	last, err := t.lastChange(ctx, tx)
	if err != nil {
		return 0, err
	}
	if known, ok := r.counts.Load(t.id); ok && known.(counted).change == last {
		return known.(counted).rows, nil
	}
	n, err := t.rows(ctx, tx)
	if err == nil {
		r.counts.Store(t.id, counted{last, n})
	}
	return n, err
}

// Sample returns up to limit records with the values of the named fields only, in the order of their keys.
func (r *Registry) Sample(ctx context.Context, d *catalog.Dataset, fields []string, limit int) ([]*Record, error) {
	page, err := r.List(ctx, d, Query{Fields: fields, Limit: limit})
	if err != nil {
		return nil, err
	}
	return page.Records, nil
}

// LastChanged says when the records of each dataset last changed, by project/name; those that never did aren't in it.
func (r *Registry) LastChanged(ctx context.Context) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT project, dataset, (SELECT c.at FROM change c WHERE c.dataset_id = t.id ORDER BY c.id DESC LIMIT 1) FROM dataset_table t")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var project, dataset string
			var at *string
			if err := rows.Scan(&project, &dataset, &at); err != nil {
				return err
			}
			if at == nil {
				continue
			}
			if out[project+"/"+dataset], err = time.Parse(manifest.DatetimeLayout, *at); err != nil {
				return err
			}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("find when datasets last changed: %w", err)
	}
	return out, nil
}
