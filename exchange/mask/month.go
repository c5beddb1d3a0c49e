package mask

import (
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// month shows a day's month: 1999-03.
var month = Mask{
	Name: "month", About: lang.T("연월만", "the month only"), Of: []manifest.Type{manifest.Date, manifest.Datetime}, Gives: manifest.String,
	Apply: plain(func(v any) any { return firstOf(v, 7) }),
}

// firstOf is the beginning of a text; nothing of one that is shorter.
func firstOf(v any, n int) any {
	s, ok := v.(string)
	if !ok || len(s) < n {
		return nil
	}
	return s[:n]
}
