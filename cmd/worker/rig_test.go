package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/ledger"
	"changerelay/internal/natstest"
	"changerelay/internal/stream"
)

// Names of the simulated tenant.
const (
	entraTenant = "7f3c1d52-9b1e-4d0e-8a52-3c1b7f0a1d00"
	clientID    = "2b7e1d52-9b1e-4d0e-8a52-3c1b7f0a1d01"
	secret      = "sim-secret-not-for-logs-5127"
)

// isWorker is set in the environment of the processes that a test starts.
const isWorker = "CHANGERELAY_TEST_IS_WORKER"

// TestMain makes the test binary the command too, so that a test can kill the
// program that users run.
func TestMain(m *testing.M) {
	if os.Getenv(isWorker) != "" {
		main()
	}
	os.Exit(m.Run())
}

// A rig is a real broker and a simulated tenant in this process, and the
// configuration file of workers in others.
type rig struct {
	t      *testing.T
	sim    *graphsim.Sim
	js     jetstream.JetStream
	s      *stream.Streams
	ledger *ledger.Store
	config string
	n      int

	log await.Log // what all workers wrote
}

func newRig(t *testing.T, timing string, devices ...string) *rig {
	t.Helper()
	broker := natstest.Server(t)
	r := &rig{t: t, sim: simulate(t, devices)}
	nc := natstest.Connect(t, broker.URL())
	var err error
	if r.s, err = stream.Open(t.Context(), nc, stream.Options{}); err != nil {
		t.Fatal(err)
	}
	if r.js, err = jetstream.New(nc); err != nil {
		t.Fatal(err)
	}
	if r.ledger, err = ledger.Open(t.Context(), r.js, 1); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("secret", secret+"\n")
	write("ca.pem", string(r.sim.CA()))
	r.config = write("changerelay.yaml", fmt.Sprintf(`
nats: {url: %q, replicas: 1}
admin: {listen: "127.0.0.1:0"}
log: {level: debug}
worker:
  pace: 1ms
  timing: %s
tenants:
  acme:
    tenant_id: %s
    client_id: %s
    client_secret: {file: secret}
    cloud: custom
    graph_url: %q
    authority_url: %q
    ca_file: ca.pem
`, broker.URL(), timing, entraTenant, clientID, r.sim.URL(), r.sim.URL()))
	t.Cleanup(r.secretive)
	return r
}

func simulate(t *testing.T, devices []string) *graphsim.Sim {
	t.Helper()
	sim, err := graphsim.New(graphsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	k := graphsim.DefaultKnobs()
	k.CheckIn = 0
	sim.Set(k)
	sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secret})
	for _, d := range devices {
		sim.AddTenant(graphsim.Tenant{ID: entraTenant, ClientID: clientID, ClientSecret: secret}, graphsim.Device{ID: d, Platform: "iOS"})
	}
	return sim
}

// A process is a running worker.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of Wait; set before done is closed
}

// start runs the next worker. A test that ends kills it.
func (r *rig) start() *process {
	r.t.Helper()
	self, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	p := &process{cmd: exec.Command(self, "--config", r.config), done: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), isWorker+"=1")
	p.cmd.Stdout, p.cmd.Stderr = &r.log, &r.log
	if err := p.cmd.Start(); err != nil {
		r.t.Fatalf("starting a worker: %v", err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	r.t.Cleanup(p.kill)
	return p
}

// kill is kill -9. It returns when the process is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// leak is what nobody may find in a log: the secret, a token, or the raw reply
// of a token endpoint.
var leak = regexp.MustCompile(secret + `|Bearer|eyJ[A-Za-z0-9_-]{8}|AADSTS[0-9]+:|access_token|client_secret=`)

func (r *rig) secretive() {
	said := r.log.String()
	for line := range strings.Lines(said) {
		if leak.MatchString(line) {
			r.t.Errorf("a worker gives away: %s", line)
		}
		if strings.Contains(line, "panic") || strings.Contains(line, "DATA RACE") {
			r.t.Errorf("a worker broke: %s", line)
		}
	}
	if !strings.Contains(said, `"stage":"graph"`) {
		r.t.Error("the workers' log was not collected")
	}
}

// lapse gives back what a dead worker held, as the broker does by itself after
// AckWait.
func (r *rig) lapse() {
	r.t.Helper()
	ctx := r.t.Context()
	for _, name := range [][2]string{{stream.Changes, "fold"}, {stream.Devices, "reconcile-acme"}} {
		c, err := r.js.Consumer(ctx, name[0], name[1])
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			continue
		}
		if err != nil {
			r.t.Fatal(err)
		}
		config := c.CachedInfo().Config
		config.AckWait = time.Millisecond // the next worker sets it right
		if c, err = r.js.UpdateConsumer(ctx, name[0], config); err != nil {
			r.t.Fatal(err)
		}
		r.eventually("what "+name[1]+" holds to come back", func() bool { return r.returned(c) })
	}
}

// returned reports whether the consumer holds nothing, or what it held can be
// had again.
func (r *rig) returned(c jetstream.Consumer) bool {
	i, err := c.Info(r.t.Context())
	if err != nil || i.NumAckPending == 0 {
		return err == nil
	}
	ms, err := c.FetchNoWait(i.NumAckPending)
	if err != nil {
		return false
	}
	n := 0
	for m := range ms.Messages() {
		if m.Nak() == nil {
			n++
		}
	}
	return n >= i.NumAckPending
}

func (r *rig) publish(device string, changes ...events.Change) events.Event {
	return r.publishFor("acme", device, changes...)
}

func (r *rig) publishFor(tenant, device string, changes ...events.Change) events.Event {
	r.t.Helper()
	r.n++
	e, err := events.New(events.Event{
		ID: fmt.Sprint("e", r.n), Source: "/test", Ticket: fmt.Sprintf("CHG%07d", r.n), Tenant: tenant, Device: device,
		Time: time.Now(), Changes: changes,
	}, time.Now())
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := r.s.Publish(r.t.Context(), e); err != nil {
		r.t.Fatal(err)
	}
	return e
}

// outcome waits for the event's final outcome and wants it to be o.
func (r *rig) outcome(e events.Event, o events.Outcome) events.Receipt {
	r.t.Helper()
	var got events.Receipt
	r.eventually("an outcome of "+e.ID, func() (ok bool) {
		var err error
		got, err = r.s.Find(r.t.Context(), e.Ref())
		return err == nil && got.Outcome != ""
	})
	if got.Outcome != o {
		r.t.Fatalf("%s ended %s (%s), want %s", e.ID, got.Outcome, got.Reason, o)
	}
	return got
}

// settled waits until the device's document wants nothing more, and no wake-up
// of any device is left.
func (r *rig) settled(device string) {
	r.t.Helper()
	r.eventually("device "+device+" to settle", func() bool {
		due, err := r.s.Due(r.t.Context())
		return err == nil && due["acme"] == 0 && !r.document(device).Due()
	})
}

func (r *rig) document(device string) ledger.Device {
	r.t.Helper()
	d, err := r.ledger.Get(r.t.Context(), events.Address{Tenant: "acme", Device: device})
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

// eventually waits for a state.
func (r *rig) eventually(what string, is func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			said := r.log.String()
			r.t.Fatalf("waited 30 s for %s; the workers' last words:\n%s", what, said[max(0, len(said)-4000):])
		case <-tick.C:
		}
	}
}
