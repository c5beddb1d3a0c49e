package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/tabular"
)

// Run loads the file of an import, from where it was cut off. dataset gives the dataset as it is now: when it changes meanwhile, the import
// goes on with the new definition. A file that can't be read, or doesn't fit, ends the import as failed; that is no error of Run.
//
// Where there is no room on the disk Run returns that problem, and the import says so until it is run again.
func (r *Registry) Run(ctx context.Context, id int64, dataset func(project, name string) *catalog.Dataset) error {
	r.delays.Delete(id)
	i, err := r.Import(ctx, id)
	if err != nil {
		return err
	}
	if i.State == Waiting || i.State == Running {
		n, err := r.starting(ctx, id)
		if err != nil {
			return err
		}
		if n > maxStarts {
			return r.end(ctx, i, Failed, lang.F("이 파일을 가져오다가 서버가 %d번 멈추어 그만두었습니다", "the server stopped %d times while it imported this file, so it was given up", maxStarts))
		}
		defer r.got(ctx, id) // not where the program ends
	}
	for {
		if i.State != Waiting && i.State != Running {
			return nil
		}
		d := dataset(i.Project, i.Dataset)
		if d == nil {
			return r.end(ctx, i, Failed, lang.F("데이터셋이 없어졌습니다: %s/%s", "the dataset %s/%s is gone", i.Project, i.Dataset))
		}
		err := r.run(ctx, i, d)
		if problem.Code(err) == "catalog.moved" && dataset(i.Project, i.Dataset) != d {
			if i, err = r.Import(ctx, id); err != nil {
				return err
			}
			continue
		}
		p := problem.As(err)
		if p != nil && p.Code == problem.FullCode { // no fault of the file's: tried again
			r.delays.Store(id, wholly(p))
			return err
		}
		if p != nil && ctx.Err() == nil {
			return r.end(ctx, i, Failed, wholly(p))
		}
		return err
	}
}

// maxStarts is how often an import is started without getting on before the file is taken for one that brings the program down.
const maxStarts = 3

// starting notes that an import is about to be started, and says how often it was since it last got on.
func (r *Registry) starting(ctx context.Context, id int64) (n int, err error) {
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		return tx.QueryRow(ctx, "UPDATE import_run SET starts = starts + 1 WHERE id = ? RETURNING starts", id).Scan(&n)
	})
	return n, err
}

// got notes that a start of an import didn't bring the program down.
func (r *Registry) got(ctx context.Context, id int64) {
	err := r.db.Write(context.WithoutCancel(ctx), func(tx *db.Tx) error {
		_, err := tx.Exec(context.WithoutCancel(ctx), "UPDATE import_run SET starts = 0 WHERE id = ?", id)
		return err
	})
	if err != nil { // it counts for one that did
		slog.Warn("import: its start can't be noted", "import", id, "error", err)
	}
}

// wholly is a problem with its faults and its hint in both languages.
func wholly(p *problem.Problem) lang.Text {
	out := lang.Text{Ko: p.In(lang.Ko), En: p.In(lang.En)}
	if !p.Hint.Empty() {
		out.Ko += "\n" + p.Hint.In(lang.Ko)
		out.En += "\n" + p.Hint.In(lang.En)
	}
	return out
}

