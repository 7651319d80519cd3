package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// A connection beyond the bound is served when another is closed, and not before.
func TestBoundedListener(t *testing.T) {
	l, err := listen("test", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var served []string
	srv := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		served = append(served, r.URL.Path)
	})}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, srv, bounded(l, 1), time.Minute, slog.New(slog.DiscardHandler)) }()

	first, second := dial(t, l.Addr()), dial(t, l.Addr())
	ask(t, second, "/second")
	for range 100 { // time enough for a second connection to be served
		ask(t, first, "/first")
		answer(t, first)
	}
	first.Close()
	answer(t, second)
	if n := len(served); n != 101 || slices.Index(served, "/second") != 100 {
		t.Errorf("of %d requests, the second connection's was number %d", n, 1+slices.Index(served, "/second"))
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func dial(t *testing.T, to net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", to.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func ask(t *testing.T, c net.Conn, path string) {
	t.Helper()
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n", path); err != nil {
		t.Fatal(err)
	}
}

// answer reads one that has no body.
func answer(t *testing.T, c net.Conn) {
	t.Helper()
	var b []byte
	for one := make([]byte, 1); len(b) < 4 || string(b[len(b)-4:]) != "\r\n\r\n"; b = append(b, one...) {
		if _, err := io.ReadFull(c, one); err != nil {
			t.Fatal(err)
		}
	}
}

// A listener without a free slot can be closed.
func TestBoundedListenerCloses(t *testing.T) {
	l, err := listen("test", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := bounded(l, 1)
	dial(t, l.Addr())
	c, err := b.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, ok := c.(interface{ CloseWrite() error }); !ok {
		t.Error("the server cannot half-close it")
	}
	failed := make(chan error)
	go func() { _, err := b.Accept(); failed <- err }()
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("waiting: %v", err)
	}
}
