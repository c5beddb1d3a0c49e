package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
)

// ImportState says how an import stands.
type ImportState string

// The states of an import.
const (
	Receiving ImportState = "receiving" // the file is on its way
	Waiting   ImportState = "waiting"   // the file is here
	Running   ImportState = "running"
	Held      ImportState = "held" // too many records would be gone by what a source has: nothing was changed, somebody must look
	Done      ImportState = "done"
	Failed    ImportState = "failed" // the file can't be read; Reason says why. What was loaded before stays
)

// Import is one file's way into a dataset.
type Import struct {
	ID          int64
	Project     string
	Dataset     string
	File        string
	Size        int64 // bytes
	Received    int64 // bytes that are here
	Fingerprint string
	DryRun      bool
	Whole       bool // it has all that the dataset's source has: what isn't in it is gone
	LetGo       bool // however much is gone
	By          By
	State       ImportState
	Started     time.Time
	Ended       time.Time // zero until it is done or failed
	Rows        int64     // of the file that are behind it
	Read        int64     // bytes of the file that are behind it
	Tally
	Deleted int64     // records that the source doesn't have any more
	Reason  lang.Text // why it failed or is held, or why it waits to be tried again
	Notes   []lang.Text
}

// Told is an import as a principal may know it. Of a dry run into what they may not read it doesn't say how many records are the same already: a file of guesses would
// be answered, and leave nothing.
//
// Why a file couldn't be taken may quote it: that is for those who may read what would have been in it.
func (i *Import) Told(who *identity.Principal, d *catalog.Dataset, place identity.Place) *Import {
	told := *i
	if !readsAll(who, d, place) {
		told.Reason, told.Notes = withheld(i.Reason), nil
	}
	if !i.DryRun || readsAll(who, d, place) && (d == nil || about(d) == nil) {
		return &told
	}
	told.Changed, told.Unchanged = i.Changed+i.Unchanged, 0
	return &told
}

// Upload says what file is to come.
type Upload struct {
	File        string // its name
	Size        int64  // bytes
	Fingerprint string // the same for the same file, so that an import that was cut off goes on
	DryRun      bool   // says what would happen; nothing is written
	Whole       bool   // it is all that the dataset's source has
}

// Limits of what is uploaded.
const (
	ChunkBytes  = 8 << 20 // each part of a file but the last is this long
	MaxFile     = 64 << 30
	maxFileName = 255
)

// Begin starts an import, or finds the unfinished one of the same file.
func (r *Registry) Begin(ctx context.Context, by By, d *catalog.Dataset, u Upload) (*Import, error) {
	if u.Size <= 0 || u.Size > MaxFile {
		return nil, problem.New("import.size", 400, lang.F("파일 크기는 1바이트에서 %d GB까지입니다", "a file has 1 byte to %d GB", MaxFile>>30)).
			Hinting(lang.T("빈 파일인지 확인하거나, 파일을 나누어 올리십시오", "look whether it is empty, or split it"))
	}
	if u.File == "" || len(u.File) > maxFileName || u.Fingerprint == "" || len(u.Fingerprint) > 128 || strings.ContainsRune(u.File+u.Fingerprint, 0) || !utf8.ValidString(u.File+u.Fingerprint) {
		return nil, problem.New("import.file", 400, lang.T("파일 이름과 파일 해시가 필요합니다", "the file's name and its fingerprint are needed"))
	}
	out := &Import{Project: d.Project, Dataset: d.Name, File: u.File, Size: u.Size, Fingerprint: u.Fingerprint, DryRun: u.DryRun, Whole: u.Whole, By: by, State: Receiving, Started: r.now().UTC()}
	err := r.db.Write(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		if err := tx.Lock(ctx, "imports "+d.Path()); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, "SELECT id FROM import_run WHERE dataset_id = ? AND fingerprint = ? AND dry_run = ? AND state IN ('receiving', 'waiting', 'running', 'held') ORDER BY id DESC LIMIT 1",
			t.id, u.Fingerprint, encode(u.DryRun, tx.Dialect())).Scan(&out.ID)
		if err == nil {
			out, err = r.importRun(ctx, tx, out.ID)
			return err
		}
		if !db.NoRows(err) {
			return fmt.Errorf("look for an unfinished import: %w", err)
		}
		if err := t.forgetRuns(ctx, tx); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `INSERT INTO import_run (dataset_id, project, dataset, file, size, fingerprint, dry_run, whole, actor, via, state, started)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`, t.id, d.Project, d.Name, u.File, u.Size, u.Fingerprint, encode(u.DryRun, tx.Dialect()), encode(u.Whole, tx.Dialect()),
			by.Actor, by.Via, Receiving, manifest.FormatDatetime(out.Started)).Scan(&out.ID)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// How many imports of a dataset are remembered, with the rows they rejected; and of those that a source brought without a rejected row.
