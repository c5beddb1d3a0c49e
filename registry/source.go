package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/identity"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/source"
)

// SourceState is how a dataset's source stands.
type SourceState struct {
	Good   time.Time // when what it has was last here, zero: never
	Tried  time.Time // when it was last looked at
	Failed int       // how often in a row it couldn't be read or taken
	Code   string    // of the problem of the last time
	Reason lang.Text // why

	Rejected int64 // rows of what was taken that aren't here

	spec  string // by which place and print were noted: others hold for another source
	place string // up to where what has come since is read
	print string // SHA-256 of what was taken last, and whether it was all
	bad   string // and of what couldn't be taken
	whole time.Time
	turn  int64 // see [Registry.turn]
}

// Told is how a source stands as a principal may know it: see [Import.Told].
func (s *SourceState) Told(who *identity.Principal, d *catalog.Dataset, place identity.Place) *SourceState {
	if readsAll(who, d, place) {
		return s
	}
	told := *s
	told.Reason = withheld(s.Reason)
	return &told
}

// withheld stands for a reason that quotes what not everybody may read.
func withheld(reason lang.Text) lang.Text {
	if reason.Empty() {
		return reason
	}
	return lang.T("이유는 이 데이터를 맡은 기관이 볼 수 있습니다", "the office that answers for the data sees why")
}

// wholeEvery is how often all of a source is read of which otherwise only what has come since is: to find what is gone, and what came late.
const wholeEvery = 24 * time.Hour

// ReadSource brings what a dataset's source has now into the dataset, as one import, or nothing where there is nothing new. What is wrong with the source is
// no error: it is noted, and seen where imports are. again says that it may pass, so that it is worth trying again soon.
func (r *Registry) ReadSource(ctx context.Context, from *source.Reader, dataset func(project, name string) *catalog.Dataset, project, name string) (i *Import, again bool, err error) {
	d := dataset(project, name)
	if d == nil || d.Spec.Source == nil {
		return nil, false, nil // it has gone since it was asked for
	}
	if d.Spec.Source.Publication != "" { // whatever carries its changes over reads it
		return nil, false, r.Again(ctx, d)
	}
	state, err := r.SourceState(ctx, d)
	if err != nil {
		return nil, false, err
	}
	switch err := r.turn(ctx, d, state, nil); { // what somebody accepted goes on first
	case problem.Code(err) == turned:
		return nil, true, nil
	case err != nil:
		return nil, false, err
	}
	i, err = r.readSource(ctx, from, dataset, d, state, "")
	if problem.Code(err) == turned {
		return nil, true, nil
	}
	if p := problem.As(err); p != nil && p.Code != problem.FullCode && ctx.Err() == nil {
		i, err = r.failSource(ctx, d, state, p)
		again = source.Passing(p)
	}
	return i, again, err
}

