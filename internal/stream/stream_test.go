package stream

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/natstest"
)

// within is how long a test waits for a state on a busy machine.
const within = 20 * time.Second

// open declares the streams on a broker and returns them.
func open(t *testing.T, url string, o Options) *Streams {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	s, err := Open(ctx, natstest.Connect(t, url), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// solo is open on a server of the test's own.
func solo(t *testing.T) *Streams {
	t.Helper()
	return open(t, natstest.Server(t).URL(), Options{})
}

// decided is when the events of these tests were.
var decided = time.Now()

// event is a valid one; n makes its id and device.
func event(t *testing.T, n int) events.Event {
	t.Helper()
	e, err := events.New(events.Event{
		ID: fmt.Sprintf("id-%d", n), Source: "/servicenow/acme", Ticket: "CHG0031337", Tenant: "acme",
		Device: fmt.Sprintf("%08d-0000-4000-8000-000000000000", n), Time: decided,
		Changes: []events.Change{{Intent: events.Remove, Item: events.Item{ID: "11111111-1111-4111-8111-111111111111", Type: events.Application}}},
	}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// stored is how many messages a stream has.
func stored(t *testing.T, s *Streams, name string) uint64 {
	t.Helper()
	st, err := s.js.Stream(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return st.CachedInfo().State.Msgs
}

// receive takes the next value, and fails the test if none comes.
func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(within):
		t.Fatalf("after %v still no %s", within, what)
		panic("unreachable")
	}
}

func TestOpenSaysWhatCannotBe(t *testing.T) {
	t.Parallel()
	nc := natstest.Connect(t, natstest.Server(t).URL())
	_, err := Open(t.Context(), nc, Options{Replicas: 3})
	if err == nil || !strings.Contains(err.Error(), "CHANGES") || !strings.Contains(err.Error(), "non-clustered") {
		t.Errorf("three replicas on one server: %v, want a refusal that names the stream and the cause", err)
	}
}

func TestOpenWaitsForTheBroker(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t)
	nc := natstest.Connect(t, b.URL())
	b.Stop()
	var book await.Log
	opened := make(chan error, 1)
	go func() {
		s, err := Open(t.Context(), nc, Options{Log: slog.New(slog.NewTextHandler(&book, nil))})
		if err == nil {
			err = s.Ready(t.Context())
		}
		opened <- err
	}()
	await.State(t, "Open waits", func() bool { return strings.Contains(book.String(), "waiting") })
	b.Start()
	if err := receive(t, opened, "end of Open"); err != nil {
		t.Error(err)
	}
}

func TestConnectNeverTellsThePassword(t *testing.T) {
	t.Parallel()
	var book await.Log
	if _, err := Connect("nats://relay:s3cret@%zz:4222", "test", slog.New(slog.NewTextHandler(&book, nil))); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a broken URL: %v, want an error without the password", err)
	}
	nc, err := Connect(strings.Replace(natstest.Server(t).URL(), "//", "//relay:s3cret@", 1), "test", slog.New(slog.NewTextHandler(&book, nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	await.State(t, "connected", func() bool { return strings.Contains(book.String(), "connected") })
	if strings.Contains(book.String(), "s3cret") {
		t.Errorf("the log has the password: %s", book.String())
	}
}

func TestConnectOutlivesALongAbsence(t *testing.T) {
	t.Parallel()
	b := natstest.Server(t)
	b.Stop()
	nc, err := Connect(b.URL(), "test", nil, nats.ReconnectWait(10*time.Millisecond), nats.ReconnectJitter(0, 0))
	if err != nil {
		t.Fatalf("connecting while the broker is away: %v", err)
	}
	defer nc.Close()
	b.Start()
	await.State(t, "connected", nc.IsConnected)
}

func TestReadyWantsAllStreams(t *testing.T) {
	t.Parallel()
	s := solo(t)
	if err := s.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.js.DeleteStream(t.Context(), Dead); err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "DEAD") {
		t.Errorf("without DEAD: %v, want an error that names it", err)
	}
}
