package source

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite" // the driver "sqlite" too
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// How a table is read.
const (
	tableTime    = time.Hour       // the longest one read may take
	sinceTime    = 5 * time.Minute // what has come since is looked for from so much earlier: a writer's clock may be late, and so its commit
	aheadTime    = 14 * time.Hour  // what is further ahead of us than any zone is no time of change, and doesn't move the position
	sinceNumbers = 1000            // the same for a column of numbers that are taken before they are committed
)

// table reads a table, or what has come into it since a position, and writes it as CSV.
func (r *Reader) table(ctx context.Context, q Request, secret string, w io.Writer) (Copied, error) {
	from, out := q.Source, Copied{File: "source.csv", Next: q.Since}
	ctx, stop := context.WithTimeout(ctx, tableTime)
	defer stop()
	l, err := r.legacy(ctx, q.Project, from, secret)
	if err != nil {
		return out, err
	}
	defer l.Close()
	tx, err := l.reading(ctx, q.Snapshot)
	if err != nil {
		return out, err
	}
	defer tx.Rollback() //nolint:errcheck // it only read
	columns, err := l.columns(ctx, tx)
	if err != nil {
		return out, err
	}
	all := names(columns)
	var mark *sql.ColumnType // what is looked at for what has come since
	if i := slices.Index(all, from.Since); i >= 0 {
		mark = columns[i]
	} else if from.Since != "" {
		return out, problem.New("source.since", 422, lang.F("테이블에 없는 열입니다: %s", "the table has no column %s", from.Since)).
			Hinting(lang.F("테이블의 열: %s", "it has: %s", strings.Join(all, ", ")))
	}
	if q.Wanted != nil {
		chosen := q.Wanted(all)
		columns = slices.DeleteFunc(columns, func(c *sql.ColumnType) bool { return !slices.Contains(chosen, c.Name()) })
	}
	var p position
	query, args := l.query(columns, mark), []any(nil)
	if mark != nil && q.Since != "" {
		if err := json.Unmarshal([]byte(q.Since), &p); err != nil {
			return out, fmt.Errorf("position of a source: %w", err)
		}
		query, args = query+" WHERE "+l.quote(from.Since)+" >= "+l.placeholder(), []any{p.before()}
	}
	if q.Limit > 0 {
		query += " LIMIT " + strconv.FormatInt(q.Limit, 10)
	}
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return out, l.wrong(ctx, err)
	}
	defer rows.Close()
	to := &counted{Writer: w}
	sheet := csv.NewWriter(to)
	if err := sheet.Write(names(columns)); err != nil {
		return out, err
	}
	values, into, cells := make([]any, len(columns)+1), make([]any, len(columns)+1), make([]string, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	if mark == nil {
		into = into[:len(columns)]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return out, l.wrong(ctx, err)
		}
		for i, c := range columns {
			cells[i] = written(values[i], c)
		}
		if mark != nil {
			p.pass(values[len(columns)], r.now().Add(aheadTime))
		}
		if err := sheet.Write(cells); err != nil {
			return out, err
		}
		if out.Rows++; to.n > maxSource {
			return out, tooMuch()
		}
	}
	if err := rows.Err(); err != nil {
		return out, l.wrong(ctx, err)
	}
	if sheet.Flush(); sheet.Error() != nil {
		return out, sheet.Error()
	}
	if p.known() {
		text, err := json.Marshal(p)
		if err != nil {
			return out, err
		}
		out.Next = string(text)
	}
	return out, nil
}

// counted counts what is written.
type counted struct {
	io.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n += int64(n)
	return n, err
}

// position is the greatest value that was seen in a column of times or numbers.
type position struct {
	Time   *time.Time `json:"time,omitempty"`
	Number *int64     `json:"number,omitempty"`
	Text   *string    `json:"text,omitempty"`
}

func (p *position) known() bool { return p.Time != nil || p.Number != nil || p.Text != nil }

// pass notes a value, unless it is a time after the latest that counts.
func (p *position) pass(v any, latest time.Time) {
	switch v := v.(type) {
	case time.Time:
		if (p.Time == nil || v.After(*p.Time)) && !v.After(latest) {
			p.Time = &v
		}
	case int64:
		if p.Number == nil || v > *p.Number {
			p.Number = &v
		}
	case []byte:
		p.pass(string(v), latest)
	case string:
		if (p.Text == nil || v > *p.Text) && !later(v, latest) {
			p.Text = &v
		}
	}
}

// later reports whether a text is a day of a year after that of a moment: 9999-12-31 and the like mean for ever.
func later(text string, latest time.Time) bool {
	year, err := strconv.Atoi(text[:min(4, len(text))])
	return err == nil && len(text) >= 8 && year > latest.Year() && year <= 9999
}

