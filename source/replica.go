package source

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// How changes come (PostgreSQL, chapter "Logical Replication"; its protocol of streaming, plugin pgoutput version 1).
const (
	slotTime    = 10 * time.Minute       // until a slot is made: what is being written there must end first
	gatherTime  = 50 * time.Millisecond  // how long changes are gathered before they are handed on
	gatherRows  = 2000                   // and how many, so that a change of ten million rows isn't held in memory
	gatherBytes = 16 << 20               // and how much text
	quietTime   = 2 * time.Second        // after which it is said that nothing has come
	statusTime  = 10 * time.Second       // how often the server is told how far we are; it waits a minute
	oidBool     = uint32(pgtype.BoolOID) // whose values are written t and f where they are sent, and true and false where they are read as text
)

// Slot is a place in the changes of a PostgreSQL server, which keeps them from there on until they have been carried over.
type Slot struct {
	Snapshot string // what the database held where the slot begins; known as long as the slot is open
	Position string // up to where changes have been carried over (LSN)
	Relation uint32 // the table's number in its server

	conn *pgconn.PgConn
}

// Close ends the snapshot, or the connection. The slot stays in the server.
func (s *Slot) Close() { _ = s.conn.Close(context.Background()) }

// OpenSlot makes a slot of a name, after it has looked whether the table's changes are published as they must be.
//
// Codes: source.replication, and those of [Reader.Copy].
func (r *Reader) OpenSlot(ctx context.Context, q Request, name string) (*Slot, error) {
	relation, err := r.Published(ctx, q)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithTimeout(ctx, slotTime)
	defer stop()
	l, conn, err := r.replicating(ctx, q.Project, q.Source)
	if err != nil {
		return nil, err
	}
	made, err := pglogrepl.CreateReplicationSlot(ctx, conn, name, "pgoutput", pglogrepl.CreateReplicationSlotOptions{Mode: pglogrepl.LogicalReplication, SnapshotAction: "EXPORT_SNAPSHOT"})
	if err != nil {
		_ = conn.Close(context.Background())
		return nil, l.unslotted(ctx, err)
	}
	return &Slot{Snapshot: made.SnapshotName, Position: made.ConsistentPoint, Relation: relation, conn: conn}, nil
}

// DropSlot removes a slot from its server, which then keeps no more changes for it. One that isn't there is no error.
func (r *Reader) DropSlot(ctx context.Context, project string, from *manifest.Source, name string) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	l, conn, err := r.replicating(ctx, project, from)
	if err != nil {
		return err
	}
	defer conn.Close(context.Background()) //nolint:errcheck // it only said something
	err = pglogrepl.DropReplicationSlot(ctx, conn, name, pglogrepl.DropReplicationSlotOptions{Wait: true})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42704" {
		return nil
	}
	if err != nil {
		return l.unslotted(ctx, err)
	}
	return nil
}

// replicating connects for replication.
func (r *Reader) replicating(ctx context.Context, project string, from *manifest.Source) (*legacy, *pgconn.PgConn, error) {
	secret := ""
	if from.Secret != "" {
		var err error
		if secret, err = r.Secret(project, from.Secret); err != nil {
			return nil, nil, err
		}
	}
	u, err := url.Parse(from.Database)
	if err != nil {
		return nil, nil, err // its manifest was checked
	}
	l := &legacy{scheme: "postgres", at: u.Scheme + "://" + u.Host + u.Path, name: strings.Split(from.Table, ".")}
	c, err := r.postgres(u, secret)
	if err != nil {
		return nil, nil, l.unreachable(errors.New("its address can't be read"))
	}
	c.RuntimeParams["replication"], c.RuntimeParams["timezone"] = "database", "UTC"
	conn, err := pgconn.ConnectConfig(ctx, &c.Config)
	if err != nil {
		return nil, nil, l.unslotted(ctx, err)
	}
	return l, conn, nil
}

