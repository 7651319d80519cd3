package relay

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// A service says at its start what is wrong with the broker, and starts.
func TestTheBrokerIsExaminedAtTheStart(t *testing.T) {
	b := natstest.Server(t)
	nc := natstest.Connect(t, b.URL())
	if _, err := stream.Open(t.Context(), nc, stream.Options{}); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	st, err := js.Stream(t.Context(), stream.Devices)
	if err != nil {
		t.Fatal(err)
	}
	c := st.CachedInfo().Config
	c.MaxMsgs = 10 // which no service mends
	if _, err := js.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	var log await.Log
	r := start(t, b.URL(), func(p *Parts) { p.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	r.wants("desk", "1", ticket(1), 202)
	for _, want := range []string{
		`level=WARN msg=doctor what="DEVICES max_msgs" detail="is bounded by number: full, it refuses events, or drops wake-ups" remedy="nats stream edit DEVICES --max-msgs=-1"`,
		`level=INFO msg=doctor what=replicas detail="1: `,
	} {
		await.State(t, want, func() bool { return strings.Contains(log.String(), want) })
	}
	if n := strings.Count(log.String(), "level=WARN msg=doctor"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, log.String())
	}
}
