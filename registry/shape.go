package registry

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// shape is how a dataset's table and rules change from one revision to the next.
type shape struct {
	before, after *catalog.Dataset
	from          []int // for each field after, its place among those before; -1 for a new one
	dropped       []int // places of those before that go
}

// shapeOf compares two versions of a dataset; nil where nothing changes that its table, its checks or its profile know of.
func shapeOf(before, after *catalog.Dataset) *shape {
	s := &shape{before: before, after: after, from: make([]int, len(after.Fields))}
	taken := make([]bool, len(before.Fields))
	for i := range after.Fields {
		if s.from[i] = s.source(&after.Fields[i]); s.from[i] >= 0 {
			taken[s.from[i]] = true
		}
	}
	for i := range before.Fields {
		if !taken[i] {
			s.dropped = append(s.dropped, i)
		}
	}
	if len(s.dropped) > 0 || len(before.Fields) != len(after.Fields) || !s.sameSets() {
		return s
	}
	for i := range after.Fields {
		if s.from[i] != i || !sameField(&before.Fields[i], &after.Fields[i]) {
			return s
		}
	}
	return nil
}

// source is the place of the field that a field was before, or -1. A way back is a renaming too: the later field says what it was.
func (s *shape) source(f *catalog.Field) int {
	for _, was := range []func(*catalog.Field) bool{
		func(old *catalog.Field) bool { return old.Name == f.Name },
		func(old *catalog.Field) bool { return f.Was != "" && old.Name == f.Was },
		func(old *catalog.Field) bool { return old.Was == f.Name && s.after.Field(old.Name) == nil },
	} {
		if i := slices.IndexFunc(s.before.Fields, func(old catalog.Field) bool { return was(&old) }); i >= 0 {
			return i
		}
	}
	return -1
}

func sameField(a, b *catalog.Field) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Class == b.Class && a.Exposed == b.Exposed && !tighter(a, b) && !tighter(b, a)
}

// sameSets reports whether key, unique sets and indexes are the same, under the names of after.
func (s *shape) sameSets() bool {
	return slices.Equal(s.renamed(s.before.Spec.Key), s.after.Spec.Key) && s.sameLists(s.before.Spec.Unique, s.after.Spec.Unique) && s.sameLists(indexed(s.before.Spec), indexed(s.after.Spec))
}

func (s *shape) sameLists(before, after [][]string) bool {
	return slices.EqualFunc(before, after, func(a, b []string) bool { return slices.Equal(s.renamed(a), b) })
}

// renamed are names of before as after has them; "" for those that go.
func (s *shape) renamed(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		old := slices.IndexFunc(s.before.Fields, func(f catalog.Field) bool { return f.Name == name })
		if at := slices.Index(s.from, old); old >= 0 && at >= 0 {
			out[i] = s.after.Fields[at].Name
		}
	}
	return out
}

// column is the name that a field of after has before, or "" for a new one.
func (s *shape) column(name string) string {
	i := slices.IndexFunc(s.after.Fields, func(f catalog.Field) bool { return f.Name == name })
	if i < 0 || s.from[i] < 0 {
		return ""
	}
	return s.before.Fields[s.from[i]].Name
}

// tighter reports whether b may refuse values that a takes.
func tighter(a, b *catalog.Field) bool {
	narrower := func(x, y *float64, sign float64) bool { return y != nil && (x == nil || sign*(*y) > sign*(*x)) }
	return b.Required && !a.Required || b.Length > 0 && (a.Length == 0 || b.Length < a.Length) || narrower(a.Min, b.Min, 1) || narrower(a.Max, b.Max, -1) ||
		slices.ContainsFunc(b.Patterns, func(p string) bool { return !slices.Contains(a.Patterns, p) }) ||
		len(b.Codes) > 0 && (len(a.Codes) == 0 || slices.ContainsFunc(a.Codes, func(c manifest.CodeName) bool { _, ok := b.Codes.Name(c.Code); return !ok }))
}

// rebuilds reports whether the rows must be written anew: a type or the key changes, a field goes, or the key is made of the values and
// these change.
func (s *shape) rebuilds() bool {
	if len(s.dropped) > 0 || !slices.Equal(s.renamed(s.before.Spec.Key), s.after.Spec.Key) {
		return true
	}
	if len(s.after.Spec.Key) == 0 && (len(s.before.Fields) != len(s.after.Fields) || !slices.IsSorted(s.from)) {
		return true
	}
	for i, at := range s.from {
		if at >= 0 && s.before.Fields[at].Type != s.after.Fields[i].Type {
			return true
		}
	}
	return len(s.reseals()) > 0
}

// convert is a former value as the type of the field that follows it.
func (s *shape) convert(i int, v any) (any, *problem.Detail) {
	f := &s.after.Fields[i]
	if v == nil || s.before.Fields[s.from[i]].Type == f.Type {
		return v, nil
	}
	out, ok := f.Type.Parse(plain(v))
	if !ok {
		return nil, notOfType(f, plain(v))
	}
	return out, nil
}

