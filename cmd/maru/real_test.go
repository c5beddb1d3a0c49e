package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/lang"
	"github.com/maru-city/maru/infer"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/tabular"
)

// realFolder is the open data beside the repository.
const realFolder = "../../../shared/data"

// realFiles are what becomes of the rows of each real file on its way through infer, plan, apply and import: new records, rows that are there
// already (the same row again), rows that can't be records.
var realFiles = []struct {
	name                        string
	loaded, unchanged, rejected int64
}{
	{"air_daily_2019.csv", 17745, 0, 0},
	{"animal_hospitals.json", 2188, 0, 0},
	{"apartment_rents_2016_08.csv", 5129, 99, 0},
	{"bike_district_monthly.json", 2184, 0, 0},
	{"bike_rentals_sample.csv", 999, 0, 0},
	{"bike_stations.csv", 2799, 0, 0},
	{"births_marriages_by_region.csv", 590, 0, 0},
	{"bus_ridership_2021_01.csv", 110, 0, 0},
	{"cctv_by_district.csv", 25, 0, 0},
	{"consumer_cases_2021.csv", 652, 0, 6}, // rows with stray quotes and commas
	{"cooling_shelters.csv", 4133, 0, 0},
	{"crime_by_police_station.csv", 31, 0, 0},
	{"cultural_events.csv", 3586, 0, 0},
	{"cultural_facilities.csv", 834, 0, 0},
	{"district_metrics.json", 25, 0, 0},
	{"districts.geojson", 25, 0, 0},
	{"entertainment_licences.csv", 1749, 0, 0},
	{"legal_dong_codes.csv", 1112, 0, 0},
	{"legal_dong_history.csv", 1112, 0, 0},
	{"libraries_standard.csv", 1692, 41, 23}, // rows that stray commas shifted
	{"living_population.csv", 464, 0, 0},
	{"metro_crowding_2013.xlsx", 123, 0, 0},
	{"museums.csv", 42, 0, 0},
	{"national_budget_2023.csv", 9074, 0, 0},
	{"neighbourhoods.geojson", 424, 0, 0},
	{"neighbourhoods_two_codes.geojson", 425, 0, 0},
	{"one_person_households.xlsx", 25, 0, 0},
	{"openapi_city_air.json", 2, 0, 0},
	{"openapi_cultural_events.json", 1, 0, 0},
	{"openapi_parks.json", 2, 0, 0},
	{"pet_households.xlsx", 78, 0, 0},
	{"population_by_district.xls", 26, 0, 0},
	{"postnatal_centres.csv", 475, 0, 0},
	{"public_data_catalog_seoul.csv", 5230, 0, 0},
	{"regions.csv", 426, 0, 0},
	{"restrooms.csv", 5027, 19, 0}, // the 19 that stand twice
	{"safety_bells.xlsx", 21091, 0, 0},
	{"sensor_data_sample.csv", 23, 0, 0},
	{"sensor_locations.csv", 851, 0, 0},
	{"standard_domains.json", 123, 0, 0},
	{"standard_terms_2020_12.xlsx", 535, 0, 0},
	{"standard_terms_2025_11.csv", 13171, 0, 0},
	{"subway_stations.csv", 276, 0, 0},
	{"welfare_facilities.csv", 3122, 0, 0},
	{"youth_policies.xlsx", 525, 0, 0},
}

// startServer runs a server in this process and returns a client of it.
func startServer(t *testing.T) *client {
	t.Helper()
	return started(t, func(*config) {})
}

// started runs a server by settings that change makes others.
func started(t *testing.T, change func(*config)) *client {
	t.Helper()
	slog.SetDefault(slog.New(slog.DiscardHandler))
	dir := t.TempDir()
	settings := config{Data: dir, Database: filepath.Join(dir, "maru.db"), Keys: filepath.Join(dir, "keys"), Log: "test/log"}
	change(&settings)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := open(t.Context(), settings, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if settings.Demo {
		if err := s.settle(t.Context(), settings, func(lang.Text) {}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.serve(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			t.Error(err)
		}
	})
	c, err := newClient("http://"+l.Addr().String(), lang.En)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// applied plans and applies manifests.
func applied(t *testing.T, c *client, files map[string]string) {
	t.Helper()
	p := planned(t, c, files)
	if manifest.HasErrors(p.Findings) {
		t.Fatalf("%+v", p.Findings)
	}
	if len(p.Changes) == 0 {
		t.Fatal("nothing would change")
	}
	var done struct {
		Revision int64 `json:"revision"`
	}
	if err := c.call(t.Context(), "POST", "/plans/"+p.ID+"/apply", map[string]string{}, &done); err != nil {
		t.Fatal(err)
	}
}

// imported brings a file into a dataset.
func imported(t *testing.T, c *client, dataset listed, path string) importState {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	u := &uploading{client: c, out: io.Discard, file: f}
	s, err := u.run(t.Context(), dataset, false)
	if err != nil {
		t.Fatal(err)
	}
	if s.State != "done" {
		t.Fatalf("%+v", s)
	}
	return s
}

func TestRealFilesGoAllTheWay(t *testing.T) {
	if _, err := os.Stat(realFolder); err != nil {
		t.Skip("the real data aren't beside the repository: ", err)
	}
	there, err := filepath.Glob(filepath.Join(realFolder, "*.*"))
	if err != nil || len(there)-1 != len(realFiles) { // README.md is among them
		t.Errorf("%d of %d files are tried: %v", len(realFiles), len(there)-1, err)
	}
	c := startServer(t)
	applied(t, c, city.Manifests())
	terms, err := c.terms(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range realFiles {
		t.Run(f.name, func(t *testing.T) {
			path := filepath.Join(realFolder, f.name)
			project := "real-" + strings.ReplaceAll(strings.TrimSuffix(f.name, filepath.Ext(f.name)), "_", "-")
			d, err := draftFile(path, tabular.Options{}, infer.Options{Terms: terms, Project: true, Folder: project})
			if err != nil {
				t.Fatal(err)
			}
			applied(t, c, map[string]string{"draft.yaml": string(d.YAML(lang.En))})
			at := listed{Project: d.Project, Name: d.Name}
			s := imported(t, c, at, path)
			if s.Loaded != f.loaded || s.Unchanged != f.unchanged || s.Rejected != f.rejected || s.Changed != 0 || s.Rows != f.loaded+f.unchanged+f.rejected {
				t.Errorf("%d loaded, %d changed, %d unchanged, %d rejected of %d; want %+v", s.Loaded, s.Changed, s.Unchanged, s.Rejected, s.Rows, f)
			}
			again := imported(t, c, at, path)
			if again.Loaded != 0 || again.Changed != 0 || again.Rejected != s.Rejected || again.Unchanged != s.Loaded+s.Unchanged {
				t.Errorf("the same file again: %+v", again)
			}
		})
	}
}