func (r *Registry) readSource(ctx context.Context, from *source.Reader, dataset func(project, name string) *catalog.Dataset, d *catalog.Dataset, state *SourceState, snapshot string) (*Import, error) {
	spec := d.Spec.Source
	began := r.now().UTC()
	whole := spec.Since == "" || state.place == "" || began.Sub(state.whole) >= wholeEvery
	since := state.place
	if whole && spec.Folder == "" { // of a folder the position says which file was the last
		since = ""
	}
	spool, err := os.CreateTemp("", "maru-source-*")
	if err != nil {
		return nil, fmt.Errorf("read the source of %s: %w", d.Path(), err)
	}
	defer os.Remove(spool.Name())
	defer spool.Close()
	hash := sha256.New()
	copied, err := from.Copy(ctx, source.Request{Project: d.Project, Source: spec, Since: since, Snapshot: snapshot, Wanted: wantedOf(d)}, io.MultiWriter(spool, hash))
	if err != nil {
		return nil, err
	}
	size, err := spool.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, fmt.Errorf("read the source of %s: %w", d.Path(), err)
	}
	state.Tried = began
	if copied.Same { // what couldn't be taken is gone again
		if err := r.supersede(ctx, d, state, ""); err != nil {
			return nil, err
		}
		state.Failed, state.Code, state.Reason, state.bad = 0, "", lang.Text{}, ""
		return nil, r.noteSource(ctx, d, state)
	}
	if copied.Nothing { // what there was is as good or bad as it was
		if slices.Contains([]string{"source.file", "source.remote", "source.refused", "source.hostkey", "source.secret"}, state.Code) { // but it can be looked at again
			state.Failed, state.Code, state.Reason = 0, "", lang.Text{}
		}
		return nil, r.noteSource(ctx, d, state)
	}
	print := fmt.Sprintf("%x %t", hash.Sum(nil), whole) // all of a source is another thing than the same rows that came since
	taken := &SourceState{Good: began, Tried: began, spec: state.spec, place: copied.Next, print: print, whole: state.whole, turn: state.turn, Rejected: state.Rejected}
	if whole {
		taken.whole = began
	}
	if size == 0 || copied.Rows == 0 {
		if whole && !spec.Append {
			if err := r.refuseEmpty(ctx, d); err != nil {
				return nil, err
			}
		}
		return nil, r.noteSource(ctx, d, taken)
	}
	if print == state.bad && print != state.print { // as it couldn't be taken the last time
		return nil, r.noteSource(ctx, d, state)
	}
	fingerprint := sourcePrint + print
	if err := r.supersede(ctx, d, state, fingerprint); err != nil {
		return nil, err
	}
	if print == state.print && snapshot == "" { // the same as was taken last, unless changes have come since
		return nil, r.noteSource(ctx, d, taken)
	}
	i, err := r.Begin(ctx, bySource, d, Upload{File: copied.File, Size: size, Fingerprint: fingerprint, Whole: whole && !spec.Append})
	if err != nil {
		return nil, err
	}
	for i.State == Receiving {
		part := io.NewSectionReader(spool, i.Received, min(ChunkBytes, size-i.Received))
		if i, err = r.Receive(ctx, i.ID, i.Received, part); err != nil {
			return nil, err
		}
	}
	if err := r.Run(ctx, i.ID, dataset); err != nil {
		return nil, err
	}
	if i, err = r.Import(ctx, i.ID); err != nil {
		return nil, err
	}
	if taken.Rejected += i.Rejected; whole {
		taken.Rejected = i.Rejected
	}
	if i.State != Done {
		taken = state
		taken.Failed, taken.Code, taken.Reason, taken.bad = state.Failed+1, "import."+string(i.State), i.Reason, print
	}
	return i, r.noteSource(ctx, d, taken)
}

// turned is the code of the problem that somebody else had a say in what a source is while it was read.
const turned = "source.turned"

