// Package graph talks to Microsoft Graph and Entra: it changes which apps and
// policies are assigned to one Intune device, and reads back what Graph holds.
//
// # What it is for
//
// One Client is one application in one tenant. It makes two calls, and a third to
// find out which device is meant by one of the other routes (Route):
//
//	POST /beta/deviceManagement/managedDevices/{id}/changeAssignments
//	GET  /beta/deviceManagement/managedDevices/{id}?$select=id,deviceActionResults
//	GET  /beta/deviceManagement/…/managedDevice?$select=id
//
// The POST declares the device's whole set of removed items; what it leaves
// out, Intune restores. Deciding on that set is not done here, nor is waiting,
// counting or trying again: a call is made once, and its end is told exactly.
//
// # The promise
//
// A failed call says which of three things is true, and never guesses:
//
//	refused, gone, denied, approval_required   not applied, and Graph says why
//	unavailable                                not applied, because it was not sent or not heard
//	throttled, in_doubt                        perhaps applied: look before telling again
//
// The middle line rests on the gate (gate.go): the request's body is handed to
// the transport by a reader that checks the deadline last thing, remembers
// whether it let a byte pass, and can be shut. A POST whose body never passed
// cannot have been applied, however the connection ended.
//
//	call ──► token ──► gate ──► transport ──► status, code, nested Intune JSON ──► Kind
//	  ▲        │ 401: a new token, once                                             │
//	  └────────┴────────────────────────────────────────────────────────────────────┘
//
// There is one repetition: after a 401, which is certainly not applied, with a
// new token. Redirects are never followed, as they would carry the token away.
//
// What blames a device or a set (refused, gone) has to be Graph's own word: a
// reply with a request-id or an error object. A proxy's 404 leaves the matter
// open, and so does a 200 with somebody's page in it.
//
// # Tokens
//
// MSAL fetches them; token.go keeps them. MSAL's own cache lets every caller
// that misses ask by itself and lets callers wait for a refresh that fails, so
// it is kept empty. Here one request is in flight at a time, it belongs to no
// caller, and whoever still has a valid token never waits for it.
//
// # Secrets
//
// No error holds a token or a credential: MSAL's errors, which quote whole
// replies, end in entra.go, those of the parsers of keys in keyfile.go, and
// text from Graph passes clean.
package graph

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// A Client calls Graph for one application in one tenant. It may be used by
// many goroutines.
type Client struct {
	graph  string // root
	agent  string
	now    func() time.Time
	id     func(context.Context) string // Config's RequestID
	http   *http.Client
	entra  *entra
	tokens *tokens
}

// New returns a client. It makes no connection; see Warm.
func New(c Config) (*Client, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("configuring graph: %w", err)
	}
	c = c.withDefaults()
	h := &http.Client{Transport: c.Transport, CheckRedirect: refuseRedirect}
	e, err := newEntra(c, h)
	if err != nil {
		return nil, fmt.Errorf("configuring graph: %w", err)
	}
	return &Client{
		graph:  c.Cloud.Graph,
		agent:  c.UserAgent,
		now:    c.Now,
		id:     c.RequestID,
		http:   h,
		entra:  e,
		tokens: &tokens{fetch: e.fetch, now: c.Now},
	}, nil
}

// NewTransport returns a transport for Graph, to be instrumented or given
// other certificates.
func NewTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConnsPerHost = idleConnections
	t.MaxResponseHeaderBytes = maxHeader
	// Without pings, a connection that died silently takes every call until TCP gives it up.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout}
	return t
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// OnToken has f called after each request for a token, with the kind of its error,
// "" for none, and the time that it took. The last f counts; it must not call
// the client's methods that need a token.
func (c *Client) OnToken(f func(failed Kind, took time.Duration)) { c.tokens.watch.Store(&f) }

// CredentialEnds is when the certificate in use expires; it is zero for other
// credentials. A renewed one shows after the next token request.
func (c *Client) CredentialEnds() time.Time { return c.entra.proof().ends }

// CredentialError is why the credential that was last read is not in use, or
// nil: the one before it goes on, until Entra refuses that.
func (c *Client) CredentialError() error { return c.entra.lastTrouble() }

// Forget has the next call get a new token at once, with the credential as it is
// then: a permission that was granted meanwhile shows in no other.
func (c *Client) Forget() { c.tokens.forget() }
