package main

import (
	"slices"
	"time"

	"github.com/maru-city/maru/city"
	"github.com/maru-city/maru/engine/clock"
	"github.com/maru-city/maru/manifest"
	"github.com/maru-city/maru/service"
)

// sampled is how many made-up residents the clauses of services are tried on.
const sampled = 3000

// sample makes those residents: the same ones in every city, as they are on a day.
func sample(now time.Time) *service.Sample {
	people := city.People(1, sampled, now)
	var all []service.Records
	for _, d := range people.Datasets() {
		if slices.Contains(d.Columns, "person") {
			all = append(all, service.Records{Dataset: d.Dataset, Columns: d.Columns, Person: "person", Rows: d.Rows})
		}
	}
	return service.NewSample(manifest.Day(now.In(clock.Seoul).Format(time.DateOnly)), all...)
}
