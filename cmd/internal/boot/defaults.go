package boot

import (
	"time"

	"changerelay/internal/ingest"
)

// defaults is, with the setDefaults of entries, the one place where defaults
// are written.
func defaults() Config {
	return Config{
		NATS:    NATS{URL: "nats://127.0.0.1:4222", Replicas: 3, Retention: 720 * time.Hour},
		Ingest:  Ingest{Listen: ":8080", PeerRate: Rate(ingest.DefaultPeerRate), Rate: Rate(ingest.DefaultTotalRate)},
		Admin:   Admin{Listen: ":8081"},
		Log:     Log{Format: "json", Level: "info"},
		Tracing: Tracing{Sample: 1},
		Worker: Worker{FoldSlots: 4, ReconcileSlots: 80, Pace: time.Second, Timing: Timing{
			Fresh:  time.Minute,
			Lag:    30 * time.Second,
			Settle: 5 * time.Minute,
			Hold:   8 * time.Hour,
			Skew:   5 * time.Second,
			Budget: 30 * time.Second,
			MaxAge: 4 * time.Hour,
		}},
	}
}
