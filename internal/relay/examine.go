package relay

import (
	"context"

	"github.com/nats-io/nats.go"

	"changerelay/internal/metrics"
	"changerelay/internal/stream"
)

// examine logs what relayctl doctor would say of the broker, and keeps its metric:
// at the start, and from then on what is new. Nothing waits for it, and each time
// takes at most stream.DoctorFor. tenants are those that are configured then.
func (p Parts) examine(ctx context.Context, nc *nats.Conn, tenants func() []string, m *metrics.Metrics) {
	said := map[string]bool{}
	exam := stream.Exam{Starting: true}
	nowAndThen(ctx, examineEvery, func() {
		if nc.Status() != nats.CONNECTED {
			return
		}
		exam.Tenants = append([]string{}, tenants()...)
		fs := stream.Doctor(ctx, nc, p.Broker, exam)
		if ctx.Err() != nil {
			return // what was not answered says nothing
		}
		said = p.tell(fs, said, m)
		exam.Starting = false
	})
}

// tell counts findings, logs those that were not said the last time, and returns
// what is said now. Details change from one time to the next.
func (p Parts) tell(fs []stream.Finding, said map[string]bool, m *metrics.Metrics) map[string]bool {
	now, n := map[string]bool{}, map[stream.Level]int{}
	for _, f := range fs {
		what := string(f.Level) + " " + f.What
		n[f.Level]++
		switch now[what] = true; {
		case said[what]:
		case f.Level == stream.Bad:
			p.Log.Warn("doctor", "what", f.What, "detail", f.Detail, "remedy", f.Remedy)
		case f.Level == stream.Note:
			p.Log.Info("doctor", "what", f.What, "detail", f.Detail, "remedy", f.Remedy)
		}
	}
	for _, l := range []stream.Level{stream.Bad, stream.Note} {
		m.BrokerFindings.Set(float64(n[l]), string(l))
	}
	return now
}