// before is from where to look for what has come since.
func (p *position) before() any {
	switch {
	case p.Time != nil:
		return p.Time.Add(-sinceTime)
	case p.Number != nil:
		return *p.Number - sinceNumbers
	}
	return *p.Text
}

// legacy is a database that somebody else keeps.
type legacy struct {
	*sql.DB
	scheme string // postgres, mysql, sqlite
	at     string // where it is, for people: no password in it
	name   []string
}

// legacy opens a source's database. Only a file is connected to already.
func (r *Reader) legacy(ctx context.Context, project string, from *manifest.Source, secret string) (*legacy, error) {
	u, err := url.Parse(from.Database)
	if err != nil {
		return nil, fmt.Errorf("address of a source: %w", err) // its manifest was checked
	}
	l := &legacy{scheme: u.Scheme, at: u.Scheme + "://" + u.Host + u.Path, name: strings.Split(from.Table, ".")}
	switch u.Scheme {
	case "postgres":
		c, err := r.postgres(u, secret)
		if err != nil {
			return nil, l.unreachable(errors.New("its address can't be read"))
		}
		l.DB = stdlib.OpenDB(*c)
	case "mysql":
		c := mysql.NewConfig()
		c.User, c.Passwd, c.Net, c.Addr, c.DBName = u.User.Username(), secret, "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
		c.DialFunc, c.ParseTime, c.Loc, c.Timeout, c.TLSConfig = r.Net.Dial, true, manifest.Seoul, 10*time.Second, "preferred"
		c.Params = map[string]string{"time_zone": "'+09:00'"}
		if u.Port() == "" {
			c.Addr += ":3306"
		}
		connector, err := mysql.NewConnector(c)
		if err != nil {
			return nil, l.unreachable(errors.New("its address can't be read"))
		}
		l.DB = sql.OpenDB(connector)
	default:
		path, err := r.inFolder(project, u.Opaque+u.Host+u.Path)
		if err != nil {
			return nil, err
		}
		if l.DB, err = sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_pragma=query_only(1)&_pragma=trusted_schema(0)&_pragma=busy_timeout(10000)"); err != nil {
			return nil, l.unreachable(err)
		}
	}
	l.SetMaxOpenConns(1)
	if l.scheme == "sqlite" {
		l.SetMaxOpenConns(2) // the second says which tables there are
		if err := l.small(ctx, 2); err != nil {
			l.Close()
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			return nil, l.unreachable(err)
		}
		if err := l.isTable(ctx, from.Table); err != nil {
			l.Close()
			return nil, err
		}
	}
	return l, nil
}

// isTable refuses what isn't a table of an SQLite file itself, or not all of one: a view, or a column that is computed, can make any amount out of nothing, and others tell of the server.
func (l *legacy) isTable(ctx context.Context, name string) error {
	var there bool
	err := l.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = ? COLLATE NOCASE AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql NOT LIKE 'CREATE VIRTUAL%')", name).Scan(&there)
	switch {
	case err != nil:
		return l.wrong(ctx, err)
	case there:
		var computed bool
		if err := l.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pragma_table_xinfo(?, 'main') WHERE hidden = 2)", name).Scan(&computed); err != nil {
			return l.wrong(ctx, err)
		}
		if computed {
			return problem.New("source.table", 422, lang.F("읽을 때마다 계산하는 열(VIRTUAL)이 있는 테이블입니다: %s", "the table %s has columns that are computed whenever they are read (VIRTUAL)", name)).
				Hinting(lang.T("SQLite에서는 저장된 열만 읽습니다. 계산한 열은 STORED로 바꾸거나 빼십시오", "of an SQLite file what is stored is read: make them STORED, or take them out"))
		}
		return nil
	}
	p := problem.New("source.table", 422, lang.F("원본에 없는 테이블입니다: %s", "the source has no table %s", name))
	var view bool
	if err := l.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE name = ? COLLATE NOCASE)", name).Scan(&view); err != nil || !view {
		return p.Hinting(l.tables(ctx, name))
	}
	return p.Hinting(lang.T("SQLite에서는 뷰가 아닌 테이블만 읽습니다", "of an SQLite file tables are read, no views"))
}

// maxCell is how long a value of an SQLite file may be: a view in a small one can make any.
const maxCell = 16 << 20