// turn sees to it that one alone says what a source has: the reading that has just ended, or who accepts an import that is held. state is as it was when the reading began; where an import was accepted since, or one that was is under way, the problem is [turned], and the source is to be read again.
// do is done in the same transaction.
func (r *Registry) turn(ctx context.Context, d *catalog.Dataset, state *SourceState, do func(tx *db.Tx, t *table) error) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		if err := tx.Lock(ctx, fmt.Sprintf("source of %d", t.id)); err != nil {
			return err
		}
		var accepted, moved bool
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM import_run WHERE dataset_id = ? AND via = ? AND let_go = ? AND state IN (?, ?)), EXISTS (SELECT 1 FROM source_state WHERE dataset_id = ? AND turn <> ?)`,
			t.id, bySource.Via, encode(true, tx.Dialect()), Waiting, Running, t.id, state.turn).Scan(&accepted, &moved)
		if err != nil {
			return fmt.Errorf("look whose turn the source of %s is: %w", d.Path(), err)
		}
		if accepted || moved {
			return problem.New(turned, 409, lang.T("그사이에 확인한 가져오기가 있어 원본을 다시 읽습니다", "an import was accepted meanwhile, so the source is read again"))
		}
		if do == nil {
			return nil
		}
		return do(tx, t)
	})
}

// sourcePrint stands before what a source had in the fingerprint of its import.
const sourcePrint = "source "

var bySource = By{Actor: "source", Via: "source"}

// wantedOf chooses those of a source's columns that the dataset has fields for: no others are asked for. Where they don't fit, all are, so that it is said why.
func wantedOf(d *catalog.Dataset) func(columns []string) []string {
	return func(columns []string) (out []string) {
		m, err := matchColumns(d, columns)
		if err != nil {
			return columns
		}
		for i, c := range columns {
			if m.takes(i) {
				out = append(out, c)
			}
		}
		return out
	}
}

// keyColumns are those of a source's columns by which it is told which record a row is: the key's, or without a key all that are taken. None where that can't be said, for one is computed.
func keyColumns(d *catalog.Dataset) func(columns []string) []string {
	return func(columns []string) (out []string) {
		m, err := matchColumns(d, columns)
		if err != nil {
			return nil
		}
		for i := range d.Fields {
			if len(d.Spec.Key) > 0 && !d.Fields[i].KeyPart {
				continue
			}
			switch at := m.at[i]; {
			case at >= 0:
				out = append(out, columns[at])
			case d.Fields[i].KeyPart:
				return nil
			}
		}
		return out
	}
}

// columnTypes are the types of the fields that a source's columns fill.
func columnTypes(d *catalog.Dataset) func(columns []string) map[string]manifest.Type {
	return func(columns []string) map[string]manifest.Type {
		out := map[string]manifest.Type{}
		m, err := matchColumns(d, columns)
		if err != nil {
			return out
		}
		for i, at := range m.at {
			if at >= 0 {
				out[columns[at]] = d.Fields[i].Type
			}
		}
		return out
	}
}

// refuseEmpty refuses to take a source for empty where records came from it.
func (r *Registry) refuseEmpty(ctx context.Context, d *catalog.Dataset) error {
	return r.db.Read(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		n, err := t.sourced(ctx, tx)
		if err != nil || n == 0 {
			return err
		}
		return problem.New("source.empty", 422, lang.F("원본에 행이 하나도 없습니다. 레코드 %d건을 그대로 두었습니다", "the source has no rows at all: the %d records are left as they are", n)).
			Hinting(lang.T("원본을 확인하십시오. 정말로 비었다면 레코드를 직접 삭제하십시오", "look at the source; if it is really empty, delete the records yourself"))
	})
}

// failSource notes that a source can't be read, and keeps it among the dataset's imports where it wasn't said the last time.
func (r *Registry) failSource(ctx context.Context, d *catalog.Dataset, state *SourceState, p *problem.Problem) (i *Import, err error) {
	said := state.Code == p.Code
	state.Failed, state.Code, state.Reason, state.Tried = state.Failed+1, p.Code, wholly(p), r.now().UTC()
	if !said {
		if i, err = r.Begin(ctx, bySource, d, Upload{File: "source", Size: 1, Fingerprint: "source failed"}); err != nil {
			return nil, err
		}
		if err := r.end(ctx, i, Failed, state.Reason); err != nil {
			return nil, err
		}
	}
	return i, r.noteSource(ctx, d, state)
}

// SourceState says how the source of a dataset stands.
func (r *Registry) SourceState(ctx context.Context, d *catalog.Dataset) (*SourceState, error) {
	out := &SourceState{}
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		var whole, good, tried, reason string
		err = tx.QueryRow(ctx, "SELECT spec, place, print, bad, whole, good, tried, failed, code, reason, turn, rejected FROM source_state WHERE dataset_id = ?", t.id).
			Scan(&out.spec, &out.place, &out.print, &out.bad, &whole, &good, &tried, &out.Failed, &out.Code, &reason, &out.turn, &out.Rejected)
		if db.NoRows(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read how the source of %s stands: %w", d.Path(), err)
		}
		for _, moment := range []struct {
			text string
			into *time.Time
		}{{whole, &out.whole}, {good, &out.Good}, {tried, &out.Tried}} {
			if moment.text == "" {
				continue
			}
			if *moment.into, err = time.Parse(manifest.DatetimeLayout, moment.text); err != nil {
				return fmt.Errorf("read how the source of %s stands: %w", d.Path(), err)
			}
		}
		return json.Unmarshal([]byte(reason), &out.Reason)
	})
	if err != nil {
		return nil, err
	}
	if spec := specOf(d); out.spec != spec {
		out.spec, out.place, out.print, out.bad, out.whole = spec, "", "", "", time.Time{}
	}
	return out, nil
}

// specOf tells definitions apart by which a source's rows would be read in another way.
func specOf(d *catalog.Dataset) string {
	text, err := json.Marshal([]any{d.Spec.Source, d.Spec.Fields, d.Spec.Key})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// noteSource keeps how a source stands, unless somebody else has said so since.
func (r *Registry) noteSource(ctx context.Context, d *catalog.Dataset, s *SourceState) error {
	reason, err := json.Marshal(s.Reason)
	if err != nil {
		return err
	}
	written := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return manifest.FormatDatetime(t)
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if problem.Code(err) == "catalog.moved" {
			return nil // another definition: it is read anew
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO source_state (dataset_id, spec, place, print, bad, whole, good, tried, failed, code, reason, rejected) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (dataset_id) DO UPDATE SET spec = excluded.spec, place = excluded.place, print = excluded.print, bad = excluded.bad, whole = excluded.whole, good = excluded.good, tried = excluded.tried,
			failed = excluded.failed, code = excluded.code, reason = excluded.reason, rejected = excluded.rejected WHERE source_state.turn = ?`, t.id, s.spec, s.place, s.print, s.bad, written(s.whole), written(s.Good), written(s.Tried), s.Failed, s.Code, string(reason), s.Rejected, s.turn)
		if err != nil {
			return fmt.Errorf("note how the source of %s stands: %w", d.Path(), err)
		}
		return nil
	})
}

