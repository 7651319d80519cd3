package ingest

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"changerelay/internal/await"
)

// What one peer claims before it is verified is bounded, and given back.
func TestShare(t *testing.T) {
	w := newWorld(t)
	one, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:1::1")
	admit := func(from netip.Addr) *share {
		t.Helper()
		c, err := w.admit(from)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a, b := admit(one), admit(one.Next())
	if a.grow(MaxUnverified/2) != nil || b.grow(MaxUnverified/2-2*requestCost) != nil {
		t.Error("a quarter is not theirs")
	}
	if b.grow(1) != errBusy {
		t.Error("one network may have more than a quarter")
	}
	c := admit(other)
	if c.grow(MaxUnverified-requestCost) != nil {
		t.Error("another network is kept out")
	}
	a.vouched()
	if a.grow(MaxUnverified) != nil || b.grow(MaxUnverified/2) != nil {
		t.Error("what is verified counts for strangers")
	}
	if a.grow(MaxInFlight) != errBusy {
		t.Error("what is verified has no bound")
	}
	for _, s := range []*share{a, b, c} {
		s.release()
	}
	if w.inFlight.Load() != 0 || len(w.strangers.bytes) != 0 {
		t.Errorf("%d bytes and %d peers are left", w.inFlight.Load(), len(w.strangers.bytes))
	}
}

// Strangers who send slowly fill what their address may hold, and nobody else's.
func TestSlowStrangers(t *testing.T) {
	l := listen(t, false)
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	body := strings.Repeat("x", DefaultMaxBody-1)
	for range MaxUnverified/DefaultMaxBody + 1 {
		c, err := from.Dial("tcp", l.addr)
		if err != nil {
			t.Skip("this machine has one loopback address: ", err)
		}
		defer c.Close()
		go func() { _, _ = io.WriteString(c, head("snow", fmt.Sprintf("Content-Length: %d", DefaultMaxBody))+body) }()
	}
	await.State(t, "the address to have all that it may", func() bool { return strings.Contains(l.log.String(), `"outcome":"unavailable"`) })
	if code, text := l.raw(t, head("snow", signature(snowKey, snowBody), length(snowBody)), snowBody); code != 202 {
		t.Errorf("somebody else got %d %s", code, text)
	}
}
