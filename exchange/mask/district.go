package mask

import (
	"regexp"
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
		if found := districtOf.FindString(s); found != "" {
			return strings.TrimSpace(found)
		}
		return nil
	}),
}

// districtOf is the beginning of an address up to its district; in a province a city may have districts of its own.
var districtOf = regexp.MustCompile(`^\S+?(?:특별시|광역시|특별자치시|특별자치도|도|시)\s+\S+?[시군구](?:\s+\S+?구)?(?:\s|$)`)
