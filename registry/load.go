package registry

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// Sizes of what is loaded at once. A batch is one transaction and one change; a chunk is one statement.
const (
	batchRows       = 10_000
	batchBytes      = 8 << 20 // of text in a batch's rows
	chunkRows       = 500
	chunkParameters = 30_000 // SQLite takes 32,766, PostgreSQL 65,535
)

// Tally counts what became of rows. They add up to the rows that were read.
type Tally struct {
	Loaded    int64 `json:"loaded" doc:"New records"`
	Changed   int64 `json:"changed" doc:"Records that were there with other values"`
	Unchanged int64 `json:"unchanged" doc:"Records that were there already, the same"`
	Rejected  int64 `json:"rejected" doc:"Rows that can't be records"`
}

func (t *Tally) add(o Tally) {
	t.Loaded += o.Loaded
	t.Changed += o.Changed
	t.Unchanged += o.Unchanged
	t.Rejected += o.Rejected
}

// incoming is a row that has been read and checked: the values of all fields.
type incoming struct {
	line  int
	row   []any
	cells []string // as written, for when it is rejected
}

// rejected is a row that can't be a record, and why.
type rejected struct {
	line   int
	cells  []string
	reason lang.Text
}

// load writes rows as one change: new ones are put in, others compared with what is there.
func (t *table) load(ctx context.Context, tx *db.Tx, c *Change, run int64, batch []incoming) (tally Tally, refused []rejected, err error) {
	w := &loading{table: t, tx: tx, change: c, run: run, runs: map[int64]int64{}}
	batch = w.apart(batch)
	into := t.insertion(tx)
	defer func() { err = errors.Join(err, into.close()) }()
	args := make([]any, 0, into.chunk()*len(into.columns))
	for chunk := range slices.Chunk(batch, into.chunk()) {
		args = args[:0]
		for _, in := range chunk {
			if args, err = t.appendArgs(args, tx.Dialect(), c.ID, in.row); err != nil {
				return tally, nil, err
			}
		}
		n, err := into.put(ctx, len(chunk), args)
		if err != nil {
			return tally, nil, fmt.Errorf("load records of %s: %w", t.Path(), err)
		}
		if int(n) == len(chunk) {
			w.Loaded += n
			for _, in := range chunk {
				if err := w.created(ctx, in); err != nil {
					return tally, nil, err
				}
			}
			continue
		}
		if err := w.settle(ctx, chunk); err != nil {
			return tally, nil, err
		}
	}
	return w.Tally, w.refused, nil
}

// insertion puts rows into a table and leaves alone what is there. The statement of the chunk before serves again where the next is as long.
type insertion struct {
	table     *table
	tx        *db.Tx
	columns   []string
	rows      int
	statement *sql.Stmt
}

func (t *table) insertion(tx *db.Tx) *insertion {
	return &insertion{table: t, tx: tx, columns: t.columns()}
}

// chunk is how many rows go into one statement.
func (i *insertion) chunk() int { return min(chunkRows, chunkParameters/len(i.columns)) }

