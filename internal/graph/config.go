package graph

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Config is what a Client needs to know.
type Config struct {
	TenantID string // Entra tenant: GUID or domain
	ClientID string // the application's id
	// Credential is how the application proves who it is. With a managed
	// identity there may be no ClientID.
	Credential Credential
	// CAE tells Entra that the client understands claims challenges (continuous
	// access evaluation). Its tokens then live up to a day, and Graph may end
	// them at any time. Managed identities do not have it.
	CAE   bool
	Cloud Cloud
	// Custom is for a private cloud or a simulator: Microsoft is not asked
	// whether the authority exists.
	Custom bool
	// Transport carries everything, tokens too; by default it is NewTransport.
	// One that wraps another should pass CloseIdleConnections on, which is
	// called after a 503.
	Transport http.RoundTripper
	UserAgent string // default changerelay
	// RequestID names a request, in its client-request-id, after what ctx is about:
	// a UUID; "" is one at random. Nil is that always.
	RequestID func(ctx context.Context) string
	Now       func() time.Time // default time.Now
}

func (c Config) check() error {
	switch {
	case !validTenant(c.TenantID):
		return errors.New("TenantID is not a tenant's GUID or domain")
	case c.Credential.ManagedIdentity == nil && !validID(c.ClientID):
		return errors.New("ClientID is not an application id")
	case !printable(c.UserAgent):
		return errors.New("UserAgent has other than printable ASCII characters")
	}
	if m := c.Credential.ManagedIdentity; m != nil {
		switch {
		case c.ClientID != "" || c.CAE:
			return errors.New("a managed identity has neither ClientID nor CAE; a user-assigned one has ManagedIdentity.ClientID")
		case m.ClientID != "" && !validID(m.ClientID):
			return errors.New("ManagedIdentity.ClientID is not the client id of an identity")
		}
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
	if c.RequestID == nil {
		c.RequestID = func(context.Context) string { return "" }
	}
	return c
}
