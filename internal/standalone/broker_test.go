package standalone

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"changerelay/internal/natstest"
)

// Whoever starts a second one is told at once, not after a minute.
func TestABusyPortIsSaidAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	s, err := StartBroker(t.Context(), t.TempDir(), l.Addr().String())
	if err == nil {
		s.Shutdown()
		t.Fatal("the broker is started twice")
	}
	for _, want := range []string{"starting the broker: ", l.Addr().String(), "in use", "--nats"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if took := time.Since(began); took > startFor/4 {
		t.Errorf("it took %v", took)
	}
}

func TestTheBrokerKeepsItsStore(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		s, err := StartBroker(t.Context(), dir, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if !s.ReadyForConnections(time.Second) || !s.JetStreamEnabled() || strings.HasSuffix(s.ClientURL(), ":0") {
			t.Errorf("it is not ready at %s", s.ClientURL())
		}
		natstest.Connect(t, s.ClientURL()).Close()
		s.Shutdown()
		s.WaitForShutdown()
	}
	for _, addr := range []string{"127.0.0.1", "127.0.0.1:nats"} {
		if _, err := StartBroker(t.Context(), dir, addr); err == nil || !strings.Contains(err.Error(), addr) {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

// A folder that cannot be the store's is named, and nobody waits a minute.
func TestAStoreThatCannotBeIsSaidAtOnce(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "nats"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s, err := StartBroker(t.Context(), dir, "127.0.0.1:0")
	if err == nil {
		s.Shutdown()
		t.Fatal("the broker keeps its store in a file")
	}
	if !strings.Contains(err.Error(), dir) || time.Since(began) > startFor/4 {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}
