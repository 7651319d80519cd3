package picture

import (
	"math"

	"changerelay/internal/dashboard"
)

// stat writes the last value of each series, large.
func (c *canvas) stat(b box, p dashboard.Panel, data [][]dashboard.Series) {
	type figure struct{ text, color, name string }
	var all []figure
	for i, target := range data {
		for _, s := range target {
			text, color := c.show(p.Field.Defaults, last(s))
			all = append(all, figure{text, color, p.Targets[i].Name(s)})
		}
	}
	if len(all) == 0 {
		text, color := c.show(p.Field.Defaults, math.NaN())
		all = append(all, figure{text, color, ""})
	}
	rows := 1 // beside each other, if their names have room
	for _, f := range all {
		if w := b.w / float64(len(all)); len(all) > 1 && (w < 110 || room(f.name, 11) > w) {
			rows = len(all)
		}
	}
	for i, f := range all {
		cell := box{b.x + b.w*float64(i)/float64(len(all)), b.y, b.w / float64(len(all)), b.h}
		if rows > 1 { // one below the other: name on the left, value on the right
			y := b.y + b.h*(float64(i)+0.5)/float64(rows) + 6
			c.text(b.x, y, 12, start, faint, fit(f.name, b.w*0.75, 12))
			c.text(b.x+b.w, y, 16, end, f.color, f.text)
			continue
		}
		size := min(34, cell.w/(0.72*float64(max(len([]rune(f.text)), 4))))
		c.text(cell.x+cell.w/2, cell.y+cell.h/2+size/3, size, middle, f.color, f.text)
		if len(all) > 1 {
			c.text(cell.x+cell.w/2, cell.y+cell.h-6, 11, middle, faint, fit(f.name, cell.w-6, 11))
		}
	}
}

// last is the newest number, NaN if there is none.
func last(s dashboard.Series) float64 {
	for i := len(s.Values) - 1; i >= 0; i-- {
		if !math.IsNaN(s.Values[i].V) {
			return s.Values[i].V
		}
	}
	return math.NaN()
}
