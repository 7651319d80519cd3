// Package graph talks to Microsoft Graph and Entra: it changes which apps and
// policies are assigned to one Intune device, and reads back what Graph holds.
//
// # What it is for
//
// One Client is one application in one tenant. It makes two calls:
//
//	POST /beta/deviceManagement/managedDevices/{id}/changeAssignments
//	GET  /beta/deviceManagement/managedDevices/{id}?$select=id,deviceActionResults
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
// # Tokens
//
// MSAL fetches them; token.go keeps them. MSAL's own cache lets every caller
// that misses ask by itself and lets callers wait for a refresh that fails, so
// it is kept empty. Here one request is in flight at a time, it belongs to no
// caller, and whoever still has a valid token never waits for it.
//
// # Secrets
//
// No error holds a token or the secret: MSAL's errors, which quote whole
// replies, end in entra.go, and text from Graph passes clean.
package graph

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Config is what a Client needs to know.
type Config struct {
	TenantID string // Entra tenant: GUID or domain
	ClientID string // the application's id
	// Secret reads the application's client secret. It is called by New and
	// before each token request, so that a rotated secret is taken up.
	Secret func() (string, error)
	Cloud  Cloud
	// Custom is for a private cloud or a simulator: Microsoft is not asked
	// whether the authority exists.
	Custom bool
	// Transport carries everything, tokens too; by default it is NewTransport.
	// One that wraps another should pass CloseIdleConnections on, which is
	// called after a 503.
	Transport http.RoundTripper
	UserAgent string           // default changerelay
	Now       func() time.Time // default time.Now
}

// A Client calls Graph for one application in one tenant. It may be used by
// many goroutines.
type Client struct {
	graph  string // root
	agent  string
	now    func() time.Time
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
	// Without pings, a connection that died silently takes every call until TCP gives it up.
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout}
	return t
}

func refuseRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

func (c Config) check() error {
	switch {
	case !validTenant(c.TenantID):
		return errors.New("TenantID is not a tenant's GUID or domain")
	case !validID(c.ClientID):
		return errors.New("ClientID is not an application id")
	case c.Secret == nil:
		return errors.New("no Secret given")
	case !printable(c.UserAgent):
		return errors.New("UserAgent has other than printable ASCII characters")
	}
	return c.Cloud.check()
}

func (c Config) withDefaults() Config {
	if c.Transport == nil {
		c.Transport = NewTransport()
	}
	if c.UserAgent == "" {
		c.UserAgent = "changerelay"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
