package rule

import (
	"slices"

	"github.com/maru-city/maru/manifest"
)

// expr is a node of a checked expression. It is a field's value, a literal, or an operation on others.
type expr struct {
	typ     manifest.Type
	where   string // line:column
	field   *Field
	of      *Field // the list whose record the field is of; nil: of the record itself
	literal any    // string, int64, float64 or bool; a date is its text
	op      *operation
	param   *Param // of opParam
	args    []*expr

	calendar *Calendar // of opWorkingDays
	list     *Field    // of what is asked of a list
}

func call(op *operation, where string, args ...*expr) *expr {
	return &expr{typ: op.result, where: where, op: op, args: args}
}

func literal(typ manifest.Type, where string, v any) *expr {
	return &expr{typ: typ, where: where, literal: v}
}

// nullable reports whether the value of e itself may be null.
func (e *expr) nullable() bool { return e.field != nil && e.field.Nullable }

// name is what a field is called, without the names that a rule gives to records of lists.
func (e *expr) name() string {
	if e.of != nil {
		return e.of.Name + "." + e.field.Name
	}
	return e.field.Name
}

// read is the name of the fact that e itself reads, or "".
func (e *expr) read() string {
	switch {
	case e.list != nil:
		return e.list.Name
	case e.field != nil && e.of == nil:
		return e.field.Name
	}
	return ""
}

// walk calls visit for e and all below it.
func (e *expr) walk(visit func(*expr)) {
	visit(e)
	for _, a := range e.args {
		a.walk(visit)
	}
}

// fields are the names of the fields that e reads, sorted.
func (e *expr) fields() []string {
	var names []string
	e.walk(func(x *expr) {
		if name := x.read(); name != "" {
			names = append(names, name)
		}
	})
	slices.Sort(names)
	return slices.Compact(names)
}
