package natstest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// Ports of the servers. They lie below those that the system gives to whoever
// asks for any port: a stopped server must find its own free when it starts
// again, though other tests run beside it.
const (
	lowestPort  = 12000
	highestPort = 32000
)

// freePorts finds ports that are the test's until it ends.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		if port := lowestPort + rand.N(highestPort-lowestPort); claim(t, port) {
			ports = append(ports, port)
		}
	}
	t.Fatalf("natstest: found only %d of %d free ports", len(ports), n)
	return nil
}

// claim takes a port that nobody listens on and that no other test has taken:
// between two starts of a server its port looks free. A file says whose it is;
// one that a killed test has left behind costs one port of many.
func claim(t testing.TB, port int) bool {
	path := filepath.Join(os.TempDir(), fmt.Sprintf("natstest-port-%d", port))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	f.Close()
	t.Cleanup(func() { os.Remove(path) })
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	l.Close()
	return true
}
