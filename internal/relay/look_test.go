package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"changerelay/internal/await"
	"changerelay/internal/metrics"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// A look shows what the broker holds. While it is away the figures stay, and so
// does the time that they are of.
func TestLook(t *testing.T) {
	b := natstest.Server(t)
	nc := natstest.Connect(t, b.URL())
	s, err := stream.Open(t.Context(), nc, stream.Options{MaxBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	m := metrics.New(prometheus.NewRegistry(), "", metrics.Labels{Streams: stream.Names})
	once := func() {
		t.Helper()
		if err := see(t.Context(), nc, s, m); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Park(t.Context(), stream.Parked{Source: "desk", Body: []byte("x"), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	once()
	for what, got := range map[string]float64{
		"messages": testutil.ToFloat64(m.StreamMessages.WithLabelValues(stream.Dead)), "number": testutil.ToFloat64(m.StreamLastSequence.WithLabelValues(stream.Dead)),
	} {
		if got != 1 {
			t.Errorf("%s is %v, want 1", what, got)
		}
	}
	at := testutil.ToFloat64(m.StreamOldest.WithLabelValues(stream.Dead))
	if age := float64(time.Now().Unix()) - at; age < -1 || age > 60 || testutil.ToFloat64(m.StreamBytes.WithLabelValues(stream.Dead)) == 0 ||
		testutil.ToFloat64(m.StreamMaxBytes.WithLabelValues(stream.Dead)) != 1<<20 || testutil.ToFloat64(m.StreamMaxBytes.WithLabelValues(stream.Devices)) != 0 {
		t.Errorf("the letter is of %v", at)
	}
	if n := testutil.CollectAndCount(m.BrokerRoundTrip); n != 1 {
		t.Errorf("%d round trips", n)
	}

	last := testutil.ToFloat64(m.BrokerLastLook)
	b.Stop()
	await.State(t, "the broker to be gone", func() bool { return nc.Status() != nats.CONNECTED })
	once()
	if n := testutil.ToFloat64(m.BrokerLastLook); n != last {
		t.Errorf("the last look is %v, was %v", n, last)
	}
	b.Start()
	await.State(t, "the broker to be back", func() bool { return nc.Status() == nats.CONNECTED && s.Ready(t.Context()) == nil })
	once()
	if now := testutil.ToFloat64(m.BrokerLastLook); now <= last || testutil.ToFloat64(m.StreamMessages.WithLabelValues(stream.Dead)) != 1 {
		t.Errorf("with the broker back the last look is %v, was %v", now, last)
	}
}

// Findings are counted each time, and said when they are new.
func TestFindingsAreSaidOnce(t *testing.T) {
	m := metrics.New(prometheus.NewRegistry(), "", metrics.Labels{})
	var log await.Log
	p := Parts{Log: slog.New(slog.NewTextHandler(&log, nil))}
	full := stream.Finding{Level: stream.Bad, What: "CHANGES fill", Detail: "71 %"}
	said := p.tell([]stream.Finding{full, {Level: stream.OK, What: "x"}}, nil, m)
	full.Detail = "72 %"
	note := stream.Finding{Level: stream.Note, What: "replicas"}
	said = p.tell([]stream.Finding{full, note}, said, m)
	if bad, notes := testutil.ToFloat64(m.BrokerFindings.WithLabelValues("bad")), testutil.ToFloat64(m.BrokerFindings.WithLabelValues("note")); bad != 1 || notes != 1 {
		t.Errorf("%v bad and %v notes", bad, notes)
	}
	said = p.tell(nil, said, m)
	p.tell([]stream.Finding{full}, said, m)
	if n := strings.Count(log.String(), "CHANGES fill"); n != 2 || strings.Count(log.String(), "replicas") != 1 {
		t.Errorf("said %d times, want twice: it was mended in between\n%s", n, log.String())
	}
	if notes := testutil.ToFloat64(m.BrokerFindings.WithLabelValues("note")); notes != 0 {
		t.Errorf("%v notes", notes)
	}
}

// Pauses between looks differ, by a tenth at most.
func TestLooksAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var at []time.Time
		nowAndThen(ctx, lookEvery, func() {
			if at = append(at, time.Now()); len(at) == 50 {
				cancel()
			}
		})
		least, most := time.Hour, time.Duration(0)
		for i := range at[1:] {
			d := at[i+1].Sub(at[i])
			least, most = min(least, d), max(most, d)
		}
		if least < lookEvery*9/10 || most > lookEvery*11/10 || most-least < lookEvery/20 {
			t.Errorf("pauses are %v to %v", least, most)
		}
	})
}

func TestCertificateEnds(t *testing.T) {
	pair, _ := selfSigned(t)
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pair.Leaf = leaf
	want := leaf.NotAfter
	bare := tls.Certificate{Certificate: pair.Certificate}
	shows := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &pair, nil }
	for name, got := range map[string]time.Time{
		"server": serverEnds(&tls.Config{Certificates: []tls.Certificate{bare}}), "reloaded": serverEnds(&tls.Config{GetCertificate: shows}),
		"client": clientEnds(nil, &tls.Config{Certificates: []tls.Certificate{pair}}),
		"file":   clientEnds(func() (tls.Certificate, error) { return bare, nil }, nil),
	} {
		if !got.Equal(want) {
			t.Errorf("%s ends %v, want %v", name, got, want)
		}
	}
	if !serverEnds(nil).IsZero() || !serverEnds(&tls.Config{}).IsZero() || !clientEnds(nil, nil).IsZero() || !leafEnds(&tls.Certificate{}).IsZero() {
		t.Error("none has an end")
	}
}
