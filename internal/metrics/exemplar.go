package metrics

import "github.com/prometheus/client_golang/prometheus"

// TraceLabel is the exemplars' only label.
const TraceLabel = "trace_id"

// Observe puts value into the series, which h is. With a trace, its id in hex
// becomes the exemplar of the value's bucket; "" is none.
func Observe(h prometheus.Observer, value float64, trace string) {
	if e, ok := h.(prometheus.ExemplarObserver); ok && trace != "" {
		e.ObserveWithExemplar(value, prometheus.Labels{TraceLabel: trace})
		return
	}
	h.Observe(value)
}
