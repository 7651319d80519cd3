package natstest

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Bounds of a cluster's forming. Servers hold an election after 4 to 9 s.
const (
	formsWithin = 60 * time.Second
	formsCheck  = 20 * time.Millisecond
)

// A ClusterT is a cluster of nats-servers in this process.
type ClusterT struct {
	t       testing.TB
	brokers []*Broker
	running []bool
}

// Cluster runs n servers that replicate, and returns when they have a leader
// that knows all of them.
func Cluster(t testing.TB, n int) *ClusterT {
	t.Helper()
	c := &ClusterT{t: t, running: make([]bool, n)}
	ports := freePorts(t, n)
	for i := range n {
		c.brokers = append(c.brokers, newBroker(t, fmt.Sprintf("node-%d", i), inCluster(ports, i)))
	}
	for i := range n {
		c.start(i)
	}
	c.wait()
	return c
}

// inCluster gives the server its route port, and the routes to all of them.
func inCluster(ports []int, i int) Option {
	return func(o *server.Options) {
		o.Cluster = server.ClusterOpts{Name: "natstest", Host: "127.0.0.1", Port: ports[i]}
		for _, p := range ports {
			o.Routes = append(o.Routes, &url.URL{Scheme: "nats-route", Host: fmt.Sprintf("127.0.0.1:%d", p)})
		}
	}
}

// URLs are where clients connect, one by node.
func (c *ClusterT) URLs() []string {
	urls := make([]string, len(c.brokers))
	for i, b := range c.brokers {
		urls[i] = b.URL()
	}
	return urls
}

// URL names all nodes, for a client that may use any.
func (c *ClusterT) URL() string { return strings.Join(c.URLs(), ",") }

// StopServer shuts node i down.
func (c *ClusterT) StopServer(i int) {
	c.brokers[i].Stop()
	c.running[i] = false
}

// StartServer runs node i again, with its store, and waits until the cluster
// has a leader and the node has caught up.
func (c *ClusterT) StartServer(i int) {
	c.t.Helper()
	c.start(i)
	c.wait()
}

// Leader is the running node that leads the stream, -1 if none does.
func (c *ClusterT) Leader(stream string) int {
	for i, b := range c.brokers {
		if c.running[i] && b.s.JetStreamIsStreamLeader(server.DEFAULT_GLOBAL_ACCOUNT, stream) {
			return i
		}
	}
	return -1
}

func (c *ClusterT) start(i int) {
	c.t.Helper()
	c.brokers[i].Start()
	c.running[i] = true
}

func (c *ClusterT) wait() {
	c.t.Helper()
	tick := time.NewTicker(formsCheck)
	defer tick.Stop()
	for end := time.Now().Add(formsWithin); !c.formed(); <-tick.C {
		if time.Now().After(end) {
			c.t.Fatalf("natstest: no cluster of %d after %v", len(c.brokers), formsWithin)
		}
	}
}

// formed reports whether a leader knows every node, and every running node is
// up to date with it.
func (c *ClusterT) formed() bool {
	leader := false
	for i, b := range c.brokers {
		if !c.running[i] {
			continue
		}
		if !b.s.JetStreamIsCurrent() {
			return false
		}
		leader = leader || b.s.JetStreamIsLeader() && len(b.s.JetStreamClusterPeers()) == len(c.brokers)
	}
	return leader
}
