package picture

import (
	"math"
	"slices"
	"strings"

	"changerelay/internal/dashboard"
)

// A grid is a table's columns and rows.
type grid struct {
	names []string // of columns, before they are renamed
	rows  []map[string]any
}

// merge makes one row of the series that have the same labels.
func merge(data [][]dashboard.Series) grid {
	var g grid
	seen := map[string]map[string]any{}
	for i, target := range data {
		value := "Value"
		if len(data) > 1 {
			value = "Value #" + string(rune('A'+i))
		}
		for _, s := range target {
			key := labelsOf(s.Labels)
			if seen[key] == nil {
				seen[key] = map[string]any{}
				for name, v := range s.Labels {
					seen[key][name] = v
				}
				g.rows = append(g.rows, seen[key])
			}
			seen[key][value] = s.Value.V
			for name := range seen[key] {
				if !slices.Contains(g.names, name) {
					g.names = append(g.names, name)
				}
			}
		}
	}
	return g
}

func labelsOf(labels map[string]string) string {
	var parts []string
	for k, v := range labels {
		parts = append(parts, k+"="+v)
	}
	slices.Sort(parts)
	return strings.Join(parts, ",")
}

// table draws headings and as many rows as fit.
func (c *canvas) table(b box, p dashboard.Panel, data [][]dashboard.Series) {
	g := merge(data)
	rename := map[string]string{}
	for _, t := range p.Transformations {
		if t.ID != "organize" {
			continue
		}
		rename = t.Options.Rename
		g.names = slices.DeleteFunc(g.names, func(n string) bool { return t.Options.Exclude[n] })
		slices.SortFunc(g.names, func(a, b string) int { return t.Options.Index[a] - t.Options.Index[b] })
	}
	slices.SortFunc(g.rows, func(a, b map[string]any) int { return strings.Compare(c.key(g, a), c.key(g, b)) })
	w := b.w / float64(max(len(g.names), 1))
	for i, name := range g.names {
		heading := name
		if rename[name] != "" {
			heading = rename[name]
		}
		x := b.x + w*float64(i)
		c.text(x, b.y+12, 11.5, start, faint, fit(heading, w-6, 11.5))
		for k, row := range g.rows {
			y := b.y + 12 + 19*float64(k+1)
			if y > b.y+b.h {
				break
			}
			text, color := c.cell(p.Field.Column(heading), row[name])
			c.text(x, y, 12, start, color, fit(text, w-6, 12))
		}
	}
}

func (c *canvas) cell(f dashboard.Field, v any) (text, color string) {
	switch v := v.(type) {
	case string:
		return v, ink
	case float64:
		text, color = c.show(f, v)
	default:
		text, color = c.show(f, math.NaN())
	}
	if f.Custom.Cell.Type != "color-text" {
		color = ink
	}
	return text, color
}

// key orders rows by their words, column by column.
func (c *canvas) key(g grid, row map[string]any) string {
	var parts []string
	for _, name := range g.names {
		if s, ok := row[name].(string); ok {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, "\x00")
}
