package metrics

import "github.com/prometheus/client_golang/prometheus"

// nothing is every series of an unmeasured build.
type nothing struct {
	prometheus.Metric
	prometheus.Collector
}

func (nothing) Inc()              {}
func (nothing) Dec()              {}
func (nothing) Add(float64)       {}
func (nothing) Sub(float64)       {}
func (nothing) Set(float64)       {}
func (nothing) SetToCurrentTime() {}
func (nothing) Observe(float64)   {}
