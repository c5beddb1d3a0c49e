package rule

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/parser"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
)

// celParser reads CEL without macros: has, exists and the like arrive as calls and are named in the refusal. Of CEL's two parsers this
// one bounds its time and depth by itself and takes less than half the time.
var celParser = sync.OnceValues(func() (*parser.Parser, error) {
	return parser.NewParser(
		parser.EnablePrattParser(true),
		parser.EnableIdentEscapeSyntax(true),
		parser.MaxRecursionDepth(2*MaxDepth),
		parser.ExpressionSizeCodePointLimit(MaxLength),
		parser.ErrorReportingLimit(maxFaults),
	)
})

// parse reads an expression, or says where its syntax is wrong.
func parse(text string) (*ast.AST, error) {
	if !utf8.ValidString(text) {
		return nil, one(problem.Detail{
			Code: "rule.syntax", Where: "1:1",
			Message: lang.T("식이 올바른 UTF-8이 아닙니다", "the expression is not valid UTF-8"),
		})
	}
	if n := utf8.RuneCountInString(text); n > MaxLength {
		return nil, one(limitFault("1:1", lang.F("식이 너무 깁니다: %d자", "the expression is too long: %d characters", n), MaxLength))
	}
	p, err := celParser()
	if err != nil {
		return nil, fmt.Errorf("rule: make the parser: %w", err)
	}
	parsed, errs := p.Parse(common.NewTextSource(text))
	if found := errs.GetErrors(); len(found) > 0 {
		faults := make([]problem.Detail, 0, len(found))
		for _, e := range found {
			if strings.Contains(e.Message, "recursion limit exceeded") {
				return nil, one(tooDeep(where(e.Location)))
			}
			faults = append(faults, syntaxFault(e))
		}
		return nil, many(faults)
	}
	if n := ast.MaxID(parsed) - 1; n > MaxNodes { // the parser numbers its nodes from 1
		return nil, one(limitFault("1:1", lang.F("식이 너무 큽니다: 값·이름·연산이 %d개", "the expression is too big: %d literals, names and calls", n), MaxNodes))
	}
	return parsed, nil
}

// syntaxCases says the parser's errors in both languages; the first that matches is taken, with its group in it.
var syntaxCases = []struct {
	pattern *regexp.Regexp
	ko, en  string
}{
	{regexp.MustCompile(`reserved identifier: (.*)`), "CEL의 예약어입니다: %s (record.%s 형태로 쓰십시오)", "%s is a reserved word of CEL; write record.%s"},
	{regexp.MustCompile(`mismatched input '<EOF>' expecting '?([^']*)`), "식이 끝나지 않았습니다", "the expression isn't finished"},
	{regexp.MustCompile(`(?:mismatched|extraneous) input ('.*') expecting`), "이 자리에 올 수 없습니다: %s", "%s can't stand here"},
	{regexp.MustCompile(`expected ('[^']*')`), "필요한 기호가 없습니다: %s", "%s is missing"},
	{regexp.MustCompile(`(unexpected character)`), "식에 쓸 수 없는 문자입니다", "this character can't stand in an expression"},
	{regexp.MustCompile(`(unexpected token after expression)`), "식이 끝난 뒤에 다른 내용이 남아 있습니다", "something is left after the end of the expression"},
	{regexp.MustCompile(`(unescape|unicode|octal)`), "문자 값 안의 \\ 표기가 잘못되었습니다", "a \\ in the string is wrong"},
	{regexp.MustCompile(`([Uu]nterminated)`), "닫는 따옴표가 없습니다", "the closing quote is missing"},
	{regexp.MustCompile(`Syntax error: (.*)`), "식의 문법이 올바르지 않습니다: %s", "wrong syntax: %s"},
}

// syntaxFault is an error of CEL's parser as a fault, at line:column.
func syntaxFault(e *common.Error) problem.Detail {
	d := problem.Detail{Code: "rule.syntax", Where: where(e.Location)}
	message, _, _ := strings.Cut(e.Message, "\n")
	for _, c := range syntaxCases {
		if m := c.pattern.FindStringSubmatch(message); m != nil {
			d.Message = lang.T(inserted(c.ko, m[1]), inserted(c.en, m[1]))
			return d
		}
	}
	d.Message = lang.F("식을 읽을 수 없습니다: %s", "the expression can't be read: %s", message)
	return d
}

// inserted puts a word where the text has a place for it.
func inserted(text, word string) string { return strings.ReplaceAll(text, "%s", word) }

// where writes a place as people count: both from 1.
func where(l common.Location) string {
	return fmt.Sprintf("%d:%d", max(1, l.Line()), max(1, l.Column()+1))
}
