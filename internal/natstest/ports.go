package natstest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports of the servers. They lie below those that the system gives to whoever
// asks for any port: a stopped server must find its own free when it starts
// again, though other tests run beside it.
const (
	lowestPort  = 12000
	highestPort = 32000
)

// freePorts finds ports. They are held together so that they differ.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		port := lowestPort + rand.N(highestPort-lowestPort)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue // taken
		}
		defer l.Close()
		ports = append(ports, port)
	}
	t.Fatalf("natstest: found only %d of %d free ports", len(ports), n)
	return nil
}
