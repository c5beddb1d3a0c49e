package rule

import (
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/maru-city/maru/manifest"
)

// operation is one meaning of an operator or function, for operands of certain types.
type operation struct {
	name   string // as CEL has it: "_+_", "lower"
	form   form
	args   []manifest.Type
	result manifest.Type

	// In memory: an operation of CEL itself unless id names one of ours, which do does: a func of one, two or any number of ref.Val.
	id string
	do any

	// In SQL: each step is put around the one before, which is its $1; in the first, $1 is the first operand. An operand that is named
	// twice is computed once. Nothing: it has no translation. No step fails in the database: where there is no answer it is NULL.
	sqlite, postgres steps

	// Both are for operations whose operands aren't simply handed on.
	build     func(b *builder, e *expr) ast.Expr
	translate func(t *translation, e *expr) (fragment, error)
}

type steps []string

// form says how an operation is written.
type form int

const (
	operator form = iota
	function      // f(x)
	member        // x.f()
	either        // both
)

// Types, shortened for the tables.
const (
	tString   = manifest.String
	tInt      = manifest.Int
	tDouble   = manifest.Double
	tBool     = manifest.Bool
	tDate     = manifest.Date
	tDatetime = manifest.Datetime
)

func of(types ...manifest.Type) []manifest.Type { return types }

// inSQL sets the same SQL for both dialects.
func (o operation) inSQL(s ...string) *operation {
	o.sqlite, o.postgres = s, s
	return &o
}

// inEach sets the SQL of each dialect.
func (o operation) inEach(sqlite, postgres steps) *operation {
	o.sqlite, o.postgres = sqlite, postgres
	return &o
}

// operations are the written operations by name, in the order in which they are tried.
var operations = index(logic, comparisons(), arithmetic, extremes(), textual, conversions, calendar)

func index(tables ...[]*operation) map[string][]*operation {
	all := map[string][]*operation{}
	for _, table := range tables {
		for _, o := range table {
			all[o.name] = append(all[o.name], o)
		}
	}
	return all
}

var (
	opAnd = operation{name: "_&&_", args: of(tBool, tBool), result: tBool}.inSQL("$1 AND $2")
	opOr  = operation{name: "_||_", args: of(tBool, tBool), result: tBool}.inSQL("$1 OR $2")
	opNot = operation{name: "!_", args: of(tBool), result: tBool}.inSQL("NOT $1")
	logic = []*operation{opAnd, opOr, opNot}
)

// What the checker itself puts in. Their types are those of their operands.
var (
	opIsNull = &operation{
		name: "== null", result: tBool, build: buildNullTest("_==_"),
		sqlite: steps{"$1 IS NULL"}, postgres: steps{"$1 IS NULL"},
	}
	opNotNull = &operation{
		name: "!= null", result: tBool, build: buildNullTest("_!=_"),
		sqlite: steps{"$1 IS NOT NULL"}, postgres: steps{"$1 IS NOT NULL"},
	}
	opOrValue = &operation{
		name: "orValue", build: buildOrValue,
		sqlite: steps{"COALESCE($1, $2)"}, postgres: steps{"COALESCE($1, $2)"},
	}
	opChoose = &operation{
		name:     "_?_:_", // a CASE of this form has no branch for a condition that is an error
		sqlite:   steps{"CASE $1 WHEN TRUE THEN $2 WHEN FALSE THEN $3 END"},
		postgres: steps{"CASE $1 WHEN TRUE THEN $2 WHEN FALSE THEN $3 END"},
	}
	opIn = &operation{name: "@in", result: tBool, build: buildIn, translate: translateIn}
)

// comparisons are equality of all types and order of all but bool.
func comparisons() []*operation {
	signs := []struct{ name, sign string }{
		{"_==_", "="}, {"_!=_", "<>"}, {"_<_", "<"}, {"_<=_", "<="}, {"_>_", ">"}, {"_>=_", ">="},
	}
	var all []*operation
	for i, s := range signs {
		ordering := i >= 2
		for _, t := range of(tInt, tDouble, tString, tDate, tDatetime, tBool) {
			o := operation{name: s.name, args: of(t, t), result: tBool}
			plain := steps{"$1 " + s.sign + " $2"}
			switch {
			case ordering && t == tBool:
				continue
			case ordering && t == tString: // by code point, whatever the collation of the database
				all = append(all, o.inEach(plain, steps{plain[0] + ` COLLATE "C"`}))
			default:
				all = append(all, o.inEach(plain, plain))
			}
		}
	}
	return all
}

// extremes are the smaller and the larger of two.
func extremes() (all []*operation) {
	for _, t := range of(tInt, tDouble, tDate) {
		for name, sign := range map[string]string{"min": "<=", "max": ">="} {
			first := func(a, b ref.Val) ref.Val {
				c := a.(traits.Comparer).Compare(b)
				if c == types.IntZero || (c == types.IntNegOne) == (name == "min") {
					return a
				}
				return b
			}
			all = append(all, operation{name: name, form: function, args: of(t, t), result: t, id: name + "_" + string(t), do: first}.inSQL("CASE WHEN $1 "+sign+" $2 THEN $1 WHEN NOT $1 "+sign+" $2 THEN $2 END"))
		}
	}
	return all
}

// textual are the operations on text.
var textual = []*operation{
	operation{name: "_+_", args: of(tString, tString), result: tString}.inSQL("$1 || $2"),
	operation{name: "size", form: either, args: of(tString), result: tInt}.inEach(
		steps{"length($1)"}, steps{"CAST(char_length($1) AS bigint)"}),
	// ASCII only, on both: SQLite knows no others, and the C collation doesn't either.
	operation{name: "lower", form: either, args: of(tString), result: tString, id: "lower", do: lower}.inEach(
		steps{"lower($1)"}, steps{`lower($1 COLLATE "C")`}),
	operation{name: "contains", form: member, args: of(tString, tString), result: tBool}.inEach(
		steps{"instr($1, $2) > 0"}, steps{"strpos($1, $2) > 0"}),
	operation{name: "startsWith", form: member, args: of(tString, tString), result: tBool}.inEach(
		steps{"substr($1, 1, length($2)) = $2"}, steps{"left($1, char_length($2)) = $2"}),
	operation{name: "endsWith", form: member, args: of(tString, tString), result: tBool}.inEach(
		steps{"substr($1, length($1) - length($2) + 1) = $2"}, steps{"right($1, char_length($2)) = $2"}),
}

// opMatches has no SQL: the databases have no RE2.
var opMatches = &operation{name: "matches", form: member, args: of(tString, tString), result: tBool}

// conversions between types, where every engine writes the same.
var conversions = []*operation{
	{name: "double", form: function, args: of(tDouble), result: tDouble, sqlite: steps{"$1"}, postgres: steps{"$1"}},
	opDouble,
	{name: "int", form: function, args: of(tInt), result: tInt, sqlite: steps{"$1"}, postgres: steps{"$1"}},
	{name: "string", form: function, args: of(tString), result: tString, sqlite: steps{"$1"}, postgres: steps{"$1"}},
	operation{name: "string", form: function, args: of(tInt), result: tString}.inEach(
		steps{"CAST($1 AS TEXT)"}, steps{"CAST($1 AS text)"}),
	{name: "string", form: function, args: of(tDate), result: tString, sqlite: steps{"$1"}, postgres: steps{"$1"}},
}
