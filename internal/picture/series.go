package picture

import (
	"cmp"
	"math"
	"slices"
	"time"

	"changerelay/internal/dashboard"
)

// A curve is a series of a panel.
type curve struct {
	name, color string
	at          map[float64]float64 // value by time
	most        float64
}

func curves(p dashboard.Panel, data [][]dashboard.Series) (all []curve) {
	for i, target := range data {
		for _, s := range target {
			c := curve{name: p.Targets[i].Name(s), color: lines[len(all)%len(lines)], at: map[float64]float64{}}
			for _, point := range s.Values {
				if !math.IsNaN(point.V) && !math.IsInf(point.V, 0) {
					c.at[point.T] = point.V
					c.most = max(c.most, point.V)
				}
			}
			all = append(all, c)
		}
	}
	return all
}

const (
	axis   = 58.0 // width of the labels on the left
	legend = 15.0 // height of a line of the legend
)

func (c *canvas) series(b box, p dashboard.Panel, data [][]dashboard.Series) {
	all := curves(p, data)
	rows := c.legend(box{b.x, b.y + b.h, b.w, 2 * legend}, all)
	plot := box{b.x + axis, b.y + 4, b.w - axis - 4, b.h - 4 - 16 - legend*float64(rows)}
	stacked := p.Field.Defaults.Custom.Stacking.Mode == "normal"
	top := c.top(p, all, stacked)
	c.grid(plot, p, top)
	floor := map[float64]float64{}
	for _, one := range all {
		if !stacked {
			floor = map[float64]float64{}
		}
		if one.most > 0 || !stacked { // nothing lies on nothing
			c.curve(plot, one, floor, top, stacked)
		}
	}
	c.limits(plot, p, top)
}

// top is the highest value that has to fit, on a round number.
func (c *canvas) top(p dashboard.Panel, all []curve, stacked bool) float64 {
	if p.Field.Defaults.Max != nil {
		return *p.Field.Defaults.Max
	}
	most, sums := 0.0, map[float64]float64{}
	for _, one := range all {
		most = max(most, one.most)
		for t, v := range one.at {
			sums[t] += v
		}
	}
	if stacked {
		for _, v := range sums {
			most = max(most, v)
		}
	}
	return round(most, p.Field.Defaults.Unit)
}

// round is the next of 1, 2, 4, 6, 8 and 10 times a power of ten of the unit in
// which the value is shown, so that a quarter of it is short to write.
func round(v float64, unit string) float64 {
	if v <= 0 {
		return 1
	}
	scale := 1.0
	for _, s := range steps[unit] {
		if s.from >= 1 && v >= s.from {
			scale = s.from
		}
	}
	v /= scale
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 4, 6, 8} {
		if v <= m*power*1.0001 {
			return m * power * scale
		}
	}
	return 10 * power * scale
}

// grid draws the axes: four steps of the value, and the time.
func (c *canvas) grid(b box, p dashboard.Panel, top float64) {
	for i := range 5 {
		y := b.y + b.h*float64(4-i)/4
		c.rect(box{b.x, y, b.w, 0.7}, rule, "")
		c.text(b.x-6, y+4, 10.5, end, faint, c.figure(top*float64(i)/4, p.Field.Defaults.Unit, nil))
	}
	c.times(b)
}

func (c *canvas) times(b box) {
	places := []string{start, middle, middle, middle, end}
	if b.w < 330 {
		places = []string{start, middle, end}
	}
	for i, anchor := range places {
		part := len(places) - 1
		at := c.span.From.Add(c.span.To.Sub(c.span.From) * time.Duration(i) / time.Duration(part))
		c.text(b.x+b.w*float64(i)/float64(part), b.y+b.h+13, 10.5, anchor, faint, at.UTC().Format("15:04:05"))
	}
}

// x is where a time is.
func (c *canvas) x(b box, t float64) float64 {
	from := float64(c.span.From.UnixMilli()) / 1000
	return b.x + b.w*(t-from)/c.span.To.Sub(c.span.From).Seconds()
}

// curve draws one series on the floor of those below it, and raises the floor.
// Times without a value break it.
func (c *canvas) curve(b box, one curve, floor map[float64]float64, top float64, fill bool) {
	var over, under [][2]float64
	last := 0.0
	flush := func() { c.path(over, under, one.color, fill); over, under = nil, nil }
	y := func(v float64) float64 { return b.y + b.h*(1-min(v/top, 1)) }
	for _, t := range slices.Sorted(keys(one.at)) {
		if last != 0 && t-last > 1.5*c.span.Step.Seconds() {
			flush()
		}
		v := one.at[t] + floor[t]
		over, under = append(over, [2]float64{c.x(b, t), y(v)}), append(under, [2]float64{c.x(b, t), y(floor[t])})
		floor[t], last = v, t
	}
	flush()
}

// limits draws the thresholds.
func (c *canvas) limits(b box, p dashboard.Panel, top float64) {
	for _, s := range p.Field.Defaults.Thresholds.Steps {
		if s.Value != nil && *s.Value <= top {
			y := b.y + b.h*(1-*s.Value/top)
			c.dashed(b.x, y, b.x+b.w, y, named[s.Color])
		}
	}
}

// legend names the series above the line b.y, those that show most first, and
// returns how many lines it took: one or two.
func (c *canvas) legend(b box, all []curve) (rows int) {
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b curve) int { return cmp.Compare(b.most, a.most) })
	var out [2][]curve
	x, row := 0.0, 0
	for _, one := range sorted {
		w := room(one.name, 12) + 26
		if x+w > b.w {
			x, row = 0, row+1
		}
		if row > 1 {
			break
		}
		out[row] = append(out[row], one)
		x += w
	}
	rows = min(row, 1) + 1
	for i := range rows {
		x := b.x
		for _, one := range out[i] {
			y := b.y - legend*float64(rows-1-i)
			c.rect(box{x, y - 6, 12, 3}, one.color, "")
			c.text(x+16, y-1, 11, start, ink, one.name)
			x += room(one.name, 12) + 26
		}
	}
	return rows
}
