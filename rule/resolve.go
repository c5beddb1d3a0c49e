package rule

import (
	"slices"
	"strings"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// apply is the first of the operations that takes the operands, or takes them when ints become doubles.
func (c *checker) apply(e ast.Expr, candidates []*operation, args []*expr) *expr {
	for _, widen := range []bool{false, true} {
		for _, o := range candidates {
			if !o.takes(args, widen) {
				continue
			}
			for i := range args {
				if o.args[i] == tDouble {
					args[i] = asDouble(args[i])
					if strings.HasPrefix(o.id, "double_") {
						args[i] = inArithmetic(args[i])
					}
				}
			}
			return call(o, c.where(e), args...)
		}
	}
	name := display(candidates[0].name)
	return c.fault(e, "rule.type", lang.F("이 유형에는 쓸 수 없습니다: %[1]s (%[2]s)", "%[1]s can't be used on (%[2]s)", name, named(args)), accepts(name, candidates))
}

// takes reports whether o is for operands of these types; widen lets ints be doubles.
func (o *operation) takes(args []*expr, widen bool) bool {
	if len(args) != len(o.args) {
		return false
	}
	for i, a := range args {
		if a.typ != o.args[i] && !(widen && a.typ == tInt && o.args[i] == tDouble) {
			return false
		}
	}
	return true
}

// display is an operation's name as it is written.
func display(name string) string {
	if sign, ok := operators.FindReverse(name); ok && sign != "" {
		return sign
	}
	return name
}

// accepts lists the types an operation is for.
func accepts(name string, candidates []*operation) lang.Text {
	var ko, en []string
	for _, o := range candidates {
		operands := make([]*expr, len(o.args))
		for i, t := range o.args {
			operands[i] = &expr{typ: t}
		}
		all := named(operands)
		ko, en = append(ko, "("+all.Ko+")"), append(en, "("+all.En+")")
	}
	return lang.Text{Ko: name + ": " + strings.Join(ko, " "), En: name + ": " + strings.Join(en, " ")}
}

// refusals say what to write instead of functions that CEL has elsewhere.
var refusals = map[string]lang.Text{
	"has":          lang.T("x != null로 쓰십시오", "write x != null"),
	"timestamp":    lang.T("datetime(\"…\") 또는 date(\"…\")로 쓰십시오", "write datetime(\"…\") or date(\"…\")"),
	"now":          lang.T("기준일은 today()입니다", "the as-of date is today()"),
	"lowerAscii":   lang.T("lower로 쓰십시오", "write lower"),
	"working_days": lang.T("업무일력이 있는 서비스의 규칙에서만 쓸 수 있습니다", "only the rules of a service with a calendar count working days"),
}

func (c *checker) unknownFunction(e ast.Expr, name string) *expr {
	hint := refusals[name]
	if near := manifest.Nearest(name, functionNames()); hint.Empty() && near != "" {
		hint = lang.F("비슷한 이름: %s", "did you mean %s?", near)
	}
	return c.fault(e, "rule.unknown_function", lang.F("규칙에 쓸 수 없습니다: %s", "%s can't be used in rules", display(name)), hint)
}

// functionNames are the names of the functions that can be written.
func functionNames() []string {
	var names []string
	for name := range operations {
		names = append(names, name)
	}
	for name := range constructs {
		names = append(names, name)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.ContainsAny(n, "_@!") && display(n) != n })
	slices.Sort(names)
	return names
}
