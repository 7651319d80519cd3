package graph

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"maps"
	"net/http"
	"time"
)

// A call is one of the two calls, before it has a token.
type call struct {
	op, method, path string
	body             []byte    // nil for a read
	deadline         time.Time // to start writing; zero is none
	header           http.Header
}

// An answer is a reply of Graph's that came with a status.
type answer struct {
	status              int
	header              http.Header
	body                []byte
	cut                 bool // the body was longer than we read, or broke off
	heard               bool // some of our body had left when it came
	requestID, clientID string
	date                time.Time
	clean               func(text string, most int) string // for anything that is quoted from the answer
}

// do makes the call, and makes it again with a new token if a 401 says that
// the token was bad. Nothing else is tried twice.
func (c *Client) do(ctx context.Context, k call) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	token, err := c.tokens.get(ctx, "", "")
	if err != nil {
		return answer{}, err
	}
	a, failure := c.try(ctx, k, token)
	if failure == nil || !failure.expired {
		return a, failure.orNil()
	}
	if token, err = c.tokens.get(ctx, token, failure.claims); err != nil {
		return answer{}, err
	}
	if a, failure = c.try(ctx, k, token); failure != nil && failure.expired {
		// The new token is no better. Were nothing held, each call would fetch one.
		c.tokens.hold()
	}
	return a, failure.orNil()
}

func (c *Client) try(ctx context.Context, k call, token string) (answer, *Error) {
	a, failure := c.send(ctx, k, token)
	if failure == nil && (a.status/100 != 2 || k.body != nil && !a.taken()) {
		failure = c.failure(k, a)
	}
	if failure != nil && failure.Kind == InDoubt && k.body == nil {
		failure.Kind = Unavailable // a read changes nothing, so nothing is in doubt
	}
	return a, failure
}

// send writes the request and reads the reply.
func (c *Client) send(ctx context.Context, k call, token string) (answer, *Error) {
	g := &gate{body: k.body, late: func() bool { return !k.deadline.IsZero() && !c.now().Before(k.deadline) }}
	if g.late() {
		return answer{}, &Error{Op: k.op, Kind: Unavailable, Err: errLate}
	}
	a := answer{clientID: cmp.Or(c.id(ctx), newID()), clean: func(s string, most int) string { return clean(s, most, token, c.entra.proof().hide) }}
	ctx, done := g.watch(ctx)
	defer done()
	req, err := c.request(ctx, k, g, token, a.clientID)
	if err != nil {
		return a, &Error{Op: k.op, Kind: Unavailable, Message: "request cannot be made"}
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return a, undelivered(k, g, a.clientID, err)
	}
	a.heard, _ = g.close() // a reply may come before the body is written; what follows it would be nobody's
	a.read(resp)
	if a.status == http.StatusServiceUnavailable {
		// Microsoft asks for a new connection: this one leads to a front end that is going away.
		c.http.CloseIdleConnections()
	}
	return a, nil
}

func (c *Client) request(ctx context.Context, k call, g *gate, token, id string) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, k.method, c.graph+k.path, nil)
	if err != nil {
		return nil, err
	}
	maps.Copy(req.Header, k.header)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.agent)
	req.Header.Set("client-request-id", id)
	if k.body == nil {
		// Else a type newer than Graph's default reads unknownFutureValue and could not be told again.
		req.Header.Set("Prefer", "include-unknown-enum-members")
		return req, nil
	}
	req.Header.Set("Content-Type", "application/json")
	req.ContentLength = int64(len(k.body))
	req.GetBody = g.reader
	req.Body, err = g.reader()
	return req, err
}

// read takes the reply, and never more than maxReply of its body, so that the
// connection can be used again.
func (a *answer) read(resp *http.Response) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	a.cut = err != nil || len(body) > maxReply
	a.body = body[:min(len(body), maxReply)]
	a.status, a.header = resp.StatusCode, resp.Header
	a.requestID = a.clean(resp.Header.Get("request-id"), maxWord)
	a.date = dated(resp.Header, time.Time{})
}

// taken reports whether a success is Graph's own. It answers with nothing; a
// page is a gateway's.
func (a *answer) taken() bool {
	return a.requestID != "" || len(bytes.TrimSpace(a.body)) == 0
}

// undelivered names the kind of a call that got no status.
func undelivered(k call, g *gate, id string, err error) *Error {
	e := &Error{Op: k.op, Kind: Unavailable, ClientRequestID: id, Err: cause(err)}
	passed, missed := g.close()
	switch {
	case passed:
		e.Kind = InDoubt
	case missed:
		e.Err = errLate
	}
	return e
}
