// Package problem is the one form of an error that a person can act on.
//
// A [Problem] is made once, where the fact is known: what is wrong, a stable code, what to do. Callers
// wrap it with %w and don't log it. At the edge it becomes problem+json (RFC 9457), a page with the
// same words, or a line on stderr. An error that holds no Problem is internal: logged with an id, shown
// as that id only.
package problem

import (
	"errors"
	"strings"

	"github.com/maru-city/maru/engine/lang"
)

// Problem is an error a user can act on. Code is stable and documented in docs/problems.md; Hint says
// what to do next.
type Problem struct {
	Code   string         // "record.changed"
	Status int            // HTTP status
	Detail lang.Text      // what is wrong, with the names and values that matter
	Hint   lang.Text      // what to do
	At     []Detail       // the places, when there are several
	With   map[string]any // extension members of problem+json, such as the current version of a record
}

// Detail is one of several faults of one request: a field of a record, a place in a manifest.
type Detail struct {
	Code    string    `json:"code,omitempty"`
	Where   string    `json:"where"` // field name, JSON pointer or file:line:column
	Message lang.Text `json:"-"`
	Hint    lang.Text `json:"-"`
}

// New makes a Problem.
func New(code string, status int, detail lang.Text) *Problem {
	return &Problem{Code: code, Status: status, Detail: detail}
}

// Hinting sets what to do and returns p.
func (p *Problem) Hinting(hint lang.Text) *Problem { p.Hint = hint; return p }

// Error is the problem in Korean and in one line, with its faults: for logs and tests. Edges use [Problem.In].
func (p *Problem) Error() string { return p.Code + ": " + p.In(lang.Ko) }

// In is the problem as one sentence in the reader's language, its faults after it, one a line.
func (p *Problem) In(t lang.Tag) string {
	var b strings.Builder
	b.WriteString(p.Detail.In(t))
	for _, d := range p.At {
		b.WriteString("\n  " + d.Where + ": " + d.Message.In(t))
		if !d.Hint.Empty() {
			b.WriteString(" — " + d.Hint.In(t))
		}
	}
	return b.String()
}

// Is makes errors.Is match problems by code, so that a caller can ask for one without its words.
func (p *Problem) Is(target error) bool {
	var q *Problem
	return errors.As(target, &q) && q.Code == p.Code
}

// As returns the Problem in err's chain, or nil.
func As(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return nil
}

// Code returns the code of the Problem in err's chain, or "".
func Code(err error) string {
	if p := As(err); p != nil {
		return p.Code
	}
	return ""
}
