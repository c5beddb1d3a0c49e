package registry

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/infer"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/tabular"
)

// MinGroup is how many persons at least must look alike in what is open to all, so that nobody can be told by what is known of them (k-anonymity, Sweeney 2002; domain: cells under 5).
const MinGroup = 5

// Sizes of a look at values before they are opened.
const (
	openingRows   = 200_000 // are looked at one by one, beyond them one in ten
	openingGroups = 300_000 // that are counted; a table with more has small ones
	openingKeys   = 1_000_000
)

// Opening is what was seen of a dataset's values before they were opened to all, or since.
type Opening struct {
	Looked   int64             `json:"looked" doc:"Records whose values were looked at"`
	Found    []problem.Detail  `json:"found,omitempty" doc:"Fields whose values look personal"`
	Based    map[string]string `json:"based,omitempty" doc:"Fields that look personal and are open on a legal ground, which the manifest names"`
	Traits   []string          `json:"traits,omitempty" doc:"Fields by which persons could be told apart together (quasi-identifiers); none where records aren't about persons"`
	K        int64             `json:"k,omitempty" doc:"How many records at least are alike in these"`
	Small    int64             `json:"small,omitempty" doc:"Records in groups of fewer than five"`
	groups   map[string]*alike // while it is being counted
	measures []int             // fields that say of how many a record is
	seen     map[uint64]bool   // the keys of a file
	many     bool              // there are more groups than are counted
	at       []int             // the fields of Traits
	detect   *infer.Detector   // of the fields whose values are looked at
	looked   []*catalog.Field  // those fields
	places   map[string]int    // their places among the dataset's fields
	of       *catalog.Dataset
}

// newOpening begins a look at a dataset's values.
func newOpening(d *catalog.Dataset) *Opening {
	o := &Opening{of: d, seen: map[uint64]bool{}, groups: map[string]*alike{}, places: map[string]int{}}
	var names []string
	var own, place, sums []int
	for i := range d.Fields {
		f := &d.Fields[i]
		label := f.Label().Ko
		if f.Cites != nil {
			label += " " + f.Cites.Title.Ko
		}
		if f.Type == manifest.String || f.Type == manifest.Int || f.Type == manifest.Double || f.Type == manifest.Date {
			names, o.looked, o.places[f.Name] = append(names, strings.TrimSpace(f.Label().Ko+" "+f.Label().En)), append(o.looked, f), i
		}
		number := f.Type == manifest.Int || f.Type == manifest.Double
		trait := max(infer.TraitOf(f.Label().Ko), infer.TraitOf(f.Name))
		if f.Cites != nil && trait == infer.NoTrait {
			trait = infer.TraitOf(f.Cites.Title.Ko)
		}
		switch {
		case f.Basis != "": // a law has it open, whoever can be told by it
		case trait == infer.Measure && number && !f.KeyPart:
			o.measures = append(o.measures, i)
		case trait == infer.Sum && number && !f.KeyPart:
			sums = append(sums, i)
		case trait == infer.OwnTrait || trait > infer.PlaceTrait && infer.Tells(f.Label().Ko+" "+f.Name):
			own = append(own, i)
		case trait == infer.PlaceTrait:
			place = append(place, i)
		}
	}
	o.detect = infer.NewDetector(names)
	if laidOut(d, own, place) { // then it is a table of groups
		o.measures = append(o.measures, sums...)
	} else {
		for _, i := range sums {
			if f := &d.Fields[i]; infer.Tells(f.Label().Ko) || infer.Tells(f.Name) {
				own = append(own, i)
			}
		}
	}
	if len(own) > 0 && len(own)+len(place) > 1 {
		o.at = append(own, place...)
		for _, i := range o.at {
			o.Traits = append(o.Traits, d.Fields[i].Name)
		}
	}
	return o
}

// laidOut reports whether a dataset's records are told apart by traits and places alone, with whatever else is in its key: persons aren't.
func laidOut(d *catalog.Dataset, own, place []int) bool {
	if len(own)+len(place) == 0 {
		return false
	}
	for _, list := range [][]int{own, place} {
		for _, i := range list {
			if !d.Fields[i].KeyPart {
				return false
			}
		}
	}
	return true
}

// add looks at the values of a record, and counts it among those that are alike.
func (o *Opening) add(values []any) {
	o.look(values)
	o.count(values)
}

// look looks at the values of a record.
func (o *Opening) look(values []any) {
	o.Looked++
	if o.Looked <= openingRows || o.Looked%10 == 0 {
		cells := make([]string, len(o.looked))
		for i, f := range o.looked {
			cells[i] = plain(values[o.places[f.Name]])
		}
		o.detect.Add(cells)
	}
}

