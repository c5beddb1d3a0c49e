package city

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

var fit = flag.Bool("fit", false, "fit facts/heads.csv and facts/sexes.csv to the published shares again")

// ageTargets are shares of people in percent and, for bands of ten years, of men among them (published, rounded).
var ageTargets = [9]struct{ people, men float64 }{{5.3, 51.2}, {7.6, 51.4}, {14.0, 47.6}, {15.3, 49.6}, {14.8, 49.3}, {15.6, 49.0}, {14.2, 47.6}, {8.5, 45.4}, {4.7, 38.6}}

// birthOrders are shares of births by order: first, second, later.
var birthOrders = [3]float64{66, 28, 6}

const (
	olderTarget  = 20.0   // 65 and older, percent of people
	youngTarget  = 30.5   // 19–39
	birthsTarget = 0.489  // births in a year, percent of people: 45,500 of 9.3 million
	loneTarget   = 6.25   // one-parent households, percent of households: 260,000 of 4.16 million
	aloneYoung   = 0.49   // of people alone, 19–39
	aloneOld     = 0.21   // of people alone, 65 and older
	fitSample    = 2000   // households made of each cell to learn what they hold
	fitRounds    = 400    // Newton steps
	leastWeight  = 0.0001 // a cell with less is left out
)

// forms of each size before the fit, in percent of the size (assumed).
var priorForms = map[int]map[form]float64{
	1: {onePerson: 100},
	2: {couple: 58, singleParent: 26, siblings: 8, others: 8},
	3: {coupleChildren: 76, singleParent: 15, threeGenerations: 6, siblings: 3},
	4: {coupleChildren: 86, singleParent: 3, threeGenerations: 11},
	5: {coupleChildren: 60, threeGenerations: 40},
	6: {coupleChildren: 25, threeGenerations: 75},
	7: {threeGenerations: 100},
}

// features of a household: its people in bands 0–9, 10–19 … 80+; 65+, 19–39, first children of the last two years; one-parent, young alone,
// old alone; second and later children of the last two years.
const features = 9 + 3 + 3 + 2

