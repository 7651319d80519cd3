package graph

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http/httptrace"
	"sync"
	"time"
)

var (
	errLate = errors.New("deadline passed before the request was written")
	errShut = errors.New("request was given up")
)

// A gate stands between a request's body and the transport. HTTP/1 and HTTP/2
// both read the body last, after a connection is there and the headers have
// left, so it is the latest place for the deadline; and a body that was not
// read was not sent, whatever else went wrong.
type gate struct {
	body []byte
	late func() bool // has the deadline passed?

	mu     sync.Mutex // guards the rest
	passed bool       // the transport has some of the body
	shut   bool       // nothing passes any more
	missed bool       // the deadline held it back
}

// reader returns the body from its start. The transport asks for another when
// it found that a connection was dead before anything was written to it.
func (g *gate) reader() (io.ReadCloser, error) {
	return &gateReader{gate: g, rest: bytes.NewReader(g.body)}, nil
}

func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.shut:
		return errShut
	case g.late():
		g.missed = true
		return errLate
	}
	g.passed = true
	return nil
}

// watch adds a look at the deadline when a connection is there, where most of
// the time goes, so that a late request does not even send its headers.
func (g *gate) watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if !g.miss() {
			return
		}
		cancel(errLate)
		// HTTP/2 heeds the context before it writes. HTTP/1 does not: its
		// connection is ours alone, and has to end anyway.
		if c, ok := i.Conn.(*tls.Conn); !ok || c.ConnectionState().NegotiatedProtocol != "h2" {
			_ = i.Conn.SetWriteDeadline(time.Unix(1, 0))
		}
	}}
	return httptrace.WithClientTrace(ctx, trace), func() { cancel(nil) }
}

// miss shuts the gate if the deadline has passed.
func (g *gate) miss() bool {
	late := g.late()
	g.mu.Lock()
	defer g.mu.Unlock()
	if late && !g.passed {
		g.shut, g.missed = true, true
	}
	return late
}

// close shuts the gate and reports what became of the body until then. An
// HTTP/2 stream may still be about to read when its call has already failed:
// after close it cannot.
func (g *gate) close() (passed, missed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
	return g.passed, g.missed
}

type gateReader struct {
	gate *gate
	rest *bytes.Reader
	open bool // owned by the transport's one writing goroutine
}

func (r *gateReader) Read(p []byte) (int, error) {
	if !r.open {
		if err := r.gate.pass(); err != nil {
			return 0, err
		}
		r.open = true
	}
	return r.rest.Read(p)
}

func (r *gateReader) Close() error { return nil }