// unslotted is what a server said of replication, as a problem.
func (l *legacy) unslotted(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return l.wrong(ctx, err)
	}
	hint := lang.Text{}
	switch pg.Code {
	case "42501":
		hint = lang.T("원본의 관리자에게 요청하십시오: ALTER ROLE … REPLICATION", "ask whoever keeps the database for: ALTER ROLE … REPLICATION")
	case "55000":
		hint = lang.T("원본의 관리자에게 요청하십시오: wal_level = logical. 바꿀 수 없으면 publication 대신 since를 쓰십시오", "the server needs wal_level = logical; where that can't be, write since: instead of publication:")
	case "53400":
		hint = lang.T("원본의 관리자에게 요청하십시오: max_replication_slots 늘리기", "the server needs more max_replication_slots")
	default:
		return l.wrong(ctx, err)
	}
	return problem.New("source.replication", 502, lang.F("원본에서 변경분을 받을 수 없습니다: %[1]s (%[2]s)", "the changes of %[1]s can't be had: %[2]s", l.at, brief(pg.Message))).Hinting(hint)
}

// Published looks whether the publication has all changes of the table, and returns the table's number in its server.
//
// Codes: source.replication, and those of [Reader.Copy].
func (r *Reader) Published(ctx context.Context, q Request) (relation uint32, err error) {
	from, secret := q.Source, ""
	if from.Secret != "" {
		if secret, err = r.Secret(q.Project, from.Secret); err != nil {
			return 0, err
		}
	}
	l, err := r.legacy(ctx, q.Project, from, secret)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	var level string
	if err := l.QueryRowContext(ctx, "SHOW wal_level").Scan(&level); err != nil {
		return 0, l.wrong(ctx, err)
	}
	if level != "logical" {
		return 0, l.unslotted(ctx, &pgconn.PgError{Code: "55000", Message: "wal_level = " + level})
	}
	table := l.quote(l.name...)
	var all, parted, filtered, whole bool
	err = l.QueryRowContext(ctx, `SELECT p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate, c.relkind = 'p' AND NOT p.pubviaroot OR c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_inherits i WHERE i.inhparent = c.oid),
			EXISTS (SELECT 1 FROM pg_publication_rel r WHERE r.prpubid = p.oid AND r.prrelid = c.oid AND coalesce(to_jsonb(r) ->> 'prqual', to_jsonb(r) ->> 'prattrs') IS NOT NULL), c.oid, c.relreplident = 'f'
		FROM pg_publication p, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE p.pubname = $1 AND c.oid = $2::regclass AND EXISTS (SELECT 1 FROM pg_publication_tables t WHERE t.pubname = p.pubname AND t.schemaname = n.nspname AND t.tablename = c.relname)`,
		from.Publication, table).Scan(&all, &parted, &filtered, &relation, &whole)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, problem.New("source.replication", 422, lang.F("원본의 발행(publication)에 테이블이 들어 있지 않습니다: 발행 %[1]s, 테이블 %[2]s", "the publication %[1]s doesn't have the table %[2]s", from.Publication, from.Table)).
			Hinting(lang.F("원본의 관리자에게 요청하십시오: CREATE PUBLICATION %[1]s FOR TABLE %[2]s", "ask whoever keeps the database for: CREATE PUBLICATION %[1]s FOR TABLE %[2]s", from.Publication, from.Table))
	case err != nil:
		return 0, l.wrong(ctx, err)
	case !whole && (from.Where != "" || len(from.Set) > 0):
		return 0, problem.New("source.replication", 422, lang.T("식(set, where)이 있으면 원본이 바뀌기 전의 행을 모두 보내야 합니다", "with expressions (set, where) the server has to send the former row whole")).
			Hinting(lang.F("원본의 관리자에게 요청하십시오: ALTER TABLE %s REPLICA IDENTITY FULL", "ask whoever keeps the database for: ALTER TABLE %s REPLICA IDENTITY FULL", from.Table))
	case !all, parted, filtered:
		return 0, problem.New("source.replication", 422, lang.F("원본의 발행(publication)에 테이블의 변경이 모두 들어 있지는 않습니다: %s", "the publication %s doesn't have all changes of the table", from.Publication)).
			Hinting(lang.T("원본의 관리자에게 요청하십시오: 조건(WHERE), 열 목록, publish 제한 없이 발행하고, 파티션 테이블은 publish_via_partition_root = true로 발행. 상속(INHERITS)한 하위 테이블이 있으면 publication 대신 since를 쓰십시오", "publish it without a condition, a list of columns or a limit of publish; a partitioned table with publish_via_partition_root = true. A table that others inherit from is read with since instead"))
	}
	if err := l.noGenerated(ctx, q); err != nil {
		return 0, err
	}
	return relation, l.oneRowARecord(ctx, q)
}

