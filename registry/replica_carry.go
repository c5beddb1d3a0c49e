package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/source"
)

// carrying is the changes of one dataset on their way in.
type carrying struct {
	*Registry
	dataset *catalog.Dataset
	replica *replica
	told    []string // the columns by which rows are told apart there

	columns []string // those that match is for
	match   *columns
}

// take writes a batch of changes and how far they are, in one transaction.
func (a *carrying) take(ctx context.Context, b *source.Batch) error {
	if a.match == nil || !slices.Equal(a.columns, b.Columns) {
		match, err := matchColumns(a.dataset, b.Columns)
		if err != nil {
			return err
		}
		if err := a.sameColumns(ctx, a.dataset, match); err != nil {
			return err
		}
		a.columns, a.match = b.Columns, match
	}
	if err := a.identified(b); err != nil {
		return err
	}
	err := a.db.Write(ctx, func(tx *db.Tx) error {
		t, err := a.table(ctx, tx, a.dataset)
		if err != nil {
			return err
		}
		run, err := a.run(ctx, tx, t)
		if err != nil {
			return err
		}
		c, err := a.begin(ctx, tx, t, By{Actor: bySource.Actor, Via: bySource.Via, Run: run.ID})
		if err != nil {
			return err
		}
		if err := a.write(ctx, tx, t, c, run, b); err != nil {
			return err
		}
		next := b.Position
		if b.More { // it is noted at the end of the transaction
			next = a.replica.position
		}
		n, err := tx.Exec(ctx, "UPDATE replica SET position = ? WHERE slot = ? AND position = ?", next, a.replica.slot, a.replica.position)
		if err != nil {
			return fmt.Errorf("note how far %s is carried over: %w", t.Path(), err)
		}
		if n == 0 { // all is to be read again, or another node has gone on
			return problem.New("source.slot", 502, lang.T("변경분을 받던 자리(슬롯)가 바뀌어 전체를 다시 읽습니다", "the slot in use has changed, so all of it is read again"))
		}
		return nil
	})
	if err == nil && !b.More {
		a.replica.position = b.Position
	}
	return err
}

