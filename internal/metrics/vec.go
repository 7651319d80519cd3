package metrics

import (
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// A family is one metric over closed label sets. Its series are made when its
// sets are, so that each is 0 before it first happens, and looked up without a
// lock: a request counts several times.
type family[T any] struct {
	vec    vec[T]
	mu     sync.Mutex // held by whoever makes or deletes series
	series atomic.Pointer[table[T]]
	none   T // of an unmeasured build
}

// A vec is one of Prometheus' own.
type vec[T any] interface {
	WithLabelValues(values ...string) T
	DeleteLabelValues(values ...string) bool
}

// A table is read-only once it is stored.
type table[T any] struct {
	shape
	series map[tuple]T
}

// Families of the three kinds of metric.
type (
	Counters   struct{ family[prometheus.Counter] }
	Gauges     struct{ family[prometheus.Gauge] }
	Histograms struct{ family[prometheus.Observer] }
)

// WithLabelValues returns the series of the values, which are in the order of
// the family's labels. A value outside its set, or left out, is Unknown. It
// does not allocate.
func (f *family[T]) WithLabelValues(values ...string) T {
	if unmeasured {
		return f.none
	}
	var at tuple
	copy(at[:], values)
	t := f.series.Load()
	if s, ok := t.series[at]; ok {
		return s
	}
	at = t.clip(at)
	if s, ok := t.series[at]; ok {
		return s
	}
	return f.make(at)
}

// Set sets the series of the values, and nothing if one is outside its set: a
// state that is nobody's says nothing. Tenants and sources come and go between
// whoever looks and whoever shows.
func (g *Gauges) Set(v float64, values ...string) {
	var at tuple
	copy(at[:], values)
	if s, ok := g.series.Load().series[at]; ok && !unmeasured {
		s.Set(v)
	}
}

// make makes a series with something Unknown in it. There are not many, for
// all else in them is of closed sets.
func (f *family[T]) make(at tuple) T {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.series.Load()
	at = t.clip(at) // the sets may have changed since
	f.put(t.shape, at)
	return f.series.Load().series[at]
}

// close gives the family its sets. Series of values that are in them no more
// are deleted; the others keep their value.
func (f *family[T]) close(s shape) {
	f.mu.Lock()
	defer f.mu.Unlock()
	old := f.series.Load()
	f.put(s, s.all()...)
	for at := range old.series {
		if s.clip(at) != at {
			f.vec.DeleteLabelValues(at[:s.width()]...)
		}
	}
}

// put stores a table of that shape: what the one before has of it, and more.
func (f *family[T]) put(s shape, more ...tuple) {
	t := &table[T]{shape: s, series: map[tuple]T{}}
	for at, series := range f.series.Load().series {
		if s.clip(at) == at {
			t.series[at] = series
		}
	}
	for _, at := range more {
		if _, ok := t.series[at]; !ok {
			t.series[at] = f.vec.WithLabelValues(at[:s.width()]...)
		}
	}
	f.series.Store(t)
}

func (f *family[T]) open(v vec[T], s shape) {
	f.vec = v
	f.none, _ = any(nothing{}).(T)
	f.series.Store(&table[T]{shape: s})
	f.close(s)
}
