package figures

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Memory is the resident memory of a process at its most, in bytes; zero where
// there is no /proc. Peak is what the kernel noted (VmHWM); the parts are those of
// the look that found most, so they are a little less.
type Memory struct{ Peak, Anonymous, File int64 }

// MiB of the peak.
func (m Memory) MiB() float64 { return float64(m.Peak) / (1 << 20) }

func (m Memory) String() string {
	if m.Peak == 0 {
		return "not known on this system"
	}
	return fmt.Sprintf("%.1f its own, %.1f pages of its binary", float64(m.Anonymous)/(1<<20), float64(m.File)/(1<<20))
}

// lookEvery is short beside a collection of a heap that grows.
const lookEvery = 50 * time.Millisecond

// WatchMemory looks at a process until it is asked for what it has seen.
func WatchMemory(pid int) (end func() Memory) {
	stop, seen := make(chan struct{}), make(chan Memory)
	go func() {
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		var at Memory // of the parts
		for {
			peak, now := resident(pid)
			if now.Anonymous+now.File > at.Anonymous+at.File {
				at = now
			}
			at.Peak = max(at.Peak, peak)
			select {
			case <-tick.C:
			case <-stop:
				seen <- at
				return
			}
		}
	}()
	return func() Memory { close(stop); return <-seen }
}

// resident reads /proc/<pid>/status; see proc_pid_status(5).
func resident(pid int) (peak int64, now Memory) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, now
	}
	for line := range strings.Lines(string(status)) {
		name, rest, _ := strings.Cut(line, ":")
		to, ok := map[string]*int64{"VmHWM": &peak, "RssAnon": &now.Anonymous, "RssFile": &now.File}[name]
		if ok {
			kB, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			*to = kB << 10
		}
	}
	return peak, now
}