// run loads what is left of a file.
func (r *Registry) run(ctx context.Context, i *Import, d *catalog.Dataset) error {
	file, err := tabular.Open(&upload{ctx: ctx, files: r.files, id: i.ID, size: i.Size}, i.Size, i.File, readAs(d.Spec.Source))
	if err != nil {
		return err
	}
	defer file.Close()
	match, err := matchColumns(d, file.Columns)
	if err != nil {
		return err
	}
	i.State, i.Notes, i.Reason = Running, nil, lang.Text{}
	for _, n := range file.Notes {
		i.Notes = append(i.Notes, n.Text)
	}
	i.Notes = append(i.Notes, match.notes...)
	if err := r.start(ctx, i, file.Columns); err != nil {
		return err
	}
	if i.By.Via == bySource.Via {
		if err := r.sameColumns(ctx, d, match); err != nil {
			return err
		}
		if err := r.noteColumns(ctx, i, d, match); err != nil {
			return err
		}
	}
	if d.Open() { // also when it goes on: it may have been opened meanwhile
		if err := r.refuseOpening(ctx, i, d, file, match); err != nil {
			return err
		}
	}
	if i.DryRun {
		return r.dryRun(ctx, i, d, file, match)
	}
	gone := &vanished{r, d, file, match}
	if i.Whole && !i.LetGo && i.Rows == 0 {
		if err := gone.guard(ctx); problem.Code(err) == "source.gone" {
			return r.end(ctx, i, Held, wholly(problem.As(err)))
		} else if err != nil {
			return err
		}
	}
	err = r.batches(ctx, i, file, match, func(b *read) error {
		next := *i
		err := r.db.Write(ctx, func(tx *db.Tx) error {
			next = *i
			return r.take(ctx, tx, &next, d, b)
		})
		if err == nil {
			*i = next
		}
		return err
	})
	if err == nil && i.Whole {
		err = gone.delete(ctx, i)
	}
	if err != nil {
		return err
	}
	if err := r.smallNow(ctx, i, d); err != nil {
		return err
	}
	if i.LetGo {
		if err := r.sourceTaken(ctx, i); err != nil {
			return err
		}
	}
	return r.end(ctx, i, Done, lang.Text{})
}

// readAs is how a dataset's source says its files are to be read.
func readAs(s *manifest.Source) tabular.Options {
	if s == nil {
		return tabular.Options{}
	}
	if s.Database != "" {
		header := 1 // a copy of a table has the columns' names first
		return tabular.Options{Header: &header}
	}
	if s.Paged() {
		return tabular.Options{} // its rows were taken out of the pages
	}
	return tabular.Options{Sheet: s.Sheet, Header: s.Header, Skip: s.Skip, Encoding: s.Encoding, Items: s.Items}
}

// start notes that an import runs, with the columns of its file for those of its rows that are rejected.
func (r *Registry) start(ctx context.Context, i *Import, columns []string) error {
	notes, err := json.Marshal(i.Notes)
	if err != nil {
		return err
	}
	header, err := json.Marshal(columns)
	if err != nil {
		return err
	}
	return r.db.Write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE import_run SET state = ?, notes = ? WHERE id = ?", Running, string(notes), i.ID); err != nil {
			return fmt.Errorf("start import %d: %w", i.ID, err)
		}
		_, err := tx.Exec(ctx, "INSERT INTO import_rejected (run, n, line, cells, reason) VALUES (?, 0, 0, ?, '{}') ON CONFLICT DO NOTHING", i.ID, string(header))
		if err != nil {
			return fmt.Errorf("start import %d: %w", i.ID, err)
		}
		return nil
	})
}

// read is a batch of rows that has been read: what can be loaded, and what can't.
type read struct {
	rows    []incoming
	refused []rejected
	count   int64 // rows of the file in it
	bytes   int64 // of the file behind it
	size    int   // of its text
}

// batches reads a file in batches, while take writes the one before. Rows that are behind the import already are left out.
func (r *Registry) batches(ctx context.Context, i *Import, file *tabular.Table, match *columns, take func(*read) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ready := make(chan *read) // one is read while one is written
	failed := make(chan error, 1)
	behind := i.Rows
	go func() {
		defer close(ready)
		b := &read{}
		send := func() bool {
			b.bytes = file.Read()
			select {
			case ready <- b:
				b = &read{}
				return true
			case <-ctx.Done():
				return false
			}
		}
		for row, err := range match.rows(file) {
			if err != nil {
				failed <- err
				return
			}
			if behind > 0 {
				behind--
				continue
			}
			b.add(row, match)
			if (b.count >= batchRows || b.size >= batchBytes) && !send() {
				return
			}
		}
		if b.count > 0 {
			send()
		}
	}()
	for b := range ready {
		if err := take(b); err != nil {
			stop()
			for range ready { // let the reader end: it holds the file
			}
			return err
		}
	}
	select {
	case err := <-failed:
		return err
	default:
	}
	return ctx.Err()
}