// put puts n rows in and returns how many of them were new.
func (i *insertion) put(ctx context.Context, n int, args []any) (int64, error) {
	if i.rows != n {
		if err := i.close(); err != nil {
			return 0, err
		}
		statement, err := i.tx.Prepare(ctx, i.text(n))
		if err != nil {
			return 0, err
		}
		i.rows, i.statement = n, statement
	}
	done, err := i.statement.ExecContext(ctx, args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}

// text is the statement for n rows. Keys aren't null any more, so that SQLite's OR IGNORE leaves out nothing else; by ON CONFLICT it would keep a
// journal for each statement, which takes a fifth of the time.
func (i *insertion) text(n int) string {
	var b strings.Builder
	insert, conflict := "INSERT OR IGNORE INTO ", ""
	if i.tx.Dialect() == db.Postgres {
		insert, conflict = "INSERT INTO ", " ON CONFLICT DO NOTHING"
	}
	marks := "(" + db.Marks(len(i.columns)) + ")"
	b.WriteString(insert + i.table.name + " (" + db.Quotes(i.columns) + ") VALUES " + marks)
	for range n - 1 {
		b.WriteString(", " + marks)
	}
	b.WriteString(conflict)
	return b.String()
}

func (i *insertion) close() error {
	if i.statement == nil {
		return nil
	}
	return i.statement.Close()
}

// loading is the work on one batch.
type loading struct {
	*table
	tx     *db.Tx
	change *Change
	run    int64
	runs   map[int64]int64 // change → the import it belongs to

	Tally
	refused []rejected
}

func (w *loading) refuse(in incoming, reason lang.Text) {
	w.Rejected++
	w.refused = append(w.refused, rejected{in.line, in.cells, reason})
}

// apart keeps the first row of each key in the batch.
func (w *loading) apart(batch []incoming) []incoming {
	seen := make(map[string]int, len(batch))
	out := batch[:0:0]
	for _, in := range batch {
		key := KeyText(w.keyOf(in.row))
		if first, ok := seen[key]; ok {
			if slices.Equal(out[first].row, in.row) {
				w.Unchanged++
			} else {
				w.refuse(in, sameKey(out[first].line))
			}
			continue
		}
		seen[key] = len(out)
		out = append(out, in)
	}
	return out
}

func sameKey(line int) lang.Text {
	if line == 0 {
		return lang.T("같은 파일의 앞선 행과 식별 항목이 같은데 값이 다릅니다", "an earlier row of this file has the same key and other values")
	}
	return lang.F("%v행과 식별 항목이 같은데 값이 다릅니다", "line %v has the same key and other values", line)
}

// settle decides for each row of a chunk of which not all were put in.
func (w *loading) settle(ctx context.Context, chunk []incoming) error {
	there, err := w.present(ctx, chunk)
	if err != nil {
		return err
	}
	for _, in := range chunk {
		now := there[KeyText(w.keyOf(in.row))]
		switch {
		case now == nil:
			w.refuse(in, lang.F("겹칠 수 없는 값을 가진 레코드가 이미 있습니다 (항목 %s)", "another record has the same %s already", w.uniques()))
			continue
		case now.Version == w.change.ID:
			w.Loaded++
			if err := w.created(ctx, in); err != nil {
				return err
			}
			continue
		case slices.Equal(now.Values, in.row):
			w.Unchanged++
			continue
		}
		own, err := w.ours(ctx, now.Version)
		if err != nil {
			return err
		}
		if own {
			w.refuse(in, sameKey(0))
			continue
		}
		if p := w.otherPerson(now, in.row); p != nil {
			w.refuse(in, p.Detail)
			continue
		}
		if err := w.unique(ctx, w.tx, in.row, now); isDuplicate(err) {
			w.refuse(in, lang.F("겹칠 수 없는 값을 가진 레코드가 이미 있습니다 (항목 %s)", "another record has the same %s already", w.uniques()))
			continue
		} else if err != nil {
			return err
		}
		if err := w.update(ctx, w.tx, w.change, now, in.row); err != nil {
			return err
		}
		w.Changed++
	}
	return nil
}

// created tells those who follow of a new record.
func (w *loading) created(ctx context.Context, in incoming) error {
	if !w.followed {
		return nil
	}
	return w.emit(ctx, w.tx, w.change, KeyText(w.keyOf(in.row)), nil, in.row)
}

func (w *loading) uniques() string {
	sets := make([]string, len(w.Spec.Unique))
	for i, s := range w.Spec.Unique {
		sets[i] = strings.Join(s, "+")
	}
	return strings.Join(sets, ", ")
}

// present reads the records that have the keys of a chunk.
func (w *loading) present(ctx context.Context, chunk []incoming) (map[string]*Record, error) {
	var args []any
	marks := make([]string, len(w.key))
	for i, name := range w.key {
		if marks[i] = "?"; w.tx.Dialect() == db.Postgres { // which takes what it isn't told for text
			typ, _, _ := strings.Cut(sqlType(w.keyType(name), db.Postgres), " COLLATE")
			marks[i] = "CAST(? AS " + typ + ")"
		}
	}
	tuple := "(" + strings.Join(marks, ", ") + ")"
	tuples := make([]string, len(chunk))
	for i, in := range chunk {
		tuples[i] = tuple
		for _, v := range w.keyOf(in.row) {
			args = append(args, encode(v, w.tx.Dialect()))
		}
	}
	fields := w.all()
	rows, err := w.tx.Query(ctx, "SELECT "+w.selection(fields)+" FROM "+w.name+" WHERE ("+db.Quotes(w.key)+") IN (VALUES "+strings.Join(tuples, ", ")+")", args...)
	if err != nil {
		return nil, fmt.Errorf("read records of %s: %w", w.Path(), err)
	}
	defer rows.Close()
	out := make(map[string]*Record, len(chunk))
	for rows.Next() {
		rec, err := w.scan(rows, fields)
		if err != nil {
			return nil, err
		}
		out[rec.Key] = rec
	}
	return out, rows.Err()
}

// ours reports whether a change was made by this import, in an earlier batch.
func (w *loading) ours(ctx context.Context, change int64) (bool, error) {
	if w.run == 0 {
		return false, nil
	}
	run, known := w.runs[change]
	if !known {
		if err := w.tx.QueryRow(ctx, "SELECT run FROM change WHERE id = ?", change).Scan(&run); err != nil {
			return false, fmt.Errorf("read change %d: %w", change, err)
		}
		w.runs[change] = run
	}
	return run == w.run, nil
}

// Load writes rows that the program itself makes, such as the demo city's, and notes among the dataset's imports that it did, under a name.
// columns names the fields of each row's values. The first row that can't be a record is an error; what was written before it stays.
// An empty table is indexed for lists when it is full, which is quicker; where that was cut off, the next Load does it.
func (r *Registry) Load(ctx context.Context, by By, d *catalog.Dataset, name string, columns []string, rows iter.Seq[[]any]) (Tally, error) {
	started := r.now().UTC()
	if err := r.db.Write(ctx, func(tx *db.Tx) error { return r.unindex(ctx, tx, d) }); err != nil {
		return Tally{}, err
	}
	total, failed := r.loadAll(ctx, by, d, columns, rows)
	err := r.db.Write(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		if err := t.listIndexes(ctx, tx); err != nil || failed != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO import_run (dataset_id, project, dataset, file, size, fingerprint, dry_run, actor, via, state, started, ended, rows_read, loaded, changed, unchanged)
			VALUES (?, ?, ?, ?, 0, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, t.id, d.Project, d.Name, name, encode(false, tx.Dialect()), by.Actor, by.Via, Done,
			manifest.FormatDatetime(started), manifest.FormatDatetime(r.now()), total.Loaded+total.Changed+total.Unchanged, total.Loaded, total.Changed, total.Unchanged)
		if err != nil {
			return fmt.Errorf("note what was loaded into %s: %w", d.Path(), err)
		}
		return nil
	})
	return total, errors.Join(failed, err)
}