// count counts a record among those that are alike.
func (o *Opening) count(values []any) {
	if len(o.at) == 0 || o.many {
		return
	}
	for _, i := range o.measures {
		if n, ok := asNumber(values[i]); ok && n != 0 && n != 1 { // a count of one each counts nothing
			return // it is of a group
		}
	}
	group := make([]any, len(o.at))
	for i, at := range o.at {
		group[i] = values[at]
	}
	key := KeyText(group)
	g := o.groups[key]
	if g == nil {
		if len(o.groups) == openingGroups {
			o.many, o.groups = true, nil
			return
		}
		g = &alike{}
		o.groups[key] = g
	}
	g.add(o.of, values)
}

// alike are records of which nobody can be told from another: how many there are, each counted once as long as it matters.
type alike struct {
	n    int64
	keys [MinGroup]uint64
}

func (g *alike) add(d *catalog.Dataset, values []any) {
	if g.n < MinGroup {
		key := make([]any, 0, len(d.Spec.Key))
		for i := range d.Fields {
			if d.Fields[i].KeyPart || len(d.Spec.Key) == 0 {
				key = append(key, values[i])
			}
		}
		h := maphash.String(groupSeed, KeyText(key))
		for _, known := range g.keys[:g.n] {
			if known == h {
				return // the same record again
			}
		}
		g.keys[g.n] = h
	}
	g.n++
}

// first reports whether a file has no record of the same key before: the second one is rejected. It remembers so many; beyond them [Registry.smallNow] says what came of it.
func (o *Opening) first(values []any) bool {
	if len(o.at) == 0 || len(o.of.Spec.Key) == 0 {
		return true
	}
	var key []any
	for i := range o.of.Fields {
		if o.of.Fields[i].KeyPart {
			key = append(key, values[i])
		}
	}
	h := maphash.String(groupSeed, KeyText(key))
	if o.seen[h] {
		return false
	}
	if len(o.seen) < openingKeys {
		o.seen[h] = true
	}
	return true
}

var groupSeed = maphash.MakeSeed()

// end says what was seen. there are the sizes of groups that the table has already, where what was looked at only adds to it.
func (o *Opening) end(there map[string]int64) *Opening {
	o.Based = map[string]string{}
	if len(o.groups) == 0 && !o.many {
		o.Traits, o.at = nil, nil // there are no persons
	}
	for _, p := range o.detect.Find() {
		f := o.looked[p.Column]
		if f.Basis != "" {
			o.Based[f.Name] = f.Basis
			continue
		}
		o.Found = append(o.Found, problem.Detail{
			Code: "open.personal", Where: f.Name, Message: lang.F("개인정보로 보이는 값이 있습니다 (항목 %[1]s). %[2]s", "the values of %[1]s look personal: %[2]s", f.Label(), p.Why),
			Hint: lang.F("class: %s로 지정하거나 항목을 빼십시오. 공개할 법적 근거가 있으면 항목의 basis:에 쓰십시오", "give it class: %s, or leave it out; where a law has it open, name the law in the field's basis:", string(p.Class)),
		})
	}
	for key, g := range o.groups {
		n := max(g.n, there[key])
		if o.K == 0 || n < o.K {
			o.K = n
		}
		if n < MinGroup {
			o.Small += n
		}
	}
	if o.many {
		o.K, o.Small = 1, o.Looked
	}
	o.groups, o.detect, o.seen = nil, nil, nil
	return o
}

// fault says why the values can't be open to all, or nil.
func (o *Opening) fault() *problem.Problem {
	at := o.Found
	if o.Small > 0 {
		at = append(at, problem.Detail{
			Code: "open.small", Where: o.Traits[0], Message: lang.F("여러 항목을 함께 보면 누구인지 짐작할 수 있는 사람이 %[2]d명 있습니다. 값이 모두 같은 사람이 %[3]d명 미만입니다 (항목 %[1]s)", "%[2]d persons could be told by %[1]s together: fewer than %[3]d are alike", strings.Join(o.Traits, ", "), o.Small, MinGroup),
			Hint: lang.T("항목을 더 넓게 묶거나(예: 나이 대신 연령대, 동 대신 구) 빼십시오. 집계한 자료라면 인원수 항목을 두십시오", "make these wider (age groups instead of ages, districts instead of neighbourhoods) or leave some out; a table of groups has a field that says of how many"),
		})
	}
	if len(at) == 0 {
		return nil
	}
	p := problem.New("open.refused", 422, lang.F("모두에게 공개할 수 없는 값이 있습니다: %s", "%s has values that can't be open to all", o.of.Path())).
		Hinting(lang.T("공개하려면 아래 항목을 고치고, 공개하지 않으려면 항목 하나라도 class: internal로 두십시오", "mend what is named; or keep it closed by giving a field class: internal"))
	p.At = at
	return p
}

