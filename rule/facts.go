package rule

import (
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// facts gives an evaluation the record's values, each turned and checked when it is asked for. An error is a value, so that
// false && error stays false.
type facts struct {
	env    *Env
	record map[string]any
	asOf   manifest.Day
	// partial: what isn't there is unknown, not an error.
	partial bool
}

// Parent implements cel.Activation.
func (f *facts) Parent() cel.Activation { return nil }

// ResolveName implements cel.Activation.
func (f *facts) ResolveName(name string) (any, bool) {
	if name == asOfVariable {
		if err := asOfFault(f.asOf); err != nil {
			return types.WrapErr(err), true
		}
		return types.String(f.asOf), true
	}
	name, ok := strings.CutPrefix(name, fieldPrefix)
	field := f.env.fields[name]
	if !ok || field == nil {
		return nil, false
	}
	v, there := f.record[name]
	if !there && f.partial {
		return types.NewUnknown(0, types.NewAttributeTrail(name)), true
	}
	if !there {
		return types.WrapErr(unevaluable("rule.missing", lang.F("이 레코드에 값이 없습니다: %s", "the record has no value of %s", name))), true
	}
	if field.Type == tList {
		return listed(field, v), true
	}
	if v == nil && field.Nullable {
		return types.NullValue, true
	}
	if out := valued(field.Type, v); out != nil {
		return out, true
	}
	return types.WrapErr(unevaluable("rule.value", lang.F("값의 유형이 다릅니다: %[1]s (필요한 유형: %[2]s)", "the value of %[1]s is no %[2]s", name, typeNames[field.Type]))), true
}

// valued is a value of a record in the evaluation, or nil if it isn't of type t.
func valued(t manifest.Type, v any) ref.Val {
	switch v := v.(type) {
	case string:
		if valid := validText[t]; valid != nil && valid(v) {
			return types.String(v)
		}
	case int64:
		if t == tInt {
			return types.Int(v)
		}
	case float64:
		if t == tDouble && !math.IsInf(v, 0) && !math.IsNaN(v) {
			return types.Double(v)
		}
	case bool:
		if t == tBool {
			return types.Bool(v)
		}
	}
	return nil
}

// validText checks values that are text. No database has others: PostgreSQL refuses NUL, and SQLite ends the text there.
var validText = map[manifest.Type]func(string) bool{
	tString:           func(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 },
	tDate:             validDate,
	tDatetime:         validDatetime,
	manifest.Geometry: utf8.ValidString,
}

// validDate reports whether s is a day, YYYY-MM-DD of the years 1 to 9999. It is asked for every date that a rule reads.
func validDate(s string) bool {
	if len(s) != len(manifest.DateLayout) || s[4] != '-' || s[7] != '-' {
		return false
	}
	for i := range len(s) {
		if i != 4 && i != 7 && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	y, m, d := ymd(s)
	return y >= 1 && m >= 1 && m <= 12 && d >= 1 && (d <= 28 || d <= lastDay(y, m))
}

func validDatetime(s string) bool {
	if len(s) != len(manifest.DatetimeLayout) || !validDate(s[:len(manifest.DateLayout)]) {
		return false
	}
	_, err := time.Parse(manifest.DatetimeLayout, s)
	return err == nil
}
