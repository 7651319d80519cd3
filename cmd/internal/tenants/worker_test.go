package tenants

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"changerelay/cmd/internal/boot"
	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/graphsim"
	"changerelay/internal/metrics"
	"changerelay/internal/natstest"
	"changerelay/internal/quota"
	"changerelay/internal/stream"
)

// A rig is a worker that was made of a file, a broker and a simulated Entra with
// two tenants.
type rig struct {
	t   *testing.T
	dir string
	url string
	sim *graphsim.Sim
	s   *stream.Streams
	q   *quota.Store
	log *await.Log
	w   *service
}

// Ids of a tenant: its Entra tenant, its application, its device.
func ids(name string) (entra, client, device string) {
	n := map[string]int{"acme": 1, "beta": 2}[name]
	return fmt.Sprintf("7f3c1d52-9b1e-4d0e-8a52-3c1b7f0a1d%02d", n), fmt.Sprintf("2b7e1d52-9b1e-4d0e-8a52-3c1b7f0a1d%02d", n), fmt.Sprintf("0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d%02d", n)
}

// newRig starts the worker with the files that are there.
func newRig(t *testing.T, files map[string]string) *rig {
	t.Helper()
	sim, err := graphsim.New(graphsim.Options{})
	if err == nil {
		err = sim.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	r := &rig{t: t, dir: t.TempDir(), url: natstest.Server(t).URL(), sim: sim, log: &await.Log{}}
	for _, name := range []string{"acme", "beta"} {
		entra, client, device := ids(name)
		sim.AddTenant(graphsim.Tenant{ID: entra, ClientID: client, ClientSecret: "secret-of-" + name}, graphsim.Device{ID: device, Platform: "iOS"})
	}
	for name, text := range files {
		r.write(name, text)
	}
	nc := natstest.Connect(t, r.url)
	if r.s, err = stream.Open(t.Context(), nc, stream.Options{}); err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if r.q, err = quota.Open(t.Context(), js, 1); err != nil {
		t.Fatal(err)
	}
	made, err := NewService(r.config(), slog.New(slog.NewTextHandler(r.log, nil)), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.w = made.(*service)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.w.Work(ctx, nc, r.s, metrics.New(prometheus.NewRegistry(), "test", metrics.Labels{Tenants: []string{"acme", "beta"}})); err != nil {
			t.Errorf("the worker ended: %v", err)
		}
	}()
	t.Cleanup(func() { stop(); <-done })
	return r
}

func (r *rig) write(name, text string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) config() *boot.Config {
	r.t.Helper()
	text := "nats: {replicas: 1}\nworker: {pace: 1ms}\ntenants:\n"
	for _, name := range []string{"acme", "beta"} {
		entra, client, _ := ids(name)
		text += fmt.Sprintf("  %s: {tenant_id: %s, client_id: %s, client_secret: {file: %s}, cloud: custom, graph_url: %q, authority_url: %q, ca_file: %s.pem}\n",
			name, entra, client, name, r.sim.URL(), r.sim.URL(), name)
	}
	c, err := boot.Parse(filepath.Join(r.dir, "relay.yaml"), []byte(text))
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// publish asks for the n-th change of a tenant's device.
func (r *rig) publish(tenant string, n int) events.Event {
	r.t.Helper()
	_, _, device := ids(tenant)
	e, err := events.New(events.Event{ID: fmt.Sprint(n), Source: "/test", Ticket: fmt.Sprint("CHG", n), Tenant: tenant, Device: device, Time: time.Now(),
		Changes: []events.Change{{Intent: events.Remove, Item: events.Item{ID: fmt.Sprint("app-", n), Type: events.Application}}}}, time.Now())
	if err == nil {
		_, err = r.s.Publish(r.t.Context(), e)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return e
}

func (r *rig) accepted(e events.Event) {
	r.t.Helper()
	await.State(r.t, e.ID+" of "+e.Tenant+" to be accepted", func() bool {
		got, err := r.s.Find(context.Background(), e.Ref())
		return err == nil && got.Outcome == events.Accepted
	})
}

// A tenant whose credential or CA cannot be used is offline by itself: the others
// start and go on, its changes wait and people are told why, and it is back when
// its file is.
func TestATenantIsOffline(t *testing.T) {
	for name, lacks := range map[string]struct{ file, good, says string }{
		"secret":        {"beta", "secret-of-beta", "tenants.beta.client_secret: there is no file"},
		"no CA":         {"beta.pem", "", "tenants.beta.ca_file: reading the CA"},
		"CA without it": {"beta.pem", "none", "tenants.beta.ca_file: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			ca := string(r.sim.CA())
			if lacks.good == "" || lacks.good == "none" {
				lacks.good = ca
			}
			for file, text := range map[string]string{"acme": "secret-of-acme", "beta": "secret-of-beta", "acme.pem": ca, "beta.pem": ca} {
				if file != lacks.file {
					r.write(file, text)
				} else if name == "CA without it" {
					r.write(file, "no certificate")
				}
			}
			err := r.w.Reload(r.config())
			if err == nil || !strings.Contains(err.Error(), "relay.yaml:5:") || !strings.Contains(err.Error(), lacks.says) || strings.Contains(err.Error(), "Credential") {
				t.Errorf("the error is %v, want the place in the file and %s", err, lacks.says)
			}
			if !strings.Contains(r.log.String(), `tenant=beta`) || !strings.Contains(r.log.String(), lacks.says) {
				t.Errorf("the log lacks %s:\n%s", lacks.says, r.log)
			}
			waits := r.publish("beta", 1)
			r.accepted(r.publish("acme", 1))
			entra, client, _ := ids("beta")
			await.State(t, "people to be told", func() bool {
				n, err := r.q.Notice(context.Background(), quota.Key{TenantID: entra, ClientID: client})
				return err == nil && n.Why == offline && n.Until.After(time.Now())
			})
			r.write(lacks.file, lacks.good)
			if err := r.w.Reload(r.config()); err != nil {
				t.Fatal(err)
			}
			r.accepted(waits)
		})
	}
}

// A tenant that runs goes on when its files go, a CA that has changed is taken up,
// and the other tenant keeps its client all the while.
func TestATenantsFilesChange(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ca := string(r.sim.CA())
	for file, text := range map[string]string{"acme": "secret-of-acme", "beta": "secret-of-beta", "acme.pem": ca, "beta.pem": ca} {
		r.write(file, text)
	}
	reload := func(good bool) {
		t.Helper()
		if err := r.w.Reload(r.config()); (err == nil) != good {
			t.Fatal(err)
		}
	}
	reload(true)
	acme, beta := r.w.made["acme"].tenant, r.w.made["beta"].tenant
	reload(true)
	if r.w.made["beta"].tenant != beta {
		t.Error("a tenant that is as it was has a new client")
	}
	r.write("beta.pem", "no certificate")
	reload(false)
	if r.w.made["beta"].tenant != beta {
		t.Error("a tenant was taken out with a file that is wrong")
	}
	r.accepted(r.publish("beta", 1))
	r.write("beta.pem", ca+"\n")
	reload(true)
	if r.w.made["beta"].tenant == beta || r.w.made["acme"].tenant != acme {
		t.Error("a changed CA is not taken up, or disturbs the other tenant")
	}
	r.accepted(r.publish("beta", 2))
}

// A credential that was refused is tried again when another is in its file,
// whatever pause there is.
func TestANewCredentialEndsThePause(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ca := string(r.sim.CA())
	for file, text := range map[string]string{"acme": "an old secret", "beta": "secret-of-beta", "acme.pem": ca, "beta.pem": ca} {
		r.write(file, text)
	}
	if err := r.w.Reload(r.config()); err != nil {
		t.Fatal(err)
	}
	e := r.publish("acme", 1)
	await.State(t, "the tenant to pause", func() bool { return strings.Contains(r.log.String(), "kind=denied") })
	r.write("acme", "secret-of-acme")
	if err := r.w.Reload(r.config()); err != nil {
		t.Fatal(err)
	}
	r.accepted(e)
}
