package worker

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"changerelay/internal/natstest"
)

// A run's broker and workers are processes of their own, so that what each costs
// can be told apart and a worker is as far from another as in a cluster. They are
// this test binary again.

// Of a process's environment: what it is, and its order as JSON.
const (
	roleEnv  = "CHANGERELAY_ROLE"
	orderEnv = "CHANGERELAY_ORDER"
)

// TestProcess is what such a process runs. By itself it does nothing.
func TestProcess(t *testing.T) {
	switch os.Getenv(roleEnv) {
	case "broker":
		serveBroker(t)
	case "worker":
		serveWorker(t)
	}
}

// A process is started by a run and ends with it.
type process struct {
	t      testing.TB
	cmd    *exec.Cmd
	orders *json.Encoder
	words  *bufio.Reader
	stop   func() // ends it as SIGTERM would, and waits
}

// start runs this binary in a role, and returns when it is up.
func start(t testing.TB, role string, order any) *process {
	t.Helper()
	o, err := json.Marshal(order)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(self, "-test.run=^TestProcess$", "-test.timeout=0", "-test.count=1")}
	p.cmd.Env = append(os.Environ(), roleEnv+"="+role, orderEnv+"="+string(o), "TMPDIR="+t.TempDir())
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.orders, p.words = json.NewEncoder(in), bufio.NewReader(out)
	p.stop = func() {
		if p.cmd.ProcessState == nil {
			in.Close() // a process ends with whoever gives it orders
			_ = p.cmd.Wait()
		}
	}
	t.Cleanup(p.stop)
	return p
}

// wordPrefix begins what a process says; the rest is the test framework's.
const wordPrefix = "# "

// hear reads what the process says next.
func (p *process) hear() string {
	p.t.Helper()
	for {
		line, err := p.words.ReadString('\n')
		if err != nil {
			p.t.Fatalf("a process ended early: %v; %s", err, line)
		}
		if word, ok := strings.CutPrefix(line, wordPrefix); ok {
			return strings.TrimSpace(word)
		}
	}
}

// ask gives an order and waits for its answer.
func (p *process) ask(order ...string) string {
	p.t.Helper()
	if err := p.orders.Encode(order); err != nil {
		p.t.Fatal(err)
	}
	return p.hear()
}

// serve answers orders until there is nobody to give them.
func serve(answer func(order []string) string) {
	for orders := json.NewDecoder(os.Stdin); ; {
		var o []string
		if orders.Decode(&o) != nil {
			return
		}
		say(answer(o))
	}
}

func say(word string) { fmt.Println(wordPrefix + word) }

// readOrder is the process's side of start's order.
func readOrder(t *testing.T, order any) {
	if err := json.Unmarshal([]byte(os.Getenv(orderEnv)), order); err != nil {
		t.Fatal(err)
	}
}

// A brokerKind is how the broker is run.
type brokerKind struct {
	Name     string
	Replicas int  // 1 or 3
	Sync     bool // it writes through to the disk before it acknowledges
}

// Brokers. nats-server writes through every two minutes unless told otherwise.
var (
	lazyR1 = brokerKind{"R1", 1, false}
	syncR1 = brokerKind{"R1, fsync always", 1, true}
	lazyR3 = brokerKind{"R3", 3, false}
)

// serveBroker is one nats-server, or three in one process.
func serveBroker(t *testing.T) {
	var k brokerKind
	readOrder(t, &k)
	switch {
	case k.Replicas > 1:
		say(natstest.Cluster(t, k.Replicas).URL())
	case k.Sync:
		say(natstest.Server(t, natstest.SyncAlways()).URL())
	default:
		say(natstest.Server(t).URL())
	}
	var r recorder
	serve(func(o []string) string { return r.order(o[0], o[len(o)-1]) })
}