// small bounds the values of so many connections to an SQLite file, which stay open.
func (l *legacy) small(ctx context.Context, connections int) error {
	l.SetMaxIdleConns(connections)
	for range connections {
		c, err := l.Conn(ctx)
		if err != nil {
			return err
		}
		defer c.Close() // all are open at once, so that each is another
		if _, err := sqlite.Limit(c, sqlite3.SQLITE_LIMIT_LENGTH, maxCell); err != nil {
			return err
		}
	}
	return nil
}

// postgres is how to connect to a PostgreSQL server.
func (r *Reader) postgres(u *url.URL, secret string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig((&url.URL{Scheme: "postgres", User: u.User, Host: u.Host, Path: u.Path, RawQuery: onlySSL(u).Encode()}).String())
	if err != nil {
		return nil, err
	}
	c.Password, c.DialFunc = secret, r.Net.Dial
	c.RuntimeParams["application_name"], c.RuntimeParams["datestyle"], c.RuntimeParams["timezone"], c.RuntimeParams["standard_conforming_strings"] = "maru", "ISO", "Asia/Seoul", "on"
	return c, nil
}

// onlySSL keeps of a PostgreSQL address's parameters the one that says how the connection is protected.
func onlySSL(u *url.URL) url.Values {
	if mode := u.Query().Get("sslmode"); mode != "" {
		return url.Values{"sslmode": {mode}}
	}
	return nil
}

// inFolder is the path of a file of a project's folder of sources. SQLite opens it by its path, and files beside it: so nobody but the server, or root, may be able to put another there, or a
// link, in between.
func (r *Reader) inFolder(project, name string) (string, error) {
	root, err := r.folderOf(project)
	if err != nil {
		return "", err
	}
	defer root.Close()
	for dir := path.Dir(path.Clean(name)); ; dir = path.Dir(dir) {
		info, err := root.Lstat(dir)
		if err != nil || !info.IsDir() {
			return "", noFile(name)
		}
		if who, ok := info.Sys().(*syscall.Stat_t); ok && project != "" && (info.Mode().Perm()&0o022 != 0 || int(who.Uid) != os.Geteuid() && who.Uid != 0) {
			return "", problem.New("source.file", 422, lang.F("다른 사용자가 바꿀 수 있는 폴더의 SQLite 파일은 읽지 않습니다: %s", "an SQLite file isn't read from a folder that others may write to: %s", name)).
				Hinting(lang.T("서버를 실행하는 사용자만 쓸 수 있는 폴더에 두십시오 (chmod 700)", "have it in a folder to which only the server's own user may write (chmod 700)"))
		}
		if dir == "." {
			break
		}
	}
	if info, err := root.Lstat(name); err != nil || !info.Mode().IsRegular() {
		return "", noFile(name)
	}
	return filepath.Join(root.Name(), filepath.FromSlash(name)), nil
}

// reading begins a transaction that only reads: what the database holds now, or where a slot's changes begin, and then in the zone in which those are sent.
func (l *legacy) reading(ctx context.Context, snapshot string) (*sql.Tx, error) {
	how := &sql.TxOptions{ReadOnly: true}
	if snapshot != "" {
		how.Isolation = sql.LevelRepeatableRead
	}
	tx, err := l.BeginTx(ctx, how)
	if err != nil {
		return nil, l.wrong(ctx, err)
	}
	if snapshot == "" {
		return tx, nil
	}
	if _, err := tx.ExecContext(ctx, "SET TRANSACTION SNAPSHOT "+literal(snapshot)+"; SET LOCAL TIME ZONE 'UTC'"); err != nil {
		_ = tx.Rollback()
		return nil, l.wrong(ctx, err)
	}
	return tx, nil
}

// columns are those of the table.
func (l *legacy) columns(ctx context.Context, tx *sql.Tx) ([]*sql.ColumnType, error) {
	rows, err := tx.QueryContext(ctx, "SELECT * FROM "+l.quote(l.name...)+" WHERE 1 = 0")
	if err != nil {
		return nil, l.wrong(ctx, err)
	}
	defer rows.Close()
	out, err := rows.ColumnTypes()
	if err != nil {
		return nil, l.wrong(ctx, err)
	}
	return out, rows.Err()
}

func names(columns []*sql.ColumnType) []string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.Name()
	}
	return out
}

