package registry

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/maru-city/maru/catalog"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/engine/problem"
	"github.com/maru-city/maru/manifest"
)

// Place says which of a dataset's fields say where something is: a geometry, or a longitude and a latitude in degrees of WGS 84; -1 for none.
type Place struct{ Geometry, Longitude, Latitude int }

// Any reports whether there is a place.
func (p Place) Any() bool { return p.Geometry >= 0 || p.Longitude >= 0 && p.Latitude >= 0 }

// PlaceOf finds them by type, by the term that a field cites, or by its name.
func PlaceOf(fields []*catalog.Field) Place {
	named := func(names ...string) int {
		return slices.IndexFunc(fields, func(f *catalog.Field) bool {
			if f.Type != manifest.Double {
				return false
			}
			called := []string{strings.ToLower(f.Name), f.Label().Ko}
			if f.Cites != nil {
				called = append(called, strings.ToLower(f.Cites.Name), f.Cites.Title.Ko)
			}
			return slices.ContainsFunc(called, func(c string) bool { return slices.Contains(names, c) })
		})
	}
	return Place{
		Geometry:  slices.IndexFunc(fields, func(f *catalog.Field) bool { return f.Type == manifest.Geometry }),
		Longitude: named("longitude", "lon", "lng", "lot", "경도"), Latitude: named("latitude", "lat", "위도"),
	}
}

// PlaceIn is the place of all fields of a dataset.
func PlaceIn(d *catalog.Dataset) Place {
	fields := make([]*catalog.Field, len(d.Fields))
	for i := range d.Fields {
		fields[i] = &d.Fields[i]
	}
	return PlaceOf(fields)
}

// features writes a FeatureCollection (GeoJSON, RFC 7946): a record without a place is a feature without a geometry.
type features struct {
	w     io.Writer
	buf   bytes.Buffer
	place Place
	n     int
}

func newFeatures(w io.Writer, fields []*catalog.Field) recordWriter {
	f := &features{w: w, place: PlaceOf(fields)}
	f.buf.WriteString(`{"type":"FeatureCollection","features":[`)
	return f
}

func (f *features) Write(r *Record) error {
	if !f.place.Any() {
		return f.none()
	}
	if f.n++; f.n > 1 {
		f.buf.WriteByte(',')
	}
	f.buf.WriteString("\n{\"type\":\"Feature\",\"geometry\":")
	var fields []*catalog.Field
	var values []any
	for i, own := range r.Fields {
		if i != f.place.Geometry {
			fields, values = append(fields, own), append(values, r.Values[i])
		}
	}
	if err := f.geometry(r); err != nil {
		return err
	}
	f.buf.WriteString(`,"properties":{`)
	if err := writeMembers(&f.buf, fields, values); err != nil {
		return err
	}
	f.buf.WriteString("}}")
	if f.buf.Len() < flushBytes {
		return nil
	}
	_, err := f.buf.WriteTo(f.w)
	return err
}

func (f *features) geometry(r *Record) error {
	if f.place.Geometry >= 0 {
		text, _ := r.Values[f.place.Geometry].(string)
		if text == "" {
			text = "null"
		}
		f.buf.WriteString(text)
		return nil
	}
	lon, east := r.Values[f.place.Longitude].(float64)
	lat, north := r.Values[f.place.Latitude].(float64)
	if !east || !north {
		f.buf.WriteString("null")
		return nil
	}
	point, err := json.Marshal(map[string]any{"type": "Point", "coordinates": []float64{lon, lat}})
	f.buf.Write(point)
	return err
}

func (f *features) none() error {
	return problem.New("download.place", 422, lang.T("위치 항목이 없어 GeoJSON으로 내려받을 수 없습니다", "no field says where things are, so there is no GeoJSON of it")).
		Hinting(lang.T("CSV나 JSON으로 내려받으십시오", "take CSV or JSON"))
}

func (f *features) Close() error {
	if !f.place.Any() {
		return f.none()
	}
	f.buf.WriteString("\n]}\n")
	_, err := f.buf.WriteTo(f.w)
	return err
}
