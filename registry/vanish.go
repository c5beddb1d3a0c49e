package registry

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/tabular"
)

// What may be gone at once of the records that a source brought: so many, or one in so many. Where more are, somebody must look first.
const (
	mayGo      = 5
	mayGoOneIn = 10
)

// Sizes of what is looked for and deleted at once.
const (
	deletedAtOnce = 1000    // in one transaction
	maxKeysAtOnce = 4 << 20 // of a file's keys are held in memory; a longer file is read as often as it takes
)

// vanished looks for the records that a source brought and doesn't have any more.
type vanished struct {
	*Registry
	dataset *catalog.Dataset
	file    *tabular.Table
	match   *columns
}

// errMany is that a file has more keys than are held at once.
var errMany = errors.New("registry: too many keys")

// unsure is how many rows of a file have a key that can't be read: any record may be one of them.
type unsure int64

func (u unsure) Error() string {
	return fmt.Sprintf("registry: the keys of %d rows can't be read", int64(u))
}

// find hands the keys of what is gone to take, some at a time, and returns how many there are, and how many records the source has brought. Keys are told
// apart by 64 bits of a hash with a seed of its own each time: what one read takes for another, and so leaves, the next one finds.
func (v *vanished) find(ctx context.Context, take func(keys []string) error) (gone, all int64, err error) {
	var t *table
	err = v.db.Read(ctx, func(tx *db.Tx) (err error) {
		if t, err = v.table(ctx, tx, v.dataset); err == nil {
			all, err = t.sourced(ctx, tx)
		}
		return err
	})
	if err != nil || all == 0 {
		return 0, 0, err
	}
	seed := maphash.MakeSeed()
	for bits, part := 0, uint64(0); part < 1<<bits; {
		mine := func(key string) (uint64, bool) {
			h := maphash.String(seed, key)
			return h, h>>(64-bits) == part
		}
		kept, err := v.keys(ctx, t, mine)
		if errors.Is(err, errMany) {
			bits, part = bits+1, part*2 // in halves; the parts before are done
			continue
		}
		if err != nil {
			return 0, 0, err
		}
		n, err := v.missing(ctx, t, kept, mine, take)
		if err != nil {
			return 0, 0, err
		}
		gone, part = gone+n, part+1
	}
	return gone, all, nil
}

// keys are the hashes of the keys of a file's rows, in order.
func (v *vanished) keys(ctx context.Context, t *table, mine func(key string) (uint64, bool)) ([]uint64, error) {
	var out []uint64
	var unread unsure
	for row, err := range v.match.rows(v.file) {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		values, faults := v.match.read(row.Cells)
		inKey := slices.ContainsFunc(faults, func(f problem.Detail) bool { return len(t.keyAt) == 0 || slices.Contains(t.key, f.Where) })
		if !row.Fault.Empty() || inKey {
			unread++
			continue
		}
		h, ok := mine(KeyText(t.keyOf(values)))
		if !ok {
			continue
		}
		if len(out) == v.keysAtOnce {
			return nil, errMany
		}
		out = append(out, h)
	}
	if unread > 0 {
		return nil, unread
	}
	slices.Sort(out)
	return out, nil
}

// fromSource is the condition that a record was brought by a source as it is; its parameter is the dataset's number.
const fromSource = " WHERE " + changeColumn + " IN (SELECT id FROM change WHERE dataset_id = ? AND via = 'source')"

// sourced counts the records that a source brought.
func (t *table) sourced(ctx context.Context, tx *db.Tx) (n int64, err error) {
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+t.name+fromSource, t.id).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the records of %s that a source brought: %w", t.Path(), err)
	}
	return n, nil
}

// missing finds the records whose keys aren't among kept.
func (v *vanished) missing(ctx context.Context, t *table, kept []uint64, mine func(key string) (uint64, bool), take func(keys []string) error) (gone int64, err error) {
	var some []string
	flush := func() error {
		if len(some) == 0 || take == nil {
			return nil
		}
		defer func() { some = nil }()
		return take(some)
	}
	err = v.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT "+db.Quotes(t.key)+" FROM "+t.name+fromSource, t.id)
		if err != nil {
			return fmt.Errorf("read the keys of %s: %w", t.Path(), err)
		}
		defer rows.Close()
		values, into := make([]any, len(t.key)), make([]any, len(t.key))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				return fmt.Errorf("read the keys of %s: %w", t.Path(), err)
			}
			for i, name := range t.key {
				values[i] = decode(values[i], t.keyType(name))
			}
			key := KeyText(values)
			h, ok := mine(key)
			if !ok {
				continue
			}
			if _, there := slices.BinarySearch(kept, h); there {
				continue
			}
			if gone++; take == nil {
				continue
			}
			if some = append(some, key); len(some) == deletedAtOnce {
				if err := flush(); err != nil {
					return err
				}
			}
		}
		return rows.Err()
	})
	if err != nil {
		return 0, err
	}
	return gone, flush()
}

