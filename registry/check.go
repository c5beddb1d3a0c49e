package registry

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/infer"
	"github.com/maru-city/maru/manifest"
)

var patterns sync.Map // text → *regexp.Regexp, of patterns that manifests state

// whole compiles a pattern so that it must match the whole value.
func whole(pattern string) *regexp.Regexp {
	if re, ok := patterns.Load(pattern); ok {
		return re.(*regexp.Regexp)
	}
	re := regexp.MustCompile(`^(?:` + pattern + `)$`) // the manifest's check has compiled it
	patterns.Store(pattern, re)
	return re
}

// identifies reports whether a value looks like a resident registration number: shapes and fractions have digits enough that do, and so have moments that are counted in milliseconds.
func identifies(f *catalog.Field, value any) bool {
	name := f.Label().Ko + " " + f.Name
	switch v := value.(type) {
	case string:
		return f.Type != manifest.Geometry && infer.Identifies(name, v)
	case int64:
		return !infer.NamesMoments(name) && infer.Identifies(name, plain(v))
	}
	return false
}

// check reports why a value of the field's type can't stand in the field; nil when it can.
func check(f *catalog.Field, value any) *problem.Detail {
	no := func(code string, message lang.Text) *problem.Detail {
		return &problem.Detail{Code: code, Where: f.Name, Message: message}
	}
	if value == nil {
		if f.Required {
			return no("record.required", lang.T("비울 수 없는 항목입니다", "it must not be empty"))
		}
		return nil
	}
	if f.Exposed && identifies(f, value) {
		return no("record.personal", lang.T("주민등록번호로 보이는 값이어서 모두에게 공개되는 데이터셋에 둘 수 없습니다", "it looks like a resident registration number, which can't stand in a dataset that is open to all"))
	}
	if f.Exposed && f.Type == manifest.String && infer.Reaches(plain(value)) {
		return no("record.contact", lang.T("휴대전화 번호나 전자우편 주소로 보이는 값이어서 모두에게 공개되는 데이터셋에 둘 수 없습니다. 공개할 법적 근거가 있으면 항목의 basis:에 쓰십시오",
			"it looks like a mobile phone or an e-mail address, which can't stand in a dataset that is open to all; where a law has it open, name the law in the field's basis:"))
	}
	if s, ok := value.(string); ok && f.Type == manifest.String {
		if n := utf8.RuneCountInString(s); f.Length > 0 && n > f.Length {
			return no("record.length", lang.F("최대 길이 %d자를 넘습니다 (입력한 길이 %d자)", "it is longer than %d characters (%d)", f.Length, n))
		}
		for _, p := range f.Patterns {
			if !whole(p).MatchString(s) {
				return no("record.pattern", lang.F("형식에 맞지 않습니다: %s", "it isn't of the form %s", p))
			}
		}
		if strings.ContainsRune(s, 0) {
			return no("record.text", lang.T("쓸 수 없는 문자(NUL)가 있습니다", "it has a NUL character"))
		}
	}
	if number, ok := asNumber(value); ok {
		if math.IsNaN(number) || math.IsInf(number, 0) {
			return no("record.number", lang.T("수가 아닙니다", "it isn't a number"))
		}
		if f.Min != nil && number < *f.Min {
			return no("record.min", lang.F("최솟값보다 작습니다 (최솟값 %v)", "it is below %v", *f.Min))
		}
		if f.Max != nil && number > *f.Max {
			return no("record.max", lang.F("최댓값보다 큽니다 (최댓값 %v)", "it is above %v", *f.Max))
		}
	}
	if len(f.Codes) > 0 {
		if _, ok := f.Codes.Name(codeText(value)); !ok && f.Class.AtLeast(manifest.Personal) {
			return no("record.code", lang.T("코드 목록에 없습니다", "it is not in the code list"))
		} else if !ok {
			return no("record.code", lang.F("코드 목록에 없습니다: %s", "it is not in the code list: %s", codeText(value)))
		}
	}
	return nil
}

func asNumber(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func codeText(v any) string {
	if n, ok := v.(int64); ok {
		return strconv.FormatInt(n, 10)
	}
	return fmt.Sprint(v)
}

// Accept reads a value from JSON as a field takes it, or says why it can't stand there.
func Accept(f *catalog.Field, v any) (any, *problem.Detail) {
	value, fault := fromJSON(f, v)
	if fault == nil {
		fault = check(f, value)
	}
	return value, fault
}
