package portal

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
	"github.com/maru-city/maru/web/components"
)

// Buttons of a question about a list.
const (
	moreName = "more" // one row more
	noneName = "none" // there are none
)

// written is the answer in a form, as text: of a list as JSON of what was written into its rows. more asks for one row more before it is read.
func written(f *service.Fact, form url.Values) (text string, more bool) {
	if !f.IsList() {
		return strings.TrimSpace(form.Get(answerName)), false
	}
	rows := components.Rows(form, answerName)
	if form.Get(noneName) != "" {
		return rowsText(nil), false
	}
	if more = form.Get(moreName) != ""; more {
		return rowsText(append(rows, map[string]string{})), true
	}
	if rows = components.Written(rows); len(rows) == 0 {
		return "", false
	}
	return rowsText(rows), false
}

func rowsText(rows []map[string]string) string {
	if rows == nil {
		rows = []map[string]string{}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return ""
	}
	return string(text)
}

// rows are those of an answer's text, at least one to be written in.
func rows(text string) (out []map[string]string) {
	if json.Unmarshal([]byte(text), &out) != nil || len(out) == 0 {
		return []map[string]string{{}}
	}
	return out
}

// answerText is an answer as it was kept, as the text of its question.
func answerText(f *service.Fact, value any) string {
	if !f.IsList() {
		return fmt.Sprint(value)
	}
	var out []map[string]string
	add := func(record map[string]any) {
		row := map[string]string{}
		for name, v := range record {
			if v != nil {
				row[name] = fmt.Sprint(v)
			}
		}
		out = append(out, row)
	}
	switch list := value.(type) {
	case []any:
		for _, one := range list {
			if record, ok := one.(map[string]any); ok {
				add(record)
			}
		}
	case []map[string]any:
		for _, record := range list {
			add(record)
		}
	}
	return rowsText(out)
}

// plainAnswer is an answer as data have it: people write 300,000원, and 1999.5.1. Nothing is nil.
func plainAnswer(f *service.Fact, text string) any {
	if !f.IsList() {
		return plainValue(&f.Field, text)
	}
	var list []map[string]string
	if text == "" || json.Unmarshal([]byte(text), &list) != nil {
		return nil
	}
	out := make([]any, len(list))
	for i, row := range list {
		record := map[string]any{}
		for j := range f.Items {
			item := &f.Items[j]
			record[item.Name] = plainValue(&item.Field, row[item.Name])
		}
		out[i] = record
	}
	return out
}

func plainValue(f *catalog.Field, text string) any {
	switch f.Type {
	case manifest.Int, manifest.Double:
		text = inDigits(strings.NewReplacer(",", "", " ", "", "원", "", "명", "").Replace(text))
	case manifest.Date:
		if t, err := time.Parse("2006.1.2", strings.TrimSuffix(strings.NewReplacer(" ", "", "/", ".", "-", ".", "년", ".", "월", ".", "일", "").Replace(text), ".")); err == nil {
			return t.Format(manifest.DateLayout)
		}
	}
	if text == "" {
		return nil
	}
	return text
}

// faultText says what to write instead of what can't be read.
func faultText(f *service.Fact, fault *problem.Detail) lang.Text {
	field, at := &f.Field, lang.Text{}
	if number, name, ok := strings.Cut(fault.Where, "."); ok && f.IsList() {
		n, _ := strconv.Atoi(number)
		for i := range f.Items {
			if f.Items[i].Name == name {
				field = &f.Items[i].Field
				at = lang.F("%[1]s %[2]d, %[3]s: ", "%[1]s %[2]d, %[3]s: ", f.Label(), n+1, field.Label())
			}
		}
	}
	out := fault.Message
	if fault.Code == "record.type" {
		switch field.Type {
		case manifest.Int, manifest.Double:
			out = lang.T("숫자로 적어 주십시오. 예: 3,000,000 또는 300만", "Please write a number, such as 3,000,000.")
		case manifest.Date:
			out = lang.T("날짜로 적어 주십시오. 예: 1999.5.1.", "Please write a date, such as 1999-05-01.")
		}
	} else if fault.Code == "record.required" {
		out = lang.T("답을 적어 주십시오.", "Please answer.")
	}
	return lang.T(at.Ko+out.Ko, at.En+out.En)
}
