package mask

import (
	"math"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// thousands rounds a number half up to thousands.
var thousands = Mask{
	Name: "thousands", About: lang.T("천 단위로 반올림", "rounded to thousands"), Of: []manifest.Type{manifest.Int, manifest.Double},
	Apply: plain(func(v any) any {
		switch x := v.(type) {
		case int64:
			rest := ((x % 1000) + 1000) % 1000
			if rest >= 500 && x <= math.MaxInt64-1000 || x < math.MinInt64+rest { // the last thousands on either side have no next
				return x + 1000 - rest
			}
			return x - rest
		case float64:
			return math.Floor(x/1000+0.5) * 1000
		}
		return nil
	}),
}
