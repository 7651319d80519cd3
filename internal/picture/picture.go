// Package picture draws a dashboard as an SVG, from the dashboard's file and a
// Prometheus that has its series: for readers of the README, and for whoever
// changes a dashboard and has no Grafana at hand.
//
//	file ──► panels by their places ──► queries ──► figures, lines, cells, rows ──► SVG
//
// It is no Grafana. What it shows of a panel is what carries its meaning: title,
// place, series, units, thresholds, words in place of values, columns. The
// picture says so on its last line. A picture of the same data is the same, byte
// for byte.
package picture

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"changerelay/internal/dashboard"
)

// Measures in pixels. A row of the grid is Grafana's 30 with less air, so that
// a dashboard is readable at a README's width.
const (
	width  = 1440.0
	column = width / 24
	line   = 28.0
	gap    = 4.0
	head   = 46.0 // the dashboard's title
	foot   = 26.0
)

// note is the picture's last line.
const note = "Drawn from the dashboard's file by make pictures, with what a real Prometheus scraped on the tour's day; not by Grafana."

// A canvas is one picture being drawn.
type canvas struct {
	sheet
	now    time.Time // the end of what is shown
	span   dashboard.Span
	values dashboard.Values
}

// Draw writes the dashboard as it was over the span.
func Draw(ctx context.Context, w io.Writer, d dashboard.Dashboard, from dashboard.Prometheus, v dashboard.Values, span dashboard.Span) error {
	c := &canvas{now: span.To, span: span, values: v}
	c.text(gap*3, 20, 17, start, ink, d.Title)
	c.text(gap*3, 38, 12, start, faint, d.Description)
	bottom := 0.0
	for _, p := range d.Panels {
		data, err := from.Data(ctx, p, v, span)
		if err != nil {
			return fmt.Errorf("drawing %s: %w", d.UID, err)
		}
		c.panel(p, data)
		bottom = max(bottom, head+float64(p.Pos.Y+p.Pos.H)*line)
	}
	c.text(gap*3, bottom+17, 11, start, faint, note)
	_, err := io.WriteString(w, c.document(width, bottom+foot))
	return err
}

// A box is a place on the sheet.
type box struct{ x, y, w, h float64 }

func (c *canvas) panel(p dashboard.Panel, data [][]dashboard.Series) {
	b := box{float64(p.Pos.X)*column + gap, head + float64(p.Pos.Y)*line + gap/2, float64(p.Pos.W)*column - 2*gap, float64(p.Pos.H)*line - gap}
	if p.Type == "row" {
		c.text(b.x+4, b.y+17, 14, start, ink, "▾ "+p.Title)
		return
	}
	c.rect(b, paper, edge)
	c.text(b.x+8, b.y+17, 12.5, start, ink, fit(p.Title, b.w-16, 12.5))
	if p.Type != "text" && p.Type != "stat" && !some(data) {
		c.text(b.x+b.w/2, b.y+b.h/2+8, 13, middle, faint, "No data")
		return
	}
	in := box{b.x + 8, b.y + 26, b.w - 16, b.h - 32}
	switch p.Type {
	case "stat":
		c.stat(in, p, data)
	case "timeseries":
		c.series(in, p, data)
	case "heatmap":
		c.heat(in, p, data)
	case "table":
		c.table(in, p, data)
	case "text":
		c.markdown(in, p.Options.Content)
	}
}

// some reports whether any query was answered with a series.
func some(data [][]dashboard.Series) bool {
	return slices.ContainsFunc(data, func(of []dashboard.Series) bool { return len(of) > 0 })
}
