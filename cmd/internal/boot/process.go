package boot

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
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
