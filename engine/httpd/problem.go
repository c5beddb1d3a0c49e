package httpd

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// Problem is the body of an error: application/problem+json (RFC 9457), in the language of Accept-Language.
type Problem struct {
	Title  string         `json:"title" doc:"The status in words"`
	Status int            `json:"status"`
	Code   string         `json:"code" doc:"What is wrong, for programs; docs/problems.md lists the codes"`
	Detail string         `json:"detail" doc:"What is wrong, for a person"`
	Hint   string         `json:"hint,omitempty" doc:"What to do"`
	Errors []Fault        `json:"errors,omitempty" doc:"Each place, where there are several"`
	ID     string         `json:"id,omitempty" doc:"Of an internal error: the number it is logged under"`
	With   map[string]any `json:"-"` // further members
}

// Fault is one of several faults of a request.
type Fault struct {
	Code    string `json:"code,omitempty"`
	Where   string `json:"where" doc:"A field, a JSON path or file:line:column"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Error is the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus is the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of problems.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// MarshalJSON writes the problem with its further members beside its own.
func (p *Problem) MarshalJSON() ([]byte, error) {
	type plain Problem
	own, err := json.Marshal((*plain)(p))
	if err != nil || len(p.With) == 0 {
		return own, err
	}
	more, err := json.Marshal(p.With)
	if err != nil {
		return nil, err
	}
	return append(append(own[:len(own)-1], ','), more[1:]...), nil
}

// Fail writes an error as a problem, for handlers that are no operations.
func Fail(w http.ResponseWriter, r *http.Request, err error) {
	p := of(r.Context(), http.StatusInternalServerError, "", err)
	body, err := json.Marshal(p)
	if err != nil { // texts and numbers always are JSON's; With may not be
		http.Error(w, http.StatusText(p.Status), p.Status)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(body, '\n')) // the client went away: nobody to tell
}

// humaOnce makes huma's errors ours, its lists lists, never null, and names of members what they are, not what they are in another case. All are variables
// of its package.
var humaOnce = sync.OnceFunc(func() {
	huma.DefaultArrayNullable = false
	huma.ValidateStrictCasing = true
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return of(context.Background(), status, message, errs...)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
		if ctx == nil {
			return of(context.Background(), status, message, errs...)
		}
		return of(ctx.Context(), status, message, errs...)
	}
})

// words are what is wrong with a request that didn't get as far as its operation, by status.
var words = map[int]struct {
	code string
	text lang.Text
}{
	400: {"request.invalid", lang.T("요청이 형식에 맞지 않습니다", "the request isn't of the right form")},
	404: {"request.unknown", lang.T("요청하신 대상을 찾을 수 없습니다", "there is no such thing")},
	406: {"request.accept", lang.T("그 형식으로는 응답할 수 없습니다", "there is no answer in that form")},
	408: {"request.slow", lang.T("요청이 너무 오래 걸렸습니다", "the request took too long to arrive")},
	413: {"request.large", lang.T("요청이 너무 큽니다", "the request is too large")},
	415: {"request.media_type", lang.T("그 형식의 요청은 읽을 수 없습니다. application/json으로 보내십시오", "a request of that form can't be read: send application/json")},
	422: {"request.invalid", lang.T("요청이 형식에 맞지 않습니다", "the request isn't of the right form")},
}

// of is the problem an error becomes at the edge.
func of(ctx context.Context, status int, message string, errs ...error) *Problem {
	if status == 0 {
		return &Problem{} // huma asks what a problem looks like
	}
	reader := lang.From(ctx)
	for _, err := range errs {
		if p := problem.As(err); p != nil {
			return told(p, reader)
		}
		var known *Problem
		if errors.As(err, &known) {
			return known
		}
		if errors.Is(err, context.Canceled) && ctx.Err() != nil {
			return &Problem{Status: 499, Title: "Client Closed Request", Code: "request.gone", Detail: "client closed request"}
		}
	}
	w, ok := words[status]
	if !ok || status >= 500 {
		return internal(ctx, message, errs)
	}
	p := &Problem{Status: status, Title: http.StatusText(status), Code: w.code, Detail: w.text.In(reader)}
	for _, err := range errs {
		if err == nil {
			continue
		}
		fault := Fault{Message: err.Error()}
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			at := d.ErrorDetail()
			fault.Where, fault.Message = at.Location, validation(at.Message).In(reader)
		}
		p.Errors = append(p.Errors, fault)
	}
	if said := validation(message); len(p.Errors) == 0 && said.Ko != "" {
		p.Detail = said.In(reader)
	}
	return p
}

func told(p *problem.Problem, reader lang.Tag) *Problem {
	out := &Problem{Status: p.Status, Title: http.StatusText(p.Status), Code: p.Code, Detail: p.Detail.In(reader), Hint: p.Hint.In(reader), With: p.With}
	for _, d := range p.At {
		out.Errors = append(out.Errors, Fault{d.Code, d.Where, d.Message.In(reader), d.Hint.In(reader)})
	}
	return out
}

func internal(ctx context.Context, message string, errs []error) *Problem {
	if err := errors.Join(slices.Clone(errs)...); errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, os.ErrDeadlineExceeded) { // who asked went away, or took too long
		return told(problem.New("request.slow", http.StatusRequestTimeout, lang.T("요청이 끝까지 오지 않았습니다", "the request didn't come to its end")), lang.From(ctx))
	}
	id := RequestID(ctx)
	slog.ErrorContext(ctx, "http: internal error", "request", id, "message", message, "error", errors.Join(slices.Clone(errs)...))
	reader := lang.From(ctx)
	return &Problem{
		Status: http.StatusInternalServerError, Title: http.StatusText(http.StatusInternalServerError), Code: "internal", ID: id,
		Detail: lang.T("요청을 처리하는 중에 문제가 발생했습니다", "something went wrong on our side").In(reader),
		Hint:   lang.F("잠시 뒤에 다시 시도하십시오. 계속되면 담당자에게 이 번호를 알려 주십시오: %s", "try again in a moment; if it goes on, tell your administrator the number %s", id).In(reader),
	}
}

// validations are huma's sentences about a value, by their beginning.
var validations = []struct{ start, ko string }{
	{"unexpected property", "알 수 없는 항목입니다"},
	{"expected required property ", "필요한 항목이 없습니다: "},
	{"expected string", "문자여야 합니다"},
	{"expected integer", "정수여야 합니다"},
	{"expected number", "숫자여야 합니다"},
	{"expected boolean", "true나 false여야 합니다"},
	{"expected object", "{…} 형태여야 합니다"},
	{"expected array", "목록이어야 합니다"},
	{"expected number >= ", "이 수보다 작을 수 없습니다: "},
	{"expected number <= ", "이 수보다 클 수 없습니다: "},
	{"expected length <= ", "글자 수가 이보다 많을 수 없습니다: "},
	{"expected object with at most ", "항목이 이보다 많을 수 없습니다: "},
	{"expected value to be one of ", "이 가운데 하나여야 합니다: "},
	{"invalid integer", "정수여야 합니다"},
	{"request body is required", "요청 본문이 필요합니다"},
	{"unknown query parameter", "알 수 없는 질의 항목입니다"},
	{"expected one value", "값을 하나만 쓰십시오"},
	{"expected length >= ", "글자 수가 이보다 적을 수 없습니다: "},
	{"expected integer of 64 bits in ", "64비트 정수여야 합니다: "},
}

// validation is one of huma's sentences in both languages; one that isn't known here stays in English.
func validation(message string) lang.Text {
	best := 0
	text := lang.Text{En: message}
	for _, v := range validations {
		rest, ok := strings.CutPrefix(message, v.start)
		if !ok || len(v.start) < best {
			continue
		}
		best = len(v.start)
		text.Ko = v.ko
		if strings.HasSuffix(v.start, " ") {
			text.Ko += strings.TrimSuffix(rest, " to be present")
		}
	}
	return text
}