// add reads a row into the batch.
func (b *read) add(in tabular.Row, match *columns) {
	b.count++
	for _, c := range in.Cells {
		b.size += len(c) + 16
	}
	if !in.Fault.Empty() {
		b.refused = append(b.refused, rejected{in.Line, copyCells(in.Cells), in.Fault})
		return
	}
	row, faults := match.read(in.Cells)
	if len(faults) > 0 {
		b.refused = append(b.refused, rejected{in.Line, copyCells(in.Cells), reason(faults)})
		return
	}
	b.rows = append(b.rows, incoming{in.Line, row, copyCells(in.Cells)})
}

// copyCells keeps cells beyond the next row.
func copyCells(cells []string) []string { return slices.Clone(cells) }

// take writes a batch and how far the import then is, in one transaction.
func (r *Registry) take(ctx context.Context, tx *db.Tx, i *Import, d *catalog.Dataset, b *read) error {
	t, err := r.table(ctx, tx, d)
	if err != nil {
		return err
	}
	refused := b.refused
	tally := Tally{Rejected: int64(len(b.refused))}
	if len(b.rows) > 0 {
		c, err := r.begin(ctx, tx, t, i.By)
		if err != nil {
			return err
		}
		got, more, err := t.load(ctx, tx, c, i.ID, b.rows)
		if err != nil {
			return err
		}
		tally.add(got)
		refused = append(refused, more...)
	}
	slices.SortStableFunc(refused, func(x, y rejected) int { return x.line - y.line })
	if err := t.keepRejected(ctx, tx, i, refused); err != nil {
		return err
	}
	i.Tally.add(tally)
	i.Rows, i.Read = i.Rows+b.count, b.bytes
	_, err = tx.Exec(ctx, "UPDATE import_run SET rows_read = ?, bytes_read = ?, loaded = ?, changed = ?, unchanged = ?, rejected = ?, starts = 0 WHERE id = ?",
		i.Rows, i.Read, i.Loaded, i.Changed, i.Unchanged, i.Rejected, i.ID)
	if err != nil {
		return fmt.Errorf("note the progress of import %d: %w", i.ID, err)
	}
	return nil
}

// errDry ends the transaction of a dry run.
var errDry = errors.New("registry: a dry run")

// dryRun does all of an import in one transaction and undoes it; only the counts and the rejected rows stay.
func (r *Registry) dryRun(ctx context.Context, i *Import, d *catalog.Dataset, file *tabular.Table, match *columns) error {
	next := *i
	var refused []rejected
	err := r.db.Write(ctx, func(tx *db.Tx) error {
		next, refused = *i, nil
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		b := &read{}
		take := func() error {
			if err := r.take(ctx, tx, &next, d, b); err != nil {
				return err
			}
			b = &read{}
			return ctx.Err()
		}
		for row, err := range match.rows(file) {
			if err != nil {
				return err
			}
			if b.add(row, match); b.count >= batchRows || b.size >= batchBytes {
				if err := take(); err != nil {
					return err
				}
			}
		}
		if err := take(); err != nil {
			return err
		}
		refused, err = rejectedRows(ctx, tx, t, i.ID)
		if err != nil {
			return err
		}
		return errDry
	})
	if !errors.Is(err, errDry) {
		return err
	}
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		if err := t.keepRejected(ctx, tx, i, refused); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "UPDATE import_run SET rows_read = ?, bytes_read = ?, loaded = ?, changed = ?, unchanged = ?, rejected = ? WHERE id = ?",
			next.Rows, i.Size, next.Loaded, next.Changed, next.Unchanged, next.Rejected, i.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("note a dry run: %w", err)
	}
	*i = next
	return r.end(ctx, i, Done, lang.Text{})
}
