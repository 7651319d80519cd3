package picture

import (
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strconv"

	"changerelay/internal/dashboard"
)

// heat draws a histogram's buckets over time: one row each, darker where more is.
func (c *canvas) heat(b box, p dashboard.Panel, data [][]dashboard.Series) {
	buckets := split(data[0])
	plot := box{b.x + axis, b.y + 4, b.w - axis - 4, b.h - 22}
	c.times(plot)
	most := 0.0
	for _, one := range buckets {
		most = max(most, one.most)
	}
	h := plot.h / float64(max(len(buckets), 1))
	for i, one := range buckets {
		y := plot.y + plot.h - h*float64(i+1)
		if h > 10 || i%2 == 0 {
			c.text(plot.x-6, y+h/2+4, 10.5, end, faint, c.bound(one.bound, p.Field.Defaults.Unit))
		}
		c.cells(plot, one, most, box{y: y + 0.5, h: h - 1})
	}
}

// cells draws one bucket's row. Neighbours of one shade are one cell.
func (c *canvas) cells(plot box, one bucket, most float64, row box) {
	step, shade := c.span.Step.Seconds(), 0.0
	flush := func() {
		if shade > 0 && row.w > 0 {
			c.rect(row, warm(shade), "")
		}
		row.w = 0
	}
	for _, t := range slices.Sorted(keys(one.at)) {
		next := 0.0
		if most > 0 && one.at[t] > 0 {
			next = math.Ceil(shades*math.Sqrt(one.at[t]/most)) / shades
		}
		if from := c.x(plot, t-step); next != shade || from > row.x+row.w+1 {
			flush()
			shade, row.x = next, max(from, plot.x)
		}
		row.w = c.x(plot, t) - row.x
	}
	flush()
}

// shades are as many as an eye tells apart.
const shades = 12

// A bucket has what fell between the bound below and its own.
type bucket struct {
	bound float64
	at    map[float64]float64
	most  float64
}

// split takes from each bucket what the one below has, and leaves out those that
// stay empty at both ends.
func split(all []dashboard.Series) (buckets []bucket) {
	for _, s := range all {
		bound, err := strconv.ParseFloat(s.Labels["le"], 64)
		if err != nil {
			continue
		}
		one := bucket{bound: bound, at: map[float64]float64{}}
		for _, p := range s.Values {
			one.at[p.T] = p.V
		}
		buckets = append(buckets, one)
	}
	slices.SortFunc(buckets, func(a, b bucket) int { return int(math.Copysign(1, a.bound-b.bound)) })
	for i := len(buckets) - 1; i >= 0; i-- {
		for t, v := range buckets[i].at {
			if i > 0 {
				v -= buckets[i-1].at[t]
			}
			buckets[i].at[t] = v
			buckets[i].most = max(buckets[i].most, v)
		}
	}
	full := func(b bucket) bool { return b.most > 1e-9 }
	first := max(slices.IndexFunc(buckets, full), 0)
	for len(buckets) > first+1 && !full(buckets[len(buckets)-1]) {
		buckets = buckets[:len(buckets)-1]
	}
	return buckets[min(first, len(buckets)):]
}

func (c *canvas) bound(v float64, unit string) string {
	if math.IsInf(v, 1) {
		return "more"
	}
	return c.figure(v, unit, nil)
}

// warm is from pale to dark orange, for 0 to 1.
func warm(v float64) string {
	mix := func(a, b float64) int { return int(a + (b-a)*v) }
	return fmt.Sprintf("#%02x%02x%02x", mix(253, 178), mix(232, 60), mix(205, 5))
}

func keys(m map[float64]float64) iter.Seq[float64] { return maps.Keys(m) }
