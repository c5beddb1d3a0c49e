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

// Values are the fields of a record by name, as encoding/json decodes them with UseNumber. A member that begins with an underscore is left
// out, so that what was read can be written back.
type Values map[string]any

// Match says which version of a record a write is meant for.
type Match struct {
	Version int64 // this one
	Any     bool  // whichever there is
}

// Get returns a record.
func (r *Registry) Get(ctx context.Context, d *catalog.Dataset, key string) (out *Record, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err == nil {
			out, err = t.get(ctx, tx, key)
		}
		return err
	})
	return out, err
}

// Create adds a record. It is refused with status 409 where there is one with its key.
func (r *Registry) Create(ctx context.Context, by By, d *catalog.Dataset, values Values) (*Record, error) {
	return r.write(ctx, by, d, func(tx *db.Tx, t *table, c *Change) (*Record, error) {
		row, err := t.read(values, make([]any, len(t.Fields)))
		if err != nil {
			return nil, err
		}
		return t.create(ctx, tx, c, row)
	})
}

// Put makes the record of a key what values say, all of it. Where there is none it is made, unless match names a version.
func (r *Registry) Put(ctx context.Context, by By, d *catalog.Dataset, key string, match Match, values Values) (out *Record, created bool, err error) {
	out, err = r.write(ctx, by, d, func(tx *db.Tx, t *table, c *Change) (*Record, error) {
		before, err := t.get(ctx, tx, key)
		if isUnknown(err) && match == (Match{}) {
			row, err := t.read(values, make([]any, len(t.Fields)))
			if err != nil {
				return nil, err
			}
			if KeyText(t.keyOf(row)) != key {
				return nil, t.otherKey()
			}
			created = true
			return t.create(ctx, tx, c, row)
		}
		if err != nil {
			return nil, err
		}
		row := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			if by.Sees != nil && by.Sees.Field(f.Name) == nil {
				row[i] = before.Values[i]
			}
		}
		return t.replace(ctx, tx, c, before, match, values, row)
	})
	return out, created, err
}

// Patch changes the fields of a record that values name; null empties one (RFC 7396).
func (r *Registry) Patch(ctx context.Context, by By, d *catalog.Dataset, key string, match Match, values Values) (*Record, error) {
	return r.write(ctx, by, d, func(tx *db.Tx, t *table, c *Change) (*Record, error) {
		before, err := t.get(ctx, tx, key)
		if err != nil {
			return nil, err
		}
		return t.replace(ctx, tx, c, before, match, values, slices.Clone(before.Values))
	})
}

// Delete takes a record away; its last state stays in the history.
func (r *Registry) Delete(ctx context.Context, by By, d *catalog.Dataset, key string, match Match) error {
	_, err := r.write(ctx, by, d, func(tx *db.Tx, t *table, c *Change) (*Record, error) {
		before, err := t.get(ctx, tx, key)
		if err != nil {
			return nil, err
		}
		if err := t.matches(before, match); err != nil {
			return nil, err
		}
		return before, t.remove(ctx, tx, c, before)
	})
	return err
}

// remove takes a record out of the table and keeps its last state.
func (t *table) remove(ctx context.Context, tx *db.Tx, c *Change, before *Record) error {
	if err := t.supersede(ctx, tx, before, c.ID, true); err != nil {
		return err
	}
	where, args := t.byKey(tx.Dialect(), t.keyOf(before.Values))
	if _, err := tx.Exec(ctx, "DELETE FROM "+t.name+" WHERE "+where, args...); err != nil {
		return fmt.Errorf("delete a record of %s: %w", t.Path(), err)
	}
	return t.emit(ctx, tx, c, before.Key, before.Values, nil)
}

