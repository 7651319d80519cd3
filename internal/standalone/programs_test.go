package standalone

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A program is one of cmd/, built as make build builds it, with its log in a file.
type program struct {
	*exec.Cmd
	admin, log string // host:port; file
}

// built compiles programs of cmd/, and returns where they are.
func built(b *testing.B, names ...string) string {
	b.Helper()
	dir := b.TempDir()
	for _, name := range names {
		build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, name), "changerelay/cmd/"+name)
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("building %s: %v\n%s", name, err, out)
		}
	}
	return dir
}

// launch starts a program. It ends with the benchmark, or when it is stopped.
func launch(b *testing.B, admin, bin string, args ...string) *program {
	b.Helper()
	log, err := os.Create(filepath.Join(b.TempDir(), filepath.Base(bin)+".log"))
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	p := &program{Cmd: exec.Command(bin, args...), admin: admin, log: log.Name()}
	p.Stdout, p.Stderr = log, log
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(p.stop)
	return p
}

func (p *program) stop() {
	if p.ProcessState == nil {
		_ = p.Process.Signal(syscall.SIGTERM)
		_ = p.Wait()
	}
}

// lookEvery is small beside a start, and leaves the program its processor.
const lookEvery = 2 * time.Millisecond

// ready waits until the program says that it is.
func (p *program) ready(b *testing.B) {
	b.Helper()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-tick.C {
		res, err := http.Get("http://" + p.admin + "/readyz")
		if err != nil {
			continue
		}
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			return
		}
	}
	text, _ := os.ReadFile(p.log)
	b.Fatalf("%s is not ready after 30 s\n%s", p.Path, text)
}

// configured writes a configuration for the rig's broker and the simulated tenant
// acme. Rates of ingest are beyond any load; all else is the default.
func (r *rig) configured(b *testing.B, ingest, admin string) string {
	b.Helper()
	dir, d := b.TempDir(), directory("acme")
	text := fmt.Sprintf(`nats: { url: %q, replicas: 1 }
ingest: { listen: %q, rate: { per_second: 1000000, burst: 1000000 }, peer_rate: { per_second: 1000000, burst: 1000000 } }
admin: { listen: %q }
tenants:
  acme: { tenant_id: %s, client_id: %s, client_secret: { file: secret }, cloud: custom, graph_url: %q, authority_url: %q, ca_file: ca.pem }
sources:
  desk: { kind: cloudevents, tenants: [acme], secrets: [{ file: desk }], rate: { per_second: 1000000, burst: 1000000 } }
`, r.broker.URL(), ingest, admin, d.ID, d.ClientID, r.sim.URL(), r.sim.URL())
	for name, text := range map[string]string{"relay.yaml": text, "secret": d.ClientSecret, "desk": sourceSecrets["desk"], "ca.pem": string(r.sim.CA())} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(dir, "relay.yaml")
}

// unused is an address that nobody listened on a moment ago.
func unused(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// fleet are the ids of n devices.
func fleet(n int) (devices []string) {
	prefix := rand.Text()
	for i := range n {
		devices = append(devices, uuid(fmt.Sprint(prefix, i)))
	}
	return devices
}
