package infer

import (
	"regexp"

	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/manifest"
)

var (
	latitudeHeader  = regexp.MustCompile(`위도|latitude|^lat$|lat$|^y_?wgs84|ycrd`)
	longitudeHeader = regexp.MustCompile(`경도|longitude|^lon$|^lng$|^lot$|lng$|lon$|xcrd`)
	planeX          = regexp.MustCompile(`x좌표|좌표.*x|^x$|^xcode|좌표x|tmx`)
	planeY          = regexp.MustCompile(`y좌표|좌표.*y|^y$|^ycode|좌표y|tmy`)
)

// Ranges in which coordinates of places in Korea (degrees) and in Seoul (metres of plane systems) lie. The plane
// systems differ in their false northing: 600,000 m from the equator's 38th parallel in EPSG:5186, 500,000 m in 5174,
// 5181 and 2097, 2,000,000 m in 5179; between 5174 and 2097 a range can't tell.
var planes = []struct {
	lowX, highX, lowY, highY float64
	name                     string
}{
	{170_000, 225_000, 532_000, 572_000, "EPSG:5186"},
	{170_000, 225_000, 432_000, 472_000, "EPSG:5174 · 2097 · 5181"},
	{930_000, 980_000, 1_930_000, 1_980_000, "EPSG:5179"},
}

// coordinateDoubts says which columns are coordinates, of which system, and what is odd about them.
func coordinateDoubts(columns []*column, fields map[*column]*field) {
	var x, y *column
	for _, c := range columns {
		f := fields[c]
		if f == nil || (f.kind != manifest.Double && f.kind != manifest.Int) || c.low > c.high {
			continue
		}
		label := fold(c.label())
		switch {
		case latitudeHeader.MatchString(label) && !within(c, 32, 40) && within(c, -180, 180):
			f.say(degrees(c, 33, 39, lang.T("위도", "latitude")))
		case longitudeHeader.MatchString(label) && !within(c, 123, 133) && within(c, -180, 180):
			f.say(degrees(c, 124, 132, lang.T("경도", "longitude")))
		}
		if planeX.MatchString(label) || (longitudeHeader.MatchString(label) && c.high > 1_000) {
			x = c
		}
		if planeY.MatchString(label) || (latitudeHeader.MatchString(label) && c.high > 1_000) {
			y = c
		}
	}
	if x == nil || y == nil || fields[x] == nil || fields[y] == nil {
		return
	}
	if within(x, 124, 132) && within(y, 33, 39) {
		fields[x].say(doubt("coordinates", lang.T("경도입니다 (WGS84)", "longitude (WGS 84)")))
		fields[y].say(doubt("coordinates", lang.T("위도입니다 (WGS84)", "latitude (WGS 84)")))
		return
	}
	for _, p := range planes {
		if mostly(x, p.lowX, p.highX) && mostly(y, p.lowY, p.highY) {
			for _, c := range []*column{x, y} {
				fields[c].say(doubt("plane", lang.F("경위도가 아니라 평면좌표(TM, 미터)입니다. 값의 범위로 보아 %s 계열입니다. 지도에 쓰기 전에 변환하십시오", "metres of a plane system (TM), not degrees; by its range %s. Convert it before it goes on a map", p.name)))
			}
			return
		}
	}
	if x.high > 1_000 && y.high > 1_000 {
		fields[x].say(doubt("plane", lang.T("경위도가 아니라 평면좌표(미터)입니다. 서울 밖의 값도 있어 어느 좌표계인지 범위로는 알 수 없습니다", "metres of a plane system, not degrees; with places outside Seoul its range doesn't tell which")))
	}
}

func within(c *column, low, high float64) bool { return c.low >= low && c.high <= high }

// mostly reports whether the values kept as text lie in a range, but for one in twenty.
func mostly(c *column, low, high float64) bool {
	in, all := 0, 0
	for v, n := range c.distinct {
		if f, ok := manifest.Double.Parse(v); ok && f != nil {
			all += n
			if number := f.(float64); number >= low && number <= high {
				in += n
			}
		}
	}
	return all > 0 && in*20 >= all*19
}

// degrees says what a column of degrees has that Korea hasn't.
func degrees(c *column, low, high float64, what lang.Text) Doubt {
	out := 0
	for v, n := range c.distinct {
		if f, ok := manifest.Double.Parse(v); ok && f != nil && (f.(float64) < low || f.(float64) > high) {
			out += n
		}
	}
	return doubt("outside", lang.F("한국의 %s 범위를 벗어난 값이 있습니다 (%g–%g, 확인한 값 가운데 %s개). 0이거나 위도와 경도가 바뀌었을 수 있습니다",
		"there are values outside Korea's %s (%g to %g, %s of those seen): zeros, or latitude and longitude in each other's place", what, c.low, c.high, grouped(out)))
}
