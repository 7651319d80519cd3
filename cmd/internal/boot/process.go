package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Logger writes the log as the configuration says. Commands pass it on; nothing
// uses slog's default.
func Logger(l Log, w io.Writer) *slog.Logger {
	var level slog.Level
	// A configuration that was checked cannot fail here, and a zero Log means info.
	_ = level.UnmarshalText([]byte(l.Level))
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "text" {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// interrupted is the exit code of a process that a signal ended, as shells
// count it for SIGINT.
const interrupted = 130

// Context ends at the first SIGINT or SIGTERM: the program drains. At the
// second the process exits at once, because whoever sends it is done waiting,
// and everything that counts is in the broker already. stop gives the signals
// back to their default.
func Context() (ctx context.Context, stop context.CancelFunc) {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	seen := make(chan os.Signal, 2)
	signal.Notify(seen, os.Interrupt, syscall.SIGTERM)
	go exitAtSecond(seen)
	return ctx, sync.OnceFunc(func() {
		cancel()
		signal.Stop(seen) // nothing is sent after this, so closing is safe
		close(seen)
	})
}

func exitAtSecond(seen <-chan os.Signal) {
	<-seen
	if _, ok := <-seen; ok {
		os.Exit(interrupted)
	}
}

// headerTimeout bounds how long a client may take to send a request's headers,
// for servers that set no bound of their own.
const headerTimeout = 5 * time.Second

// Serve runs srv on l until ctx ends, and then lets the requests under way
// finish for at most drain. It owns srv and l; nil means a clean end.
func Serve(ctx context.Context, srv *http.Server, l net.Listener, drain time.Duration, log *slog.Logger) error {
	if srv.ErrorLog == nil {
		srv.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	}
	if srv.ReadHeaderTimeout == 0 {
		srv.ReadHeaderTimeout = headerTimeout
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	log.Info("listening", "address", l.Addr().String())
	select {
	case err := <-failed:
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	log.Info("draining", "address", l.Addr().String(), "within", drain, "cause", context.Cause(ctx))
	return shutdown(srv, l.Addr(), drain)
}

// shutdown closes the connections that outlast drain, so that a stuck client
// cannot hold the process until the kernel kills it.
func shutdown(srv *http.Server, address net.Addr, drain time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		srv.Close()
		return fmt.Errorf("draining %s: requests still under way after %s were cut off", address, drain)
	}
	if err != nil {
		return fmt.Errorf("draining %s: %w", address, err)
	}
	return nil
}
