package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// A label is a name and the closed set of its values.
type label struct {
	name   string
	values []string
}

// A family is one metric over closed label sets.
type family[T any] struct {
	series func(...string) T
	sets   []map[string]bool
}

// Families of the three kinds of metric.
type (
	Counters   struct{ family[prometheus.Counter] }
	Gauges     struct{ family[prometheus.Gauge] }
	Histograms struct{ family[prometheus.Observer] }
)

// WithLabelValues returns the series of the values, which are in the order of
// the family's labels. A value outside its set, or left out, is Unknown.
func (f *family[T]) WithLabelValues(values ...string) T {
	known := make([]string, len(f.sets))
	for i, set := range f.sets {
		known[i] = Unknown
		if i < len(values) && set[values[i]] {
			known[i] = values[i]
		}
	}
	return f.series(known...)
}

// newFamily makes every series whose labels are all known, so that each is 0
// before it first happens.
func newFamily[T any](series func(...string) T, labels []label) family[T] {
	f := family[T]{series: series}
	for _, l := range labels {
		set := make(map[string]bool, len(l.values))
		for _, v := range l.values {
			set[v] = true
		}
		f.sets = append(f.sets, set)
	}
	each(labels, nil, func(values []string) { series(values...) })
	return f
}

// each calls f with every combination of the labels' values.
func each(labels []label, chosen []string, f func([]string)) {
	if len(labels) == 0 {
		f(chosen)
		return
	}
	for _, v := range labels[0].values {
		each(labels[1:], append(slices.Clone(chosen), v), f)
	}
}

func names(labels []label) []string {
	var s []string
	for _, l := range labels {
		s = append(s, l.name)
	}
	return s
}
