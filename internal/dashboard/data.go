package dashboard

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"time"
)

// Data evaluates each target as the panel does: tables at the span's end, all
// others over the span. The answers are in the targets' order.
func (p Prometheus) Data(ctx context.Context, panel Panel, v Values, s Span) ([][]Series, error) {
	var all [][]Series
	v = panel.slower(v)
	for _, t := range panel.Targets {
		var got []Series
		var err error
		if t.Instant {
			got, err = p.Instant(ctx, v.Expand(t.Expr), s.To)
		} else {
			got, err = p.Range(ctx, v.Expand(t.Expr), s)
		}
		if err != nil {
			return nil, fmt.Errorf("evaluating %s of the panel %q: %w", t.Ref, panel.Title, err)
		}
		all = append(all, got)
	}
	return all, nil
}

// slower is v with a window of rates as long as the panel's interval, if that is
// longer.
func (p Panel) slower(v Values) Values {
	least, none := time.ParseDuration(p.Interval)
	rate, err := time.ParseDuration(v["__rate_interval"])
	if none != nil || err != nil || least <= rate {
		return v
	}
	v = maps.Clone(v)
	v["__rate_interval"] = seconds(least)
	return v
}

var legend = regexp.MustCompile(`{{\s*(\w+)\s*}}`)

// Name is the series' name in the panel's legend.
func (t Target) Name(s Series) string {
	return legend.ReplaceAllStringFunc(t.Legend, func(m string) string { return s.Labels[legend.FindStringSubmatch(m)[1]] })
}
