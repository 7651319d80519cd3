package worker

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graph"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/metrics"
)

// A matrix is the broker, the simulators and the worker of all trials.
type matrix struct {
	*rig
	trials  []*trial
	tenants map[string]*trial // by name: one of those that share it
	metrics *metrics.Metrics
	notes   *notes
	secrets *vault
	spy     *spy
	ahead   atomic.Int64       // of the worker's clock
	early   map[string]journal // POSTs of the first two tickets, by device
	late    map[string]journal // of all
	noted   time.Time          // when early was
}

// A trial is a cell of the matrix: one device.
type trial struct {
	row
	how     how
	n       int
	name    string
	point   graphsim.Point
	retry   bool
	via     string // the request that meets the fault
	device  string
	tenant  string
	entra   string
	secret  string
	sim     *graphsim.Sim
	tickets []events.Event
	seen    int       // notes before the newest ticket
	mark    int       // notes before the second ticket
	sent    time.Time // of the second ticket
	crowd   bool      // another device of the tenant is told just before
	healing []func()
}

// polite are knobs that throttle nobody and let devices act at once.
func polite() graphsim.Knobs {
	k := graphsim.DefaultKnobs()
	k.PostLimitApp, k.PostLimitTenant, k.AnyLimitApp, k.AnyLimitTenant = 1<<20, 1<<20, 1<<20, 1<<20
	k.CheckIn = 0
	return k
}

func newMatrix(t *testing.T, xs []*trial) *matrix {
	t.Helper()
	m := &matrix{rig: newRig(t), trials: xs, tenants: map[string]*trial{}, notes: &notes{}, secrets: newVault()}
	m.spy = spyOn(t, m.url)
	for _, x := range xs {
		m.house(t, x)
	}
	var names []string
	for name := range m.tenants {
		names = append(names, name)
	}
	m.metrics = metrics.New(prometheus.NewRegistry(), "test", metrics.Labels{Tenants: names, Outcomes: words()})
	return m
}

// house gives the trial a tenant, of its own where its fault would be felt by
// others, and a simulator of its own where it turns one.
func (m *matrix) house(t *testing.T, x *trial) {
	x.sim = m.sim
	if x.how.own() {
		x.sim = m.another(t)
	}
	x.tenant = "t" + fmt.Sprint(x.n)
	if x.shares() {
		x.tenant = "many-" + fmt.Sprint(x.retry)
	}
	if first := m.tenants[x.tenant]; first != nil {
		x.entra, x.secret = first.entra, first.secret
	} else {
		x.entra = fmt.Sprintf("7f3c1d52-9b1e-4d0e-8a52-%012x", x.n)
		x.secret = fmt.Sprintf("matrix~secret+%d/not=for logs", x.n)
		m.tenants[x.tenant] = x
		m.secrets.keep("a client secret", x.secret)
	}
	ds := []graphsim.Device{{ID: x.device, Platform: "iOS"}, {ID: x.spare(), Platform: "iOS"}}
	x.enrol(ds...)
	if x.how.sim != nil {
		k := polite()
		x.how.sim(x, &k)
		x.sim.Set(k)
	}
}

// shares reports whether the trial's fault is felt by its device alone.
func (x *trial) shares() bool {
	switch x.kind {
	case "ok", "in_doubt", "refused", "gone", "unavailable", "":
		return x.op != "token" && !x.how.own()
	case "approval_required":
		return x.op == "post" && !x.how.own()
	}
	return false
}

// spare is another device of the trial's tenant.
func (x *trial) spare() string { return "1" + x.device[1:] }

func (m *matrix) another(t *testing.T) *graphsim.Sim {
	t.Helper()
	s, err := graphsim.New(graphsim.Options{})
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	s.Set(polite())
	return s
}

