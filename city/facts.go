package city

import (
	"embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed facts
var facts embed.FS

// table reads a table of the folder facts into rows of column → text. The tables are part of the program, so a broken one
// is a fault of the build: it panics.
func table(name string) []map[string]string {
	text, err := facts.ReadFile("facts/" + name)
	if err != nil {
		panic("city: " + err.Error())
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		panic("city: " + name + ": " + err.Error())
	}
	out := make([]map[string]string, 0, len(rows)-1)
	for _, row := range rows[1:] {
		m := make(map[string]string, len(row))
		for i, cell := range row {
			m[rows[0][i]] = cell
		}
		out = append(out, m)
	}
	return out
}

func number(row map[string]string, column string) float64 {
	n, err := strconv.ParseFloat(row[column], 64)
	if err != nil {
		panic(fmt.Sprintf("city: column %s: %v", column, err))
	}
	return n
}

// place is one of the 25 districts. Its position is that of the district's office, to three decimals.
type place struct {
	code, statistics, institution string
	ko, en                        string
	neighbourhoods                int64
	people, households            float64 // thousands, registered
	alone                         float64 // one-person households
	older                         float64 // percent of 65 and older
	income                        float64 // index, 1 = the city
	latitude, longitude           float64
}

var places = sync.OnceValue(func() []place {
	var out []place
	for _, r := range table("districts.csv") {
		out = append(out, place{
			code: r["admin_code"], statistics: r["statistics_code"], institution: r["institution_code"], ko: r["name_ko"], en: r["name_en"],
			neighbourhoods: int64(number(r, "neighbourhoods")), people: number(r, "population_thousand"), households: number(r, "households_thousand"),
			alone: number(r, "one_person_households"), older: number(r, "share_older_percent"), income: number(r, "income_index"),
			latitude: number(r, "latitude"), longitude: number(r, "longitude"),
		})
	}
	return out
})

// choice draws an index by weight.
type choice []float64 // cumulative, the last is 1

func newChoice(weights []float64) choice {
	out, sum := make(choice, len(weights)), 0.0
	for i, w := range weights {
		sum += w
		out[i] = sum
	}
	for i := range out {
		out[i] /= sum
	}
	if len(out) > 0 {
		out[len(out)-1] = 1
	}
	return out
}

// at returns the index whose share of [0, 1) holds u.
func (c choice) at(u float64) int {
	low, high := 0, len(c)-1
	for low < high {
		middle := (low + high) / 2
		if u < c[middle] {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}