// write runs one write of a record in a transaction of its own.
func (r *Registry) write(ctx context.Context, by By, d *catalog.Dataset, do func(*db.Tx, *table, *Change) (*Record, error)) (out *Record, err error) {
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		c, err := r.begin(ctx, tx, t, by)
		if err != nil {
			return err
		}
		out, err = do(tx, t, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// read lays values over row and checks the outcome. All its faults are told at once.
func (t *table) read(values Values, row []any) ([]any, error) {
	var faults []problem.Detail
	read := map[string]bool{}
	for name, v := range values {
		if strings.HasPrefix(name, "_") {
			continue
		}
		i := slices.IndexFunc(t.Fields, func(f catalog.Field) bool { return f.Name == name })
		if i < 0 {
			faults = append(faults, unknownField(t.Dataset, name))
			continue
		}
		got, fault := fromJSON(&t.Fields[i], v)
		if fault != nil {
			faults = append(faults, *fault)
			read[name] = true
			continue
		}
		row[i] = got
	}
	for i := range t.Fields {
		if f := &t.Fields[i]; !read[f.Name] {
			if fault := check(f, row[i]); fault != nil {
				faults = append(faults, *fault)
			}
		}
	}
	if len(faults) == 0 {
		return row, nil
	}
	slices.SortFunc(faults, func(a, b problem.Detail) int { return strings.Compare(a.Where, b.Where) })
	p := problem.New("record.invalid", 422, lang.F("데이터셋에 맞지 않는 레코드입니다: %s", "it can't be a record of %s", t.Path())).
		Hinting(lang.T("아래 항목을 고쳐 다시 보내십시오", "mend the fields named and send it again"))
	p.At = faults
	return nil, p
}

// unknownField says that a dataset has no field of a name, and which it may have meant.
func unknownField(d *catalog.Dataset, name string) problem.Detail {
	out := problem.Detail{Code: "record.unknown_field", Where: name, Message: lang.F("없는 항목입니다: %s", "there is no field %s", name)}
	if near := manifest.Nearest(name, d.FieldNames()); near != "" {
		out.Hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	return out
}

func (t *table) create(ctx context.Context, tx *db.Tx, c *Change, row []any) (*Record, error) {
	key := t.keyOf(row)
	if _, err := t.get(ctx, tx, KeyText(key)); err == nil {
		return nil, problem.New("record.exists", 409, lang.F("식별 항목이 같은 레코드가 이미 있습니다: %[2]q (데이터셋 %[1]s)", "%s already has the record %q", t.Path(), KeyText(key))).
			Hinting(lang.T("고치려면 PUT이나 PATCH를 쓰십시오", "use PUT or PATCH to change it"))
	} else if !isUnknown(err) {
		return nil, err
	}
	if err := t.unique(ctx, tx, row, nil); err != nil {
		return nil, err
	}
	columns := t.columns()
	args, err := t.args(tx.Dialect(), c.ID, row)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO "+t.name+" ("+db.Quotes(columns)+") VALUES ("+db.Marks(len(columns))+")", args...); err != nil {
		return nil, t.written(err)
	}
	return t.record(c.ID, row), t.emit(ctx, tx, c, KeyText(key), nil, row)
}

// replace makes a record what values laid over row say.
func (t *table) replace(ctx context.Context, tx *db.Tx, c *Change, before *Record, match Match, values Values, row []any) (*Record, error) {
	if err := t.matches(before, match); err != nil {
		return nil, err
	}
	if len(t.Spec.Key) == 0 {
		return nil, problem.New("record.keyless", 409, lang.F("식별 항목이 없는 데이터셋이어서 레코드를 고칠 수 없습니다: %s", "the dataset %s has no key, so its records can't be changed", t.Path())).
			Hinting(lang.T("삭제하고 새로 넣거나, 선언문에 key:를 쓰십시오", "delete it and create another, or give the manifest a key:"))
	}
	for _, n := range t.keyAt { // PUT may leave out what its path says
		if _, given := values[t.Fields[n].Name]; !given {
			row[n] = before.Values[n]
		}
	}
	row, err := t.read(values, row)
	if err != nil {
		return nil, err
	}
	if KeyText(t.keyOf(row)) != before.Key {
		return nil, t.otherKey()
	}
	if fault := t.otherPerson(before, row); fault != nil {
		return nil, fault
	}
	if slices.Equal(row, before.Values) {
		return before, nil // nothing changes: no version for it
	}
	if err := t.unique(ctx, tx, row, before); err != nil {
		return nil, err
	}
	return t.record(c.ID, row), t.update(ctx, tx, c, before, row)
}

// update writes a record's next state and keeps the former.
func (t *table) update(ctx context.Context, tx *db.Tx, c *Change, before *Record, row []any) error {
	if err := t.supersede(ctx, tx, before, c.ID, false); err != nil {
		return err
	}
	where, args := t.byKey(tx.Dialect(), t.keyOf(before.Values))
	columns := t.columns()
	sets := make([]string, len(columns))
	for i, name := range columns {
		sets[i] = db.Quote(name) + " = ?"
	}
	values, err := t.args(tx.Dialect(), c.ID, row)
	if err != nil {
		return err
	}
	if _, err = tx.Exec(ctx, "UPDATE "+t.name+" SET "+strings.Join(sets, ", ")+" WHERE "+where, append(values, args...)...); err != nil {
		return t.written(err)
	}
	return t.emit(ctx, tx, c, before.Key, before.Values, row)
}

func (t *table) otherKey() error {
	return problem.New("record.key", 422, lang.F("식별 항목의 값은 바꿀 수 없습니다: %s", "a record's key (%s) can't be changed", strings.Join(t.key, ", "))).
		Hinting(lang.T("식별 항목의 값이 다른 레코드는 새로 만드십시오", "create a record with the other key"))
}

// otherPerson refuses to make a record one about somebody else: who it was about would learn no more of who reads it.
func (t *table) otherPerson(before *Record, row []any) *problem.Problem {
	if about(t.Dataset) == nil {
		return nil
	}
	i := slices.IndexFunc(t.Fields, func(f catalog.Field) bool { return f.Name == t.Spec.Subject })
	if before.Values[i] == nil || before.Values[i] == row[i] {
		return nil
	}
	return problem.New("record.subject", 422, lang.F("누구에 관한 레코드인지는 바꿀 수 없습니다: %s", "whom a record is about (%s) can't be changed", t.Spec.Subject)).
		Hinting(lang.T("삭제하고 새로 만드십시오", "delete it and create another"))
}

// matches refuses a write that is meant for another version than the present one.
func (t *table) matches(now *Record, match Match) error {
	if match.Any || match.Version == now.Version {
		return nil
	}
	if match.Version == 0 {
		return problem.New("record.match", 428, lang.T("고치거나 삭제할 때에는 읽은 버전을 If-Match로 보내야 합니다", "a change needs the version that was read, in If-Match")).
			Hinting(lang.T("레코드를 읽고 ETag 값을 If-Match에 넣으십시오. 버전과 관계없이 고치려면 If-Match: *를 보내십시오", "read the record and send its ETag in If-Match; send If-Match: * to change whatever there is"))
	}
	p := problem.New("record.changed", 409, lang.F("그 사이 레코드가 바뀌었습니다 (읽은 버전 %[1]v, 현재 버전 %[2]v)", "the record has changed meanwhile (read %[1]v, now %[2]v)", match.Version, now.Version)).
		Hinting(lang.T("다시 읽고, 바뀐 내용을 바탕으로 고치십시오", "read it again and make the change on top of it"))
	p.With = map[string]any{"version": now.Version, "current": now}
	return p
}

// unique refuses values that another record already has in a set that no two may share.
func (t *table) unique(ctx context.Context, tx *db.Tx, row []any, before *Record) error {
	for _, set := range t.Spec.Unique {
		var conditions []string
		var args []any
		for _, name := range set {
			i := slices.IndexFunc(t.Fields, func(f catalog.Field) bool { return f.Name == name })
			if row[i] == nil {
				break // what has a gap is like nothing else, as SQL has it
			}
			arg, err := t.comparand(&t.Fields[i], row[i], tx.Dialect())
			if err != nil {
				return err
			}
			conditions, args = append(conditions, t.comparable(name)+" = ?"), append(args, arg)
		}
		if len(conditions) < len(set) {
			continue
		}
		if before != nil {
			where, key := t.byKey(tx.Dialect(), t.keyOf(before.Values))
			conditions, args = append(conditions, "NOT ("+where+")"), append(args, key...)
		}
		var one int
		err := tx.QueryRow(ctx, "SELECT 1 FROM "+t.name+" WHERE "+strings.Join(conditions, " AND ")+" LIMIT 1", args...).Scan(&one)
		if err == nil {
			return t.duplicate(set)
		}
		if !db.NoRows(err) {
			return fmt.Errorf("look for duplicates in %s: %w", t.Path(), err)
		}
	}
	return nil
}

func (t *table) duplicate(set []string) error {
	return problem.New("record.duplicate", 409, lang.F("같은 값을 가진 레코드가 이미 있습니다 (항목 %s)", "another record has the same %s", strings.Join(set, ", "))).
		Hinting(lang.T("겹치지 않는 값을 쓰십시오", "use other values"))
}

// written turns the database's own refusal into a problem.
func (t *table) written(err error) error {
	if err == nil {
		return nil
	}
	if db.Conflict(err) {
		return problem.New("record.duplicate", 409, lang.F("데이터셋에 값이 겹치는 레코드가 이미 있습니다: %s", "%s already has a record with the same values", t.Path())).
			Hinting(lang.T("식별 항목과 겹칠 수 없는 항목의 값을 확인하십시오", "check the key and the fields that must be unique"))
	}
	return fmt.Errorf("write a record of %s: %w", t.Path(), err)
}