// TestFit fits how many households of each size have which form and which age of the head, so that the ages of all people come out as
// published: the least change (relative entropy) from the prior. It writes nothing without -fit.
func TestFit(t *testing.T) {
	if !*fit {
		t.Skip("run with -fit to fit again")
	}
	var even [9]float64
	for i := range even {
		even[i] = 0.5
	}
	asOf := civil(2026, 11, 24)
	type sample struct {
		cell
		prior float64
		mean  [features]float64
		fixed [9][2]float64 // people whose sex the form decides: women, men
		free  [9]float64
	}
	var samples []sample
	r := rand.New(rand.NewPCG(1, 1))
	for size := 1; size <= sizes; size++ {
		for f := onePerson; f < forms; f++ {
			share := priorForms[size][f]
			for band := range bands {
				c := cell{size, f, band}
				if share == 0 || !c.possible() {
					continue
				}
				s := sample{cell: c, prior: share / 100 * sizeShares[size-1] / 100 * priorAge(c)}
				for range fitSample {
					people := make([]person, size)
					h := &household{people: people}
					c.fill(h, r, asOf, &even)
					for i := range people {
						p, age := &people[i], people[i].age
						at := min(int(age)/10, 8)
						s.mean[at] += 1.0 / fitSample
						if age >= 65 {
							s.mean[9] += 1.0 / fitSample
						}
						if age >= 19 && age < 40 {
							s.mean[10] += 1.0 / fitSample
						}
						if age < 2 {
							order := 0
							for j := range people {
								if o := &people[j]; o.role == child && p.role == child && o.birth < p.birth {
									order = min(order+1, 2)
								}
							}
							s.mean[[3]int{11, 15, 16}[order]] += 0.5 / fitSample
						}
						sex := 0
						if p.male {
							sex = 1
						}
						if p.spouse != nil || f == singleParent && i == 0 || p.role == parent || f == threeGenerations && i == 0 {
							s.fixed[at][sex] += 1.0 / fitSample
						} else {
							s.free[at] += 1.0 / fitSample
						}
					}
				}
				if f == singleParent {
					s.mean[12] = 1
				}
				if size == 1 {
					s.mean[13], s.mean[14] = b2f(band <= 3), b2f(band >= 9)
				}
				samples = append(samples, s)
			}
		}
	}
	perHousehold := 0.0
	for i, s := range sizeShares {
		perHousehold += s / 100 * float64(i+1)
	}
	var target [features]float64
	for i, a := range ageTargets {
		target[i] = a.people / 100 * perHousehold
	}
	target[9], target[10] = olderTarget/100*perHousehold, youngTarget/100*perHousehold
	for i, share := range birthOrders {
		target[[3]int{11, 15, 16}[i]] = share / 100 * birthsTarget / 100 * perHousehold
	}
	target[12] = loneTarget / 100
	target[13], target[14] = aloneYoung*sizeShares[0]/100, aloneOld*sizeShares[0]/100

	// The dual: weights prior × exp(λ·mean), normalised within each size, with damped Newton steps.
	weights := make([]float64, len(samples))
	var lambda [features]float64
	for round := range fitRounds {
		var sum [sizes]float64
		for i := range samples {
			e := 0.0
			for k := range lambda {
				e += lambda[k] * samples[i].mean[k]
			}
			weights[i] = samples[i].prior * math.Exp(e)
			sum[samples[i].size-1] += weights[i]
		}
		var got [features]float64
		var bySize [sizes][features]float64
		var hessian [features][features]float64
		for i := range samples {
			s := samples[i].size - 1
			weights[i] *= sizeShares[s] / 100 / sum[s]
			for k, m := range samples[i].mean {
				got[k] += weights[i] * m
				bySize[s][k] += weights[i] * m
				for l, n := range samples[i].mean {
					hessian[k][l] += weights[i] * m * n
				}
			}
		}
		var gap [features]float64
		worst := 0.0
		for k := range gap {
			gap[k] = target[k] - got[k]
			worst = max(worst, math.Abs(gap[k])/target[k])
			for l := range gap {
				for s := range bySize {
					hessian[k][l] -= bySize[s][k] * bySize[s][l] / (sizeShares[s] / 100)
				}
			}
			hessian[k][k] += 1e-6
		}
		if round == fitRounds-1 || worst < 1e-6 {
			t.Logf("round %d: largest relative gap %.2g", round, worst)
			break
		}
		step := solve(hessian, gap)
		for k := range lambda {
			lambda[k] += max(min(step[k], 1), -1)
		}
	}

	var b strings.Builder
	b.WriteString("size,form,band,weight\n")
	var fixed [9][2]float64
	var free [9]float64
	for i, s := range samples {
		if w := weights[i] / (sizeShares[s.size-1] / 100); w >= leastWeight {
			fmt.Fprintf(&b, "%d,%s,%d,%.5f\n", s.size, formCodes[s.form], s.band, w)
		}
		for at := range free {
			fixed[at][0] += weights[i] * s.fixed[at][0]
			fixed[at][1] += weights[i] * s.fixed[at][1]
			free[at] += weights[i] * s.free[at]
		}
	}
	write(t, "facts/heads.csv", b.String())
	b.Reset()
	b.WriteString("band,men\n")
	for at := range free {
		all := fixed[at][0] + fixed[at][1] + free[at]
		men := (ageTargets[at].men/100*all - fixed[at][1]) / free[at]
		t.Logf("band %d: %.3f of the free are men", at, men)
		fmt.Fprintf(&b, "%d,%.4f\n", at*10, max(min(men, 0.97), 0.03))
	}
	write(t, "facts/sexes.csv", b.String())
}

// priorAge spreads the heads of a form over the bands before the fit (assumed): a broad hump, and fewer couples among the oldest.
func priorAge(c cell) float64 {
	middle := map[form]float64{onePerson: 4, couple: 8, coupleChildren: 6, singleParent: 7, threeGenerations: 6, siblings: 1, others: 4}[c.form]
	d := (float64(c.band) - middle) / 4
	widowed := 1.0
	if c.form == couple || c.form == coupleChildren {
		widowed = [bands]float64{10: 0.8, 11: 0.5, 12: 0.22, 13: 0.1}[c.band]
		if c.band < 10 {
			widowed = 1
		}
	}
	return math.Exp(-d*d/2) * widowed
}

func b2f(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// solve solves a·x = y by elimination with pivots.
func solve(a [features][features]float64, y [features]float64) (x [features]float64) {
	for c := range y {
		p := c
		for i := c; i < features; i++ {
			if math.Abs(a[i][c]) > math.Abs(a[p][c]) {
				p = i
			}
		}
		a[c], a[p], y[c], y[p] = a[p], a[c], y[p], y[c]
		for i := c + 1; i < features; i++ {
			f := a[i][c] / a[c][c]
			for j := c; j < features; j++ {
				a[i][j] -= f * a[c][j]
			}
			y[i] -= f * y[c]
		}
	}
	for i := features - 1; i >= 0; i-- {
		x[i] = y[i]
		for j := i + 1; j < features; j++ {
			x[i] -= a[i][j] * x[j]
		}
		x[i] /= a[i][i]
	}
	return x
}
