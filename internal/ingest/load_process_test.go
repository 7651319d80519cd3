package ingest_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/nats-io/nats-server/v2/server"
)

// The load's other processes are this test binary again.
func TestMain(m *testing.M) {
	switch os.Getenv("CHANGERELAY_LOAD") {
	case "echo":
		serveEcho()
	case "broker":
		serveBroker(false)
	case "broker-sync":
		serveBroker(true)
	default:
		os.Exit(m.Run())
	}
}

func serveEcho() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	e := echo.New()
	e.POST("/v1/changes", func(c echo.Context) error { return c.NoContent(http.StatusAccepted) })
	up("http://" + l.Addr().String())
	panic(http.Serve(l, e))
}

// serveBroker is a nats-server with a file store and its defaults: by these it
// writes through to the disk every two minutes. Its store is in the directory
// that it was started in.
func serveBroker(sync bool) {
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: ".", SyncAlways: sync, NoLog: true, NoSigs: true,
	})
	if err != nil {
		panic(err)
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		panic("the broker is not up after 20 s")
	}
	up(s.ClientURL())
	s.WaitForShutdown()
}

// up tells the parent where a helper is, and ends the helper with the parent.
func up(address string) {
	fmt.Println(address)
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // nothing is ever sent; its end is the parent's
		os.Exit(0)
	}()
}

// A process is one of the load's.
type process struct {
	*exec.Cmd
	address string
}

func (p *process) pid() int { return p.Process.Pid }

// stop ends the process and waits for it.
func (p *process) stop() {
	if p.ProcessState == nil {
		_ = p.Process.Signal(syscall.SIGTERM)
		_ = p.Wait()
	}
}

// A rig starts processes that end with the benchmark.
type rig struct {
	b      *testing.B
	binary string // the ingest program, as make build builds it
}

func newRig(b *testing.B) *rig { return tagged(b, "") }

// tagged is a rig whose program is built with a tag.
func tagged(b *testing.B, tag string) *rig {
	r := &rig{b, filepath.Join(b.TempDir(), "ingest")}
	build := exec.Command("go", "build", "-tags", tag, "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", r.binary, "changerelay/cmd/ingest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("building the program: %v\n%s", err, out)
	}
	return r
}

func (r *rig) start(c *exec.Cmd) *process {
	r.b.Helper()
	c.Dir = r.b.TempDir()
	p := &process{Cmd: c}
	if err := c.Start(); err != nil {
		r.b.Fatal(err)
	}
	r.b.Cleanup(p.stop)
	return p
}

// helper is this binary in another role.
func (r *rig) helper(role string) *process {
	r.b.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "CHANGERELAY_LOAD="+role)
	c.Stderr = os.Stderr
	if _, err := c.StdinPipe(); err != nil {
		r.b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		r.b.Fatal(err)
	}
	p := r.start(c)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		r.b.Fatalf("%s did not start: %v", role, err)
	}
	p.address = strings.TrimSpace(line)
	return p
}

// program is the ingest program. Its log goes to a file.
func (r *rig) program(broker string) *process {
	r.b.Helper()
	dir := r.b.TempDir()
	listen, admin := freeAddress(r.b), freeAddress(r.b)
	for name, text := range map[string]string{"text": snowLoadKey, "whsec": "whsec_" + base64.StdEncoding.EncodeToString([]byte(deskLoadKey)), "relay.yaml": fmt.Sprintf(loadConfig, broker, listen, admin)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			r.b.Fatal(err)
		}
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		r.b.Fatal(err)
	}
	defer log.Close()
	c := exec.Command(r.binary, "--config", filepath.Join(dir, "relay.yaml"))
	c.Stdout, c.Stderr = log, log
	p := r.start(c)
	p.address = "http://" + listen
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !ready("http://" + admin); <-tick.C {
		if time.Now().After(end) {
			text, _ := os.ReadFile(log.Name())
			r.b.Fatalf("the program is not ready after 20 s\n%s", text)
		}
	}
	return p
}

// loadConfig is the least that the program needs, with rates beyond any load.
const loadConfig = `nats: { url: %q, replicas: 1 }
ingest: { listen: %q, rate: { per_second: 1000000, burst: 1000000 }, peer_rate: { per_second: 1000000, burst: 1000000 } }
admin: { listen: %q }
tenants:
  acme: { tenant_id: acme.example, client_id: 2b222222-2222-3333-4444-555555555555, client_secret: { file: text } }
sources:
  desk: { kind: cloudevents, tenants: [acme], secrets: [{ file: whsec }], rate: { per_second: 1000000, burst: 1000000 } }
  snow: { kind: servicenow, tenants: [acme], secrets: [{ file: text }], rate: { per_second: 1000000, burst: 1000000 } }
`

func ready(admin string) bool {
	res, err := http.Get(admin + "/readyz")
	if err != nil {
		return false
	}
	res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// freeAddress is one that nobody listened on a moment ago.
func freeAddress(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// usage is CPU time, user and system.
type usage struct{ client, server, broker time.Duration }

func (u usage) minus(v usage) usage {
	return usage{u.client - v.client, u.server - v.server, u.broker - v.broker}
}

func (k *kind) used() usage {
	u := usage{client: cpu(os.Getpid()), server: cpu(k.server.pid())}
	if k.broker != nil {
		u.broker = cpu(k.broker.pid())
	}
	return u
}

// cpu is the time that a process has used, in steps of 10 ms; 0 where there is
// no /proc. See proc_pid_stat(5): utime and stime are the 12th and 13th after
// the name, in hundredths of a second on every Linux that Go runs on.
func cpu(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * (time.Second / 100)
}
