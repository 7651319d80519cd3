package standalone

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/graph"
	"changerelay/internal/graphsim"
	"changerelay/internal/ingest"
	"changerelay/internal/ingest/verify"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
	"changerelay/internal/tracing"
	"changerelay/internal/worker"
	"changerelay/internal/working"
)

// The tests wait more than they work, so more of them run at once than there are
// processors, unless the command line says how many.
func TestMain(m *testing.M) {
	flag.Parse()
	if given := flag.Lookup("test.parallel"); given.Value.String() == strconv.Itoa(runtime.GOMAXPROCS(0)) {
		_ = given.Value.Set(strconv.Itoa(3 * runtime.GOMAXPROCS(0)))
	}
	os.Exit(m.Run())
}

// short is a Timing that a test can wait for. Its proportions are the default's.
var short = ledger.Timing{
	Fresh: 400 * time.Millisecond, Lag: 60 * time.Millisecond, Hold: 8 * time.Hour,
	Settle: 250 * time.Millisecond, Skew: 20 * time.Millisecond, Budget: 2 * time.Second,
}

// A rig is a broker, a simulated cloud, and as many processes of the relay as a
// test starts.
type rig struct {
	t       testing.TB
	broker  *natstest.Broker
	sim     *graphsim.Sim
	wire    *wiretap
	log     *await.Log
	secrets *vault
	client  *http.Client
	tenants map[string]string // names to the client secrets that the relay is configured with
	running []*process
	dial    func(relay.Role, *slog.Logger) (*nats.Conn, error) // nil: a broker that lets everybody in
}

func newRig(t testing.TB, opts ...natstest.Option) *rig {
	t.Helper()
	r := &rig{t: t, broker: natstest.Server(t, opts...), log: &await.Log{}, secrets: newVault(), tenants: map[string]string{}}
	var err error
	if r.sim, err = graphsim.New(graphsim.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := r.sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.sim.Close() })
	k := graphsim.DefaultKnobs()
	k.PostLimitApp, k.PostLimitTenant, k.AnyLimitApp, k.AnyLimitTenant, k.CheckIn = 1<<20, 1<<20, 1<<20, 1<<20, 0
	r.sim.Set(k)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(r.sim.CA())
	r.wire = &wiretap{base: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 64}, to: r.secrets}
	conns := &http.Transport{MaxIdleConnsPerHost: 128}
	r.client = &http.Client{Transport: conns}
	t.Cleanup(conns.CloseIdleConnections)
	t.Cleanup(r.quiet)
	return r
}

// quiet wants that no process of the rig has logged a secret.
func (r *rig) quiet() {
	if found := r.secrets.leaks(r.log.String()); len(found) > 0 {
		r.t.Errorf("the log holds %s", strings.Join(found, ", "))
	}
	if r.t.Failed() {
		r.t.Logf("the log:\n%s", r.log)
	}
}

// tenant adds a tenant with devices, and configures the relay for it.
func (r *rig) tenant(name string, devices ...string) {
	r.t.Helper()
	var ds []graphsim.Device
	for _, d := range devices {
		ds = append(ds, graphsim.Device{ID: uuid(d), Name: d, Platform: "iOS"})
	}
	d := directory(name)
	r.sim.AddTenant(d, ds...)
	r.tenants[name] = d.ClientSecret
	r.secrets.keep("the client secret of "+name, d.ClientSecret)
}

// directory is a simulated tenant. Its secret looks different in a form.
func directory(name string) graphsim.Tenant {
	return graphsim.Tenant{ID: uuid(name), ClientID: uuid("client of " + name), ClientSecret: "client~secret+of/" + name + "=not for logs"}
}

// uuid makes an id of a test's short name. What is one already stays.
func uuid(name string) string {
	if len(name) == 36 && strings.Count(name, "-") == 4 {
		return strings.ToLower(name)
	}
	h := fmt.Sprintf("%x", sha256.Sum256([]byte(name)))
	return h[:8] + "-" + h[8:12] + "-4" + h[13:16] + "-8" + h[17:20] + "-" + h[20:32]
}

// The sources of every rig, with their secrets.
var sourceSecrets = map[string]string{
	"desk":       "whsec_ZGVzay1zZWNyZXQtb2YtMzItYnl0ZXMtbm90LWxvZ3M=",
	"hr":         "whsec_aHItc2VjcmV0LW9mLTMyLWJ5dGVzLW5vdC1mb3ItbG8=",
	"servicenow": "servicenow-secret-not-for-logs",
}

