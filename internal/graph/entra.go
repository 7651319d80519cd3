package graph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// entra requests tokens through MSAL. It is the only place that sees MSAL's
// errors: they quote whole replies, tokens too.
type entra struct {
	conf Config
	http *http.Client
	cred credentialKind

	request   requester              // owned by New, then by the one fetch in flight
	assertion atomic.Pointer[string] // the federated token, for MSAL to send; nil: another credential

	mu      sync.Mutex // guards the rest
	inUse   proof      // every failing call has to know it
	trouble error      // why the last reading was not taken
}

func newEntra(c Config, h *http.Client) (*entra, error) {
	e := &entra{conf: c, http: h}
	var err error
	if e.cred, err = e.kind(); err != nil {
		return nil, err
	}
	p, err := e.cred.read()
	if err == nil {
		err = e.use(p)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", "Credential."+e.cred.name, err) // the field, in its letters
	}
	return e, nil
}

func (e *entra) use(p proof) error {
	request, err := p.open()
	if err != nil {
		return err
	}
	e.request = request
	e.note(p)
	return nil
}

func (e *entra) note(p proof) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.inUse = p
}

func (e *entra) proof() proof {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.inUse
}

// reload takes a changed credential up. One that cannot be read or used is no
// reason to stop using the one that we have.
func (e *entra) reload() {
	p, err := e.cred.read()
	switch {
	case err != nil:
	case p.id != e.proof().id:
		err = e.use(p)
	default:
		e.note(p)
	}
	if err != nil {
		err = fmt.Errorf("the credential was read again and not taken: %w", err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.trouble = err
}

func (e *entra) lastTrouble() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.trouble
}

// fetch requests one token.
func (e *entra) fetch(ctx context.Context, claims string) (token, *Error) {
	e.reload()
	r, err := e.request(ctx, claims)
	if err != nil {
		return token{}, e.explain(tokenError(err, e.conf.Now()))
	}
	if r.AccessToken == "" || !printable(r.AccessToken) {
		return token{}, &Error{Op: opToken, Kind: Unavailable, Message: "token is malformed"}
	}
	// MSAL reckons by the system's clock, and we by the configured one.
	now := e.conf.Now()
	ahead := time.Until(now)
	return newToken(r.AccessToken, now, r.ExpiresOn.Add(ahead), r.Metadata.RefreshOn.Add(ahead)), nil
}

// explain adds what is known of the credential to Entra's refusal of it.
func (e *entra) explain(f *Error) *Error {
	trouble := e.lastTrouble()
	switch {
	case f.Err != nil || f.Status == 0:
	case trouble != nil:
		f.Err = trouble
	case f.Kind == Denied:
		f.Err = e.audienceHint()
	case e.conf.Credential.ManagedIdentity != nil && f.Status == http.StatusBadRequest:
		f.Err = errors.New("the machine may have no such managed identity; assign it to the machine, and look at its client id")
	}
	return f
}
