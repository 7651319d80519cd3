package metrics

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

const trace = "4bf92f3577b34da6a3ce929d0e0e4736"

// A value without a trace leaves the exemplar of another in place.
func TestObserve(t *testing.T) {
	m := New(prometheus.NewRegistry(), "", labels)
	h := m.RequestSeconds.WithLabelValues("snow")
	Observe(h, .02, trace)
	Observe(h, .02, "")
	Observe(h, .3, "")
	body := get(t, m.Admin(nil), "/metrics").Body.String()
	for bucket, exemplar := range map[string]bool{`le="0.025"} 2`: true, `le="0.5"} 3`: false} {
		want := `changerelay_ingest_request_duration_seconds_bucket{source="snow",` + bucket
		if exemplar {
			want += ` # {trace_id="` + trace + `"} 0.02`
		} else {
			want += "\n"
		}
		if !strings.Contains(body, want) {
			t.Errorf("lacks %s", want)
		}
	}
}
