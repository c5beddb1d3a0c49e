package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/db"
)

// alter changes a table whose rows stay as they are.
func (s *shape) alter(ctx context.Context, tx *db.Tx, t, next *table) error {
	run := func(statement string) error {
		if _, err := tx.Exec(ctx, statement); err != nil {
			return fmt.Errorf("alter the table of %s: %w", t.Path(), err)
		}
		return nil
	}
	anew := !s.sameSets()
	if anew {
		for _, name := range t.indexNames() {
			if err := run("DROP INDEX IF EXISTS " + name); err != nil {
				return err
			}
		}
	}
	for i, at := range s.from {
		if at < 0 || s.before.Fields[at].Name == s.after.Fields[i].Name {
			continue
		}
		if err := run("ALTER TABLE " + t.name + " RENAME COLUMN " + db.Quote(s.before.Fields[at].Name) + " TO " + db.Quote(s.after.Fields[i].Name)); err != nil {
			return err
		}
	}
	for i := range s.after.Fields {
		if s.from[i] < 0 {
			if err := run("ALTER TABLE " + t.name + " ADD COLUMN " + next.column(&s.after.Fields[i], tx.Dialect())); err != nil {
				return err
			}
		}
	}
	if anew {
		return next.indexes(ctx, tx)
	}
	return nil
}

// indexNames are the names of the table's indexes, see [table.indexes].
func (t *table) indexNames() (out []string) {
	for i := range t.Spec.Unique {
		out = append(out, t.called(fmt.Sprintf("u%d", i)))
	}
	for i := range indexed(t.Spec) {
		out = append(out, t.called(fmt.Sprintf("i%d", i)))
	}
	return out
}

// rebuild writes all rows into a new table and drops the former.
func (s *shape) rebuild(ctx context.Context, tx *db.Tx, t, next *table) error {
	if _, err := tx.Exec(ctx, next.definition(tx.Dialect())); err != nil {
		return fmt.Errorf("rebuild the table of %s: %w", t.Path(), err)
	}
	rekey, err := s.rekeying(ctx, tx, t, next)
	if err != nil {
		return err
	}
	into := next.insertion(tx)
	err = t.inBatches(ctx, tx, func(batch []*Record) error {
		for chunk := range slices.Chunk(batch, into.chunk()) {
			var args []any
			for _, rec := range chunk {
				row := make([]any, len(s.after.Fields))
				for i, at := range s.from {
					if at < 0 {
						continue
					}
					v, bad := s.convert(i, rec.Values[at])
					if bad != nil {
						return fmt.Errorf("rebuild the table of %s: the record %q: %s", t.Path(), rec.Key, bad.Message.En)
					}
					row[i] = v
				}
				if err := rekey(rec.Key, KeyText(next.keyOf(row))); err != nil {
					return err
				}
				if args, err = next.appendArgs(args, tx.Dialect(), rec.Version, row); err != nil {
					return err
				}
			}
			n, err := into.put(ctx, len(chunk), args)
			if err != nil {
				return fmt.Errorf("rebuild the table of %s: %w", t.Path(), err)
			}
			if int(n) != len(chunk) && len(s.after.Spec.Key) > 0 {
				return fmt.Errorf("rebuild the table of %s: records share their key", t.Path())
			}
		}
		return nil
	})
	if err := errors.Join(err, into.close()); err != nil {
		return err
	}
	if err := s.resealHistory(ctx, tx, t, next); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "DROP TABLE "+t.name); err != nil {
		return fmt.Errorf("rebuild the table of %s: %w", t.Path(), err)
	}
	return next.indexes(ctx, tx)
}

// rekeying returns what brings a record's history to the key it now has. Where the key stays what it is that does nothing.
func (s *shape) rekeying(ctx context.Context, tx *db.Tx, t, next *table) (func(former, key string) error, error) {
	nothing := func(_, _ string) error { return nil }
	if !s.rekeys() {
		return nothing, nil
	}
	next.keyed = next.built
	var any bool
	if err := tx.QueryRow(ctx, "SELECT count(*) > 0 FROM former WHERE dataset_id = ?", t.id).Scan(&any); err != nil || !any {
		return nothing, err
	}
	return func(former, key string) error {
		_, err := tx.Exec(ctx, "UPDATE former SET keyed = ?, record = ? WHERE dataset_id = ? AND keyed = ? AND record = ?", next.keyed, key, t.id, t.keyed, former)
		if err != nil {
			return fmt.Errorf("bring the history of %s to its new key: %w", t.Path(), err)
		}
		return nil
	}, nil
}

