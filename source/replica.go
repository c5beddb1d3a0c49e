package source

import (
	"context"
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
	Table    *Table // as it stood before the slot began, or at the last look

	conn *pgconn.PgConn
}

// Close ends the snapshot, or the connection. The slot stays in the server.
func (s *Slot) Close() { _ = s.conn.Close(context.Background()) }

// OpenSlot makes a slot of a name, after it has looked whether the table's changes are published as they must be. Where an error comes after that, the slot may be there.
//
// Codes: those of [Reader.Published].
func (r *Reader) OpenSlot(ctx context.Context, q Request, name string) (*Slot, error) {
	table, err := r.Published(ctx, q)
	if err != nil {
		return nil, err
	}
	making, stop := context.WithTimeout(ctx, slotTime)
	defer stop()
	l, conn, err := r.replicating(making, q.Project, q.Source)
	if err != nil {
		return nil, err
	}
	made, err := pglogrepl.CreateReplicationSlot(making, conn, name, "pgoutput", pglogrepl.CreateReplicationSlotOptions{Mode: pglogrepl.LogicalReplication, SnapshotAction: "EXPORT_SNAPSHOT"})
	if err != nil {
		_ = conn.Close(context.Background())
		return nil, l.unslotted(making, err)
	}
	slot := &Slot{Snapshot: made.SnapshotName, Position: made.ConsistentPoint, Table: table, conn: conn}
	if err := r.plainSlot(ctx, q, slot); err != nil {
		slot.Close()
		return nil, err
	}
	return slot, nil
}

// plainSlot looks whether the table has only plain keys where a slot begins.
func (r *Reader) plainSlot(ctx context.Context, q Request, slot *Slot) error {
	ctx, stop := context.WithTimeout(ctx, tableTime)
	defer stop()
	l, err := r.opened(ctx, q)
	if err != nil {
		return err
	}
	defer l.Close()
	tx, err := l.reading(ctx, slot.Snapshot)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	return l.plainKeys(ctx, tx, q, slot.Table)
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

// Replica is the changes of a table, as its server sends them.
type Replica struct {
	l         *legacy
	conn      *pgconn.PgConn
	schema    string
	name      string
	table     *Table
	columns   []*pglogrepl.RelationMessageColumn // nil: not said yet
	names     []string
	types     []uint32      // of the columns; of a domain the one below
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
// Codes: source.replication, source.slot (the server doesn't have the slot, or what it should have kept, any more; or the table has another shape than the slot's), and those of [Reader.Copy].
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
	p := &Replica{l: l, conn: conn, table: slot.Table, at: at, confirmed: at, told: r.now()}
	row, err := conn.Exec(ctx, "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = "+literal(l.quote(l.name...))+"::regclass").ReadAll()
	if err != nil || len(row) != 1 || len(row[0].Rows) != 1 {
		p.Close()
		return nil, l.wrong(ctx, err)
	}
	p.schema, p.name = string(row[0].Rows[0][0]), string(row[0].Rows[0][1])
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
		out.Columns, out.Identity = p.names, p.identity()
		before := p.columns
		if err := p.relate(said); err != nil {
			return 0, false, err
		}
		ends = len(out.Rows) > 0 && !slices.EqualFunc(p.columns, before, func(a, b *pglogrepl.RelationMessageColumn) bool { return *a == *b }) // the identity is another
	case *pglogrepl.InsertMessage:
		if said.RelationID == p.table.Relation {
			out.Rows = append(out.Rows, p.row(said.Tuple))
		}
	case *pglogrepl.UpdateMessage:
		if said.RelationID != p.table.Relation {
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
		if said.RelationID == p.table.Relation {
			out.Rows = append(out.Rows, ReplicaRow{Was: p.row(said.OldTuple).Cells})
		}
	case *pglogrepl.TruncateMessage:
		out.Emptied = slices.Contains(said.RelationIDs, p.table.Relation)
	}
	return size, ends, nil
}

// relate notes how the table's rows are sent from here on. Where it has another name or other columns than it had, what its rows hold may be another thing, without any change being sent: a column with a default, or of
// another type.
func (p *Replica) relate(said *pglogrepl.RelationMessage) error {
	ours, named := said.RelationID == p.table.Relation, said.Namespace == p.schema && said.RelationName == p.name
	switch {
	case !ours && !named:
		return nil
	case ours != named, !sameShape(p.table.columns, said.Columns):
		return problem.New("source.slot", 502, lang.T("원본 테이블의 이름이나 열이 바뀌어 전체를 다시 읽습니다", "the table has another name or other columns now, so all of it is read again"))
	}
	p.columns, p.names, p.types = said.Columns, nil, nil
	for _, c := range said.Columns {
		i := slices.IndexFunc(p.table.columns, func(has column) bool { return has.Name == c.Name })
		p.names, p.types = append(p.names, c.Name), append(p.types, p.table.columns[i].base)
	}
	return nil
}

// utc is how times with a zone are sent where the connection's zone is UTC.
var utc = regexp.MustCompile(`^([0-9]{4,}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?\+00$`)

// moment writes a time with a zone as a read of the table does; the ends of time are none.
func moment(text string) string {
	m := utc.FindStringSubmatch(text)
	switch {
	case m != nil:
		return m[1] + "T" + m[2] + "." + (m[3] + "000")[:3] + "Z"
	case strings.HasSuffix(text, "infinity"):
		return ""
	}
	return text
}

// host writes an address as a read of the table does, with the length of its net.
func host(text string) string {
	switch {
	case strings.Contains(text, "/"):
		return text
	case strings.Contains(text, ":"):
		return text + "/128"
	}
	return text + "/32"
}

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
			switch p.types[i] {
			case oidBool:
				text = map[string]string{"t": "true", "f": "false"}[text]
			case pgtype.TimestamptzOID:
				text = moment(text)
			case pgtype.InetOID:
				text = host(text)
			case pgtype.BPCharOID:
				text = strings.TrimRight(text, " ")
			}
			out.Cells[i] = text
		}
	}
	return out
}
