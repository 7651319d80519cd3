package stream

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// MinVersion is the oldest nats-server that does not lose messages of a work
// queue on R3.
const MinVersion = "2.12.5"

// What Doctor calls much.
const (
	eventMemory = 250  // bytes of the broker's memory a stored message, measured
	fullAt      = 0.70 // of a stream's MaxBytes
	ledger      = "KV_ledger"
)

// A Level says what a finding asks for.
type Level string

// The levels of findings.
const (
	OK   Level = "ok"
	Note Level = "note" // cannot be seen from here, or is good to know
	Bad  Level = "bad"  // to be mended
)

// A Finding is one thing that Doctor looked at.
type Finding struct {
	Level  Level
	What   string
	Detail string // what is so, and what to do
}

// Doctor looks at the broker and the streams. Findings never fail: what cannot
// be asked is a finding.
func (s *Streams) Doctor(ctx context.Context) []Finding {
	ctx, cancel := bound(ctx, ReadFor)
	defer cancel()
	fs := []Finding{s.checkVersion()}
	for _, d := range s.declarations() {
		fs = append(fs, s.checkStream(ctx, d)...)
	}
	return append(fs, s.checkLedger(ctx), Finding{Note, "sync_interval",
		"clients cannot see it; set jetstream.sync_interval: always on every server, or a power failure takes the last two minutes of acknowledged events"})
}

func (s *Streams) checkVersion() Finding {
	v := s.nc.ConnectedServerVersion()
	var have, want [3]int
	fmt.Sscanf(v, "%d.%d.%d", &have[0], &have[1], &have[2])
	fmt.Sscanf(MinVersion, "%d.%d.%d", &want[0], &want[1], &want[2])
	for i := range have {
		if have[i] != want[i] {
			if have[i] < want[i] {
				return Finding{Bad, "server version", fmt.Sprintf("%q is older than %s, which loses messages; upgrade all servers", v, MinVersion)}
			}
			break
		}
	}
	return Finding{OK, "server version", v + " on the server connected to"}
}

func (s *Streams) checkStream(ctx context.Context, d declaration) []Finding {
	name := d.name
	st, err := s.stream(ctx, name)
	if err != nil {
		return []Finding{{Bad, name, "cannot be asked for: " + err.Error()}}
	}
	info := st.CachedInfo()
	fs := []Finding{checkReplicas(name, info, s.o.Replicas)}
	want := info.Config
	if d.set(&want); want.MaxAge != info.Config.MaxAge {
		fs = append(fs, Finding{Bad, name + " retention", fmt.Sprintf("%s, but nats.retention is %s; use the configuration that the services have", info.Config.MaxAge, want.MaxAge)})
	}
	if c := info.Config; c.MaxBytes > 0 && float64(info.State.Bytes) > fullAt*float64(c.MaxBytes) {
		fs = append(fs, Finding{Bad, name + " fill", fmt.Sprintf("%d of %d bytes are used; full, it refuses events: raise MaxBytes or shorten the retention", info.State.Bytes, c.MaxBytes)})
	}
	return append(fs, Finding{Note, name + " memory", fmt.Sprintf("%d messages, about %d MB of each replica's memory", info.State.Msgs, info.State.Msgs*eventMemory>>20)})
}

// checkReplicas compares the number of copies and asks whether they are well.
func checkReplicas(name string, info *jetstream.StreamInfo, want int) Finding {
	what := name + " replicas"
	if info.Config.Replicas != want {
		return Finding{Bad, what, fmt.Sprintf("%d, but %d are configured", info.Config.Replicas, want)}
	}
	if info.Cluster != nil {
		for _, r := range info.Cluster.Replicas {
			if r.Offline || !r.Current {
				return Finding{Bad, what, fmt.Sprintf("%s is offline or behind", r.Name)}
			}
		}
	}
	if want == 1 {
		return Finding{Note, what, "1: while its server is away nothing is accepted, and its disk is the only copy"}
	}
	return Finding{OK, what, fmt.Sprint(want)}
}

func (s *Streams) checkLedger(ctx context.Context) Finding {
	st, err := s.stream(ctx, ledger)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		return Finding{Note, ledger, "is not there yet; the first worker makes it"}
	case err != nil:
		return Finding{Bad, ledger, "cannot be asked for: " + err.Error()}
	case st.CachedInfo().Config.AllowDirect:
		return Finding{Bad, ledger, "allows direct gets, which any replica answers, also one that lags: devices are left due with nobody to wake them; run nats stream edit KV_ledger --no-allow-direct"}
	}
	return Finding{OK, ledger, "is read from its leader"}
}
