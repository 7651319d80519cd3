package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"changerelay/internal/await"
)

// The manual's relay, made of its configuration and its commands, has the simulator
// for a tenant.
func TestManualRelay(t *testing.T) {
	for _, tool := range []string{"sh", "head", "base64"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the manual's commands need %s, which is not here", tool)
		}
	}
	d := start(t, &cli{})
	b := newBeside(t, d)
	b.write("relay.yaml", strings.ReplaceAll(b.block("yaml"), "https://127.0.0.1:8443", d.graph()))
	setup, relay, ok := strings.Cut(b.block("sh-setup"), "go run ./cmd/standalone ")
	if !ok {
		t.Fatal("the manual does not start the relay")
	}
	b.sh(setup)
	broker, ingest := b.serve(relay)
	b.write("relay.yaml", strings.ReplaceAll(b.read("relay.yaml"), "nats://127.0.0.1:4222", broker))

	s, seen := newShell(t, d.ca), ""
	for line := range strings.Lines(b.block("sh-relay")) {
		line = strings.TrimSuffix(line, "\n")
		command, ours := strings.CutPrefix(line, "go run ./cmd/relayctl ")
		wanted, promise := strings.CutPrefix(line, "# ")
		switch {
		case promise && !strings.Contains(seen, wanted):
			t.Errorf("the manual promises %q, the answer is %s", wanted, seen)
		case promise:
		case ours:
			seen = b.sh("CHANGERELAY_URL=" + ingest + " ./relayctl " + command)
		default:
			s.curl(strings.ReplaceAll(line, "http://127.0.0.1:8444", d.admin()))
			seen = s.seen
		}
	}
}

// A beside is a folder beside the simulator, with what the manual has one put there.
type beside struct {
	t           *testing.T
	dir, manual string
}

func newBeside(t *testing.T, d *run) *beside {
	t.Helper()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	b := &beside{t, t.TempDir(), string(text)}
	for _, name := range []string{"standalone", "relayctl"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(b.dir, name), "changerelay/cmd/"+name).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	ca, err := os.ReadFile(d.ca)
	if err != nil {
		t.Fatal(err)
	}
	b.write("graphsim-ca.pem", string(ca))
	return b
}

// block is the manual's one block of a language.
func (b *beside) block(lang string) string {
	b.t.Helper()
	all := regexp.MustCompile("(?s)```"+lang+"\n(.*?)```").FindAllStringSubmatch(b.manual, -1)
	if len(all) != 1 {
		b.t.Fatalf("the manual has %d blocks of %s", len(all), lang)
	}
	return all[0][1]
}

func (b *beside) write(name, content string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.dir, name), []byte(content), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

func (b *beside) read(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

// sh runs commands in the folder.
func (b *beside) sh(script string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "sh", "-euc", script)
	c.Dir = b.dir
	out, err := c.CombinedOutput()
	if err != nil {
		b.t.Fatalf("%s: %v: %s", script, err, out)
	}
	return string(out)
}

// serve runs the relay on free ports until the test ends, and returns where its
// broker and its ingest are.
func (b *beside) serve(args string) (broker, ingest string) {
	b.t.Helper()
	out := &await.Log{}
	c := exec.Command("./standalone", append(strings.Fields(args), "--nats", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0")...)
	c.Dir, c.Stdout, c.Stderr = b.dir, out, out
	if err := c.Start(); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			b.t.Errorf("the relay ended with %v:\n%s", err, out)
		}
	})
	places := regexp.MustCompile(`(?s)webhooks  (http://[^/]+)/.*admin     (http://[^/]+)/.*broker    (nats://\S+) `)
	await.State(b.t, "the relay to say where it is", func() bool { return places.MatchString(out.String()) })
	m := places.FindStringSubmatch(out.String())
	await.State(b.t, "the relay to be ready", func() bool {
		res, err := http.Get(m[2] + "/readyz")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return m[3], m[1]
}
