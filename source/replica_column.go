package source

import (
	"context"
	"database/sql"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// column is a column of a table in PostgreSQL.
type column struct {
	Name     string
	Number   int16
	Computed bool
	Sent     uint32 // the number of its type, which changes are sent with
	Modifier int32
	Labels   string // of an enumeration: a value is renamed without any row being changed

	base     uint32 // the type, or where that is a domain, the one below
	modifier int32  // and how it is narrowed; -1: it isn't
	text     bool
}

// described are the columns of the table, in their order.
func (l *legacy) described(ctx context.Context) (out []column, err error) {
	rows, err := l.QueryContext(ctx, `WITH RECURSIVE below (number, type, modifier) AS (
			SELECT attnum, atttypid, atttypmod FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
			UNION ALL SELECT b.number, t.typbasetype, t.typtypmod FROM below b JOIN pg_type t ON t.oid = b.type WHERE t.typtype = 'd')
		SELECT a.attname, a.attnum, a.attgenerated <> '', a.atttypid, a.atttypmod, t.oid, b.modifier, t.typcategory = 'S',
			coalesce((SELECT string_agg(e.enumlabel, E'\n' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid), '')
		FROM below b JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd' JOIN pg_attribute a ON a.attrelid = $1::regclass AND a.attnum = b.number ORDER BY a.attnum`, l.quote(l.name...))
	if err != nil {
		return nil, l.wrong(ctx, err)
	}
	defer rows.Close()
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.Name, &c.Number, &c.Computed, &c.Sent, &c.Modifier, &c.base, &c.modifier, &c.text, &c.Labels); err != nil {
			return nil, l.wrong(ctx, err)
		}
		out = append(out, c)
	}
	if err := rows.Err(); err != nil {
		return nil, l.wrong(ctx, err)
	}
	return out, nil
}

// sameShape reports whether changes are sent with the columns that a table has. What the server computes may be left out.
func sameShape(columns []column, sent []*pglogrepl.RelationMessageColumn) bool {
	n := 0
	for _, c := range columns {
		switch {
		case n < len(sent) && sent[n].Name == c.Name && sent[n].DataType == c.Sent && sent[n].TypeModifier == c.Modifier:
			n++
		case !c.Computed:
			return false
		}
	}
	return n == len(sent)
}

// tells are the types of columns of which no two values are one value of a field's type.
var tells = map[manifest.Type][]uint32{
	manifest.Bool:     {pgtype.BoolOID, pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID},
	manifest.Date:     {pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID, pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.NumericOID},
	manifest.Datetime: {pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID},
	manifest.Double:   {pgtype.Float4OID, pgtype.Float8OID, pgtype.Int2OID, pgtype.Int4OID, pgtype.NumericOID},
}

// What a field's value holds.
const (
	momentDigits = 3  // of a second's fraction
	doubleDigits = 15 // decimal, of a number
)

// merges is why two values of a column may be one value of a field's type, or nil: '20240105' and '2024-01-05' are two rows and would be one record.
func (c *column) merges(t manifest.Type) error {
	name, can := c.Name, tells[t]
	var why lang.Text
	hint := lang.T("데이터셋의 항목을 string으로 하거나, publication을 빼고 정해진 때마다 읽으십시오", "make the dataset's field a string, or leave publication out and read on a schedule")
	switch {
	case c.text && t != manifest.String && t != manifest.Geometry && t != "":
		why = lang.F("식별 열 %s은(는) 원본에서 문자열이어서, 같은 값을 다르게 쓴 두 행이 한 레코드가 될 수 있습니다", "the key's column %s is text in the table: two rows with the same value, written in two ways, would be one record", name)
	case (c.base == pgtype.TimestampOID && t == manifest.Datetime || c.base == pgtype.TimestamptzOID && (t == manifest.Datetime || t == manifest.String)) && (c.modifier < 0 || c.modifier > momentDigits):
		why = lang.F("식별 열 %s의 시각은 밀리초보다 잘아서, 두 행이 한 레코드가 될 수 있습니다", "the key's column %s has times finer than a millisecond: two rows would be one record", name)
		hint = lang.T("원본 관리자에게 열을 timestamp(3)으로 바꾸어 달라고 하거나, publication을 빼고 정해진 때마다 읽으십시오", "have whoever keeps the table make the column timestamp(3), or leave publication out and read on a schedule")
	case c.base == pgtype.NumericOID && t == manifest.Int && c.scale() > 0:
		why = lang.F("식별 열 %s은(는) 원본에서 소수가 있는 수이고 데이터셋에서는 정수입니다", "the key's column %s has decimals in the table and is an int in the dataset", name)
	case c.base == pgtype.NumericOID && t == manifest.Double && (c.modifier < 0 || c.modifier>>16 > doubleDigits), can != nil && !slices.Contains(can, c.base):
		why = lang.F("식별 열 %[1]s의 서로 다른 값이 데이터셋에서 같은 값(%[2]s)이 될 수 있어, 두 행이 한 레코드가 될 수 있습니다", "different values of the key's column %[1]s may be the same as %[2]s: two rows would be one record", name, t)
	default:
		return nil
	}
	return problem.New("source.replication", 422, why).Hinting(hint)
}

