package rule

import (
	"net/http"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// typeNames are the types as a reader calls them.
var typeNames = map[manifest.Type]lang.Text{
	manifest.String:   lang.T("문자", "string"),
	manifest.Int:      lang.T("정수", "int"),
	manifest.Double:   lang.T("실수", "double"),
	manifest.Bool:     lang.T("예·아니요", "bool"),
	manifest.Date:     lang.T("날짜", "date"),
	manifest.Datetime: lang.T("일시", "datetime"),
	tList:             lang.T("목록", "list"),
	manifest.Geometry: lang.T("도형", "geometry"),
}

// named lists types: "문자열, 정수".
func named(args []*expr) lang.Text {
	var all lang.Text
	for i, a := range args {
		if i > 0 {
			all.Ko, all.En = all.Ko+", ", all.En+", "
		}
		name := typeNames[a.typ]
		all.Ko, all.En = all.Ko+name.Ko, all.En+name.En
	}
	return all
}

// many makes the problem of several faults; its code is that of the first.
func many(faults []problem.Detail) *problem.Problem {
	if len(faults) == 1 {
		return one(faults[0])
	}
	p := problem.New(faults[0].Code, http.StatusBadRequest, lang.F("식에 오류가 %d개 있습니다", "the expression has %d faults", len(faults)))
	p.Hint, p.At = faults[0].Hint, faults
	return p
}

// one makes the problem of one fault.
func one(f problem.Detail) *problem.Problem {
	p := problem.New(f.Code, http.StatusBadRequest, lang.T("식에 오류가 있습니다", "the expression has a fault"))
	p.Hint, p.At = f.Hint, []problem.Detail{f}
	return p
}

func limitFault(where string, message lang.Text, limit int) problem.Detail {
	return problem.Detail{
		Code: "rule.limit", Where: where, Message: message,
		Hint: lang.F("최대 %d까지 쓸 수 있습니다. 식을 나누어 쓰십시오", "up to %d; write it in parts", limit),
	}
}

// unevaluable is an error of a rule for one record. Status 422: the rule is right, the record can't be judged by it.
func unevaluable(code string, detail lang.Text) *problem.Problem {
	return problem.New(code, http.StatusUnprocessableEntity, detail)
}

func tooDeep(where string) problem.Detail {
	return limitFault(where, lang.T("식의 괄호와 연산이 너무 깊게 겹쳤습니다", "the expression is too deep"), MaxDepth)
}
