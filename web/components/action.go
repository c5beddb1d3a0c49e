package components

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/service/casework"
)

// DrawText says what a draw means for a case.
func DrawText(d *casework.DrawResult) lang.Text {
	switch {
	case d.Of == 0:
		return lang.F("신청 기간이 끝난 뒤 추첨합니다 (선정 %d명)", "drawn after the last day, for %d", d.Quota)
	case !d.Done:
		return lang.F("명단이 확정되었습니다 (신청 %d건). 아직 추첨하지 않았습니다", "the list is fixed, of %d; it isn't drawn yet", d.Of)
	case d.Won:
		return lang.F("선정 (%[1]d건 가운데 %[2]d번째)", "chosen: rank %[2]d of %[1]d", d.Of, d.Rank)
	}
	return lang.F("선정되지 않음 (%[1]d건 가운데 %[2]d번째, 선정 %[3]d명)", "not chosen: rank %[2]d of %[1]d, for %[3]d", d.Of, d.Rank, d.Quota)
}

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
	in.Ground, in.Agency, in.Step, in.Consented = f.Get("ground"), f.Get("agency"), f.Get("step"), f.Get("consented") != ""
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
			if list, _, of := strings.Cut(fact, "."); of {
				in.Answers[list] = Written(Rows(f, AnswerPrefix+list))
				continue
			}
			in.Answers[fact] = strings.TrimSpace(values[0])
		}
	}
	return in, nil
}
