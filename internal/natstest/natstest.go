// Package natstest runs real nats-servers inside a test: no double stands in
// for the broker, because what changerelay leans on is what the broker does at
// its edges. Only tests import it.
//
//	Server   one node on disk; Stop and Start are a restart with the same store
//	Cluster  n nodes that replicate; single nodes can be stopped and started
//
// Everything listens on loopback, on ports of its own, and is gone with the test.
package natstest

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Bounds of the servers.
const (
	upWithin = 20 * time.Second // a loaded machine's start of one server
	maxStore = 4 << 30          // bytes a server may use on disk; nothing is reserved
)

// An Option changes how a server is run.
type Option func(*server.Options)

// SyncAlways has the server write through to the disk before it acknowledges,
// as changerelay is run.
func SyncAlways() Option { return func(o *server.Options) { o.SyncAlways = true } }

// Config has the server run by text, which is what would be in its configuration
// file beside the store: its users and what they may do, say.
func Config(t testing.TB, text string) Option {
	t.Helper()
	if err := new(server.Options).ProcessConfigString(text); err != nil {
		t.Fatalf("natstest: reading the configuration: %v", err)
	}
	return func(o *server.Options) { _ = o.ProcessConfigString(text) } // it was read a line ago
}

// A Broker is one nats-server.
type Broker struct {
	t    testing.TB
	opts server.Options
	s    *server.Server
}

// Server runs one node with JetStream until the test ends.
func Server(t testing.TB, opts ...Option) *Broker {
	t.Helper()
	b := newBroker(t, "solo", opts...)
	b.Start()
	return b
}

// newBroker makes a stopped server with a store and a port of its own.
func newBroker(t testing.TB, name string, opts ...Option) *Broker {
	b := &Broker{t: t, opts: server.Options{
		ServerName: name, Host: "127.0.0.1", Port: freePorts(t, 1)[0],
		JetStream: true, StoreDir: t.TempDir(), JetStreamMaxStore: maxStore,
		NoLog: true, NoSigs: true,
	}}
	for _, opt := range opts {
		opt(&b.opts)
	}
	t.Cleanup(b.Stop)
	return b
}

// URL is where clients connect; it stays the same over restarts.
func (b *Broker) URL() string {
	return "nats://" + net.JoinHostPort(b.opts.Host, strconv.Itoa(b.opts.Port))
}

// Subscribers is how many subscriptions would hear what is published under a
// subject. Those of streams are among them.
func (b *Broker) Subscribers(subject string) int {
	b.t.Helper()
	z, err := b.s.Subsz(&server.SubszOptions{Subscriptions: true, Test: subject, Account: server.DEFAULT_GLOBAL_ACCOUNT})
	if err != nil {
		b.t.Fatalf("natstest: asking for the subscriptions: %v", err)
	}
	return z.Total
}

// Stop shuts the server down and waits until it is gone.
func (b *Broker) Stop() {
	if b.s != nil {
		b.s.Shutdown()
		b.s.WaitForShutdown()
	}
}

// Start runs the server, after a Stop with the same store and port.
func (b *Broker) Start() {
	b.t.Helper()
	b.launch()
	if !b.s.ReadyForConnections(upWithin) {
		b.t.Fatalf("natstest: server %s is not up after %v", b.opts.ServerName, upWithin)
	}
}

func (b *Broker) launch() {
	b.t.Helper()
	opts := b.opts // the server writes into its options
	s, err := server.NewServer(&opts)
	if err != nil {
		b.t.Fatalf("natstest: making server %s: %v", b.opts.ServerName, err)
	}
	b.s = s
	go s.Start()
}

// Connect opens a connection that is closed when the test ends. It reconnects
// for ever and quickly.
func Connect(t testing.TB, url string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(20 * time.Millisecond),
		nats.ReconnectJitter(10*time.Millisecond, 0), nats.ReconnectBufSize(-1)}, opts...)...)
	if err != nil {
		t.Fatalf("natstest: connecting: %v", err)
	}
	t.Cleanup(nc.Close)
	return nc
}
