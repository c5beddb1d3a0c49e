package mask

import (
	"slices"
	"strings"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// district shows an address's city and district: 서울특별시 종로구.
var district = Mask{
	Name: "district", About: lang.T("시·도와 시·군·구까지만", "city and district only"), Of: []manifest.Type{manifest.String},
	Apply: plain(func(v any) any {
		s, ok := v.(string)
		if !ok {
			return nil
		}
		if found := districtOf(s); found != "" {
			return found
		}
		return nil
	}),
}

// regions are how names of cities and provinces end.
var regions = []string{"특별시", "광역시", "특별자치시", "특별자치도", "도", "시"}

// districtOf is the beginning of an address up to its district, with one space between its words; in a province a city may have districts of its own.
// "" where it doesn't begin with a region and a district.
func districtOf(address string) string {
	words := strings.Fields(address)
	if len(words) < 2 || !ends(words[0], regions...) || !ends(words[1], "시", "군", "구") {
		return ""
	}
	if len(words) > 2 && ends(words[2], "구") {
		return strings.Join(words[:3], " ")
	}
	return words[0] + " " + words[1]
}

// ends reports whether a word is more than one of its ends.
func ends(word string, with ...string) bool {
	return slices.ContainsFunc(with, func(end string) bool { return len(word) > len(end) && strings.HasSuffix(word, end) })
}
