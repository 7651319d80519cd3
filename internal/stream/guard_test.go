package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"changerelay/internal/await"
	"changerelay/internal/natstest"
)

// A handler's panic puts back what it has in hand, for long, and nothing else
// stops.
func TestAPanicPutsItsMessageBack(t *testing.T) {
	t.Parallel()
	var book await.Log
	b := natstest.Server(t)
	s := open(t, b.URL(), Options{Log: slog.New(slog.NewTextHandler(&book, nil))})
	answers, err := natstest.Connect(t, b.URL()).SubscribeSync("$JS.ACK." + Changes + ".>")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s, event(t, 1), false)
	publish(t, s, event(t, 2), false)
	handled := make(chan uint64, 1)
	folding(t, s, 1, 1, func(ctx context.Context, ds []*Delivery) {
		if ds[0].Sequence == 1 {
			panic("of " + string(ds[0].Data))
		}
		ack(t, ctx, ds...)
		handled <- ds[0].Sequence
	})
	if got := receive(t, handled, "other message"); got != 2 {
		t.Fatalf("message %d is handled", got)
	}
	m, err := answers.NextMsg(within)
	if want := fmt.Sprintf(`-NAK {"delay":%d}`, PanicPause.Nanoseconds()); err != nil || string(m.Data) != want {
		t.Errorf("the message is answered %s, %v; want %s", m.Data, err, want)
	}
	log := book.String()
	if !strings.Contains(log, "a handler panicked") || !strings.Contains(log, `panic="a string"`) || !strings.Contains(log, "guard_test.go") || !strings.Contains(log, "first=1") {
		t.Errorf("the log has no stack, or not whose: %s", log)
	}
	if strings.Contains(log, "CHG0031337") {
		t.Errorf("the log has the message: %s", log)
	}
}

// A panic in one of many goroutines is that of who waits for them.
func TestEachCarriesAPanic(t *testing.T) {
	t.Parallel()
	var book await.Log
	var none map[string]int
	ok := Guard(slog.New(slog.NewTextHandler(&book, nil)), func() {
		_ = each([]int{1, 2, 3}, 2, func(n int) error {
			if n == 2 {
				none["CHG0031337"] = n
			}
			return errors.New("another")
		})
		t.Error("it went on")
	})
	if log := book.String(); ok || !strings.Contains(log, `panic="assignment to entry in nil map"`) || !strings.Contains(log, "TestEachCarriesAPanic.func1.1") {
		t.Errorf("%v, and the log is %s", ok, log)
	}
}
