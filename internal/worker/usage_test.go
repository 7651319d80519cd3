package worker

import (
	"bytes"
	"fmt"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"
)

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

// memory reads a line of /proc/<pid>/status in MiB: VmRSS is now, VmHWM the most
// there was. It is 0 where there is no /proc.
func memory(pid int, line string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			kB, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kB / 1024
		}
	}
	return 0
}

func (p *process) cpu() time.Duration { return cpu(p.cmd.Process.Pid) }
func (p *process) rss() float64       { return memory(p.cmd.Process.Pid, "VmRSS") }
func (p *process) most() float64      { return memory(p.cmd.Process.Pid, "VmHWM") }

// goroutines is how many a worker has.
func (p *process) goroutines() int {
	p.t.Helper()
	n, err := strconv.Atoi(p.ask("goroutines"))
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// A recorder makes CPU profiles of its own process: the order "profile" begins one
// in a file, "profiled" ends it.
type recorder struct{ file *os.File }

func (r *recorder) order(what, to string) string {
	var err error
	switch what {
	case "profile":
		if r.file, err = os.Create(to); err == nil {
			err = pprof.StartCPUProfile(r.file)
		}
	case "profiled":
		pprof.StopCPUProfile()
		err = r.file.Close()
	}
	return fmt.Sprint(err)
}

// A clock says what a stretch of work took and cost.
type clock struct {
	began time.Time
	who   map[string]func() time.Duration
	then  map[string]time.Duration
}

// clocked begins to measure the CPU time of the broker, of the workers together,
// and of this process, which is the simulator and whoever publishes.
func clocked(broker *process, workers ...*process) *clock {
	c := &clock{time.Now(), map[string]func() time.Duration{
		"broker": broker.cpu,
		"worker": func() (d time.Duration) {
			for _, w := range workers {
				d += w.cpu()
			}
			return d
		},
		"rest": func() time.Duration { return cpu(os.Getpid()) },
	}, map[string]time.Duration{}}
	for name, f := range c.who {
		c.then[name] = f()
	}
	return c
}

// end returns the rate of n pieces of work, and what one of them cost.
func (c *clock) end(n int) (rate float64, cost string) {
	took := time.Since(c.began)
	return float64(n) / took.Seconds(), fmt.Sprintf("%.0f + %.0f + %.0f", c.each("worker", n), c.each("broker", n), c.each("rest", n))
}

// each is what one of n pieces of work has cost who so far, µs.
func (c *clock) each(who string, n int) float64 {
	return float64((c.who[who]() - c.then[who]).Microseconds()) / float64(n)
}

// smaller scales a run down for go test -short.
func smaller(n int) int {
	if testing.Short() {
		return max(n/10, 10)
	}
	return n
}