// guard refuses to take what a source has where too much would be gone by it.
func (v *vanished) guard(ctx context.Context) error {
	var some []string
	gone, all, err := v.find(ctx, func(keys []string) error {
		some = append(some, keys[:min(len(keys), shownGone-len(some))]...)
		return nil
	})
	var u unsure
	if errors.As(err, &u) {
		return nil
	}
	if err != nil {
		return err
	}
	before, err := v.lately(ctx, v.dataset)
	if err != nil {
		return err
	}
	if gone == 0 || gone+before.gone <= max(mayGo, max(all, before.of)/mayGoOneIn) {
		return nil
	}
	p := problem.New("source.gone", 422, lang.F("원본에서 가져온 레코드 %[1]d건 가운데 %[2]d건이 원본에 없어, 아무것도 바꾸지 않고 멈추었습니다", "of the %[1]d records that came from the source it lacks %[2]d, so nothing was changed", all, gone)).
		Hinting(lang.T("원본이 잘못되었으면 바로잡으십시오. 원본이 맞으면 콘솔의 가져오기에서 ‘그대로 반영’을 누르십시오. 원본에 새 행만 있다면 선언문에 source.append: true를 쓰십시오",
			"mend the source if it is wrong; if it is right, say so in the console among the imports; if it only has what is new, write source.append: true"))
	if v.tellsKeys() {
		rest := lang.Text{}
		if n := gone - int64(len(some)); n > 0 {
			rest = lang.F(" 외 %d건", " and %d more", n)
		}
		p.Detail = lang.F("%[1]s: %[2]s%[3]s", "%[1]s: %[2]s%[3]s", p.Detail, strings.Join(some, ", "), rest)
	}
	return p
}

// shownGone is how many of the records that are gone are named.
const shownGone = 10

// tellsKeys reports whether keys may be told to those who look after the dataset: they tell of nobody, and aren't hashes of values.
func (v *vanished) tellsKeys() bool {
	if len(v.dataset.Spec.Key) == 0 {
		return false
	}
	for _, name := range v.dataset.Spec.Key {
		if f := v.dataset.Field(name); f == nil || f.Class.AtLeast(manifest.Personal) {
			return false
		}
	}
	return true
}

// delete deletes what is gone, noting how far it is with the import.
func (v *vanished) delete(ctx context.Context, i *Import) error {
	_, _, err := v.find(ctx, func(keys []string) error {
		return v.db.Write(ctx, func(tx *db.Tx) error {
			t, err := v.table(ctx, tx, v.dataset)
			if err != nil {
				return err
			}
			c, err := v.begin(ctx, tx, t, i.By)
			if err != nil {
				return err
			}
			n := int64(0)
			for _, key := range keys {
				rec, err := t.get(ctx, tx, key)
				if isUnknown(err) {
					continue
				}
				if err != nil {
					return err
				}
				if made, err := change(ctx, tx, rec.Version); err != nil {
					return err
				} else if made.Via != bySource.Via { // somebody has changed it meanwhile
					continue
				}
				if err := t.remove(ctx, tx, c, rec); err != nil {
					return err
				}
				n++
			}
			if _, err := tx.Exec(ctx, "UPDATE import_run SET deleted = deleted + ? WHERE id = ?", n, i.ID); err != nil {
				return fmt.Errorf("note the progress of import %d: %w", i.ID, err)
			}
			return nil
		})
	})
	var u unsure
	if errors.As(err, &u) {
		return v.note(ctx, i, lang.F("식별 항목을 읽을 수 없는 행이 %d건 있어, 원본에 없는 레코드를 삭제하지 않았습니다", "%d rows have a key that can't be read, so no records that the source lacks were deleted", int64(u)))
	}
	return err
}
