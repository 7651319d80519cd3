package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Classic buckets, seconds. Each has an edge at the latency that its reader
// asks about: an answer to a sender within 2 s, a fold within 100 ms and its
// delay within 5 s, a call to Graph within its 30 s budget, a change told within
// minutes, a token within its 10 s, an answer of the broker within 1 s.
var (
	requestBuckets = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 10}
	foldBuckets    = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
	delayBuckets   = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 900, 3600}
	graphBuckets   = []float64{.05, .1, .25, .5, 1, 2, 5, 10, 20, 30, 60}
	endToEnd       = []float64{.1, .25, .5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400}
	batchBuckets   = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024}
	tokenBuckets   = []float64{.05, .1, .25, .5, 1, 2, 5, 10}
	tripBuckets    = []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5}
)

// A factory makes collectors and registers them.
type factory struct{ reg prometheus.Registerer }

// of is the factory for a service's families: of a service that the process is
// not, they are made, so that whoever counts need not ask, and never shown.
func (f factory) of(here bool) factory {
	if here {
		return f
	}
	return factory{nowhere{}}
}

// nowhere registers nothing.
type nowhere struct{}

func (nowhere) Register(prometheus.Collector) error  { return nil }
func (nowhere) MustRegister(...prometheus.Collector) {}
func (nowhere) Unregister(prometheus.Collector) bool { return false }

func (f factory) counter(name, help string) prometheus.Counter {
	if unmeasured {
		return nothing{}
	}
	c := prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	f.reg.MustRegister(c)
	return c
}

func (f factory) gauge(name, help string) prometheus.Gauge {
	if unmeasured {
		return nothing{}
	}
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	f.reg.MustRegister(g)
	return g
}

func (f factory) histogram(name, help string, buckets []float64) prometheus.Histogram {
	if unmeasured {
		return nothing{}
	}
	h := prometheus.NewHistogram(histogramOpts(name, help, buckets))
	f.reg.MustRegister(h)
	return h
}

func (f factory) counters(name, help string, dims ...dimension) *Counters {
	s := newShape(dims...)
	v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, s.names())
	f.reg.MustRegister(v)
	c := &Counters{}
	c.open(v, s)
	return c
}

func (f factory) gauges(name, help string, dims ...dimension) *Gauges {
	s := newShape(dims...)
	v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, s.names())
	f.reg.MustRegister(v)
	g := &Gauges{}
	g.open(v, s)
	return g
}

func (f factory) histograms(name, help string, buckets []float64, dims ...dimension) *Histograms {
	s := newShape(dims...)
	v := prometheus.NewHistogramVec(histogramOpts(name, help, buckets), s.names())
	f.reg.MustRegister(v)
	h := &Histograms{}
	h.open(v, s)
	return h
}

// histogramOpts asks for classic and native buckets: a Prometheus that scrapes
// native histograms gets quantiles within 10 %, every other one the classic
// buckets.
func histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  100,
		NativeHistogramMinResetDuration: time.Hour,
	}
}