const (
	keptRuns   = 200
	keptSource = 20
)

// forgetRuns forgets the oldest imports that have ended.
func (t *table) forgetRuns(ctx context.Context, tx *db.Tx) error {
	for _, old := range []struct {
		of   string
		most int
	}{{"state IN ('done', 'failed')", keptRuns}, {"state = 'done' AND via = 'source' AND rejected = 0", keptSource}} {
		const ended = "SELECT id FROM import_run WHERE dataset_id = ? AND "
		const beyond = " AND id < (" + ended
		list := ended + old.of + beyond + old.of + " ORDER BY id DESC LIMIT 1 OFFSET ?)"
		for _, from := range []string{"import_rejected WHERE run IN (", "import_run WHERE id IN ("} {
			if _, err := tx.Exec(ctx, "DELETE FROM "+from+list+")", t.id, t.id, old.most-2); err != nil {
				return fmt.Errorf("forget old imports of %s: %w", t.Path(), err)
			}
		}
	}
	return nil
}

const importColumns = `id, project, dataset, file, size, received, fingerprint, dry_run, whole, let_go, actor, via, state, started, ended, rows_read, bytes_read,
	loaded, changed, unchanged, rejected, deleted, reason, notes`

// Import finds an import.
func (r *Registry) Import(ctx context.Context, id int64) (out *Import, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		out, err = r.importRun(ctx, tx, id)
		return err
	})
	return out, err
}

// Imports lists the imports of a dataset, the newest first.
func (r *Registry) Imports(ctx context.Context, d *catalog.Dataset, limit int) (out []*Import, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err == nil {
			out, err = r.importRuns(ctx, tx, "dataset_id = ? ORDER BY id DESC LIMIT ?", t.id, limit)
		}
		return err
	})
	return out, err
}

// Unfinished lists the imports whose file is here and which aren't done: what a start of the program has to go on with.
func (r *Registry) Unfinished(ctx context.Context) (out []*Import, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		out, err = r.importRuns(ctx, tx, "state IN ('waiting', 'running') ORDER BY id")
		return err
	})
	return out, err
}

func (r *Registry) importRun(ctx context.Context, tx *db.Tx, id int64) (*Import, error) {
	all, err := r.importRuns(ctx, tx, "id = ?", id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, noImport(id)
	}
	return all[0], nil
}

func noImport(id int64) error {
	return problem.New("import.unknown", 404, lang.F("없는 가져오기입니다: %v", "there is no import %v", id))
}

// importRuns reads imports. where is one of this file's own conditions.
func (r *Registry) importRuns(ctx context.Context, tx *db.Tx, where string, args ...any) (out []*Import, err error) {
	rows, err := tx.Query(ctx, "SELECT "+importColumns+" FROM import_run WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read imports: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		i := &Import{}
		var started, ended, reason, notes string
		if err := rows.Scan(&i.ID, &i.Project, &i.Dataset, &i.File, &i.Size, &i.Received, &i.Fingerprint, &i.DryRun, &i.Whole, &i.LetGo, &i.By.Actor, &i.By.Via, &i.State, &started, &ended,
			&i.Rows, &i.Read, &i.Loaded, &i.Changed, &i.Unchanged, &i.Rejected, &i.Deleted, &reason, &notes); err != nil {
			return nil, fmt.Errorf("read imports: %w", err)
		}
		i.By.Run = i.ID
		for _, moment := range []struct {
			text string
			into *time.Time
		}{{started, &i.Started}, {ended, &i.Ended}} {
			if moment.text == "" {
				continue
			}
			if *moment.into, err = time.Parse(manifest.DatetimeLayout, moment.text); err != nil {
				return nil, fmt.Errorf("times of import %d: %w", i.ID, err)
			}
		}
		if err := json.Unmarshal([]byte(reason), &i.Reason); err != nil {
			return nil, fmt.Errorf("reason of import %d: %w", i.ID, err)
		}
		if err := json.Unmarshal([]byte(notes), &i.Notes); err != nil {
			return nil, fmt.Errorf("notes of import %d: %w", i.ID, err)
		}
		if why, late := r.delays.Load(i.ID); late {
			i.Reason = why.(lang.Text)
		}
		out = append(out, i)
	}
	return out, rows.Err()
}

