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

// Logger writes the log as the configuration says; its level follows the
// configuration's when that is read again. Commands pass it on; nothing uses slog's
// default.
func (c *Config) Logger(w io.Writer) *slog.Logger {
	if c.from.level == nil { // of no file
		return logger(c.Log.Format, c.Log.level(), w)
	}
	return logger(c.Log.Format, c.from.level, w)
}

// level is the zero Log's too: info. One that was checked cannot fail here.
func (l Log) level() (level slog.Level) {
	_ = level.UnmarshalText([]byte(l.Level))
	return level
}

func logger(format string, level slog.Leveler, w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if format == "text" {
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
