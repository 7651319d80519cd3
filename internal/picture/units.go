package picture

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"changerelay/internal/dashboard"
)

// show is a value as the field has it: its words and its colour.
func (c *canvas) show(f dashboard.Field, v float64) (text, color string) {
	for _, m := range f.Mappings {
		if text, color, ok := mapped(m, v); ok {
			return text, color
		}
	}
	if math.IsNaN(v) {
		return "no data", faint
	}
	color = ink
	for _, s := range f.Thresholds.Steps {
		if s.Value == nil || v >= *s.Value {
			color = named[s.Color]
		}
	}
	return c.figure(v, f.Unit, f.Decimals), color
}

func mapped(m dashboard.Mapping, v float64) (text, color string, ok bool) {
	type word struct{ Text, Color string }
	if m.Type == "special" {
		var o struct {
			Match  string
			Result word
		}
		_ = json.Unmarshal(m.Options, &o)
		return o.Result.Text, named[o.Result.Color], math.IsNaN(v) && o.Match == "null+nan"
	}
	var o map[string]word
	_ = json.Unmarshal(m.Options, &o)
	w, ok := o[strconv.FormatFloat(v, 'f', -1, 64)]
	return w.Text, named[w.Color], ok
}

// figure is a number in its unit.
func (c *canvas) figure(v float64, unit string, decimals *int) string {
	switch unit {
	case "s":
		if v == 0 {
			return "0 s"
		}
		return scaled(v, decimals, steps[unit])
	case "bytes", "short":
		return scaled(v, decimals, steps[unit])
	case "percentunit":
		return number(v*100, decimals) + " %"
	case "reqps":
		return number(v, decimals) + " req/s"
	case "ops":
		return number(v, decimals) + " ops/s"
	case "dateTimeFromNow":
		return c.fromNow(time.UnixMilli(int64(v)))
	}
	return number(v, decimals)
}

// A step is a larger unit, from a value on.
type step struct {
	from float64
	name string
}

var steps = map[string][]step{
	"s":     {{1e-6, " µs"}, {1e-3, " ms"}, {1, " s"}, {60, " min"}, {3600, " h"}, {86400, " d"}},
	"bytes": {{1, " B"}, {1 << 10, " KiB"}, {1 << 20, " MiB"}, {1 << 30, " GiB"}},
	"short": {{1, ""}, {1e3, " K"}, {1e6, " Mil"}},
	"ago":   {{1, " second"}, {60, " minute"}, {3600, " hour"}, {86400, " day"}},
}

// scaled takes the largest step that the value reaches.
func scaled(v float64, decimals *int, steps []step) string {
	s := steps[0]
	for _, next := range steps[1:] {
		if math.Abs(v) >= next.from {
			s = next
		}
	}
	return number(v/s.from, decimals) + s.name
}

// number has three digits that count, or as many decimals as are wanted.
func number(v float64, decimals *int) string {
	if decimals != nil {
		return trim(strconv.FormatFloat(v, 'f', *decimals, 64))
	}
	d := 2
	switch a := math.Abs(v); {
	case a >= 100:
		d = 0
	case a >= 10:
		d = 1
	}
	return trim(strconv.FormatFloat(v, 'f', d, 64))
}

// trim drops the zeros at a fraction's end.
func trim(s string) string {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

func (c *canvas) fromNow(t time.Time) string {
	d := t.Sub(c.now)
	text := scaled(math.Round(d.Abs().Seconds()), new(int), steps["ago"])
	if !strings.HasPrefix(text, "1 ") {
		text += "s"
	}
	switch {
	case d.Abs() < time.Second:
		return "now"
	case d > 0:
		return "in " + text
	}
	return text + " ago"
}
