package manifest

import "encoding/json"

// validGeometry reports whether s is a GeoJSON geometry (RFC 7946, section 3.1) as far as its outer form goes.
func validGeometry(s string) bool {
	var g struct {
		Type        string          `json:"type"`
		Coordinates json.RawMessage `json:"coordinates"`
		Geometries  json.RawMessage `json:"geometries"`
	}
	if json.Unmarshal([]byte(s), &g) != nil {
		return false
	}
	switch g.Type {
	case "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon":
		return len(g.Coordinates) > 0 && g.Coordinates[0] == '['
	case "GeometryCollection":
		return len(g.Geometries) > 0 && g.Geometries[0] == '['
	}
	return false
}
