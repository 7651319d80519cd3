package main

import (
	"context"
	"errors"
	"io"
	"net/http/httptrace"
	"syscall"
)

// errIdle is a connection that the server closed while the next request was on its way: the
// one failure that HTTP/1.1 leaves to chance when a server stops (RFC 9112, 9.5).
var errIdle = errors.New("an idle connection was closed")

// idleEach is how many requests have to go well for each that meets it.
const idleEach = 500

// watch returns a context for one request, and what tells that failure from others: only a
// connection that was used before can have been idle.
func watch(ctx context.Context) (context.Context, func(error) error) {
	reused := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = i.Reused }})
	return ctx, func(err error) error {
		if reused && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)) {
			return errIdle
		}
		return err
	}
}
