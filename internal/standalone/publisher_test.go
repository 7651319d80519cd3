package standalone

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"changerelay/internal/await"
	"changerelay/internal/events"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
)

// The device of the manual's examples.
const manualDevice = "0f9a6d1e-7b0a-4d0e-9a52-3c1b7f0a1d11"

// A desk is a service that publishes straight to the broker, as docs/events.md
// says, and with the rights that docs/operations.md gives it.
type desk struct {
	*guard
	js      jetstream.JetStream
	streams *stream.Streams
	env     []string
}

// newDesk has a relay that works, and the producer's consumer.
func newDesk(t *testing.T) *desk {
	t.Helper()
	g := guarded(t)
	g.tenant("acme", manualDevice)
	g.ready(g.start(relay.Worker))
	nc, _ := g.as(observerUser)
	s, err := stream.Attach(t.Context(), nc, stream.Options{})
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	g.hearing(js)
	g.issue(t, "desk", producerUser)
	file := func(name string) string { return filepath.Join(g.dir, name) }
	return &desk{g, js, s, append(os.Environ(), "NATS_URL="+g.broker.URL(), "NATS_CA="+file("ca.crt"), "NATS_CERT="+file("desk.crt"), "NATS_KEY="+file("desk.key"))}
}

// run runs a program of the producer's.
func (d *desk) run(program string, args ...string) string {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), 30*time.Second)
	defer cancel()
	c := exec.CommandContext(ctx, program, args...)
	c.Env = d.env
	out, err := c.CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s: %v: %s", program, err, out)
	}
	return string(out)
}

// accepted wants an event of the desk to end so, and to have changed the device.
func (d *desk) accepted(id string) {
	d.t.Helper()
	ref := events.Ref{Address: events.Address{Tenant: "acme", Device: manualDevice}, Key: events.Key("/desk/acme", id)}
	await.State(d.t, "the outcome of "+id, func() bool {
		r, err := d.streams.Find(d.t.Context(), ref)
		if err == nil && r.Outcome.Dead() {
			d.t.Fatalf("%s ended %s: %s", id, r.Outcome, r.Reason)
		}
		return err == nil && r.Outcome != ""
	})
}

// The manual's Go program, built as it stands, publishes its event and hears that
// it is accepted. Run again, it finds the event stored.
func TestEventsManualGo(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	source := filepath.Join(d.dir, "main.go")
	text := block(t, "../../docs/events.md", "go")
	for line := range strings.Lines(text) {
		if module := strings.Trim(strings.TrimSpace(line), `"`); strings.Contains(module, ".com/") && !strings.HasPrefix(module, "github.com/nats-io/nats.go") {
			t.Errorf("it imports %s", module)
		}
	}
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gofmt", "-l", source).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("gofmt would change it: %s %v", out, err)
	}
	program := d.build("desk", source)
	ref := events.Ref{Address: events.Address{Tenant: "acme", Device: manualDevice}, Key: events.Key("/desk/acme", "CHG0031337-1")}
	if got, want := d.run(program), "stored "+ref.String()+"\naccepted \n"; got != want {
		t.Errorf("it prints %q, want %q", got, want)
	}
	d.accepted("CHG0031337-1")
	if n := len(d.posts(manualDevice)); n != 1 {
		t.Errorf("Graph was called %d times", n)
	}
	await.State(t, "the outcome to be acknowledged", func() bool {
		c, err := d.js.PushConsumer(t.Context(), stream.Outcomes, "acme")
		return err == nil && c.CachedInfo().NumAckPending == 0 && c.CachedInfo().NumPending == 0
	})
}

// The manual's shell commands publish an event in each mode, and find them stored
// when they are run again. The command nats is a stand-in.
func TestEventsManualShell(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "openssl", "base32", "tr", "cut", "wc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the snippet needs %s, which is not here", tool)
		}
	}
	d := newDesk(t)
	d.build("nats", "./testdata/nats")
	d.env = append(d.env, "PATH="+d.dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	script := block(t, "../../docs/events.md", "sh")
	if got := d.run("sh", "-euc", script); strings.Count(got, `{"stream":"CHANGES", "seq":`) != 2 && strings.Count(got, `{"stream":"CHANGES","seq":`) != 2 {
		t.Errorf("it prints %s", got)
	}
	d.accepted("CHG0031338-1")
	d.accepted("CHG0031338-2")
	if got := d.run("sh", "-euc", script); strings.Count(got, `"err_code":10071`) != 2 {
		t.Errorf("run again it prints %s", got)
	}
	for _, s := range []string{"/a", strings.Repeat("s", 127), strings.Repeat("s", 128), strings.Repeat("é", 127)} {
		functions, _, _ := strings.Cut(script, "# in structured mode")
		if got, want := strings.TrimSpace(d.run("sh", "-euc", functions+"\nsource=$1; key \"$2\"", "sh", s, "id-1")), events.Key(s, "id-1"); got != want {
			t.Errorf("of a source of %d bytes the key is %s, want %s", len(s), got, want)
		}
	}
}
