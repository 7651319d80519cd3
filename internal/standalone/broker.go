// Package standalone is what the relay needs to run by itself, in one process: a
// broker of its own on disk, a simulated tenant, and a sample to see something
// happen. The end-to-end scenarios of the whole relay live beside it.
package standalone

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// startFor bounds the broker's start: it reads back what it has on disk.
const startFor = time.Minute

// StartBroker starts a NATS server with JetStream of its own. It keeps its store
// below dir, synced to disk before each acknowledgement, and listens on addr for
// other tools; the relay itself is in the same process.
func StartBroker(ctx context.Context, dir, addr string) (*server.Server, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("starting the broker: the address %q is not host:port", addr)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("starting the broker: the port of %q is not a number", addr)
	}
	if err := free(addr); err != nil {
		return nil, err
	}
	if n == 0 {
		n = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "changerelay-standalone",
		Host:       host, Port: n,
		JetStream: true, StoreDir: filepath.Join(dir, "nats"), SyncAlways: true,
		NoSigs: true,
	})
	if err != nil {
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	var said complaints
	s.SetLogger(&said, false, false)
	go s.Start()
	if err := ready(ctx, s, &said); err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("starting the broker with its store in %s: %w", dir, err)
	}
	if err := showSync(s); err != nil {
		s.Shutdown()
		return nil, fmt.Errorf("starting the broker: %w", err)
	}
	return s, nil
}

// showSync lets the relay ask how the server syncs, which takes the system account
// elsewhere. Else doctor would doubt a server that writes through.
func showSync(s *server.Server) error {
	const subject = "$SYS.REQ.SERVER.PING.JSZ"
	system := s.SystemAccount()
	if err := system.AddServiceExportWithResponse(subject, server.Streamed, nil); err != nil {
		return err
	}
	return s.GlobalAccount().AddServiceImport(system, subject, subject)
}

// ready waits until s takes connections, complains or takes too long.
func ready(ctx context.Context, s *server.Server, said *complaints) error {
	ctx, cancel := context.WithTimeout(ctx, startFor)
	defer cancel()
	for !s.ReadyForConnections(100 * time.Millisecond) {
		if fatal := said.fatal.Load(); fatal != nil {
			return errors.New(*fatal)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("it is not ready: %w", ctx.Err())
		}
	}
	return nil
}

// complaints are what the server says when it cannot start. The rest of its log
// is not for the relay's users.
type complaints struct{ fatal atomic.Pointer[string] }

func (c *complaints) Fatalf(format string, v ...any) {
	s := fmt.Sprintf(format, v...)
	c.fatal.CompareAndSwap(nil, &s)
}
func (*complaints) Noticef(string, ...any) {}
func (*complaints) Warnf(string, ...any)   {}
func (*complaints) Errorf(string, ...any)  {}
func (*complaints) Debugf(string, ...any)  {}
func (*complaints) Tracef(string, ...any)  {}

// free refuses an address where somebody listens. The server itself would say
// nothing: it would only not be ready, for as long as it is waited for.
func free(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("starting the broker: %w; stop what listens there, or choose another address with --nats", err)
	}
	return l.Close()
}
