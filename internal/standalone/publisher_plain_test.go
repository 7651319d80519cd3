package standalone

import (
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"changerelay/internal/events"
	"changerelay/internal/relay"
	"changerelay/internal/stream"
)

// The manual's Go program publishes to a broker without TLS and users, too, with the
// environment that the manual gives it, and hears of its event.
func TestEventsManualGoWithoutUsers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	broker, err := StartBroker(ctx, t.TempDir(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Shutdown(); broker.WaitForShutdown() })
	r := newRig(t)
	r.dial = func(_ relay.Role, log *slog.Logger) (*nats.Conn, error) {
		return stream.Connect(broker.ClientURL(), "standalone", log)
	}
	r.tenant("acme", manualDevice)
	r.ready(r.start(relay.Worker))

	const command = "    NATS_URL=nats://127.0.0.1:4222 OUTCOMES='outcomes.v1.acme.>' go run .\n"
	manual, err := os.ReadFile("../../docs/events.md")
	if err != nil || !strings.Contains(string(manual), command) {
		t.Fatalf("the manual does not say %q: %v", command, err)
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "desk")
	if err := os.WriteFile(source, []byte(block(t, "../../docs/events.md", "go")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program)
	c.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "NATS_") })
	c.Env = append(c.Env, "NATS_URL="+broker.ClientURL(), "OUTCOMES=outcomes.v1.acme.>")
	out, err := c.CombinedOutput()
	ref := events.Ref{Address: events.Address{Tenant: "acme", Device: manualDevice}, Key: events.Key("/desk/acme", "CHG0031337-1")}
	if want := "stored " + ref.String() + "\naccepted \n"; err != nil || string(out) != want {
		t.Errorf("it prints %q, %v; want %q", out, err, want)
	}
}
