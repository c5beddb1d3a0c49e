package source

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Table is a table whose changes are published, as it stands in its server.
type Table struct {
	Relation uint32   // its number there
	Key      []string // the columns by which its rows are told apart: those of a unique index
	Print    string   // of how it is made and published: where it is another, changes may have been made that don't come

	index   uint32 // whose columns the key is: while it isn't there two rows may be one record
	columns []column
}

// Published looks whether the publication has all changes of the table. It reads what the server says of the table, and none of its rows.
//
// Codes: source.replication, those of [Request.Fits], and those of [Reader.Copy].
func (r *Reader) Published(ctx context.Context, q Request) (*Table, error) {
	from := q.Source
	l, err := r.opened(ctx, q)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	var level string
	if err := l.QueryRowContext(ctx, "SHOW wal_level").Scan(&level); err != nil {
		return nil, l.wrong(ctx, err)
	}
	if level != "logical" {
		return nil, l.unslotted(ctx, &pgconn.PgError{Code: "55000", Message: "wal_level = " + level})
	}
	t := &Table{}
	var all, parted, filtered, whole bool
	err = l.QueryRowContext(ctx, `SELECT p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate, c.relkind = 'p' AND NOT p.pubviaroot OR c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid),
			EXISTS (SELECT 1 FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.oid AND coalesce(to_jsonb(r) ->> 'prqual', to_jsonb(r) ->> 'prattrs') IS NOT NULL), c.oid, c.relreplident = 'f'
		FROM pg_publication p, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE p.pubname = $1 AND c.oid = $2::regclass AND EXISTS (SELECT 1 FROM pg_publication_tables t WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname)`,
		from.Publication, l.quote(l.name...)).Scan(&all, &parted, &filtered, &t.Relation, &whole)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, problem.New("source.replication", 422, lang.F("원본의 발행(publication)에 테이블이 들어 있지 않습니다: 발행 %[1]s, 테이블 %[2]s", "the publication %[1]s doesn't have the table %[2]s", from.Publication, from.Table)).
			Hinting(lang.F("원본의 관리자에게 요청하십시오: CREATE PUBLICATION %[1]s FOR TABLE %[2]s", "ask whoever keeps the database for: CREATE PUBLICATION %[1]s FOR TABLE %[2]s", from.Publication, from.Table))
	case err != nil:
		return nil, l.wrong(ctx, err)
	case !whole && (from.Where != "" || len(from.Set) > 0):
		return nil, problem.New("source.replication", 422, lang.T("식(set, where)이 있으면 원본이 바뀌기 전의 행을 모두 보내야 합니다", "with expressions (set, where) the server has to send the former row whole")).
			Hinting(lang.F("원본의 관리자에게 요청하십시오: ALTER TABLE %s REPLICA IDENTITY FULL", "ask whoever keeps the database for: ALTER TABLE %s REPLICA IDENTITY FULL", from.Table))
	case !all, parted, filtered:
		return nil, problem.New("source.replication", 422, lang.F("원본의 발행(publication)에 테이블의 변경이 모두 들어 있지는 않습니다: %s", "the publication %s doesn't have all changes of the table", from.Publication)).
			Hinting(lang.T("원본의 관리자에게 요청하십시오: 조건(WHERE), 열 목록, publish 제한 없이 발행하고, 파티션 테이블은 publish_via_partition_root = true로 발행. 상속(INHERITS)한 하위 테이블이 있으면 publication 대신 since를 쓰십시오", "publish it without a condition, a list of columns or a limit of publish; a partitioned table with publish_via_partition_root = true. A table that others inherit from is read with since instead"))
	}
	if t.columns, err = l.described(ctx); err != nil {
		return nil, err
	}
	names := t.names()
	if q.Fits != nil {
		if err := q.Fits(names); err != nil {
			return nil, err
		}
	}
	if err := t.noGenerated(q, names); err != nil {
		return nil, err
	}
	if err := l.oneRowARecord(ctx, q, t, names); err != nil {
		return nil, err
	}
	if t.Print, err = l.print(ctx, from.Publication, t); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Table) names() []string {
	out := make([]string, len(t.columns))
	for i, c := range t.columns {
		out[i] = c.Name
	}
	return out
}

// opened connects to a source's database.
func (r *Reader) opened(ctx context.Context, q Request) (*legacy, error) {
	secret := ""
	if q.Source.Secret != "" {
		var err error
		if secret, err = r.Secret(q.Project, q.Source.Secret); err != nil {
			return nil, err
		}
	}
	return r.legacy(ctx, q.Project, q.Source, secret)
}

// noGenerated refuses to take columns that the server computes: their changes aren't sent.
func (t *Table) noGenerated(q Request, names []string) error {
	wanted := names
	if q.Wanted != nil {
		wanted = q.Wanted(names)
	}
	var generated []string
	for _, c := range t.columns {
		if c.Computed && slices.Contains(wanted, c.Name) {
			generated = append(generated, c.Name)
		}
	}
	if len(generated) == 0 {
		return nil
	}
	return problem.New("source.replication", 422, lang.F("원본이 계산하는 열(GENERATED)은 변경분으로 받을 수 없습니다: %s", "the server computes these columns and doesn't send their changes: %s", strings.Join(generated, ", "))).
		Hinting(lang.T("그 항목을 빼거나, publication 대신 since를 쓰십시오", "leave their fields out, or write since: instead of publication:"))
}