func (r *rig) sources() (list []ingest.Source) {
	for name, secret := range sourceSecrets {
		scheme := verify.StandardWebhooks()
		s := ingest.Source{Name: name, Kind: "cloudevents", Tenants: []string{"*"}}
		if name == "servicenow" {
			s.Kind, s.Tenants, scheme = "servicenow", []string{"acme"}, verify.ServiceNow()
		}
		s.Checks.Signature = &verify.Signature{Scheme: scheme, Keys: []verify.Key{{Secret: secret}}}
		list = append(list, s)
	}
	return list
}

// A process is one running Parts.
type process struct {
	ingest, admin string // URLs
	stop          func() // as on SIGTERM, and wait
}

// start runs the roles in a process of their own. change may alter its parts.
func (r *rig) start(roles relay.Role, change ...func(*relay.Parts, *working.Parts)) *process {
	r.t.Helper()
	log := slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	up := make(chan *process, 1)
	p := relay.Parts{
		Sources:    r.sources(),
		Broker:     stream.Options{AckWait: time.Second, Log: log},
		IngestAddr: "127.0.0.1:0", AdminAddr: "127.0.0.1:0", Version: "test", Timing: short, Log: log,
		Up: func(ingest, admin net.Addr) {
			p := &process{admin: "http://" + admin.String()}
			if ingest != nil {
				p.ingest = "http://" + ingest.String()
			}
			up <- p
		},
	}
	w := working.Parts{Tenants: map[string]worker.Tenant{}, Unknown: time.Nanosecond, Broker: p.Broker, Timing: short, Pace: time.Millisecond, Log: log}
	for name, secret := range r.tenants {
		p.Tenants = append(p.Tenants, name)
		fast := quota.Limit{Rate: 1e6, Burst: 1e6}
		w.Tenants[name] = worker.Tenant{Graph: r.graph(name, secret), TenantID: uuid(name), ClientID: uuid("client of " + name), Write: fast, Read: fast}
	}
	for _, f := range change {
		f(&p, &w)
	}
	p.Work = working.New(w).Work
	dial := r.dial
	if dial == nil {
		dial = func(_ relay.Role, log *slog.Logger) (*nats.Conn, error) {
			return stream.Connect(r.broker.URL(), "test", log)
		}
	}
	nc, err := dial(roles, log)
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	go func() {
		failed <- p.Run(ctx, nc, roles)
		nc.Close()
	}()
	select {
	case err := <-failed:
		cancel()
		r.t.Fatalf("the relay did not start: %v", err)
	case me := <-up:
		me.stop = sync.OnceFunc(func() {
			cancel()
			if err := <-failed; err != nil {
				r.t.Errorf("the relay ended: %v", err)
			}
		})
		r.running = append(r.running, me)
		r.t.Cleanup(me.stop)
		return me
	}
	panic("unreachable")
}

// graph is a client of its own for one process.
func (r *rig) graph(name, secret string) *graph.Client {
	r.t.Helper()
	g, err := graph.New(graph.Config{
		TenantID: uuid(name), ClientID: uuid("client of " + name), Credential: graph.Credential{Secret: func() (string, error) { return secret, nil }},
		Custom: true, Cloud: graph.Cloud{Graph: r.sim.URL(), Authority: r.sim.URL()}, Transport: r.wire, RequestID: tracing.RequestID,
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return g
}

// js is a connection past the relay, as another service has.
func (r *rig) js() jetstream.JetStream {
	r.t.Helper()
	js, err := jetstream.New(natstest.Connect(r.t, r.broker.URL()))
	if err != nil {
		r.t.Fatal(err)
	}
	return js
}

// settled waits until every event is folded and no device is due.
func (r *rig) settled(js jetstream.JetStream) {
	r.t.Helper()
	await.State(r.t, "every device to settle", func() bool {
		fold, err := js.Consumer(context.Background(), stream.Changes, "fold")
		if err != nil || fold.CachedInfo().NumPending+uint64(fold.CachedInfo().NumAckPending) > 0 {
			return false
		}
		due, err := js.Stream(context.Background(), stream.Devices)
		return err == nil && due.CachedInfo().State.Msgs == 0
	})
}

// posts are the calls that Graph was sent for a device.
func (r *rig) posts(device string) (calls []graphsim.Call) {
	for _, c := range r.sim.Journal() {
		if c.Op == "post" && c.Device == uuid(device) {
			calls = append(calls, c)
		}
	}
	return calls
}

// logged reports whether a line of the log holds every text.
func (r *rig) logged(texts ...string) bool {
	for line := range strings.Lines(r.log.String()) {
		if !slices.ContainsFunc(texts, func(s string) bool { return !strings.Contains(line, s) }) {
			return true
		}
	}
	return false
}
