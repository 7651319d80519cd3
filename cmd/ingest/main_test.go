package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"changerelay/internal/await"
	"changerelay/internal/natstest"
)

// The tests run their own binary as the command.
func TestMain(m *testing.M) {
	if os.Getenv("CHANGERELAY_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(config string) *exec.Cmd {
	c := exec.Command(os.Args[0], "--config", config)
	c.Env = append(os.Environ(), "CHANGERELAY_TEST_MAIN=1")
	return c
}

// configure writes a configuration whose ports are free ones.
func configure(t *testing.T, broker, listen string) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf(`nats: { url: %q, replicas: 1 }
ingest: { listen: %q }
admin: { listen: "127.0.0.1:0" }
tenants:
  acme:
    tenant_id: acme.example
    client_id: 2b222222-2222-3333-4444-555555555555
    client_secret: { file: not-here } # ingest never reads it
sources:
  servicenow:
    kind: servicenow
    tenants: [acme]
    secrets: [{ file: secret }]
`, broker, listen)
	for name, content := range map[string]string{"relay.yaml": text, "secret": "a-secret-of-some-length-not-for-logs"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "relay.yaml")
}

func TestMistakesEndItWithTheirPlace(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	good := configure(t, "nats://127.0.0.1:1", "127.0.0.1:0")
	typo := filepath.Join(filepath.Dir(good), "typo.yaml")
	if err := os.WriteFile(typo, []byte("nats: { replicas: 1 }\ningest:\n  lissten: \":8080\"\nlog: { level: loud }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	misspelt := filepath.Join(filepath.Dir(good), "misspelt.yaml")
	text := "tenants:\n  acme: {tenant_id: acme.example, client_id: 2b222222-2222-3333-4444-555555555555, client_secret: {file: a}}\n" +
		"sources:\n  desk:\n    kind: mapped\n    tenants: [acme]\n    secrets: [{env: A}]\n    signature: {preset: github}\n" +
		"    map: {when: recrd.ok, ticket: record.t, device: record.d, items: record.i}\n"
	if err := os.WriteFile(misspelt, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for config, want := range map[string][]string{
		misspelt:              {misspelt + ":9:11: sources.desk.map.when: line 1, column 1: undeclared reference to 'recrd'"},
		typo:                  {typo + `:3:3: ingest.lissten: unknown key, did you mean "listen"?`},
		"/no/such/relay.yaml": {"there is no file /no/such/relay.yaml; name another with --config"},
		configure(t, "nats://127.0.0.1:1", l.Addr().String()): {"ingest.listen", l.Addr().String(), "in use"},
	} {
		c := command(config)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if _ = c.Run(); c.ProcessState.ExitCode() != 1 {
			t.Errorf("%s: it ended with %v", config, c.ProcessState)
		}
		for _, w := range want {
			if !strings.Contains(stderr.String(), w) {
				t.Errorf("%s: stderr does not say %q:\n%s", config, w, &stderr)
			}
		}
		for line := range strings.Lines(stderr.String()) {
			if !strings.HasPrefix(line, "changerelay-ingest: ") {
				t.Errorf("%s: stderr has the line %q", config, line)
			}
		}
	}
}

// SIGTERM is how a pod is ended: it drains, and has not failed, whether the
// broker is there or not.
func TestSIGTERM(t *testing.T) {
	for name, c := range map[string]struct {
		broker string
		ready  int
	}{
		"with a broker":    {natstest.Server(t).URL(), http.StatusOK},
		"without a broker": {"nats://127.0.0.1:1", http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			p := command(configure(t, c.broker, "127.0.0.1:0"))
			out := &lines{}
			p.Stdout, p.Stderr = out, out
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = p.Process.Kill() })
			eventually(t, out, "both listeners to answer", func() bool {
				return out.answers("/readyz", c.ready) && out.answers("/v1/changes/x", http.StatusNotFound)
			})
			if err := p.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := p.Wait(); err != nil {
				t.Errorf("it ended with: %v\n%s", err, out)
			}
			if strings.Count(out.String(), `"msg":"draining"`) != 2 {
				t.Errorf("it did not drain both listeners:\n%s", out)
			}
		})
	}
}

// lines is what a process has written.
type lines struct{ await.Log }

// answers reports whether one of the listeners that the log names answers so.
func (l *lines) answers(path string, code int) bool {
	for _, address := range l.addresses() {
		res, err := http.Get("http://" + address + path)
		if err != nil {
			continue
		}
		res.Body.Close()
		if res.StatusCode == code && res.Header.Get("X-Content-Type-Options") != "" {
			return true
		}
	}
	return false
}

// addresses are those of the listeners that the log names.
func (l *lines) addresses() (list []string) {
	for line := range strings.Lines(l.String()) {
		var v struct{ Msg, Address string }
		if json.Unmarshal([]byte(line), &v) == nil && v.Msg == "listening" {
			list = append(list, v.Address)
		}
	}
	return list
}

// eventually waits for a state.
func eventually(t *testing.T, out *lines, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-deadline.C:
			t.Fatalf("waited 30 s for %s\n%s", what, out)
		case <-tick.C:
		}
	}
}
