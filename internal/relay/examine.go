package relay

import (
	"context"

	"github.com/nats-io/nats.go"

	"changerelay/internal/stream"
)

// examine logs what relayctl doctor would say of the broker. Nothing waits for
// it, and it takes at most stream.DoctorFor.
func (p Parts) examine(ctx context.Context, nc *nats.Conn) {
	exam := stream.Exam{Tenants: append([]string{}, p.Tenants...), Starting: true}
	fs := stream.Doctor(ctx, nc, p.Broker, exam)
	if ctx.Err() != nil {
		return // what was not answered says nothing
	}
	for _, f := range fs {
		switch f.Level {
		case stream.Bad:
			p.Log.Warn("doctor", "what", f.What, "detail", f.Detail, "remedy", f.Remedy)
		case stream.Note:
			p.Log.Info("doctor", "what", f.What, "detail", f.Detail, "remedy", f.Remedy)
		}
	}
}
