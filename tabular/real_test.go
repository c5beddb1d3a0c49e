package tabular

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// realFiles are the files of the open data beside the repository: what is found in each.
var realFiles = []struct {
	name, form, encoding string
	columns, header      int
	skip, rows, faults   int
}{
	{"air_daily_2019.csv", "csv", "cp949", 8, 1, 0, 17745, 0},
	{"animal_hospitals.json", "json", "utf-8", 30, 0, 0, 2188, 0},
	{"apartment_rents_2016_08.csv", "csv", "utf-8", 11, 0, 0, 5228, 0}, // and a line of one space
	{"bike_district_monthly.json", "json", "utf-8", 3, 0, 0, 2184, 0},
	{"bike_rentals_sample.csv", "csv", "utf-8", 17, 1, 0, 999, 0},
	{"bike_stations.csv", "csv", "utf-8", 5, 1, 0, 2799, 0},
	{"births_marriages_by_region.csv", "csv", "utf-8", 13, 1, 0, 590, 0},
	{"bus_ridership_2021_01.csv", "csv", "utf-8", 52, 1, 0, 110, 0},
	{"cctv_by_district.csv", "csv", "utf-8", 6, 1, 0, 25, 0},
	{"consumer_cases_2021.csv", "csv", "utf-8", 4, 1, 0, 658, 6}, // stray quotes; readers that trust them see 568
	{"cooling_shelters.csv", "csv", "utf-8", 18, 1, 0, 4133, 0},
	{"crime_by_police_station.csv", "csv", "cp949", 11, 1, 0, 31, 0},
	{"cultural_events.csv", "csv", "utf-8", 15, 1, 0, 3586, 0},
	{"cultural_facilities.csv", "csv", "utf-8", 12, 1, 0, 834, 0},
	{"district_metrics.json", "json", "utf-8", 5, 0, 0, 25, 0},
	{"districts.geojson", "geojson", "utf-8", 5, 0, 0, 25, 0},
	{"entertainment_licences.csv", "csv", "cp949", 44, 1, 0, 1749, 0},
	{"legal_dong_codes.csv", "csv", "utf-8", 4, 1, 0, 1112, 0},
	{"legal_dong_history.csv", "csv", "utf-8", 9, 1, 0, 1112, 0},
	{"libraries_standard.csv", "csv", "cp949", 32, 1, 0, 1756, 0}, // cells quoted twice
	{"living_population.csv", "csv", "utf-8", 10, 1, 0, 464, 0},
	{"metro_crowding_2013.xlsx", "xlsx", "", 23, 1, 2, 123, 0},
	{"museums.csv", "csv", "cp949", 13, 1, 0, 42, 0},
	{"national_budget_2023.csv", "csv", "utf-8", 13, 1, 0, 9074, 0},
	{"neighbourhoods.geojson", "geojson", "utf-8", 3, 0, 0, 424, 0},
	{"neighbourhoods_two_codes.geojson", "geojson", "utf-8", 9, 0, 0, 425, 0},
	{"one_person_households.xlsx", "xlsx", "", 4, 1, 0, 25, 0},
	{"openapi_city_air.json", "json", "utf-8", 12, 0, 0, 2, 0},
	{"openapi_cultural_events.json", "json", "utf-8", 11, 0, 0, 1, 0},
	{"openapi_parks.json", "json", "utf-8", 20, 0, 0, 2, 0},
	{"pet_households.xlsx", "xlsx", "", 12, 3, 0, 78, 0},
	{"population_by_district.xls", "xls", "", 14, 3, 0, 26, 0},
	{"postnatal_centres.csv", "csv", "utf-8", 27, 1, 0, 475, 0},
	{"public_data_catalog_seoul.csv", "csv", "utf-8", 13, 1, 0, 5230, 0},
	{"regions.csv", "csv", "utf-8", 13, 1, 0, 426, 0},
	{"restrooms.csv", "csv", "utf-8", 4, 1, 0, 5046, 0},
	{"safety_bells.xlsx", "xlsx", "", 23, 1, 0, 21091, 0},
	{"sensor_data_sample.csv", "csv", "utf-8", 3, 1, 0, 23, 0},
	{"sensor_locations.csv", "csv", "utf-8", 3, 1, 0, 851, 0},
	{"standard_domains.json", "json", "utf-8", 6, 0, 0, 123, 0},
	{"standard_terms_2020_12.xlsx", "xlsx", "", 10, 1, 0, 535, 0},
	{"standard_terms_2025_11.csv", "csv", "utf-8", 10, 1, 0, 13171, 0},
	{"subway_stations.csv", "csv", "cp949", 7, 1, 0, 276, 0},
	{"welfare_facilities.csv", "csv", "utf-8", 11, 1, 0, 3122, 0},
	{"youth_policies.xlsx", "xlsx", "", 29, 1, 0, 525, 0},
}

const realFolder = "../../shared/data"

func TestRealFilesAreReadAsTheyAre(t *testing.T) {
	there, err := filepath.Glob(filepath.Join(realFolder, "*.*"))
	if err != nil || len(there) == 0 {
		t.Skip("the real data aren't beside the repository")
	}
	for _, path := range there {
		known := slices.ContainsFunc(realFiles, func(f struct {
			name, form, encoding string
			columns, header      int
			skip, rows, faults   int
		},
		) bool {
			return f.name == filepath.Base(path)
		})
		if !known && filepath.Base(path) != "README.md" {
			t.Errorf("%s isn't tried", filepath.Base(path))
		}
	}
	for _, f := range realFiles {
		t.Run(f.name, func(t *testing.T) {
			path := filepath.Join(realFolder, f.name)
			if _, err := os.Stat(path); err != nil {
				t.Skip(err)
			}
			tab, err := OpenFile(path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer tab.Close()
			rows, faults, line := 0, 0, 0
			for row, err := range tab.Rows() {
				if err != nil {
					t.Fatal(err)
				}
				if row.Line <= line {
					t.Fatalf("line %d after %d", row.Line, line)
				}
				line = row.Line
				if rows++; !row.Fault.Empty() {
					faults++
				} else if len(row.Cells) != len(tab.Columns) {
					t.Fatalf("line %d has %d cells", row.Line, len(row.Cells))
				}
			}
			if tab.Form != f.form || tab.Encoding != f.encoding || len(tab.Columns) != f.columns || tab.Header != f.header || tab.Skip != f.skip || rows != f.rows || faults != f.faults {
				t.Errorf("%s %s: %d columns, header %d, skip %d, %d rows, %d faults; want %+v", tab.Form, tab.Encoding, len(tab.Columns), tab.Header, tab.Skip, rows, faults, f)
			}
		})
	}
}
