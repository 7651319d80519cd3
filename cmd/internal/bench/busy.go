package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// busyTime is what all processors together have worked since the machine's start:
// all of the first line of /proc/stat but idle and waiting for disks, and guests,
// whose time is in user's. See proc_stat(5); 0 where there is none.
func busyTime() (busy time.Duration) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(data), "\n")
	for i, field := range strings.Fields(line) {
		n, _ := strconv.ParseInt(field, 10, 64)
		if i >= 1 && i <= 8 && i != 4 && i != 5 {
			busy += time.Duration(n) * (time.Second / 100)
		}
	}
	return busy
}

// share is a part of what all processors can do in a time; a little below nothing
// is the clocks' grain, more is that nothing is known.
func share(used, of time.Duration) string {
	all := of * time.Duration(runtime.NumCPU())
	percent := 100 * float64(used) / float64(all)
	if busyTime() == 0 || percent < -3 {
		return "a share not known"
	}
	return fmt.Sprintf("%.0f %%", max(percent, 0))
}