// end writes how an import ended, and forgets its file.
func (r *Registry) end(ctx context.Context, i *Import, state ImportState, reason lang.Text) error {
	err := r.db.Write(ctx, func(tx *db.Tx) error { return r.ended(ctx, tx, i, state, reason) })
	if err != nil {
		return fmt.Errorf("end import %d: %w", i.ID, err)
	}
	if state == Held {
		return nil // its file is needed where somebody lets it go on
	}
	return r.forget(ctx, i)
}

// ended writes how an import ended.
func (r *Registry) ended(ctx context.Context, tx *db.Tx, i *Import, state ImportState, reason lang.Text) error {
	i.State, i.Reason, i.Ended = state, reason, r.now().UTC()
	text, err := json.Marshal(reason)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "UPDATE import_run SET state = ?, ended = ?, reason = ? WHERE id = ?", state, manifest.FormatDatetime(i.Ended), string(text), i.ID)
	return err
}

// note adds a note to an import.
func (r *Registry) note(ctx context.Context, i *Import, text lang.Text) error {
	i.Notes = append(i.Notes, text)
	notes, err := json.Marshal(i.Notes)
	if err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE import_run SET notes = ? WHERE id = ?", string(notes), i.ID); err != nil {
			return fmt.Errorf("note on import %d: %w", i.ID, err)
		}
		return nil
	})
}

// Accept lets a held import go on, however much is gone by it. What the source is being read for meanwhile doesn't count: see [Registry.turn].
func (r *Registry) Accept(ctx context.Context, id int64) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		var dataset int64
		err := tx.QueryRow(ctx, "SELECT dataset_id FROM import_run WHERE id = ?", id).Scan(&dataset)
		if err == nil {
			err = tx.Lock(ctx, fmt.Sprintf("source of %d", dataset))
		}
		if err != nil && !db.NoRows(err) {
			return fmt.Errorf("accept import %d: %w", id, err)
		}
		done, err := tx.Exec(ctx, "UPDATE import_run SET state = ?, let_go = ?, ended = '', reason = '{}' WHERE id = ? AND state = ?", Waiting, encode(true, tx.Dialect()), id, Held)
		if err == nil && done == 1 {
			_, err = tx.Exec(ctx, "UPDATE source_state SET turn = turn + 1 WHERE dataset_id = ?", dataset)
		}
		if err != nil {
			return fmt.Errorf("accept import %d: %w", id, err)
		}
		if done == 1 {
			return nil
		}
		return problem.New("import.state", 409, lang.T("확인을 기다리는 가져오기가 아닙니다", "the import doesn't wait to be looked at"))
	})
}

// supersede ends the held imports of a dataset: the source has something else now. Its problem is that of [Registry.turn].
func (r *Registry) supersede(ctx context.Context, d *catalog.Dataset, state *SourceState, but string) error {
	var old []*Import
	err := r.turn(ctx, d, state, func(tx *db.Tx, t *table) (err error) {
		if old, err = r.importRuns(ctx, tx, "dataset_id = ? AND state = ? AND fingerprint <> ? ORDER BY id", t.id, Held, but); err != nil {
			return err
		}
		for _, i := range old {
			if err := r.ended(ctx, tx, i, Failed, lang.T("원본이 다시 바뀌어 이 자료는 쓰지 않습니다", "the source has changed again: this isn't what it has any more")); err != nil {
				return err
			}
		}
		return nil
	})
	for _, i := range old {
		if err == nil {
			err = r.forget(ctx, i)
		}
	}
	return err
}
