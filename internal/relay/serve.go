package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Bounds for servers that set none of their own, as that of the metrics: who sends
// or reads slowly holds no connection for ever. A scrape may take 10 s.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second // headers and body
	writeTimeout  = 30 * time.Second // from the headers' end
	idleTimeout   = 2 * time.Minute  // between requests; Prometheus asks once a minute or more often
)

// Serve runs srv on l until ctx ends. Then it asks clients to use other
// connections, and lets the requests under way finish: at most for drain. With
// srv.TLSConfig it speaks TLS. It owns srv and l; nil means a clean end.
func Serve(ctx context.Context, srv *http.Server, l net.Listener, drain time.Duration, log *slog.Logger) error {
	return serveAndLeave(ctx, srv, l, drain, farewellTime, log)
}

// serveAndLeave is Serve with the time for idle connections to leave in.
func serveAndLeave(ctx context.Context, srv *http.Server, l net.Listener, drain, leave time.Duration, log *slog.Logger) error {
	if srv.ErrorLog == nil {
		srv.ErrorLog = slog.NewLogLogger(log.Handler(), slog.LevelWarn)
	}
	srv.ReadHeaderTimeout = cmp.Or(srv.ReadHeaderTimeout, headerTimeout)
	srv.ReadTimeout = cmp.Or(srv.ReadTimeout, readTimeout)
	srv.WriteTimeout = cmp.Or(srv.WriteTimeout, writeTimeout)
	srv.IdleTimeout = cmp.Or(srv.IdleTimeout, idleTimeout)
	var bye farewell
	bye.attach(srv)
	failed := make(chan error, 1)
	listen := srv.Serve
	if srv.TLSConfig != nil {
		listen = func(l net.Listener) error { return srv.ServeTLS(l, "", "") } // the certificate is in the configuration
	}
	go func() { failed <- listen(l) }()
	log.Info("listening", "address", l.Addr().String())
	select {
	case err := <-failed:
		return fmt.Errorf("serving %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	log.Info("draining", "address", l.Addr().String(), "within", drain, "cause", context.Cause(ctx))
	until := time.Now().Add(drain)
	bye.begin(min(leave, drain))
	err := shutdown(srv, time.Until(until))
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("draining %s: requests still under way after %s were cut off", l.Addr(), drain)
	}
	if err != nil {
		return fmt.Errorf("draining %s: %w", l.Addr(), err)
	}
	return nil
}

// shutdown closes the connections that outlast drain, so that a stuck client
// cannot hold the process until the kernel kills it.
func shutdown(srv *http.Server, drain time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	err := srv.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		_ = srv.Close()
	}
	return err
}
