package tabular

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"github.com/maru-city/maru/manifest"
)

// What a cell of a workbook holds at most.
const (
	maxCellText  = 32_767  // characters
	maxCellWhole = 1 << 53 // numbers are doubles
)

// Widths of columns in characters: a date in a narrower one is shown as ####.
const (
	dateWidth     = 12
	datetimeWidth = 21
)

// Cells makes the cells of one workbook.
type Cells struct{ date, datetime int }

// NewCells puts the number formats of dates into a workbook.
func NewCells(book *excelize.File) (c Cells, err error) {
	for _, f := range []struct {
		id     *int
		format string
	}{{&c.date, "yyyy-mm-dd"}, {&c.datetime, "yyyy-mm-dd hh:mm:ss"}} {
		if *f.id, err = book.NewStyle(&excelize.Style{CustomNumFmt: &f.format}); err != nil {
			return c, err
		}
	}
	return c, nil
}

// Width is how wide a column of values of a type has to be, in characters; 0 is as usual.
func (c Cells) Width(t manifest.Type) float64 {
	switch t {
	case manifest.Date:
		return dateWidth
	case manifest.Datetime:
		return datetimeWidth
	}
	return 0
}

// Of is a value of a type as a cell. Dates are numbers with a format, datetimes the same in Seoul's time; what a workbook can't count is text: dates before
// March 1900, which programs take for different days, and whole numbers beyond 2^53.
func (c Cells) Of(t manifest.Type, v any) any {
	switch v := v.(type) {
	case int64:
		if v > maxCellWhole || v < -maxCellWhole {
			return strconv.FormatInt(v, 10)
		}
	case string:
		switch t {
		case manifest.Date:
			if at, err := time.Parse(manifest.DateLayout, v); err == nil && countable(at) {
				return excelize.Cell{StyleID: c.date, Value: serial(at)}
			}
		case manifest.Datetime:
			if at, err := time.Parse(manifest.DatetimeLayout, v); err == nil {
				local := at.In(manifest.Seoul)
				if at = time.Date(local.Year(), local.Month(), local.Day(), local.Hour(), local.Minute(), local.Second(), local.Nanosecond(), time.UTC); countable(at) {
					return excelize.Cell{StyleID: c.datetime, Value: serial(at)}
				}
			}
		}
		return cut(v)
	}
	return v
}

// The days that workbooks count the same way everywhere: that of 29 February 1900, which there wasn't, is 60.
var (
	dayZero  = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	firstDay = time.Date(1900, 3, 1, 0, 0, 0, 0, time.UTC)
)

func countable(t time.Time) bool { return !t.Before(firstDay) && t.Year() <= 9999 }

// serial is a time as workbooks count it: days, and parts of a day. [time.Duration] has no room for all of them.
func serial(t time.Time) float64 {
	return float64(t.Unix()-dayZero.Unix())/86_400 + float64(t.Nanosecond())/86_400e9
}

// cut is as much of a text as a cell holds.
func cut(text string) string {
	if len(text) <= maxCellText || utf8.RuneCountInString(text) <= maxCellText {
		return text
	}
	return string([]rune(text)[:maxCellText])
}
