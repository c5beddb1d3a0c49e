package portal

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/registry"
	"github.com/maru-city/maru/web/components"
)

// Limits of a map.
const (
	maxPlaces    = 5_000  // records that are shown
	placesLooked = 50_000 // and among which they are chosen, as evenly as can be
)

// places are where records are, on a map of 640 by 400.
type places struct {
	Dots                     string  // the path of a dot at each place
	Shown                    int     // records that it shows
	Looked, Rows             int64   // records that were looked at, and that there are
	West, East, South, North float64 // degrees
}

// enough ends a stream.
var errEnough = errors.New("enough")

// place finds where a dataset's records are; nil where they don't say. Where there are many each second, third, … in the order of their keys is shown: so no part of the city is left out.
func (p *Portal) place(ctx context.Context, d *catalog.Dataset, rows int64) (*places, error) {
	at := registry.PlaceIn(d)
	changes, ok := p.Records.(Changes)
	if !ok || at.Longitude < 0 || at.Latitude < 0 {
		return nil, nil
	}
	out := &places{Rows: rows}
	step := (min(rows, placesLooked) + maxPlaces - 1) / maxPlaces
	var found [][2]float64
	q := registry.Query{Fields: []string{d.Fields[at.Longitude].Name, d.Fields[at.Latitude].Name}}
	err := changes.Stream(ctx, d, q, func(r *registry.Record) error {
		if out.Looked == placesLooked {
			return errEnough
		}
		if out.Looked++; (out.Looked-1)%step != 0 {
			return nil
		}
		lon, east := r.Values[0].(float64)
		lat, north := r.Values[1].(float64)
		if east && north && lon != 0 && lat != 0 { // where nobody measured, many write zeros
			found = append(found, [2]float64{lon, lat})
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if len(found) < 2 {
		return nil, nil
	}
	out.draw(found)
	return out, nil
}

// draw puts the places on the map. A degree of longitude is as long as one of latitude times the cosine of it. Places that fall on the same point of the map are one dot.
func (p *places) draw(found [][2]float64) {
	p.Shown = len(found)
	p.West, p.East, p.South, p.North = found[0][0], found[0][0], found[0][1], found[0][1]
	for _, f := range found {
		p.West, p.East = min(p.West, f[0]), max(p.East, f[0])
		p.South, p.North = min(p.South, f[1]), max(p.North, f[1])
	}
	narrow := math.Cos((p.South + p.North) / 2 * math.Pi / 180)
	scale := min(600/max((p.East-p.West)*narrow, 1e-6), 360/max(p.North-p.South, 1e-6))
	seen := map[[2]int]bool{}
	var b strings.Builder
	for _, f := range found {
		dot := [2]int{int(math.Round(320 + (f[0]-(p.West+p.East)/2)*narrow*scale)), int(math.Round(200 - (f[1]-(p.South+p.North)/2)*scale))}
		if !seen[dot] {
			seen[dot] = true
			b.WriteString("M" + strconv.Itoa(dot[0]) + " " + strconv.Itoa(dot[1]) + "h0") // a line of no length with round ends
		}
	}
	p.Dots = b.String()
}

// said is what the map shows of the records.
func (p *places) said() lang.Text {
	switch {
	case p.Looked < p.Rows:
		return lang.F("레코드 %[3]s건 가운데 앞의 %[2]s건에서 고르게 뽑은 %[1]s건의 위치입니다.", "Where %[1]s records are, spread evenly over the first %[2]s of %[3]s.", components.Number(p.Shown), components.Number(p.Looked), components.Number(p.Rows))
	case p.Rows > maxPlaces:
		return lang.F("레코드 %[2]s건 가운데 전체에서 고르게 뽑은 %[1]s건의 위치입니다.", "Where %[1]s records are, spread evenly over all %[2]s.", components.Number(p.Shown), components.Number(p.Rows))
	case int64(p.Shown) < p.Rows:
		return lang.F("레코드 %[2]s건 가운데 위치가 있는 %[1]s건을 모두 나타냅니다.", "All %[1]s of %[2]s records that have a place.", components.Number(p.Shown), components.Number(p.Rows))
	}
	return lang.F("레코드 %s건을 모두 나타냅니다.", "Where all %s records are.", components.Number(p.Shown))
}

func degrees(x float64) string { return strconv.FormatFloat(x, 'f', 3, 64) + "°" }