// identified refuses changes that don't say which record is gone.
func (a *carrying) identified(b *source.Batch) error {
	t := &table{Dataset: a.dataset}
	var lacking []string
	if a.match.compute != nil { // which columns an expression reads isn't asked: it needs the former row whole
		for _, name := range b.Columns {
			if !slices.Contains(b.Identity, name) {
				lacking = append(lacking, name)
			}
		}
	}
	for i := range a.dataset.Fields {
		f := &a.dataset.Fields[i]
		if at := a.match.at[i]; (len(t.Spec.Key) == 0 || f.KeyPart) && at >= 0 && !slices.Contains(b.Identity, b.Columns[at]) {
			lacking = append(lacking, b.Columns[at])
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return problem.New("source.replication", 422, lang.F("원본의 변경분에 레코드를 식별할 열이 없습니다: %s", "the changes don't say these columns of a row that is gone: %s", strings.Join(lacking, ", "))).
		Hinting(lang.T("데이터셋의 식별 항목을 원본의 기본 키와 맞추거나, 원본 관리자에게 ALTER TABLE … REPLICA IDENTITY FULL을 요청하십시오", "make the dataset's key the table's primary key, or ask whoever keeps it for ALTER TABLE … REPLICA IDENTITY FULL"))
}

// run is the import among which a day's changes are counted.
func (a *carrying) run(ctx context.Context, tx *db.Tx, t *table) (*Import, error) {
	now := a.now().UTC()
	day := "replication " + now.In(manifest.Seoul).Format(manifest.DateLayout)
	known, err := a.importRuns(ctx, tx, "dataset_id = ? AND fingerprint = ? AND actor = ?", t.id, day, bySource.Actor)
	if err != nil {
		return nil, err
	}
	if len(known) > 0 {
		return known[0], nil
	}
	var id int64
	err = tx.QueryRow(ctx, `INSERT INTO import_run (dataset_id, project, dataset, file, size, fingerprint, dry_run, actor, via, state, started, ended) VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		t.id, t.Project, t.Name, "replication", day, encode(false, tx.Dialect()), bySource.Actor, bySource.Via, Done, manifest.FormatDatetime(now), manifest.FormatDatetime(now)).Scan(&id)
	if err != nil {
		return nil, fmt.Errorf("note what is carried over into %s: %w", t.Path(), err)
	}
	header, err := json.Marshal(a.columns)
	if err != nil {
		return nil, err
	}
	if _, err := tx.Exec(ctx, "INSERT INTO import_rejected (run, n, line, cells, reason) VALUES (?, 0, 0, ?, '{}')", id, string(header)); err != nil {
		return nil, fmt.Errorf("note what is carried over into %s: %w", t.Path(), err)
	}
	return a.importRun(ctx, tx, id)
}

// final is what becomes of a key by a batch.
type final struct {
	row *incoming // nil: it is gone
}

// odd reports whether the key of a row reads like that of another: it has blanks around it, or is a number in another form. Such a row is no record.
func (a *carrying) odd(t *table, cells []string) bool {
	for i := range t.Fields {
		f, at := &t.Fields[i], a.match.at[i]
		if at < 0 || !slices.Contains(a.told, a.columns[at]) {
			continue
		}
		cell := cells[at]
		if strings.TrimSpace(cell) != cell {
			return true
		}
		if f.Type == manifest.Int {
			if v, ok := f.Type.Parse(cell); ok && v != nil && plain(v) != cell {
				return true
			}
		}
	}
	return false
}

// write makes the records what the changes of a batch make of them in the end.
func (a *carrying) write(ctx context.Context, tx *db.Tx, t *table, c *Change, run *Import, b *source.Batch) error {
	ends := map[string]*final{}
	var order []string
	end := func(key string, f *final) {
		if ends[key] == nil {
			order = append(order, key)
		}
		ends[key] = f
	}
	var refused []rejected
	unsure := map[string]bool{} // whether the last change of a key was refused: then what the record has isn't what the row had
	for _, change := range b.Rows {
		var was string
		if change.Was != nil {
			row, _ := a.match.read(change.Was) // what isn't of the identity is empty there
			was = KeyText(t.keyOf(row))
		}
		leaves := func() { // the record whose row it was goes, unless it never was one
			if change.Was != nil && !a.odd(t, change.Was) {
				end(was, &final{})
			}
		}
		if change.Cells == nil {
			leaves()
			continue
		}
		if a.odd(t, change.Cells) {
			leaves()
			refused = append(refused, rejected{0, change.Cells, reason([]problem.Detail{{Code: "source.key", Message: lang.T("식별 열의 값 앞뒤에 빈칸이 있거나 수를 다르게 적어, 다른 행의 레코드와 구별되지 않습니다", "the key has blanks around it, or a number written in another way, so that it can't be told from another row's")}})})
			continue
		}
		takes, fault := a.match.takesRow(change.Cells)
		if fault == nil && !takes { // what isn't taken is as if it weren't there
			row, _ := a.match.read(change.Cells)
			end(KeyText(t.keyOf(row)), &final{})
			leaves()
			continue
		}
		row, faults := a.match.read(change.Cells)
		if fault != nil {
			faults = append(faults, problem.Detail{Code: "source.expression", Where: "where", Message: *fault})
		}
		if change.Same != nil {
			var err error
			if faults, err = a.same(ctx, tx, t, change, row, ends, unsure, faults); err != nil {
				return err
			}
		}
		if was != KeyText(t.keyOf(row)) {
			leaves()
		}
		if len(faults) > 0 {
			refused = append(refused, rejected{0, change.Cells, reason(faults)})
			unsure[KeyText(t.keyOf(row))] = true
			continue
		}
		unsure[KeyText(t.keyOf(row))] = false
		end(KeyText(t.keyOf(row)), &final{&incoming{row: row, cells: change.Cells}})
	}
	var gone []*Record
	var batch []incoming
	var there []string // keys of the batch
	for _, key := range order {
		if f := ends[key]; f.row != nil {
			batch, there = append(batch, *f.row), append(there, key)
			continue
		}
		rec, err := t.get(ctx, tx, key)
		if isUnknown(err) {
			continue
		}
		if err != nil {
			return err
		}
		if made, err := change(ctx, tx, rec.Version); err != nil {
			return err
		} else if made.Via == bySource.Via { // what people wrote last is theirs
			gone = append(gone, rec)
		}
	}
	if err := a.noteUnsure(ctx, tx, t, unsure); err != nil {
		return err
	}
	if err := a.back(ctx, tx, t, there); err != nil {
		return err
	}
	if err := a.guard(ctx, tx, t, gone, b.Emptied); err != nil {
		return err
	}
	for _, rec := range gone {
		if err := t.remove(ctx, tx, c, rec); err != nil {
			return err
		}
	}
	tally, more, err := t.load(ctx, tx, c, 0, batch)
	if err != nil {
		return err
	}
	refused = append(refused, more...)
	if err := t.keepRejected(ctx, tx, run, refused); err != nil {
		return err
	}
	tally.Rejected = int64(len(refused))
	_, err = tx.Exec(ctx, "UPDATE import_run SET rows_read = rows_read + ?, loaded = loaded + ?, changed = changed + ?, unchanged = unchanged + ?, rejected = rejected + ?, deleted = deleted + ?, ended = ? WHERE id = ?",
		len(b.Rows), tally.Loaded, tally.Changed, tally.Unchanged, tally.Rejected, len(gone), manifest.FormatDatetime(a.now()), run.ID)
	if err != nil {
		return fmt.Errorf("note what is carried over into %s: %w", t.Path(), err)
	}
	return nil
}

// same fills in what a change doesn't tell because it is as it was.
func (a *carrying) same(ctx context.Context, tx *db.Tx, t *table, change source.ReplicaRow, row []any, ends map[string]*final, unsure map[string]bool, faults []problem.Detail) ([]problem.Detail, error) {
	key := KeyText(t.keyOf(row))
	if change.Was != nil {
		former, _ := a.match.read(change.Was)
		key = KeyText(t.keyOf(former))
	}
	refused, said := unsure[key]
	if !said {
		var n int
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM replica_refused WHERE dataset_id = ? AND key = ?", t.id, key).Scan(&n); err != nil {
			return nil, fmt.Errorf("look whether a change of %s was refused: %w", t.Path(), err)
		}
		refused = n > 0
	}
	if refused {
		return append(faults, problem.Detail{Code: "source.same", Where: "", Message: lang.T("이 행의 앞선 변경이 거부되어, 원본이 다시 보내지 않은 긴 값을 알 수 없습니다. 전체를 다시 읽으십시오", "the change before was refused, so a long value that wasn't sent again isn't known: read all of it again")}), nil
	}
	var before []any
	if f := ends[key]; f != nil && f.row != nil {
		before = f.row.row
	} else if f == nil {
		rec, err := t.get(ctx, tx, key)
		if err == nil {
			before = rec.Values
		} else if !isUnknown(err) {
			return nil, err
		}
	}
	if a.match.compute != nil {
		return append(faults, problem.Detail{Code: "source.same", Where: "", Message: lang.T("원본이 바뀌지 않은 긴 값을 보내지 않아 식을 계산할 수 없습니다. 원본 관리자에게 ALTER TABLE … REPLICA IDENTITY FULL을 요청하십시오", "the source didn't send a long value that hasn't changed, so the expressions can't be computed: ask whoever keeps it for ALTER TABLE … REPLICA IDENTITY FULL")}), nil
	}
	for i := range t.Fields {
		at := a.match.at[i]
		if at < 0 || at >= len(change.Same) || !change.Same[at] {
			continue
		}
		f := &t.Fields[i]
		faults = slices.DeleteFunc(faults, func(d problem.Detail) bool { return d.Where == f.Name })
		if before == nil {
			faults = append(faults, problem.Detail{Code: "source.same", Where: f.Name, Message: lang.T("원본이 바뀌지 않은 긴 값을 보내지 않았고, 여기에 그 레코드가 없습니다. 전체를 다시 읽으십시오", "the source didn't send a long value that hasn't changed, and the record isn't here: read all of it again")})
			continue
		}
		row[i] = before[i]
	}
	return faults, nil
}

// noteUnsure notes of which keys the last change was refused, and of which it no longer is.
func (a *carrying) noteUnsure(ctx context.Context, tx *db.Tx, t *table, unsure map[string]bool) error {
	var some int
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM (SELECT 1 AS one FROM replica_refused WHERE dataset_id = ? LIMIT 1) AS few", t.id).Scan(&some); err != nil {
		return fmt.Errorf("look which changes of %s were refused: %w", t.Path(), err)
	}
	for _, key := range slices.Sorted(maps.Keys(unsure)) {
		query := "INSERT INTO replica_refused (dataset_id, key) VALUES (?, ?) ON CONFLICT DO NOTHING"
		if !unsure[key] {
			if some == 0 {
				continue
			}
			query = "DELETE FROM replica_refused WHERE dataset_id = ? AND key = ?"
		}
		if _, err := tx.Exec(ctx, query, t.id, key); err != nil {
			return fmt.Errorf("note which changes of %s were refused: %w", t.Path(), err)
		}
	}
	return nil
}

// back notes which records that were gone have come back.
func (a *carrying) back(ctx context.Context, tx *db.Tx, t *table, keys []string) error {
	var gone int64
	if err := tx.QueryRow(ctx, "SELECT gone FROM replica WHERE slot = ?", a.replica.slot).Scan(&gone); err != nil && !db.NoRows(err) {
		return fmt.Errorf("look what is gone of %s: %w", t.Path(), err)
	}
	if gone == 0 {
		return nil
	}
	came := int64(0)
	for chunk := range slices.Chunk(keys, chunkRows) {
		args := []any{t.id}
		for _, key := range chunk {
			args = append(args, key)
		}
		n, err := tx.Exec(ctx, "DELETE FROM replica_gone WHERE dataset_id = ? AND key IN (?"+strings.Repeat(", ?", len(chunk)-1)+")", args...)
		if err != nil {
			return fmt.Errorf("note what has come back of %s: %w", t.Path(), err)
		}
		came += n
	}
	if came == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, "UPDATE replica SET gone = ? WHERE slot = ?", max(0, gone-came), a.replica.slot); err != nil {
		return fmt.Errorf("note what has come back of %s: %w", t.Path(), err)
	}
	return nil
}

// guard refuses to delete too much: see mayGo. What goes within a while and doesn't come back counts together, whatever happens meanwhile.
func (a *carrying) guard(ctx context.Context, tx *db.Tx, t *table, records []*Record, emptied bool) error {
	gone := int64(len(records))
	if gone == 0 && !emptied {
		return nil
	}
	var since string
	var before, all int64
	if err := tx.QueryRow(ctx, "SELECT since, gone, held FROM replica WHERE slot = ?", a.replica.slot).Scan(&since, &before, &all); err != nil && !db.NoRows(err) {
		return fmt.Errorf("look what is gone of %s: %w", t.Path(), err)
	}
	now := a.now().UTC()
	if began, err := time.Parse(manifest.DatetimeLayout, since); err != nil || now.Sub(began) > goneWithin {
		n, err := t.sourced(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM replica_gone WHERE dataset_id = ?", t.id); err != nil {
			return fmt.Errorf("forget what is gone of %s: %w", t.Path(), err)
		}
		since, before, all = manifest.FormatDatetime(now), 0, n
	}
	gone += before
	if emptied || gone > max(mayGo, all/mayGoOneIn) {
		return problem.New("source.gone", 422, lang.F("원본에서 레코드 %[1]d건 가운데 많은 수가 한꺼번에 삭제되어, 변경분 반영을 멈추고 전체를 다시 확인합니다", "many of the %[1]d records were deleted at the source at once: nothing more is carried over until all of it has been looked at", all))
	}
	for chunk := range slices.Chunk(records, chunkRows) {
		var args []any
		for _, rec := range chunk {
			args = append(args, t.id, rec.Key)
		}
		if _, err := tx.Exec(ctx, "INSERT INTO replica_gone (dataset_id, key) VALUES (?, ?)"+strings.Repeat(", (?, ?)", len(chunk)-1)+" ON CONFLICT DO NOTHING", args...); err != nil {
			return fmt.Errorf("note what is gone of %s: %w", t.Path(), err)
		}
	}
	if _, err := tx.Exec(ctx, "UPDATE replica SET since = ?, gone = ?, held = ? WHERE slot = ?", since, gone, all, a.replica.slot); err != nil {
		return fmt.Errorf("note what is gone of %s: %w", t.Path(), err)
	}
	return nil
}