// oneRowARecord finds a unique index by which each row is a record of its own. A table two of whose rows may be of one record is refused: where one of them goes the record would.
func (l *legacy) oneRowARecord(ctx context.Context, q Request, t *Table, names []string) error {
	if q.Key == nil {
		return nil
	}
	key := q.Key(names)
	if len(key) == 0 {
		return problem.New("source.replication", 422, lang.T("식별 항목을 식으로 계산하면 변경분이 어느 레코드의 것인지 알 수 없습니다", "with a key that is computed nobody can say of which record a change is")).
			Hinting(lang.T("식별 항목에 원본의 열을 그대로 쓰거나, publication을 빼고 정해진 때마다 읽으십시오", "have the key be columns of the table as they are, or leave publication out and read on a schedule"))
	}
	types := map[string]manifest.Type{}
	if q.Types != nil {
		types = q.Types(names)
	}
	indexes, err := l.uniques(ctx)
	if err != nil {
		return err
	}
	var merged error // why rows that an index tells apart may be one record
	for _, index := range indexes {
		if slices.ContainsFunc(index.columns, func(name string) bool { return !slices.Contains(key, name) }) {
			continue
		}
		var why error
		for _, c := range t.columns {
			if why == nil && slices.Contains(index.columns, c.Name) {
				why = c.merges(types[c.Name])
			}
		}
		if why == nil {
			t.Key, t.index = index.columns, index.number
			return nil
		}
		if merged == nil {
			merged = why
		}
	}
	if merged != nil {
		return merged
	}
	return problem.New("source.replication", 422, lang.F("원본의 여러 행이 한 레코드가 될 수 있어 변경분을 반영할 수 없습니다 (식별 열: %s)", "several rows of the table may be one record, so its changes can't be carried over (key: %s)", strings.Join(key, ", "))).
		Hinting(lang.T("데이터셋의 key에 원본의 기본 키나 고유(UNIQUE, NOT NULL) 열을 모두 넣으십시오", "have the dataset's key hold all columns of the table's primary key, or of a unique index without nulls"))
}

// unique is a unique index, and its columns.
type unique struct {
	number  uint32
	columns []string
}

// uniques are the unique indexes of the table that have no nulls and hold at any moment, the oldest first.
func (l *legacy) uniques(ctx context.Context) (out []unique, err error) {
	rows, err := l.QueryContext(ctx, `SELECT i.indexrelid, jsonb_agg(a.attname ORDER BY k.place) FROM pg_index i
		CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(n, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
		WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts
		GROUP BY i.indexrelid HAVING bool_and(a.attnotnull) ORDER BY i.indexrelid`, l.quote(l.name...))
	if err != nil {
		return nil, l.wrong(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text []byte
		var index unique
		if err := rows.Scan(&index.number, &text); err != nil {
			return nil, l.wrong(ctx, err)
		}
		if err := json.Unmarshal(text, &index.columns); err != nil {
			return nil, err
		}
		out = append(out, index)
	}
	if err := rows.Err(); err != nil {
		return nil, l.wrong(ctx, err)
	}
	return out, nil
}

// print tells apart how a table is made and published. It is another when the table, a partition or the publication was taken out and put in again, when rows were written anew without their changes being sent
// (another type, a column with a default; VACUUM FULL too), when a column means something else, and when the index wasn't there by which rows are told apart.
func (l *legacy) print(ctx context.Context, publication string, t *Table) (string, error) {
	var version int
	if err := l.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int").Scan(&version); err != nil {
		return "", l.wrong(ctx, err)
	}
	schemas := "NULL"
	if version >= 150000 { // a publication may have all tables of a schema: one that was elsewhere meanwhile has been changed itself
		schemas = "(SELECT jsonb_agg(jsonb_build_array(s.oid, s.xmin::text, c.oid, c.xmin::text) ORDER BY s.oid, c.oid) FROM pg_publication_namespace s JOIN pg_class c ON c.relnamespace = s.pnnspid WHERE s.pnpubid = p.oid AND c.oid IN (SELECT one FROM family))"
	}
	var made string
	err := l.QueryRowContext(ctx, `WITH family (one) AS (SELECT $2::regclass::oid UNION SELECT relid::oid FROM pg_partition_ancestors($2::regclass) UNION SELECT relid::oid FROM pg_partition_tree($2::regclass))
		SELECT jsonb_build_array(p.oid, p.xmin::text,
			(SELECT jsonb_agg(jsonb_build_array(r.oid, r.xmin::text) ORDER BY r.oid) FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid IN (SELECT one FROM family)),
			(SELECT jsonb_agg(jsonb_build_array(i.inhrelid, i.inhparent, i.xmin::text) ORDER BY i.inhrelid) FROM pg_inherits i WHERE i.inhrelid IN (SELECT one FROM family)),
			(SELECT jsonb_agg(jsonb_build_array(c.oid, c.relfilenode) ORDER BY c.oid) FROM pg_class c WHERE c.oid IN (SELECT one FROM family)), `+schemas+`)::text
		FROM pg_publication p WHERE p.pubname = $1`, publication, l.quote(l.name...)).Scan(&made)
	if err != nil {
		return "", l.wrong(ctx, err)
	}
	text, err := json.Marshal([]any{made, t.columns, t.Key, t.index})
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}