// oneRowARecord refuses a table two of whose rows may be of one record: where one of them goes the record would.
func (l *legacy) oneRowARecord(ctx context.Context, q Request) error {
	if q.Key == nil {
		return nil
	}
	rows, err := l.QueryContext(ctx, `SELECT a.attname, coalesce(a.attnotnull, false), i.indexrelid::bigint FROM pg_index i
		CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k(n, place) JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.n
		WHERE i.indrelid = $1::regclass AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts ORDER BY i.indexrelid, k.place`, l.quote(l.name...))
	if err != nil {
		return l.wrong(ctx, err)
	}
	defer rows.Close()
	indexes, nullable := map[int64][]string{}, map[string]bool{}
	for rows.Next() {
		var name string
		var filled bool
		var index int64
		if err := rows.Scan(&name, &filled, &index); err != nil {
			return l.wrong(ctx, err)
		}
		indexes[index] = append(indexes[index], name)
		nullable[name] = !filled
	}
	if err := rows.Err(); err != nil {
		return l.wrong(ctx, err)
	}
	all, err := l.names(ctx)
	if err != nil {
		return err
	}
	key := q.Key(all)
	if len(key) == 0 {
		return problem.New("source.replication", 422, lang.T("식별 항목을 식으로 계산하면 변경분이 어느 레코드의 것인지 알 수 없습니다", "with a key that is computed nobody can say of which record a change is")).
			Hinting(lang.T("식별 항목에 원본의 열을 그대로 쓰거나, publication을 빼고 정해진 때마다 읽으십시오", "have the key be columns of the table as they are, or leave publication out and read on a schedule"))
	}
	for _, columns := range indexes {
		if !slices.ContainsFunc(columns, func(name string) bool { return nullable[name] || !slices.Contains(key, name) }) {
			if err := l.strictKeys(ctx, q, all); err != nil {
				return err
			}
			return l.plainKeys(ctx, key)
		}
	}
	return problem.New("source.replication", 422, lang.F("원본의 여러 행이 한 레코드가 될 수 있어 변경분을 반영할 수 없습니다 (식별 열: %s)", "several rows of the table may be one record, so its changes can't be carried over (key: %s)", strings.Join(key, ", "))).
		Hinting(lang.T("데이터셋의 key에 원본의 기본 키나 고유(UNIQUE, NOT NULL) 열을 모두 넣으십시오", "have the dataset's key hold all columns of the table's primary key, or of a unique index without nulls"))
}

// strictKeys refuses a table whose key has days, moments, truth values or fractions as text: '20240105' and '2024-01-05' are two rows and would be one record.
func (l *legacy) strictKeys(ctx context.Context, q Request, all []string) error {
	if q.Loose == nil {
		return nil
	}
	for _, name := range q.Loose(all) {
		var text bool
		err := l.QueryRowContext(ctx, `SELECT t.typcategory = 'S' FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = $1::regclass AND a.attname = $2`, l.quote(l.name...), name).Scan(&text)
		if err != nil {
			return l.wrong(ctx, err)
		}
		if text {
			return problem.New("source.replication", 422, lang.F("식별 열 %s은(는) 원본에서 문자열이어서, 같은 값을 다르게 쓴 두 행이 한 레코드가 될 수 있습니다", "the key's column %s is text in the table: two rows with the same value, written in two ways, would be one record", name)).
				Hinting(lang.T("데이터셋의 항목을 string으로 하거나, publication을 빼고 정해진 때마다 읽으십시오", "make the dataset's field a string, or leave publication out and read on a schedule"))
		}
	}
	return nil
}

