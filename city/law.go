package city

import (
	"strconv"
	"sync"

	"github.com/maru-city/maru/manifest"
)

// law is the dated values of the city's parameters (manifests/city-standards/parameters.yaml) on one day, in KRW a month.
type law struct {
	median          [sizes + 1]float64 // by household size; [0] is unused
	pensionFull     int64
	pensionSingle   float64
	pensionCouple   float64
	workDeduction   float64
	pensionAssets   float64 // basic assets left out
	livelihoodBasic float64
}

var parameters = sync.OnceValue(func() map[string]*manifest.Parameter {
	files := Manifests()
	set, findings := manifest.Parse(map[string]string{
		"city-standards/project.yaml":    files["city-standards/project.yaml"],
		"city-standards/parameters.yaml": files["city-standards/parameters.yaml"],
	}, nil)
	if len(findings) > 0 {
		panic("city: parameters: " + findings[0].Message.Ko)
	}
	out := map[string]*manifest.Parameter{}
	for _, r := range set.Resources {
		if p, ok := r.Spec.(*manifest.Parameter); ok {
			out[r.Name] = p
		}
	}
	return out
})

// on is a parameter's value in force on a day; before its first day, the first value.
func on(name string, day manifest.Day) manifest.ParameterValue {
	values := parameters()[name].Sorted()
	in := values[0]
	for _, v := range values {
		if v.From <= day {
			in = v
		}
	}
	return in
}

func lawOn(day manifest.Day) law {
	l := law{
		pensionFull:     int64(*on("basic-pension-full", day).Value),
		pensionSingle:   on("basic-pension-threshold", day).Table["single"],
		pensionCouple:   on("basic-pension-threshold", day).Table["couple"],
		workDeduction:   *on("basic-pension-work-deduction", day).Value,
		pensionAssets:   *on("basic-assets-deduction-pension", day).Value,
		livelihoodBasic: *on("basic-assets-deduction-livelihood", day).Value,
	}
	median := on("median-income", day)
	for n := 1; n <= sizes; n++ {
		l.median[n] = median.Table[strconv.Itoa(n)]
	}
	return l
}
