package registry

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/maru-city/maru/engine/db"
	"github.com/maru-city/maru/engine/lang"
)

// maxRejected is how many rejected rows an import keeps; beyond, they are only counted.
const maxRejected = 1_000_000

// keepRejected keeps rows as they were written; sealed where the dataset has fields that are.
func (t *table) keepRejected(ctx context.Context, tx *db.Tx, i *Import, refused []rejected) error {
	if len(refused) == 0 {
		return nil
	}
	insert, err := tx.Prepare(ctx, "INSERT INTO import_rejected (run, n, line, cells, reason) VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return fmt.Errorf("keep rejected rows: %w", err)
	}
	defer insert.Close()
	for n, row := range refused {
		if i.Rejected+int64(n) >= maxRejected {
			return nil
		}
		cells, err := json.Marshal(row.cells)
		if err != nil {
			return err
		}
		if t.seals() {
			text, err := t.sealer.Seal(rejectedOf(i.ID), string(cells))
			if err != nil {
				return fmt.Errorf("keep rejected rows: %w", err)
			}
			cells = []byte(text)
		}
		why, err := json.Marshal(row.reason)
		if err != nil {
			return err
		}
		if _, err := insert.ExecContext(ctx, i.ID, i.Rejected+int64(n)+1, row.line, string(cells), string(why)); err != nil {
			return fmt.Errorf("keep rejected rows: %w", err)
		}
	}
	return nil
}

// dryRejected is how many rejected rows a dry run shows.
const dryRejected = 10_000

func rejectedRows(ctx context.Context, tx *db.Tx, t *table, run int64) (out []rejected, err error) {
	rows, err := tx.Query(ctx, "SELECT line, cells, reason FROM import_rejected WHERE run = ? AND n > 0 ORDER BY n LIMIT ?", run, dryRejected)
	if err != nil {
		return nil, fmt.Errorf("read rejected rows of %s: %w", t.Path(), err)
	}
	defer rows.Close()
	for rows.Next() {
		row, err := scanRejected(rows.Scan, t.sealer, run)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, rows.Err()
}

// rejectedOf binds the sealed rows of an import to it.
func rejectedOf(run int64) string { return fmt.Sprintf("rejected %d", run) }

func scanRejected(scan func(...any) error, keys Sealer, run int64) (row rejected, err error) {
	var cells, why string
	if err := scan(&row.line, &cells, &why); err != nil {
		return row, fmt.Errorf("read a rejected row: %w", err)
	}
	if !strings.HasPrefix(cells, "[") && cells != "null" {
		if cells, err = keys.Unseal(rejectedOf(run), cells); err != nil {
			return row, fmt.Errorf("read a rejected row: %w", err)
		}
	}
	if err := json.Unmarshal([]byte(cells), &row.cells); err != nil {
		return row, fmt.Errorf("read a rejected row: %w", err)
	}
	return row, json.Unmarshal([]byte(why), &row.reason)
}

// Rejected writes the rows that an import rejected as CSV: the line of the file, the reason in the reader's language, and the
// columns as they were. It begins with a byte order mark, by which Excel knows UTF-8. Mended, the file can be imported as it is.
func (r *Registry) Rejected(ctx context.Context, id int64, w io.Writer) error {
	tag := lang.From(ctx)
	return r.db.Read(ctx, func(tx *db.Tx) error {
		rows, err := tx.Query(ctx, "SELECT line, cells, reason FROM import_rejected WHERE run = ? ORDER BY n", id)
		if err != nil {
			return fmt.Errorf("read rejected rows: %w", err)
		}
		defer rows.Close()
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
		out := csv.NewWriter(w)
		for rows.Next() {
			row, err := scanRejected(rows.Scan, r.keys, id)
			if err != nil {
				return err
			}
			head := []string{strconv.Itoa(row.line), row.reason.In(tag)}
			if row.line == 0 {
				head = []string{"_line", "_reason"}
			}
			if err := out.Write(append(head, row.cells...)); err != nil {
				return err
			}
		}
		out.Flush()
		return errors.Join(rows.Err(), out.Error())
	})
}
