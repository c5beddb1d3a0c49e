package mask

import (
	"fmt"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

// hash shows a keyed hash: the same for the same value in one project, and nothing else.
var hash = Mask{
	Name: "hash", About: lang.T("되돌릴 수 없는 값", "a value that leads nowhere"), Gives: manifest.String,
	Of:    []manifest.Type{manifest.String, manifest.Int, manifest.Double, manifest.Bool, manifest.Date, manifest.Datetime},
	Apply: func(v any, keyed func(string) (string, error)) (any, error) { return keyed(fmt.Sprint(v)) },
}