// weigh says what a change of shape does, and what in the data stands against it.
func (s *shape) weigh(ctx context.Context, tx *db.Tx, t *table, v sight, allowLoss bool) (steps []catalog.Step, findings []manifest.Finding, err error) {
	step := func(text lang.Text, loses int64) {
		steps = append(steps, catalog.Step{Of: s.after.Key(), Text: text, Loses: loses})
	}
	fault := func(code, at string, text, hint lang.Text) {
		findings = append(findings, s.after.Resource.Finding(manifest.Error, code, at, text, hint))
	}
	rows := int64(0)
	if v.looks {
		if rows, err = t.rows(ctx, tx); err != nil {
			return nil, nil, err
		}
	} else {
		findings = append(findings, unseen(s.after))
	}
	var looked []int // fields whose values must be looked at
	for i := range s.after.Fields {
		f := &s.after.Fields[i]
		if s.from[i] < 0 {
			step(lang.F("‘%s’ 항목을 추가합니다", "add the field %s", f.Name), 0)
			if f.Required && rows > 0 {
				fault("dataset.tighten", "fields."+f.Name, lang.F("새 항목은 비울 수 없는데 레코드 %[2]d건에 값이 없습니다: %[1]s", "the new field %[1]s must not be empty, and %[2]d records have no value", f.Name, rows),
					lang.T("먼저 required 없이 추가하고, 값을 채운 뒤 required로 바꾸십시오", "add it without required, fill it, then require it"))
			}
			continue
		}
		old := &s.before.Fields[s.from[i]]
		if old.Name != f.Name {
			step(lang.F("항목 이름을 바꿉니다: %s → %s", "rename the field %s to %s", old.Name, f.Name), 0)
		}
		if old.Type != f.Type {
			step(lang.F("‘%s’ 항목의 유형을 바꿉니다: %s → %s", "change the type of %s from %s to %s", f.Name, typeNames[old.Type], typeNames[f.Type]), 0)
		} else if tighter(old, f) {
			step(lang.F("‘%s’ 항목의 입력 조건을 강화합니다", "tighten the rules of %s", f.Name), 0)
		}
		if old.Type != f.Type || tighter(old, f) {
			looked = append(looked, i)
		}
	}
	for _, i := range s.reseals() {
		if f := &s.after.Fields[i]; sealed(f) {
			step(lang.F("‘%s’ 항목의 값을 암호화합니다 (고유식별정보)", "encrypt the values of %s: unique identifiers", f.Name), 0)
		} else {
			step(lang.F("‘%s’ 항목의 값을 더는 암호화하지 않습니다", "the values of %s are no longer encrypted", f.Name), 0)
		}
	}
	if rows > 0 && len(looked) > 0 {
		if err := s.look(ctx, tx, t, v, looked, rows, fault); err != nil {
			return nil, nil, err
		}
	}
	for _, i := range s.dropped {
		name := s.before.Fields[i].Name
		if !v.looks {
			step(lang.F("‘%s’ 항목을 삭제합니다", "drop the field %s", name), 0)
			continue
		}
		n, err := t.filled(ctx, tx, name)
		if err != nil {
			return nil, nil, err
		}
		step(lang.F("‘%s’ 항목을 삭제합니다. 값 %d개는 서버의 자료 폴더에 보관합니다: %s", "drop the field %s; its %d values are kept in %s", name, n, "files/"+keepKey(t, s.after.Revision, name)), n)
		if n > 0 && !allowLoss {
			fault("dataset.loss", "fields", lang.F("‘%[1]s’ 항목을 삭제하면 값 %[2]d개를 잃습니다", "without the field %[1]s its %[2]d values are lost", name, n), withLoss)
		}
	}
	err = s.weighSets(ctx, tx, t, v, step, fault)
	return steps, findings, err
}

