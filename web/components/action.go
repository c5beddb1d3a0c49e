package components

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service/casework"
)

// AnswerPrefix stands before the names of facts in forms.
const AnswerPrefix = "known."

// ActionInput reads the form of an action, of the portal or the desk.
func ActionInput(w http.ResponseWriter, r *http.Request) (in casework.ActionInput, err error) {
	f, err := Form(w, r)
	if err != nil {
		return in, err
	}
	in.Version, _ = strconv.ParseInt(f.Get("version"), 10, 64)
	in.Reason = strings.ReplaceAll(f.Get("reason"), "\r\n", "\n")
	in.Days, _ = strconv.Atoi(strings.TrimSpace(f.Get("days")))
	in.Ground, in.Agency, in.Consented = f.Get("ground"), f.Get("agency"), f.Get("consented") != ""
	for _, text := range f["clause"] {
		n, err := strconv.Atoi(text)
		if err != nil {
			return in, unreadable()
		}
		in.Clauses = append(in.Clauses, n)
	}
	for name, values := range f {
		if fact, ok := strings.CutPrefix(name, AnswerPrefix); ok && strings.TrimSpace(values[0]) != "" {
			if in.Answers == nil {
				in.Answers = registry.Values{}
			}
			in.Answers[fact] = strings.TrimSpace(values[0])
		}
	}
	return in, nil
}