// query selects the columns, in a form that is read the same whatever their type, and behind them the mark as it is.
func (l *legacy) query(columns []*sql.ColumnType, mark *sql.ColumnType) string {
	list := make([]string, len(columns), len(columns)+1)
	for i, c := range columns {
		name := l.quote(c.Name())
		switch {
		case l.scheme == "sqlite":
			list[i] = "+" + name // as it lies, not as the column's declaration would have it
		case l.scheme == "postgres" && c.DatabaseTypeName() == "TIMESTAMPTZ":
			list[i] = "to_char(" + name + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
		case l.scheme == "postgres":
			list[i] = name + "::text"
		default:
			list[i] = name
		}
	}
	if mark != nil {
		name := l.quote(mark.Name())
		if l.scheme == "sqlite" {
			name = "+" + name
		}
		list = append(list, name)
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM " + l.quote(l.name...)
}

// quote writes identifiers, one below the other.
func (l *legacy) quote(parts ...string) string {
	mark := `"`
	if l.scheme == "mysql" {
		mark = "`"
	}
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = mark + strings.ReplaceAll(p, mark, mark+mark) + mark
	}
	return strings.Join(out, ".")
}

func (l *legacy) placeholder() string {
	if l.scheme == "postgres" {
		return "$1"
	}
	return "?"
}

// written is a value as text that an import reads. What has no zone is of Seoul; a day that no calendar has is no value.
func written(v any, c *sql.ColumnType) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		if utf8.Valid(v) && !strings.ContainsRune(string(v), 0) {
			return string(v)
		}
		return hex.EncodeToString(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case uint64:
		return strconv.FormatUint(v, 10)
	case float32:
		return strconv.FormatFloat(float64(v), 'f', -1, 32)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		switch {
		case v.IsZero():
			return ""
		case c.DatabaseTypeName() == "DATE":
			return v.Format(manifest.DateLayout)
		}
		return v.UTC().Format(manifest.DatetimeLayout)
	}
	return fmt.Sprint(v)
}

// wrong is what a database said, as a problem.
func (l *legacy) wrong(ctx context.Context, err error) error {
	if p := problem.As(err); p != nil {
		return p
	}
	if ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	state := ""
	switch {
	case errors.As(err, &pg):
		state = pg.Code
	case errors.As(err, &my):
		state = string(my.SQLState[:])
		if my.Number == 1142 { // it has no state of its own
			state = "42501"
		}
	}
	table := strings.Join(l.name, ".")
	switch {
	case strings.HasPrefix(state, "28"):
		return problem.New("source.database", 502, lang.F("데이터베이스가 접속을 거부했습니다: %s", "the database %s doesn't let us in", l.at)).
			Hinting(lang.T("주소의 사용자 이름과 비밀값(source.secret)을 확인하십시오", "check the user in the address and the secret (source.secret)"))
	case state == "42501":
		return problem.New("source.table", 422, lang.F("테이블을 읽을 권한이 없습니다: %s", "there is no right to read the table %s", table)).
			Hinting(lang.T("원본 데이터베이스의 관리자에게 읽기(SELECT) 권한을 요청하십시오", "ask whoever keeps the database for the right to SELECT"))
	case state == "42P01" || state == "42S02" || l.scheme == "sqlite" && strings.Contains(err.Error(), "no such table"):
		if l.scheme == "sqlite" {
			return problem.New("source.table", 422, lang.F("원본에 없는 테이블입니다: %s", "the source has no table %s", table)).Hinting(l.tables(ctx, table))
		}
		return problem.New("source.table", 422, lang.F("원본에 없는 테이블입니다: %s", "the source has no table %s", table)).
			Hinting(lang.T("테이블 이름을 스키마까지 쓰십시오 (예: public.people)", "write the schema too, as in public.people"))
	}
	return l.unreachable(err)
}

func (l *legacy) unreachable(err error) error {
	return problem.New("source.database", 502, lang.F("원본 데이터베이스를 읽을 수 없습니다: %[1]s (%[2]s)", "the database %[1]s can't be read: %[2]s", l.at, brief(said(err))))
}

// said is what an error says, without what is another each time, such as ports.
func said(err error) string {
	var pg *pgconn.PgError
	var my *mysql.MySQLError
	var op *net.OpError
	switch {
	case errors.As(err, &pg):
		return pg.Message
	case errors.As(err, &my):
		return my.Message
	case errors.As(err, &op):
		return op.Err.Error()
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn):
		return "the connection was cut"
	}
	return err.Error()
}

// tables says which tables an SQLite file has, the nearest to a name first.
func (l *legacy) tables(ctx context.Context, name string) lang.Text {
	ctx, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	rows, err := l.QueryContext(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name LIMIT 30")
	if err != nil {
		return lang.Text{}
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var one string
		if rows.Scan(&one) == nil {
			names = append(names, one)
		}
	}
	if rows.Err() != nil || len(names) == 0 {
		return lang.Text{}
	}
	if near := manifest.Nearest(name, names); near != "" {
		return lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	return lang.F("있는 테이블: %s", "there are: %s", strings.Join(names, ", "))
}
