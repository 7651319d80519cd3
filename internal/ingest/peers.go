package ingest

import (
	"container/list"
	"net/http"
	"net/netip"
	"sync"

	"golang.org/x/time/rate"
)

// peers are limiters, one for each address that is heard of. Beyond MaxPeers the
// one not heard of for longest is forgotten: who has more addresses than that
// meets the rate of all.
type peers struct {
	rate Rate // of each

	mu    sync.Mutex
	by    map[netip.Addr]*list.Element
	heard list.List // of peer, the last one first
}

type peer struct {
	addr netip.Addr
	*rate.Limiter
}

func newPeers(r Rate) *peers { return &peers{rate: r, by: map[netip.Addr]*list.Element{}} }

// of returns the limiter of an address.
func (p *peers) of(a netip.Addr) *rate.Limiter {
	a = network(a)
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.by[a]; e != nil {
		p.heard.MoveToFront(e)
		return e.Value.(peer).Limiter
	}
	if len(p.by) == MaxPeers {
		oldest := p.heard.Remove(p.heard.Back()).(peer)
		delete(p.by, oldest.addr)
	}
	l := p.rate.limiter(p.rate)
	p.by[a] = p.heard.PushFront(peer{a, l})
	return l
}

// network is what stands for an address: itself, or of IPv6 its /64, for whoever
// has one of these has all.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}

// pass holds a request against the rate of its peer, and then against that of
// all: but for reading, which nobody who floods the hooks must keep others from.
func (s *Server) pass(x *exchange) error {
	x.from = x.peer()
	if err := take(s.peers.of(x.from), x.now); err != nil || x.Request().Method == http.MethodGet {
		return err
	}
	return take(s.total, x.now)
}
