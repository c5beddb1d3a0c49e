package mask

import (
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// hidden shows nothing but whether there is a value.
var hidden = Mask{
	Name: "hidden", About: lang.T("값이 있는지만", "whether there is a value, only"), Gives: manifest.Bool,
	Of:    []manifest.Type{manifest.String, manifest.Int, manifest.Double, manifest.Bool, manifest.Date, manifest.Datetime, manifest.Geometry},
	Apply: plain(func(any) any { return true }),
}
