package metrics

import (
	"encoding/binary"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// A Prometheus that asks for protobuf gets native histograms beside the classic
// buckets, and exemplars.
func TestNativeHistograms(t *testing.T) {
	m := New(prometheus.NewRegistry(), "", labels)
	for _, v := range []float64{.001, .02, 3} {
		Observe(m.RequestSeconds.WithLabelValues("snow"), v, trace)
	}
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	w := httptest.NewRecorder()
	m.Admin(nil).ServeHTTP(w, r)
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "application/vnd.google.protobuf") {
		t.Fatalf("the answer is %s", got)
	}
	const name, metric, labelPair, histogram = 1, 4, 1, 7 // numbers of fields in metrics.proto of client_model
	const classic, schema, span, deltas, exemplar = 3, 5, 12, 13, 3
	for body := w.Body.Bytes(); len(body) > 0; {
		size, n := binary.Uvarint(body)
		family := message(t, body[n:n+int(size)])
		body = body[n+int(size):]
		if string(family[name][0]) != "changerelay_ingest_request_duration_seconds" {
			continue
		}
		for _, one := range family[metric] {
			series := message(t, one)
			if string(message(t, series[labelPair][0])[2][0]) != "snow" {
				continue
			}
			h := message(t, series[histogram][0])
			if len(h[classic]) < len(requestBuckets) {
				t.Errorf("it has %d classic buckets", len(h[classic]))
			}
			if len(h[schema]) != 1 || len(h[span]) == 0 || len(h[deltas]) == 0 {
				t.Errorf("it has no native buckets: %v", h)
			}
			with := 0
			for _, b := range h[classic] {
				with += len(message(t, b)[exemplar])
			}
			if with != 3 {
				t.Errorf("%d of 3 values have an exemplar", with)
			}
			return
		}
	}
	t.Error("the family is not there")
}

// message reads the fields of a protobuf message, by number: the bytes of those
// that have a length, and of others as they stand.
func message(t *testing.T, b []byte) map[int][][]byte {
	t.Helper()
	fields := map[int][][]byte{}
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		b = b[n:]
		var size int
		switch tag & 7 {
		case 0:
			_, size = binary.Uvarint(b)
		case 1:
			size = 8
		case 2:
			long, n := binary.Uvarint(b)
			b, size = b[n:], int(long)
		case 5:
			size = 4
		default:
			t.Fatalf("field %d has wire type %d", tag>>3, tag&7)
		}
		fields[int(tag>>3)] = append(fields[int(tag>>3)], b[:size])
		b = b[size:]
	}
	return fields
}
