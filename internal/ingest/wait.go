package ingest

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// A reader may wait for an outcome, with ?wait=30s. It is answered when what it
// asks for is final, when its time is over, or when the server stops, with 200 and
// what is known then:
//
//	listen ─► look ─► final? ─► answer
//	           ▲        │ no
//	           └── heard of an outcome, or LookEvery
//
// Listening begins before the first look, so that no outcome falls between. What
// is heard is not believed, but looked at: it may not be stored yet, and is never
// heard if the connection to the broker was just lost.
//
// Who waits holds a connection and no share of the memory that intake needs; each
// look claims its own.

// A glance is one look at what is asked for; final says that it will stay so.
type glance func(context.Context) (a answer, final bool, err error)

// waitOf is how long a reader wants to wait; 0 is not at all.
func waitOf(x *exchange) (time.Duration, error) {
	text, err := one(x.QueryParams(), "wait")
	if err != nil || text == "" {
		return 0, err
	}
	d, err := time.ParseDuration(text)
	if seconds, failed := strconv.ParseUint(text, 10, 31); failed == nil {
		d, err = time.Duration(seconds)*time.Second, nil
	}
	if err != nil || d < 0 {
		return 0, &badQuery{"wait", fmt.Sprintf("want a time such as 30s; more than %s is taken as that", MaxWait)}
	}
	return min(d, MaxWait), nil
}

// wait looks until it sees what is final, for as long as the reader wants.
func (s *Server) wait(x *exchange, subject string, wait time.Duration, see glance) (answer, error) {
	if wait == 0 || !s.waits.begin(x.from) {
		a, _, err := s.look(x, see)
		return a, err
	}
	defer s.waits.done(x.from)
	s.metrics.InFlight.Dec()
	s.metrics.Waiters.Inc()
	defer func() {
		s.metrics.Waiters.Dec()
		s.metrics.InFlight.Inc()
	}()
	heard := make(chan struct{}, 1)
	stop, err := s.finder.Listen(subject, func() {
		select {
		case heard <- struct{}{}:
		default:
		}
	})
	if err != nil {
		return answer{}, fmt.Errorf("listening for an outcome: %w", broker(err))
	}
	defer stop()
	x.stay(wait)
	return s.await(x, wait, see, heard)
}

// await is wait once it listens. After the first look a failed one changes
// nothing: the broker may be back in time.
func (s *Server) await(x *exchange, wait time.Duration, see glance, heard <-chan struct{}) (answer, error) {
	over := time.After(wait)
	a, final, err := s.look(x, see)
	for pause := LookEvery; !final && err == nil; pause = min(2*pause, LookEvery) {
		began := time.Now()
		var end bool
		select {
		case <-heard:
			pause = lookSoon / 2
		case <-time.After(pause):
		case <-over:
			end = true
		case <-s.waits.over:
			return a, nil
		case <-x.Request().Context().Done():
			return a, nil
		}
		x.waited += time.Since(began)
		if b, f, failed := s.look(x, see); failed == nil {
			a, final = b, f
		}
		if end {
			return a, nil
		}
	}
	return a, err
}

// look claims what a look costs, and bounds it.
func (s *Server) look(x *exchange, see glance) (answer, bool, error) {
	c, err := s.admit(x.from)
	if err != nil {
		return answer{}, false, err
	}
	defer c.release()
	ctx, cancel := context.WithTimeout(x.Request().Context(), FindTimeout)
	defer cancel()
	return see(ctx)
}

// stay puts the server's deadline for the answer off.
func (x *exchange) stay(wait time.Duration) {
	_ = http.NewResponseController(x.Response()).SetWriteDeadline(x.start.Add(wait + WriteTimeout)) // only a test's server has none
}

// waits are the readers who wait, by address.
type waits struct {
	over chan struct{} // closed when nobody may wait any more
	once sync.Once

	mu  sync.Mutex
	all int
	by  map[netip.Addr]int
}

// begin reports whether one more of the address may wait; if so, done follows.
func (w *waits) begin(from netip.Addr) bool {
	from = network(from)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= MaxWaits || w.by[from] >= MaxPeerWaits {
		return false
	}
	w.all++
	w.by[from]++
	return true
}

func (w *waits) done(from netip.Addr) {
	from = network(from)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all--
	if w.by[from]--; w.by[from] == 0 {
		delete(w.by, from)
	}
}

// end has everybody answered who waits, or will want to.
func (w *waits) end() { w.once.Do(func() { close(w.over) }) }
