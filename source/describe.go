package source

import (
	"context"
	"database/sql"
	"strings"

	"github.com/maru-city/maru/manifest"
)

// Description is what a database says of a table.
type Description struct {
	Title  string            // its comment
	Titles map[string]string // the comments of columns
	Key    []string          // columns of the primary key

	Longest map[string]int  // how many characters columns of text may have, where the table says so
	Whole   map[string]bool // columns of whole numbers
}

// Describe asks a source's database what its table is. Codes are those of [Reader.Copy].
func (r *Reader) Describe(ctx context.Context, project string, from *manifest.Source) (*Description, error) {
	secret := ""
	if from.Secret != "" {
		var err error
		if secret, err = r.Secret(project, from.Secret); err != nil {
			return nil, err
		}
	}
	l, err := r.legacy(ctx, project, from, secret)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	out := &Description{Titles: map[string]string{}, Longest: map[string]int{}, Whole: map[string]bool{}}
	table, schema := l.name[len(l.name)-1], sql.NullString{}
	if len(l.name) > 1 {
		schema = sql.NullString{String: l.name[0], Valid: true}
	}
	columns, titled, args := "SELECT name, '', pk > 0, 0, upper(type) IN ('INT', 'INTEGER', 'BIGINT', 'SMALLINT', 'TINYINT', 'MEDIUMINT') FROM pragma_table_info(?) ORDER BY pk, cid", "", []any{table}
	switch l.scheme {
	case "postgres":
		args = []any{l.quote(l.name...)}
		columns = `SELECT a.attname, coalesce(col_description(a.attrelid, a.attnum), ''), i.indrelid IS NOT NULL,
			CASE WHEN a.atttypid IN ('varchar'::regtype, 'bpchar'::regtype) AND a.atttypmod > 4 THEN a.atttypmod - 4 ELSE 0 END, a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
			FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary AND a.attnum = ANY (i.indkey)
			WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY array_position(i.indkey::int[], a.attnum::int), a.attnum`
		titled = "SELECT coalesce(obj_description($1::regclass), '')"
	case "mysql":
		args = []any{schema, table}
		columns = `SELECT c.column_name, c.column_comment, k.column_name IS NOT NULL,
			CASE WHEN c.data_type IN ('char', 'varchar') THEN coalesce(c.character_maximum_length, 0) ELSE 0 END,
			c.data_type IN ('tinyint', 'smallint', 'mediumint', 'int') OR c.data_type = 'bigint' AND c.column_type NOT LIKE '%unsigned%'
			FROM information_schema.columns c LEFT JOIN information_schema.key_column_usage k
			ON k.table_schema = c.table_schema AND k.table_name = c.table_name AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY'
			WHERE c.table_schema = coalesce(?, database()) AND c.table_name = ? ORDER BY k.ordinal_position, c.ordinal_position`
		titled = "SELECT table_comment FROM information_schema.tables WHERE table_schema = coalesce(?, database()) AND table_name = ?"
	}
	rows, err := l.QueryContext(ctx, columns, args...)
	if err != nil {
		return nil, l.wrong(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, comment string
		var key, whole bool
		var longest int
		if err := rows.Scan(&name, &comment, &key, &longest, &whole); err != nil {
			return nil, l.wrong(ctx, err)
		}
		if longest > 0 {
			out.Longest[name] = longest
		}
		out.Whole[name] = whole
		if comment = strings.TrimSpace(comment); comment != "" {
			out.Titles[name] = comment
		}
		if key {
			out.Key = append(out.Key, name)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, l.wrong(ctx, err)
	}
	if titled != "" {
		err = l.QueryRowContext(ctx, titled, args...).Scan(&out.Title)
	}
	if err != nil {
		return nil, l.wrong(ctx, err)
	}
	return out, nil
}
