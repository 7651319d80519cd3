package ingest

import (
	"net/netip"
	"sync"
	"sync/atomic"
)

// A share is a request's share of the memory in flight. It grows with the bytes
// that arrive; an announced length claims nothing, or a few hundred idle
// connections could shut the door. Until its sender is known, it is a part of
// what its peer may claim too.
type share struct {
	inFlight   *atomic.Int64
	bytes      int64
	strangers  *strangers
	from       netip.Addr
	unverified int64
	verified   bool
}

// admit claims what any request costs.
func (s *Server) admit(from netip.Addr) (*share, error) {
	c := &share{inFlight: &s.inFlight, strangers: &s.strangers, from: network(from)}
	return c, c.grow(requestCost)
}

// grow claims n bytes more, or nothing.
func (c *share) grow(n int64) error {
	if c.inFlight.Add(n) > MaxInFlight || !c.verified && !c.strangers.grow(c.from, n) {
		c.inFlight.Add(-n)
		return errBusy
	}
	c.bytes += n
	if !c.verified {
		c.unverified += n
	}
	return nil
}

// vouched ends the peer's part.
func (c *share) vouched() {
	c.strangers.shrink(c.from, c.unverified)
	c.unverified, c.verified = 0, true
}

func (c *share) release() {
	c.vouched()
	c.inFlight.Add(-c.bytes)
}

// strangers are the bytes that requests of each peer claim before they are
// verified. There is an entry for each peer with such a request, and no other.
type strangers struct {
	mu    sync.Mutex
	bytes map[netip.Addr]int64
}

// grow reports whether the peer may claim n bytes more.
func (s *strangers) grow(from netip.Addr, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes[from]+n > MaxUnverified {
		return false
	}
	s.bytes[from] += n
	return true
}

func (s *strangers) shrink(from netip.Addr, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes[from] -= n; s.bytes[from] == 0 {
		delete(s.bytes, from)
	}
}
