package ingest

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/time/rate"

	"changerelay/internal/events"
	"changerelay/internal/ingest/source"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/metrics"
)

// A sender is a configured source, compiled.
type sender struct {
	Source   // what it may do; without its checks, which hold secrets
	verifier *checker
	checks   []string // names of the verifier's, for the log
	decoder  source.Decoder
	requests *rate.Limiter // of verified requests that are no repetition
	parks    *rate.Limiter // of bodies that are kept
	tickets  *rate.Limiter // of look-ups by ticket
	shakes   *peers        // of handshakes, which strangers can ask for
}

// newSender compiles a source; tenants are those that are configured, and was is
// the same source before a reload, or nil.
func newSender(c Source, tenants map[string]bool, was *sender) (*sender, error) {
	if c.MaxBody == 0 {
		c.MaxBody = DefaultMaxBody
	}
	if err := errors.Join(c.checkName(), c.checkScope(tenants), c.checkLimits(), c.Handshake.check()); err != nil {
		return nil, err
	}
	decoder, err := source.New(c.Kind, source.Config{Name: c.Name, Tenant: c.tenant(), Fields: c.Fields, Approved: c.Approved, Map: c.Map})
	if err != nil {
		return nil, err
	}
	verifier, err := newChecker(c, was)
	if err != nil {
		return nil, err
	}
	c.Checks = verify.Config{}
	snd := &sender{
		Source: c, verifier: verifier, checks: verifier.Checks(), decoder: decoder,
		requests: c.Rate.limiter(DefaultRate), parks: ParkRate.limiter(ParkRate), tickets: TicketRate.limiter(TicketRate),
		shakes: newPeers(HandshakeRate),
	}
	if was != nil {
		snd.inherit(was)
	}
	return snd, nil
}

// inherit takes over the limiters, that of requests if its rate is still the
// same: else whoever can have the configuration reloaded could open the gate.
func (snd *sender) inherit(was *sender) {
	snd.parks, snd.tickets, snd.shakes = was.parks, was.tickets, was.shakes
	if cmp.Or(was.Rate, DefaultRate) == cmp.Or(snd.Rate, DefaultRate) {
		snd.requests = was.requests
	}
}

func (c Source) checkName() error {
	if !isName(c.Name) || c.Name == metrics.Unknown {
		return fmt.Errorf("name: want 1 to 63 of a-z, 0-9 and -, and not %q", metrics.Unknown)
	}
	return nil
}

// checkScope refuses what a source cannot be let do. A list that is there and
// empty would be everything to one reader and nothing to another.
func (c Source) checkScope(tenants map[string]bool) error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	refuse(len(c.Tenants) == 0, "tenants: there is none it may speak for")
	for _, t := range c.Tenants {
		refuse(t != "*" && !tenants[t], "tenants: %q is not configured", t)
	}
	refuse(c.Intents != nil && len(c.Intents) == 0, "intents: is empty; leave it out for remove and restore")
	for i, intent := range c.Intents {
		refuse(intent != events.RestoreAll && !slices.Contains(unasked, intent), "intents[%d]: %q is none; want remove, restore or restore_all", i, intent)
	}
	refuse(c.ItemTypes != nil && len(c.ItemTypes) == 0, "item_types: is empty; leave it out for all")
	for i, t := range c.ItemTypes {
		refuse(!slices.Contains(events.ItemTypes, t), "item_types[%d]: %q is none; want one of %v", i, t, events.ItemTypes)
	}
	refuse(c.AllowFrom != nil && len(c.AllowFrom) == 0, "allow_from: is empty; leave it out for any address")
	for i, p := range c.AllowFrom {
		refuse(!isRange(p), "allow_from[%d]: %s", i, wantRange)
	}
	return errors.Join(errs...)
}

func (c Source) checkLimits() error {
	var size error
	if c.MaxBody < 1 || c.MaxBody > MaxBody {
		size = fmt.Errorf("max_body: %d is not within 1 to %d bytes", c.MaxBody, MaxBody)
	}
	return errors.Join(size, c.Rate.check("rate"))
}

const wantRange = "want a range such as 192.0.2.0/24 or 2001:db8::/32"

// isRange refuses an IPv4 range that is written as IPv6: no address would be in it.
func isRange(p netip.Prefix) bool { return p.IsValid() && !p.Addr().Is4In6() }

// tenant is whom records are for that do not say so themselves.
func (c Source) tenant() string {
	if len(c.Tenants) == 1 && c.Tenants[0] != "*" {
		return c.Tenants[0]
	}
	return ""
}

func isName(s string) bool {
	return s != "" && len(s) <= 63 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
