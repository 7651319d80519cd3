// Package graphsim is a Microsoft Graph and an Entra tenant in one process: the two calls that
// Intune's changeAssignments needs, their token, and the ways they go wrong. It speaks TLS with its
// own CA, so a client is configured for it exactly as for a private cloud.
//
// It is a product of its own and restates the contract: it never imports the client, so that a wrong
// field name cannot agree with itself. It is polite by default and hostile on request.
//
//	request ─► token check ─► throttle ─► role ─► BeforeApply ─► checks ─► the set ─► AfterApply ─► answer
//	             401            429        403      fault       400, 404   replaced      fault       204
//
// What it promises to its users:
//
//   - The POST replaces the whole set. New items are under removal, those left out are restored,
//     and the same set twice changes nothing.
//   - Faults come in pairs. Every fault can strike before the effect (nothing happened) or after it
//     (it happened, and the caller cannot know). Late is the third kind: it happens when nobody waits
//     for it any more. A fault sees the calls that got past the token, the throttle and the role.
//   - State is a function of the stored times and the clock. Nothing ticks: a device checks in, an
//     item is restored and a late set takes effect when somebody looks after its time. So a test
//     that owns the clock (Options.Now, Advance) never sleeps.
//   - The journal has every call in order of arrival, and says which sets took effect, in which
//     order, and whether two calls for a device were in flight at once. A call is closed before its
//     answer leaves, so a caller that has its answer cannot overlap with itself.
//
// Where the contract is silent there is a knob with both answers (Knobs, docs/graphsim.md). What has
// none: unknown properties are refused; the auto-restore counts from an item's removal, also on a
// device that was never online. Given the same seed, clock and calls, every answer but a token is the
// same. Memory is bounded: see limits.go.
package graphsim

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Options are fixed for the simulator's life; what may change while it runs is in Knobs.
type Options struct {
	Now     func() time.Time // wall clock; default time.Now. The simulator adds its own offset (Advance).
	File    string           // device state is loaded from it at start and saved after each change
	Addr    string           // listen address; default "127.0.0.1:0"
	Journal int              // newest calls kept, at most twice as many in memory; default 100 000
	Seed    uint64           // of ids, of the order of a $batch's answers and of chances
	Hosts   []string         // more names and addresses that the certificate is good for
	// Certificate is served instead of one of the simulator's own; CA must then be what clients trust.
	Certificate *tls.Certificate
	CA          []byte // PEM
}

// Sim is one simulated cloud with any number of tenants. It is safe for concurrent use.
type Sim struct {
	clock  func() time.Time
	file   string
	addr   string
	keep   int
	ca     []byte
	cert   tls.Certificate
	seed   uint64
	dice   *dice
	server *http.Server
	closed chan struct{}  // ends every delay
	calls  sync.WaitGroup // handlers under way; Add only under mu and before closed
	served sync.WaitGroup

	mu      sync.Mutex // everything below
	url     string
	offset  time.Duration
	knobs   *Knobs
	tenants map[string]*tenant
	devices map[key]*device
	grants  map[string]grant
	minted  []string // keys of grants, oldest first
	windows map[windowKey]*window
	faults  []*armed
	late    []late
	journal []*Call
	flight  map[key][]*Call
	arrived int   // calls so far
	applied int   // sets that took effect so far
	armings int   // faults so far
	revoked int   // challenges so far
	saveErr error // the first save that failed; Close returns it
	stopped bool
}

// New makes a simulator with its own CA. It serves nothing until Start.
func New(o Options) (*Sim, error) {
	s := &Sim{
		clock: o.Now, file: o.File, addr: o.Addr, keep: o.Journal, seed: o.Seed,
		closed: make(chan struct{}), ca: o.CA,
	}
	s.empty()
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.addr == "" {
		s.addr = "127.0.0.1:0"
	}
	if s.keep <= 0 {
		s.keep = defaultJournal
	}
	var err error
	if o.Certificate != nil {
		s.cert = *o.Certificate
	} else if s.ca, s.cert, err = newCertificate(o.Hosts); err != nil {
		return nil, fmt.Errorf("making the simulator's certificate: %w", err)
	}
	if err := s.load(); err != nil {
		return nil, fmt.Errorf("loading simulated devices: %w", err)
	}
	return s, nil
}

// Start listens, and serves in the background until Close.
func (s *Sim) Start() error {
	ln, err := net.Listen("tcp", s.addr)
	if err != nil {
		return fmt.Errorf("starting simulated Graph: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.server != nil {
		_ = ln.Close()
		return errors.New("starting simulated Graph: already started or closed")
	}
	s.server = &http.Server{
		Handler:           s.Handler(),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: readHeaderTimeout,
		MaxHeaderBytes:    maxHeader,
		IdleTimeout:       idleTimeout,
		ErrorLog:          log.New(io.Discard, "", 0), // callers that hang up are what it is for
	}
	s.url = "https://" + reachable(ln.Addr())
	server := s.server
	s.served.Go(func() { _ = server.ServeTLS(ln, "", "") })
	return nil
}

// reachable is the address to call: one that means "every interface" is no address.
func reachable(a net.Addr) string {
	if t, ok := a.(*net.TCPAddr); ok && t.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(t.Port))
	}
	return a.String()
}

// Close drops every connection and waits for the handlers. It reports a state file that could not be saved.
func (s *Sim) Close() error {
	s.mu.Lock()
	server := s.server
	if !s.stopped {
		s.stopped = true
		close(s.closed)
	}
	s.mu.Unlock()
	var err error
	if server != nil {
		err = server.Close()
	}
	s.calls.Wait()
	s.served.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(err, s.saveErr)
}

// URL is the Graph root and the authority host; it is empty before Start.
func (s *Sim) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.url
}

// CA is the certificate that clients have to trust, as PEM.
func (s *Sim) CA() []byte { return append([]byte(nil), s.ca...) }

// Now is the simulator's time.
func (s *Sim) Now() time.Time {
	now, _ := s.now()
	return now
}

// empty is a cloud without tenants. The caller holds mu, or is alone.
func (s *Sim) empty() {
	k := DefaultKnobs()
	s.knobs, s.dice, s.offset = &k, newDice(s.seed), 0
	s.tenants, s.devices, s.windows = map[string]*tenant{}, map[key]*device{}, map[windowKey]*window{}
	s.grants, s.minted, s.flight = map[string]grant{}, nil, map[key][]*Call{}
	s.faults, s.late, s.journal = nil, nil, nil
	s.arrived, s.applied, s.armings, s.revoked = 0, 0, 0, 0
}

// Reset makes the simulator as new: no tenants, no faults, an empty journal, default knobs, the
// real time. Calls under way end, and are in no journal.
func (s *Sim) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.empty()
	s.save()
}

// Advance moves the simulator's clock: devices check in, items are restored, tokens expire.
func (s *Sim) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.offset += d
	s.look()
	s.save()
}

// look is how every operation begins that depends on time: it lets late sets take effect, in
// the order they were due, and says what time it is. The caller holds mu.
func (s *Sim) look() time.Time {
	now := s.clock().Add(s.offset).UTC()
	s.arriveLate(now)
	return now
}

// told is the time as Graph and Entra have it: tokens live by it, and answers speak of it. What is
// due, and what the journal says, is by look. The caller holds mu.
func (s *Sim) told() time.Time { return s.look().Add(s.knobs.ClockSkew) }
