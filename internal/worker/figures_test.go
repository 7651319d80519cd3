package worker

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// TestMain prints the figures of the runs, if there were any.
func TestMain(m *testing.M) {
	code := m.Run()
	figures.print()
	os.Exit(code)
}

// A figure is a line of the table: what was measured, what it came to and what was
// aimed at, which may be nothing.
type figure struct{ what, measured, aim string }

// figures are those of this process, in the order in which they were measured.
var figures = sheet{worker: breakdown{who: "worker"}, broker: breakdown{who: "broker"}}

type sheet struct {
	mu   sync.Mutex
	rows []figure

	worker, broker breakdown // of BenchmarkRunRates
}

func (s *sheet) add(what, aim, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rows = append(s.rows, figure{what, fmt.Sprintf(format, args...), aim})
}

func (s *sheet) print() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rows) == 0 {
		return
	}
	fmt.Printf("\n%s\n\n| what | measured | aim |\n| --- | --- | --- |\n", machine())
	for _, r := range s.rows {
		fmt.Printf("| %s | %s | %s |\n", r.what, r.measured, r.aim)
	}
	fmt.Printf("\n%v\n%v\n", &s.worker, &s.broker)
}

// machine is what the figures were measured on. The load is of the last minute, at
// the end; the run itself is part of it.
func machine() string {
	model := "processors"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for l := range strings.Lines(string(info)) {
			if name, value, _ := strings.Cut(l, ":"); strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	first := func(file string) string {
		b, _ := os.ReadFile(file)
		word, _, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
		return word
	}
	return fmt.Sprintf("%d × %s, %s %s, %s, nats-server %s; load average before %s, after %s", runtime.NumCPU(), model, runtime.GOOS,
		first("/proc/sys/kernel/osrelease"), runtime.Version(), server.VERSION, loadBefore, first("/proc/loadavg"))
}

// loadBefore is the load that others make.
var loadBefore = func() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "not known"
	}
	word, _, _ := strings.Cut(string(b), " ")
	return word
}()
