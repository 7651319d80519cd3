package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"changerelay/cmd/internal/boot"
	"changerelay/cmd/internal/tenants"
	"changerelay/internal/await"
	"changerelay/internal/graph"
	"changerelay/internal/standalone"
)

// sampleDevice and sampleApp are those of the sample webhook.
const (
	sampleDevice = "6f4c1f0e-6a0c-4b0f-9a1c-2f6f6f2d7a11"
	sampleApp    = "a7d7a9a2-3a57-4e7c-8f3b-5b8f2f0c9e21"
)

// A demo is the command, running in this process.
type demo struct {
	t    *testing.T
	data string
	out  *await.Log
	done chan struct{}
	err  error // once done
	stop context.CancelFunc
}

func anywhere(dir string) *cli {
	return &cli{Data: dir, NATS: "127.0.0.1:0", Listen: "127.0.0.1:0", Admin: "127.0.0.1:0"}
}

func start(t *testing.T, c *cli) *demo {
	ctx, cancel := context.WithCancel(context.Background())
	d := &demo{t: t, data: c.Data, out: &await.Log{}, done: make(chan struct{}), stop: cancel}
	go func() {
		defer close(d.done)
		d.err = c.run(ctx, d.out)
	}()
	t.Cleanup(func() { cancel(); <-d.done })
	return d
}

// shows waits until the output matches, and returns the first group.
func (d *demo) shows(pattern string) string {
	d.t.Helper()
	re := regexp.MustCompile(pattern)
	var found []string
	d.until("the output to match "+pattern, func() bool {
		found = re.FindStringSubmatch(d.out.String())
		return found != nil
	})
	return found[len(found)-1]
}

// end stops it as Ctrl-C does.
func (d *demo) end() {
	d.t.Helper()
	d.stop()
	<-d.done
	if out := d.out.String(); d.err != nil || !strings.HasSuffix(out, "stopped; nothing is lost: start it again on "+d.data+"\n") {
		d.t.Errorf("it ended with: %v\n%s", d.err, out)
	}
}

func (d *demo) outcome(url string) string {
	d.t.Helper()
	res, err := http.Get(url)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	var a struct{ Outcome string }
	if err := json.NewDecoder(res.Body).Decode(&a); err != nil || res.StatusCode != http.StatusOK {
		d.t.Fatalf("GET %s: %s, %v", url, res.Status, err)
	}
	return a.Outcome
}

// held asks the simulated tenant, as relayctl does.
func held(t *testing.T, dir string) (ids []string) {
	t.Helper()
	cfg, err := boot.Load(filepath.Join(dir, "changerelay.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	g, err := tenants.Graph(cfg, standalone.DemoTenant)
	if err != nil {
		t.Fatal(err)
	}
	r, err := g.ActionResult(context.Background(), graph.ManagedDevice(sampleDevice))
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range r.Removed {
		ids = append(ids, it.ID)
	}
	return ids
}

// The newcomer's command: it shows something, says what to try, stops, and has
// lost nothing when it is started again.
func TestDemo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	d := start(t, anywhere(dir))
	curl := d.shows(`(?m)^  curl -s (http://127\.0\.0\.1:\d+/v1/changes/\S+)$`)
	for _, want := range []string{
		`(?m)^changerelay \S+$`, `(?m)^  webhooks  http://127\.0\.0\.1:[1-9]\d*/v1/changes`, `(?m)^  admin     http://127\.0\.0\.1:[1-9]\d*/metrics`,
		`(?m)^  broker    nats://127\.0\.0\.1:[1-9]\d* `, `(?m)^  tenant    acme, simulated`, `CHG0031877 ended: accepted`,
		`relayctl send --url http://127\.0\.0\.1:[1-9]\d* --config \S+changerelay\.yaml --tenant acme --device ` + standalone.DemoDevice, `relayctl device `,
		`msg=request .*outcome=queued`, `stage=fold `, `stage=graph op=get`, `stage=graph op=post`, `stage=reconcile outcome=accepted`,
	} {
		d.shows(want)
	}
	if got := d.outcome(curl); got != "accepted" {
		t.Errorf("the sample's outcome is %s", got)
	}
	admin := d.shows(`admin     (http://\S+)/metrics`)
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		if res, err := http.Get(admin + path); err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("GET %s: %v, %v", path, res, err)
		} else {
			res.Body.Close()
		}
	}
	if got := held(t, dir); len(got) != 1 || got[0] != sampleApp {
		t.Errorf("the device holds %v", got)
	}

	d.typed()

	second := start(t, anywhere(dir))
	<-second.done
	if err := second.err; err == nil || !strings.Contains(err.Error(), "another process uses "+dir) || !strings.Contains(err.Error(), "--data") {
		t.Errorf("a second one on the same folder ended with: %v", err)
	}
	d.end()

	again := start(t, anywhere(dir))
	again.shows(`msg=request .*outcome=duplicate`)
	again.shows(`CHG0031877 ended: accepted`)
	old := again.shows(`webhooks  (http://[^/]+)/`) + curl[strings.Index(curl, "/v1/"):]
	if got := again.outcome(old); got != "accepted" {
		t.Errorf("after the restart the sample's outcome is %s", got)
	}
	if got := held(t, dir); len(got) != 1 || got[0] != sampleApp {
		t.Errorf("after the restart the device holds %v", got)
	}
	again.end()
	if strings.Contains(again.out.String(), "op=post") {
		t.Error("after the restart Graph was told again")
	}
}