// sourceTaken notes that what a source had was taken after all.
func (r *Registry) sourceTaken(ctx context.Context, i *Import) error {
	return r.db.Write(ctx, func(tx *db.Tx) error {
		print, ok := strings.CutPrefix(i.Fingerprint, sourcePrint)
		if !ok {
			return nil
		}
		_, err := tx.Exec(ctx, `UPDATE source_state SET failed = 0, code = '', reason = '{}', print = ?, bad = '', good = ?, tried = ?, rejected = ?, turn = turn + 1
			WHERE dataset_id = (SELECT dataset_id FROM import_run WHERE id = ?)`, print, manifest.FormatDatetime(r.now()), manifest.FormatDatetime(r.now()), i.Rejected, i.ID)
		if err != nil {
			return fmt.Errorf("note how the source of %s/%s stands: %w", i.Project, i.Dataset, err)
		}
		return nil
	})
}

// Troubled lists the datasets, as project/name, whose sources couldn't be read or taken the last time, or not wholly.
func (r *Registry) Troubled(ctx context.Context) (out []string, err error) {
	err = r.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT t.project, t.dataset FROM source_state s JOIN dataset_table t ON t.id = s.dataset_id WHERE s.failed > 0 OR s.rejected > 0 ORDER BY t.project, t.dataset")
		if err != nil {
			return fmt.Errorf("look for sources in trouble: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var project, dataset string
			if err := rows.Scan(&project, &dataset); err != nil {
				return fmt.Errorf("look for sources in trouble: %w", err)
			}
			out = append(out, project+"/"+dataset)
		}
		return rows.Err()
	})
	return out, err
}

// sameColumns refuses a source that lacks a column which it had when it was last taken by the same definition: its values would be emptied.
func (r *Registry) sameColumns(ctx context.Context, d *catalog.Dataset, match *columns) error {
	var written string
	err := r.db.Read(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		err = tx.QueryRow(ctx, "SELECT fields FROM import_run WHERE dataset_id = ? AND via = ? AND state = ? AND spec = ? AND fields <> '' ORDER BY id DESC LIMIT 1", t.id, bySource.Via, Done, specOf(d)).Scan(&written)
		if db.NoRows(err) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("look which columns the source of %s had: %w", d.Path(), err)
	}
	var before, lost []string
	if written != "" {
		if err := json.Unmarshal([]byte(written), &before); err != nil {
			return fmt.Errorf("look which columns the source of %s had: %w", d.Path(), err)
		}
	}
	now := match.filled()
	for _, name := range before {
		if !slices.Contains(now, name) {
			lost = append(lost, name)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	return problem.New("source.columns", 422, lang.F("원본에 있던 열이 없어졌습니다. 값을 비우지 않도록 아무것도 바꾸지 않았습니다 (항목 %s)", "the source had columns for %s and has none now, so nothing was changed", strings.Join(lost, ", "))).
		Hinting(lang.F("원본의 열: %s. 이름이 바뀌었으면 선언문의 source.map에 쓰고, 정말로 없어졌으면 항목을 빼십시오", "it has: %s. Where a name has changed, write it in the manifest's source.map; where it is really gone, take the field out", strings.Join(match.names[:min(len(match.names), 30)], ", ")))
}

// noteColumns keeps which fields an import fills.
func (r *Registry) noteColumns(ctx context.Context, i *Import, d *catalog.Dataset, match *columns) error {
	fields, err := json.Marshal(match.filled())
	if err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE import_run SET spec = ?, fields = ? WHERE id = ?", specOf(d), string(fields), i.ID); err != nil {
			return fmt.Errorf("note the columns of import %d: %w", i.ID, err)
		}
		return nil
	})
}