// scale is how many decimals a numeric column has; 0 where it isn't said, for then a whole number may have none.
func (c *column) scale() int32 {
	if c.modifier < 4 {
		return 0
	}
	return ((c.modifier-4)&0x7ff ^ 0x400) - 0x400 // 11 bits with a sign
}

// blanks are those that an import takes off a value's ends, in hexadecimal UTF-8.
var blanks = func() string {
	var all []string
	for c := range rune(0x3001) {
		if unicode.IsSpace(c) {
			all = append(all, hex.EncodeToString([]byte(string(c))))
		}
	}
	return strings.Join(all, "|")
}()

// plainKeys refuses a table with keys that read like others: 'k5' and 'k5 ' would be one record, and '7' and '07' where they are numbers. It is looked at where the changes begin; of what comes later each such row is refused by itself.
func (l *legacy) plainKeys(ctx context.Context, tx *sql.Tx, q Request, t *Table) error {
	var odd []string
	types := map[string]manifest.Type{}
	if q.Types != nil {
		types = q.Types(t.names())
	}
	for _, c := range t.columns {
		if !slices.Contains(t.Key, c.Name) {
			continue
		}
		text := l.quote(c.Name) + "::text"
		switch c.base {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID, pgtype.DateOID, pgtype.TimestampOID, pgtype.TimestamptzOID, pgtype.BoolOID, pgtype.UUIDOID, pgtype.Float4OID, pgtype.Float8OID, pgtype.NumericOID: // have none
		default: // in UTF-8, whatever the database's own encoding
			odd = append(odd, "encode(convert_to("+text+", 'UTF8'), 'hex') ~ '^("+blanks+")|("+blanks+")$'")
		}
		switch c.base {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID, pgtype.OIDOID: // are written in one way
		default:
			if types[c.Name] == manifest.Int {
				odd = append(odd, text+" ~ '^[-+]?[0-9,]+([.]0*)?$' AND "+text+" !~ '^(0|-?[1-9][0-9]*)$'")
			}
		}
	}
	if len(odd) == 0 {
		return nil
	}
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+l.quote(l.name...)+" WHERE "+strings.Join(odd, " OR ")+")").Scan(&there); err != nil {
		return l.wrong(ctx, err)
	}
	if !there {
		return nil
	}
	return problem.New("source.replication", 422, lang.F("식별 열의 값 앞뒤에 빈칸이 있거나 수를 다르게 적은 행이 있어 변경분을 반영할 수 없습니다 (식별 열: %s)", "some rows have blanks around their key, or a number written in another way, so the table's changes can't be carried over (key: %s)", strings.Join(t.Key, ", "))).
		Hinting(lang.T("원본 관리자에게 식별 열의 값을 고쳐 달라고 하거나, publication을 빼고 정해진 때마다 읽으십시오", "have whoever keeps the table mend those keys, or leave publication out and read on a schedule"))
}