// unindex drops the indexes that only lists need, where there is nothing to list.
func (r *Registry) unindex(ctx context.Context, tx *db.Tx, d *catalog.Dataset) error {
	t, err := r.table(ctx, tx, d)
	if err != nil {
		return err
	}
	var any bool
	if err := tx.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM "+t.name+")").Scan(&any); err != nil || any {
		return err
	}
	for i := range indexed(t.Spec) {
		if _, err := tx.Exec(ctx, "DROP INDEX IF EXISTS "+t.called(fmt.Sprintf("i%d", i))); err != nil {
			return fmt.Errorf("drop an index of %s: %w", d.Path(), err)
		}
	}
	return nil
}

func (r *Registry) loadAll(ctx context.Context, by By, d *catalog.Dataset, columns []string, rows iter.Seq[[]any]) (Tally, error) {
	at := make([]int, len(columns))
	for i, name := range columns {
		if at[i] = slices.IndexFunc(d.Fields, func(f catalog.Field) bool { return f.Name == name }); at[i] < 0 {
			return Tally{}, fmt.Errorf("load %s: there is no field %s", d.Path(), name)
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	ready, wrong := make(chan []incoming, 1), error(nil)
	go func() { // rows are made while the batch before is written
		defer close(ready)
		var batch []incoming
		for values := range rows {
			row := make([]any, len(d.Fields))
			for i, v := range values {
				row[at[i]] = v
			}
			for i := range d.Fields {
				if fault := check(&d.Fields[i], row[i]); fault != nil {
					wrong = fmt.Errorf("load %s: %s: %s", d.Path(), fault.Where, fault.Message.En)
					return
				}
			}
			if batch = append(batch, incoming{row: row}); len(batch) < batchRows {
				continue
			}
			select {
			case ready <- batch:
				batch = make([]incoming, 0, batchRows)
			case <-ctx.Done():
				return
			}
		}
		if len(batch) > 0 {
			select {
			case ready <- batch:
			case <-ctx.Done():
			}
		}
	}()
	var total Tally
	var failed error
	for batch := range ready {
		if failed != nil {
			continue // let the maker end
		}
		tally, refused, err := r.batch(ctx, by, d, batch)
		if err == nil && len(refused) > 0 {
			err = fmt.Errorf("load %s: %s", d.Path(), refused[0].reason.En)
		}
		if total.add(tally); err != nil {
			failed = err
			stop()
		}
	}
	if failed == nil {
		failed = wrong
	}
	if failed == nil {
		failed = ctx.Err()
	}
	return total, failed
}

// batch writes a batch in a transaction of its own.
func (r *Registry) batch(ctx context.Context, by By, d *catalog.Dataset, batch []incoming) (tally Tally, refused []rejected, err error) {
	err = r.db.Write(ctx, func(tx *db.Tx) error {
		t, err := r.table(ctx, tx, d)
		if err != nil {
			return err
		}
		c, err := r.begin(ctx, tx, t, by)
		if err != nil {
			return err
		}
		tally, refused, err = t.load(ctx, tx, c, by.Run, batch)
		return err
	})
	return tally, refused, err
}
