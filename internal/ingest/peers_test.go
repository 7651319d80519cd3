package ingest

import (
	"net/http"
	"net/netip"
	"testing"
)

// One address over its rate keeps nobody else out, on no route, and takes
// nothing of the rate of all. Of IPv6 it is the network of 64 bits.
func TestPeerRate(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.PeerRate, c.Rate = Rate{PerSecond: 0.1, Burst: 2}, Rate{PerSecond: 0.001, Burst: 6}
	})
	flood := func(address string) {
		t.Helper()
		for i := range 20 {
			rec := w.do(from(address, httpRequest(http.MethodGet, "/v1/openapi.json")))
			if want := map[bool]int{true: 200, false: 429}[i < 2]; rec.Code != want {
				t.Errorf("request %d of %s got %d, want %d", i, address, rec.Code, want)
			}
		}
	}
	flood("203.0.113.66")
	flood("2001:db8:0:1::66")
	for address, want := range map[string]int{
		"203.0.113.66": 429, "::ffff:203.0.113.66": 429, "2001:db8:0:1:ffff::1": 429,
		"203.0.113.67": 401, "2001:db8:0:2::66": 401, "192.0.2.1": 401,
	} {
		rec := w.do(from(address, post("/v1/hooks/snow", snowBody)))
		if rec.Code != want || want == 429 && rec.Header().Get("Retry-After") != "10" {
			t.Errorf("%s got %d %q, want %d", address, rec.Code, rec.Header().Get("Retry-After"), want)
		}
	}
}

// Addresses are forgotten, the one not heard of for longest first.
func TestPeersAreBounded(t *testing.T) {
	p := newPeers(Rate{PerSecond: 1, Burst: 1})
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range MaxPeers {
		_ = take(p.of(address(i)), clock)
	}
	first, second := p.of(address(0)), p.of(address(1)) // 2 is the oldest
	_ = p.of(address(0))
	for i := range 3 {
		_ = p.of(address(MaxPeers + i))
	}
	if len(p.by) != MaxPeers || p.heard.Len() != MaxPeers {
		t.Errorf("%d addresses are kept", len(p.by))
	}
	if p.of(address(0)) != first || p.of(address(1)) != second {
		t.Error("an address that was heard of is forgotten")
	}
	if err := take(p.of(address(2)), clock); err != nil {
		t.Error("the oldest address is still known")
	}
	if err := take(first, clock); err == nil {
		t.Error("a known address has its rate again")
	}
}
