package rule

import (
	"maps"
	"slices"

	"github.com/maru-city/maru/engine/lang"
)

// known are the names of nullable fields that can't be null where a part of an expression is reached.
type known map[string]bool

func (k known) and(more known) known {
	if len(more) == 0 {
		return k
	}
	all := maps.Clone(k)
	if all == nil {
		all = known{}
	}
	maps.Copy(all, more)
	return all
}

// both keeps what is in k and in other.
func (k known) both(other known) known {
	out := known{}
	for name := range k {
		if other[name] {
			out[name] = true
		}
	}
	return out
}

// implied are the fields that aren't null when e is of that truth.
func implied(e *expr, truth bool) known {
	switch e.op {
	case opIsNull:
		if !truth {
			return known{e.args[0].name(): true}
		}
	case opNotNull:
		if truth {
			return known{e.args[0].name(): true}
		}
	case opNot:
		return implied(e.args[0], !truth)
	case opAnd, opOr:
		a, b := implied(e.args[0], truth), implied(e.args[1], truth)
		if truth == (e.op == opAnd) { // both sides are so
			return a.and(b)
		}
		return a.both(b)
	}
	return nil
}

// guard sees to it that no null is read: it refuses unguarded reads, or in a guarded Env puts the guards in.
func (c *checker) guard(e *expr) *expr { return c.condition(e, nil) }

// condition guards an expression that says yes or no.
func (c *checker) condition(e *expr, k known) *expr {
	switch e.op {
	case opIsNull, opNotNull:
		return e
	case opAnd:
		left := c.condition(e.args[0], k)
		return call(opAnd, e.where, left, c.condition(e.args[1], k.and(implied(e.args[0], true))))
	case opOr:
		left := c.condition(e.args[0], k)
		return call(opOr, e.where, left, c.condition(e.args[1], k.and(implied(e.args[0], false))))
	case opNot:
		return call(opNot, e.where, c.condition(e.args[0], k))
	case opChoose:
		return c.choice(e, k, func(branch *expr, k known) *expr { return c.condition(branch, k) })
	}
	needs := map[string]*expr{}
	guarded := c.value(e, k, needs)
	if len(needs) == 0 {
		return guarded
	}
	return call(opAnd, e.where, notNull(e.where, slices.Sorted(maps.Keys(needs)), needs), guarded)
}

// notNull is whether none of the fields is null, as a tree of little depth.
func notNull(where string, names []string, fields map[string]*expr) *expr {
	if len(names) == 1 {
		read := fields[names[0]]
		return call(opNotNull, where, &expr{typ: read.typ, where: read.where, field: read.field, of: read.of})
	}
	half := len(names) / 2
	return call(opAnd, where, notNull(where, names[:half], fields), notNull(where, names[half:], fields))
}

// value guards what an operation reads and notes in needs the fields that must not be null for it.
func (c *checker) value(e *expr, k known, needs map[string]*expr) *expr {
	switch {
	case e.nullable():
		if !k[e.name()] {
			c.read(e, needs)
		}
		return e
	case e.op == opOrValue:
		return &expr{typ: e.typ, where: e.where, op: e.op, args: []*expr{e.args[0], c.value(e.args[1], k, needs)}}
	case e.op == opChoose && e.typ != tBool:
		return c.choice(e, k, func(branch *expr, k known) *expr { return c.value(branch, k, needs) })
	case e.op == nil:
		return e
	case e.list != nil:
		return c.guardList(e, k, needs)
	}
	out := &expr{typ: e.typ, where: e.where, op: e.op, param: e.param, calendar: e.calendar, args: make([]*expr, len(e.args))}
	for i, a := range e.args {
		if a.typ == tBool && a.op != nil && a.op != opOrValue {
			out.args[i] = c.condition(a, k)
		} else {
			out.args[i] = c.value(a, k, needs)
		}
	}
	return out
}

func (c *checker) choice(e *expr, k known, branch func(*expr, known) *expr) *expr {
	test := e.args[0]
	return &expr{typ: e.typ, where: e.where, op: opChoose, args: []*expr{
		c.condition(test, k),
		branch(e.args[1], k.and(implied(test, true))),
		branch(e.args[2], k.and(implied(test, false))),
	}}
}

// read notes a read of a nullable field that nothing guards.
func (c *checker) read(e *expr, needs map[string]*expr) {
	if c.env.guarded {
		needs[e.name()] = e
		return
	}
	c.faultAt(e.where, "rule.null", lang.F("비어 있을 수 있는 항목입니다: %s", "%s may be null", e.field.Name),
		lang.F("%[1]s != null && …로 먼저 확인하거나 %[1]s.orValue(…)를 쓰십시오", "test it first, %[1]s != null && …, or write %[1]s.orValue(…)", e.field.Name))
}