// plainKeys refuses a table with keys that have blanks around them: 'k5' and 'k5 ' would be one record.
func (l *legacy) plainKeys(ctx context.Context, key []string) error {
	var odd []string
	for _, name := range key {
		text := l.quote(name) + "::text"
		odd = append(odd, text+" <> btrim("+text+", E' \\t\\r\\n')")
	}
	var there bool
	if err := l.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+l.quote(l.name...)+" WHERE "+strings.Join(odd, " OR ")+")").Scan(&there); err != nil {
		return l.wrong(ctx, err)
	}
	if !there {
		return nil
	}
	return problem.New("source.replication", 422, lang.F("식별 열의 값 앞뒤에 빈칸이 있는 행이 있어 변경분을 반영할 수 없습니다 (식별 열: %s)", "some rows have blanks around their key, so the table's changes can't be carried over (key: %s)", strings.Join(key, ", "))).
		Hinting(lang.T("원본 관리자에게 빈칸을 없애 달라고 하거나, publication을 빼고 정해진 때마다 읽으십시오", "have whoever keeps the table take the blanks out, or leave publication out and read on a schedule"))
}

// names are the columns of the table.
func (l *legacy) names(ctx context.Context) (out []string, err error) {
	rows, err := l.QueryContext(ctx, "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum", l.quote(l.name...))
	if err != nil {
		return nil, l.wrong(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, l.wrong(ctx, err)
		}
		out = append(out, name)
	}
	if err := rows.Err(); err != nil {
		return nil, l.wrong(ctx, err)
	}
	return out, nil
}

// noGenerated refuses to take columns that the server computes: their changes aren't sent.
func (l *legacy) noGenerated(ctx context.Context, q Request) error {
	rows, err := l.QueryContext(ctx, "SELECT attname, attgenerated <> '' FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum", l.quote(l.name...))
	if err != nil {
		return l.wrong(ctx, err)
	}
	defer rows.Close()
	var all, generated []string
	for rows.Next() {
		var name string
		var computed bool
		if err := rows.Scan(&name, &computed); err != nil {
			return l.wrong(ctx, err)
		}
		if all = append(all, name); computed {
			generated = append(generated, name)
		}
	}
	if err := rows.Err(); err != nil {
		return l.wrong(ctx, err)
	}
	if q.Wanted != nil {
		wanted := q.Wanted(all)
		generated = slices.DeleteFunc(generated, func(name string) bool { return !slices.Contains(wanted, name) })
	}
	if len(generated) == 0 {
		return nil
	}
	return problem.New("source.replication", 422, lang.F("원본이 계산하는 열(GENERATED)은 변경분으로 받을 수 없습니다: %s", "the server computes these columns and doesn't send their changes: %s", strings.Join(generated, ", "))).
		Hinting(lang.T("그 항목을 빼거나, publication 대신 since를 쓰십시오", "leave their fields out, or write since: instead of publication:"))
}

// Replica is the changes of a table, as its server sends them.
type Replica struct {
	l         *legacy
	conn      *pgconn.PgConn
	schema    string
	table     string
	relation  uint32 // the table's number there, 0: not said yet
	columns   []*pglogrepl.RelationMessageColumn
	names     []string
	inside    bool          // a transaction
	at        pglogrepl.LSN // behind the last transaction, or what was passed without anything for us
	confirmed pglogrepl.LSN
	told      time.Time
}

// Batch is changes in their order.
type Batch struct {
	Columns  []string // of the table as it was when these changes were made
	Identity []string // those by which it is told which row is gone
	Rows     []ReplicaRow
	Emptied  bool   // the table was emptied (TRUNCATE), behind the rows
	Position string // up to where all is carried over when these are: the end of a transaction
	More     bool   // they end within a transaction
}

// ReplicaRow is one row's change.
type ReplicaRow struct {
	Was   []string // the row before, where it is gone or its identity may have changed: cells of the identity
	Cells []string // the row now, as an import reads it; nil: it is gone
	Same  []bool   // the cell isn't known: it has the value it had. nil: all are known
}

