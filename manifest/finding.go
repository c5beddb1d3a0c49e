package manifest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Severity says what a finding does to a plan.
type Severity string

// The severities, the worst first.
const (
	Error   Severity = "error"   // stops the apply
	Warning Severity = "warning" // should be looked at
	Note    Severity = "note"    // informs
)

// Finding is something a plan has to say about a document: what, where, what to do.
type Finding struct {
	Severity Severity
	Code     string // stable: "manifest.unknown_field"
	Pos      Pos
	Resource Key
	Message  Text
	Hint     Text
}

// String is the finding in Korean on one line, for logs and tests.
func (f Finding) String() string { return f.In("ko") }

// In is the finding as a line in the reader's language: place, message, hint.
func (f Finding) In(t language) string {
	s := fmt.Sprintf("%s: %s", f.Pos, f.Message.In(t))
	if !f.Hint.Empty() {
		s += " — " + f.Hint.In(t)
	}
	return s
}

// findingJSON is the form of a finding in JSON: flat, both languages.
type findingJSON struct {
	Severity Severity `json:"severity" enum:"error,warning,note"`
	Code     string   `json:"code"`
	File     string   `json:"file,omitempty"`
	Line     int      `json:"line,omitempty"`
	Column   int      `json:"column,omitempty"`
	Resource string   `json:"resource,omitempty"`
	Message  Text     `json:"message"`
	Hint     *Text    `json:"hint,omitempty"`
}

// MarshalJSON writes {severity, code, file, line, column, resource, message: {ko, en}, hint}.
func (f Finding) MarshalJSON() ([]byte, error) {
	j := findingJSON{Severity: f.Severity, Code: f.Code, File: f.Pos.File, Line: f.Pos.Line, Column: f.Pos.Column, Message: f.Message}
	if f.Resource.Kind != "" {
		j.Resource = f.Resource.String()
	}
	if !f.Hint.Empty() {
		j.Hint = &f.Hint
	}
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (f *Finding) UnmarshalJSON(b []byte) error {
	var j findingJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	*f = Finding{Severity: j.Severity, Code: j.Code, Pos: Pos{j.File, j.Line, j.Column}, Message: j.Message}
	if kind, rest, ok := strings.Cut(j.Resource, " "); ok {
		f.Resource = Key{Kind: kind, Name: rest}
		if project, name, ok := strings.Cut(rest, "/"); ok {
			f.Resource.Project, f.Resource.Name = project, name
		}
	}
	if j.Hint != nil {
		f.Hint = *j.Hint
	}
	return nil
}

// HasErrors reports whether one of the findings stops the apply.
func HasErrors(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Error })
}

// SortFindings orders findings as a person reads them: by file, line and column.
func SortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		if c := strings.Compare(a.Pos.File, b.Pos.File); c != 0 {
			return c
		}
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
}
