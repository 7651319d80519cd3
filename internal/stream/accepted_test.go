package stream

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
)

// Anybody who publishes can write the header.
func TestAcceptedIsWhatResolveMayHaveWritten(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	was := at.Add(-2 * time.Hour)
	for _, c := range []struct {
		name, subject, header string
		target                events.Target
		retention             time.Duration
		want                  time.Time
	}{
		{"resolved", "changes.v1.x", "2026-11-23T08:00:00Z", "comanagedDevices/1", 0, was},
		{"in another zone", "changes.v1.x", "2026-11-23T09:00:00+01:00", "comanagedDevices/1", 3 * time.Hour, was},
		{"without a target", "changes.v1.x", "2026-11-23T08:00:00Z", "", 0, at},
		{"in TARGETS", "targets.v1.x", "2026-11-23T08:00:00Z", "comanagedDevices/1", 0, at},
		{"later", "changes.v1.x", "2026-11-23T10:00:01Z", "comanagedDevices/1", 0, at},
		{"longer ago than TARGETS remembers", "changes.v1.x", "2026-11-23T08:00:00Z", "comanagedDevices/1", time.Hour, at},
		{"as by default", "changes.v1.x", "2026-10-23T08:00:00Z", "comanagedDevices/1", 0, at},
		{"before any", "changes.v1.x", "1999-12-31T23:59:59Z", "comanagedDevices/1", 200 * 365 * 24 * time.Hour, at},
		{"year -1", "changes.v1.x", "0000-01-01T00:00:00+01:00", "comanagedDevices/1", 0, at},
		{"no time", "changes.v1.x", "soon", "comanagedDevices/1", 0, at},
		{"none", "changes.v1.x", "", "comanagedDevices/1", 0, at},
	} {
		d := &Delivery{Subject: c.subject, Time: at, Header: nats.Header{headerAccepted: {c.header}}, retention: c.retention}
		if got := d.Accepted(events.Event{Target: c.target}); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