// Replicate goes on with the changes behind a position. Of a slot that was just opened its connection is used.
//
// Codes: source.replication, source.slot (the server doesn't have the slot, or what it should have kept, any more), and those of [Reader.Copy].
func (r *Reader) Replicate(ctx context.Context, project string, from *manifest.Source, name string, slot *Slot) (*Replica, error) {
	at, err := pglogrepl.ParseLSN(slot.Position)
	if err != nil {
		return nil, err
	}
	l, conn := &legacy{scheme: "postgres", at: from.Database, name: strings.Split(from.Table, ".")}, slot.conn
	if conn == nil {
		if l, conn, err = r.replicating(ctx, project, from); err != nil {
			return nil, err
		}
	}
	p := &Replica{l: l, conn: conn, at: at, confirmed: at, told: r.now()}
	row, err := conn.Exec(ctx, "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = "+literal(l.quote(l.name...))+"::regclass").ReadAll()
	if err != nil || len(row) != 1 || len(row[0].Rows) != 1 {
		p.Close()
		return nil, l.wrong(ctx, err)
	}
	p.schema, p.table = string(row[0].Rows[0][0]), string(row[0].Rows[0][1])
	err = pglogrepl.StartReplication(ctx, conn, name, at, pglogrepl.StartReplicationOptions{Mode: pglogrepl.LogicalReplication, PluginArgs: []string{"proto_version '1'", "publication_names " + literal(`"`+strings.ReplaceAll(from.Publication, `"`, `""`)+`"`)}})
	if err != nil {
		p.Close()
		return nil, p.lost(ctx, err)
	}
	return p, nil
}

// literal writes a text as SQL does.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// lost tells apart that a slot is gone.
func (p *Replica) lost(ctx context.Context, err error) error {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.Code == "42704" && strings.Contains(pg.Message, "slot") || pg.Code == "55000") {
		return problem.New("source.slot", 502, lang.T("원본에 그사이의 변경분이 더는 남아 있지 않아 전체를 다시 읽습니다", "the source hasn't kept what has changed meanwhile, so all of it is read again"))
	}
	return p.l.unslotted(ctx, err)
}

// Close ends the connection. The slot stays in the server.
func (p *Replica) Close() { _ = p.conn.Close(context.Background()) }

// Confirm says up to where changes have been carried over for good: the server needn't keep them any more.
func (p *Replica) Confirm(ctx context.Context, position string) error {
	at, err := pglogrepl.ParseLSN(position)
	if err != nil {
		return err
	}
	p.confirmed = max(p.confirmed, at)
	if time.Since(p.told) < statusTime {
		return nil
	}
	return p.tell(ctx)
}

func (p *Replica) tell(ctx context.Context) error {
	p.told = time.Now()
	if err := pglogrepl.SendStandbyStatusUpdate(ctx, p.conn, pglogrepl.StandbyStatusUpdate{WALWritePosition: p.confirmed}); err != nil {
		return p.l.wrong(ctx, err)
	}
	return nil
}

// Next waits for changes. After a while in which none come it returns a batch without any.
func (p *Replica) Next(ctx context.Context) (*Batch, error) {
	out, bytes := &Batch{}, 0
	for until := time.Now().Add(quietTime); len(out.Rows) < gatherRows && bytes < gatherBytes && !out.Emptied && time.Now().Before(until); {
		wait, stop := context.WithDeadline(ctx, until)
		message, err := p.conn.ReceiveMessage(wait)
		stop()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if pgconn.Timeout(err) {
			break
		}
		if err != nil {
			return nil, p.lost(ctx, err)
		}
		before := len(out.Rows)
		size, ends, err := p.take(ctx, message, out)
		if err != nil {
			return nil, err
		}
		if bytes += size; ends {
			out.Position, out.More = p.at.String(), p.inside
			return out, nil
		}
		if before == 0 && len(out.Rows) > 0 {
			until = time.Now().Add(gatherTime)
		}
	}
	out.Columns, out.Identity, out.Position, out.More = p.names, p.identity(), p.at.String(), p.inside
	return out, nil
}

// identity are the columns by which a row that is gone is known.
func (p *Replica) identity() (out []string) {
	for _, c := range p.columns {
		if c.Flags == 1 {
			out = append(out, c.Name)
		}
	}
	return out
}

