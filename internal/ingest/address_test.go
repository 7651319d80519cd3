package ingest

import (
	"net/http"
	"net/netip"
	"testing"
)

func ranges(list ...string) (p []netip.Prefix) {
	for _, s := range list {
		p = append(p, netip.MustParsePrefix(s))
	}
	return p
}

// Nobody but a configured proxy says where a request comes from.
func TestAddresses(t *testing.T) {
	proxy := ranges("10.0.0.0/8", "2001:db8::/64")
	for name, c := range map[string]struct {
		proxies []netip.Prefix
		peer    string
		said    []string
		want    string
	}{
		"no proxy":             {nil, "10.0.0.1:1", []string{"192.0.2.7"}, "10.0.0.1"},
		"empty list":           {ranges(), "10.0.0.1:1", []string{"192.0.2.7"}, "10.0.0.1"},
		"by a proxy":           {proxy, "10.0.0.1:1", []string{"192.0.2.7"}, "192.0.2.7"},
		"by two":               {proxy, "10.0.0.1:1", []string{"192.0.2.7, 10.2.3.4"}, "192.0.2.7"},
		"in two headers":       {proxy, "10.0.0.1:1", []string{"192.0.2.7", "10.2.3.4"}, "192.0.2.7"},
		"with a lie before it": {proxy, "10.0.0.1:1", []string{"6.6.6.6, 192.0.2.7"}, "192.0.2.7"},
		"IPv6":                 {proxy, "[2001:db8::1]:1", []string{"2001:db8:1::7"}, "2001:db8:1::7"},
		"by a stranger":        {proxy, "192.0.2.9:1", []string{"6.6.6.6"}, "192.0.2.9"},
		"loopback is one":      {proxy, "127.0.0.1:1", []string{"6.6.6.6"}, "127.0.0.1"},
		"private is one":       {proxy, "192.168.0.1:1", []string{"6.6.6.6"}, "192.168.0.1"},
		"link-local is one":    {proxy, "169.254.0.1:1", []string{"6.6.6.6"}, "169.254.0.1"},
		"nonsense":             {proxy, "10.0.0.1:1", []string{"a, 192.0.2.7"}, "192.0.2.7"},
		"only nonsense":        {proxy, "10.0.0.1:1", []string{"Body-Text-Nobody-Logs"}, "10.0.0.1"},
		"silent proxy":         {proxy, "10.0.0.1:1", nil, "10.0.0.1"},
	} {
		w := newWorld(t, func(c2 *Config) { c2.Proxies = c.proxies })
		r := snow("/v1/hooks/snow", snowBody)
		r.RemoteAddr = c.peer
		r.Header["X-Forwarded-For"] = c.said
		r.Header.Set("X-Real-Ip", "6.6.6.6")
		r.Header.Set("Forwarded", "for=6.6.6.6")
		w.do(r)
		if got := w.lastLine(t)["peer"]; got != c.want {
			t.Errorf("%s: got %v, want %s", name, got, c.want)
		}
	}
}

// A source with an allow list is refused from elsewhere, like any other request
// that is not let in.
func TestAllowFrom(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Proxies = ranges("10.0.0.0/8") },
		withSource("snow", func(s *Source) { s.AllowFrom = ranges("192.0.2.0/28", "2001:db8::/64") }),
		withSource("desk", func(s *Source) { s.AllowFrom = ranges("192.0.2.0/28") }))
	requests := map[string]func() *http.Request{
		"hook": func() *http.Request { return snow("/v1/hooks/snow", snowBody) },
		"open": func() *http.Request { return desk(deskKey, "/v1/changes", change("1", "acme", "a"), clock) },
	}
	for _, c := range []struct {
		route, peer, said string
		code              int
		reason            any
	}{
		{"hook", "192.0.2.1:1", "", 202, nil},
		{"hook", "192.0.2.15:1", "", 200, nil},
		{"hook", "[::ffff:192.0.2.1]:1", "", 200, nil},
		{"hook", "[2001:db8::7%eth0]:1", "", 200, nil},
		{"hook", "10.0.0.1:1", "192.0.2.1", 200, nil},
		{"hook", "192.0.2.16:1", "", 401, "address"},
		{"hook", "10.0.0.1:1", "192.0.2.16", 401, "address"},
		{"hook", "192.0.2.16:1", "192.0.2.1", 401, "address"},
		{"hook", "nowhere", "", 401, "address"},
		{"open", "192.0.2.1:1", "", 202, nil},
		{"open", "192.0.2.99:1", "", 401, "address"},
	} {
		r := requests[c.route]()
		r.RemoteAddr = c.peer
		if c.said != "" {
			r.Header.Set("X-Forwarded-For", c.said)
		}
		rec := w.do(r)
		if got := w.lastLine(t)["reason"]; rec.Code != c.code || got != c.reason {
			t.Errorf("%s from %s, %s: got %d, %v; want %d, %v", c.route, c.peer, c.said, rec.Code, got, c.code, c.reason)
		}
		if c.code == 401 && rec.Body.String() != unauthorized {
			t.Errorf("the sender is told %s", rec.Body)
		}
	}
}