// rekeys reports whether a record's key may be another text than before.
func (s *shape) rekeys() bool {
	if len(s.after.Spec.Key) == 0 || !slices.Equal(s.renamed(s.before.Spec.Key), s.after.Spec.Key) {
		return true
	}
	for i, at := range s.from {
		if f := &s.after.Fields[i]; f.KeyPart && s.before.Fields[at].Type != f.Type {
			return true
		}
	}
	return false
}

// inBatches reads all records in the order of the key, so that the connection is free between batches.
func (t *table) inBatches(ctx context.Context, tx *db.Tx, do func([]*Record) error) error {
	var tail []any
	for {
		l := &listing{table: t, dialect: tx.Dialect(), order: t.keyOrder(), fields: t.all(), limit: batchRows}
		l.wanted = len(l.fields)
		if tail != nil {
			condition, args := l.beyond(tail)
			l.where, l.args = []string{condition}, args
		}
		var batch []*Record
		err := l.each(ctx, tx, func(rec *Record, last []any) error {
			batch, tail = append(batch, rec), last
			return nil
		})
		if err != nil {
			return err
		}
		if len(batch) > 0 {
			if err := do(batch); err != nil {
				return err
			}
		}
		if len(batch) < batchRows {
			return nil
		}
	}
}

// keepColumn writes a column that goes to a file, each value with its record's key.
func (r *Registry) keepColumn(ctx context.Context, tx *db.Tx, t *table, f *catalog.Field, revision int64) error {
	n, err := t.filled(ctx, tx, f.Name)
	if n == 0 || err != nil {
		return err
	}
	fields := []*catalog.Field{f}
	for _, name := range t.key {
		if k := t.Field(name); k != nil && k != f {
			fields = append([]*catalog.Field{k}, fields...)
		}
	}
	return r.keep(ctx, tx, t, fields, keepKey(t, revision, f.Name))
}

// keepRecords writes all records to a file.
func (r *Registry) keepRecords(ctx context.Context, tx *db.Tx, t *table, revision int64) error {
	return r.keep(ctx, tx, t, t.all(), keepKey(t, revision, "records"))
}

// keepKey is where a file of what a revision drops lies.
func keepKey(t *table, revision int64, what string) string {
	return fmt.Sprintf("dropped/%s/%s/%08d-%s.jsonl", t.Project, t.Name, revision, what)
}

// keep writes fields of all records to a file, as JSON Lines; what is sealed stays so.
func (r *Registry) keep(ctx context.Context, tx *db.Tx, t *table, fields []*catalog.Field, key string) error {
	l := &listing{table: t, dialect: tx.Dialect(), order: t.keyOrder(), fields: fields, wanted: len(fields), atRest: true}
	return r.pour(ctx, key, func(w io.Writer) error {
		out := newLines(w, fields)
		if err := l.each(ctx, tx, func(rec *Record, _ []any) error { return out.Write(rec) }); err != nil {
			return err
		}
		return out.Close()
	})
}

// keepHistory writes the former states of a dataset's records to a file.
func (r *Registry) keepHistory(ctx context.Context, tx *db.Tx, t *table, revision int64) error {
	var n int64
	if err := tx.QueryRow(ctx, "SELECT count(*) FROM former WHERE dataset_id = ?", t.id).Scan(&n); err != nil || n == 0 {
		return err
	}
	return r.pour(ctx, keepKey(t, revision, "history"), func(w io.Writer) error {
		rows, err := tx.Query(ctx, "SELECT f.record, f.change, f.ended, c.at, c.actor, f.body FROM former f JOIN change c ON c.id = f.change WHERE f.dataset_id = ? ORDER BY f.record, f.change", t.id)
		if err != nil {
			return fmt.Errorf("read the history of %s: %w", t.Path(), err)
		}
		defer rows.Close()
		for rows.Next() {
			var record, at, actor, body string
			var change, ended int64
			if err := rows.Scan(&record, &change, &ended, &at, &actor, &body); err != nil {
				return fmt.Errorf("read the history of %s: %w", t.Path(), err)
			}
			if _, err := fmt.Fprintf(w, `{"_key":%q,"_version":%d,"_ended":%d,"_at":%q,"_actor":%q,"values":%s}`+"\n", record, change, ended, at, actor, body); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// pour writes what do writes to a file of the store.
func (r *Registry) pour(ctx context.Context, key string, do func(io.Writer) error) error {
	out, in := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := r.files.Put(ctx, key, out)
		out.CloseWithError(err) // where it failed, the writer learns of it
		done <- err
	}()
	err := do(in)
	in.CloseWithError(err)
	if kept := <-done; err == nil && kept != nil {
		err = fmt.Errorf("keep what is dropped in %s: %w", key, kept)
	}
	return err
}
