package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Values are what variables stand for, by name.
type Values map[string]string

// Expand puts the values into the places of $name and ${name}. Longer names go
// first: $tenant is not the beginning of $tenants.
func (v Values) Expand(text string) string {
	names := slices.SortedFunc(maps.Keys(v), func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	for _, name := range names {
		text = strings.NewReplacer("${"+name+"}", v[name], "$"+name, v[name]).Replace(text)
	}
	return text
}

// All is the choice "All" of every variable, and the windows that Grafana sets:
// rate is $__rate_interval, over is $__range.
func (d Dashboard) All(rate, over time.Duration) Values {
	v := Values{"__rate_interval": seconds(rate), "__range": seconds(over)}
	for _, one := range d.Templating.List {
		switch {
		case one.AllValue != "":
			v[one.Name] = one.AllValue
		case one.Type == "textbox":
			v[one.Name] = one.Text()
		}
	}
	return v
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(d.Seconds())) }

var labelValues = regexp.MustCompile(`^label_values\((.+), *([a-zA-Z_]\w*)\)$`)

// Choices are the values that a query variable offers.
func (p Prometheus) Choices(ctx context.Context, query string, v Values) ([]string, error) {
	parts := labelValues.FindStringSubmatch(query)
	if parts == nil {
		return nil, fmt.Errorf("asking for the values of a variable: %q is not label_values(series, label)", query)
	}
	return p.Labels(ctx, v.Expand(parts[1]), parts[2])
}
