package manifest

import (
	"strconv"
	"time"

	"github.com/maru-city/maru/engine/lang"
)

// Text is a text of a manifest: a string (Korean) or {ko: …, en: …}.
type Text = lang.Text

// T and Textf make texts; see [lang.T] and [lang.F].
func T(ko, en string) Text { return lang.T(ko, en) }

// Textf formats a text; see [lang.F].
func Textf(ko, en string, args ...any) Text { return lang.F(ko, en, args...) }

// Day is a calendar day, YYYY-MM-DD; empty is no day.
type Day string

// Valid reports whether d is empty or a day that exists.
func (d Day) Valid() bool {
	if d == "" {
		return true
	}
	t, err := time.Parse(DateLayout, string(d))
	return err == nil && t.Format(DateLayout) == string(d)
}

// OrderedTexts are codes and their names in the order in which they were written.
type OrderedTexts []CodeName

// CodeName is one code of a code list and what it is called.
type CodeName struct {
	Code string `json:"code"`
	Name Text   `json:"name"`
}

// Name returns the name of a code and whether the list has it.
func (o OrderedTexts) Name(code string) (Text, bool) {
	for _, c := range o {
		if c.Code == code {
			return c.Name, true
		}
	}
	return Text{}, false
}

// FieldList is the fields of a dataset in the order in which they were written.
type FieldList []Field

func itoa(i int) string { return strconv.Itoa(i) }

// Time is the beginning of the day in Seoul.
func (d Day) Time() (time.Time, error) { return time.ParseInLocation(DateLayout, string(d), Seoul) }
