package figures

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// A Machine is what figures are of. What is not known is empty.
type Machine struct {
	CPU        string   `json:"cpu"` // its model
	Processors int      `json:"processors"`
	Memory     float64  `json:"memory_gib,omitempty"`
	System     string   `json:"system"` // and its kernel
	Go         string   `json:"go"`
	Load       string   `json:"load,omitempty"`     // average of the minute before this process
	Versions   []string `json:"versions,omitempty"` // of what a figure depends on; a test binary does not know them
}

func (m Machine) String() string {
	s := fmt.Sprintf("%d × %s", m.Processors, m.CPU)
	if m.Memory > 0 {
		s += fmt.Sprintf(", %.1f GiB", m.Memory)
	}
	return strings.Join(append([]string{s, m.System, m.Go}, m.Versions...), ", ")
}

// ThisMachine is the one that this runs on.
func ThisMachine() Machine {
	return Machine{
		CPU: about("/proc/cpuinfo", "model name", runtime.GOARCH), Processors: runtime.NumCPU(), Memory: gibibytes(about("/proc/meminfo", "MemTotal", "")),
		System: strings.TrimSpace(runtime.GOOS + " " + kernel()), Go: runtime.Version(), Load: loadAtStart,
	}
}

// loadAtStart is what others make, and what was run before.
var loadAtStart = first("/proc/loadavg")

// kernel is its version, without what a distribution adds.
func kernel() string {
	version, _, _ := strings.Cut(first("/proc/sys/kernel/osrelease"), "-")
	return version
}

// about is what a file of /proc says under a name.
func about(file, name, otherwise string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return otherwise
	}
	for line := range strings.Lines(string(data)) {
		if n, value, _ := strings.Cut(line, ":"); strings.TrimSpace(n) == name {
			return strings.TrimSpace(value)
		}
	}
	return otherwise
}

// first is a file's first word.
func first(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	word, _, _ := strings.Cut(strings.TrimSpace(string(data)), " ")
	return word
}

// gibibytes reads "8010348 kB".
func gibibytes(s string) float64 {
	kB, _ := strconv.ParseFloat(strings.TrimSuffix(s, " kB"), 64)
	return kB / (1 << 20)
}