// look counts the values that don't fit the fields as they will be.
func (s *shape) look(ctx context.Context, tx *db.Tx, t *table, v sight, fields []int, rows int64, fault func(code, at string, text, hint lang.Text)) error {
	type tally struct {
		n     int64
		key   string
		first *problem.Detail
	}
	wrong := map[int]*tally{}
	l := &listing{table: t, dialect: tx.Dialect(), order: t.keyOrder()}
	for _, i := range fields {
		l.fields = append(l.fields, &s.before.Fields[s.from[i]])
	}
	l.wanted = len(l.fields)
	err := l.each(ctx, tx, func(rec *Record, _ []any) error {
		for n, i := range fields {
			value, bad := s.convert(i, rec.Values[n])
			if bad == nil {
				bad = check(&s.after.Fields[i], value)
			}
			if bad == nil {
				continue
			}
			if wrong[i] == nil {
				wrong[i] = &tally{key: rec.Key, first: bad}
			}
			wrong[i].n++
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, i := range fields {
		w := wrong[i]
		if w == nil {
			continue
		}
		f, old := &s.after.Fields[i], &s.before.Fields[s.from[i]]
		if !v.tells(old, f) {
			fault("dataset.tighten", "fields."+f.Name, lang.F("‘%s’ 항목: 맞지 않는 레코드가 있습니다 (읽을 권한이 없는 항목이어서 더 알려 드리지 않습니다)", "the field %s: there are records that don't fit (no more is told of what you may not read)", f.Name),
				lang.T("먼저 자료를 고치거나 입력 조건을 완화하십시오", "mend the data first, or loosen the rule"))
			continue
		}
		example := lang.F("예: %s", "such as: %s", w.first.Message)
		switch {
		case !open(old, f):
			example = lang.T("개인정보여서 값을 표시하지 않습니다", "the values are personal and not shown")
		case t.keyOpen():
			example = lang.F("예: 레코드 %s, %s", "such as the record %s: %s", w.key, w.first.Message)
		}
		fault("dataset.tighten", "fields."+f.Name, lang.F("‘%[1]s’ 항목: 레코드 %[3]d건 가운데 %[2]d건이 맞지 않습니다 (%[4]s)", "the field %[1]s: %[2]d of %[3]d records don't fit (%[4]s)", f.Name, w.n, rows, example),
			lang.T("먼저 자료를 고치거나 입력 조건을 완화하십시오", "mend the data first, or loosen the rule"))
	}
	return nil
}

// weighSets looks at key, unique sets and indexes.
func (s *shape) weighSets(ctx context.Context, tx *db.Tx, t *table, v sight, step func(lang.Text, int64), fault func(code, at string, text, hint lang.Text)) error {
	if !slices.Equal(s.renamed(s.before.Spec.Key), s.after.Spec.Key) {
		name := strings.Join(s.after.Spec.Key, ", ")
		if name == "" {
			step(lang.T("식별 항목을 삭제합니다. 값 전체로 레코드를 구분하고, 값이 모두 같은 레코드는 하나로 합칩니다", "take the key away: all values are the key, and records that are the same become one"), 0)
		} else {
			step(lang.F("식별 항목을 바꿉니다: %s", "make %s the key", name), 0)
		}
		if err := s.twice(ctx, tx, t, v, s.after.Spec.Key, "key", fault); err != nil {
			return err
		}
	}
	for i, set := range s.after.Spec.Unique {
		if slices.ContainsFunc(s.before.Spec.Unique, func(old []string) bool { return slices.Equal(s.renamed(old), set) }) {
			continue
		}
		step(lang.F("값이 겹치지 않게 합니다: %s", "let no two records share %s", strings.Join(set, ", ")), 0)
		if err := s.twice(ctx, tx, t, v, set, fmt.Sprintf("unique.%d", i), fault); err != nil {
			return err
		}
	}
	if !s.sameLists(indexed(s.before.Spec), indexed(s.after.Spec)) {
		step(lang.T("색인을 다시 만듭니다", "make its indexes anew"), 0)
	}
	return nil
}

// twice counts the values that several records share.
func (s *shape) twice(ctx context.Context, tx *db.Tx, t *table, v sight, set []string, at string, fault func(code, at string, text, hint lang.Text)) error {
	if !v.looks {
		return nil
	}
	var columns, there []string
	told := true
	for _, name := range set {
		old := s.column(name)
		if old == "" {
			return nil // a new field is empty everywhere
		}
		told = told && v.tells(s.before.Field(old), s.after.Field(name))
		columns, there = append(columns, t.comparable(old)), append(there, db.Quote(old)+" IS NOT NULL")
	}
	if len(columns) == 0 {
		return nil
	}
	list := strings.Join(columns, ", ")
	var groups, records int64
	err := tx.QueryRow(ctx, "SELECT count(*), coalesce(sum(n), 0) FROM (SELECT count(*) AS n FROM "+t.name+" WHERE "+strings.Join(there, " AND ")+" GROUP BY "+list+" HAVING count(*) > 1) AS twice").Scan(&groups, &records)
	if err != nil {
		return fmt.Errorf("look for duplicates in %s: %w", t.Path(), err)
	}
	if groups > 0 && !told {
		fault("dataset.tighten", at, lang.F("같은 값을 가진 레코드가 있습니다: %s", "there are records that share their %s", strings.Join(set, ", ")), lang.T("먼저 자료를 고치십시오", "mend the data first"))
		return nil
	}
	if groups > 0 {
		fault("dataset.tighten", at, lang.F("같은 값을 가진 레코드가 %[2]d건 있습니다: %[1]s (서로 다른 값 %[3]d가지)", "%[2]d records share their %[1]s (%[3]d different values)", strings.Join(set, ", "), records, groups),
			lang.T("먼저 자료를 고치십시오", "mend the data first"))
	}
	return nil
}

// filled counts the values of a column.
func (t *table) filled(ctx context.Context, tx *db.Tx, column string) (n int64, err error) {
	if err := tx.QueryRow(ctx, "SELECT count("+db.Quote(column)+") FROM "+t.name).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the values of %s: %w", t.Path(), err)
	}
	return n, nil
}

// keyOrder is the order of the key.
func (t *table) keyOrder() []order {
	out := make([]order, len(t.key))
	for i, name := range t.key {
		out[i] = order{column: name, typ: t.keyType(name)}
	}
	return out
}