// opening looks at the records of a dataset as its next definition has them; at some of them where limit says how many.
func (t *table) opening(ctx context.Context, tx *db.Tx, d *catalog.Dataset, limit int) (*Opening, error) {
	o := newOpening(d)
	// By name: d may be the next definition of the table.
	var fields []*catalog.Field
	at := make([]int, 0, len(d.Fields))
	for i := range d.Fields {
		name := d.Fields[i].Name
		if t.Field(name) == nil && d.Fields[i].Was != "" {
			name = d.Fields[i].Was
		}
		if f := t.Field(name); f != nil {
			fields, at = append(fields, f), append(at, i)
		}
	}
	if len(fields) == 0 {
		return o.end(nil), nil
	}
	query := "SELECT " + t.selection(fields) + " FROM " + t.name
	if limit > 0 {
		query += fmt.Sprintf(" LIMIT %d", limit)
	}
	rows, err := tx.Query(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("look at the values of %s: %w", t.Path(), err)
	}
	defer rows.Close()
	values := make([]any, len(d.Fields))
	for rows.Next() {
		rec, err := t.scan(rows, fields)
		if err != nil {
			return nil, err
		}
		for i, v := range rec.Values {
			values[at[i]] = v
		}
		o.add(values)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("look at the values of %s: %w", t.Path(), err)
	}
	return o.end(nil), nil
}

// refuseOpened says why the values of a dataset can't be open to all, where its next definition opens them.
func (t *table) refuseOpened(ctx context.Context, tx *db.Tx, d *catalog.Dataset) (*problem.Problem, error) {
	opens := func(f catalog.Field) bool { // it, or what a law was named for
		before := t.Field(f.Name)
		return f.Exposed && (before == nil || !before.Exposed)
	}
	if !slices.ContainsFunc(d.Fields, opens) {
		return nil, nil
	}
	o, err := t.opening(ctx, tx, d, 0)
	if err != nil {
		return nil, err
	}
	return o.fault(), nil
}

// groups are how many records of the table are alike in the fields by which persons could be told.
func (t *table) groups(ctx context.Context, tx *db.Tx, o *Opening) (map[string]int64, error) {
	out, traits := map[string]int64{}, o.Traits
	if len(traits) == 0 {
		return out, nil
	}
	where := ""
	for n, i := range o.measures { // what is of a group isn't counted
		name := db.Quote(o.of.Fields[i].Name)
		where += []string{" WHERE ", " AND "}[min(n, 1)] + "coalesce(" + name + ", 0) IN (0, 1)"
	}
	rows, err := tx.Query(ctx, "SELECT "+db.Quotes(traits)+", count(*) FROM "+t.name+where+" GROUP BY "+db.Quotes(traits)+fmt.Sprintf(" LIMIT %d", openingGroups))
	if err != nil {
		return nil, fmt.Errorf("count the groups of %s: %w", t.Path(), err)
	}
	defer rows.Close()
	values, into := make([]any, len(traits)+1), make([]any, len(traits)+1)
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, fmt.Errorf("count the groups of %s: %w", t.Path(), err)
		}
		group := make([]any, len(traits))
		for i, name := range traits {
			group[i] = decode(values[i], t.Field(name).Type)
		}
		n, _ := values[len(traits)].(int64)
		out[KeyText(group)] = n
	}
	return out, rows.Err()
}

// refuseOpening looks at the rows of a file before they come into a dataset that is open to all.
func (r *Registry) refuseOpening(ctx context.Context, i *Import, d *catalog.Dataset, file *tabular.Table, match *columns) error {
	o := newOpening(d)
	for row, err := range match.rows(file) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if !row.Fault.Empty() {
			continue
		}
		values, faults := match.read(row.Cells)
		if slices.ContainsFunc(faults, func(d problem.Detail) bool { return d.Code != "record.contact" }) {
			continue
		}
		o.look(values)                           // where a column is full of contacts, the file is refused
		if len(faults) == 0 && o.first(values) { // what is rejected hides nobody
			o.count(values)
		}
	}
	there := map[string]int64{}
	if !i.Whole && len(o.Traits) > 0 {
		err := r.db.Read(ctx, func(tx *db.Tx) error {
			t, err := r.table(ctx, tx, d)
			if err == nil {
				there, err = t.groups(ctx, tx, o)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if p := o.end(there).fault(); p != nil {
		return p
	}
	return nil
}

// smallNow notes with an import into a dataset which is open to all where it now has small groups: who left a group isn't seen in the file, nor who was rejected.
func (r *Registry) smallNow(ctx context.Context, i *Import, d *catalog.Dataset) error {
	o := newOpening(d)
	if !d.Open() || len(o.Traits) == 0 {
		return nil
	}
	small := int64(0)
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		groups, err := t.groups(ctx, tx, o)
		for _, n := range groups {
			if n < MinGroup {
				small += n
			}
		}
		return err
	})
	if err != nil || small == 0 {
		return err
	}
	return r.note(ctx, i, lang.F("값이 모두 같은 사람이 %[2]d명 미만인 레코드가 %[1]d건 있습니다. 데이터셋의 프로필을 확인하십시오", "%[1]d records are in groups of fewer than %[2]d: look at the dataset's profile", small, MinGroup))
}
