// Package relay composes the services of the relay from their parts: the ingest
// service, the worker, or both in one process. The commands add the configuration
// file and the command line.
//
//	webhook ──► ingest ──► broker ──► worker ──► Graph
//
// It knows no broker of its own and no simulator: those are package standalone's,
// so that the services' binaries do not carry them. Nor does it know the worker,
// which package working composes: ingest's binary has nothing that could call
// Graph, and its process no credential to do so.
package relay

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"changerelay/internal/events"
	"changerelay/internal/ingest"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
)

// drainFor is how long requests under way may take after the stop; ingest
// bounds a request itself to less.
const drainFor = 20 * time.Second

// Parts are what a relay is built from.
type Parts struct {
	Sources []ingest.Source
	Tenants []string // their names
	Broker  stream.Options

	// Work is the worker's part, until ctx ends; nil in a process without that
	// role.
	Work func(ctx context.Context, nc *nats.Conn, s *stream.Streams, m *metrics.Metrics) error

	// What is told of events that have not ended: Timing as the worker has it, zero
	// is ledger.DefaultTiming; Quotas by tenant.
	Timing ledger.Timing
	Quotas map[string]Quota

	// Watch follows the configuration until ctx ends: it has apply put what is
	// new in force, and reports of each configuration whether it is. Nil keeps
	// Sources and Tenants for ever.
	Watch func(ctx context.Context, apply func(Change) error, report func(ok bool))

	IngestAddr string                // of webhooks
	TLS        *tls.Config           // of webhooks; nil: a proxy has it, or nobody
	ClientCAs  func() *x509.CertPool // as ingest.Config's; nil without TLS
	Proxies    []netip.Prefix        // as ingest.Config's
	PeerRate   ingest.Rate           // as ingest.Config's
	Rate       ingest.Rate           // as ingest.Config's
	AdminAddr  string                // of metrics and health
	BaseURL    string                // how senders see the ingest service; "" makes status URLs relative
	Version    string
	Log        *slog.Logger
	Tracer     *tracing.Tracer // nil traces nothing

	Up func(ingest, admin net.Addr) // called when the listeners are there; ingest is nil without it
}

// A Change is what a reload of the configuration replaces, all of it.
type Change struct {
	Sources []ingest.Source
	Tenants []string
	Quotas  map[string]Quota
}

// A Role is what a process does.
type Role int

// The roles; a process may have both.
const (
	Ingest Role = 1 << iota
	Worker
)

// Run does the work of the roles until ctx ends, and returns when what was begun
// is finished; then it closes the tracer. It listens before it has a broker: until then webhooks get 503,
// and readiness says why.
func (p Parts) Run(ctx context.Context, nc *nats.Conn, roles Role) error {
	defer p.Tracer.Close()
	if len(p.Tenants) == 0 {
		p.Log.Warn("no tenant is configured: every event is invalid; add one under tenants")
	}
	if len(p.Sources) == 0 && roles&Ingest != 0 {
		p.Log.Warn("no source is configured: every webhook is answered 401; add one under sources")
	}
	m := p.metrics(roles)
	p.Broker.Panicked, p.Broker.Buried = m.Panics.Inc, func(reason string) { m.DeadLetters.WithLabelValues(reason).Inc() }
	b, err := p.broker(nc)
	if err != nil {
		return err
	}
	admin, err := listen("admin.listen", p.AdminAddr)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	var ingestAddr net.Addr
	known := func(c Change) { m.SetTenants(c.Tenants); b.tenants.Store(&c.Tenants) }
	apply := func(c Change) error { known(c); return nil }
	if roles&Ingest != 0 {
		srv, l, err := p.ingest(b, m)
		if err != nil {
			return errors.Join(err, admin.Close())
		}
		defer srv.Close() // after its requests, and after Watch
		ingestAddr = l.Addr()
		apply = func(c Change) error {
			known(c)
			b.gate.quotas.Store(&c.Quotas)
			return srv.Reload(c.Sources, c.Tenants)
		}
		p.takeIn(ctx, group, srv, l)
	}
	if p.Watch != nil {
		report := func(ok bool) { m.Reloaded(ok); p.showCertificates(nc, m) }
		group.Go(func() error { p.Watch(ctx, apply, report); return nil })
	}
	group.Go(func() error {
		return Serve(ctx, &http.Server{Handler: m.Admin(b.Ready)}, admin, drainFor, p.Log) // #nosec G112 -- Serve sets the bounds
	})
	group.Go(func() error { return p.work(ctx, nc, roles, b, m) })
	group.Go(func() error { watch(ctx, nc, m); return nil })
	group.Go(func() error { p.certificates(ctx, nc, m); return nil })
	if p.Up != nil {
		p.Up(ingestAddr, admin.Addr())
	}
	return group.Wait()
}

// takeIn serves webhooks.
func (p Parts) takeIn(ctx context.Context, group *errgroup.Group, srv *ingest.Server, l net.Listener) {
	group.Go(func() error {
		h := srv.HTTPServer(p.IngestAddr)
		h.TLSConfig = p.TLS
		return Serve(ctx, h, l, drainFor, p.Log)
	})
}

func (p Parts) metrics(roles Role) *metrics.Metrics {
	l := metrics.Labels{Tenants: slices.Sorted(slices.Values(p.Tenants)), Refusals: ingest.Refusals(), Streams: stream.Names}
	if roles&Ingest != 0 {
		l.Of |= metrics.Ingest
	}
	if roles&Worker != 0 {
		l.Of |= metrics.Worker
	}
	for _, s := range p.Sources {
		l.Sources = append(l.Sources, s.Name)
	}
	for _, o := range events.Outcomes {
		l.Outcomes = append(l.Outcomes, string(o))
		if o.Dead() {
			l.Reasons = append(l.Reasons, string(o))
		}
	}
	return metrics.New(prometheus.NewRegistry(), p.Version, l)
}

func (p Parts) ingest(b *broker, m *metrics.Metrics) (*ingest.Server, net.Listener, error) {
	srv, err := ingest.New(ingest.Config{
		Sources: p.Sources, Tenants: p.Tenants, PeerRate: p.PeerRate, Rate: p.Rate, Proxies: p.Proxies, ClientCAs: p.ClientCAs,
		Publisher: b, Finder: b, Parker: b, Marks: b, Metrics: m, Log: p.Log, Tracer: p.Tracer, BaseURL: p.BaseURL,
	})
	if err != nil {
		return nil, nil, err
	}
	l, err := listen("ingest.listen", p.IngestAddr)
	if err != nil {
		srv.Close()
		return nil, nil, err
	}
	return srv, bounded(l, ingest.MaxConnections), nil
}

// work opens the broker's streams, and with the role of a worker works.
func (p Parts) work(ctx context.Context, nc *nats.Conn, roles Role, b *broker, m *metrics.Metrics) error {
	s, err := stream.Open(ctx, nc, p.Broker)
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	b.streams.Store(s)
	var looks sync.WaitGroup
	defer looks.Wait()
	looking, stop := context.WithCancel(ctx)
	defer stop()
	looks.Go(func() { p.look(looking, nc, s, m) })
	looks.Go(func() { p.examine(looking, nc, b.configured, m) })
	if roles&Worker == 0 {
		<-ctx.Done()
		return nil
	}
	return p.Work(ctx, nc, s, m)
}

func listen(field, addr string) (*net.TCPListener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; stop what listens there, or choose another address", field, err)
	}
	return l.(*net.TCPListener), nil
}
