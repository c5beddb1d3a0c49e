package mask

import (
	"strconv"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// year shows a day's year: 1999.
var year = Mask{
	Name: "year", About: lang.T("연도만", "the year only"), Of: []manifest.Type{manifest.Date, manifest.Datetime}, Gives: manifest.Int,
	Apply: plain(func(v any) any {
		s, _ := firstOf(v, 4).(string)
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return nil
		}
		return n
	}),
}