// take puts what a message says into a batch. ends says that it has to end here.
func (p *Replica) take(ctx context.Context, message pgproto3.BackendMessage, out *Batch) (size int, ends bool, err error) {
	if said, ok := message.(*pgproto3.ErrorResponse); ok {
		return 0, false, p.lost(ctx, pgconn.ErrorResponseToPgError(said))
	}
	copied, ok := message.(*pgproto3.CopyData)
	if !ok || len(copied.Data) == 0 {
		return 0, false, nil
	}
	switch copied.Data[0] {
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		alive, err := pglogrepl.ParsePrimaryKeepaliveMessage(copied.Data[1:])
		if err != nil {
			return 0, false, p.l.wrong(ctx, err)
		}
		if !p.inside && len(out.Rows) == 0 {
			p.at = max(p.at, alive.ServerWALEnd) // what was written there up to here wasn't for us
		}
		if alive.ReplyRequested {
			return 0, false, p.tell(ctx)
		}
		return 0, false, nil
	case pglogrepl.XLogDataByteID:
	default:
		return 0, false, nil
	}
	data, err := pglogrepl.ParseXLogData(copied.Data[1:])
	if err != nil {
		return 0, false, p.l.wrong(ctx, err)
	}
	said, err := pglogrepl.Parse(data.WALData)
	if err != nil {
		return 0, false, p.l.wrong(ctx, err)
	}
	size = len(data.WALData)
	switch said := said.(type) {
	case *pglogrepl.BeginMessage:
		p.inside = true
	case *pglogrepl.CommitMessage:
		p.inside, p.at = false, max(p.at, said.TransactionEndLSN)
	case *pglogrepl.RelationMessage:
		ends = len(out.Rows) > 0 && said.Namespace == p.schema && said.RelationName == p.table && !slices.EqualFunc(said.Columns, p.columns, func(a, b *pglogrepl.RelationMessageColumn) bool { return *a == *b })
		if ends {
			out.Columns, out.Identity = p.names, p.identity()
		}
		p.relate(said)
	case *pglogrepl.InsertMessage:
		if said.RelationID == p.relation {
			out.Rows = append(out.Rows, p.row(said.Tuple))
		}
	case *pglogrepl.UpdateMessage:
		if said.RelationID != p.relation {
			break
		}
		now := p.row(said.NewTuple)
		if said.OldTuple != nil { // its key has changed, or all of the former row is told
			now.Was = p.row(said.OldTuple).Cells
		}
		if said.OldTupleType == pglogrepl.UpdateMessageTupleTypeOld {
			for i, same := range now.Same {
				if same {
					now.Cells[i] = now.Was[i]
				}
			}
			now.Same = nil
		}
		out.Rows = append(out.Rows, now)
	case *pglogrepl.DeleteMessage:
		if said.RelationID == p.relation {
			out.Rows = append(out.Rows, ReplicaRow{Was: p.row(said.OldTuple).Cells})
		}
	case *pglogrepl.TruncateMessage:
		out.Emptied = slices.Contains(said.RelationIDs, p.relation)
	}
	return size, ends, nil
}

// relate notes what the table looks like.
func (p *Replica) relate(said *pglogrepl.RelationMessage) {
	if said.Namespace != p.schema || said.RelationName != p.table {
		if said.RelationID == p.relation { // it has another name now
			p.relation = 0
		}
		return
	}
	p.relation, p.columns, p.names = said.RelationID, said.Columns, nil
	for _, c := range said.Columns {
		p.names = append(p.names, c.Name)
	}
}

// utc is how times with a zone are sent where the connection's zone is UTC.
var utc = regexp.MustCompile(`^([0-9]{4,}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,3})?)[0-9]*\+00$`)

// row reads a row's values as a read of the table would write them.
func (p *Replica) row(t *pglogrepl.TupleData) ReplicaRow {
	out := ReplicaRow{Cells: make([]string, len(p.columns))}
	for i, c := range t.Columns {
		if i >= len(p.columns) {
			break
		}
		switch c.DataType {
		case pglogrepl.TupleDataTypeToast:
			if out.Same == nil {
				out.Same = make([]bool, len(p.columns))
			}
			out.Same[i] = true
		case pglogrepl.TupleDataTypeText:
			text := string(c.Data)
			switch p.columns[i].DataType {
			case oidBool:
				text = map[string]string{"t": "true", "f": "false"}[text]
			case pgtype.TimestamptzOID:
				text = utc.ReplaceAllString(text, "${1}T${2}Z")
			case pgtype.BPCharOID:
				text = strings.TrimRight(text, " ")
			}
			out.Cells[i] = text
		}
	}
	return out
}
