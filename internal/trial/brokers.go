package trial

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A broker is one nats-server.
type broker struct {
	process
	client  string // host:port
	written int64  // to its log, when its disk was last filled
	slow    string // file that says how long a sync takes longer, if there
}

// startBrokers runs a cluster of three that sync on every write, as
// docs/operations.md asks for, or a single one.
func (t *trial) startBrokers(ctx context.Context) error {
	n := t.servers()
	ports, err := freePorts(2 * n)
	if err != nil {
		return err
	}
	var routes []string
	for i := range n {
		routes = append(routes, fmt.Sprintf("nats-route://127.0.0.1:%d", ports[n+i]))
	}
	for i := range n {
		conf := fmt.Sprintf("server_name: n%d\nhost: 127.0.0.1\nport: %d\njetstream { store_dir: %q, sync_interval: always, max_file: 100G }\n", i, ports[i], t.path(fmt.Sprint("store-", i)))
		if n > 1 {
			// Clients are told of no other server: they would go round their links.
			conf += fmt.Sprintf("cluster { name: trial, host: 127.0.0.1, port: %d, no_advertise: true, routes: [%s] }\n", ports[n+i], strings.Join(routes, ", "))
		}
		file := t.path(fmt.Sprintf("nats-%d.conf", i))
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			return err
		}
		b := &broker{client: fmt.Sprintf("127.0.0.1:%d", ports[i]), slow: t.path(fmt.Sprint("slow-", i))}
		b.name, b.log, b.env = fmt.Sprint("nats-", i), t.path(fmt.Sprintf("nats-%d.log", i)), []string{slowEnv + "=" + b.slow}
		b.bin, b.args = t.disks.inside(t.bin["nats-server"], "-c", file)
		if err := b.start(); err != nil {
			return err
		}
		t.brokers = append(t.brokers, b)
	}
	return t.brokersReady(ctx)
}

// servers is how many brokers there are.
func (t *trial) servers() int {
	if t.Single {
		return 1
	}
	return 3
}

// brokersReady waits until they have a leader.
func (t *trial) brokersReady(ctx context.Context) error {
	return t.until(ctx, "the brokers", readyFor, func() bool {
		nc, js, err := t.connect()
		if err != nil {
			return false
		}
		defer nc.Close()
		ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		_, err = js.AccountInfo(ctx)
		return err == nil
	})
}

func (b *broker) close() {
	if b.cmd != nil {
		b.kill()
	}
}

// connect is the recorder's own way to the brokers, by no link.
func (t *trial) connect() (*nats.Conn, jetstream.JetStream, error) {
	var urls []string
	for _, b := range t.brokers {
		urls = append(urls, "nats://"+b.client)
	}
	nc, err := nats.Connect(strings.Join(urls, ","), nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond), nats.Name("trial"), nats.CustomInboxPrefix("_INBOX.trial"))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		nc.Close()
		return nil, nil, err
	}
	return nc, js, nil
}

// leader is the broker that leads a stream; any one if nobody knows.
func (t *trial) leader(ctx context.Context, stream string) *broker {
	some := t.brokers[t.dice.IntN(len(t.brokers))]
	nc, js, err := t.connect()
	if err != nil {
		return some
	}
	defer nc.Close()
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	s, err := js.Stream(ctx, stream)
	if err != nil || s.CachedInfo().Cluster == nil {
		return some
	}
	for i, b := range t.brokers {
		if s.CachedInfo().Cluster.Leader == fmt.Sprint("n", i) {
			return b
		}
	}
	return some
}

// freePorts are free now; whoever takes one meanwhile makes the trial fail at its start.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// until waits for a state.
func (t *trial) until(ctx context.Context, what string, most time.Duration, is func() bool) error {
	over := time.NewTimer(most)
	defer over.Stop()
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over.C:
			return fmt.Errorf("waited %v for %s", most, what)
		case <-tick.C:
		}
	}
	return nil
}