// begin starts the worker.
func (m *matrix) begin() *running {
	roads := map[string]http.RoundTripper{}
	return m.work(func(c *Config) {
		c.Tenants = map[string]Tenant{}
		for name, x := range m.tenants {
			t := served(m.client(x, roads))
			t.TenantID = x.entra
			c.Tenants[name] = t
		}
		c.Timing, c.Metrics, c.ReconcileSlots, c.Now = patience, m.metrics, 256, m.now
		c.Log = slog.New(slog.NewJSONHandler(tee{m.log, m.notes}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
}

// now is the worker's time, and jump moves it on.
func (m *matrix) now() time.Time { return time.Now().Add(time.Duration(m.ahead.Load())) }

func (m *matrix) jump(d time.Duration) { m.ahead.Add(int64(d)) }

// client is a tenant's. First tries speak HTTP/2, as with Graph, retries HTTP/1.
func (m *matrix) client(x *trial, roads map[string]http.RoundTripper) *graph.Client {
	m.t.Helper()
	road := fmt.Sprint(x.sim.URL(), x.retry)
	if roads[road] == nil {
		roads[road] = &wiretap{transport(x.sim, !x.retry), m.secrets}
	}
	g, err := graph.New(graph.Config{
		TenantID: x.entra, ClientID: clientID, Credential: graph.Credential{Secret: func() (string, error) { return x.secret, nil }},
		Now: m.now, Custom: true, CAE: x.how.cae, Cloud: graph.Cloud{Graph: x.sim.URL(), Authority: x.sim.URL()}, Transport: roads[road],
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return g
}

func transport(s *graphsim.Sim, http2 bool) *http.Transport {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.CA())
	c := &tls.Config{RootCAs: roots}
	if !http2 {
		return &http.Transport{TLSClientConfig: c, MaxIdleConnsPerHost: 64}
	}
	t := graph.NewTransport()
	t.TLSClientConfig = c
	return t
}

func words() (s []string) {
	for _, o := range events.Outcomes {
		s = append(s, string(o))
	}
	return s
}

// each runs a part of every trial, one after the other: all devices are worked
// on meanwhile.
func (m *matrix) each(t *testing.T, part string, f func(*testing.T, *trial)) {
	t.Run(part, func(t *testing.T) {
		for _, x := range m.trials {
			t.Run(x.name, func(t *testing.T) {
				defer func() {
					if t.Failed() {
						t.Log(m.story(x))
					}
				}()
				f(t, x)
			})
		}
	})
}

// flow sends every trial's next ticket. A hundred are under way before their
// first request is answered: more would wait for each other.
func (m *matrix) flow(t *testing.T, send func(*trial)) {
	t.Helper()
	for i, x := range m.trials {
		if j := i - 100; j >= 0 && m.trials[j].how.fault.Delay == 0 {
			x := m.trials[j]
			await.State(t, "a request for "+x.name, func() bool { return len(m.notes.of(x.device)) > x.seen })
		}
		send(x)
	}
}

// send publishes the trial's next ticket.
func (m *matrix) send(t *testing.T, x *trial, cs []events.Change) {
	t.Helper()
	x.seen = len(m.notes.of(x.device))
	x.tickets = append(x.tickets, m.publish(t, x, x.device, cs))
}

func (m *matrix) publish(t *testing.T, x *trial, dev string, cs []events.Change) events.Event {
	t.Helper()
	m.n++
	e, err := events.New(events.Event{
		ID: fmt.Sprint("e", m.n), Source: "/test", Ticket: fmt.Sprintf("CHG%07d", m.n), Tenant: x.tenant, Device: dev,
		Time: time.Now().Add(time.Duration(m.n) * time.Millisecond), Changes: cs,
	}, time.Now())
	if err == nil {
		_, err = m.s.Publish(context.Background(), e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (m *matrix) document(t *testing.T, x *trial) ledger.Device {
	t.Helper()
	d, err := m.ledger.Get(context.Background(), events.Address{Tenant: x.tenant, Device: x.device})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// final waits for the outcome of the trial's n-th ticket.
func (m *matrix) final(t *testing.T, e events.Event) (r events.Receipt) {
	t.Helper()
	await.State(t, "an outcome of "+e.ID, func() bool {
		var err error
		r, err = m.s.Find(context.Background(), e.Ref())
		return err == nil && r.Outcome != ""
	})
	return r
}