// typed runs the lines that the command says to try next, as they stand.
func (d *demo) typed() {
	d.t.Helper()
	relayctl := filepath.Join(d.t.TempDir(), "relayctl")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", relayctl, "../relayctl").CombinedOutput(); err != nil {
		d.t.Fatalf("building relayctl: %v\n%s", err, out)
	}
	want := map[string]string{"send": "accepted", "device": "5b1c9b0e-5d0c-4b43-9a0a-2f6f7d6a1c01"}
	for _, line := range regexp.MustCompile(`(?m)^  go run ./cmd/relayctl .*$`).FindAllString(d.out.String(), -1) {
		args := strings.Fields(line)[3:]
		out, err := exec.Command(relayctl, args...).CombinedOutput()
		if err != nil || want[args[0]] == "" || !strings.Contains(string(out), want[args[0]]) {
			d.t.Errorf("relayctl %v: %v\n%s", args, err, out)
		}
		delete(want, args[0])
	}
	if len(want) > 0 {
		d.t.Errorf("it does not say how to use %v", want)
	}
}

func TestNoSample(t *testing.T) {
	c := anywhere(t.TempDir())
	c.NoSample = true
	d := start(t, c)
	admin := d.shows(`admin     (http://\S+)/metrics`)
	d.until("readiness", func() bool {
		res, err := http.Get(admin + "/readyz")
		if err == nil {
			res.Body.Close()
		}
		return err == nil && res.StatusCode == http.StatusOK
	})
	d.end()
	if strings.Contains(d.out.String(), "CHG0031877") {
		t.Error("the sample was sent")
	}
}

// Whoever's port is taken is told which, and what to do.
func TestBusyPorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	busy := l.Addr().String()
	for name, change := range map[string]func(*cli){
		"--nats":        func(c *cli) { c.NATS = busy },
		"ingest.listen": func(c *cli) { c.Listen = busy },
		"admin.listen":  func(c *cli) { c.Admin = busy },
	} {
		c := anywhere(t.TempDir())
		change(c)
		err := c.run(context.Background(), io.Discard)
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), busy) || !strings.Contains(err.Error(), "in use") {
			t.Errorf("%s: %v", name, err)
		}
		release, err := standalone.Lock(c.Data) // it was given back
		if err != nil {
			t.Fatal(err)
		}
		release()
	}
}

func TestConfigMistake(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "relay.yaml")
	if err := os.WriteFile(file, []byte("nats: { replicas: 1 }\ntenants:\n  acme:\n    client_idd: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := anywhere(filepath.Join(dir, "data"))
	c.Config = file
	err := c.run(context.Background(), io.Discard)
	if mistakes := (boot.Mistakes)(nil); !errors.As(err, &mistakes) || !strings.Contains(err.Error(), file+":4:5: tenants.acme.client_idd: unknown key, did you mean \"client_id\"?") {
		t.Errorf("the error is %v", err)
	}
	c.Config = filepath.Join(dir, "none.yaml")
	if err := c.run(context.Background(), io.Discard); err == nil || !strings.Contains(err.Error(), "there is no file "+c.Config) {
		t.Errorf("the error is %v", err)
	}
}

// A configuration that names another broker is taken, with a warning.
func TestConfigOfAnotherBroker(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "relay.yaml")
	if err := os.WriteFile(file, []byte("nats: { url: 'tls://nats.example:4222', replicas: 1 }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := anywhere(filepath.Join(dir, "data"))
	c.Config = file
	d := start(t, c)
	d.shows(`nats\.url names another broker`)
	d.shows(`  config    (.*)`)
	d.end()
}

func TestStoppedWhileItStarts(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := anywhere(t.TempDir()).run(ctx, io.Discard); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("it ended with: %v", err)
	}
}

// until waits for a state of a command that goes on.
func (d *demo) until(what string, is func() bool) {
	d.t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			d.t.Fatalf("waited 30 s for %s\n%s", what, d.out)
		case <-d.done:
			d.t.Fatalf("it ended before %s: %v\n%s", what, d.err, d.out)
		case <-tick.C:
		}
	}
}

// Whoever tells relayctl of the configuration looks for the broker that it names.
func TestNames(t *testing.T) {
	for urls, want := range map[string]bool{
		"nats://127.0.0.1:4222":                         true,
		"nats://localhost":                              true,
		"tls://nats.example:4222, nats://u:p@127.0.0.1": true,
		"nats://127.0.0.1:4333":                         false,
		"tls://nats.example:4222":                       false,
		"nats://%zz":                                    false,
	} {
		if got := names(urls, "nats://127.0.0.1:4222"); got != want {
			t.Errorf("names(%q) = %t", urls, got)
		}
	}
}
