package manifest

import "strings"

// The YAML parser builds all of a text before anyone can look at its depth, in memory that grows with the square of it. So what could be deep is
// counted on the text first, roughly and from above: quotes, comments and block texts aren't told apart, and no manifest comes near.
const (
	maxOpen   = 1_000 // brackets that are open at once
	maxIndent = 500   // columns before a line's first letter
	maxMarks  = 50    // "- " and "? " and "[" in a row at the beginning of a line
)

// tooDeep reports whether a text could be nested too deep for the parser.
func tooDeep(text string) bool {
	open := 0
	for line := range strings.SplitSeq(text, "\n") {
		rest := strings.TrimLeft(line, " \t")
		if len(line)-len(rest) > maxIndent {
			return true
		}
		marks := 0
		for rest != "" && strings.IndexByte("-?!&", rest[0]) >= 0 {
			_, next, more := strings.Cut(rest, " ")
			if marks++; marks > maxMarks {
				return true
			}
			if !more {
				break
			}
			rest = strings.TrimLeft(next, " \t")
		}
		for i := range len(line) {
			switch line[i] {
			case '[', '{':
				if open++; open > maxOpen {
					return true
				}
			case ']', '}':
				open = max(open-1, 0)
			}
		}
	}
	return false
}
