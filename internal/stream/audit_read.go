package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/events"
)

// Audits returns the records under a subject with wildcards, oldest first: at
// most most, with numbers above after. One that cannot be read, because another
// hand wrote it, is there too, with what its subject says of it.
func (s *Streams) Audits(ctx context.Context, filter string, after uint64, most int) ([]Audit, error) {
	ms, err := s.next(ctx, AuditLog, filter, after, most)
	var as []Audit
	for _, m := range ms {
		as = append(as, readAudit(m))
	}
	return as, err
}

func readAudit(m Message) Audit {
	a, err := parseAudit(m.Data)
	if err != nil {
		action, tenant, _ := strings.Cut(strings.TrimPrefix(m.Subject, AuditPrefix), ".")
		a = Audit{Action: action, Tenant: tenant, Result: "unreadable: " + err.Error(), At: m.Time}
	}
	a.Number = m.Sequence
	return a
}

// AuditBefore returns the number of the last record that the broker stored
// before a time, 0 if there is none. Records are never deleted one by one, so
// it halves the stream instead of reading it.
func (s *Streams) AuditBefore(ctx context.Context, at time.Time) (uint64, error) {
	st, err := s.stream(ctx, AuditLog)
	if err != nil {
		return 0, fmt.Errorf("%w: asking for stream %s: %w", ErrUnavailable, AuditLog, err)
	}
	state := st.CachedInfo().State
	lo, hi := max(state.FirstSeq, 1), state.LastSeq+1 // the first record not before at is in [lo, hi]
	for lo < hi {
		mid := lo + (hi-lo)/2
		m, err := s.ask(ctx, AuditLog, func(ctx context.Context, st jetstream.Stream) (*jetstream.RawStreamMsg, error) {
			return st.GetMsg(ctx, mid)
		})
		switch {
		case errors.Is(err, events.ErrNotFound): // its age ended a moment ago
			lo = mid + 1
		case err != nil:
			return 0, err
		case m.Time.Before(at):
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return lo - 1, nil
}
