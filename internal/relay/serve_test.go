package relay

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A slowHandler holds each request until it is let go.
type slowHandler struct{ entered, release chan struct{} }

func (h slowHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	close(h.entered)
	select {
	case <-h.release:
	case <-r.Context().Done():
	}
	fmt.Fprint(w, "done")
}

// serveSlow has one request under way when the context ends, and returns
// Serve's answer and the request's.
func serveSlow(t *testing.T, drain time.Duration, finish bool) (served, got error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := slowHandler{make(chan struct{}), make(chan struct{})}
	ctx, cancel := context.WithCancel(context.Background())
	errs, body := make(chan error, 1), make(chan error, 1)
	srv := &http.Server{Handler: h}
	srv.RegisterOnShutdown(func() {
		if finish {
			close(h.release)
		}
	})
	go func() { errs <- Serve(ctx, srv, l, drain, slog.New(slog.DiscardHandler)) }()
	go func() { body <- fetch("http://" + l.Addr().String()) }()
	<-h.entered
	cancel()
	return <-errs, <-body
}

func fetch(url string) error {
	res, err := http.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

func TestServeDrains(t *testing.T) {
	served, got := serveSlow(t, time.Minute, true)
	if served != nil || got != nil {
		t.Errorf("Serve = %v, request = %v", served, got)
	}
}

func TestServeCutsOffWhatOutlastsDrain(t *testing.T) {
	served, got := serveSlow(t, time.Millisecond, false)
	if served == nil || !strings.Contains(served.Error(), "requests still under way after 1ms were cut off") {
		t.Errorf("Serve = %v", served)
	}
	if got == nil {
		t.Error("the request was answered")
	}
}

// A server has every bound, its own or Serve's.
func TestServeBounds(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	srv := &http.Server{WriteTimeout: time.Hour}
	if err := Serve(ctx, srv, l, time.Minute, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if srv.ReadHeaderTimeout != headerTimeout || srv.ReadTimeout != readTimeout || srv.WriteTimeout != time.Hour || srv.IdleTimeout != idleTimeout {
		t.Errorf("head %s, read %s, write %s, idle %s", srv.ReadHeaderTimeout, srv.ReadTimeout, srv.WriteTimeout, srv.IdleTimeout)
	}
}

func TestServeReportsAFailedListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	err = Serve(context.Background(), &http.Server{}, l, time.Second, slog.New(slog.DiscardHandler))
	if err == nil || !strings.HasPrefix(err.Error(), "serving 127.0.0.1:") {
		t.Errorf("Serve = %v", err)
	}
}
